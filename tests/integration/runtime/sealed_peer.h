/*
 * A client of a tcp endpoint with keys, on a socket of its own
 *
 * docs/wire.md, sections 1 and 14, one step at a time over core/rpc: so tests choose
 * every byte that is sent, and see every one that comes.
 */

#ifndef TESTS_INTEGRATION_RUNTIME_SEALED_PEER_H
#define TESTS_INTEGRATION_RUNTIME_SEALED_PEER_H

#include "core/rpc/session.h"
#include "tests/integration/runtime/fixture.h"

struct sealed_peer {
        int fd;
        uint32_t last_id; /* of requests on this pipe */
};

/* A frame, in memory of its own; no @bytes: the pipe was closed. */
struct sealed_frame {
        uint8_t *bytes;
        size_t n_bytes;
        uint64_t counter; /* of a sealed request */
};

void sealed_frame_free(struct sealed_frame *frame);

void sealed_peer_connect(struct sealed_peer *peer, const char *url);

/* The same from 127.0.1.@source (from 1): another one than the rest to what limits handshakes. */
void sealed_peer_connect_from(struct sealed_peer *peer, const char *url, uint8_t source);
void sealed_peer_close(struct sealed_peer *peer);

/* Sends a frame under a new request id, which it returns; 0: the pipe is closed. */
uint32_t sealed_peer_send(struct sealed_peer *peer, const uint8_t *bytes, size_t n_bytes);

/* The next answer, and the id of its request. */
struct sealed_frame sealed_peer_receive(struct sealed_peer *peer, uint32_t *ret_id);

/* One frame, and its answer. Nothing else is under way. */
struct sealed_frame sealed_peer_exchange(struct sealed_peer *peer,
                                         const uint8_t *bytes,
                                         size_t n_bytes);

/* What a reject says; 0: it is none, or the pipe was closed. */
enum pipit_reject_code sealed_frame_reject(const struct sealed_frame *frame);

/* --- sessions -------------------------------------------------------------- */

/* A hello of @keys, by @noise, which the caller deinits. */
void sealed_hello(struct pipit_noise *noise,
                  const struct pipit_noise_keys *keys,
                  const uint8_t *server_key,
                  const struct pipit_hello *hello,
                  uint8_t ret_frame[PIPIT_HELLO_FRAME_BYTES]);

/* What these tests' clients say. */
extern const struct pipit_hello sealed_hello_default;

/* A session; NULL: *ret_code tells how the server refused it, 0 that it closed the pipe. */
struct pipit_session *sealed_peer_shake(struct sealed_peer *peer,
                                        const struct pipit_noise_keys *keys,
                                        const uint8_t *server_key,
                                        enum pipit_reject_code *ret_code);

/* The same, which must come about. */
struct pipit_session *sealed_peer_session(struct sealed_peer *peer,
                                          const struct pipit_noise_keys *keys,
                                          const uint8_t *server_key);

/* Seals @request, and frees it. */
struct sealed_frame sealed_request(struct pipit_session *session, struct request *request);

/* Reads what came as the answer to @counter: a response of @session, or a reject. */
void sealed_answer(struct pipit_session *session,
                   uint64_t counter,
                   struct sealed_frame *frame,
                   struct answer *ret_answer);

/* Seals, sends, waits, opens. */
void sealed_peer_run(struct sealed_peer *peer,
                     struct pipit_session *session,
                     struct request *request,
                     struct answer *ret_answer);

/* An Echo of @text as a simple client; asserts that it is answered. */
void sealed_peer_assert_echoes(struct sealed_peer *peer, struct pipit_session *session);

/* Where sessions of tests have their keys. */
struct pipit_secret_pool *sealed_secrets(void);
void sealed_secrets_free(void);

#endif
