/*
 * Burst: what one thread completes between cork and uncork goes out together
 */

#ifndef SERVER_RUNTIME_BURST_H
#define SERVER_RUNTIME_BURST_H

struct box;

/* Has @box flushed: when this thread's burst ends, or at once outside of one. No lock is held. */
void burst_mark(struct box *box);

/*
 * For a frame that is taken in in the middle of this thread's burst: what it
 * completes goes out at the end of its own. Suspend returns what resume takes.
 */
unsigned burst_suspend(void);
void burst_resume(unsigned depth);

#endif
