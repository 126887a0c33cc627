#include <pipit/test_clock.h>
#include <stddef.h>

/* So that a time before the beginning is one, too. */
#define BEGIN_US INT64_C(1000000000)

static int64_t read_now(void *context)
{
        struct pipit_test_clock *clock = context;
        int64_t now_us;

        pthread_mutex_lock(&clock->mutex);
        now_us = clock->now_us;
        pthread_mutex_unlock(&clock->mutex);

        return now_us;
}

static int64_t read_wall(void *context)
{
        struct pipit_test_clock *clock = context;
        int64_t wall_us;

        pthread_mutex_lock(&clock->mutex);
        wall_us = clock->wall_us;
        pthread_mutex_unlock(&clock->mutex);

        return wall_us;
}

void pipit_test_clock_init(struct pipit_test_clock *clock, int64_t wall_us)
{
        *clock = (struct pipit_test_clock){
                .clock = {.now_us = read_now, .wall_us = read_wall, .context = clock},
                .now_us = BEGIN_US,
                .wall_us = wall_us,
        };
        pthread_mutex_init(&clock->mutex, NULL);
        pthread_mutex_init(&clock->watchers_mutex, NULL);
}

void pipit_test_clock_deinit(struct pipit_test_clock *clock)
{
        pthread_mutex_destroy(&clock->watchers_mutex);
        pthread_mutex_destroy(&clock->mutex);
}

static void tell(struct pipit_test_clock *clock)
{
        pthread_mutex_lock(&clock->watchers_mutex);
        for (struct pipit_test_clock_watcher *watcher = clock->watchers; watcher;
             watcher = watcher->next)
                watcher->moved(watcher);
        pthread_mutex_unlock(&clock->watchers_mutex);
}

void pipit_test_clock_advance(struct pipit_test_clock *clock, int64_t us)
{
        pthread_mutex_lock(&clock->mutex);
        clock->now_us += us;
        clock->wall_us += us;
        pthread_mutex_unlock(&clock->mutex);
        tell(clock);
}

void pipit_test_clock_set_wall(struct pipit_test_clock *clock, int64_t wall_us)
{
        pthread_mutex_lock(&clock->mutex);
        clock->wall_us = wall_us;
        pthread_mutex_unlock(&clock->mutex);
        tell(clock);
}

void pipit_test_clock_watch(struct pipit_test_clock *clock,
                            struct pipit_test_clock_watcher *watcher)
{
        pthread_mutex_lock(&clock->watchers_mutex);
        watcher->next = clock->watchers;
        clock->watchers = watcher;
        pthread_mutex_unlock(&clock->watchers_mutex);
}

void pipit_test_clock_unwatch(struct pipit_test_clock *clock,
                              struct pipit_test_clock_watcher *watcher)
{
        struct pipit_test_clock_watcher **at = &clock->watchers;

        pthread_mutex_lock(&clock->watchers_mutex);
        while (*at && *at != watcher)
                at = &(*at)->next;
        if (*at)
                *at = watcher->next;
        pthread_mutex_unlock(&clock->watchers_mutex);
}
