#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "core/base/clock.h"
#include "server/runtime/housekeeping.h"

#define N_TIMERS 500

struct owner {
        struct timer timer;
        atomic_uint refs;
        int64_t due_us;
        int64_t fired_us; /* 0: not yet */
};

static struct housekeeping *hk;
static struct owner owners[N_TIMERS];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static size_t order[N_TIMERS * 2];
static size_t n_fired;

static void fire(struct timer *timer, int64_t now_us)
{
        struct owner *owner = pipit_container_of(timer, struct owner, timer);

        pthread_mutex_lock(&mutex);
        owner->fired_us = now_us;
        order[n_fired++] = (size_t)(owner - owners);
        atomic_fetch_sub(&owner->refs, 1);
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&mutex);
}

static void wait_fired(size_t n)
{
        pthread_mutex_lock(&mutex);
        while (n_fired < n)
                pthread_cond_wait(&changed, &mutex);
        pthread_mutex_unlock(&mutex);
}

static int set_up(void **state)
{
        (void)state;
        n_fired = 0;
        hk = housekeeping_new();
        assert_non_null(hk);
        for (size_t i = 0; i < N_TIMERS; ++i) {
                atomic_init(&owners[i].refs, 1);
                owners[i].fired_us = 0;
                assert_true(housekeeping_add(hk, &owners[i].timer, fire, &owners[i].refs));
        }

        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        housekeeping_stop(hk);
        for (size_t i = 0; i < N_TIMERS; ++i)
                housekeeping_remove(hk, &owners[i].timer);
        housekeeping_free(hk);

        return 0;
}

/* The thread stands still here until the gate opens: what is armed meanwhile is due together. */
static bool is_at_gate;
static bool gate_is_open;

static void pass_gate(struct job *job)
{
        (void)job;
        pthread_mutex_lock(&mutex);
        is_at_gate = true;
        pthread_cond_broadcast(&changed);
        while (!gate_is_open)
                pthread_cond_wait(&changed, &mutex);
        pthread_mutex_unlock(&mutex);
}

static void timers_fire_once_each_in_the_order_of_their_times(void **state)
{
        struct job job = {.run = pass_gate};
        int64_t now_us = pipit_clock_now_us();

        (void)state;
        housekeeping_submit(hk, &job);
        pthread_mutex_lock(&mutex);
        while (!is_at_gate)
                pthread_cond_wait(&changed, &mutex);
        pthread_mutex_unlock(&mutex);
        /* Each armed late and then earlier, removed and armed again: the heap in all its moves. */
        for (size_t i = 0; i < N_TIMERS; ++i) {
                owners[i].due_us = now_us - (int64_t)(i * 7919 % N_TIMERS) - 1;
                housekeeping_arm(hk, &owners[i].timer, now_us + (int64_t)(i * 31 % 97));
        }
        for (size_t i = 0; i < N_TIMERS; i += 3) {
                housekeeping_remove(hk, &owners[i].timer);
                assert_true(housekeeping_add(hk, &owners[i].timer, fire, &owners[i].refs));
        }
        for (size_t i = 0; i < N_TIMERS; ++i)
                housekeeping_arm(hk, &owners[i].timer, owners[i].due_us);
        pthread_mutex_lock(&mutex);
        gate_is_open = true;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&mutex);

        wait_fired(N_TIMERS);
        for (size_t i = 1; i < N_TIMERS; ++i)
                assert_true(owners[order[i - 1]].due_us < owners[order[i]].due_us);
}

static void a_timer_never_fires_before_its_time(void **state)
{
        int64_t now_us = pipit_clock_now_us();

        (void)state;
        for (size_t i = 0; i < 20; ++i) {
                owners[i].due_us = now_us + (int64_t)(20 - i) * 1000;
                housekeeping_arm(hk, &owners[i].timer, owners[i].due_us);
        }
        wait_fired(20);
        for (size_t i = 0; i < 20; ++i)
                assert_true(owners[i].fired_us >= owners[i].due_us);
}

static void arming_for_later_changes_nothing_and_for_earlier_wakes(void **state)
{
        int64_t now_us = pipit_clock_now_us();

        (void)state;
        housekeeping_arm(hk, &owners[0].timer, PIPIT_NEVER_US - 1);
        housekeeping_arm(hk, &owners[1].timer, now_us + 3600 * PIPIT_US_PER_S);
        housekeeping_arm(hk, &owners[0].timer, now_us);
        housekeeping_arm(hk, &owners[0].timer, now_us + 3600 * PIPIT_US_PER_S);
        wait_fired(1);
        assert_int_equal(0, order[0]);
}

static void a_timer_whose_owner_is_gone_does_not_fire(void **state)
{
        int64_t now_us = pipit_clock_now_us();

        (void)state;
        atomic_store(&owners[0].refs, 0);
        housekeeping_arm(hk, &owners[0].timer, now_us - 1);
        housekeeping_arm(hk, &owners[1].timer, now_us);
        wait_fired(1);
        assert_int_equal(1, order[0]);
        assert_int_equal(0, owners[0].fired_us);
        assert_int_equal(1, atomic_load(&owners[1].refs));
}

struct numbered {
        struct job job;
        size_t number;
};

static void run_numbered(struct job *job)
{
        const struct numbered *numbered = pipit_container_of(job, struct numbered, job);

        pthread_mutex_lock(&mutex);
        order[n_fired++] = numbered->number;
        pthread_mutex_unlock(&mutex);
}

static void jobs_run_in_order_those_too_that_wait_when_it_stops(void **state)
{
        static struct numbered jobs[100];
        struct housekeeping *own = housekeeping_new();

        (void)state;
        assert_non_null(own);
        for (size_t i = 0; i < 100; ++i) {
                jobs[i] = (struct numbered){.job.run = run_numbered, .number = i};
                housekeeping_submit(own, &jobs[i].job);
        }
        housekeeping_stop(own);
        housekeeping_free(own);
        assert_int_equal(100, n_fired);
        for (size_t i = 0; i < 100; ++i)
                assert_int_equal(i, order[i]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(
                        timers_fire_once_each_in_the_order_of_their_times, set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        a_timer_never_fires_before_its_time, set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        arming_for_later_changes_nothing_and_for_earlier_wakes, set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        a_timer_whose_owner_is_gone_does_not_fire, set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        jobs_run_in_order_those_too_that_wait_when_it_stops, set_up, tear_down),
        };

        return cmocka_run_group_tests_name("housekeeping", tests, NULL, NULL);
}
