/* The clock of the test kit, and that code which takes a clock takes this one. */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pipit/test_clock.h>

#define WALL_US INT64_C(1767225600000000)

struct counter {
        struct pipit_test_clock_watcher watcher; /* first */
        struct pipit_test_clock *clock;
        int n_moves;
        int64_t seen_us;
};

static void count(struct pipit_test_clock_watcher *watcher)
{
        struct counter *counter = (struct counter *)watcher;

        counter->n_moves++;
        counter->seen_us = counter->clock->clock.now_us(counter->clock->clock.context);
}

static int64_t now_us(const struct pipit_test_clock *clock)
{
        return clock->clock.now_us(clock->clock.context);
}

static int64_t wall_us(const struct pipit_test_clock *clock)
{
        return clock->clock.wall_us(clock->clock.context);
}

static void a_clock_stands_still_until_it_is_moved(void **state)
{
        struct pipit_test_clock clock;
        int64_t begin_us;

        (void)state;
        pipit_test_clock_init(&clock, WALL_US);
        begin_us = now_us(&clock);
        assert_true(begin_us > 0);
        assert_true(now_us(&clock) == begin_us);
        assert_true(wall_us(&clock) == WALL_US);
        pipit_test_clock_advance(&clock, 1500);
        assert_true(now_us(&clock) == begin_us + 1500);
        assert_true(wall_us(&clock) == WALL_US + 1500);
        pipit_test_clock_deinit(&clock);
}

static void the_wall_clock_jumps_alone(void **state)
{
        struct pipit_test_clock clock;
        int64_t begin_us;

        (void)state;
        pipit_test_clock_init(&clock, WALL_US);
        begin_us = now_us(&clock);
        pipit_test_clock_set_wall(&clock, 5);
        assert_true(wall_us(&clock) == 5);
        assert_true(now_us(&clock) == begin_us);
        pipit_test_clock_deinit(&clock);
}

static void watchers_are_told_after_each_move_until_they_leave(void **state)
{
        struct pipit_test_clock clock;
        struct counter first = {.watcher.moved = count, .clock = &clock};
        struct counter second = {.watcher.moved = count, .clock = &clock};

        (void)state;
        pipit_test_clock_init(&clock, WALL_US);
        pipit_test_clock_watch(&clock, &first.watcher);
        pipit_test_clock_watch(&clock, &second.watcher);
        pipit_test_clock_advance(&clock, 7);
        assert_int_equal(first.n_moves, 1);
        assert_true(first.seen_us == now_us(&clock));
        pipit_test_clock_unwatch(&clock, &first.watcher);
        pipit_test_clock_unwatch(&clock, &first.watcher);
        pipit_test_clock_set_wall(&clock, 0);
        assert_int_equal(first.n_moves, 1);
        assert_int_equal(second.n_moves, 2);
        pipit_test_clock_unwatch(&clock, &second.watcher);
        pipit_test_clock_deinit(&clock);
}

static void *advance_many(void *context)
{
        for (int i = 0; i < 1000; i++)
                pipit_test_clock_advance(context, 1);

        return NULL;
}

static void threads_may_move_and_read_it_at_once(void **state)
{
        struct pipit_test_clock clock;
        pthread_t threads[4];
        int64_t begin_us, before_us, us;

        (void)state;
        pipit_test_clock_init(&clock, WALL_US);
        begin_us = before_us = now_us(&clock);
        for (int i = 0; i < 4; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, advance_many, &clock), 0);
        for (int i = 0; i < 1000; i++) {
                us = now_us(&clock);
                assert_true(us >= before_us);
                before_us = us;
        }
        for (int i = 0; i < 4; i++)
                pthread_join(threads[i], NULL);
        assert_true(now_us(&clock) == begin_us + 4000);
        pipit_test_clock_deinit(&clock);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_clock_stands_still_until_it_is_moved),
                cmocka_unit_test(the_wall_clock_jumps_alone),
                cmocka_unit_test(watchers_are_told_after_each_move_until_they_leave),
                cmocka_unit_test(threads_may_move_and_read_it_at_once),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
