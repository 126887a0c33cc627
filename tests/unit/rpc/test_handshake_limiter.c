#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/rpc/handshake_limiter.h"

#define S PIPIT_US_PER_S

static int set_up(void **state)
{
        *state = pipit_handshake_limiter_new();
        return *state ? 0 : -1;
}

static int tear_down(void **state)
{
        *state = pipit_handshake_limiter_free(*state);
        return 0;
}

/* How many of @n failures in a row are within the limit. */
static size_t fail_n(struct pipit_handshake_limiter *limiter,
                     uint64_t source,
                     size_t n,
                     int64_t now_us)
{
        size_t n_within = 0;

        for (size_t i = 0; i < n; i++)
                n_within += pipit_handshake_limiter_fail(limiter, source, now_us);

        return n_within;
}

static void a_source_may_fail_50_times_at_once_and_20_times_a_second(void **state)
{
        assert_int_equal(fail_n(*state, 7, 60, 0), 50);
        assert_int_equal(fail_n(*state, 7, 60, S), 20);
        assert_int_equal(fail_n(*state, 7, 60, S), 0);
        assert_int_equal(fail_n(*state, 7, 60, S + 50000), 1);
        assert_int_equal(fail_n(*state, 7, 100, 100 * S), 50);
        assert_int_equal(fail_n(*state, 8, 60, 100 * S), 50);
}

static void failing_on_does_not_lengthen_the_penalty(void **state)
{
        assert_int_equal(fail_n(*state, 7, 100000, 0), 50);
        assert_int_equal(fail_n(*state, 7, 60, 5 * S / 2), 50);
}

static void the_clock_may_begin_anywhere(void **state)
{
        assert_true(pipit_handshake_limiter_admit(*state, 7, -1000 * S));
        assert_int_equal(fail_n(*state, 7, 60, -1000 * S), 50);
        assert_int_equal(fail_n(*state, 9, 60, INT64_C(1) << 60), 50);
}

static void a_thousand_clients_come_back_at_once_from_one_address(void **state)
{
        for (size_t i = 0; i < 1000; i++)
                assert_true(pipit_handshake_limiter_admit(*state, 7, 0));

        /* Also beside somebody who fails there. */
        assert_int_equal(fail_n(*state, 7, 900, 0), 50);
        for (size_t i = 0; i < 1000; i++)
                assert_true(pipit_handshake_limiter_admit(*state, 7, 0));
}

/* What is admitted of a source that tries and fails @n times. */
static size_t flood(struct pipit_handshake_limiter *limiter,
                    uint64_t source,
                    size_t n,
                    int64_t now_us)
{
        size_t n_admitted = 0;

        for (size_t i = 0; i < n; i++) {
                if (!pipit_handshake_limiter_admit(limiter, source, now_us))
                        continue;
                n_admitted++;
                (void)pipit_handshake_limiter_fail(limiter, source, now_us);
        }

        return n_admitted;
}

static void a_flood_from_one_source_leaves_half_to_the_others(void **state)
{
        assert_int_equal(flood(*state, 7, 100000, 0), 1000);
        assert_false(pipit_handshake_limiter_admit(*state, 7, 0));
        assert_true(pipit_handshake_limiter_admit(*state, 8, 0));
        assert_int_equal(flood(*state, 8, 100000, 0), 50);
        assert_int_equal(flood(*state, 7, 100000, S / 2), 1000 - 50);
}

static void nobody_costs_more_than_2000_a_second_together(void **state)
{
        size_t n_admitted = 0;

        for (uint64_t source = 1; source <= 1000; source++)
                n_admitted += flood(*state, source, 60, 0);
        assert_int_equal(n_admitted, 2000);
        assert_false(pipit_handshake_limiter_admit(*state, 5000, 0));
        assert_true(pipit_handshake_limiter_admit(*state, 5000, 500));

        n_admitted = 0;
        for (uint64_t source = 1; source <= 100000; source++)
                n_admitted += flood(*state, source, 1, S);
        assert_int_equal(n_admitted, 2000);
}

static void sources_that_fail_are_remembered_among_many_that_failed_once(void **state)
{
        (void)fail_n(*state, 7, 60, 0);
        for (uint64_t source = 100; source < 20000; source++)
                (void)pipit_handshake_limiter_fail(*state, source, 0);
        assert_false(pipit_handshake_limiter_fail(*state, 7, 0));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                TEST(a_source_may_fail_50_times_at_once_and_20_times_a_second),
                TEST(failing_on_does_not_lengthen_the_penalty),
                TEST(the_clock_may_begin_anywhere),
                TEST(a_thousand_clients_come_back_at_once_from_one_address),
                TEST(a_flood_from_one_source_leaves_half_to_the_others),
                TEST(nobody_costs_more_than_2000_a_second_together),
                TEST(sources_that_fail_are_remembered_among_many_that_failed_once),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
