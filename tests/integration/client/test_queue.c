/* Queues: whose thread runs done(), the descriptor, and how things end. */

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include <pipit/queue.h>

#include "tests/integration/client/fixture.h"

#include "core/base/macros.h"

#define WAIT_MS 10000

/* A call with a queue, that notes where and how often it was done. */
struct queued_call {
        struct waited_call waited;
        pthread_t ran_on;
        struct pipit_channel *channel;
        struct pipit_queue *queue;
        int n_left;
        enum pipit_status inner_status;
        size_t order;
};

static size_t n_done_in_all; /* only with one thread that runs */

static void queued_done(struct pipit_call *call)
{
        struct queued_call *queued = pipit_container_of(call, struct queued_call, waited.call);

        queued->ran_on = pthread_self();
        queued->order = n_done_in_all++;
        atomic_fetch_add(&queued->waited.n_done, 1);
}

static void queued_init(struct queued_call *queued, struct pipit_queue *queue)
{
        memset(queued, 0, sizeof(*queued));
        waited_init(&queued->waited);
        queued->queue = queue;
        queued->waited.call.queue = queue;
        queued->waited.call.done = queued_done;
}

static struct pipit_queue *queue_new(void)
{
        struct pipit_queue *queue = pipit_queue_new(NULL);

        assert_non_null(queue);

        return queue;
}

#define queue_echo_test(name) cmocka_unit_test_setup_teardown(name, set_up_queue_echo, tear_down)
#define queue_manual_test(name)                                                                    \
        cmocka_unit_test_setup_teardown(name, set_up_queue_manual, tear_down)

static int set_up_queue_echo(void **state)
{
        (void)set_up_echo(state);
        ((struct setting *)*state)->queue = queue_new();

        return 0;
}

static int set_up_queue_manual(void **state)
{
        (void)set_up_manual(state);
        ((struct setting *)*state)->queue = queue_new();

        return 0;
}

static void start_calls(struct setting *setting, struct queued_call *calls, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                queued_init(&calls[i], setting->queue);
                waited_start(&calls[i].waited, setting->channel, "x");
        }
}

static void deinit_calls(struct queued_call *calls, size_t n)
{
        for (size_t i = 0; i < n; i++)
                waited_deinit(&calls[i].waited);
}

static bool is_readable(struct pipit_queue *queue)
{
        struct pollfd fd = {.fd = pipit_queue_fd(queue), .events = POLLIN};

        return poll(&fd, 1, 0) == 1;
}

static void run_until_empty(struct pipit_queue *queue)
{
        while (pipit_queue_n_calls(queue) > 0) {
                assert_true(pipit_queue_wait(queue, WAIT_MS));
                (void)pipit_queue_run(queue, 0);
        }
}

/* Answers what is with the peer, one frame after the other, until @n_calls were. */
static void answer_calls(struct peer *peer, size_t n_calls)
{
        while (n_calls > 0) {
                struct peer_frame *frame = peer_wait(peer);
                struct peer_reply replies[64] = {{0}};
                size_t n = frame->request->n_calls;

                assert_true(n > 0 && n <= 64 && n <= n_calls);
                for (size_t i = 0; i < n; i++)
                        replies[i] = (struct peer_reply){
                                .id = frame->request->calls[i]->id,
                                .text = "r",
                        };
                n_calls -= n;
                peer_answer(frame, replies, n);
        }
}

static void wait_ready(struct pipit_queue *queue, size_t n_ready)
{
        int64_t until_ms = now_ms() + WAIT_MS;

        while (pipit_queue_n_ready(queue) < n_ready && now_ms() < until_ms)
                sched_yield();
        assert_int_equal(pipit_queue_n_ready(queue), n_ready);
}

/* --- whose thread --- */

static void done_runs_in_the_thread_that_runs_the_queue_and_not_before(void **state)
{
        struct setting *setting = *state;
        struct pipit_queue *queue = setting->queue;
        struct queued_call queued;

        queued_init(&queued, queue);
        assert_false(is_readable(queue));
        waited_start(&queued.waited, setting->channel, "x");
        assert_int_equal(pipit_queue_n_calls(queue), 1);
        assert_true(pipit_queue_wait(queue, WAIT_MS));
        assert_true(is_readable(queue));
        assert_int_equal(atomic_load(&queued.waited.n_done), 0);
        assert_int_equal(pipit_queue_n_calls(queue), 1);
        assert_int_equal(pipit_queue_n_ready(queue), 1);

        assert_int_equal(pipit_queue_run(queue, 0), 1);
        assert_int_equal(atomic_load(&queued.waited.n_done), 1);
        assert_true(pthread_equal(queued.ran_on, pthread_self()));
        assert_true(waited_is(&queued.waited, "x"));
        assert_false(is_readable(queue));
        assert_int_equal(pipit_queue_n_calls(queue), 0);
        assert_int_equal(pipit_queue_run(queue, 0), 0);
        waited_deinit(&queued.waited);
}

static void a_call_that_is_ready_and_not_run_is_still_in_flight(void **state)
{
        struct setting *setting = *state;
        struct pipit_queue *queue = setting->queue;
        struct queued_call queued;

        queued_init(&queued, queue);
        waited_start(&queued.waited, setting->channel, "x");
        assert_true(pipit_queue_wait(queue, WAIT_MS));
        waited_start(&queued.waited, setting->channel, "y");
        assert_int_equal(pipit_call_add_metadata(&queued.waited.call, "k", "v", 1),
                         PIPIT_FAILED_PRECONDITION);
        pipit_call_reset(&queued.waited.call);
        pipit_call_deinit(&queued.waited.call);
        pipit_call_cancel(&queued.waited.call);
        assert_int_equal(pipit_queue_run(queue, 0), 1);
        assert_true(waited_is(&queued.waited, "x"));
        assert_int_equal(pipit_queue_n_calls(queue), 0);
        waited_deinit(&queued.waited);
}

static void a_blocking_call_takes_no_notice_of_a_queue(void **state)
{
        struct setting *setting = *state;
        struct pipit_queue *queue = setting->queue;
        struct pipit_call call = {.queue = queue};

        assert_int_equal(blocking_echo(setting->channel, &call, "x"), PIPIT_OK);
        assert_int_equal(pipit_queue_n_calls(queue), 0);
        assert_false(is_readable(queue));
        pipit_call_deinit(&call);
}

static void calls_are_run_in_the_order_in_which_they_ended(void **state)
{
        enum { N_CALLS = 8 };
        struct setting *setting = *state;
        struct pipit_queue *queue = setting->queue;
        struct queued_call calls[N_CALLS];
        struct peer_frame *frames[N_CALLS];

        for (size_t i = 0; i < N_CALLS; i++) {
                queued_init(&calls[i], queue);
                waited_start(&calls[i].waited, setting->channel, "x");
                frames[i] = peer_wait(setting->peer);
        }
        n_done_in_all = 0;
        for (size_t i = N_CALLS; i-- > 0;) {
                peer_answer_text(frames[i], frames[i]->request->calls[0]->id, "r");
                wait_ready(queue, N_CALLS - i);
        }
        assert_int_equal(pipit_queue_run(queue, 0), N_CALLS);
        for (size_t i = 0; i < N_CALLS; i++) {
                assert_int_equal(calls[i].order, N_CALLS - 1 - i);
                waited_deinit(&calls[i].waited);
        }
}

/* --- the descriptor --- */

static void the_descriptor_is_written_once_until_the_queue_is_run_empty(void **state)
{
        enum { N_CALLS = 10 };
        struct setting *setting = *state;
        struct pipit_queue *queue = setting->queue;
        struct queued_call calls[N_CALLS];
        uint64_t n_writes;

        start_calls(setting, calls, N_CALLS);
        answer_calls(setting->peer, N_CALLS);
        wait_ready(queue, N_CALLS);

        /* An eventfd counts what was written: the one thing that a test may read from it. */
        assert_int_equal(read(pipit_queue_fd(queue), &n_writes, sizeof(n_writes)),
                         sizeof(n_writes));
        assert_int_equal(n_writes, 1);
        assert_int_equal(pipit_queue_run(queue, 0), N_CALLS);
        deinit_calls(calls, N_CALLS);
}

static void the_descriptor_stays_readable_until_all_has_run(void **state)
{
        enum { N_CALLS = 5 };
        struct setting *setting = *state;
        struct pipit_queue *queue = setting->queue;
        struct queued_call calls[N_CALLS];

        start_calls(setting, calls, N_CALLS);
        answer_calls(setting->peer, N_CALLS);
        wait_ready(queue, N_CALLS);

        assert_int_equal(pipit_queue_run(queue, 2), 2);
        assert_true(is_readable(queue));
        assert_int_equal(pipit_queue_run(queue, 2), 2);
        assert_true(is_readable(queue));
        assert_int_equal(pipit_queue_run(queue, 2), 1);
        assert_false(is_readable(queue));
        deinit_calls(calls, N_CALLS);
}

static void wait_gives_up_after_its_time(void **state)
{
        struct pipit_queue *queue = queue_new();
        int64_t before = now_ms();

        (void)state;
        assert_false(pipit_queue_wait(queue, 0));
        assert_false(pipit_queue_wait(queue, 30));
        assert_true(now_ms() - before >= 29);
        pipit_queue_free(queue);
}

static void out_of_descriptors_is_an_outcome(void **state)
{
        struct pipit_error error = {0};
        struct rlimit before, none;

        (void)state;
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        none = before;
        none.rlim_cur = 0;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        assert_null(pipit_queue_new(&error));
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_int_equal(error.status, PIPIT_RESOURCE_EXHAUSTED);
        assert_string_equal(error.message, "Too many open files");
}

/* --- what done() may do --- */

static void chain_done(struct pipit_call *call)
{
        struct queued_call *queued = pipit_container_of(call, struct queued_call, waited.call);
        struct pipit_call inner = {0};

        queued->inner_status = blocking_echo(queued->channel, &inner, "inside");
        pipit_call_deinit(&inner);
        assert_null(pipit_queue_free(queued->queue));
        if (queued->n_left-- > 0) {
                pipit_call_reset(call);
                waited_start(&queued->waited, queued->channel, "again");
        }
}

static void inside_done_a_call_may_start_anew_and_block_but_not_free_its_queue(void **state)
{
        struct setting *setting = *state;
        struct pipit_queue *queue = setting->queue;
        struct queued_call queued;

        queued_init(&queued, queue);
        queued.channel = setting->channel;
        queued.n_left = 20;
        queued.waited.call.done = chain_done;
        waited_start(&queued.waited, setting->channel, "first");
        run_until_empty(queue);
        assert_int_equal(queued.n_left, -1);
        assert_int_equal(queued.inner_status, PIPIT_OK);
        assert_true(waited_is(&queued.waited, "again"));
        assert_int_equal(peer_n_calls(setting->peer), 42);
        waited_deinit(&queued.waited);
}

static void free_all_done(struct pipit_call *call)
{
        struct queued_call *queued = pipit_container_of(call, struct queued_call, waited.call);

        queued->channel = pipit_channel_free(queued->channel);
        pipit_call_deinit(call);
        sem_destroy(&queued->waited.done);
        free(queued);
}

static void inside_done_the_call_and_its_channel_may_be_freed(void **state)
{
        struct setting *setting = *state;
        struct pipit_queue *queue = setting->queue;

        for (int i = 0; i < 20; i++) {
                struct queued_call *queued = malloc(sizeof(*queued));

                assert_non_null(queued);
                queued_init(queued, queue);
                queued->channel = channel_to(setting->place.url);
                queued->waited.call.done = free_all_done;
                queued->waited.call.wait_for_ready = true;
                waited_start(&queued->waited, queued->channel, "x");
        }
        run_until_empty(queue);
}

static void nested_done(struct pipit_call *call)
{
        struct queued_call *queued = pipit_container_of(call, struct queued_call, waited.call);

        atomic_fetch_add(&queued->waited.n_done, 1);
        if (queued->n_left == 0)
                return;
        while (pipit_queue_n_calls(queued->queue) > 1) {
                assert_true(pipit_queue_wait(queued->queue, WAIT_MS));
                (void)pipit_queue_run(queued->queue, 0);
        }
}

static void inside_done_the_queue_may_be_run_again(void **state)
{
        enum { N_CALLS = 4 };
        struct setting *setting = *state;
        struct pipit_queue *queue = setting->queue;
        struct queued_call calls[N_CALLS];

        for (size_t i = 0; i < N_CALLS; i++) {
                queued_init(&calls[i], queue);
                calls[i].waited.call.done = nested_done;
        }
        calls[0].n_left = 1;
        waited_start(&calls[0].waited, setting->channel, "x");
        assert_true(pipit_queue_wait(queue, WAIT_MS));
        for (size_t i = 1; i < N_CALLS; i++)
                waited_start(&calls[i].waited, setting->channel, "x");
        assert_int_equal(pipit_queue_run(queue, 1), 1);
        assert_int_equal(pipit_queue_n_calls(queue), 0);
        assert_false(is_readable(queue));
        for (size_t i = 0; i < N_CALLS; i++) {
                assert_int_equal(atomic_load(&calls[i].waited.n_done), 1);
                waited_deinit(&calls[i].waited);
        }
}

/* --- ends --- */

static void a_cancel_and_a_deadline_end_on_the_queue_too(void **state)
{
        struct setting *setting = *state;
        struct pipit_queue *queue = setting->queue;
        struct queued_call cancelled, late;
        struct peer_frame *frames[2];

        queued_init(&cancelled, queue);
        queued_init(&late, queue);
        late.waited.call.timeout_ms = 30;
        waited_start(&cancelled.waited, setting->channel, "x");
        frames[0] = peer_wait(setting->peer);
        waited_start(&late.waited, setting->channel, "x");
        frames[1] = peer_wait(setting->peer);
        pipit_call_cancel(&cancelled.waited.call);
        run_until_empty(queue);
        assert_int_equal(pipit_call_error(&cancelled.waited.call)->status, PIPIT_CANCELLED);
        assert_int_equal(pipit_call_error(&late.waited.call)->status, PIPIT_DEADLINE_EXCEEDED);
        assert_true(pthread_equal(late.ran_on, pthread_self()));
        peer_ignore(frames[0]);
        peer_ignore(frames[1]);
        waited_deinit(&cancelled.waited);
        waited_deinit(&late.waited);
}

static void a_call_that_fails_at_its_start_ends_on_the_queue_too(void **state)
{
        struct setting *setting = *state;
        struct pipit_queue *queue = setting->queue;
        char *large = calloc(1, 2 << 20);
        struct queued_call queued;

        memset(large, 'x', (2 << 20) - 1);
        queued_init(&queued, queue);
        waited_start(&queued.waited, setting->channel, large);
        assert_int_equal(atomic_load(&queued.waited.n_done), 0);
        run_until_empty(queue);
        assert_string_equal(pipit_call_error(&queued.waited.call)->reason, "REQUEST_TOO_LARGE");
        waited_deinit(&queued.waited);
        free(large);
}

static void a_freed_channel_leaves_its_ended_calls_to_the_queue(void **state)
{
        enum { N_CALLS = 20 };
        struct setting *setting = *state;
        struct pipit_queue *queue = setting->queue;
        struct queued_call calls[N_CALLS];

        start_calls(setting, calls, N_CALLS);
        setting->channel = pipit_channel_free(setting->channel);
        assert_int_equal(pipit_queue_n_calls(queue), N_CALLS);
        assert_int_equal(pipit_queue_run(queue, 0), N_CALLS);
        for (size_t i = 0; i < N_CALLS; i++) {
                assert_int_equal(pipit_call_error(&calls[i].waited.call)->status, PIPIT_CANCELLED);
                assert_int_equal(atomic_load(&calls[i].waited.n_done), 1);
                waited_deinit(&calls[i].waited);
        }
}

static void freeing_a_queue_cancels_its_calls_and_runs_every_done_here(void **state)
{
        enum { N_CALLS = 40 };
        struct setting *setting = *state;
        struct pipit_queue *queue = setting->queue;
        struct queued_call calls[N_CALLS];

        start_calls(setting, calls, N_CALLS);
        setting->queue = pipit_queue_free(queue);
        assert_null(setting->queue);
        for (size_t i = 0; i < N_CALLS; i++) {
                assert_int_equal(atomic_load(&calls[i].waited.n_done), 1);
                assert_true(pthread_equal(calls[i].ran_on, pthread_self()));
                assert_int_equal(pipit_call_error(&calls[i].waited.call)->status, PIPIT_CANCELLED);
                waited_deinit(&calls[i].waited);
        }
        assert_null(pipit_queue_free(NULL));
}

static void restart_once_done(struct pipit_call *call)
{
        struct queued_call *queued = pipit_container_of(call, struct queued_call, waited.call);

        atomic_fetch_add(&queued->waited.n_done, 1);
        if (queued->n_left-- > 0)
                waited_start(&queued->waited, queued->channel, "again");
}

static void a_call_that_is_started_while_its_queue_is_freed_ends_as_cancelled(void **state)
{
        struct setting *setting = *state;
        struct pipit_queue *queue = setting->queue;
        struct queued_call queued;

        queued_init(&queued, queue);
        queued.channel = setting->channel;
        queued.n_left = 1;
        queued.waited.call.done = restart_once_done;
        waited_start(&queued.waited, setting->channel, "x");
        setting->queue = pipit_queue_free(queue);
        assert_int_equal(atomic_load(&queued.waited.n_done), 2);
        assert_int_equal(pipit_call_error(&queued.waited.call)->status, PIPIT_CANCELLED);
        assert_int_equal(pipit_call_error(&queued.waited.call)->ran, PIPIT_NOT_RUN);
        assert_string_equal(pipit_call_error(&queued.waited.call)->reason, "QUEUE_CLOSED");
        waited_deinit(&queued.waited);
}

/* --- several --- */

static void two_queues_share_a_channel_and_two_channels_a_queue(void **state)
{
        struct setting *setting = *state;
        struct pipit_channel *other = channel_to(setting->place.url);
        struct pipit_queue *queues[] = {queue_new(), queue_new()};
        struct queued_call calls[4];

        for (size_t i = 0; i < 4; i++) {
                queued_init(&calls[i], queues[i / 2]);
                calls[i].waited.call.wait_for_ready = true;
                waited_start(&calls[i].waited, i % 2 ? other : setting->channel, "x");
        }
        run_until_empty(queues[0]);
        for (size_t i = 0; i < 2; i++)
                assert_int_equal(atomic_load(&calls[i].waited.n_done), 1);
        for (size_t i = 2; i < 4; i++)
                assert_int_equal(atomic_load(&calls[i].waited.n_done), 0);
        run_until_empty(queues[1]);
        for (size_t i = 0; i < 4; i++) {
                assert_true(waited_is(&calls[i].waited, "x"));
                waited_deinit(&calls[i].waited);
        }
        pipit_queue_free(queues[0]);
        pipit_queue_free(queues[1]);
        pipit_channel_free(other);
}

struct starter {
        pthread_t thread;
        struct setting *setting;
        struct pipit_queue *queue;
        struct queued_call calls[50];
};

static void *start_many(void *context)
{
        struct starter *starter = context;

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(starter->calls); i++) {
                waited_start(&starter->calls[i].waited, starter->setting->channel, "x");
                if (i % 7 == 0)
                        pipit_call_cancel(&starter->calls[i].waited.call);
        }

        return NULL;
}

static void count_done(struct pipit_call *call)
{
        atomic_fetch_add(&pipit_container_of(call, struct waited_call, call)->n_done, 1);
}

static atomic_bool runners_stop;

static void *run_many(void *context)
{
        struct pipit_queue *queue = context;

        while (!atomic_load(&runners_stop))
                if (pipit_queue_wait(queue, 10))
                        (void)pipit_queue_run(queue, 3);

        return NULL;
}

static void many_threads_start_cancel_and_run_one_queue(void **state)
{
        enum { N_STARTERS = 4, N_RUNNERS = 3 };
        struct setting *setting = *state;
        struct pipit_queue *queue = setting->queue;
        struct starter *starters = calloc(N_STARTERS, sizeof(*starters));
        pthread_t runners[N_RUNNERS];

        atomic_store(&runners_stop, false);
        for (size_t i = 0; i < N_RUNNERS; i++)
                assert_int_equal(pthread_create(&runners[i], NULL, run_many, queue), 0);
        for (size_t i = 0; i < N_STARTERS; i++) {
                starters[i].setting = setting;
                for (size_t k = 0; k < PIPIT_N_ELEMENTS(starters[i].calls); k++) {
                        queued_init(&starters[i].calls[k], queue);
                        starters[i].calls[k].waited.call.done = count_done;
                }
                assert_int_equal(
                        pthread_create(&starters[i].thread, NULL, start_many, &starters[i]), 0);
        }
        for (size_t i = 0; i < N_STARTERS; i++)
                pthread_join(starters[i].thread, NULL);
        while (pipit_queue_n_calls(queue) > 0)
                (void)pipit_queue_run(queue, 0);
        atomic_store(&runners_stop, true);
        for (size_t i = 0; i < N_RUNNERS; i++)
                pthread_join(runners[i], NULL);
        for (size_t i = 0; i < N_STARTERS; i++)
                for (size_t k = 0; k < PIPIT_N_ELEMENTS(starters[i].calls); k++) {
                        assert_int_equal(atomic_load(&starters[i].calls[k].waited.n_done), 1);
                        waited_deinit(&starters[i].calls[k].waited);
                }
        free(starters);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                queue_echo_test(done_runs_in_the_thread_that_runs_the_queue_and_not_before),
                queue_echo_test(a_call_that_is_ready_and_not_run_is_still_in_flight),
                queue_echo_test(a_blocking_call_takes_no_notice_of_a_queue),
                queue_manual_test(calls_are_run_in_the_order_in_which_they_ended),
                queue_manual_test(the_descriptor_is_written_once_until_the_queue_is_run_empty),
                queue_manual_test(the_descriptor_stays_readable_until_all_has_run),
                cmocka_unit_test(wait_gives_up_after_its_time),
                cmocka_unit_test(out_of_descriptors_is_an_outcome),
                queue_echo_test(inside_done_a_call_may_start_anew_and_block_but_not_free_its_queue),
                queue_echo_test(inside_done_the_call_and_its_channel_may_be_freed),
                queue_echo_test(inside_done_the_queue_may_be_run_again),
                queue_manual_test(a_cancel_and_a_deadline_end_on_the_queue_too),
                queue_manual_test(a_call_that_fails_at_its_start_ends_on_the_queue_too),
                queue_manual_test(a_freed_channel_leaves_its_ended_calls_to_the_queue),
                queue_manual_test(freeing_a_queue_cancels_its_calls_and_runs_every_done_here),
                queue_manual_test(
                        a_call_that_is_started_while_its_queue_is_freed_ends_as_cancelled),
                echo_test(two_queues_share_a_channel_and_two_channels_a_queue),
                queue_echo_test(many_threads_start_cancel_and_run_one_queue),
        };

        if (argc > 1)
                cmocka_set_test_filter(argv[1]);

        return cmocka_run_group_tests(tests, NULL, NULL);
}
