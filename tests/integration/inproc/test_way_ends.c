/* How calls end that nobody answers in time, whichever way they went. */

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/integration/inproc/way.h"

/* --- deadlines ----------------------------------------------------------- */

static void wait_cancelled(struct fixture *fixture, size_t index)
{
        const struct pipit_server_call *call = fixture_parked(fixture, index);

        while (!pipit_server_call_cancelled(call))
                sched_yield();
}

static void a_call_that_is_not_answered_ends_at_its_deadline(void **state)
{
        struct setting *setting = *state;
        struct pipit_call call = {0};

        /* Connected, so that the call leaves at once. */
        assert_int_equal(call_echo(setting->channel, &call, "warm"), PIPIT_OK);
        pipit_call_reset(&call);
        call.timeout_ms = 500;
        assert_int_equal(call_sleep(setting->channel, &call), PIPIT_DEADLINE_EXCEEDED);
        assert_int_equal(pipit_call_error(&call)->ran, PIPIT_MAY_HAVE_RUN);
        fixture_wait_parked(&setting->fixture, 1);
        wait_cancelled(&setting->fixture, 0);
        pipit_call_deinit(&call);
}

static void a_late_answer_reaches_nobody(void **state)
{
        struct setting *setting = *state;
        struct pipit_call call = {0};
        struct waited waited;

        assert_int_equal(call_echo(setting->channel, &call, "warm"), PIPIT_OK);
        pipit_call_reset(&call);
        waited_init(&waited);
        waited.call.timeout_ms = 500;
        start_sleep(setting->channel, &waited);
        waited_wait(&waited);
        assert_int_equal(pipit_call_error(&waited.call)->status, PIPIT_DEADLINE_EXCEEDED);
        fixture_wait_parked(&setting->fixture, 1);
        fixture_answer(&setting->fixture, 0);
        assert_int_equal(call_echo(setting->channel, &call, "after"), PIPIT_OK);
        waited_deinit(&waited);
        pipit_call_deinit(&call);
}

/* --- cancels ------------------------------------------------------------- */

static void a_cancel_ends_the_call_and_the_handler_sees_it(void **state)
{
        struct setting *setting = *state;
        struct waited waited;

        waited_init(&waited);
        start_sleep(setting->channel, &waited);
        fixture_wait_parked(&setting->fixture, 1);
        pipit_call_cancel(&waited.call);
        waited_wait(&waited);
        assert_error(
                &waited.call, PIPIT_CANCELLED, PIPIT_MAY_HAVE_RUN, PIPIT_ORIGIN_LOCAL, "CANCELLED");
        wait_cancelled(&setting->fixture, 0);
        waited_deinit(&waited);
}

struct cancelling {
        struct fixture *fixture;
        struct pipit_call call;
};

static void *cancel_when_parked(void *context)
{
        struct cancelling *cancelling = context;

        fixture_wait_parked(cancelling->fixture, 1);
        pipit_call_cancel(&cancelling->call);

        return NULL;
}

static void a_blocking_call_is_cancelled_from_another_thread(void **state)
{
        struct setting *setting = *state;
        struct cancelling cancelling = {.fixture = &setting->fixture};
        pthread_t thread;

        /* So that cancel finds a call that has been used. */
        assert_int_equal(call_echo(setting->channel, &cancelling.call, "first"), PIPIT_OK);
        pipit_call_reset(&cancelling.call);
        thread = thread_run(cancel_when_parked, &cancelling);
        assert_int_equal(call_sleep(setting->channel, &cancelling.call), PIPIT_CANCELLED);
        (void)thread_join(thread);
        pipit_call_deinit(&cancelling.call);
}

/* Until one was in time, too: on a busy machine 500 have all been too late. */
static void cancels_at_every_moment_end_every_call_once(void **state)
{
        struct setting *setting = *state;
        unsigned n_ok = 0, n = 0;

        while (n < 500 || (n_ok == n && n < 50000)) {
                struct waited waited;
                enum pipit_status status;

                waited_init(&waited);
                start_echo(setting->channel, &waited, "race");
                for (unsigned k = 0; k < n % 50; k++)
                        sched_yield();
                pipit_call_cancel(&waited.call);
                waited_wait(&waited);
                status = pipit_call_error(&waited.call)->status;
                assert_true(status == PIPIT_OK || status == PIPIT_CANCELLED);
                n_ok += status == PIPIT_OK;
                n++;
                waited_deinit(&waited);
        }
        assert_true(n_ok < n);
}

/* --- the channel's end ----------------------------------------------------- */

static void freeing_the_channel_cancels_what_is_under_way(void **state)
{
        struct setting *setting = *state;
        struct waited waited[8];

        for (size_t i = 0; i < 8; i++) {
                waited_init(&waited[i]);
                start_sleep(setting->channel, &waited[i]);
        }
        fixture_wait_parked(&setting->fixture, 8);
        setting->channel = pipit_channel_free(setting->channel);
        for (size_t i = 0; i < 8; i++) {
                assert_error(&waited[i].call,
                             PIPIT_CANCELLED,
                             PIPIT_MAY_HAVE_RUN,
                             PIPIT_ORIGIN_LOCAL,
                             "CHANNEL_CLOSED");
                waited_deinit(&waited[i]);
        }
}

static void *call_until_closed(void *context)
{
        struct pipit_channel *channel = context;
        struct pipit_call call = {0};

        (void)call_sleep(channel, &call);
        assert_int_equal(pipit_call_error(&call)->status, PIPIT_CANCELLED);
        pipit_call_deinit(&call);

        return NULL;
}

static void freeing_the_channel_ends_blocking_calls_of_other_threads(void **state)
{
        enum { N_THREADS = 4 };
        struct setting *setting = *state;
        pthread_t threads[N_THREADS];

        for (size_t i = 0; i < N_THREADS; i++)
                threads[i] = thread_run(call_until_closed, setting->channel);
        fixture_wait_parked(&setting->fixture, N_THREADS);
        setting->channel = pipit_channel_free(setting->channel);
        for (size_t i = 0; i < N_THREADS; i++)
                (void)thread_join(threads[i]);
}

/* --- the server's end ------------------------------------------------------ */

static void *stop_server(void *context)
{
        return (void *)(uintptr_t)pipit_server_stop(context);
}

/* Until the server says that it drains. */
static void wait_draining(struct pipit_channel *channel)
{
        struct pipit_call call = {0};

        while (call_echo(channel, &call, "yet?") == PIPIT_OK)
                pipit_call_reset(&call);
        assert_error(&call, PIPIT_UNAVAILABLE, PIPIT_NOT_RUN, PIPIT_ORIGIN_SERVER, "DRAINING");
        pipit_call_deinit(&call);
}

static void a_stop_finishes_what_was_accepted_and_refuses_what_is_new(void **state)
{
        struct setting *setting = *state;
        struct waited waited;
        pthread_t thread;

        waited_init(&waited);
        start_sleep(setting->channel, &waited);
        fixture_wait_parked(&setting->fixture, 1);
        thread = thread_run(stop_server, setting->fixture.server);
        wait_draining(setting->channel);
        assert_int_equal(atomic_load(&waited.n_done), 0);
        fixture_answer(&setting->fixture, 0);
        waited_wait(&waited);
        assert_int_equal(pipit_call_error(&waited.call)->status, PIPIT_OK);
        assert_null(thread_join(thread));
        waited_deinit(&waited);
}

static void after_the_stop_calls_have_not_run(void **state)
{
        struct setting *setting = *state;
        struct pipit_call call = {0};

        assert_int_equal(call_echo(setting->channel, &call, "before"), PIPIT_OK);
        assert_int_equal(pipit_server_stop(setting->fixture.server), 0);
        pipit_call_reset(&call);
        assert_int_equal(call_echo(setting->channel, &call, "after"), PIPIT_UNAVAILABLE);
        assert_error(
                &call, PIPIT_UNAVAILABLE, PIPIT_NOT_RUN, PIPIT_ORIGIN_TRANSPORT, "NOT_CONNECTED");
        pipit_call_deinit(&call);
}

static void what_a_stop_did_not_wait_for_may_have_run(void **state)
{
        const struct pipit_server_options options = {.drain_ms = 50};
        struct setting *setting = setting_make(&options, NULL);
        struct waited waited;

        *state = setting;
        waited_init(&waited);
        start_sleep(setting->channel, &waited);
        fixture_wait_parked(&setting->fixture, 1);
        assert_int_equal(pipit_server_stop(setting->fixture.server), 1);
        assert_true(pipit_server_call_cancelled(fixture_parked(&setting->fixture, 0)));
        waited_wait(&waited);
        assert_error(&waited.call,
                     PIPIT_UNAVAILABLE,
                     PIPIT_MAY_HAVE_RUN,
                     PIPIT_ORIGIN_TRANSPORT,
                     "CONNECTION_LOST");
        waited_deinit(&waited);
}

/* --- the server's start ---------------------------------------------------- */

static void handle_echo(void *self,
                        struct pipit_server_call *call,
                        const Echo__V1__EchoRequest *request)
{
        Echo__V1__EchoResponse response = ECHO__V1__ECHO_RESPONSE__INIT;

        (void)self;
        response.text = request->text;
        echo_v1_echo_reply(call, &response);
}

static void a_call_may_wait_for_the_server_to_start(void **state)
{
        static const struct echo_v1_echo_service handlers = {.echo = handle_echo};
        struct pipit_server *server = pipit_server_new(NULL, NULL);
        char directory[] = "/tmp/pipit-XXXXXX";
        struct pipit_call impatient = {0};
        struct pipit_channel *channel;
        struct waited patient;
        char url[64];

        (void)state;
        assert_non_null(server);
        assert_non_null(mkdtemp(directory));
        (void)snprintf(url, sizeof(url), "ipc://%s/s", directory);
        assert_int_equal(echo_v1_echo_service_register(server, &handlers, NULL), PIPIT_OK);
        assert_int_equal(pipit_server_listen(server, url, NULL), PIPIT_OK);
        channel = way_open(server, url, NULL);

        assert_int_equal(call_echo(channel, &impatient, "now"), PIPIT_UNAVAILABLE);
        assert_error(&impatient,
                     PIPIT_UNAVAILABLE,
                     PIPIT_NOT_RUN,
                     PIPIT_ORIGIN_TRANSPORT,
                     "NOT_CONNECTED");
        waited_init(&patient);
        patient.call.wait_for_ready = true;
        patient.call.timeout_ms = 60000;
        start_echo(channel, &patient, "some time");
        assert_int_equal(pipit_server_start(server, NULL), PIPIT_OK);
        waited_wait(&patient);
        assert_int_equal(pipit_call_error(&patient.call)->status, PIPIT_OK);

        waited_deinit(&patient);
        pipit_call_deinit(&impatient);
        assert_null(pipit_channel_free(channel));
        assert_null(pipit_server_free(server));
        assert_int_equal(rmdir(directory), 0);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                way_test(a_call_that_is_not_answered_ends_at_its_deadline),
                way_test(a_late_answer_reaches_nobody),
                way_test(a_cancel_ends_the_call_and_the_handler_sees_it),
                way_test(a_blocking_call_is_cancelled_from_another_thread),
                way_test(cancels_at_every_moment_end_every_call_once),
                way_test(freeing_the_channel_cancels_what_is_under_way),
                way_test(freeing_the_channel_ends_blocking_calls_of_other_threads),
                way_test(a_stop_finishes_what_was_accepted_and_refuses_what_is_new),
                way_test(after_the_stop_calls_have_not_run),
                cmocka_unit_test_teardown(what_a_stop_did_not_wait_for_may_have_run, setting_free),
                cmocka_unit_test(a_call_may_wait_for_the_server_to_start),
        };

        if (argc != 2 || !way_choose(argv[1]))
                return EXIT_FAILURE;

        return cmocka_run_group_tests(tests, NULL, NULL);
}
