/* Deadlines, cancels and frees, at every moment. */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/integration/client/fixture.h"

#include "core/base/macros.h"

static void an_unanswered_call_ends_at_its_deadline_and_is_cancelled_there(void **state)
{
        struct setting *setting = *state;
        struct waited_call waited;
        struct peer_frame *call, *cancel;
        int64_t before = now_ms();

        waited_init(&waited);
        waited.call.timeout_ms = 80;
        waited_start(&waited, setting->channel, "q");
        call = peer_wait(setting->peer);
        assert_true(waited_wait(&waited));
        assert_true(now_ms() - before >= 80);
        assert_int_equal(pipit_call_error(&waited.call)->status, PIPIT_DEADLINE_EXCEEDED);
        assert_int_equal(pipit_call_error(&waited.call)->ran, PIPIT_MAY_HAVE_RUN);
        assert_int_equal(pipit_call_error(&waited.call)->origin, PIPIT_ORIGIN_LOCAL);
        cancel = peer_wait(setting->peer);
        assert_int_equal(cancel->request->n_cancels, 1);
        assert_int_equal(cancel->request->cancels[0], call->request->calls[0]->id);
        peer_answer_text(call, call->request->calls[0]->id, "too late");
        peer_answer(cancel, NULL, 0);
        peer_set_mode(setting->peer, PEER_ECHO);
        warm_up(setting->channel);
        assert_int_equal(atomic_load(&waited.n_done), 1);
        waited_deinit(&waited);
}

static void a_cancelled_call_ends_at_once_and_the_server_is_told(void **state)
{
        struct setting *setting = *state;
        struct waited_call waited;
        struct peer_frame *call, *cancel;

        waited_init(&waited);
        waited_start(&waited, setting->channel, "q");
        call = peer_wait(setting->peer);
        pipit_call_cancel(&waited.call);
        assert_true(waited_wait(&waited));
        assert_int_equal(pipit_call_error(&waited.call)->status, PIPIT_CANCELLED);
        assert_int_equal(pipit_call_error(&waited.call)->ran, PIPIT_MAY_HAVE_RUN);
        cancel = peer_wait(setting->peer);
        assert_int_equal(cancel->request->n_cancels, 1);
        assert_int_equal(cancel->request->cancels[0], call->request->calls[0]->id);
        pipit_call_cancel(&waited.call);
        assert_int_equal(atomic_load(&waited.n_done), 1);
        peer_ignore(call);
        peer_ignore(cancel);
        waited_deinit(&waited);
}

static void a_call_that_waits_for_a_lane_is_cancelled_as_not_run(void **state)
{
        enum { N_LANES = 16 };
        struct setting *setting = *state;
        struct waited_call holders[N_LANES], waited;
        struct peer_frame *frames[N_LANES];

        for (size_t i = 0; i < N_LANES; i++) {
                waited_init(&holders[i]);
                waited_start(&holders[i], setting->channel, "hold");
                frames[i] = peer_wait(setting->peer);
        }
        waited_init(&waited);
        waited_start(&waited, setting->channel, "queued");
        pipit_call_cancel(&waited.call);
        assert_true(waited_wait(&waited));
        assert_int_equal(pipit_call_error(&waited.call)->status, PIPIT_CANCELLED);
        assert_int_equal(pipit_call_error(&waited.call)->ran, PIPIT_NOT_RUN);
        waited_deinit(&waited);
        for (size_t i = 0; i < N_LANES; i++) {
                peer_answer_text(frames[i], frames[i]->request->calls[0]->id, "r");
                assert_true(waited_wait(&holders[i]));
                waited_deinit(&holders[i]);
        }
}

static void cancelling_what_is_not_started_or_done_does_nothing(void **state)
{
        struct setting *setting = *state;
        struct waited_call waited;

        waited_init(&waited);
        pipit_call_cancel(&waited.call);
        waited_start(&waited, setting->channel, "x");
        assert_true(waited_wait(&waited));
        pipit_call_cancel(&waited.call);
        assert_true(waited_is(&waited, "x"));
        assert_int_equal(atomic_load(&waited.n_done), 1);
        waited_deinit(&waited);
}

/* One thread cancels what another starts, in a race that either may win. */
struct race {
        struct waited_call waited;
        sem_t go;
        sem_t over;
        bool stop;
};

static void *cancel_on_go(void *context)
{
        struct race *race = context;

        for (;;) {
                sem_wait(&race->go);
                if (race->stop)
                        return NULL;
                pipit_call_cancel(&race->waited.call);
                sem_post(&race->over);
        }
}

static void a_cancel_that_races_with_the_reply_completes_the_call_once(void **state)
{
        enum { N_ROUNDS = 2000 };
        struct setting *setting = *state;
        struct race race = {0};
        pthread_t thread;

        sem_init(&race.go, 0, 0);
        sem_init(&race.over, 0, 0);
        waited_init(&race.waited);
        assert_int_equal(pthread_create(&thread, NULL, cancel_on_go, &race), 0);
        for (int i = 0; i < N_ROUNDS; i++) {
                enum pipit_status status;

                waited_start(&race.waited, setting->channel, "x");
                sem_post(&race.go);
                assert_true(waited_wait(&race.waited));
                sem_wait(&race.over);
                status = pipit_call_error(&race.waited.call)->status;
                assert_true(status == PIPIT_OK || status == PIPIT_CANCELLED);
                assert_int_equal(atomic_load(&race.waited.n_done), i + 1);
                pipit_call_reset(&race.waited.call);
        }
        race.stop = true;
        sem_post(&race.go);
        pthread_join(thread, NULL);
        waited_deinit(&race.waited);
        sem_destroy(&race.go);
        sem_destroy(&race.over);
}

static void freeing_a_channel_ends_its_calls_as_cancelled(void **state)
{
        enum { N_CALLS = 40 };
        struct setting *setting = *state;
        struct waited_call calls[N_CALLS];

        for (size_t i = 0; i < N_CALLS; i++) {
                waited_init(&calls[i]);
                waited_start(&calls[i], setting->channel, "q");
        }
        setting->channel = pipit_channel_free(setting->channel);
        for (size_t i = 0; i < N_CALLS; i++) {
                assert_int_equal(atomic_load(&calls[i].n_done), 1);
                assert_int_equal(pipit_call_error(&calls[i].call)->status, PIPIT_CANCELLED);
                assert_string_equal(pipit_call_error(&calls[i].call)->reason, "CHANNEL_CLOSED");
                waited_deinit(&calls[i]);
        }
}

static void channels_come_and_go_hundreds_of_times(void **state)
{
        struct setting *setting = *state;

        for (int i = 0; i < 300; i++) {
                struct pipit_channel *channel = channel_to(setting->place.url);
                struct waited_call waited;

                waited_init(&waited);
                if (i % 3 > 0)
                        waited_start(&waited, channel, "x");
                if (i % 3 > 1)
                        assert_true(waited_wait(&waited));
                pipit_channel_free(channel);
                assert_int_equal(atomic_load(&waited.n_done), i % 3 > 0);
                waited_deinit(&waited);
        }
        warm_up(setting->channel);
}

struct visitor {
        const char *url;
        pthread_t thread;
        unsigned int seed;
};

/* A call that waits, one that does not, none: freed at any moment. */
static void *visit(void *context)
{
        const struct visitor *visitor = context;

        for (unsigned int i = 0; i < 40; i++) {
                struct pipit_channel *channel = channel_to(visitor->url);
                struct pipit_call call = {0};
                struct waited_call waited;
                bool is_started = (visitor->seed + i) % 3 > 0;

                waited_init(&waited);
                if ((visitor->seed + i) % 2)
                        assert_int_equal(blocking_echo(channel, &call, "x"), PIPIT_OK);
                if (is_started)
                        waited_start(&waited, channel, "x");
                pipit_channel_free(channel);
                assert_int_equal(atomic_load(&waited.n_done), is_started);
                waited_deinit(&waited);
                pipit_call_deinit(&call);
        }

        return NULL;
}

/* More than there are loops, which come and go with them. */
static void channels_that_share_loops_come_and_go_side_by_side(void **state)
{
        enum { N_VISITORS = 12 };
        struct setting *setting = *state;
        struct visitor visitors[N_VISITORS];

        for (unsigned int i = 0; i < N_VISITORS; i++) {
                visitors[i] = (struct visitor){.url = setting->place.url, .seed = i};
                assert_int_equal(pthread_create(&visitors[i].thread, NULL, visit, &visitors[i]), 0);
        }
        for (unsigned int i = 0; i < N_VISITORS; i++)
                assert_int_equal(pthread_join(visitors[i].thread, NULL), 0);
        warm_up(setting->channel);
}

/* --- what done() may do --- */

struct chain {
        struct waited_call waited;
        struct pipit_channel *channel;
        int n_left;
        enum pipit_status blocking_status;
        bool was_freed;
};

static void chain_done(struct pipit_call *call)
{
        struct chain *chain = pipit_container_of(call, struct chain, waited.call);
        struct pipit_call inner = {0};

        chain->blocking_status = blocking_echo(chain->channel, &inner, "no");
        if (strcmp(pipit_call_error(&inner)->reason, "IN_CALLBACK") != 0)
                chain->blocking_status = PIPIT_UNKNOWN;
        pipit_call_deinit(&inner);
        (void)pipit_channel_free(chain->channel);

        if (chain->n_left-- > 0) {
                pipit_call_reset(call);
                waited_start(&chain->waited, chain->channel, "again");
                return;
        }
        sem_post(&chain->waited.done);
}

static void inside_done_a_call_may_start_anew_but_not_block_nor_free(void **state)
{
        struct setting *setting = *state;
        struct chain chain = {.channel = setting->channel, .n_left = 100};

        waited_init(&chain.waited);
        chain.waited.call.done = chain_done;
        waited_start(&chain.waited, setting->channel, "first");
        assert_true(waited_wait(&chain.waited));
        assert_true(waited_is(&chain.waited, "again"));
        assert_int_equal(chain.blocking_status, PIPIT_FAILED_PRECONDITION);
        assert_int_equal(peer_n_calls(setting->peer), 101);
        waited_deinit(&chain.waited);
        warm_up(setting->channel);
}

static void free_in_done(struct pipit_call *call)
{
        struct chain *chain = pipit_container_of(call, struct chain, waited.call);
        sem_t *done = (sem_t *)(void *)chain->channel;

        pipit_call_deinit(call);
        free(chain);
        sem_post(done);
}

static void inside_done_a_call_may_be_freed(void **state)
{
        struct setting *setting = *state;
        sem_t done;

        sem_init(&done, 0, 0);
        for (int i = 0; i < 200; i++) {
                struct chain *chain = calloc(1, sizeof(*chain));

                chain->waited.call.done = free_in_done;
                chain->channel = (struct pipit_channel *)(void *)&done;
                waited_start(&chain->waited, setting->channel, "x");
        }
        for (int i = 0; i < 200; i++)
                sem_wait(&done);
        sem_destroy(&done);
}

/* --- threads --- */

struct caller {
        pthread_t thread;
        struct pipit_channel *channel;
        int n_calls;
        int n_ok;
};

static void *call_many(void *context)
{
        struct caller *caller = context;
        struct pipit_call call = {0};

        for (int i = 0; i < caller->n_calls; i++)
                caller->n_ok += blocking_echo(caller->channel, &call, "thread") == PIPIT_OK;
        pipit_call_deinit(&call);

        return NULL;
}

static void two_hundred_threads_share_a_channel(void **state)
{
        enum { N_THREADS = 200, N_CALLS = 50 };
        struct setting *setting = *state;
        struct caller callers[N_THREADS];

        for (size_t i = 0; i < N_THREADS; i++) {
                callers[i] = (struct caller){.channel = setting->channel, .n_calls = N_CALLS};
                assert_int_equal(pthread_create(&callers[i].thread, NULL, call_many, &callers[i]),
                                 0);
        }
        for (size_t i = 0; i < N_THREADS; i++) {
                pthread_join(callers[i].thread, NULL);
                assert_int_equal(callers[i].n_ok, N_CALLS);
        }
        assert_int_equal(peer_n_calls(setting->peer), N_THREADS * N_CALLS);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                manual_test(an_unanswered_call_ends_at_its_deadline_and_is_cancelled_there),
                manual_test(a_cancelled_call_ends_at_once_and_the_server_is_told),
                manual_test(a_call_that_waits_for_a_lane_is_cancelled_as_not_run),
                echo_test(cancelling_what_is_not_started_or_done_does_nothing),
                echo_test(a_cancel_that_races_with_the_reply_completes_the_call_once),
                manual_test(freeing_a_channel_ends_its_calls_as_cancelled),
                echo_test(channels_come_and_go_hundreds_of_times),
                echo_test(channels_that_share_loops_come_and_go_side_by_side),
                echo_test(inside_done_a_call_may_start_anew_but_not_block_nor_free),
                echo_test(inside_done_a_call_may_be_freed),
                echo_test(two_hundred_threads_share_a_channel),
        };

        if (argc > 1)
                cmocka_set_test_filter(argv[1]);

        return cmocka_run_group_tests(tests, NULL, NULL);
}
