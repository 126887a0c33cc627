#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/alarms.h"
#include "core/base/clock.h"

#define N_ALARMS 300

struct set_of {
        struct pipit_alarms alarms;
        struct pipit_alarm all[N_ALARMS];
};

/* Times that come in no order, some of them twice. */
static int64_t time_of(size_t i)
{
        return (int64_t)(i * 7919 % 257);
}

static int set_up(void **state)
{
        struct set_of *set = calloc(1, sizeof(*set));

        assert_non_null(set);
        for (size_t i = 0; i < N_ALARMS; i++) {
                assert_true(pipit_alarms_enter(&set->alarms, 1));
                pipit_alarms_set(&set->alarms, &set->all[i], time_of(i));
        }
        *state = set;

        return 0;
}

static int tear_down(void **state)
{
        struct set_of *set = *state;

        pipit_alarms_deinit(&set->alarms);
        free(set);

        return 0;
}

/* Takes them all; how many there were. */
static size_t take_in_order(struct set_of *set)
{
        int64_t last_us = INT64_MIN;
        struct pipit_alarm *alarm;
        size_t n = 0;

        while ((alarm = pipit_alarms_take(&set->alarms, INT64_MAX - 1))) {
                assert_true(alarm->at_us >= last_us);
                last_us = alarm->at_us;
                n++;
        }
        assert_int_equal(pipit_alarms_next_us(&set->alarms), PIPIT_NEVER_US);

        return n;
}

static void the_soonest_comes_first(void **state)
{
        assert_int_equal(take_in_order(*state), N_ALARMS);
}

static void what_is_not_due_stays(void **state)
{
        struct set_of *set = *state;

        assert_int_equal(pipit_alarms_next_us(&set->alarms), 0);
        assert_null(pipit_alarms_take(&set->alarms, -1));
        assert_non_null(pipit_alarms_take(&set->alarms, 0));
}

static void an_alarm_can_be_set_anew_and_not_at_all(void **state)
{
        struct set_of *set = *state;
        size_t n_left = N_ALARMS;

        for (size_t i = 0; i < N_ALARMS; i++) {
                bool is_off = i % 3 == 0;

                pipit_alarms_set(
                        &set->alarms, &set->all[i], is_off ? PIPIT_NEVER_US : 1000 - time_of(i));
                n_left -= is_off;
        }
        pipit_alarms_set(&set->alarms, &set->all[0], PIPIT_NEVER_US);
        assert_int_equal(take_in_order(set), n_left);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(the_soonest_comes_first, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_is_not_due_stays, set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        an_alarm_can_be_set_anew_and_not_at_all, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
