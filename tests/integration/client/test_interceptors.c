/* Hooks around calls: order, what they may change, that both run once whatever happens. */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pipit/interceptor.h>

#include "tests/integration/client/fixture.h"

#include "core/base/macros.h"

#define TRACE_BYTES 64

/* What happened, in order: 'A' is before() of the interceptor A, 'a' its after(). */
struct trace {
        pthread_mutex_t mutex;
        char text[TRACE_BYTES];
        size_t n_events;
};

/* Writes its letter down, does as it is told, and keeps what it saw. */
struct spy {
        struct pipit_interceptor interceptor;
        struct trace *trace;
        char letter;
        enum pipit_status refuse_with;
        struct pipit_error refuse_error;
        const char *key; /* metadata to add */
        enum pipit_status add_status;
        uint32_t timeout_ms;
        bool wait_for_ready;

        struct pipit_call_start started; /* its request is gone when the call has ended */
        const ProtobufCMessageDescriptor *request_type;
        struct pipit_error ended;
        char peer[128];
        bool had_response;
        int64_t duration_us;
        void *data;
        const struct pipit_method *method;
        size_t n_metadata;
        enum pipit_status blocking_status;
        struct pipit_channel *channel; /* to call inside after() */
};

static void note(struct trace *trace, int letter)
{
        pthread_mutex_lock(&trace->mutex);
        if (trace->n_events < TRACE_BYTES - 1)
                trace->text[trace->n_events++] = (char)letter;
        pthread_mutex_unlock(&trace->mutex);
}

static enum pipit_status spy_before(struct pipit_interceptor *interceptor,
                                    struct pipit_call_start *start)
{
        struct spy *spy = pipit_container_of(interceptor, struct spy, interceptor);

        note(spy->trace, spy->letter);
        spy->started = *start;
        spy->request_type = start->request->descriptor;
        start->data = spy;
        if (spy->key)
                spy->add_status = pipit_call_add_metadata(start->call, spy->key, "v", 1);
        if (spy->timeout_ms)
                start->timeout_ms = spy->timeout_ms;
        if (spy->wait_for_ready)
                start->wait_for_ready = true;
        start->error = spy->refuse_error;

        return spy->refuse_with;
}

static void spy_after(struct pipit_interceptor *interceptor, const struct pipit_call_end *end)
{
        struct spy *spy = pipit_container_of(interceptor, struct spy, interceptor);
        struct pipit_call inner = {0};

        note(spy->trace, spy->letter - 'A' + 'a');
        spy->ended = *end->error;
        spy->had_response = end->response != NULL;
        snprintf(spy->peer, sizeof(spy->peer), "%s", end->peer ? end->peer : "");
        spy->duration_us = end->duration_us;
        spy->data = end->data;
        spy->method = end->method;
        spy->n_metadata = pipit_call_n_response_metadata(end->call);
        if (spy->channel) {
                spy->blocking_status = blocking_echo(spy->channel, &inner, "no");
                pipit_call_deinit(&inner);
        }
}

static const struct pipit_interceptor_operations spying = {
        .before = spy_before,
        .after = spy_after,
};

struct spies {
        struct trace trace;
        struct spy a, b, c;
};

static void spies_init(struct spies *spies, struct pipit_channel *channel)
{
        struct spy *all[] = {&spies->a, &spies->b, &spies->c};

        memset(spies, 0, sizeof(*spies));
        pthread_mutex_init(&spies->trace.mutex, NULL);
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(all); i++) {
                all[i]->interceptor.operations = &spying;
                all[i]->trace = &spies->trace;
                all[i]->letter = (char)('A' + i);
                assert_int_equal(pipit_channel_add_interceptor(channel, &all[i]->interceptor),
                                 PIPIT_OK);
        }
}

/* A peer, a channel with spies, and calls to start; *state of most tests. */
struct scene {
        struct setting *setting;
        struct pipit_channel *channel;
        struct spies spies;
        struct waited_call waited;
        struct pipit_call call;
};

static int set_up_spied(void **state)
{
        struct scene *scene = calloc(1, sizeof(*scene));
        void *setting = NULL;

        assert_non_null(scene);
        assert_int_equal(set_up_echo(&setting), 0);
        scene->setting = setting;
        scene->channel = scene->setting->channel;
        spies_init(&scene->spies, scene->channel);
        waited_init(&scene->waited);
        *state = scene;

        return 0;
}

/* The same, with a peer that answers what the test tells it. */
static int set_up_silent(void **state)
{
        struct scene *scene;

        (void)set_up_spied(state);
        scene = *state;
        peer_set_mode(scene->setting->peer, PEER_MANUAL);

        return 0;
}

static int tear_down_scene(void **state)
{
        struct scene *scene = *state;
        void *setting = scene->setting;

        waited_deinit(&scene->waited);
        pipit_call_deinit(&scene->call);
        (void)tear_down(&setting);
        free(scene);

        return 0;
}

#define spied_test(name)  cmocka_unit_test_setup_teardown(name, set_up_spied, tear_down_scene)
#define silent_test(name) cmocka_unit_test_setup_teardown(name, set_up_silent, tear_down_scene)

/* The asynchronous call, as it came to the peer. */
static struct peer_frame *start_and_take(struct scene *scene)
{
        waited_start(&scene->waited, scene->channel, "x");

        return peer_wait(scene->setting->peer);
}

static void answer(struct scene *scene, struct peer_frame *frame)
{
        peer_answer_text(frame, frame->request->calls[0]->id, "r");
        assert_true(waited_wait(&scene->waited));
}

/* --- order, and what they see --- */

static void before_runs_in_order_and_after_in_reverse(void **state)
{
        struct scene *scene = *state;

        assert_int_equal(blocking_echo(scene->channel, &scene->call, "x"), PIPIT_OK);
        assert_string_equal(scene->spies.trace.text, "ABCcba");
        assert_int_equal(blocking_echo(scene->channel, &scene->call, "x"), PIPIT_OK);
        assert_string_equal(scene->spies.trace.text, "ABCcbaABCcba");
}

static void hooks_see_method_request_outcome_peer_and_their_own_data(void **state)
{
        struct scene *scene = *state;
        struct setting *setting = scene->setting;

        scene->call.timeout_ms = 4321;
        assert_int_equal(blocking_echo(scene->channel, &scene->call, "x"), PIPIT_OK);
        assert_ptr_equal(scene->spies.a.started.call, &scene->call);
        assert_ptr_equal(scene->spies.a.started.method, &test_echo);
        assert_ptr_equal(scene->spies.a.request_type, test_echo.request);
        assert_int_equal(scene->spies.a.started.timeout_ms, 4321);
        assert_ptr_equal(scene->spies.b.started.data, NULL);
        assert_ptr_equal(scene->spies.a.method, &test_echo);
        assert_int_equal(scene->spies.a.ended.status, PIPIT_OK);
        assert_true(scene->spies.a.had_response);
        assert_string_equal(scene->spies.a.peer, setting->place.url);
        assert_true(scene->spies.a.duration_us >= 0);
        assert_ptr_equal(scene->spies.a.data, &scene->spies.a);
        assert_ptr_equal(scene->spies.c.data, &scene->spies.c);
}

static void after_sees_the_servers_failure_and_metadata(void **state)
{
        struct scene *scene = *state;
        struct peer_reply reply = {
                .status = PIPIT_NOT_FOUND,
                .reason = "USER_NOT_FOUND",
                .ran = PIPIT_RAN,
                .metadata_key = "k",
        };
        struct peer_frame *frame;

        frame = start_and_take(scene);
        reply.id = frame->request->calls[0]->id;
        peer_answer(frame, &reply, 1);
        assert_true(waited_wait(&scene->waited));
        assert_string_equal(scene->spies.trace.text, "ABCcba");
        assert_int_equal(scene->spies.a.ended.status, PIPIT_NOT_FOUND);
        assert_int_equal(scene->spies.a.ended.ran, PIPIT_RAN);
        assert_false(scene->spies.a.had_response);
        assert_int_equal(scene->spies.a.n_metadata, 1);
}

/* --- what before() may change --- */

static void metadata_that_before_adds_goes_out_with_the_callers(void **state)
{
        struct scene *scene = *state;
        struct peer_frame *frame;

        scene->spies.a.key = "from-a";
        scene->spies.c.key = "from-c";
        assert_int_equal(pipit_call_add_metadata(&scene->waited.call, "mine", "v", 1), PIPIT_OK);
        frame = start_and_take(scene);
        assert_int_equal(frame->request->calls[0]->n_metadata, 3);
        assert_string_equal(frame->request->calls[0]->metadata[0]->key, "mine");
        assert_string_equal(frame->request->calls[0]->metadata[1]->key, "from-a");
        assert_string_equal(frame->request->calls[0]->metadata[2]->key, "from-c");
        answer(scene, frame);
}

static void before_may_shorten_the_timeout(void **state)
{
        struct scene *scene = *state;

        scene->spies.a.timeout_ms = 30;
        scene->waited.call.timeout_ms = 60000;
        waited_start(&scene->waited, scene->channel, "x");
        assert_int_equal(scene->spies.b.started.timeout_ms, 30);
        assert_true(waited_wait(&scene->waited));
        assert_int_equal(pipit_call_error(&scene->waited.call)->status, PIPIT_DEADLINE_EXCEEDED);
        assert_int_equal(scene->spies.a.ended.status, PIPIT_DEADLINE_EXCEEDED);
        assert_string_equal(scene->spies.trace.text, "ABCcba");
        assert_int_equal(scene->waited.call.timeout_ms, 60000);
}

static void before_may_lengthen_the_timeout(void **state)
{
        struct scene *scene = *state;
        struct peer_frame *frame;

        scene->spies.a.timeout_ms = 60000;
        scene->waited.call.timeout_ms = 1;
        frame = start_and_take(scene);
        assert_non_null(frame);
        assert_true(frame->request->calls[0]->timeout_ms > 20000);
        answer(scene, frame);
}

static void before_may_make_a_call_wait_for_a_server(void **state)
{
        struct pipit_call call = {.timeout_ms = 50};
        struct pipit_channel *channel;
        struct spies spies;
        struct place place;

        (void)state;
        place_init(&place);
        channel = channel_to(place.url);
        spies_init(&spies, channel);
        spies.a.wait_for_ready = true;
        assert_int_equal(blocking_echo(channel, &call, "x"), PIPIT_DEADLINE_EXCEEDED);
        assert_int_equal(blocking_echo(channel, &call, "x"), PIPIT_DEADLINE_EXCEEDED);
        assert_false(call.wait_for_ready);
        pipit_call_deinit(&call);
        pipit_channel_free(channel);
        place_deinit(&place);
}

/* --- refusing --- */

static void assert_refused(const struct pipit_error *error)
{
        assert_int_equal(error->status, PIPIT_UNAUTHENTICATED);
        assert_int_equal(error->ran, PIPIT_NOT_RUN);
        assert_int_equal(error->origin, PIPIT_ORIGIN_LOCAL);
        assert_string_equal(error->reason, "TOKEN_EXPIRED");
        assert_string_equal(error->domain, "auth.v1");
        assert_string_equal(error->message, "get another");
        assert_int_equal(error->retry_after_ms, 70);
}

static void refuse_in_b(struct spies *spies)
{
        static char message[16];

        strcpy(message, "get another");
        spies->b.refuse_with = PIPIT_UNAUTHENTICATED;
        spies->b.refuse_error = (struct pipit_error){
                .ran = PIPIT_RAN,
                .origin = PIPIT_ORIGIN_SERVER,
                .reason = "TOKEN_EXPIRED",
                .domain = "auth.v1",
                .message = message,
                .retry_after_ms = 70,
        };
}

static void a_call_that_before_refuses_ends_with_its_error_and_never_leaves(void **state)
{
        struct scene *scene = *state;
        struct setting *setting = scene->setting;

        refuse_in_b(&scene->spies);
        assert_int_equal(blocking_echo(scene->channel, &scene->call, "x"), PIPIT_UNAUTHENTICATED);
        assert_refused(pipit_call_error(&scene->call));
        assert_string_equal(scene->spies.trace.text, "ABa");
        assert_refused(&scene->spies.a.ended);

        waited_start(&scene->waited, scene->channel, "x");
        assert_true(waited_wait(&scene->waited));
        assert_refused(pipit_call_error(&scene->waited.call));
        assert_string_equal(scene->spies.trace.text, "ABaABa");
        assert_int_equal(atomic_load(&scene->waited.n_done), 1);
        assert_int_equal(peer_n_calls(setting->peer), 0);

        scene->spies.b.refuse_with = PIPIT_OK;
        assert_int_equal(blocking_echo(scene->channel, &scene->call, "x"), PIPIT_OK);
        assert_int_equal(peer_n_calls(setting->peer), 1);
}

static void a_refusal_without_words_says_who_refused(void **state)
{
        struct scene *scene = *state;

        scene->spies.a.refuse_with = PIPIT_ABORTED;
        assert_int_equal(blocking_echo(scene->channel, &scene->call, "x"), PIPIT_ABORTED);
        assert_string_equal(pipit_call_error(&scene->call)->reason, "INTERCEPTED");
        assert_non_null(pipit_call_error(&scene->call)->message);
        assert_string_equal(scene->spies.trace.text, "A");

        scene->spies.a.refuse_with = (enum pipit_status)99;
        assert_int_equal(blocking_echo(scene->channel, &scene->call, "x"), PIPIT_UNKNOWN);
}

static void metadata_of_a_refused_call_does_not_come_twice_with_the_next(void **state)
{
        struct scene *scene = *state;
        struct peer_frame *frame;

        scene->spies.a.key = "token";
        scene->spies.b.refuse_with = PIPIT_ABORTED;
        waited_start(&scene->waited, scene->channel, "x");
        assert_true(waited_wait(&scene->waited));
        scene->spies.b.refuse_with = PIPIT_OK;
        frame = start_and_take(scene);
        assert_int_equal(frame->request->calls[0]->n_metadata, 1);
        answer(scene, frame);
}

/* --- every way to end --- */

static void after_runs_once_for_a_call_that_is_cancelled(void **state)
{
        struct scene *scene = *state;
        struct setting *setting = scene->setting;
        struct peer_frame *frame;

        frame = start_and_take(scene);
        pipit_call_cancel(&scene->waited.call);
        assert_true(waited_wait(&scene->waited));
        assert_int_equal(scene->spies.a.ended.status, PIPIT_CANCELLED);
        assert_int_equal(scene->spies.a.ended.ran, PIPIT_MAY_HAVE_RUN);
        peer_answer_text(frame, frame->request->calls[0]->id, "late");
        setting->channel = pipit_channel_free(setting->channel);
        assert_string_equal(scene->spies.trace.text, "ABCcba");
}

static void after_has_run_for_every_call_when_a_channel_is_freed(void **state)
{
        enum { N_CALLS = 5 };
        struct scene *scene = *state;
        struct setting *setting = scene->setting;
        struct waited_call calls[N_CALLS];

        for (size_t i = 0; i < N_CALLS; i++) {
                waited_init(&calls[i]);
                waited_start(&calls[i], setting->channel, "x");
        }
        setting->channel = pipit_channel_free(setting->channel);
        assert_string_equal(scene->spies.trace.text, "ABCABCABCABCABCcbacbacbacbacba");
        assert_int_equal(scene->spies.a.ended.status, PIPIT_CANCELLED);
        for (size_t i = 0; i < N_CALLS; i++)
                waited_deinit(&calls[i]);
}

static void after_runs_once_for_a_request_that_cannot_be_packed(void **state)
{
        struct scene *scene = *state;
        char *large = calloc(1, 2 << 20);

        memset(large, 'x', (2 << 20) - 1);
        assert_int_equal(blocking_echo(scene->channel, &scene->call, large),
                         PIPIT_RESOURCE_EXHAUSTED);
        assert_string_equal(scene->spies.trace.text, "ABCcba");
        assert_string_equal(scene->spies.a.ended.reason, "REQUEST_TOO_LARGE");
        free(large);
}

static void a_call_that_is_misused_is_not_seen(void **state)
{
        struct scene *scene = *state;
        struct peer_frame *frame;

        frame = start_and_take(scene);
        waited_start(&scene->waited, scene->channel, "again");
        assert_int_equal(blocking_echo(scene->channel, &scene->waited.call, "x"),
                         PIPIT_FAILED_PRECONDITION);
        assert_string_equal(scene->spies.trace.text, "ABC");
        answer(scene, frame);
        assert_string_equal(scene->spies.trace.text, "ABCcba");
}

/* --- rules --- */

static void a_blocking_call_inside_after_is_refused_and_not_seen(void **state)
{
        struct scene *scene = *state;

        scene->spies.b.channel = scene->channel;
        assert_int_equal(blocking_echo(scene->channel, &scene->call, "x"), PIPIT_OK);
        assert_int_equal(scene->spies.b.blocking_status, PIPIT_FAILED_PRECONDITION);
        assert_string_equal(scene->spies.trace.text, "ABCcba");
}

static void after_the_first_call_no_interceptor_is_taken(void **state)
{
        struct setting *setting = *state;
        struct pipit_interceptor late = {.operations = &spying};
        struct pipit_call call = {0};

        assert_int_equal(blocking_echo(setting->channel, &call, "x"), PIPIT_OK);
        assert_int_equal(pipit_channel_add_interceptor(setting->channel, &late),
                         PIPIT_FAILED_PRECONDITION);
        pipit_call_deinit(&call);
}

static void one_interceptor_more_than_fit_is_refused_and_either_hook_may_be_missing(void **state)
{
        static const struct pipit_interceptor_operations nothing;
        struct setting *setting = *state;
        struct pipit_interceptor empty = {.operations = &nothing};
        struct pipit_call call = {0};

        for (size_t i = 0; i < PIPIT_INTERCEPTORS_MAX; i++)
                assert_int_equal(pipit_channel_add_interceptor(setting->channel, &empty), PIPIT_OK);
        assert_int_equal(pipit_channel_add_interceptor(setting->channel, &empty),
                         PIPIT_RESOURCE_EXHAUSTED);
        assert_int_equal(blocking_echo(setting->channel, &call, "x"), PIPIT_OK);
        pipit_call_deinit(&call);
}

/* --- many threads --- */

struct tally {
        struct pipit_interceptor interceptor;
        atomic_int n_before;
        atomic_int n_after;
        atomic_int n_wrong;
};

static enum pipit_status tally_before(struct pipit_interceptor *interceptor,
                                      struct pipit_call_start *start)
{
        struct tally *tally = pipit_container_of(interceptor, struct tally, interceptor);

        atomic_fetch_add(&tally->n_before, 1);
        start->data = start->call;

        return PIPIT_OK;
}

static void tally_after(struct pipit_interceptor *interceptor, const struct pipit_call_end *end)
{
        struct tally *tally = pipit_container_of(interceptor, struct tally, interceptor);

        atomic_fetch_add(&tally->n_after, 1);
        if (end->data != end->call)
                atomic_fetch_add(&tally->n_wrong, 1);
}

static const struct pipit_interceptor_operations tallying = {
        .before = tally_before,
        .after = tally_after,
};

struct caller {
        pthread_t thread;
        struct pipit_channel *channel;
        int n_ok;
};

#define N_CALLS_EACH 100

static void *call_many(void *context)
{
        struct caller *caller = context;
        struct pipit_call call = {0};
        struct waited_call waited;

        waited_init(&waited);
        for (int i = 0; i < N_CALLS_EACH; i++) {
                waited_start(&waited, caller->channel, "x");
                if (i % 5 == 0)
                        pipit_call_cancel(&waited.call);
                caller->n_ok += blocking_echo(caller->channel, &call, "x") == PIPIT_OK;
                (void)waited_wait(&waited);
        }
        waited_deinit(&waited);
        pipit_call_deinit(&call);

        return NULL;
}

static void calls_of_many_threads_are_each_seen_once_before_and_once_after(void **state)
{
        enum { N_THREADS = 16 };
        struct setting *setting = *state;
        struct tally tally = {.interceptor.operations = &tallying};
        struct caller callers[N_THREADS];

        assert_int_equal(pipit_channel_add_interceptor(setting->channel, &tally.interceptor),
                         PIPIT_OK);
        for (size_t i = 0; i < N_THREADS; i++) {
                callers[i] = (struct caller){.channel = setting->channel};
                assert_int_equal(pthread_create(&callers[i].thread, NULL, call_many, &callers[i]),
                                 0);
        }
        for (size_t i = 0; i < N_THREADS; i++) {
                pthread_join(callers[i].thread, NULL);
                assert_int_equal(callers[i].n_ok, N_CALLS_EACH);
        }
        assert_int_equal(atomic_load(&tally.n_before), N_THREADS * N_CALLS_EACH * 2);
        assert_int_equal(atomic_load(&tally.n_after), N_THREADS * N_CALLS_EACH * 2);
        assert_int_equal(atomic_load(&tally.n_wrong), 0);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                spied_test(before_runs_in_order_and_after_in_reverse),
                spied_test(hooks_see_method_request_outcome_peer_and_their_own_data),
                silent_test(after_sees_the_servers_failure_and_metadata),
                silent_test(metadata_that_before_adds_goes_out_with_the_callers),
                silent_test(before_may_shorten_the_timeout),
                silent_test(before_may_lengthen_the_timeout),
                cmocka_unit_test(before_may_make_a_call_wait_for_a_server),
                spied_test(a_call_that_before_refuses_ends_with_its_error_and_never_leaves),
                spied_test(a_refusal_without_words_says_who_refused),
                silent_test(metadata_of_a_refused_call_does_not_come_twice_with_the_next),
                silent_test(after_runs_once_for_a_call_that_is_cancelled),
                silent_test(after_has_run_for_every_call_when_a_channel_is_freed),
                spied_test(after_runs_once_for_a_request_that_cannot_be_packed),
                silent_test(a_call_that_is_misused_is_not_seen),
                spied_test(a_blocking_call_inside_after_is_refused_and_not_seen),
                echo_test(after_the_first_call_no_interceptor_is_taken),
                echo_test(one_interceptor_more_than_fit_is_refused_and_either_hook_may_be_missing),
                echo_test(calls_of_many_threads_are_each_seen_once_before_and_once_after),
        };

        if (argc > 1)
                cmocka_set_test_filter(argv[1]);

        return cmocka_run_group_tests(tests, NULL, NULL);
}
