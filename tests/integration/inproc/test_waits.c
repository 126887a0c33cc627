/* Handlers of asynchronous calls that wait for their own server: nothing of theirs may be behind them in a queue. */

#include <pipit/inprocess.h>
#include <pipit/queue.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/macros.h"
#include "tests/integration/inproc/way.h"

/* Calls that are answered one after the other: more than the server has frames to answer them with. */
#define N_TURNS 5

struct turn {
        struct waited waited;
        sem_t *next;
};

/* A server that listens nowhere, and does as the request's text says. */
struct home {
        struct pipit_server *server;
        struct pipit_channel *channel;
        atomic_uint n_deepest;

        /* of the_reply_of_a_worker... */
        struct turn turns[N_TURNS];
        struct waited waiting;

        /* of a_cancel_reaches_a_handler... */
        struct waited endless;
        struct waited other;
        sem_t is_inside;
        sem_t is_left;
        bool was_in_time;
        enum pipit_status late_status;

        sem_t may_reply[N_TURNS + 1]; /* each turn, and then the inner call */
};

static void wait_for(sem_t *event)
{
        while (sem_wait(event) != 0)
                ;
}

static void reply(struct pipit_server_call *call, const char *text)
{
        Echo__V1__EchoResponse response = ECHO__V1__ECHO_RESPONSE__INIT;

        response.text = (char *)(uintptr_t)text;
        echo_v1_echo_reply(call, &response);
}

static void reply_as(struct pipit_server_call *call,
                     enum pipit_status status,
                     const struct pipit_call *inner)
{
        if (status == PIPIT_OK)
                reply(call, "after all");
        else
                pipit_server_call_fail(call, pipit_call_error(inner));
}

/* Calls itself with one less, in the middle of its own call. */
static void nest(struct home *home, struct pipit_server_call *call, uint64_t n_left)
{
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;
        struct pipit_call inner = {.timeout_ms = 60000};
        enum pipit_status status;

        atomic_fetch_add(&home->n_deepest, 1);
        request.text = (char *)(uintptr_t)(n_left > 1 ? "nest" : "innermost");
        request.number = n_left - 1;
        status = echo_v1_echo(home->channel, &inner, &request, NULL);
        reply_as(call, status, &inner);
        pipit_call_deinit(&inner);
}

static void call_worker(struct home *home, struct pipit_server_call *call)
{
        Echo__V1__SleepRequest request = ECHO__V1__SLEEP_REQUEST__INIT;
        struct pipit_call inner = {.timeout_ms = 20000};
        enum pipit_status status;

        request.text = (char *)(uintptr_t) "inner";
        request.duration_ms = N_TURNS;
        status = echo_v1_sleep(home->channel, &inner, &request, NULL);
        reply_as(call, status, &inner);
        pipit_call_deinit(&inner);
}

static void do_nothing(struct pipit_call *call)
{
        (void)call;
}

/* As one who has an event loop. */
static void call_by_queue(struct home *home, struct pipit_server_call *call)
{
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;
        struct pipit_queue *queue = pipit_queue_new(NULL);
        struct pipit_call inner = {.timeout_ms = 20000, .queue = queue, .done = do_nothing};

        assert_non_null(queue);
        request.text = (char *)(uintptr_t) "innermost";
        echo_v1_echo_start(home->channel, &inner, &request);
        assert_true(pipit_queue_wait(queue, -1));
        assert_int_equal(pipit_queue_run(queue, 0), 1);
        reply_as(call, pipit_call_error(&inner)->status, &inner);
        pipit_call_deinit(&inner);
        assert_null(pipit_queue_free(queue));
}

static void last_until_nobody_waits(struct home *home, struct pipit_server_call *call)
{
        sem_post(&home->is_inside);
        while (!pipit_server_call_cancelled(call))
                sched_yield();
        home->was_in_time = pipit_clock_now_us() < pipit_server_call_deadline_us(call);
        reply(call, "nobody waits");
        sem_post(&home->is_left);
}

/* Its own call is over, but the channel is in use yet: here. */
static void call_when_nobody_waits(struct home *home, struct pipit_server_call *call)
{
        struct pipit_call inner = {.timeout_ms = 20000};

        sem_post(&home->is_inside);
        while (!pipit_server_call_cancelled(call))
                sched_yield();
        waited_init(&home->other);
        start_echo(home->channel, &home->other, "late");
        home->late_status = call_echo(home->channel, &inner, "late");
        reply(call, "nobody waits");
        pipit_call_deinit(&inner);
}

static void handle_echo(void *self,
                        struct pipit_server_call *call,
                        const Echo__V1__EchoRequest *request)
{
        if (strcmp(request->text, "nest") == 0)
                nest(self, call, request->number);
        else if (strcmp(request->text, "wait for a worker") == 0)
                call_worker(self, call);
        else if (strcmp(request->text, "wait for a queue") == 0)
                call_by_queue(self, call);
        else if (strcmp(request->text, "until nobody waits") == 0)
                last_until_nobody_waits(self, call);
        else if (strcmp(request->text, "call when nobody waits") == 0)
                call_when_nobody_waits(self, call);
        else
                reply(call, request->text);
}

/* On a worker. Each turn's reply takes a frame of its own, for it waits until the one before is done. */
static void handle_sleep(void *self,
                         struct pipit_server_call *call,
                         const Echo__V1__SleepRequest *request)
{
        struct home *home = self;

        if (strcmp(request->text, "inner") == 0)
                sem_post(&home->may_reply[0]);
        wait_for(&home->may_reply[request->duration_ms]);
        reply(call, request->text);
}

static struct home *home_open(const struct pipit_channel_options *options)
{
        /* A client that is lost does not end a handler within its deadline either. */
        static const struct pipit_server_options server = {
                .n_workers = N_TURNS + 1,
                .mailbox_linger_ms = 120000,
        };
        static const struct echo_v1_echo_service handlers = {
                .echo = handle_echo,
                .sleep = handle_sleep,
                .blocks = {.sleep = true},
        };
        struct home *home = calloc(1, sizeof(*home));
        struct pipit_call call = {0};

        assert_non_null(home);
        sem_init(&home->is_inside, 0, 0);
        sem_init(&home->is_left, 0, 0);
        for (size_t i = 0; i <= N_TURNS; i++)
                sem_init(&home->may_reply[i], 0, 0);
        home->server = pipit_server_new(&server, NULL);
        assert_non_null(home->server);
        assert_int_equal(echo_v1_echo_service_register(home->server, &handlers, home), PIPIT_OK);
        assert_int_equal(pipit_server_start(home->server, NULL), PIPIT_OK);
        home->channel =
                pipit_channel_new_inprocess(pipit_server_inprocess(home->server), options, NULL);
        assert_non_null(home->channel);
        assert_int_equal(call_echo(home->channel, &call, "warm"), PIPIT_OK);
        pipit_call_deinit(&call);

        return home;
}

static int home_new(void **state)
{
        *state = home_open(NULL);

        return 0;
}

/* A lane to bring new calls and one to be held, of each kind. */
static int home_new_narrow(void **state)
{
        static const struct pipit_channel_options narrow = {.n_lanes = 2};

        *state = home_open(&narrow);

        return 0;
}

static int home_free(void **state)
{
        struct home *home = *state;

        home->channel = pipit_channel_free(home->channel);
        home->server = pipit_server_free(home->server);
        sem_destroy(&home->is_inside);
        sem_destroy(&home->is_left);
        for (size_t i = 0; i <= N_TURNS; i++)
                sem_destroy(&home->may_reply[i]);
        free(home);

        return 0;
}

/* --- polls --------------------------------------------------------------- */

struct starter {
        struct waited waited;
        struct home *home;
};

static void turn_done(struct pipit_call *call)
{
        struct turn *turn = pipit_container_of(call, struct turn, waited.call);

        sem_post(turn->next);
        sem_post(&turn->waited.done);
}

static void start_turn(struct home *home, size_t i)
{
        Echo__V1__SleepRequest request = ECHO__V1__SLEEP_REQUEST__INIT;
        struct turn *turn = &home->turns[i];

        waited_init(&turn->waited);
        turn->waited.call.done = turn_done;
        turn->waited.call.timeout_ms = 60000;
        turn->next = &home->may_reply[i + 1];
        request.duration_ms = (uint32_t)i;
        echo_v1_sleep_start(home->channel, &turn->waited.call, &request);
}

/* What is started here leaves in one frame. */
static void start_all(struct pipit_call *call)
{
        struct starter *starter = pipit_container_of(call, struct starter, waited.call);
        struct home *home = starter->home;

        for (size_t i = 0; i < N_TURNS; i++)
                start_turn(home, i);
        waited_init(&home->waiting);
        home->waiting.call.timeout_ms = 60000;
        start_echo(home->channel, &home->waiting, "wait for a worker");
        sem_post(&starter->waited.done);
}

static void wait_and_deinit(struct waited *waited)
{
        wait_for(&waited->done);
        assert_string_equal(pipit_status_name(pipit_call_error(&waited->call)->status), "OK");
        pipit_call_deinit(&waited->call);
        sem_destroy(&waited->done);
}

/*
 * The replies of the turns take away all frames that the server holds, the inner
 * call's among them: so it needs polls while the handler waits.
 */
static void the_reply_of_a_worker_comes_by_a_poll_while_a_handler_waits(void **state)
{
        struct home *home = *state;
        struct starter starter = {.home = home};

        waited_init(&starter.waited);
        starter.waited.call.done = start_all;
        start_echo(home->channel, &starter.waited, "go");
        wait_and_deinit(&starter.waited);
        for (size_t i = 0; i < N_TURNS; i++)
                wait_and_deinit(&home->turns[i].waited);
        wait_and_deinit(&home->waiting);
}

/* --- calls --------------------------------------------------------------- */

static void start_nested(struct home *home, struct waited *waited, uint64_t depth)
{
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;

        waited_init(waited);
        waited->call.timeout_ms = 60000;
        request.text = (char *)(uintptr_t) "nest";
        request.number = depth;
        echo_v1_echo_start(home->channel, &waited->call, &request);
}

static void handlers_nest_deeper_than_one_stack(void **state)
{
        enum { DEPTH = 100 };
        struct home *home = *state;
        struct waited waited;

        start_nested(home, &waited, DEPTH);
        wait_and_deinit(&waited);
        assert_int_equal(atomic_load(&home->n_deepest), DEPTH);
}

static void a_blocking_call_nests_deeper_than_one_stack(void **state)
{
        enum { DEPTH = 100 };
        struct home *home = *state;
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;
        struct pipit_call call = {.timeout_ms = 60000};

        request.text = (char *)(uintptr_t) "nest";
        request.number = DEPTH;
        assert_int_equal(echo_v1_echo(home->channel, &call, &request, NULL), PIPIT_OK);
        assert_int_equal(atomic_load(&home->n_deepest), DEPTH);
        pipit_call_deinit(&call);
}

static void many_handlers_that_nest_deep_wait_for_each_other_in_vain_never(void **state)
{
        enum { N_CALLS = 30, DEPTH = 40 };
        struct home *home = *state;
        struct waited waited[N_CALLS];

        for (size_t i = 0; i < N_CALLS; i++)
                start_nested(home, &waited[i], DEPTH);
        for (size_t i = 0; i < N_CALLS; i++)
                wait_and_deinit(&waited[i]);
        assert_int_equal(atomic_load(&home->n_deepest), N_CALLS * DEPTH);
}

static void a_handler_may_wait_for_a_queue(void **state)
{
        enum { N_CALLS = 20 };
        struct home *home = *state;
        struct waited waited[N_CALLS];

        for (size_t i = 0; i < N_CALLS; i++) {
                waited_init(&waited[i]);
                waited[i].call.timeout_ms = 60000;
                start_echo(home->channel, &waited[i], "wait for a queue");
        }
        for (size_t i = 0; i < N_CALLS; i++)
                wait_and_deinit(&waited[i]);
}

/* --- cancels ------------------------------------------------------------- */

static void start_endless(struct home *home)
{
        waited_init(&home->endless);
        home->endless.call.timeout_ms = 60000;
        start_echo(home->channel, &home->endless, "until nobody waits");
}

static void assert_endless_was_cancelled(struct home *home)
{
        waited_wait(&home->endless);
        assert_int_equal(pipit_call_error(&home->endless.call)->status, PIPIT_CANCELLED);
        wait_for(&home->is_left);
        assert_true(home->was_in_time);
        waited_deinit(&home->endless);
}

static void a_cancel_reaches_a_handler_of_an_asynchronous_call(void **state)
{
        struct home *home = *state;

        start_endless(home);
        wait_for(&home->is_inside);
        pipit_call_cancel(&home->endless.call);
        assert_endless_was_cancelled(home);
}

static void cancel_endless_and_start_another(struct pipit_call *call)
{
        struct home *home = pipit_container_of(call, struct home, waiting.call);

        waited_init(&home->other);
        home->other.call.timeout_ms = 60000;
        start_echo(home->channel, &home->other, "another");
        pipit_call_cancel(&home->endless.call);
        sem_post(&home->waiting.done);
}

static void start_two(struct pipit_call *call)
{
        struct starter *starter = pipit_container_of(call, struct starter, waited.call);
        struct home *home = starter->home;
        Echo__V1__SleepRequest request = ECHO__V1__SLEEP_REQUEST__INIT;

        waited_init(&home->waiting);
        home->waiting.call.done = cancel_endless_and_start_another;
        echo_v1_sleep_start(home->channel, &home->waiting.call, &request);
        start_endless(home);
        sem_post(&starter->waited.done);
}

/* The reply of the first comes while the second is on; what is started then would leave with the cancel. */
static void a_cancel_does_not_wait_with_a_call_that_starts_with_it(void **state)
{
        struct home *home = *state;
        struct starter starter = {.home = home};

        waited_init(&starter.waited);
        starter.waited.call.done = start_two;
        start_echo(home->channel, &starter.waited, "go");
        wait_and_deinit(&starter.waited);
        wait_for(&home->is_inside);
        sem_post(&home->may_reply[0]);
        wait_and_deinit(&home->waiting);
        assert_endless_was_cancelled(home);
        wait_and_deinit(&home->other);
}

/* --- the end --------------------------------------------------------------- */

static void a_channel_is_freed_after_the_last_handler_that_may_call_through_it(void **state)
{
        struct home *home = *state;

        waited_init(&home->endless);
        home->endless.call.timeout_ms = 60000;
        start_echo(home->channel, &home->endless, "call when nobody waits");
        wait_for(&home->is_inside);
        assert_null(pipit_channel_free(home->channel));
        home->channel = NULL;
        waited_wait(&home->endless);
        waited_wait(&home->other);
        assert_int_equal(pipit_call_error(&home->endless.call)->status, PIPIT_CANCELLED);
        assert_int_equal(pipit_call_error(&home->other.call)->status, PIPIT_CANCELLED);
        assert_int_equal(home->late_status, PIPIT_CANCELLED);
        waited_deinit(&home->endless);
        waited_deinit(&home->other);
}

#define home_test(name) cmocka_unit_test_setup_teardown(name, home_new, home_free)
#define narrow_test(name)                                                                          \
        {                                                                                          \
#name ", by two lanes", name, home_new_narrow, home_free, NULL                     \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                home_test(the_reply_of_a_worker_comes_by_a_poll_while_a_handler_waits),
                home_test(handlers_nest_deeper_than_one_stack),
                home_test(a_blocking_call_nests_deeper_than_one_stack),
                home_test(many_handlers_that_nest_deep_wait_for_each_other_in_vain_never),
                home_test(a_handler_may_wait_for_a_queue),
                home_test(a_cancel_reaches_a_handler_of_an_asynchronous_call),
                home_test(a_cancel_does_not_wait_with_a_call_that_starts_with_it),
                home_test(a_channel_is_freed_after_the_last_handler_that_may_call_through_it),
                narrow_test(handlers_nest_deeper_than_one_stack),
                narrow_test(a_blocking_call_nests_deeper_than_one_stack),
                narrow_test(many_handlers_that_nest_deep_wait_for_each_other_in_vain_never),
                narrow_test(a_handler_may_wait_for_a_queue),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
