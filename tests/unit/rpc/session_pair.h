/*
 * Both ends of one session, for tests
 */

#ifndef TESTS_UNIT_RPC_SESSION_PAIR_H
#define TESTS_UNIT_RPC_SESSION_PAIR_H

#include "core/rpc/session.h"

struct session_pair {
        struct pipit_secret_pool *secrets;
        struct pipit_session *client, *server;
};

/* A body and room around it. */
struct sealed_frame {
        uint8_t bytes[256];
        size_t n_bytes;
        uint64_t counter; /* of a request */
};

/* Begun at 0, with random keys. */
void session_pair_init(struct session_pair *pair);
void session_pair_deinit(struct session_pair *pair);

/* As the client, at @now_us; fails the test if it cannot. */
struct sealed_frame session_pair_request(struct session_pair *pair,
                                         int64_t now_us,
                                         const char *body);

/* As the server. */
struct sealed_frame session_pair_response(struct session_pair *pair,
                                          int64_t now_us,
                                          uint64_t request_counter,
                                          const char *body);

/* Opens a copy; the body, when OK, is @expected (NULL: whatever). */
enum pipit_session_result session_pair_take_request(struct session_pair *pair,
                                                    int64_t now_us,
                                                    const struct sealed_frame *frame,
                                                    const char *expected);
enum pipit_session_result session_pair_take_response(struct session_pair *pair,
                                                     int64_t now_us,
                                                     uint64_t request_counter,
                                                     const struct sealed_frame *frame,
                                                     const char *expected);

#endif
