/*
 * Loop: the threads that wait for the sockets of a server
 *
 * All wait in one epoll; a source is given to one of them at a time, which has it
 * until it arms it again. Knows nothing of what the sources are.
 */

#ifndef SERVER_RUNTIME_REP_LOOP_H
#define SERVER_RUNTIME_REP_LOOP_H

#include <stdatomic.h>
#include <stdint.h>

struct rep_keeper;
struct rep_loop;
struct rep_source;

#define REP_SCRATCH_BYTES 65536

/* @scratch, REP_SCRATCH_BYTES, is the thread's: what is left there is lost. */
typedef void (*rep_source_fn)(struct rep_source *source, uint8_t *scratch);

struct rep_source {
        /* in */
        rep_source_fn on_readable; /* or the peer hung up */

        /* private: what one thread did with it has happened before the next one has it */
        atomic_uint n_turns;
};

/* NULL: out of memory or descriptors. */
struct rep_loop *rep_loop_new(void);

/* No source is left, and no on_readable() runs. NULL is a no-op. Returns NULL. */
struct rep_loop *rep_loop_free(struct rep_loop *loop);

/* Starts the threads, its own and the keeper's, once. errno, or 0. One thread at a time. */
int rep_loop_start(struct rep_loop *loop);

struct rep_keeper *rep_loop_keeper(struct rep_loop *loop);

/* errno, or 0. One descriptor a source. From here on a thread may have it. */
int rep_loop_add(struct rep_loop *loop, struct rep_source *source, int fd);

/* By the thread that has @source, which gives it away. */
void rep_loop_arm(struct rep_loop *loop, struct rep_source *source, int fd);

/* By the thread that has @source: nobody is given it any more. */
void rep_loop_remove(struct rep_loop *loop, int fd);

#endif
