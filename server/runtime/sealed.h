/*
 * Sealed: the sessions of the server's tcp endpoints
 *
 * docs/wire.md, "Sessions". From a sealed frame to its body and whom it is from, and
 * from a response to a sealed frame. How a session is made is in handshakes.h; its
 * bytes, its window and its bounds are in core/rpc.
 *
 * A frame keeps the session that it came in until it is answered, and is answered in
 * no other. Its mailbox is that of the session's principal: pipes have none here.
 *
 * Any thread. A call takes no lock that all sessions share.
 */

#ifndef SERVER_RUNTIME_SEALED_H
#define SERVER_RUNTIME_SEALED_H

#include <pipit/clock.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "core/rpc/frame.h"
#include "core/rpc/handshake_limiter.h"
#include "core/rpc/session_table.h"
#include "server/runtime/housekeeping.h"
#include "server/runtime/rep.h"

struct peer;
struct pipit_server;
struct pipit_server_options;
struct principal;

/* What a server has of them. */
struct sealed {
        /* fixed */
        struct pipit_server *server;
        struct pipit_secret_pool *secrets;
        struct pipit_handshake_limiter *limiter;
        struct pipit_session_table *table;

        /* private */
        _Atomic(const struct pipit_clock *) clock;
        atomic_uint n_unlogged; /* failed handshakes */
        atomic_uint refs;       /* its timer's */
        struct timer timer;
};

struct sealed_session {
        struct pipit_session base;
        struct sealed *sealed;
        struct principal *principal; /* a reference; whether it stands is asked at each frame */
        uint32_t frame_bytes_max;    /* that its client takes */
};

/* NULL: out of memory. @server has its housekeeping. */
struct sealed *sealed_new(struct pipit_server *server);

/* When no frame is taken any more. NULL is a no-op. Returns NULL. */
struct sealed *sealed_free(struct sealed *sealed);

/* For tests, before the first session: by what they age. */
void sealed_set_clock(struct sealed *sealed, const struct pipit_clock *clock);

int64_t sealed_now_us(const struct sealed *sealed);

/*
 * Opens @frame, which came with @context, where it lies; @context has its session then. False: it
 * is of no session of this pipe, or does not open. Reject it NO_SESSION.
 */
PIPIT_MUST_CHECK bool sealed_open(struct sealed *sealed,
                                  struct rep_context *context,
                                  struct rep_message *frame,
                                  const uint8_t **ret_body,
                                  size_t *ret_n_body);

/* The principal of @context's session has been revoked: it ends. A plain frame's has none. */
void sealed_revoke(struct rep_context *context);

/* How long a frame may be that answers @context: what we send, and its client takes. */
uint32_t sealed_response_bytes_max(const struct rep_context *context,
                                   const struct pipit_server_options *options);

/* What a response to @context has before and behind its body: the header, or what seals it. */
size_t sealed_n_before(const struct rep_context *context);
size_t sealed_n_behind(const struct rep_context *context);

/* Whether what @context is answered with can be sealed. A plain frame's always can. */
bool sealed_can_close(const struct rep_context *context);

/*
 * Makes @message a response to @context: writes what is before its body, and behind. NULL: the
 * session is over, and the message has been freed.
 */
struct rep_message *sealed_close(const struct rep_context *context, struct rep_message *message);

/* @context is answered, or dropped. */
void sealed_let_go(struct rep_context *context);

/* The pipe was closed: its sessions end. */
void sealed_remove_pipe(struct sealed *sealed, uint32_t pipe);

/* --- handshakes.c ---------------------------------------------------------- */

/*
 * A session of @peer's pipe. @options say what of the handshake is to be known; the rest is
 * seen to. False: there are too many, or memory is out.
 */
PIPIT_MUST_CHECK bool sealed_add(struct sealed *sealed,
                                 struct peer *peer,
                                 struct principal *principal,
                                 uint32_t frame_bytes_max,
                                 const struct pipit_session_options *options);

/* A handshake failed that is not logged by itself; how many did is logged now and then. */
void sealed_count_unlogged(struct sealed *sealed);

#endif
