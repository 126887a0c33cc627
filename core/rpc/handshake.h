/*
 * Hello and welcome: the frames in which Noise's two messages travel
 *
 * docs/wire.md, "Sessions", byte by byte. The prologue of both sides names the
 * protocol and holds the clear bytes of both frames, so that all of it is
 * authenticated. A frame that is refused changes nothing (core/rpc/noise.h).
 *
 * Client: handshake_init, hello_write, then welcome_read.
 * Server: handshake_init, hello_read_key, look the key up, hello_read, welcome_write.
 * In the end either side has the keys of a session (core/rpc/session.h).
 */

#ifndef CORE_RPC_HANDSHAKE_H
#define CORE_RPC_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/macros.h"
#include "core/rpc/noise.h"

#define PIPIT_HELLO_FRAME_BYTES 124
#define PIPIT_WELCOME_FRAME_BYTES                                                                  \
        92 /* less than a hello: nobody is made to send more than he got */
#define PIPIT_SESSION_ID_BYTES 16

#define PIPIT_PROTO_VERSION 1 /* of what is inside a session; the frames have their own */

/* What a client says of itself. */
struct pipit_hello {
        uint64_t client_time_us; /* since 1970; for logs, nothing depends on it */
        uint32_t max_frame; /* bytes of frame that it takes, at least PIPIT_FRAME_BYTES_DEFAULT */
        uint16_t proto_min;
        uint16_t proto_max;
        uint64_t features; /* bits; none is defined yet */
};

/* What the server makes of it. */
struct pipit_welcome {
        uint8_t session_id[PIPIT_SESSION_ID_BYTES];
        uint32_t max_frame;
        uint16_t proto;
        uint16_t max_inflight; /* frames that it holds a pipe; 0: it does not say */
        uint32_t rekey_s;      /* from this age on the client makes a new session */
        uint32_t reject_s;     /* from this age on the session is none */
        uint64_t features;     /* of those in the hello */
};

/* Begins either side's; deinit is pipit_noise_deinit(). @server_key: NULL for the server. */
void pipit_handshake_init(struct pipit_noise *noise,
                          const struct pipit_noise_keys *keys,
                          const uint8_t server_key[PIPIT_NOISE_KEY_BYTES]);

/* Client. False: @server_key of init is none that one can agree with. */
PIPIT_MUST_CHECK bool pipit_hello_write(struct pipit_noise *noise,
                                        const struct pipit_hello *hello,
                                        uint8_t ret_frame[PIPIT_HELLO_FRAME_BYTES]);

/*
 * Server: whose key the hello shows. He has not proven yet that it is his: nothing may
 * be made or freed on his behalf. False: no hello to this server.
 */
PIPIT_MUST_CHECK bool pipit_hello_read_key(struct pipit_noise *noise,
                                           const uint8_t *frame,
                                           size_t n_frame,
                                           uint8_t ret_client_key[PIPIT_NOISE_KEY_BYTES]);

/*
 * Server, with the same frame: he knew its secret half, now or at some time before, for
 * the first message of IK can be sent again by whoever saw it. That he is there now is
 * shown by the first sealed request. False: he did not know it, or a field breaks docs/wire.md.
 */
PIPIT_MUST_CHECK bool pipit_hello_read(struct pipit_noise *noise,
                                       const uint8_t *frame,
                                       size_t n_frame,
                                       struct pipit_hello *ret_hello);

/* The protocol that both speak; 0: there is none, and the answer is reject VERSION. */
uint16_t pipit_hello_proto(const struct pipit_hello *hello);

/*
 * Server. Zeroes the handshake. False: the client's keys are none that one can agree
 * with, or it is not the turn of it.
 */
PIPIT_MUST_CHECK bool pipit_welcome_write(struct pipit_noise *noise,
                                          const struct pipit_welcome *welcome,
                                          uint8_t ret_frame[PIPIT_WELCOME_FRAME_BYTES],
                                          struct pipit_noise_transport *ret_transport);

/*
 * Client, with the hello that it wrote. Zeroes the handshake when true. False: not from
 * this server, not to this hello, or a field breaks docs/wire.md.
 */
PIPIT_MUST_CHECK bool pipit_welcome_read(struct pipit_noise *noise,
                                         const struct pipit_hello *hello,
                                         const uint8_t *frame,
                                         size_t n_frame,
                                         struct pipit_welcome *ret_welcome,
                                         struct pipit_noise_transport *ret_transport);

#endif
