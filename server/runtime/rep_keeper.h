/*
 * Keeper: one thread that accepts, and that waits for what is slow
 *
 *      a connection comes      is accepted; without descriptors a little later
 *      a peer does not greet   is hung up on after REP_GREETING_MS
 *      a socket is full        is written on when it can take more, and looked at now and then
 *
 * What it was told is under way until it has let go of it, on its own thread: so
 * nothing that epoll still speaks of is freed.
 */

#ifndef SERVER_RUNTIME_REP_KEEPER_H
#define SERVER_RUNTIME_REP_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/list.h"

/* A client that connects says who it is within. */
#define REP_GREETING_MS 10000

#define REP_LOOK_MS 100

struct rep_keeper;
struct rep_kept;
struct rep_stream;

/* A descriptor that the keeper waits for. */
struct rep_kept {
        /* in; both run on the keeper's thread */
        bool (*on_ready)(struct rep_kept *kept,
                         int64_t now_us);         /* or a while has passed. True: let go of it */
        void (*on_let_go)(struct rep_kept *kept); /* the keeper has; may be NULL */
        int fd;
        uint32_t events;   /* of epoll */
        bool is_looked_at; /* every REP_LOOK_MS, too */

        /* private */
        struct list list;
        int64_t pause_us; /* it is not waited for until */
        bool is_leaving;
};

/* NULL: out of memory or descriptors. */
struct rep_keeper *rep_keeper_new(void);

/* Nothing is kept any more. NULL is a no-op. Returns NULL. */
struct rep_keeper *rep_keeper_free(struct rep_keeper *keeper);

/* Starts the thread. errno, or 0. */
int rep_keeper_start(struct rep_keeper *keeper);

/* Any thread. It is not kept now. */
void rep_keeper_keep(struct rep_keeper *keeper, struct rep_kept *kept);

/* on_ready(): not again for @ms, about. */
void rep_keeper_pause(struct rep_keeper *keeper,
                      struct rep_kept *kept,
                      int64_t now_us,
                      uint32_t ms);

/* Waits until the keeper has let go of it. Not the keeper's thread. */
void rep_keeper_release(struct rep_keeper *keeper, struct rep_kept *kept);

/* The keeper's thread: @stream is shut down unless it greets in time. */
void rep_keeper_expect_greeting(struct rep_keeper *keeper, struct rep_stream *stream);

/* Any thread: it has, or is taken down. */
void rep_keeper_forget_greeting(struct rep_keeper *keeper, struct rep_stream *stream);

#endif
