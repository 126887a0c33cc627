/*
 * Session: the keys of one handshake, and the frames that are sealed with them
 *
 *      offset  bytes
 *      0       4     'P' 'I' 1 kind: 03 request, 04 response      clear, authenticated
 *      4       16    session_id                                   clear, authenticated
 *      20      8     counter, LE: of the sender, from 0           clear, authenticated
 *      28      1     kind, as above                               encrypted
 *      29      1     flags: 0                                     encrypted
 *      30      8     in_reply_to, LE                              encrypted
 *      38      n     pipit.v1.Request or pipit.v1.Response        encrypted
 *      38 + n  16    tag
 *
 * docs/wire.md, "Sessions". Each direction has a key of its own, so that a frame sent
 * back to where it came from is refused. Each counter is taken once, within a
 * window, in any order. A response names the counter of its request, so that replies
 * cannot be swapped. To open is: check the age, check the window, decrypt, check
 * what is inside, and only then mark the window: whatever is refused changes
 * nothing.
 *
 * Knows nothing of sockets, principals or policy; whose session it is is a public
 * key. Time is the caller's monotonic clock. Any thread, also several at once on
 * one session; counted by references.
 */

#ifndef CORE_RPC_SESSION_H
#define CORE_RPC_SESSION_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/macros.h"
#include "core/rpc/handshake.h"
#include "core/rpc/replay_window.h"
#include "core/rpc/secret_pool.h"

/* Around the body of a sealed frame. */
#define PIPIT_SEALED_HEAD_BYTES     38
#define PIPIT_SEALED_OVERHEAD_BYTES (PIPIT_SEALED_HEAD_BYTES + PIPIT_NOISE_TAG_BYTES)

/* The client makes a new session when one is this old; nobody uses one that is that old. */
#define PIPIT_SESSION_REKEY_S  120
#define PIPIT_SESSION_REJECT_S 180

/* No counter from here on, as far from 2^64 as a window is wide. */
#define PIPIT_SESSION_COUNTERS (UINT64_MAX - PIPIT_REPLAY_BITS)

/* X(name, text): how sealing and opening end; the text is for logs. */
#define PIPIT_SESSION_RESULT_MAP(X)                                                                \
        X(OK, "ok")                                                                                \
        X(MALFORMED, "no frame of this session, or a field breaks the protocol")                   \
        X(ENDED, "the session was ended")                                                          \
        X(EXPIRED, "the session is too old")                                                       \
        X(REPLAYED, "the counter was seen already, or is too old to tell")                         \
        X(FORGED, "it was not sealed with the key of this session")                                \
        X(MISPLACED, "it is the answer to another request")                                        \
        X(EXHAUSTED, "the session has no counters left")

enum pipit_session_result {
#define PIPIT_SESSION_RESULT_ENUM(name, text) PIPIT_SESSION_##name,
        PIPIT_SESSION_RESULT_MAP(PIPIT_SESSION_RESULT_ENUM)
#undef PIPIT_SESSION_RESULT_ENUM
};

enum pipit_session_age {
        PIPIT_SESSION_FRESH,
        PIPIT_SESSION_REKEY_DUE, /* good still; the client makes another before it goes */
        PIPIT_SESSION_TOO_OLD,
};

struct pipit_session;

typedef void (*pipit_session_free_fn)(struct pipit_session *session);

struct pipit_session_options {
        bool is_server;
        const struct pipit_noise_transport *transport; /* copied; the caller zeroes his */
        const uint8_t *id;                             /* PIPIT_SESSION_ID_BYTES; copied */
        const uint8_t *peer_key;                       /* whom it is with; copied */

        /* When it was begun. The client's, before its hello went: so it never is the younger. */
        int64_t begun_us;

        /* Of the welcome. 0, or more than the constants: the constants. */
        uint32_t rekey_s;
        uint32_t reject_s;

        struct pipit_secret_pool *secrets; /* outlives the session */
        pipit_session_free_fn free;        /* for whoever embeds it; NULL: free() */
};

struct pipit_session {
        /* fixed */
        uint8_t id[PIPIT_SESSION_ID_BYTES];
        uint8_t peer_key[PIPIT_NOISE_KEY_BYTES];
        bool is_server;
        int64_t begun_us;
        int64_t rekey_due_us;
        int64_t too_old_us;

        /* in, of whoever decides on access: of what keys and policy its principal was found by */
        _Atomic uint64_t generation;

        /* out */
        atomic_bool is_confirmed; /* the peer has shown that it has the keys */

        /* private */
        atomic_uint refs;
        atomic_bool is_ended;
        _Atomic uint64_t next_counter;
        pthread_mutex_t mutex; /* of the window */
        struct pipit_replay_window window;
        struct pipit_secret secret; /* the send key, then the receive key */
        struct pipit_secret_pool *secrets;
        pipit_session_free_fn free;
};

/*
 * Makes one in memory that was zeroed, with one reference. False: out of memory.
 * A client's is confirmed from the start: the welcome has shown whose keys they are.
 */
PIPIT_MUST_CHECK bool pipit_session_init(struct pipit_session *session,
                                         const struct pipit_session_options *options);

struct pipit_session *pipit_session_ref(struct pipit_session *session);

/* The last one zeroes the keys and frees it. NULL is a no-op. */
void pipit_session_unref(struct pipit_session *session);

/* From here on all is refused: its pipe went, or its key was revoked. */
void pipit_session_end(struct pipit_session *session);

enum pipit_session_age pipit_session_age(const struct pipit_session *session, int64_t now_us);

/* --- sealing ------------------------------------------------------------------- */

/*
 * Seals a frame where it lies: @frame has PIPIT_SEALED_HEAD_BYTES of room, then @n_body
 * bytes of body, then PIPIT_NOISE_TAG_BYTES of room. A counter is used up even if
 * the frame is then not sent. ENDED, EXPIRED, EXHAUSTED: nothing was written.
 */
PIPIT_MUST_CHECK enum pipit_session_result pipit_session_seal_request(struct pipit_session *session,
                                                                      int64_t now_us,
                                                                      uint8_t *frame,
                                                                      size_t n_body,
                                                                      uint64_t *ret_counter);

/* The same by the server, as the answer to the request with @request_counter. */
PIPIT_MUST_CHECK enum pipit_session_result pipit_session_seal_response(
        struct pipit_session *session,
        int64_t now_us,
        uint64_t request_counter,
        uint8_t *frame,
        size_t n_body);

/* --- opening -------------------------------------------------------------------- */

/* What was inside a sealed frame. */
struct pipit_opened {
        uint8_t *body; /* in the frame */
        size_t n_body;
        uint64_t counter;
        bool is_first; /* at the server: with this request the session is confirmed */
};

/* The session that @frame names, in the frame; NULL: it is too short for a sealed one. */
const uint8_t *pipit_sealed_session_id(const uint8_t *frame, size_t n_frame);

/*
 * Opens a request where it lies. All but OK: the session is as it was, and the frame
 * is not worth a look any more.
 */
PIPIT_MUST_CHECK enum pipit_session_result pipit_session_open_request(struct pipit_session *session,
                                                                      int64_t now_us,
                                                                      uint8_t *frame,
                                                                      size_t n_frame,
                                                                      struct pipit_opened *ret);

/* The same by the client, for what came as the answer to the request with @request_counter. */
PIPIT_MUST_CHECK enum pipit_session_result pipit_session_open_response(
        struct pipit_session *session,
        int64_t now_us,
        uint64_t request_counter,
        uint8_t *frame,
        size_t n_frame,
        struct pipit_opened *ret);

/* For logs. */
const char *pipit_session_result_text(enum pipit_session_result result);

#endif
