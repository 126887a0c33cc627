/*
 * A clock that stands still until the test moves it
 *
 * Hand &clock.clock to what takes a struct pipit_clock:
 *
 *      struct pipit_test_clock clock;
 *
 *      pipit_test_clock_init(&clock, INT64_C(1767225600) * 1000000); // 2026-01-01
 *      cache = cache_new(&clock.clock);
 *      cache_put(cache, "k", "v");
 *      pipit_test_clock_advance(&clock, CACHE_TTL_US - 1);
 *      assert_non_null(cache_get(cache, "k"));
 *      pipit_test_clock_advance(&clock, 1);
 *      assert_null(cache_get(cache, "k"));
 *      pipit_test_clock_deinit(&clock);
 *
 * Any thread may read and move it. Deadlines of channels and servers are of real
 * time, whatever this clock says: they are what ends a test that hangs.
 *
 * Public: installed, compiles alone, in C and C++.
 */

#ifndef PIPIT_TEST_CLOCK_H
#define PIPIT_TEST_CLOCK_H

#include <pipit/clock.h>
#include <pipit/macros.h>
#include <pthread.h>
#include <stdint.h>

PIPIT_BEGIN_DECLS

/* Is told when a clock has moved; embed it in what waits for a time. */
struct pipit_test_clock_watcher {
        /* Runs in the thread that moves the clock. May read it, but neither move nor watch it. */
        void (*moved)(struct pipit_test_clock_watcher *watcher);

        /* private */
        struct pipit_test_clock_watcher *next;
};

struct pipit_test_clock {
        struct pipit_clock clock;

        /* private */
        pthread_mutex_t mutex;
        int64_t now_us;
        int64_t wall_us;
        pthread_mutex_t watchers_mutex;
        struct pipit_test_clock_watcher *watchers;
};

/* Not to be moved in memory until deinit. The monotonic time begins somewhere above 0. */
PIPIT_PUBLIC void pipit_test_clock_init(struct pipit_test_clock *clock, int64_t wall_us);

/* Nobody watches it any more. */
PIPIT_PUBLIC void pipit_test_clock_deinit(struct pipit_test_clock *clock);

/* Both times go on by @us, which is not negative; then every watcher is told. */
PIPIT_PUBLIC void pipit_test_clock_advance(struct pipit_test_clock *clock, int64_t us);

/* The wall clock jumps, as when an administrator sets it; the monotonic time does not. */
PIPIT_PUBLIC void pipit_test_clock_set_wall(struct pipit_test_clock *clock, int64_t wall_us);

/* @watcher is borrowed until unwatch, after which it is not called any more. Not twice. */
PIPIT_PUBLIC void pipit_test_clock_watch(struct pipit_test_clock *clock,
                                         struct pipit_test_clock_watcher *watcher);
PIPIT_PUBLIC void pipit_test_clock_unwatch(struct pipit_test_clock *clock,
                                           struct pipit_test_clock_watcher *watcher);

PIPIT_END_DECLS

#endif
