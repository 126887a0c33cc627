/*
 * Box: a client's mailbox at the server, with the frames it holds
 *
 * The states of its calls (core/rpc/mailbox.h), the replies that wait, packed
 * and ready to be joined, and the held frames that wait for replies. A simple
 * client's frame is a box of its own, without a name, answered when all its
 * calls are done: so deadlines, cancels and closed pipes have one path.
 *
 * One mutex a box, held for no longer than copying replies takes. Nothing is
 * sent and no handler runs under it. Locks: a shard's before a principal's list
 * of boxes before the box's. Counted by references: the table, each
 * attachment, each frame of calls and each thread that is about to flush it
 * hold one.
 */

#ifndef SERVER_RUNTIME_BOX_H
#define SERVER_RUNTIME_BOX_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "core/base/list.h"
#include "core/base/status.h"
#include "core/rpc/frame.h"
#include "core/rpc/mailbox.h"
#include "server/runtime/graves.h"
#include "server/runtime/housekeeping.h"
#include "server/runtime/peer.h"
#include "server/runtime/ready.h"
#include "server/runtime/rep.h"

#define BOX_CLIENT_ID_BYTES 16

/* What may wait in one mailbox; over it a reply becomes MAILBOX_FULL. */
#define BOX_READY_BYTES_MAX ((size_t)64 * 1024 * 1024)

struct box {
        /* fixed */
        struct pipit_server *server;
        struct principal *principal; /* a reference */
        bool simple;
        uint8_t client_id[BOX_CLIENT_ID_BYTES];

        pthread_mutex_t mutex;

        /* mutex */
        atomic_bool dead; /* its calls are cancelled, its replies dropped; a hint without it */
        int64_t amnesia_until_us; /* it may follow one that was freed: what it does not know may have run */
        struct pipit_mailbox *states;
        struct ready ready;
        size_t n_open; /* a simple one's: calls that are not ready */
        struct rep_context *oldest;
        struct rep_context *newest;
        unsigned n_held;
        unsigned n_answer_now;
        unsigned held_max;    /* of the newest frame; 0: none */
        uint64_t home_serial; /* of the newest pipe that brought awaits: older ones were left */
        int n_pipes;
        int64_t linger_until_us; /* 0: it has pipes */
        bool is_revoked;         /* its principal is: it goes at once */

        /* private */
        atomic_uint refs;
        struct timer timer; /* a full one's */
        struct box *next;   /* in the table's shard, or a peer's list of simple ones */
        struct box *prev;   /* in a peer's list */
        struct list left;   /* a full one without a pipe, of its principal; that list's mutex */
        bool listed;        /* in a peer's list; the peer's mutex */
};

#define BOX_SHARDS 64

struct box_shard {
        pthread_mutex_t mutex;
        struct box *first;
        struct graves graves;
};

struct box_table {
        /* private */
        struct box_shard shards[BOX_SHARDS];
        uint64_t seed;
};

void box_table_init(struct box_table *table);

/* When nothing uses the table any more: gives its references back. */
void box_table_empty(struct box_table *table);
void box_table_deinit(struct box_table *table);

enum box_failure {
        BOX_FAILURE_NONE,
        BOX_FAILURE_MEMORY,
        BOX_FAILURE_TOO_MANY, /* of this principal */
};

/* The mailbox of (@principal, @client_id), made if need be, attached to @peer. NULL: *ret_failure tells. */
struct box *box_of_client(struct peer *peer,
                          struct principal *principal,
                          const uint8_t client_id[BOX_CLIENT_ID_BYTES],
                          enum box_failure *ret_failure);

/* A box for one frame of a simple client. NULL: out of memory, or the pipe is gone. */
struct box *box_of_frame(struct peer *peer, struct principal *principal);

bool box_is(const struct box *box, const struct principal *principal, const uint8_t *client_id);

struct box *box_ref(struct box *box);
void box_unref(struct box *box);

/* Visits all full boxes, each with a reference that the visitor gives back. */
typedef void (*box_visit_fn)(struct box *box, void *context);
void box_table_each(struct box_table *table, box_visit_fn visit, void *context);

/*
 * The rules have changed: those of principals that have been revoked go soon, as if their clients
 * had left for good, and so do the pipes of their held frames. Not in a callback.
 */
void box_table_drop_revoked(struct pipit_server *server);

/* A pipe of a full one closed: gives its attachment's reference back. */
void box_detach(struct box *box, struct peer *peer);

/* Cancels its calls, drops its replies and frames. */
void box_kill(struct box *box);

/* Has the timer that watches @box, whose frame came from @peer, fire at @due_us or before. */
void box_arm(struct box *box, struct peer *peer, int64_t due_us);

/* Ends calls whose deadline has come, answers frames that were held long enough; returns when more is due. */
int64_t box_tick(struct box *box, int64_t now_us);

/* A simple one is done: takes it out of @peer's list. */
void box_leave(struct box *box, struct peer *peer);

/* --- flush.c ------------------------------------------------------------- */

/* With the mutex: holds a frame: last, or first if it is to be answered now. */
void box_hold(struct box *box, struct rep_context *context);

/* With the mutex: takes a held frame out. */
void box_unhold(struct box *box, struct rep_context *context);

/* All held frames are to be answered now: a drain begins. */
void box_answer_all(struct box *box);

/*
 * With the mutex: awaits came from @peer, and so its client has left all older
 * pipes, whose end may not be noticed here. No reply goes there any more: what
 * is held there is to be answered now, with nothing, as is what still comes.
 */
void box_move_home(struct box *box, const struct peer *peer);

/* With the mutex. */
bool box_has_left(const struct box *box, const struct peer *peer);

/* With the mutex: the oldest held frame of @peer is to be answered now. */
void box_answer_oldest_of(struct box *box, const struct peer *peer);

/* Answers held frames as docs/wire.md, "When a frame is answered", says. */
void box_flush(struct box *box);

/*
 * The same but for @except, an in-process frame whose handlers this thread is yet
 * to run: its sender takes an answer in only after them, and it would bring what
 * others wait for, and perhaps what ends the handlers.
 */
void box_flush_but(struct box *box, const struct rep_context *except);

/* Lets go of a frame without an answer. */
void held_drop(struct rep_context *context);

/* Answers a frame, of a session too, by a reject, which is never sealed. */
void held_reject(struct rep_context *context, const struct pipit_reject *reject);

/* Answers a frame. No @message (memory is out), or a peer that does not read: its pipe is closed instead. */
void held_answer(struct rep_context *context, struct rep_message *message);

#endif
