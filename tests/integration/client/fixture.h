/*
 * What the client's tests share: a place to listen, a method, calls that are
 * waited for
 */

#ifndef TESTS_INTEGRATION_CLIENT_FIXTURE_H
#define TESTS_INTEGRATION_CLIENT_FIXTURE_H

#include <pipit/client.h>
#include <pipit/queue.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "tests/integration/client/peer.h"

/* bytes -> bytes, and one with another response. */
extern const struct pipit_method test_echo;
extern const struct pipit_method test_other;

struct place {
        char directory[64];
        char url[96];
};

/* A fresh directory and an ipc URL in it; nobody listens yet. */
void place_init(struct place *place);
void place_deinit(struct place *place);

/* An asynchronous call that can be waited for. */
struct waited_call {
        struct pipit_call call;
        sem_t done;
        atomic_int n_done;
};

void waited_init(struct waited_call *waited);
void waited_deinit(struct waited_call *waited);
void waited_start(struct waited_call *waited, struct pipit_channel *channel, const char *text);

/* False: not done after ten seconds. */
bool waited_wait(struct waited_call *waited);

/* The response's text equals @text. */
bool waited_is(const struct waited_call *waited, const char *text);

enum pipit_status blocking_echo(struct pipit_channel *channel,
                                struct pipit_call *call,
                                const char *text);

/* A channel that must come to be. */
struct pipit_channel *channel_to(const char *target);

/* Blocks until the server answers: the channel is connected after. */
void warm_up(struct pipit_channel *channel);

int64_t now_ms(void);

/* A peer, and a channel to it; *state of a test. */
struct setting {
        struct place place;
        struct peer *peer;
        struct pipit_channel *channel;
        struct pipit_queue *queue; /* of a test that has one; freed with the rest */
};

int set_up_echo(void **state);   /* PEER_ECHO */
int set_up_manual(void **state); /* PEER_MANUAL, connected */
int tear_down(void **state);

#define echo_test(name)   cmocka_unit_test_setup_teardown(name, set_up_echo, tear_down)
#define manual_test(name) cmocka_unit_test_setup_teardown(name, set_up_manual, tear_down)

#endif
