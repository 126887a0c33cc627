#include "server/runtime/housekeeping.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/thread.h"

struct housekeeping {
        pthread_t thread;
        pthread_mutex_t mutex;
        pthread_cond_t changed;

        /* mutex */
        struct pipit_alarms alarms; /* of timers */
        struct job *first;
        struct job **last;
        int64_t wakes_us;
        bool ending;
};

/* --- thread -------------------------------------------------------------- */

static bool refs_try_hold(atomic_uint *refs)
{
        unsigned n = atomic_load(refs);

        while (n > 0) {
                if (atomic_compare_exchange_weak(refs, &n, n + 1))
                        return true;
        }

        return false;
}

static struct timer *take_due(struct housekeeping *housekeeping, int64_t now_us)
{
        struct pipit_alarm *alarm;

        while ((alarm = pipit_alarms_take(&housekeeping->alarms, now_us))) {
                struct timer *timer = pipit_container_of(alarm, struct timer, alarm);

                atomic_store(&timer->due_us, PIPIT_NEVER_US);
                if (refs_try_hold(timer->refs))
                        return timer;
        }

        return NULL;
}

static struct job *take_job(struct housekeeping *housekeeping)
{
        struct job *job = housekeeping->first;

        if (job) {
                housekeeping->first = job->next;
                if (!housekeeping->first)
                        housekeeping->last = &housekeeping->first;
        }

        return job;
}

static void wait_until(struct housekeeping *housekeeping, int64_t until_us)
{
        housekeeping->wakes_us = until_us;
        (void)pipit_cond_wait_until(&housekeeping->changed, &housekeeping->mutex, until_us);
        housekeeping->wakes_us = INT64_MIN;
}

static void *housekeeping_main(void *argument)
{
        struct housekeeping *housekeeping = argument;

        pthread_mutex_lock(&housekeeping->mutex);
        for (;;) {
                struct job *job = take_job(housekeeping);
                int64_t now_us = pipit_clock_now_us();
                struct timer *timer = housekeeping->ending ? NULL : take_due(housekeeping, now_us);

                if (job || timer) {
                        pthread_mutex_unlock(&housekeeping->mutex);
                        if (job)
                                job->run(job);
                        if (timer)
                                timer->fire(timer, now_us);
                        pthread_mutex_lock(&housekeeping->mutex);
                        continue;
                }
                if (housekeeping->ending)
                        break;
                wait_until(housekeeping, pipit_alarms_next_us(&housekeeping->alarms));
        }
        pthread_mutex_unlock(&housekeeping->mutex);

        return NULL;
}

/* --- public -------------------------------------------------------------- */

struct housekeeping *housekeeping_new(void)
{
        struct housekeeping *housekeeping = calloc(1, sizeof(*housekeeping));

        if (!housekeeping)
                return NULL;

        housekeeping->last = &housekeeping->first;
        housekeeping->wakes_us = INT64_MIN;
        pthread_mutex_init(&housekeeping->mutex, NULL);
        pipit_cond_init(&housekeeping->changed);

        if (pipit_thread_start(&housekeeping->thread, housekeeping_main, housekeeping) != 0) {
                pthread_cond_destroy(&housekeeping->changed);
                pthread_mutex_destroy(&housekeeping->mutex);
                free(housekeeping);
                return NULL;
        }

        return housekeeping;
}

void housekeeping_stop(struct housekeeping *housekeeping)
{
        pthread_mutex_lock(&housekeeping->mutex);
        housekeeping->ending = true;
        pthread_cond_signal(&housekeeping->changed);
        pthread_mutex_unlock(&housekeeping->mutex);
        pthread_join(housekeeping->thread, NULL);
}

struct housekeeping *housekeeping_free(struct housekeeping *housekeeping)
{
        if (!housekeeping)
                return NULL;

        pthread_cond_destroy(&housekeeping->changed);
        pthread_mutex_destroy(&housekeeping->mutex);
        pipit_alarms_deinit(&housekeeping->alarms);
        free(housekeeping);

        return NULL;
}

bool housekeeping_add(struct housekeeping *housekeeping,
                      struct timer *timer,
                      timer_fire_fn fire,
                      atomic_uint *refs)
{
        bool added;

        timer->fire = fire;
        timer->refs = refs;
        timer->alarm = (struct pipit_alarm){0};
        atomic_init(&timer->due_us, PIPIT_NEVER_US);

        pthread_mutex_lock(&housekeeping->mutex);
        added = pipit_alarms_enter(&housekeeping->alarms, 1);
        pthread_mutex_unlock(&housekeeping->mutex);

        return added;
}

void housekeeping_remove(struct housekeeping *housekeeping, struct timer *timer)
{
        pthread_mutex_lock(&housekeeping->mutex);
        pipit_alarms_set(&housekeeping->alarms, &timer->alarm, PIPIT_NEVER_US);
        pipit_alarms_leave(&housekeeping->alarms);
        pthread_mutex_unlock(&housekeeping->mutex);
}

void housekeeping_arm(struct housekeeping *housekeeping, struct timer *timer, int64_t due_us)
{
        if (due_us >= atomic_load(&timer->due_us))
                return;

        pthread_mutex_lock(&housekeeping->mutex);
        if (due_us < atomic_load(&timer->due_us)) {
                atomic_store(&timer->due_us, due_us);
                pipit_alarms_set(&housekeeping->alarms, &timer->alarm, due_us);
                if (due_us < housekeeping->wakes_us)
                        pthread_cond_signal(&housekeeping->changed);
        }
        pthread_mutex_unlock(&housekeeping->mutex);
}

void housekeeping_submit(struct housekeeping *housekeeping, struct job *job)
{
        job->next = NULL;

        pthread_mutex_lock(&housekeeping->mutex);
        *housekeeping->last = job;
        housekeeping->last = &job->next;
        if (housekeeping->wakes_us > INT64_MIN)
                pthread_cond_signal(&housekeeping->changed);
        pthread_mutex_unlock(&housekeeping->mutex);
}
