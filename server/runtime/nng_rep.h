/*
 * Endpoint: one URL, one REP socket, and contexts that grow with need
 *
 * The only door to nng (with nng_rep.c and watchdog.c behind it). A context receives one frame
 * and owes one answer:
 *
 *      RECEIVING --frame--> TAKEN --answer--> SENDING --> RECEIVING (or PARKED)
 *                             \---drop------------------> RECEIVING
 *
 * A REP context holds a pipe's next message back while none receives, so a few
 * always do: one that is taken makes another, up to the cap that all endpoints
 * of a server share. At the cap the last one to receive hands its frame over
 * with @last set: answer at once, whatever it says.
 *
 * Knows nothing of protobuf, calls or mailboxes.
 */

#ifndef SERVER_RUNTIME_NNG_REP_H
#define SERVER_RUNTIME_NNG_REP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/status.h"
#include "server/runtime/source.h"

struct box;
struct rep_endpoint;
struct rep_message;
struct peer;
struct sealed_session;

struct rep_context;

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
        pid_t pid;            /* 0: unknown; for logs only */
        struct source source; /* of tcp */
};

/*
 * Called on nng's threads: must not block. pipe_added: false refuses it (and
 * pipe_removed comes all the same). received: @message is the callee's.
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
        uint32_t contexts_max;
        atomic_uint *n_contexts; /* of all endpoints that share the cap */
};

/* Borrows all but @url. NULL: out of memory. */
struct rep_endpoint *rep_endpoint_new(const char *url,
                                      enum rep_transport transport,
                                      const struct rep_options *options,
                                      const struct rep_handlers *handlers,
                                      void *self);

/* After rep_endpoint_close(), or never listened. One that could not be closed stays. NULL is a no-op. Returns NULL. */
struct rep_endpoint *rep_endpoint_free(struct rep_endpoint *endpoint);

/* Binds and receives. *ret_error tells what nng said; then too it is to be shut and closed. */
PIPIT_MUST_CHECK enum pipit_status rep_endpoint_listen(struct rep_endpoint *endpoint,
                                                       struct pipit_error *ret_error);

/* The URL it listens on, with the real port. */
const char *rep_endpoint_url(const struct rep_endpoint *endpoint);
enum rep_transport rep_endpoint_transport(const struct rep_endpoint *endpoint);

/* Closes the listener, which nng thinks dead, and listens anew. Not in a callback. */
PIPIT_MUST_CHECK enum pipit_status rep_endpoint_listen_again(struct rep_endpoint *endpoint);

/* How many pipes its listener has ever brought. */
uint64_t rep_endpoint_n_added(const struct rep_endpoint *endpoint);

/*
 * Waits until nng's threads have done @n things, one after the other, each
 * behind what waited for them before. False: out of memory. Not in a callback.
 */
bool rep_turns_pass(unsigned n);

/* How many frames are taken, how many answers on their way. */
unsigned rep_endpoint_n_taken(const struct rep_endpoint *endpoint);
unsigned rep_endpoint_n_sending(const struct rep_endpoint *endpoint);

/* Frees contexts that are parked for long; keeps some receiving. Not in a callback. */
void rep_endpoint_trim(struct rep_endpoint *endpoint);

/*
 * From here on answers are dropped and nothing is received. Then, when no
 * context is taken any more, close() closes the socket: no callback runs after
 * it. Not in a callback.
 */
void rep_endpoint_shut(struct rep_endpoint *endpoint);

/* False: nng is stuck, and may come back to the handlers' self, which must never be freed. */
PIPIT_MUST_CHECK bool rep_endpoint_close(struct rep_endpoint *endpoint);

/*
 * Closes a pipe. Not in a callback. nng 1.5 stops freeing pipes, all of them and
 * for ever, if this one is just receiving: where its descriptor is known, that is
 * to be shut down instead.
 */
void rep_pipe_close(uint32_t pipe);

/* --- frames -------------------------------------------------------------- */

/* Room for @n_bytes, which the caller fills. NULL: out of memory. */
struct rep_message *rep_message_new(size_t n_bytes);
struct rep_message *rep_message_free(struct rep_message *message);
uint8_t *rep_message_bytes(struct rep_message *message);
size_t rep_message_n_bytes(struct rep_message *message);

/* Answers; both are given away, and context->peer until sent(). */
void rep_context_answer(struct rep_context *context, struct rep_message *message);

/* Owes nothing any more: the peer has left, or there is nothing to say. context->peer stays the caller's. */
void rep_context_drop(struct rep_context *context);

#endif
