/*
 * Queue: calls that end in the thread of your choice
 *
 * A program with an event loop wants done() in its own thread. It makes a queue,
 * names it in struct pipit_call before the start, and puts the queue's file
 * descriptor into poll, epoll, libuv or whatever it waits with:
 *
 *      struct pollfd fds[] = {{.fd = pipit_queue_fd(queue), .events = POLLIN}};
 *
 *      call->queue = queue;
 *      call->done = on_user;
 *      users_v1_get_user_start(channel, call, &request);
 *      while (pipit_queue_n_calls(queue) > 0) {
 *              poll(fds, 1, -1);
 *              pipit_queue_run(queue, 0); // runs on_user()
 *      }
 *
 * The contract, beside that of calls (<pipit/client.h>):
 *
 *   1. done() of a call with a queue runs in pipit_queue_run() or
 *      pipit_queue_free() of that queue, exactly once, in the order in which the
 *      calls ended. One queue may serve many channels, and many queues one channel.
 *   2. Starting, cancelling and running may happen in any threads, at the same
 *      time; several threads that run one queue share what is ready.
 *   3. Such a done() runs in a thread of yours, so it may do what it likes:
 *      block, make blocking calls (the loop stands still meanwhile), free the
 *      channel, run the queue again. It may not free its own queue.
 *   4. pipit_channel_free() does not wait for them: it ends the calls, and their
 *      done() runs when the queue is run next, though the channel is gone. So one
 *      thread can free both, in either order.
 *   5. The descriptor is readable while anything is ready, and not otherwise
 *      (level-triggered). It is for waiting only: never read or close it. It is
 *      written once for all that ends until the queue has been run empty.
 *   6. A queue does not survive fork(): in the child it must not be used or freed.
 *
 * Public: installed, compiles alone, in C and C++.
 */

#ifndef PIPIT_QUEUE_H
#define PIPIT_QUEUE_H

#include <pipit/client.h>
#include <pipit/macros.h>
#include <pipit/status.h>
#include <stdbool.h>
#include <stddef.h>

PIPIT_BEGIN_DECLS

struct pipit_queue;

/* NULL: out of memory or descriptors, as *ret_error (may be NULL) tells; its strings are static. */
PIPIT_PUBLIC PIPIT_MUST_CHECK struct pipit_queue *pipit_queue_new(struct pipit_error *ret_error);

/*
 * Cancels the calls that are outstanding, waits for their ends, runs every
 * done() in this thread, frees. No other thread may use the queue any more, but
 * for calls that are still being started: these end as CANCELLED, done() and all.
 *
 * Not inside a done() of this queue, nor in one that a thread of the library
 * runs: then it does nothing. NULL is a no-op. Always returns NULL.
 */
PIPIT_PUBLIC struct pipit_queue *pipit_queue_free(struct pipit_queue *queue);

/* Readable while a call is ready. The queue's: lives until it is freed. */
PIPIT_PUBLIC int pipit_queue_fd(const struct pipit_queue *queue);

/*
 * Runs done() of calls that have ended, at most @max; 0: of as many as were ready
 * when it was called, so that it returns even if each starts another. How many it
 * ran. Never waits. With edge-triggered polling, run until it returns 0.
 */
PIPIT_PUBLIC size_t pipit_queue_run(struct pipit_queue *queue, size_t max);

/*
 * Waits until a call is ready, for callers without a loop. @timeout_ms < 0: as
 * long as it takes, be it for ever. False: nothing is ready. Runs nothing.
 */
PIPIT_PUBLIC bool pipit_queue_wait(struct pipit_queue *queue, int timeout_ms);

/* Calls that have ended and wait to be run. */
PIPIT_PUBLIC size_t pipit_queue_n_ready(struct pipit_queue *queue);

/* Calls that were started with this queue and whose done() has not returned. */
PIPIT_PUBLIC size_t pipit_queue_n_calls(struct pipit_queue *queue);

PIPIT_END_DECLS

#endif
