/* Each fault, on a real server behind a real client. */

#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <pipit/client.h>
#include <pipit/inprocess.h>
#include <pipit/server.h>
#include <pipit/test_faults.h>

#include "core/base/macros.h"
#include "echo/v1/echo.pipit.h"

#define ECHO    "echo.v1.EchoService/Echo"
#define FAIL    "echo.v1.EchoService/Fail"
#define WAIT_MS 20000

/* A server, the relay before it and a channel through that. */
struct stage {
        char directory[64];
        char url[96];
        struct pipit_server *server;
        struct pipit_test_faults *faults;
        struct pipit_channel *channel;
        atomic_int n_ran;
};

static void handle_echo(void *self,
                        struct pipit_server_call *call,
                        const Echo__V1__EchoRequest *request)
{
        Echo__V1__EchoResponse response = ECHO__V1__ECHO_RESPONSE__INIT;
        struct stage *stage = self;

        atomic_fetch_add(&stage->n_ran, 1);
        response.text = request->text;
        echo_v1_echo_reply(call, &response);
}

static void handle_fail(void *self,
                        struct pipit_server_call *call,
                        const Echo__V1__FailRequest *request)
{
        struct pipit_error error = {
                .status = (enum pipit_status)request->code,
                .ran = PIPIT_RAN,
        };

        (void)self;
        pipit_server_call_fail(call, &error);
}

static const struct echo_v1_echo_service handlers = {.echo = handle_echo, .fail = handle_fail};

static enum pipit_status echo(struct stage *stage, struct pipit_call *call, char *text)
{
        const Echo__V1__EchoResponse *response = NULL;
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;
        enum pipit_status status;

        request.text = text;
        status = echo_v1_echo(stage->channel, call, &request, &response);
        if (status == PIPIT_OK && strcmp(response->text, text) != 0)
                return PIPIT_DATA_LOSS;

        return status;
}

/* Connected, and the server known: what a test does after meets no dial. */
static void warm_up(struct stage *stage)
{
        struct pipit_call call = {.wait_for_ready = true, .timeout_ms = WAIT_MS};
        char text[] = "warm";

        assert_int_equal(echo(stage, &call, text), PIPIT_OK);
        pipit_call_deinit(&call);
        atomic_store(&stage->n_ran, 0);
}

static void start_server(struct stage *stage, const char *url)
{
        const struct pipit_server_options options = {.insecure_plaintext = true};

        stage->server = pipit_server_new(&options, NULL);
        assert_non_null(stage->server);
        assert_int_equal(echo_v1_echo_service_register(stage->server, &handlers, stage), PIPIT_OK);
        assert_int_equal(pipit_server_listen(stage->server, url, NULL), PIPIT_OK);
        assert_int_equal(pipit_server_start(stage->server, NULL), PIPIT_OK);
}

static void stage_start(struct stage *stage, const char *url)
{
        start_server(stage, url);
        stage->faults = pipit_test_faults_new(pipit_server_url(stage->server, 0), NULL);
        assert_non_null(stage->faults);
        stage->channel = pipit_channel_new(pipit_test_faults_url(stage->faults), NULL, NULL);
        assert_non_null(stage->channel);
        warm_up(stage);
}

static int set_up(void **state)
{
        struct stage *stage = calloc(1, sizeof(*stage));
        const char *tmp = getenv("TMPDIR");

        *state = stage;
        snprintf(stage->directory,
                 sizeof(stage->directory),
                 "%s/pipit-XXXXXX",
                 tmp && strlen(tmp) < 40 ? tmp : "/tmp");
        if (!mkdtemp(stage->directory))
                return -1;
        snprintf(stage->url, sizeof(stage->url), "ipc://%s/s", stage->directory);
        stage_start(stage, stage->url);

        return 0;
}

/* Without a socket in between. */
static int set_up_inprocess(void **state)
{
        struct stage *stage = calloc(1, sizeof(*stage));

        *state = stage;
        stage->server = pipit_server_new(NULL, NULL);
        assert_non_null(stage->server);
        assert_int_equal(echo_v1_echo_service_register(stage->server, &handlers, stage), PIPIT_OK);
        assert_int_equal(pipit_server_start(stage->server, NULL), PIPIT_OK);
        stage->faults =
                pipit_test_faults_new_inprocess(pipit_server_inprocess(stage->server), NULL);
        assert_non_null(stage->faults);
        assert_string_equal(pipit_test_faults_url(stage->faults), "");
        stage->channel =
                pipit_channel_new_inprocess(pipit_test_faults_inprocess(stage->faults), NULL, NULL);
        assert_non_null(stage->channel);
        warm_up(stage);

        return 0;
}

static int tear_down(void **state)
{
        struct stage *stage = *state;

        pipit_channel_free(stage->channel);
        pipit_test_faults_free(stage->faults);
        pipit_server_free(stage->server);
        if (!stage->directory[0]) {
                free(stage);
                return 0;
        }
        unlink(stage->url + strlen("ipc://"));
        rmdir(stage->directory);
        free(stage);

        return 0;
}

static void add(struct stage *stage, const struct pipit_test_fault *fault)
{
        assert_int_equal(pipit_test_faults_add(stage->faults, fault), PIPIT_OK);
}

/* --- calls that are waited for --- */

struct waited {
        struct pipit_call call;
        sem_t done;
};

static void waited_done(struct pipit_call *call)
{
        sem_post(&pipit_container_of(call, struct waited, call)->done);
}

static void waited_start(struct waited *waited, struct stage *stage, char *text)
{
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;

        memset(waited, 0, sizeof(*waited));
        sem_init(&waited->done, 0, 0);
        waited->call.done = waited_done;
        waited->call.timeout_ms = WAIT_MS;
        request.text = text;
        echo_v1_echo_start(stage->channel, &waited->call, &request);
}

static bool waited_is_done(struct waited *waited)
{
        return sem_trywait(&waited->done) == 0;
}

static enum pipit_status waited_wait(struct waited *waited)
{
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += WAIT_MS / 1000;
        if (sem_timedwait(&waited->done, &until) != 0)
                return PIPIT_INTERNAL;

        return pipit_call_error(&waited->call)->status;
}

static void waited_deinit(struct waited *waited)
{
        pipit_call_deinit(&waited->call);
        sem_destroy(&waited->done);
}

/* --- failing --- */

static void without_faults_calls_pass(void **state)
{
        struct stage *stage = *state;
        struct pipit_call call = {0};
        char text[] = "hello";

        for (int i = 0; i < 50; i++)
                assert_int_equal(echo(stage, &call, text), PIPIT_OK);
        assert_int_equal(atomic_load(&stage->n_ran), 50);
        pipit_call_deinit(&call);
}

static void a_call_fails_before_the_server_with_all_that_was_said(void **state)
{
        struct stage *stage = *state;
        const struct pipit_test_fault fault = {
                .kind = PIPIT_TEST_FAIL_BEFORE,
                .error =
                        {
                                .status = PIPIT_RESOURCE_EXHAUSTED,
                                .ran = PIPIT_NOT_RUN,
                                .reason = "DISK_FULL",
                                .domain = "disks.v1",
                                .message = "no room",
                                .retry_after_ms = 1234,
                        },
        };
        struct pipit_call call = {0};
        const struct pipit_error *error;
        char text[] = "x";

        add(stage, &fault);
        assert_int_equal(echo(stage, &call, text), PIPIT_RESOURCE_EXHAUSTED);
        error = pipit_call_error(&call);
        assert_int_equal(error->ran, PIPIT_NOT_RUN);
        assert_int_equal(error->origin, PIPIT_ORIGIN_SERVER);
        assert_string_equal(error->reason, "DISK_FULL");
        assert_string_equal(error->domain, "disks.v1");
        assert_string_equal(error->message, "no room");
        assert_int_equal(error->retry_after_ms, 1234);
        assert_int_equal(atomic_load(&stage->n_ran), 0);
        pipit_call_deinit(&call);
}

static void a_call_fails_after_the_server_ran_it(void **state)
{
        struct stage *stage = *state;
        const struct pipit_test_fault fault = {
                .kind = PIPIT_TEST_FAIL_AFTER,
                .error = {.status = PIPIT_INTERNAL, .ran = PIPIT_MAY_HAVE_RUN},
        };
        struct pipit_call call = {0};
        char text[] = "x";

        add(stage, &fault);
        assert_int_equal(echo(stage, &call, text), PIPIT_INTERNAL);
        assert_int_equal(pipit_call_error(&call)->ran, PIPIT_MAY_HAVE_RUN);
        assert_null(pipit_call_error(&call)->reason);
        assert_int_equal(atomic_load(&stage->n_ran), 1);
        pipit_call_deinit(&call);
}

static void only_the_nth_call_of_a_method_is_befallen(void **state)
{
        struct stage *stage = *state;
        const struct pipit_test_fault third = {
                .kind = PIPIT_TEST_FAIL_BEFORE,
                .method = ECHO,
                .first = 3,
                .count = 1,
                .error = {.status = PIPIT_UNAVAILABLE},
        };
        Echo__V1__FailRequest request = ECHO__V1__FAIL_REQUEST__INIT;
        struct pipit_call call = {0};
        char text[] = "x";

        add(stage, &third);
        request.code = PIPIT_NOT_FOUND;
        for (int i = 1; i <= 5; i++) {
                assert_int_equal(echo_v1_fail(stage->channel, &call, &request, NULL),
                                 PIPIT_NOT_FOUND);
                assert_int_equal(echo(stage, &call, text), i == 3 ? PIPIT_UNAVAILABLE : PIPIT_OK);
        }
        assert_true(pipit_test_faults_wait_befallen(stage->faults, 1, 0));
        assert_false(pipit_test_faults_wait_befallen(stage->faults, 2, 0));
        pipit_call_deinit(&call);
}

static void the_fault_added_first_has_the_call_and_clear_forgets_all(void **state)
{
        struct stage *stage = *state;
        const struct pipit_test_fault first = {
                .kind = PIPIT_TEST_FAIL_BEFORE,
                .count = 2,
                .error = {.status = PIPIT_ABORTED},
        };
        const struct pipit_test_fault second = {
                .kind = PIPIT_TEST_FAIL_BEFORE,
                .error = {.status = PIPIT_DATA_LOSS},
        };
        struct pipit_call call = {0};
        char text[] = "x";

        add(stage, &first);
        add(stage, &second);
        assert_int_equal(echo(stage, &call, text), PIPIT_ABORTED);
        assert_int_equal(echo(stage, &call, text), PIPIT_ABORTED);
        assert_int_equal(echo(stage, &call, text), PIPIT_DATA_LOSS);
        pipit_test_faults_clear(stage->faults);
        assert_int_equal(echo(stage, &call, text), PIPIT_OK);
        pipit_call_deinit(&call);
}

static void calls_beside_a_befallen_one_succeed(void **state)
{
        enum { N_CALLS = 100 };
        struct stage *stage = *state;
        const struct pipit_test_fault fault = {
                .kind = PIPIT_TEST_FAIL_BEFORE,
                .first = 40,
                .count = 20,
                .error = {.status = PIPIT_ABORTED},
        };
        struct waited calls[N_CALLS];
        int n_ok = 0, n_aborted = 0;
        char text[] = "x";

        add(stage, &fault);
        for (size_t i = 0; i < N_CALLS; i++)
                waited_start(&calls[i], stage, text);
        for (size_t i = 0; i < N_CALLS; i++) {
                enum pipit_status status = waited_wait(&calls[i]);

                n_ok += status == PIPIT_OK;
                n_aborted += status == PIPIT_ABORTED;
                waited_deinit(&calls[i]);
        }
        assert_int_equal(n_ok, N_CALLS - 20);
        assert_int_equal(n_aborted, 20);
        assert_int_equal(atomic_load(&stage->n_ran), N_CALLS - 20);
}

/* --- losing --- */

static void a_lost_request_ends_at_the_deadline_and_never_ran(void **state)
{
        struct stage *stage = *state;
        const struct pipit_test_fault fault = {.kind = PIPIT_TEST_LOSE_REQUEST, .count = 1};
        struct pipit_call call = {.timeout_ms = 50};
        char text[] = "x";

        add(stage, &fault);
        assert_int_equal(echo(stage, &call, text), PIPIT_DEADLINE_EXCEEDED);
        assert_int_equal(pipit_call_error(&call)->ran, PIPIT_MAY_HAVE_RUN);
        assert_int_equal(atomic_load(&stage->n_ran), 0);
        call.timeout_ms = WAIT_MS;
        assert_int_equal(echo(stage, &call, text), PIPIT_OK);
        pipit_call_deinit(&call);
}

static void a_lost_reply_ends_when_it_is_cancelled_and_ran(void **state)
{
        struct stage *stage = *state;
        const struct pipit_test_fault fault = {.kind = PIPIT_TEST_LOSE_REPLY, .count = 1};
        struct waited lost, next;
        char text[] = "x";

        add(stage, &fault);
        waited_start(&lost, stage, text);
        assert_true(pipit_test_faults_wait_befallen(stage->faults, 1, WAIT_MS));
        waited_start(&next, stage, text);
        assert_int_equal(waited_wait(&next), PIPIT_OK);
        assert_false(waited_is_done(&lost));
        pipit_call_cancel(&lost.call);
        assert_int_equal(waited_wait(&lost), PIPIT_CANCELLED);
        assert_int_equal(pipit_call_error(&lost.call)->ran, PIPIT_MAY_HAVE_RUN);
        assert_int_equal(atomic_load(&stage->n_ran), 2);
        waited_deinit(&lost);
        waited_deinit(&next);
}

/* --- holding --- */

static void a_held_reply_waits_for_its_release_and_holds_up_no_other(void **state)
{
        struct stage *stage = *state;
        const struct pipit_test_fault fault = {.kind = PIPIT_TEST_HOLD_REPLY, .count = 1};
        struct pipit_call call = {0};
        struct waited held;
        char text[] = "held", other[] = "other";

        add(stage, &fault);
        waited_start(&held, stage, text);
        assert_true(pipit_test_faults_wait_held(stage->faults, 1, WAIT_MS));
        assert_int_equal(atomic_load(&stage->n_ran), 1);
        for (int i = 0; i < 20; i++)
                assert_int_equal(echo(stage, &call, other), PIPIT_OK);
        assert_false(waited_is_done(&held));
        assert_int_equal(pipit_test_faults_release(stage->faults, 0), 1);
        assert_int_equal(waited_wait(&held), PIPIT_OK);
        assert_string_equal(echo_v1_echo_response(&held.call)->text, "held");
        assert_int_equal(pipit_test_faults_release(stage->faults, 0), 0);
        waited_deinit(&held);
        pipit_call_deinit(&call);
}

static void held_replies_are_released_oldest_first(void **state)
{
        enum { N_CALLS = 3 };
        struct stage *stage = *state;
        const struct pipit_test_fault fault = {.kind = PIPIT_TEST_HOLD_REPLY};
        struct waited calls[N_CALLS];
        char text[] = "x";

        add(stage, &fault);
        for (size_t i = 0; i < N_CALLS; i++) {
                waited_start(&calls[i], stage, text);
                assert_true(pipit_test_faults_wait_held(stage->faults, i + 1, WAIT_MS));
        }
        for (size_t i = 0; i < N_CALLS; i++) {
                assert_int_equal(pipit_test_faults_release(stage->faults, 1), 1);
                assert_int_equal(waited_wait(&calls[i]), PIPIT_OK);
                for (size_t later = i + 1; later < N_CALLS; later++)
                        assert_false(waited_is_done(&calls[later]));
        }
        for (size_t i = 0; i < N_CALLS; i++)
                waited_deinit(&calls[i]);
}

static void a_clock_releases_a_reply_when_it_has_come_so_far(void **state)
{
        struct stage *stage = *state;
        struct pipit_test_clock clock;
        struct pipit_test_fault fault = {
                .kind = PIPIT_TEST_HOLD_REPLY,
                .count = 1,
                .clock = &clock,
                .delay_us = 3600000000,
        };
        struct pipit_call call = {0};
        struct waited held;
        char text[] = "x";

        pipit_test_clock_init(&clock, 0);
        add(stage, &fault);
        waited_start(&held, stage, text);
        assert_true(pipit_test_faults_wait_held(stage->faults, 1, WAIT_MS));
        pipit_test_clock_advance(&clock, 3599999999);
        assert_int_equal(echo(stage, &call, text), PIPIT_OK);
        assert_false(waited_is_done(&held));
        pipit_test_clock_advance(&clock, 1);
        assert_int_equal(waited_wait(&held), PIPIT_OK);
        waited_deinit(&held);
        pipit_call_deinit(&call);
        stage->faults = pipit_test_faults_free(stage->faults);
        pipit_test_clock_deinit(&clock);
}

/* --- connections --- */

/*
 * A server that has not noticed the end of the old connection yet may answer on
 * it, for as long as it holds frames: such a call ends at its deadline.
 */
static bool is_of_a_broken_connection(enum pipit_status status)
{
        return status == PIPIT_UNAVAILABLE || status == PIPIT_DEADLINE_EXCEEDED;
}

static void assert_works_again(struct stage *stage)
{
        enum { N_TRIES = 40 };
        struct pipit_call call = {.timeout_ms = 1000, .wait_for_ready = true};
        enum pipit_status status = PIPIT_UNAVAILABLE;
        char text[] = "x";

        for (int i = 0; i < N_TRIES && is_of_a_broken_connection(status); i++)
                status = echo(stage, &call, text);
        assert_int_equal(status, PIPIT_OK);
        pipit_call_deinit(&call);
}

static void a_connection_breaks_before_the_server_sees_the_call(void **state)
{
        struct stage *stage = *state;
        const struct pipit_test_fault fault = {
                .kind = PIPIT_TEST_DISCONNECT_BEFORE,
        };
        struct pipit_call call = {.timeout_ms = 300};
        char text[] = "x";

        add(stage, &fault);
        assert_true(is_of_a_broken_connection(echo(stage, &call, text)));
        assert_true(pipit_test_faults_wait_befallen(stage->faults, 1, WAIT_MS));
        assert_int_equal(atomic_load(&stage->n_ran), 0);
        pipit_test_faults_clear(stage->faults);
        assert_works_again(stage);
        pipit_call_deinit(&call);
}

static void a_connection_breaks_with_the_reply_and_the_call_may_have_run(void **state)
{
        struct stage *stage = *state;
        const struct pipit_test_fault fault = {
                .kind = PIPIT_TEST_DISCONNECT_AFTER,
                .count = 1,
        };
        struct pipit_call call = {.timeout_ms = 3000};
        char text[] = "x";

        add(stage, &fault);
        assert_true(is_of_a_broken_connection(echo(stage, &call, text)));
        assert_int_equal(pipit_call_error(&call)->ran, PIPIT_MAY_HAVE_RUN);
        assert_int_equal(atomic_load(&stage->n_ran), 1);
        assert_works_again(stage);
        pipit_call_deinit(&call);
}

static void a_broken_connection_is_made_anew(void **state)
{
        struct stage *stage = *state;

        for (int i = 0; i < 3; i++) {
                pipit_test_faults_disconnect(stage->faults);
                assert_works_again(stage);
        }
}

static void while_it_is_down_nobody_can_be_reached(void **state)
{
        struct stage *stage = *state;
        struct pipit_call call = {.timeout_ms = WAIT_MS};
        char text[] = "x";

        pipit_test_faults_set_down(stage->faults, true);
        assert_int_equal(echo(stage, &call, text), PIPIT_UNAVAILABLE);
        assert_int_equal(echo(stage, &call, text), PIPIT_UNAVAILABLE);
        assert_int_equal(pipit_call_error(&call)->ran, PIPIT_NOT_RUN);
        assert_int_equal(atomic_load(&stage->n_ran), 0);
        pipit_test_faults_set_down(stage->faults, false);
        assert_works_again(stage);
        pipit_call_deinit(&call);
}

/* --- the relay itself --- */

static void a_server_on_tcp_can_be_the_target(void **state)
{
        const struct pipit_test_fault second = {
                .kind = PIPIT_TEST_FAIL_AFTER,
                .first = 2,
                .error = {.status = PIPIT_ABORTED},
        };
        struct stage stage = {0};
        struct pipit_call call = {0};
        char text[] = "x";

        (void)state;
        stage_start(&stage, "tcp://127.0.0.1:0");
        add(&stage, &second);
        assert_int_equal(echo(&stage, &call, text), PIPIT_OK);
        assert_int_equal(echo(&stage, &call, text), PIPIT_ABORTED);
        pipit_call_deinit(&call);
        pipit_channel_free(stage.channel);
        pipit_test_faults_free(stage.faults);
        pipit_server_free(stage.server);
}

static void large_messages_pass_whole(void **state)
{
        struct stage *stage = *state;
        const struct pipit_test_fault fault = {.kind = PIPIT_TEST_HOLD_REPLY, .count = 1};
        size_t n = 900000;
        char *text = malloc(n + 1);
        struct pipit_call call = {.timeout_ms = WAIT_MS};
        struct waited held;

        memset(text, 'x', n);
        text[n] = '\0';
        assert_int_equal(echo(stage, &call, text), PIPIT_OK);
        add(stage, &fault);
        waited_start(&held, stage, text);
        assert_true(pipit_test_faults_wait_held(stage->faults, 1, WAIT_MS));
        pipit_test_faults_release(stage->faults, 0);
        assert_int_equal(waited_wait(&held), PIPIT_OK);
        assert_int_equal(strlen(echo_v1_echo_response(&held.call)->text), n);
        waited_deinit(&held);
        pipit_call_deinit(&call);
        free(text);
}

static void a_target_that_is_not_understood_is_refused(void **state)
{
        const char *targets[] = {"", "inproc://x", "ipc://relative", "tcp://", "tcp://host", "x"};
        struct pipit_error error;

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(targets); i++) {
                error = (struct pipit_error){0};
                assert_null(pipit_test_faults_new(targets[i], &error));
                assert_int_equal(error.status, PIPIT_INVALID_ARGUMENT);
                assert_non_null(error.message);
        }
        assert_null(pipit_test_faults_free(NULL));
}

static void a_fault_that_fails_with_no_error_is_refused(void **state)
{
        struct stage *stage = *state;
        const struct pipit_test_fault fault = {.kind = PIPIT_TEST_FAIL_AFTER};
        struct pipit_call call = {0};
        char text[] = "x";

        assert_int_equal(pipit_test_faults_add(stage->faults, &fault), PIPIT_INVALID_ARGUMENT);
        assert_int_equal(echo(stage, &call, text), PIPIT_OK);
        pipit_call_deinit(&call);
}

static void nothing_is_left_behind(void **state)
{
        struct stage *stage = *state;
        char path[128];

        snprintf(path, sizeof(path), "%s", pipit_test_faults_url(stage->faults) + strlen("ipc://"));
        assert_int_equal(access(path, F_OK), 0);
        stage->faults = pipit_test_faults_free(stage->faults);
        assert_int_not_equal(access(path, F_OK), 0);
        *strrchr(path, '/') = '\0';
        assert_int_not_equal(access(path, F_OK), 0);
}

static void a_server_that_stops_is_gone_for_its_channels(void **state)
{
        struct stage *stage = *state;
        struct pipit_call call = {.timeout_ms = WAIT_MS};
        char text[] = "x";

        stage->server = pipit_server_free(stage->server);
        assert_int_equal(echo(stage, &call, text), PIPIT_UNAVAILABLE);
        pipit_call_deinit(&call);
}

static void a_relay_that_is_freed_is_gone_for_its_channels(void **state)
{
        struct stage *stage = *state;
        struct pipit_call call = {.timeout_ms = WAIT_MS};
        char text[] = "x";

        stage->faults = pipit_test_faults_free(stage->faults);
        assert_int_equal(echo(stage, &call, text), PIPIT_UNAVAILABLE);
        assert_int_equal(atomic_load(&stage->n_ran), 0);
        pipit_call_deinit(&call);
}

static void *call_many(void *context)
{
        struct stage *stage = context;
        struct pipit_call call = {.timeout_ms = WAIT_MS, .wait_for_ready = true};
        char text[] = "x";
        size_t n_ok = 0;

        for (int i = 0; i < 300; i++) {
                struct waited waited;

                waited_start(&waited, stage, text);
                n_ok += echo(stage, &call, text) == PIPIT_OK;
                if (i % 50 == 0)
                        pipit_test_faults_disconnect(stage->faults);
                pipit_call_cancel(&waited.call);
                (void)waited_wait(&waited);
                waited_deinit(&waited);
        }
        pipit_call_deinit(&call);

        return (void *)n_ok;
}

static void many_threads_call_while_connections_break(void **state)
{
        struct stage *stage = *state;
        pthread_t threads[4];
        void *n_ok;

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(threads); i++)
                assert_int_equal(pthread_create(&threads[i], NULL, call_many, stage), 0);
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(threads); i++) {
                assert_int_equal(pthread_join(threads[i], &n_ok), 0);
                assert_true((size_t)(uintptr_t)n_ok > 0);
        }
}

#define staged_test(name)                                                                          \
        cmocka_unit_test_setup_teardown(name, set_up, tear_down),                                  \
        {                                                                                          \
#name " in-process", name, set_up_inprocess, tear_down, NULL                       \
        }
#define socket_test(name)    cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define inprocess_test(name) cmocka_unit_test_setup_teardown(name, set_up_inprocess, tear_down)

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                staged_test(without_faults_calls_pass),
                staged_test(a_call_fails_before_the_server_with_all_that_was_said),
                staged_test(a_call_fails_after_the_server_ran_it),
                staged_test(only_the_nth_call_of_a_method_is_befallen),
                staged_test(the_fault_added_first_has_the_call_and_clear_forgets_all),
                staged_test(calls_beside_a_befallen_one_succeed),
                staged_test(a_lost_request_ends_at_the_deadline_and_never_ran),
                staged_test(a_lost_reply_ends_when_it_is_cancelled_and_ran),
                staged_test(a_held_reply_waits_for_its_release_and_holds_up_no_other),
                staged_test(held_replies_are_released_oldest_first),
                staged_test(a_clock_releases_a_reply_when_it_has_come_so_far),
                staged_test(a_connection_breaks_before_the_server_sees_the_call),
                staged_test(a_connection_breaks_with_the_reply_and_the_call_may_have_run),
                staged_test(a_broken_connection_is_made_anew),
                staged_test(while_it_is_down_nobody_can_be_reached),
                cmocka_unit_test(a_server_on_tcp_can_be_the_target),
                staged_test(large_messages_pass_whole),
                cmocka_unit_test(a_target_that_is_not_understood_is_refused),
                staged_test(a_fault_that_fails_with_no_error_is_refused),
                socket_test(nothing_is_left_behind),
                inprocess_test(a_server_that_stops_is_gone_for_its_channels),
                staged_test(a_relay_that_is_freed_is_gone_for_its_channels),
                staged_test(many_threads_call_while_connections_break),
        };

        if (argc > 1)
                cmocka_set_test_filter(argv[1]);

        return cmocka_run_group_tests(tests, NULL, NULL);
}
