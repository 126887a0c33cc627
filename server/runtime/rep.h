/*
 * Endpoint: one URL, and the server's end of SP's request/reply
 *
 * A frame comes with a context, which owes one answer:
 *
 *      received() --> rep_context_answer() --> sent()
 *                 \-> rep_context_drop()
 *
 * All endpoints of a server share a cap on the contexts there are. The last one
 * there may be comes with @last set: answer at once, whatever the frame says.
 *
 * ipc and tcp are sockets of our own (rep_stream.h), inproc is nng's (nng_rep.c).
 * Knows nothing of protobuf, calls or mailboxes.
 */

#ifndef SERVER_RUNTIME_REP_H
#define SERVER_RUNTIME_REP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/status.h"
#include "server/runtime/source.h"

struct box;
struct peer;
struct rep_context;
struct rep_endpoint;
struct rep_loop;
struct rep_message;
struct rep_stream;
struct sealed_session;

/* What becomes of a frame, whichever way it came: see rep_context_answer(), rep_context_drop(). */
struct rep_context_operations {
        void (*answer)(struct rep_context *context, struct rep_message *message);
        void (*drop)(struct rep_context *context);
};

/* One frame that is owed an answer. The zone is its holder's, from received() to answer or drop. */
struct rep_context {
        /* holder's */
        struct rep_context *next;
        struct rep_context *prev;
        struct peer *peer;              /* a reference */
        struct sealed_session *session; /* of a sealed frame: a reference; else NULL */
        uint64_t counter;               /* of a sealed frame */
        _Atomic(struct box *) holder;   /* it is in its list; changes under its mutex */
        int64_t hold_until_us;
        size_t response_bytes_max; /* of the frame that answers it */
        size_t n_answer_bytes;     /* from answer to sent() */
        bool answer_now;

        /* out */
        const struct rep_context_operations *operations;
        struct rep_endpoint *endpoint; /* NULL: it came in-process */
};

enum rep_transport {
        REP_TRANSPORT_INPROC,
        REP_TRANSPORT_IPC,
        REP_TRANSPORT_TCP,
};

/* Who is at the other end, or where it is, as the kernel says. */
struct rep_pipe_identity {
        enum rep_transport transport;
        bool has_uid;
        uid_t uid;
        pid_t pid;                 /* 0: unknown; for logs only */
        struct source source;      /* of tcp */
        struct rep_stream *stream; /* its connection, borrowed; NULL: nng's pipe */
};

/*
 * Called on threads of nng, of the loop, of the keeper, and of who answers: must not block.
 * pipe_added: false refuses it (and pipe_removed may come all the same). received: @message
 * is the callee's.
 */
struct rep_handlers {
        bool (*pipe_added)(void *self,
                           struct rep_endpoint *endpoint,
                           uint32_t pipe,
                           const struct rep_pipe_identity *identity);
        void (*pipe_removed)(void *self, uint32_t pipe);
        void (*received)(void *self,
                         struct rep_context *context,
                         struct rep_message *message,
                         uint32_t pipe,
                         bool last);
        /* An answer went, or could not: @peer is the callee's, who did not read for too long if @stuck. */
        void (*sent)(void *self, struct peer *peer, size_t n_bytes, bool stuck);
};

struct rep_options {
        size_t receive_bytes_max;
        uint32_t send_timeout_ms;
        uint32_t receive_timeout_ms;
        uint32_t contexts_max;
        atomic_uint *n_contexts; /* of all endpoints that share the cap */
};

/* What the two kinds of endpoint embed. */
struct rep_endpoint {
        const struct rep_endpoint_operations *operations;
        char *url;
        enum rep_transport transport;
        struct rep_options options;
        const struct rep_handlers *handlers;
        void *self;
        atomic_bool is_shut;
        atomic_uint n_taken;
        atomic_uint n_sending;
};

enum rep_state {
        REP_LISTENS,
        REP_LISTENS_ANEW, /* the file of its ipc socket had gone */
        REP_DESERTED,     /* it has gone, and cannot be made again now */
};

/* As the functions of the same names. */
struct rep_endpoint_operations {
        void (*free)(struct rep_endpoint *endpoint);
        enum pipit_status (*listen)(struct rep_endpoint *endpoint,
                                    struct rep_loop *loop,
                                    struct pipit_error *ret_error);
        enum rep_state (*look_after)(struct rep_endpoint *endpoint);
        void (*close)(struct rep_endpoint *endpoint);
};

/* Borrows all but @url. NULL: out of memory. */
struct rep_endpoint *rep_endpoint_new(const char *url,
                                      enum rep_transport transport,
                                      const struct rep_options *options,
                                      const struct rep_handlers *handlers,
                                      void *self);

/* After rep_endpoint_close(), or never listened. NULL is a no-op. Returns NULL. */
struct rep_endpoint *rep_endpoint_free(struct rep_endpoint *endpoint);

/* Binds and receives, on threads of @loop. *ret_error tells what went wrong; then too it is to be shut and closed. */
PIPIT_MUST_CHECK enum pipit_status rep_endpoint_listen(struct rep_endpoint *endpoint,
                                                       struct rep_loop *loop,
                                                       struct pipit_error *ret_error);

/* The URL it listens on, with the real port. */
const char *rep_endpoint_url(const struct rep_endpoint *endpoint);
enum rep_transport rep_endpoint_transport(const struct rep_endpoint *endpoint);

/*
 * To be called now and then, by one thread, and not in a callback: gives back what
 * is not used any more, hangs up on peers whose message does not go on, and listens
 * anew where nobody can connect any more.
 */
PIPIT_MUST_CHECK enum rep_state rep_endpoint_look_after(struct rep_endpoint *endpoint);

/* How many frames are taken, how many answers on their way. */
unsigned rep_endpoint_n_taken(const struct rep_endpoint *endpoint);
unsigned rep_endpoint_n_sending(const struct rep_endpoint *endpoint);

/*
 * From here on nothing that comes is wanted: what is read is passed over, and no
 * frame that is still handed over need be answered. Then, when no context is taken
 * any more, close() closes the sockets: no callback runs after it. Not in a callback.
 */
void rep_endpoint_shut(struct rep_endpoint *endpoint);
void rep_endpoint_close(struct rep_endpoint *endpoint);

/* Closes a pipe that has no stream. Not in a callback. */
void rep_pipe_close(uint32_t pipe);

/* --- frames -------------------------------------------------------------- */

/* Room for @n_bytes, which the caller fills. NULL: out of memory. */
struct rep_message *rep_message_new(size_t n_bytes);
struct rep_message *rep_message_free(struct rep_message *message);
uint8_t *rep_message_bytes(struct rep_message *message);
size_t rep_message_n_bytes(struct rep_message *message);

/* --- answers ------------------------------------------------------------- */

/* Both are given away, and context->peer until sent(). */
void rep_context_answer(struct rep_context *context, struct rep_message *message);

/* Owes nothing any more: the peer has left, or there is nothing to say. context->peer stays the caller's. */
void rep_context_drop(struct rep_context *context);

#endif
