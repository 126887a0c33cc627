/* What a call brings, whichever way it goes. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/macros.h"
#include "tests/integration/inproc/way.h"

static void a_blocking_call_returns_the_response(void **state)
{
        struct setting *setting = *state;
        struct pipit_call call = {0};

        assert_int_equal(call_echo(setting->channel, &call, "hello"), PIPIT_OK);
        assert_int_equal(pipit_call_error(&call)->status, PIPIT_OK);
        assert_string_equal(pipit_call_peer(&call),
                            way != WAY_INPROCESS ? setting->fixture.url : "in-process");
        pipit_call_deinit(&call);
}

static void an_asynchronous_call_is_done_once_on_another_thread(void **state)
{
        struct setting *setting = *state;
        struct waited waited;

        waited_init(&waited);
        start_echo(setting->channel, &waited, "later");
        waited_wait(&waited);
        assert_string_equal(echo_v1_echo_response(&waited.call)->text, "later");
        assert_false(pthread_equal(waited.thread, pthread_self()));
        waited_deinit(&waited);
}

static void metadata_goes_both_ways_in_order(void **state)
{
        struct setting *setting = *state;
        struct pipit_call call = {0};
        const struct pipit_metadata *metadata;

        assert_int_equal(pipit_call_add_metadata(&call, "first", "\0one", 4), PIPIT_OK);
        assert_int_equal(pipit_call_add_metadata(&call, "second", "", 0), PIPIT_OK);
        assert_int_equal(call_echo(setting->channel, &call, "with"), PIPIT_OK);
        assert_int_equal(pipit_call_n_response_metadata(&call), 2);
        metadata = pipit_call_response_metadata(&call, 0);
        assert_string_equal(metadata->key, "first");
        assert_int_equal(metadata->n_value_bytes, 4);
        assert_memory_equal(metadata->value, "\0one", 4);
        assert_string_equal(pipit_call_response_metadata(&call, 1)->key, "second");
        pipit_call_deinit(&call);
}

static void a_failure_comes_as_the_handler_gave_it(void **state)
{
        struct setting *setting = *state;
        Echo__V1__FailRequest request = ECHO__V1__FAIL_REQUEST__INIT;
        struct pipit_call call = {0};

        fixture_open_gate(&setting->fixture);
        request.code = PIPIT_ABORTED;
        request.message = (char *)(uintptr_t) "as told";
        assert_int_equal(echo_v1_fail(setting->channel, &call, &request, NULL), PIPIT_ABORTED);
        assert_error(&call, PIPIT_ABORTED, PIPIT_RAN, PIPIT_ORIGIN_SERVER, "AS_ASKED");
        assert_string_equal(pipit_call_error(&call)->message, "as told");
        pipit_call_deinit(&call);
}

static void an_unknown_method_has_not_run(void **state)
{
        struct setting *setting = *state;
        struct pipit_method method = {
                .name = "echo.v1.EchoService/Nothing",
                .full_name = "nothing",
                .request = &echo__v1__echo_request__descriptor,
                .response = &echo__v1__echo_response__descriptor,
        };
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;
        struct pipit_call call = {0};

        assert_int_equal(pipit_channel_call(setting->channel, &call, &method, &request.base, NULL),
                         PIPIT_UNIMPLEMENTED);
        assert_error(
                &call, PIPIT_UNIMPLEMENTED, PIPIT_NOT_RUN, PIPIT_ORIGIN_SERVER, "METHOD_NOT_FOUND");
        pipit_call_deinit(&call);
}

static void a_request_that_is_no_message_of_its_type_is_malformed(void **state)
{
        struct setting *setting = *state;
        struct pipit_method method = {
                .name = ECHO,
                .full_name = "echo_v1_echo",
                .request = &echo__v1__fail_request__descriptor,
                .response = &echo__v1__echo_response__descriptor,
        };
        Echo__V1__FailRequest request = ECHO__V1__FAIL_REQUEST__INIT;
        struct pipit_call call = {0};

        request.code = 7; /* a number where Echo has its text */
        assert_int_equal(pipit_channel_call(setting->channel, &call, &method, &request.base, NULL),
                         PIPIT_INVALID_ARGUMENT);
        assert_error(
                &call, PIPIT_INVALID_ARGUMENT, PIPIT_NOT_RUN, PIPIT_ORIGIN_SERVER, "MALFORMED");
        assert_int_equal(fixture_n_ran(&setting->fixture), 0);
        pipit_call_deinit(&call);
}

static void a_response_that_is_no_message_of_its_type_is_malformed(void **state)
{
        struct setting *setting = *state;
        struct pipit_method method = {
                .name = ECHO,
                .full_name = "echo_v1_echo",
                .request = &echo__v1__echo_request__descriptor,
                .response = &echo__v1__fail_request__descriptor,
        };
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;
        struct pipit_call call = {0};

        request.text = (char *)(uintptr_t) "text";
        assert_int_equal(pipit_channel_call(setting->channel, &call, &method, &request.base, NULL),
                         PIPIT_INTERNAL);
        assert_error(
                &call, PIPIT_INTERNAL, PIPIT_RAN, PIPIT_ORIGIN_TRANSPORT, "RESPONSE_MALFORMED");
        pipit_call_deinit(&call);
}

static void the_handler_knows_who_calls(void **state)
{
        struct setting *setting = *state;
        char by_socket[32];
        struct waited waited;

        (void)snprintf(by_socket, sizeof(by_socket), "uid:%lu", (unsigned long)geteuid());
        waited_init(&waited);
        start_sleep(setting->channel, &waited);
        fixture_wait_parked(&setting->fixture, 1);
        assert_string_equal(pipit_server_call_principal(fixture_parked(&setting->fixture, 0)),
                            way == WAY_IPC ? by_socket : "inproc");
        fixture_answer(&setting->fixture, 0);
        waited_wait(&waited);
        waited_deinit(&waited);
}

static void *answer_the_first(void *context)
{
        struct fixture *fixture = context;

        fixture_wait_parked(fixture, 1);
        fixture_answer(fixture, 0);

        return NULL;
}

static void an_answer_from_another_thread_ends_a_blocking_call(void **state)
{
        struct setting *setting = *state;
        struct pipit_call call = {0};
        pthread_t thread = thread_run(answer_the_first, &setting->fixture);

        assert_int_equal(call_sleep(setting->channel, &call), PIPIT_OK);
        (void)thread_join(thread);
        pipit_call_deinit(&call);
}

static void a_handler_that_blocks_holds_up_no_other_call(void **state)
{
        struct setting *setting = *state;
        Echo__V1__FailRequest request = ECHO__V1__FAIL_REQUEST__INIT;
        struct pipit_call call = {0};
        struct waited stuck, quick;

        waited_init(&stuck);
        waited_init(&quick);
        request.code = PIPIT_NOT_FOUND;
        echo_v1_fail_start(setting->channel, &stuck.call, &request);
        fixture_wait_gate(&setting->fixture, 1);
        start_echo(setting->channel, &quick, "quick");
        waited_wait(&quick);
        assert_int_equal(call_echo(setting->channel, &call, "quick"), PIPIT_OK);
        assert_int_equal(atomic_load(&stuck.n_done), 0);
        fixture_open_gate(&setting->fixture);
        waited_wait(&stuck);
        assert_int_equal(pipit_call_error(&stuck.call)->status, PIPIT_NOT_FOUND);
        waited_deinit(&stuck);
        waited_deinit(&quick);
        pipit_call_deinit(&call);
}

/* --- done() -------------------------------------------------------------- */

struct chain {
        struct pipit_call call;
        struct pipit_channel *channel;
        sem_t over;
        unsigned n_left;
        enum pipit_status blocking;
};

static void chain_start(struct chain *chain)
{
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;

        request.text = (char *)(uintptr_t) "link";
        pipit_call_reset(&chain->call);
        echo_v1_echo_start(chain->channel, &chain->call, &request);
}

static void chain_done(struct pipit_call *call)
{
        struct chain *chain = pipit_container_of(call, struct chain, call);
        struct pipit_call blocking = {0};

        assert_int_equal(pipit_call_error(call)->status, PIPIT_OK);
        chain->blocking = call_echo(chain->channel, &blocking, "in done");
        assert_error(&blocking,
                     PIPIT_FAILED_PRECONDITION,
                     PIPIT_NOT_RUN,
                     PIPIT_ORIGIN_LOCAL,
                     "IN_CALLBACK");
        pipit_call_deinit(&blocking);
        if (chain->n_left-- > 0)
                chain_start(chain);
        else
                sem_post(&chain->over);
}

static void a_done_may_start_its_call_anew_but_not_block(void **state)
{
        struct setting *setting = *state;
        struct chain chain = {.channel = setting->channel, .n_left = 2000};

        sem_init(&chain.over, 0, 0);
        chain.call.done = chain_done;
        chain_start(&chain);
        while (sem_wait(&chain.over) != 0)
                ;
        assert_int_equal(chain.blocking, PIPIT_FAILED_PRECONDITION);
        pipit_call_deinit(&chain.call);
        sem_destroy(&chain.over);
}

struct locked {
        struct pipit_call call;
        pthread_mutex_t mutex;
        sem_t over;
};

static void locked_done(struct pipit_call *call)
{
        struct locked *locked = pipit_container_of(call, struct locked, call);

        pthread_mutex_lock(&locked->mutex);
        pthread_mutex_unlock(&locked->mutex);
        sem_post(&locked->over);
}

/* It would hang. */
static void a_lock_may_be_held_over_start_and_cancel_that_done_takes(void **state)
{
        struct setting *setting = *state;
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;
        struct locked locked = {.call.done = locked_done};

        pthread_mutex_init(&locked.mutex, NULL);
        sem_init(&locked.over, 0, 0);
        for (unsigned i = 0; i < 100; i++) {
                pthread_mutex_lock(&locked.mutex);
                pipit_call_reset(&locked.call);
                echo_v1_echo_start(setting->channel, &locked.call, &request);
                if (i % 2)
                        pipit_call_cancel(&locked.call);
                pthread_mutex_unlock(&locked.mutex);
                while (sem_wait(&locked.over) != 0)
                        ;
        }
        pipit_call_deinit(&locked.call);
        sem_destroy(&locked.over);
        pthread_mutex_destroy(&locked.mutex);
}

/* --- many ---------------------------------------------------------------- */

static void *call_many(void *context)
{
        struct pipit_channel *channel = context;
        struct pipit_call call = {0};

        for (unsigned i = 0; i < 300; i++) {
                char text[32];

                (void)snprintf(text, sizeof(text), "%u", i);
                pipit_call_reset(&call);
                assert_int_equal(call_echo(channel, &call, text), PIPIT_OK);
        }
        pipit_call_deinit(&call);

        return NULL;
}

static void many_threads_share_a_channel(void **state)
{
        enum { N_THREADS = 24, N_WAITED = 400 };
        struct setting *setting = *state;
        struct waited *waited = calloc(N_WAITED, sizeof(*waited));
        pthread_t threads[N_THREADS];

        assert_non_null(waited);
        for (size_t i = 0; i < N_THREADS; i++)
                threads[i] = thread_run(call_many, setting->channel);
        for (size_t i = 0; i < N_WAITED; i++) {
                waited_init(&waited[i]);
                start_echo(setting->channel, &waited[i], "among them");
        }
        for (size_t i = 0; i < N_THREADS; i++)
                (void)thread_join(threads[i]);
        for (size_t i = 0; i < N_WAITED; i++) {
                waited_wait(&waited[i]);
                assert_int_equal(pipit_call_error(&waited[i].call)->status, PIPIT_OK);
                waited_deinit(&waited[i]);
        }
        free(waited);
}

static void more_blocking_calls_than_lanes_wait_for_their_answers_at_once(void **state)
{
        enum { N_CALLS = 64 };
        struct setting *setting = *state;
        struct waited waited[N_CALLS];

        for (size_t i = 0; i < N_CALLS; i++) {
                waited_init(&waited[i]);
                waited[i].call.timeout_ms = 60000;
                start_sleep(setting->channel, &waited[i]);
        }
        fixture_wait_parked(&setting->fixture, N_CALLS);
        for (size_t i = N_CALLS; i > 0; i--)
                fixture_answer(&setting->fixture, i - 1);
        for (size_t i = 0; i < N_CALLS; i++) {
                waited_wait(&waited[i]);
                assert_int_equal(pipit_call_error(&waited[i].call)->status, PIPIT_OK);
                waited_deinit(&waited[i]);
        }
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                way_test(a_blocking_call_returns_the_response),
                way_test(an_asynchronous_call_is_done_once_on_another_thread),
                way_test(metadata_goes_both_ways_in_order),
                way_test(a_failure_comes_as_the_handler_gave_it),
                way_test(an_unknown_method_has_not_run),
                way_test(a_request_that_is_no_message_of_its_type_is_malformed),
                way_test(a_response_that_is_no_message_of_its_type_is_malformed),
                way_test(the_handler_knows_who_calls),
                way_test(an_answer_from_another_thread_ends_a_blocking_call),
                way_test(a_handler_that_blocks_holds_up_no_other_call),
                way_test(a_done_may_start_its_call_anew_but_not_block),
                way_test(a_lock_may_be_held_over_start_and_cancel_that_done_takes),
                way_test(many_threads_share_a_channel),
                way_test(more_blocking_calls_than_lanes_wait_for_their_answers_at_once),
        };

        if (argc != 2 || !way_choose(argv[1]))
                return EXIT_FAILURE;

        return cmocka_run_group_tests(tests, NULL, NULL);
}
