/*
 * Loops: those of the process, shared by its channels
 *
 * As many as there are processors, at most, of either kind: a channel has one to
 * itself as long as there are no more channels than that, and then shares the
 * one that fewest have. A child of fork() has none, and makes its own. Any thread.
 */

#ifndef CLIENT_LOOPS_H
#define CLIENT_LOOPS_H

struct loop;

/*
 * Apart, so that a done() that takes its time holds up answers, but no deadlines;
 * and one that was started by its deadline no answers.
 */
enum loops_kind {
        LOOPS_OF_SOCKETS,
        LOOPS_OF_CHANNELS, /* housekeeping */
        LOOPS_N_KINDS,
};

/* NULL: *ret_problem tells. */
struct loop *loops_take(enum loops_kind kind, const char **ret_problem);

/* Waits for its thread if nobody else has it: not that thread. */
void loops_give_back(enum loops_kind kind, struct loop *loop);

#endif
