/*
 * A server whose tcp endpoint has keys, and clients of it
 *
 * It knows alice and bob, who may call everything, and no stranger.
 */

#ifndef TESTS_INTEGRATION_RUNTIME_KEYED_H
#define TESTS_INTEGRATION_RUNTIME_KEYED_H

#include "tests/integration/runtime/sealed_peer.h"

struct keyed {
        struct fixture fixture;
        struct pipit_noise_keys server;
        struct pipit_noise_keys alice;
        struct pipit_noise_keys bob;
        struct pipit_noise_keys stranger;
        char directory[64]; /* of its files */
        char key_path[96];
        char authorized_keys_path[96];
};

void keyed_start(struct keyed *keyed, const struct pipit_server_options *options);

/* All sessions of its clients have been given back. */
void keyed_stop(struct keyed *keyed);

/* Has it read authorized_keys again: from here on it knows bob alone. */
void keyed_revoke_alice(struct keyed *keyed);

/* The same: and alice again. */
void keyed_list_alice(struct keyed *keyed);

/* Waits until the @index-th parked call is cancelled. */
void keyed_wait_cancelled(struct keyed *keyed, size_t index);

/* A pipe, and a session of @keys on it. */
struct pipit_session *keyed_connect(struct keyed *keyed,
                                    struct sealed_peer *peer,
                                    const struct pipit_noise_keys *keys);
void keyed_leave(struct sealed_peer *peer, struct pipit_session *session);

/* The next answer, whatever its request. */
struct sealed_frame keyed_receive(struct sealed_peer *peer);

/* Waits until the server has so many sessions. */
void keyed_wait_sessions(struct keyed *keyed, size_t n_sessions);

#endif
