/*
 * Peer: one pipe, and the principal that it speaks for
 *
 * Made when the pipe is added, found by the pipe's id when a frame comes,
 * counted by references: a frame that is under way keeps its peer, though the
 * pipe may be gone. What a closing pipe causes happens on the housekeeping
 * thread.
 *
 * Lock order: a mailbox's mutex is never taken under a peer's, nor the reverse.
 */

#ifndef SERVER_RUNTIME_PEER_H
#define SERVER_RUNTIME_PEER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "server/runtime/housekeeping.h"
#include "server/runtime/principal.h"
#include "server/runtime/rep.h"

struct box;
struct pipit_server;

/* A pipe on which a full client's mailbox was named. */
struct attachment {
        struct box *box; /* a reference */
        struct attachment *next;
};

struct peer {
        /* out */
        struct pipit_server *server;
        struct principal *principal; /* a reference */
        uint32_t pipe;
        uint64_t serial; /* counts pipes as they come */
        pid_t pid;       /* 0: unknown; for logs */
        bool is_keyed;   /* it speaks for whom its sessions are with, and @principal for nobody */
        struct source source; /* of tcp */
        atomic_bool gone;
        struct rep_stream *stream; /* a reference; NULL: it has none */

        /* limits */
        atomic_uint n_held;            /* frames of full clients */
        atomic_bool shakes_hands;      /* a hello waits */
        atomic_uint n_denied;          /* frames */
        atomic_size_t n_sending_bytes; /* of memory: answers that its pipe has not taken */

        /* mutex */
        pthread_mutex_t mutex;
        struct attachment *attachments;
        struct box *simple; /* the mailboxes of its simple frames; references */

        /* private */
        atomic_uint refs;
        struct timer timer; /* of its simple frames */
        struct job removal;
        struct job closing;
        atomic_bool closes;
        struct peer *next; /* in its bucket */
};

#define PEER_SHARDS  64
#define PEER_BUCKETS 16 /* a shard: a pipe's id finds its peer at once where there are a thousand */

struct peer_shard {
        pthread_mutex_t mutex;
        struct peer *buckets[PEER_BUCKETS];
};

struct peer_table {
        /* private */
        struct peer_shard shards[PEER_SHARDS];
        atomic_uint n_pipes;
        atomic_uint_fast64_t n_ever; /* pipes that have come */
};

void peer_table_init(struct peer_table *table);

/* All peers are gone and all references given back. */
void peer_table_deinit(struct peer_table *table);

/* False: refused; memory is out, or there are too many. */
bool peer_add(struct pipit_server *server, uint32_t pipe, const struct rep_pipe_identity *identity);

/* The pipe was closed: the rest is done by housekeeping. Unknown pipes are passed over. */
void peer_remove(struct pipit_server *server, uint32_t pipe);

/* A reference, or NULL: it has gone. */
struct peer *peer_find(struct pipit_server *server, uint32_t pipe);

struct peer *peer_ref(struct peer *peer);
void peer_unref(struct peer *peer);

/* Closes its pipe, soon. */
void peer_close(struct peer *peer);

/* A frame was answered DENIED. A client learns it from the first: who goes on is none, and is hung up on. */
void peer_denied(struct peer *peer);

/* Closes it and logs that its peer does not read. */
void peer_close_stuck(struct peer *peer);

/* An answer of @n_bytes is on its way. False: too many are, for its peer does not read. */
bool peer_sends(struct peer *peer, size_t n_bytes);
void peer_sent(struct peer *peer, size_t n_bytes);

/* @box was named on its pipe. False: the pipe is gone, or memory is out. */
bool peer_attach(struct peer *peer, struct box *box, bool *ret_new);

/* One that was named there before, as in nearly every frame. A reference, or NULL. */
struct box *peer_attached(struct peer *peer,
                          const struct principal *principal,
                          const uint8_t *client_id);

unsigned peer_table_n_pipes(const struct peer_table *table);

/* Cancels everything of all simple clients. */
void peer_table_kill(struct pipit_server *server);

#endif
