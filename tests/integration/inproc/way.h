/*
 * Three ways to the same server: by its socket, by nng's inproc, and straight
 *
 * The server is that of tests/integration/runtime. A program runs its tests over
 * the way that its argument names, so that one text says what holds for both.
 */

#ifndef TESTS_INTEGRATION_INPROC_WAY_H
#define TESTS_INTEGRATION_INPROC_WAY_H

#include <pipit/client.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "tests/integration/runtime/fixture.h"

enum way {
        WAY_IPC,
        WAY_INPROC, /* the one that nng's REQ still goes */
        WAY_INPROCESS,
};

extern enum way way;

/* Sets way; false: @name is none. */
bool way_choose(const char *name);

/* A channel to @server, which is to listen on @url but for WAY_INPROCESS. */
struct pipit_channel *way_open(struct pipit_server *server,
                               const char *url,
                               const struct pipit_channel_options *options);

/* A server and a channel to it; *state of a test. */
struct setting {
        struct fixture fixture;
        struct pipit_channel *channel;
};

int setting_new(void **state);
int setting_free(void **state);

/* The same with options, any of them NULL. */
struct setting *setting_make(const struct pipit_server_options *server,
                             const struct pipit_channel_options *channel);

#define way_test(name) cmocka_unit_test_setup_teardown(name, setting_new, setting_free)

/* --- calls ----------------------------------------------------------------- */

/* An asynchronous call that can be waited for. */
struct waited {
        struct pipit_call call;
        sem_t done;
        atomic_int n_done;
        pthread_t thread; /* that ran done() */
};

void waited_init(struct waited *waited);

/* Asserts that it comes, within some seconds, and came once. */
void waited_wait(struct waited *waited);
void waited_deinit(struct waited *waited);

void start_echo(struct pipit_channel *channel, struct waited *waited, const char *text);
void start_sleep(struct pipit_channel *channel, struct waited *waited);
enum pipit_status call_echo(struct pipit_channel *channel,
                            struct pipit_call *call,
                            const char *text);
enum pipit_status call_sleep(struct pipit_channel *channel, struct pipit_call *call);

void assert_error(const struct pipit_call *call,
                  enum pipit_status status,
                  enum pipit_ran ran,
                  enum pipit_origin origin,
                  const char *reason);

/* Runs @run(@context) in a thread. */
pthread_t thread_run(void *(*run)(void *), void *context);
void *thread_join(pthread_t thread);

#endif
