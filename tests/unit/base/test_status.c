#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/status.h"

static void the_codes_are_those_of_grpc(void **state)
{
        static const char *const names[] = {
                "OK",
                "CANCELLED",
                "UNKNOWN",
                "INVALID_ARGUMENT",
                "DEADLINE_EXCEEDED",
                "NOT_FOUND",
                "ALREADY_EXISTS",
                "PERMISSION_DENIED",
                "RESOURCE_EXHAUSTED",
                "FAILED_PRECONDITION",
                "ABORTED",
                "OUT_OF_RANGE",
                "UNIMPLEMENTED",
                "INTERNAL",
                "UNAVAILABLE",
                "DATA_LOSS",
                "UNAUTHENTICATED",
        };

        (void)state;
        assert_int_equal(PIPIT_N_ELEMENTS(names), PIPIT_STATUS_MAX + 1);
        for (int number = 0; number <= PIPIT_STATUS_MAX; number++) {
                enum pipit_status status = PIPIT_UNKNOWN;

                assert_string_equal(pipit_status_name((enum pipit_status)number), names[number]);
                assert_true(pipit_status_parse(names[number], &status));
                assert_int_equal(status, number);
        }
}

static void a_number_or_name_that_is_no_status_is_none(void **state)
{
        enum pipit_status status = PIPIT_ABORTED;

        (void)state;
        assert_string_equal(pipit_status_name((enum pipit_status)17), "UNKNOWN");
        assert_string_equal(pipit_status_name((enum pipit_status) - 1), "UNKNOWN");
        assert_false(pipit_status_parse("not_found", &status));
        assert_false(pipit_status_parse("", &status));
        assert_false(pipit_status_parse("NOT_FOUND ", &status));
        assert_int_equal(status, PIPIT_ABORTED);
}

static void what_ran_is_told_by_three_words(void **state)
{
        static const char *const names[] = {"not_run", "may_have_run", "ran"};
        enum pipit_ran ran = PIPIT_NOT_RUN;

        (void)state;
        for (int number = 0; number < 3; number++) {
                assert_string_equal(pipit_ran_name((enum pipit_ran)number), names[number]);
                assert_true(pipit_ran_parse(names[number], &ran));
                assert_int_equal(ran, number);
        }
        assert_false(pipit_ran_parse("RAN", &ran));
        assert_int_equal(ran, PIPIT_RAN);
        assert_string_equal(pipit_ran_name((enum pipit_ran)9), "may_have_run");
}

static void origins_have_names(void **state)
{
        (void)state;
        assert_string_equal(pipit_origin_name(PIPIT_ORIGIN_LOCAL), "local");
        assert_string_equal(pipit_origin_name(PIPIT_ORIGIN_TRANSPORT), "transport");
        assert_string_equal(pipit_origin_name(PIPIT_ORIGIN_SERVER), "server");
        assert_string_equal(pipit_origin_name((enum pipit_origin)9), "local");
}

static void a_made_error_is_local_and_holds_what_it_was_given(void **state)
{
        struct pipit_error error =
                pipit_error_make(PIPIT_ABORTED, PIPIT_MAY_HAVE_RUN, "REASON", "message");

        (void)state;
        assert_int_equal(error.status, PIPIT_ABORTED);
        assert_int_equal(error.ran, PIPIT_MAY_HAVE_RUN);
        assert_int_equal(error.origin, PIPIT_ORIGIN_LOCAL);
        assert_string_equal(error.reason, "REASON");
        assert_string_equal(error.message, "message");
        assert_null(error.domain);
        assert_int_equal(error.n_violations, 0);
}

static void the_monotonic_clock_does_not_go_back(void **state)
{
        int64_t last = pipit_clock_now_us();

        (void)state;
        assert_true(last > 0);
        for (size_t i = 0; i < 1000; i++) {
                int64_t now = pipit_clock_system.now_us(pipit_clock_system.context);

                assert_true(now >= last);
                last = now;
        }
}

static void the_wall_clock_counts_microseconds_since_1970(void **state)
{
        int64_t before = pipit_clock_wall_us();
        int64_t wall = pipit_clock_system.wall_us(pipit_clock_system.context);

        (void)state;
        assert_true(before > INT64_C(1600000000) * PIPIT_US_PER_S);
        assert_true(before < INT64_C(10000000000) * PIPIT_US_PER_S);
        assert_true(wall - before < 3600 * PIPIT_US_PER_S);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_codes_are_those_of_grpc),
                cmocka_unit_test(a_number_or_name_that_is_no_status_is_none),
                cmocka_unit_test(what_ran_is_told_by_three_words),
                cmocka_unit_test(origins_have_names),
                cmocka_unit_test(a_made_error_is_local_and_holds_what_it_was_given),
                cmocka_unit_test(the_monotonic_clock_does_not_go_back),
                cmocka_unit_test(the_wall_clock_counts_microseconds_since_1970),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
