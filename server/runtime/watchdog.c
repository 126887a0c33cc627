#include "server/runtime/watchdog.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/thread.h"
#include "server/runtime/rep.h"

struct watchdog {
        struct rep_endpoint *const *endpoints;
        size_t n_endpoints;
        uint32_t period_ms;
        struct pipit_log *log;

        pthread_t thread;
        pthread_mutex_t mutex;
        pthread_cond_t changed;
        bool ending;        /* mutex */
        bool is_deserted[]; /* an endpoint; was so before */
};

static void look_after(struct watchdog *watchdog, size_t index)
{
        struct rep_endpoint *endpoint = watchdog->endpoints[index];
        bool was_deserted = watchdog->is_deserted[index];
        enum rep_state state = rep_endpoint_look_after(endpoint);

        watchdog->is_deserted[index] = state == REP_DESERTED;
        if (state == REP_LISTENS_ANEW)
                pipit_log_line(watchdog->log,
                               PIPIT_LOG_WARNING,
                               "the ipc socket was removed; listening anew",
                               PIPIT_LOG_STRING("url", rep_endpoint_url(endpoint)));
        if (state == REP_DESERTED && !was_deserted)
                pipit_log_line(watchdog->log,
                               PIPIT_LOG_ERROR,
                               "the ipc socket was removed, and cannot be made again",
                               PIPIT_LOG_STRING("url", rep_endpoint_url(endpoint)));
}

/* --- thread -------------------------------------------------------------- */

/* With the mutex. False: it is over. */
static bool pause_until(struct watchdog *watchdog, int64_t until_us)
{
        while (!watchdog->ending && pipit_clock_now_us() < until_us)
                (void)pipit_cond_wait_until(&watchdog->changed, &watchdog->mutex, until_us);

        return !watchdog->ending;
}

static void *watchdog_main(void *argument)
{
        struct watchdog *watchdog = argument;

        pthread_mutex_lock(&watchdog->mutex);
        while (pause_until(watchdog,
                           pipit_clock_now_us() + watchdog->period_ms * PIPIT_US_PER_MS)) {
                pthread_mutex_unlock(&watchdog->mutex);
                for (size_t i = 0; i < watchdog->n_endpoints; ++i)
                        look_after(watchdog, i);
                pthread_mutex_lock(&watchdog->mutex);
        }
        pthread_mutex_unlock(&watchdog->mutex);

        return NULL;
}

struct watchdog *watchdog_new(struct rep_endpoint *const *endpoints,
                              size_t n_endpoints,
                              uint32_t period_ms,
                              struct pipit_log *log)
{
        struct watchdog *watchdog =
                calloc(1, sizeof(*watchdog) + n_endpoints * sizeof(watchdog->is_deserted[0]));

        if (!watchdog)
                return NULL;

        watchdog->endpoints = endpoints;
        watchdog->n_endpoints = n_endpoints;
        watchdog->period_ms = period_ms;
        watchdog->log = log;
        pthread_mutex_init(&watchdog->mutex, NULL);
        pipit_cond_init(&watchdog->changed);

        if (pipit_thread_start(&watchdog->thread, watchdog_main, watchdog) != 0) {
                pthread_cond_destroy(&watchdog->changed);
                pthread_mutex_destroy(&watchdog->mutex);
                free(watchdog);
                return NULL;
        }

        return watchdog;
}

struct watchdog *watchdog_free(struct watchdog *watchdog)
{
        if (!watchdog)
                return NULL;

        pthread_mutex_lock(&watchdog->mutex);
        watchdog->ending = true;
        pthread_cond_signal(&watchdog->changed);
        pthread_mutex_unlock(&watchdog->mutex);
        pthread_join(watchdog->thread, NULL);
        pthread_cond_destroy(&watchdog->changed);
        pthread_mutex_destroy(&watchdog->mutex);
        free(watchdog);

        return NULL;
}
