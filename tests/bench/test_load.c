/*
 * The load generator itself: what it counts, and from when
 */

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include "tests/bench/bench.h"
#include "tests/bench/load.h"
#include "tests/harness/tally.h"
#include "tests/harness/windows.h"

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define STALL_NS  (50 * NS_PER_MS)
#define RATE      10000
#define SPAN_NS   (100 * NS_PER_MS)

static size_t n_started;
static atomic_size_t n_called;

static void *slot_new(struct bench_slot *slot)
{
        return slot;
}

static void slot_free(struct bench_slot *slot)
{
        (void)slot;
}

/* The first call holds up whoever starts calls; all others end at once. */
static void start_stalling(struct bench_slot *slot)
{
        int64_t until_ns = load_now_ns() + STALL_NS;

        while (n_started == 0 && load_now_ns() < until_ns)
                ;
        n_started++;
        bench_done(slot, true);
}

static bool call_failing(struct bench_slot *slot)
{
        (void)slot;
        (void)atomic_fetch_add(&n_called, 1);

        return false;
}

/* Within 2%, from 1 ns to seconds. */
static void percentiles_are_right_to_two_percent(void **state)
{
        struct tally *tally;

        (void)state;
        for (int64_t ns = 1; ns <= 1000; ns++) {
                tally_add(ns);
                tally_add(ns * NS_PER_MS);
        }

        tally = tally_take();
        assert_int_equal(tally_n(tally), 2000);
        assert_true(fabs((double)tally_percentile_ns(tally, 0.25) / 501 - 1) < 0.02);
        assert_true(fabs((double)tally_percentile_ns(tally, 0.75) / (501 * 1e6) - 1) < 0.02);
        assert_true(fabs((double)tally_percentile_ns(tally, 1) / 1000e6 - 1) < 0.02);
        tally_free(tally);
}

/*
 * Seven windows, in no order: three quick ones, two that stall, two in which nothing was.
 * The median is of five, and what is outside counts nowhere.
 */
static void a_window_that_stalls_does_not_move_the_median_of_all(void **state)
{
        static const int64_t latencies_us[] = {90000, 30, 0, 10, 0, 40000, 20};
        enum { N = sizeof(latencies_us) / sizeof(latencies_us[0]) };
        struct windows *windows = windows_new(1000, 1000 + N * 100 + 99, 100);

        (void)state;
        assert_int_equal(windows_percentile_ns(windows, 0.99), 0);
        windows_add(windows, 999, 7);
        windows_add(windows, 1000 + N * 100, 7);
        assert_int_equal(windows_percentile_ns(windows, 0.99), 0);

        for (int64_t i = 0; i < N; i++)
                for (int64_t at_ns = 0; at_ns < 100 && latencies_us[i] > 0; at_ns++)
                        windows_add(windows,
                                    1000 + i * 100 + at_ns,
                                    at_ns < 90 ? latencies_us[i] : latencies_us[i] * NS_PER_US);
        assert_true(fabs((double)windows_percentile_ns(windows, 0.95) / 30e3 - 1) < 0.02);
        assert_int_equal(windows_percentile_ns(windows, 0.5), 30);
        windows_free(windows);
}

/* A stall of 50 ms befalls the calls that were due in it, not only the one that caused it. */
static void an_open_load_counts_latency_from_when_a_call_was_to_start(void **state)
{
        const struct bench_contestant contestant = {
                .slot_new = slot_new, .start = start_stalling, .slot_free = slot_free};
        struct load load = {
                .kind = LOAD_OPEN, .contestant = &contestant, .n = 100, .rate = RATE, .seed = 1};
        struct load_result result;
        struct tally *tally;

        (void)state;
        n_started = 0;
        load.from_ns = load_now_ns();
        load.to_ns = load.from_ns + SPAN_NS;
        load.windows = windows_new(load.from_ns, load.to_ns, SPAN_NS);
        load_start(&load);
        result = load_finish();

        tally = tally_take();
        assert_int_equal(windows_percentile_ns(load.windows, 0.90),
                         tally_percentile_ns(tally, 0.90));
        windows_free(load.windows);
        assert_int_equal(result.n_failed, 0);
        assert_int_equal(result.n_dropped, 0);
        assert_int_equal(tally_n(tally), n_started);
        /* At most 1,000, give or take what chance does with this seed: the span has begun already. */
        assert_in_range(n_started, 1, 1100);
        /* Half of them were due in the stall, evenly, so one in ten was held up for over 40 ms. */
        assert_true(tally_percentile_ns(tally, 0.90) >= 25 * NS_PER_MS);
        tally_free(tally);
}

static void a_wrong_answer_is_a_failure_and_no_call(void **state)
{
        const struct bench_contestant contestant = {
                .slot_new = slot_new, .call = call_failing, .slot_free = slot_free};
        struct load load = {.kind = LOAD_BLOCKING, .contestant = &contestant, .n = 2};
        struct load_result result;
        struct tally *tally;

        (void)state;
        load.from_ns = load_now_ns();
        load.to_ns = load.from_ns + SPAN_NS;
        load_start(&load);
        result = load_finish();

        tally = tally_take();
        assert_int_equal(result.n_failed, atomic_load(&n_called));
        assert_int_equal(tally_n(tally), 0);
        tally_free(tally);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_open_load_counts_latency_from_when_a_call_was_to_start),
                cmocka_unit_test(a_wrong_answer_is_a_failure_and_no_call),
                cmocka_unit_test(percentiles_are_right_to_two_percent),
                cmocka_unit_test(a_window_that_stalls_does_not_move_the_median_of_all),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
