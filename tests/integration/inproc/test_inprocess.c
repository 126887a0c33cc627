/* What is particular to a channel without a socket: which thread does what, and who may go first. */

#include <pipit/inprocess.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/macros.h"
#include "tests/integration/inproc/way.h"

/* A server that listens nowhere, and does as the request's text says. */
struct home {
        struct pipit_server *server;
        struct pipit_channel *channel;

        /* of the last call */
        _Atomic pthread_t thread;
        _Atomic(const char *) text;
        sem_t inside;
        atomic_uint n_deepest;
        atomic_uint n_ran;
        atomic_uint n_ok;
};

static void reply(struct pipit_server_call *call, const char *text)
{
        Echo__V1__EchoResponse response = ECHO__V1__ECHO_RESPONSE__INIT;

        response.text = (char *)(uintptr_t)text;
        echo_v1_echo_reply(call, &response);
}

/* Calls the same method with one less, in the middle of its own call. */
static void nest(struct home *home, struct pipit_server_call *call, uint64_t n_left)
{
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;
        struct pipit_call inner = {.timeout_ms = 60000};
        const Echo__V1__EchoResponse *response;

        atomic_fetch_add(&home->n_deepest, 1);
        request.text = (char *)(uintptr_t)(n_left > 1 ? "nest" : "innermost");
        request.number = n_left - 1;
        if (echo_v1_echo(home->channel, &inner, &request, &response) == PIPIT_OK)
                reply(call, response->text);
        else
                pipit_server_call_fail(call, pipit_call_error(&inner));
        pipit_call_deinit(&inner);
}

static void handle_echo(void *self,
                        struct pipit_server_call *call,
                        const Echo__V1__EchoRequest *request)
{
        struct home *home = self;

        atomic_fetch_add(&home->n_ran, 1);
        home->thread = pthread_self();
        home->text = request->text;
        if (strcmp(request->text, "nest") == 0) {
                nest(home, call, request->number);
                return;
        }
        if (strcmp(request->text, "until nobody waits") == 0) {
                sem_post(&home->inside);
                while (!pipit_server_call_cancelled(call))
                        sched_yield();
        }
        if (strcmp(request->text, "scribble") == 0)
                memcpy(request->text, "SCRIBBLE", 8);
        reply(call, request->text);
}

/* Blocking: the text from a worker, through the server itself if it says so. */
static void handle_sleep(void *self,
                         struct pipit_server_call *call,
                         const Echo__V1__SleepRequest *request)
{
        struct home *home = self;

        home->thread = pthread_self();
        if (strcmp(request->text, "nest") == 0)
                nest(home, call, request->duration_ms);
        else
                reply(call, request->text);
}

static int home_new(void **state)
{
        static const struct echo_v1_echo_service handlers = {
                .echo = handle_echo,
                .sleep = handle_sleep,
                .blocks = {.sleep = true},
        };
        struct home *home = calloc(1, sizeof(*home));

        assert_non_null(home);
        sem_init(&home->inside, 0, 0);
        home->server = pipit_server_new(NULL, NULL);
        assert_non_null(home->server);
        assert_int_equal(echo_v1_echo_service_register(home->server, &handlers, home), PIPIT_OK);
        assert_int_equal(pipit_server_start(home->server, NULL), PIPIT_OK);
        home->channel =
                pipit_channel_new_inprocess(pipit_server_inprocess(home->server), NULL, NULL);
        assert_non_null(home->channel);
        *state = home;

        return 0;
}

static int home_free(void **state)
{
        struct home *home = *state;

        home->channel = pipit_channel_free(home->channel);
        home->server = pipit_server_free(home->server);
        sem_destroy(&home->inside);
        free(home);

        return 0;
}

/* The first call waits for the connection, and so for another thread. */
static void warm_up(struct home *home)
{
        struct pipit_call call = {0};

        assert_int_equal(call_echo(home->channel, &call, "warm"), PIPIT_OK);
        pipit_call_deinit(&call);
}

/* --- threads ------------------------------------------------------------- */

static void a_blocking_call_runs_the_handler_in_the_calling_thread(void **state)
{
        struct home *home = *state;
        struct pipit_call call = {0};

        warm_up(home);
        assert_int_equal(call_echo(home->channel, &call, "here"), PIPIT_OK);
        assert_true(pthread_equal(home->thread, pthread_self()));
        pipit_call_deinit(&call);
}

static void an_asynchronous_call_runs_the_handler_elsewhere(void **state)
{
        struct home *home = *state;
        struct waited waited;

        warm_up(home);
        waited_init(&waited);
        start_echo(home->channel, &waited, "there");
        waited_wait(&waited);
        assert_false(pthread_equal(home->thread, pthread_self()));
        waited_deinit(&waited);
}

static void a_handler_that_blocks_runs_on_a_worker(void **state)
{
        struct home *home = *state;
        struct pipit_call call = {0};
        Echo__V1__SleepRequest request = ECHO__V1__SLEEP_REQUEST__INIT;
        const Echo__V1__EchoResponse *response;

        warm_up(home);
        request.text = (char *)(uintptr_t) "worker";
        assert_int_equal(echo_v1_sleep(home->channel, &call, &request, &response), PIPIT_OK);
        assert_string_equal(response->text, "worker");
        assert_false(pthread_equal(home->thread, pthread_self()));
        pipit_call_deinit(&call);
}

/* --- memory -------------------------------------------------------------- */

static void neither_side_sees_the_others_memory(void **state)
{
        struct home *home = *state;
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;
        const Echo__V1__EchoResponse *response;
        struct pipit_call call = {0};
        char text[] = "scribble";

        warm_up(home);
        request.text = text;
        assert_int_equal(echo_v1_echo(home->channel, &call, &request, &response), PIPIT_OK);
        assert_string_equal(text, "scribble");
        assert_string_equal(response->text, "SCRIBBLE");
        assert_ptr_not_equal(home->text, text);
        assert_ptr_not_equal(home->text, response->text);
        pipit_call_deinit(&call);
}

static void a_string_that_is_not_utf8_does_not_pass(void **state)
{
        struct home *home = *state;
        struct pipit_call call = {0};

        warm_up(home);
        assert_int_equal(call_echo(home->channel, &call, "\xff"), PIPIT_INVALID_ARGUMENT);
        assert_error(&call,
                     PIPIT_INVALID_ARGUMENT,
                     PIPIT_NOT_RUN,
                     PIPIT_ORIGIN_LOCAL,
                     "REQUEST_MALFORMED");
        assert_int_equal(atomic_load(&home->n_ran), 1);
        pipit_call_deinit(&call);
}

/* --- handlers that call ---------------------------------------------------- */

static enum pipit_status call_nested(struct home *home, struct pipit_call *call, uint64_t depth)
{
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;
        const Echo__V1__EchoResponse *response;
        enum pipit_status status;

        request.text = (char *)(uintptr_t) "nest";
        request.number = depth;
        status = echo_v1_echo(home->channel, call, &request, &response);
        if (status == PIPIT_OK)
                assert_string_equal(response->text, "innermost");

        return status;
}

static void a_handler_may_call_its_own_server(void **state)
{
        struct home *home = *state;
        struct pipit_call call = {.timeout_ms = 60000};

        warm_up(home);
        for (unsigned depth = 1; depth <= 12; depth++) {
                pipit_call_reset(&call);
                atomic_store(&home->n_deepest, 0);
                assert_int_equal(call_nested(home, &call, depth), PIPIT_OK);
                assert_int_equal(atomic_load(&home->n_deepest), depth);
        }
        pipit_call_deinit(&call);
}

static void *call_nested_often(void *context)
{
        struct pipit_call call = {.timeout_ms = 60000};

        for (unsigned i = 0; i < 100; i++) {
                pipit_call_reset(&call);
                assert_int_equal(call_nested(context, &call, 1 + i % 3), PIPIT_OK);
        }
        pipit_call_deinit(&call);

        return NULL;
}

static void handlers_of_several_threads_may_call_their_own_server(void **state)
{
        enum { N_THREADS = 4 };
        struct home *home = *state;
        pthread_t threads[N_THREADS];

        for (size_t i = 0; i < N_THREADS; i++)
                threads[i] = thread_run(call_nested_often, home);
        for (size_t i = 0; i < N_THREADS; i++)
                (void)thread_join(threads[i]);
}

/* The runner runs the outer one; the inner needs its thread for nothing else. */
static void a_handler_of_an_asynchronous_call_may_call_its_own_server(void **state)
{
        struct home *home = *state;
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;
        struct waited waited[20];

        request.text = (char *)(uintptr_t) "nest";
        request.number = 2;
        for (size_t i = 0; i < 20; i++) {
                waited_init(&waited[i]);
                waited[i].call.timeout_ms = 60000;
                echo_v1_echo_start(home->channel, &waited[i].call, &request);
        }
        for (size_t i = 0; i < 20; i++) {
                waited_wait(&waited[i]);
                assert_int_equal(pipit_call_error(&waited[i].call)->status, PIPIT_OK);
                waited_deinit(&waited[i]);
        }
}

static void a_worker_may_call_its_own_server(void **state)
{
        struct home *home = *state;
        Echo__V1__SleepRequest request = ECHO__V1__SLEEP_REQUEST__INIT;
        const Echo__V1__EchoResponse *response;
        struct pipit_call call = {.timeout_ms = 60000};

        request.text = (char *)(uintptr_t) "nest";
        request.duration_ms = 3;
        assert_int_equal(echo_v1_sleep(home->channel, &call, &request, &response), PIPIT_OK);
        assert_string_equal(response->text, "innermost");
        pipit_call_deinit(&call);
}

/* A store's burst, say, that is over only after the call. */
static void a_call_in_the_middle_of_a_burst_is_answered(void **state)
{
        struct home *home = *state;
        struct pipit_call call = {.timeout_ms = 60000};

        warm_up(home);
        pipit_server_cork();
        assert_int_equal(call_echo(home->channel, &call, "in a burst"), PIPIT_OK);
        pipit_server_uncork();
        pipit_call_deinit(&call);
}

/* --- ends ---------------------------------------------------------------- */

struct cancelling {
        struct home *home;
        struct pipit_call call;
};

static void *cancel_inside(void *context)
{
        struct cancelling *cancelling = context;

        while (sem_wait(&cancelling->home->inside) != 0)
                ;
        pipit_call_cancel(&cancelling->call);

        return NULL;
}

static void a_cancel_reaches_a_handler_in_the_callers_thread(void **state)
{
        struct home *home = *state;
        struct cancelling cancelling = {.home = home, .call.timeout_ms = 60000};
        pthread_t thread;

        assert_int_equal(call_echo(home->channel, &cancelling.call, "warm"), PIPIT_OK);
        pipit_call_reset(&cancelling.call);
        thread = thread_run(cancel_inside, &cancelling);
        assert_int_equal(call_echo(home->channel, &cancelling.call, "until nobody waits"),
                         PIPIT_CANCELLED);
        (void)thread_join(thread);
        pipit_call_deinit(&cancelling.call);
}

static void a_deadline_reaches_a_handler_in_the_callers_thread(void **state)
{
        struct home *home = *state;
        struct pipit_call call = {.timeout_ms = 60};

        warm_up(home);
        assert_int_equal(call_echo(home->channel, &call, "until nobody waits"),
                         PIPIT_DEADLINE_EXCEEDED);
        pipit_call_deinit(&call);
}

static void *free_the_channel_inside(void *context)
{
        struct home *home = context;

        while (sem_wait(&home->inside) != 0)
                ;
        home->channel = pipit_channel_free(home->channel);

        return NULL;
}

static void a_channel_is_freed_while_a_caller_runs_a_handler(void **state)
{
        struct home *home = *state;
        struct pipit_call call = {.timeout_ms = 60000};
        pthread_t thread;

        warm_up(home);
        thread = thread_run(free_the_channel_inside, home);
        assert_int_equal(call_echo(home->channel, &call, "until nobody waits"), PIPIT_CANCELLED);
        (void)thread_join(thread);
        pipit_call_deinit(&call);
}

static void *stop_inside(void *context)
{
        struct home *home = context;

        while (sem_wait(&home->inside) != 0)
                ;

        return (void *)(uintptr_t)pipit_server_stop(home->server);
}

/* It drains, and the deadline ends what it waits for. */
static void a_server_stops_while_a_caller_runs_a_handler(void **state)
{
        struct home *home = *state;
        struct pipit_call call = {.timeout_ms = 1000};
        pthread_t thread;

        warm_up(home);
        thread = thread_run(stop_inside, home);
        assert_int_equal(call_echo(home->channel, &call, "until nobody waits"),
                         PIPIT_DEADLINE_EXCEEDED);
        assert_null(thread_join(thread));
        pipit_call_deinit(&call);
}

static void *call_until_it_fails(void *context)
{
        struct home *home = context;
        struct pipit_call call = {0};
        enum pipit_status status;

        do {
                pipit_call_reset(&call);
                status = call_echo(home->channel, &call, "again");
                if (status == PIPIT_OK)
                        atomic_fetch_add(&home->n_ok, 1);
        } while (status == PIPIT_OK);
        pipit_call_deinit(&call);

        return (void *)(uintptr_t)status;
}

static void a_server_stops_under_load_without_a_lost_call(void **state)
{
        enum { N_THREADS = 6 };
        struct home *home = *state;
        pthread_t threads[N_THREADS];

        for (size_t i = 0; i < N_THREADS; i++)
                threads[i] = thread_run(call_until_it_fails, home);
        while (atomic_load(&home->n_ran) < 500)
                sched_yield();
        assert_int_equal(pipit_server_stop(home->server), 0);
        for (size_t i = 0; i < N_THREADS; i++)
                assert_int_equal((uintptr_t)thread_join(threads[i]), PIPIT_UNAVAILABLE);
        assert_int_equal(atomic_load(&home->n_ok), atomic_load(&home->n_ran));
}

static void a_channel_outlives_its_server(void **state)
{
        struct home *home = *state;
        struct pipit_call call = {0};

        warm_up(home);
        home->server = pipit_server_free(home->server);
        assert_int_equal(call_echo(home->channel, &call, "gone"), PIPIT_UNAVAILABLE);
        assert_error(
                &call, PIPIT_UNAVAILABLE, PIPIT_NOT_RUN, PIPIT_ORIGIN_TRANSPORT, "NOT_CONNECTED");
        assert_string_equal(pipit_call_error(&call)->message, "in-process: the server has stopped");
        pipit_call_deinit(&call);
}

static void a_channel_to_a_server_that_never_starts_can_be_freed(void **state)
{
        struct pipit_server *server = pipit_server_new(NULL, NULL);
        struct pipit_channel *channel;
        struct pipit_call call = {0};

        (void)state;
        assert_non_null(server);
        channel = pipit_channel_new_inprocess(pipit_server_inprocess(server), NULL, NULL);
        assert_non_null(channel);
        assert_int_equal(call_echo(channel, &call, "nobody"), PIPIT_UNAVAILABLE);
        assert_string_equal(pipit_call_error(&call)->message,
                            "in-process: the server has not started");
        assert_null(pipit_server_free(server));
        pipit_call_deinit(&call);
        assert_null(pipit_channel_free(channel));
}

#define home_test(name) cmocka_unit_test_setup_teardown(name, home_new, home_free)

int main(void)
{
        const struct CMUnitTest tests[] = {
                home_test(a_blocking_call_runs_the_handler_in_the_calling_thread),
                home_test(an_asynchronous_call_runs_the_handler_elsewhere),
                home_test(a_handler_that_blocks_runs_on_a_worker),
                home_test(neither_side_sees_the_others_memory),
                home_test(a_string_that_is_not_utf8_does_not_pass),
                home_test(a_handler_may_call_its_own_server),
                home_test(handlers_of_several_threads_may_call_their_own_server),
                home_test(a_handler_of_an_asynchronous_call_may_call_its_own_server),
                home_test(a_worker_may_call_its_own_server),
                home_test(a_call_in_the_middle_of_a_burst_is_answered),
                home_test(a_cancel_reaches_a_handler_in_the_callers_thread),
                home_test(a_deadline_reaches_a_handler_in_the_callers_thread),
                home_test(a_channel_is_freed_while_a_caller_runs_a_handler),
                home_test(a_server_stops_while_a_caller_runs_a_handler),
                home_test(a_server_stops_under_load_without_a_lost_call),
                home_test(a_channel_outlives_its_server),
                cmocka_unit_test(a_channel_to_a_server_that_never_starts_can_be_freed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
