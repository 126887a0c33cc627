/* Who reads, and what becomes of those who wait when that one leaves. */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/integration/client/fixture.h"
#include "tests/integration/client/raw.h"

#include "core/base/macros.h"

/* A server of which the test writes every byte, and a channel that is connected to it. */
struct raw_setting {
        struct place place;
        struct raw raw;
        struct pipit_channel *channel;
};

/* A thread in a blocking call. */
struct caller {
        struct pipit_call call;
        struct pipit_channel *channel;
        const char *text;
        enum pipit_status status;
        pthread_t thread;

        /* its request, as the server has it */
        uint32_t frame_id;
        uint64_t call_id;
};

static void *caller_main(void *context)
{
        struct caller *caller = context;

        caller->status = blocking_echo(caller->channel, &caller->call, caller->text);

        return NULL;
}

/* Returns once the server has the request, so it waits, or is about to. */
static void caller_start(struct caller *caller,
                         struct raw_setting *setting,
                         const char *text,
                         uint32_t timeout_ms)
{
        struct raw_request request;

        *caller = (struct caller){
                .call = {.timeout_ms = timeout_ms, .wait_for_ready = true},
                .channel = setting->channel,
                .text = text,
        };
        assert_int_equal(pthread_create(&caller->thread, NULL, caller_main, caller), 0);
        request = raw_next(&setting->raw);
        assert_int_equal(request.request->n_calls, 1);
        caller->frame_id = request.id;
        caller->call_id = request.request->calls[0]->id;
        raw_request_free(&request);
}

static void caller_answer(struct caller *caller, struct raw_setting *setting)
{
        raw_answer(&setting->raw, caller->frame_id, caller->call_id, caller->text);
}

static void caller_finish(struct caller *caller, enum pipit_status status)
{
        pthread_join(caller->thread, NULL);
        assert_int_equal(caller->status, status);
        pipit_call_deinit(&caller->call);
}

static void call_and_answer(struct raw_setting *setting, const char *text)
{
        struct caller caller;

        caller_start(&caller, setting, text, 60000);
        caller_answer(&caller, setting);
        caller_finish(&caller, PIPIT_OK);
}

static int set_up_raw(void **state)
{
        struct raw_setting *setting = calloc(1, sizeof(*setting));

        assert_non_null(setting);
        place_init(&setting->place);
        raw_listen(&setting->raw, setting->place.url);
        setting->channel = channel_to(setting->place.url);
        raw_accept(&setting->raw);
        call_and_answer(setting, "up");
        *state = setting;

        return 0;
}

static int tear_down_raw(void **state)
{
        struct raw_setting *setting = *state;

        pipit_channel_free(setting->channel);
        raw_close(&setting->raw);
        place_deinit(&setting->place);
        free(setting);

        return 0;
}

#define raw_test(name) cmocka_unit_test_setup_teardown(name, set_up_raw, tear_down_raw)

static void a_reader_takes_the_answers_of_those_who_wait_with_it(void **state)
{
        struct raw_setting *setting = *state;
        struct caller callers[3];

        for (size_t i = 0; i < 3; i++)
                caller_start(&callers[i], setting, "last come first", 60000);
        for (size_t i = 3; i-- > 0;) {
                caller_answer(&callers[i], setting);
                caller_finish(&callers[i], PIPIT_OK);
        }
}

static void a_reader_that_has_its_answer_leaves_the_reading_to_another(void **state)
{
        struct raw_setting *setting = *state;
        struct caller callers[3];

        for (size_t i = 0; i < 3; i++)
                caller_start(&callers[i], setting, "first come first", 60000);
        for (size_t i = 0; i < 3; i++) {
                caller_answer(&callers[i], setting);
                caller_finish(&callers[i], PIPIT_OK);
        }
}

static void a_reader_whose_deadline_passes_leaves_the_reading_to_another(void **state)
{
        struct raw_setting *setting = *state;
        struct caller brief, lasting;

        caller_start(&brief, setting, "brief", 200);
        caller_start(&lasting, setting, "lasting", 60000);
        caller_finish(&brief, PIPIT_DEADLINE_EXCEEDED);
        caller_answer(&lasting, setting);
        caller_finish(&lasting, PIPIT_OK);
        call_and_answer(setting, "and on it goes");
}

static void a_reader_that_is_cancelled_returns_and_leaves_the_reading_to_another(void **state)
{
        struct raw_setting *setting = *state;
        struct caller cancelled, other;

        for (int i = 0; i < 50; i++) {
                caller_start(&cancelled, setting, "cancelled", 60000);
                caller_start(&other, setting, "other", 60000);
                pipit_call_cancel(&cancelled.call);
                caller_finish(&cancelled, PIPIT_CANCELLED);
                caller_answer(&cancelled, setting);
                caller_answer(&other, setting);
                caller_finish(&other, PIPIT_OK);
        }
}

/* --- asynchronous calls beside ---------------------------------------------- */

struct observed {
        struct waited_call waited;
        pthread_t thread; /* that ran done() */
        sem_t *may_return;
        sem_t begun;
};

static void observed_done(struct pipit_call *call)
{
        struct observed *observed = pipit_container_of(call, struct observed, waited.call);

        observed->thread = pthread_self();
        sem_post(&observed->begun);
        if (observed->may_return)
                sem_wait(observed->may_return);
        atomic_fetch_add(&observed->waited.n_done, 1);
        sem_post(&observed->waited.done);
}

static struct raw_request observed_start(struct observed *observed,
                                         struct raw_setting *setting,
                                         sem_t *may_return)
{
        waited_init(&observed->waited);
        sem_init(&observed->begun, 0, 0);
        observed->may_return = may_return;
        observed->waited.call.done = observed_done;
        observed->waited.call.wait_for_ready = true;
        observed->waited.call.timeout_ms = 60000;
        waited_start(&observed->waited, setting->channel, "q");

        return raw_next(&setting->raw);
}

static void observed_answer(struct raw_setting *setting, struct raw_request *request)
{
        raw_answer(&setting->raw, request->id, request->request->calls[0]->id, "a");
        raw_request_free(request);
}

static void observed_finish(struct observed *observed)
{
        assert_true(waited_wait(&observed->waited));
        assert_true(waited_is(&observed->waited, "a"));
        sem_destroy(&observed->begun);
        waited_deinit(&observed->waited);
}

static void a_reader_runs_no_done_of_others(void **state)
{
        struct raw_setting *setting = *state;
        struct observed observed;
        struct raw_request request;
        struct caller caller;

        caller_start(&caller, setting, "reads", 60000);
        request = observed_start(&observed, setting, NULL);
        observed_answer(setting, &request);
        assert_true(waited_wait(&observed.waited));
        sem_post(&observed.waited.done);
        assert_false(pthread_equal(observed.thread, caller.thread));
        assert_false(pthread_equal(observed.thread, pthread_self()));
        caller_answer(&caller, setting);
        caller_finish(&caller, PIPIT_OK);
        observed_finish(&observed);
}

static void what_is_under_way_when_the_last_caller_leaves_is_answered(void **state)
{
        struct raw_setting *setting = *state;
        struct observed observed;
        struct raw_request request;

        for (int i = 0; i < 100; i++) {
                call_and_answer(setting, "alone, so that nobody reads");
                request = observed_start(&observed, setting, NULL);
                call_and_answer(setting, "while it is under way");
                call_and_answer(setting, "and once more");
                observed_answer(setting, &request);
                observed_finish(&observed);
        }
}

static void a_done_that_takes_its_time_keeps_no_caller_waiting(void **state)
{
        struct raw_setting *setting = *state;
        struct observed observed;
        struct raw_request request;
        sem_t may_return;

        sem_init(&may_return, 0, 0);
        request = observed_start(&observed, setting, &may_return);
        observed_answer(setting, &request);
        sem_wait(&observed.begun);
        call_and_answer(setting, "meanwhile");
        sem_post(&may_return);
        observed_finish(&observed);
        sem_destroy(&may_return);
}

/* --- ends ------------------------------------------------------------------- */

/* Its answer is the last that the connection brings. */
static void a_hang_up_is_seen_without_a_call(void **state)
{
        struct raw_setting *setting = *state;
        struct caller caller;

        for (int i = 0; i < 100; i++) {
                caller_start(&caller, setting, "farewell", 60000);
                caller_answer(&caller, setting);
                if (i % 2)
                        caller_finish(&caller, PIPIT_OK);
                raw_hang_up(&setting->raw);
                if (i % 2 == 0)
                        caller_finish(&caller, PIPIT_OK);
                raw_accept(&setting->raw);
        }
}

static void callers_whose_connection_breaks_are_answered_on_the_next(void **state)
{
        enum { N_CALLERS = 4 };
        struct raw_setting *setting = *state;
        struct caller callers[N_CALLERS];
        struct raw_request request;

        for (size_t i = 0; i < N_CALLERS; i++)
                caller_start(&callers[i], setting, "again", 60000);
        raw_hang_up(&setting->raw);
        raw_accept(&setting->raw);
        request = raw_next_awaits(&setting->raw);
        assert_int_equal(request.request->n_awaits, N_CALLERS);
        for (size_t i = 0; i < N_CALLERS; i++) {
                raw_answer(&setting->raw, request.id, callers[i].call_id, callers[i].text);
                raw_request_free(&request);
                caller_finish(&callers[i], PIPIT_OK);
                if (i + 1 < N_CALLERS)
                        request = raw_next_any(&setting->raw);
        }
}

static void freeing_a_channel_sends_its_blocked_callers_home(void **state)
{
        enum { N_CALLERS = 12 };
        struct raw_setting *setting = *state;
        struct caller callers[N_CALLERS];

        for (int round = 0; round < 20; round++) {
                for (size_t i = 0; i < N_CALLERS; i++)
                        caller_start(&callers[i], setting, "never answered", 60000);
                setting->channel = pipit_channel_free(setting->channel);
                for (size_t i = 0; i < N_CALLERS; i++)
                        caller_finish(&callers[i], PIPIT_CANCELLED);
                raw_hang_up(&setting->raw);
                setting->channel = channel_to(setting->place.url);
                raw_accept(&setting->raw);
                call_and_answer(setting, "up");
        }
}

/* What a child has of the socket does not keep the connection up. */
static void a_child_does_not_hold_the_connection_of_its_parent(void **state)
{
        struct raw_setting *setting = *state;
        struct pipit_call call = {0};
        struct caller caller;
        int fds[2], status;
        uint8_t byte;
        pid_t child;

        caller_start(&caller, setting, "a caller that reads", 60000);
        assert_int_equal(pipe(fds), 0);
        child = fork();
        assert_true(child >= 0);
        if (child == 0) {
                close(fds[1]);
                if (blocking_echo(setting->channel, &call, "x") != PIPIT_FAILED_PRECONDITION)
                        _exit(1);
                pipit_call_deinit(&call);
                _exit(read(fds[0], &byte, 1) == 0 ? 0 : 2);
        }
        caller_answer(&caller, setting);
        caller_finish(&caller, PIPIT_OK);
        setting->channel = pipit_channel_free(setting->channel);
        while (raw_read(&setting->raw, &byte, 1))
                continue;
        close(fds[0]);
        close(fds[1]);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
}

/* --- many ------------------------------------------------------------------- */

#define N_THREADS 1000
#define N_EACH    5

static atomic_size_t n_failed;

static void *call_some(void *context)
{
        struct pipit_channel *channel = context;

        for (int i = 0; i < N_EACH; i++) {
                struct pipit_call call = {.timeout_ms = 60000};

                if (blocking_echo(channel, &call, "one of many") != PIPIT_OK)
                        atomic_fetch_add(&n_failed, 1);
                pipit_call_deinit(&call);
        }

        return NULL;
}

static void a_thousand_threads_call_at_once(void **state)
{
        static pthread_t threads[N_THREADS];
        struct setting *setting = *state;
        pthread_attr_t attributes;

        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, 256 * 1024);
        for (size_t i = 0; i < N_THREADS; i++)
                assert_int_equal(
                        pthread_create(&threads[i], &attributes, call_some, setting->channel), 0);
        for (size_t i = 0; i < N_THREADS; i++)
                pthread_join(threads[i], NULL);
        pthread_attr_destroy(&attributes);
        assert_int_equal(atomic_load(&n_failed), 0);
        assert_int_equal(peer_n_calls(setting->peer), N_THREADS * N_EACH);
}

struct mixed {
        struct setting *setting;
        atomic_bool *stops;
};

static void *call_until_stopped(void *context)
{
        struct mixed *mixed = context;

        while (!atomic_load(mixed->stops)) {
                struct pipit_call call = {.timeout_ms = 60000};

                if (blocking_echo(mixed->setting->channel, &call, "mixed") != PIPIT_OK)
                        atomic_fetch_add(&n_failed, 1);
                pipit_call_deinit(&call);
        }

        return NULL;
}

/* The roles change all the time; each round is over only when all its calls are. */
static void blocking_and_asynchronous_calls_share_a_connection(void **state)
{
        enum { N_BLOCKING = 4, N_ASYNCHRONOUS = 16, N_ROUNDS = 300 };
        struct setting *setting = *state;
        struct waited_call calls[N_ASYNCHRONOUS];
        atomic_bool stops = false;
        struct mixed mixed = {setting, &stops};
        pthread_t threads[N_BLOCKING];

        atomic_store(&n_failed, 0);
        for (size_t i = 0; i < N_ASYNCHRONOUS; i++)
                waited_init(&calls[i]);
        for (size_t i = 0; i < N_BLOCKING; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, call_until_stopped, &mixed), 0);
        for (size_t round = 0; round < N_ROUNDS; round++) {
                for (size_t i = 0; i < round % N_ASYNCHRONOUS; i++) {
                        pipit_call_reset(&calls[i].call);
                        waited_start(&calls[i], setting->channel, "mixed");
                }
                for (size_t i = 0; i < round % N_ASYNCHRONOUS; i++) {
                        assert_true(waited_wait(&calls[i]));
                        assert_true(waited_is(&calls[i], "mixed"));
                }
        }
        atomic_store(&stops, true);
        for (size_t i = 0; i < N_BLOCKING; i++)
                pthread_join(threads[i], NULL);
        for (size_t i = 0; i < N_ASYNCHRONOUS; i++)
                waited_deinit(&calls[i]);
        assert_int_equal(atomic_load(&n_failed), 0);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                raw_test(a_reader_takes_the_answers_of_those_who_wait_with_it),
                raw_test(a_reader_that_has_its_answer_leaves_the_reading_to_another),
                raw_test(a_reader_whose_deadline_passes_leaves_the_reading_to_another),
                raw_test(a_reader_that_is_cancelled_returns_and_leaves_the_reading_to_another),
                raw_test(a_reader_runs_no_done_of_others),
                raw_test(what_is_under_way_when_the_last_caller_leaves_is_answered),
                raw_test(a_done_that_takes_its_time_keeps_no_caller_waiting),
                raw_test(a_hang_up_is_seen_without_a_call),
                raw_test(callers_whose_connection_breaks_are_answered_on_the_next),
                raw_test(freeing_a_channel_sends_its_blocked_callers_home),
                raw_test(a_child_does_not_hold_the_connection_of_its_parent),
                echo_test(a_thousand_threads_call_at_once),
                echo_test(blocking_and_asynchronous_calls_share_a_connection),
        };

        if (argc > 1)
                cmocka_set_test_filter(argv[1]);

        return cmocka_run_group_tests(tests, NULL, NULL);
}
