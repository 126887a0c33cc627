/*
 * Interceptors of a server: each point of their contract in <pipit/server.h>
 */

#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "core/base/macros.h"
#include "tests/integration/runtime/fixture.h"

#define ENDS_MAX 64

/* What an after() was told. */
struct seen_end {
        enum pipit_status status;
        enum pipit_ran ran;
        char reason[32];
        char method[64];
        bool handled;
        bool began;
        bool has_method;
        void *data;
        int64_t duration_us;
};

struct spy {
        struct pipit_server_interceptor interceptor;
        char name;
        const char *refuses; /* calls of this method */
        enum pipit_status refusal;
        bool stands;     /* in before(), until released */
        const char *key; /* metadata to add */
        sem_t entered;
        sem_t released;
        sem_t ended;
        pthread_mutex_t mutex;

        /* mutex */
        size_t n_before;
        char heard[32]; /* metadata of the call */
        struct seen_end ends[ENDS_MAX];
        size_t n_ends;
};

/* Who ran, in order: "AB" before, "ba" after. */
static pthread_mutex_t trace_mutex = PTHREAD_MUTEX_INITIALIZER;
static char trace[256];
static size_t n_trace;

static void trace_add(char c)
{
        pthread_mutex_lock(&trace_mutex);
        assert_true(n_trace + 1 < sizeof(trace));
        trace[n_trace++] = c;
        trace[n_trace] = '\0';
        pthread_mutex_unlock(&trace_mutex);
}

static void sem_wait_for(sem_t *semaphore)
{
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += WAIT_MS / 1000;
        assert_int_equal(0, sem_timedwait(semaphore, &until));
}

static void hear(struct spy *spy, struct pipit_server_call *call)
{
        for (size_t i = 0; i < pipit_server_call_n_metadata(call); ++i) {
                const struct pipit_metadata *entry = pipit_server_call_metadata(call, i);

                if (strcmp(entry->key, "token") == 0 && entry->n_value_bytes < sizeof(spy->heard))
                        memcpy(spy->heard, entry->value, entry->n_value_bytes);
        }
}

static enum pipit_status spy_before(struct pipit_server_interceptor *interceptor,
                                    struct pipit_server_call_start *start)
{
        struct spy *spy = pipit_container_of(interceptor, struct spy, interceptor);

        trace_add(spy->name);
        pthread_mutex_lock(&spy->mutex);
        start->data = &spy->ends[spy->n_before++];
        hear(spy, start->call);
        pthread_mutex_unlock(&spy->mutex);
        if (spy->key)
                pipit_server_call_add_metadata(start->call, spy->key, "v", 1);
        sem_post(&spy->entered);
        if (spy->stands)
                sem_wait_for(&spy->released);
        if (!spy->refuses || strcmp(spy->refuses, start->method->name) != 0)
                return PIPIT_OK;

        start->error.reason = "NO_TOKEN";
        start->error.domain = "tests";
        start->error.message = "no";

        return spy->refusal;
}

static void spy_after(struct pipit_server_interceptor *interceptor,
                      const struct pipit_server_call_end *end)
{
        struct spy *spy = pipit_container_of(interceptor, struct spy, interceptor);
        struct seen_end *seen;

        trace_add((char)(spy->name - 'A' + 'a'));
        pthread_mutex_lock(&spy->mutex);
        assert_true(spy->n_ends < ENDS_MAX);
        seen = &spy->ends[spy->n_ends++];
        seen->status = end->error->status;
        seen->ran = end->error->ran;
        if (end->error->reason)
                (void)strncpy(seen->reason, end->error->reason, sizeof(seen->reason) - 1);
        (void)strncpy(seen->method, end->method_name, sizeof(seen->method) - 1);
        seen->handled = end->handled;
        seen->began = end->began;
        seen->has_method = pipit_server_call_method(end->call) != NULL;
        seen->data = end->data;
        seen->duration_us = end->duration_us;
        pthread_mutex_unlock(&spy->mutex);
        sem_post(&spy->ended);
}

static const struct pipit_server_interceptor_operations spying = {spy_before, spy_after};
static const struct pipit_server_interceptor_operations only_after = {.after = spy_after};

/* --- fixture --------------------------------------------------------------- */

static struct fixture fixture;
static struct client client;
static struct spy a, b;

static void spy_init(struct spy *spy, char name)
{
        memset(spy, 0, sizeof(*spy));
        spy->interceptor.operations = &spying;
        spy->name = name;
        spy->refusal = PIPIT_UNAUTHENTICATED;
        sem_init(&spy->entered, 0, 0);
        sem_init(&spy->released, 0, 0);
        sem_init(&spy->ended, 0, 0);
        pthread_mutex_init(&spy->mutex, NULL);
}

static void add_spies(struct pipit_server *server)
{
        assert_int_equal(PIPIT_OK, pipit_server_add_interceptor(server, &a.interceptor));
        assert_int_equal(PIPIT_OK, pipit_server_add_interceptor(server, &b.interceptor));
}

static void set_up_with(const struct pipit_server_options *options)
{
        fixture_start_with(&fixture, FIXTURE_IPC, options, add_spies);
        client_open(&client, fixture.url, true);
}

static int set_up(void **state)
{
        (void)state;
        spy_init(&a, 'A');
        spy_init(&b, 'B');
        n_trace = 0;
        trace[0] = '\0';
        set_up_with(NULL);

        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        client_leave(&client);
        if (fixture.server)
                fixture_stop(&fixture);

        return 0;
}

static const struct seen_end *end_of(struct spy *spy, size_t i)
{
        pthread_mutex_lock(&spy->mutex);
        assert_true(i < spy->n_ends);
        pthread_mutex_unlock(&spy->mutex);

        return &spy->ends[i];
}

static size_t n_ends_of(struct spy *spy)
{
        size_t n;

        pthread_mutex_lock(&spy->mutex);
        n = spy->n_ends;
        pthread_mutex_unlock(&spy->mutex);

        return n;
}

static void assert_end(struct spy *spy,
                       size_t i,
                       enum pipit_status status,
                       const char *reason,
                       bool handled,
                       bool began)
{
        const struct seen_end *end = end_of(spy, i);

        assert_int_equal(status, end->status);
        assert_string_equal(reason, end->reason);
        assert_int_equal(handled, end->handled);
        assert_int_equal(began, end->began);
        assert_true(end->duration_us >= 0);
}

/* --- tests ----------------------------------------------------------------- */

static void before_runs_in_order_and_after_in_reverse(void **state)
{
        struct answer answer;

        (void)state;
        exchange_run_call(&client, 1, ECHO, 0, &answer);
        assert_ok(&answer, 1);
        answer_deinit(&answer);
        sem_wait_for(&a.ended);
        assert_string_equal("ABba", trace);
        assert_end(&a, 0, PIPIT_OK, "", true, true);
        assert_end(&b, 0, PIPIT_OK, "", true, true);
        assert_string_equal(ECHO, end_of(&a, 0)->method);
        assert_true(end_of(&a, 0)->has_method);
        assert_ptr_equal(&a.ends[0], end_of(&a, 0)->data);
        assert_ptr_equal(&b.ends[0], end_of(&b, 0)->data);
}

static void a_refusal_stops_the_handler_and_the_hooks_behind_it(void **state)
{
        static const char *const methods[] = {ECHO, FAIL};

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(methods); ++i) {
                struct answer answer;

                a.refuses = methods[i];
                n_trace = 0;
                exchange_run_call(&client, i + 1, methods[i], 0, &answer);
                assert_failed(&answer, i + 1, PIPIT_UNAUTHENTICATED, PIPIT_NOT_RUN, "NO_TOKEN");
                answer_deinit(&answer);
                sem_wait_for(&a.ended);
                assert_string_equal("Aba", trace);
                assert_end(&a, i, PIPIT_UNAUTHENTICATED, "NO_TOKEN", false, false);
                assert_end(&b, i, PIPIT_UNAUTHENTICATED, "NO_TOKEN", false, false);
        }
        assert_int_equal(0, fixture_n_ran(&fixture));
}

static void one_who_let_a_call_go_on_is_told_of_a_later_refusal(void **state)
{
        struct answer answer;

        (void)state;
        b.refuses = ECHO;
        exchange_run_call(&client, 1, ECHO, 0, &answer);
        assert_failed(&answer, 1, PIPIT_UNAUTHENTICATED, PIPIT_NOT_RUN, "NO_TOKEN");
        answer_deinit(&answer);
        sem_wait_for(&a.ended);
        assert_string_equal("ABba", trace);
        assert_end(&a, 0, PIPIT_UNAUTHENTICATED, "NO_TOKEN", false, true);
        assert_end(&b, 0, PIPIT_UNAUTHENTICATED, "NO_TOKEN", false, false);
        assert_int_equal(0, fixture_n_ran(&fixture));
}

static void a_frame_of_many_calls_is_seen_call_by_call(void **state)
{
        struct request request;
        struct answer answer;

        (void)state;
        a.refuses = SLEEP;
        request_init(&request, &client);
        request_echo(&request, 1, "x", 0);
        request_call(&request, 2, SLEEP);
        request_echo(&request, 3, "y", 0);
        exchange_run(&client, &request, &answer);
        assert_ok(&answer, 1);
        assert_failed(&answer, 2, PIPIT_UNAUTHENTICATED, PIPIT_NOT_RUN, "NO_TOKEN");
        assert_ok(&answer, 3);
        answer_deinit(&answer);
        for (int i = 0; i < 3; ++i)
                sem_wait_for(&a.ended);
        assert_string_equal("ABbaAbaABba", trace);
        for (size_t i = 0; i < 3; ++i)
                assert_ptr_equal(&a.ends[i], end_of(&a, i)->data);
}

static void metadata_is_read_and_added_in_before(void **state)
{
        Pipit__V1__Metadata entry = PIPIT__V1__METADATA__INIT;
        Pipit__V1__Metadata *metadata[] = {&entry};
        struct request request;
        struct answer answer;
        Pipit__V1__Call *call;

        (void)state;
        a.key = "from.a";
        b.key = "from.b";
        b.refuses = SLEEP;
        entry.key = (char *)(uintptr_t) "token";
        entry.value.data = (uint8_t *)(uintptr_t) "secret";
        entry.value.len = 6;
        request_init(&request, &client);
        for (uint64_t id = 1; id <= 2; ++id) {
                call = request_call(&request, id, id == 1 ? ECHO : SLEEP);
                call->metadata = metadata;
                call->n_metadata = 1;
        }
        exchange_run(&client, &request, &answer);
        assert_ok(&answer, 1);
        /* before the handler's own, which says back what it gets; and with a refusal, too */
        assert_int_equal(3, answer_reply(&answer, 1)->n_metadata);
        assert_string_equal("from.a", answer_reply(&answer, 1)->metadata[0]->key);
        assert_string_equal("from.b", answer_reply(&answer, 1)->metadata[1]->key);
        assert_string_equal("token", answer_reply(&answer, 1)->metadata[2]->key);
        assert_int_equal(2, answer_reply(&answer, 2)->n_metadata);
        answer_deinit(&answer);
        sem_wait_for(&a.ended);
        assert_string_equal("secret", a.heard);
}

static void a_failure_of_a_blocking_handler_is_seen_once(void **state)
{
        struct request request;
        struct answer answer;

        (void)state;
        fixture_open_gate(&fixture);
        request_init(&request, &client);
        request_fail(&request, 1, PIPIT_NOT_FOUND, "");
        exchange_run(&client, &request, &answer);
        assert_failed(&answer, 1, PIPIT_NOT_FOUND, PIPIT_RAN, "AS_ASKED");
        answer_deinit(&answer);
        sem_wait_for(&a.ended);
        assert_string_equal("ABba", trace);
        assert_true(end_of(&a, 0)->handled);
        assert_string_equal("AS_ASKED", end_of(&a, 0)->reason);
}

static void what_never_began_is_told_at_its_end_all_the_same(void **state)
{
        struct request request;
        struct answer answer;
        uint8_t garbage[] = {0xff, 0xff};
        Pipit__V1__Call *call;

        (void)state;
        request_init(&request, &client);
        request_call(&request, 1, "no.Such/Method");
        call = request_call(&request, 2, ECHO);
        call->payload.data = garbage;
        call->payload.len = sizeof(garbage);
        exchange_run(&client, &request, &answer);
        answer_deinit(&answer);
        sem_wait_for(&a.ended);
        sem_wait_for(&a.ended);
        assert_string_equal("baABba", trace);
        assert_end(&a, 0, PIPIT_UNIMPLEMENTED, "METHOD_NOT_FOUND", false, false);
        assert_string_equal("no.Such/Method", end_of(&a, 0)->method);
        assert_false(end_of(&a, 0)->has_method);
        assert_end(&a, 1, PIPIT_INVALID_ARGUMENT, "MALFORMED", false, true);
}

static void one_without_a_before_has_begun_whatever_the_call(void **state)
{
        struct request request;
        struct answer answer;

        (void)state;
        a.interceptor.operations = &only_after;
        b.refuses = ECHO;
        request_init(&request, &client);
        request_call(&request, 1, "no.Such/Method");
        request_echo(&request, 2, "x", 0);
        exchange_run(&client, &request, &answer);
        answer_deinit(&answer);
        sem_wait_for(&a.ended);
        sem_wait_for(&a.ended);
        assert_string_equal("baBba", trace);
        assert_end(&a, 0, PIPIT_UNIMPLEMENTED, "METHOD_NOT_FOUND", false, true);
        assert_end(&b, 0, PIPIT_UNIMPLEMENTED, "METHOD_NOT_FOUND", false, false);
        assert_end(&a, 1, PIPIT_UNAUTHENTICATED, "NO_TOKEN", false, true);
        assert_end(&b, 1, PIPIT_UNAUTHENTICATED, "NO_TOKEN", false, false);
        assert_null(end_of(&a, 0)->data);
}

static void a_refusal_with_a_status_that_is_none_is_unknown(void **state)
{
        struct answer answer;

        (void)state;
        a.refuses = ECHO;
        a.refusal = (enum pipit_status)(PIPIT_STATUS_MAX + 1);
        exchange_run_call(&client, 1, ECHO, 0, &answer);
        assert_failed(&answer, 1, PIPIT_UNKNOWN, PIPIT_NOT_RUN, "NO_TOKEN");
        answer_deinit(&answer);
        sem_wait_for(&a.ended);
        assert_end(&a, 0, PIPIT_UNKNOWN, "NO_TOKEN", false, false);
}

static void a_deadline_ends_a_call_once_though_its_handler_answers_later(void **state)
{
        struct answer answer;

        (void)state;
        exchange_run_call(&client, 1, SLEEP, 500, &answer);
        answer_deinit(&answer);
        sem_wait_for(&a.ended);
        assert_end(&a, 0, PIPIT_DEADLINE_EXCEEDED, "DEADLINE", true, true);
        assert_int_equal(PIPIT_MAY_HAVE_RUN, end_of(&a, 0)->ran);

        fixture_wait_parked(&fixture, 1);
        fixture_answer(&fixture, 0);
        fixture_stop(&fixture);
        fixture.server = NULL;
        assert_string_equal("ABba", trace);
}

/* A worker stands at the gate, so that what comes for it is queued. */
static void occupy(struct exchange *exchange)
{
        exchange_send_call(exchange, &client, 100, FAIL, 0);
        fixture_wait_gate(&fixture, 1);
}

static void a_queued_call_that_ends_is_seen_without_its_handler(void **state)
{
        const struct pipit_server_options options = {.n_workers = 1};
        struct exchange first, second;
        struct answer answer;

        (void)state;
        tear_down(NULL);
        set_up_with(&options);
        occupy(&first);
        exchange_send_call(&second, &client, 1, FAIL, 500);
        sem_wait_for(&a.ended);
        assert_end(&a, 0, PIPIT_DEADLINE_EXCEEDED, "DEADLINE", false, true);
        assert_int_equal(PIPIT_NOT_RUN, end_of(&a, 0)->ran);
        exchange_wait(&second, &answer);
        answer_deinit(&answer);

        exchange_send_call(&second, &client, 2, FAIL, 0);
        for (int i = 0; i < 3; ++i)
                sem_wait_for(&b.entered); /* else the cancel may overtake it */
        exchange_run_cancel(&client, 2);
        sem_wait_for(&a.ended);
        assert_int_equal(PIPIT_CANCELLED, end_of(&a, 1)->status);
        assert_false(end_of(&a, 1)->handled);

        fixture_open_gate(&fixture);
        exchange_wait(&first, &answer);
        answer_deinit(&answer);
        exchange_abandon(&second);
        sem_wait_for(&a.ended);
        assert_int_equal(3, n_ends_of(&a));
        assert_int_equal(1, fixture_n_ran(&fixture));
}

static void a_cancelled_running_call_is_seen_when_its_handler_answers(void **state)
{
        struct exchange exchange;

        (void)state;
        exchange_send_call(&exchange, &client, 1, SLEEP, 0);
        fixture_wait_parked(&fixture, 1);
        exchange_run_cancel(&client, 1);
        assert_int_equal(0, n_ends_of(&a));
        fixture_answer(&fixture, 0);
        sem_wait_for(&a.ended);
        assert_end(&a, 0, PIPIT_CANCELLED, "CANCELLED", true, true);
        assert_int_equal(PIPIT_RAN, end_of(&a, 0)->ran);
        exchange_abandon(&exchange);
}

static void the_calls_of_a_client_that_left_are_seen_as_cancelled(void **state)
{
        (void)state;
        fixture_lose_client(&fixture);
        sem_wait_for(&a.ended);
        assert_end(&a, 0, PIPIT_CANCELLED, "CANCELLED", true, true);
        fixture_answer(&fixture, 0);
        assert_int_equal(1, n_ends_of(&a));
}

static void all_have_ended_when_a_server_has_stopped(void **state)
{
        const struct pipit_server_options options = {.drain_ms = 1, .n_workers = 1};
        struct exchange exchange[2];

        (void)state;
        tear_down(NULL);
        set_up_with(&options);
        exchange_send_call(&exchange[0], &client, 1, SLEEP, 0);
        fixture_wait_parked(&fixture, 1);
        exchange_send_call(&exchange[1], &client, 2, SLEEP, 0);
        fixture_wait_parked(&fixture, 2);
        assert_int_equal(2, pipit_server_stop(fixture.server));
        assert_int_equal(2, n_ends_of(&a));
        assert_end(&a, 0, PIPIT_CANCELLED, "CANCELLED", true, true);
        assert_int_equal(PIPIT_MAY_HAVE_RUN, end_of(&a, 0)->ran);
        exchange_abandon(&exchange[0]);
        exchange_abandon(&exchange[1]);
        fixture_answer(&fixture, 0);
        fixture_answer(&fixture, 1);
        assert_int_equal(2, n_ends_of(&a));
}

static void a_call_that_ends_during_before_is_seen_when_that_returns(void **state)
{
        struct exchange exchange;
        struct answer answer;

        (void)state;
        b.stands = true;
        exchange_send_call(&exchange, &client, 1, ECHO, 500);
        sem_wait_for(&b.entered);
        /* its deadline is answered while it stands */
        exchange_wait(&exchange, &answer);
        answer_deinit(&answer);
        assert_int_equal(0, n_ends_of(&a));
        sem_post(&b.released);
        sem_wait_for(&a.ended);
        assert_string_equal("ABba", trace);
        assert_end(&a, 0, PIPIT_DEADLINE_EXCEEDED, "DEADLINE", false, true);
        b.stands = false;
        assert_int_equal(0, fixture_n_ran(&fixture));
}

static void none_is_added_to_a_started_server_nor_more_than_the_limit(void **state)
{
        struct pipit_server *server = pipit_server_new(NULL, NULL);
        struct spy c;

        (void)state;
        spy_init(&c, 'C');
        c.interceptor.operations = &only_after;
        assert_int_equal(PIPIT_FAILED_PRECONDITION,
                         pipit_server_add_interceptor(fixture.server, &c.interceptor));
        assert_non_null(server);
        for (size_t i = 0; i < PIPIT_SERVER_INTERCEPTORS_MAX; ++i)
                assert_int_equal(PIPIT_OK, pipit_server_add_interceptor(server, &c.interceptor));
        assert_int_equal(PIPIT_RESOURCE_EXHAUSTED,
                         pipit_server_add_interceptor(server, &c.interceptor));
        pipit_server_free(server);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(before_runs_in_order_and_after_in_reverse),
                TEST(a_refusal_stops_the_handler_and_the_hooks_behind_it),
                TEST(one_who_let_a_call_go_on_is_told_of_a_later_refusal),
                TEST(a_frame_of_many_calls_is_seen_call_by_call),
                TEST(metadata_is_read_and_added_in_before),
                TEST(a_failure_of_a_blocking_handler_is_seen_once),
                TEST(what_never_began_is_told_at_its_end_all_the_same),
                TEST(one_without_a_before_has_begun_whatever_the_call),
                TEST(a_refusal_with_a_status_that_is_none_is_unknown),
                TEST(a_deadline_ends_a_call_once_though_its_handler_answers_later),
                TEST(a_queued_call_that_ends_is_seen_without_its_handler),
                TEST(a_cancelled_running_call_is_seen_when_its_handler_answers),
                TEST(the_calls_of_a_client_that_left_are_seen_as_cancelled),
                TEST(all_have_ended_when_a_server_has_stopped),
                TEST(a_call_that_ends_during_before_is_seen_when_that_returns),
                TEST(none_is_added_to_a_started_server_nor_more_than_the_limit),
        };

        return cmocka_run_group_tests_name("runtime_interceptors", tests, NULL, NULL);
}
