#include "server/runtime/housekeeping.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/clock.h"

struct housekeeping {
        pthread_t thread;
        pthread_mutex_t mutex;
        pthread_cond_t changed;

        /* mutex */
        struct timer **heap; /* from 1 */
        size_t n_timers;
        size_t n_owners;
        size_t n_room; /* more than n_owners */
        struct job *first;
        struct job **last;
        int64_t wakes_us;
        bool ending;
};

/* --- heap ---------------------------------------------------------------- */

static int64_t due_of(const struct timer *timer)
{
        return atomic_load_explicit(&timer->due_us, memory_order_relaxed);
}

static void heap_put(struct housekeeping *hk, size_t index, struct timer *timer)
{
        hk->heap[index] = timer;
        timer->index = index;
}

static void heap_rise(struct housekeeping *hk, size_t index, struct timer *timer)
{
        while (index > 1 && due_of(hk->heap[index / 2]) > due_of(timer)) {
                heap_put(hk, index, hk->heap[index / 2]);
                index /= 2;
        }
        heap_put(hk, index, timer);
}

static void heap_sink(struct housekeeping *hk, size_t index, struct timer *timer)
{
        for (;;) {
                size_t child = index * 2;

                if (child > hk->n_timers)
                        break;
                if (child < hk->n_timers && due_of(hk->heap[child + 1]) < due_of(hk->heap[child]))
                        ++child;
                if (due_of(hk->heap[child]) >= due_of(timer))
                        break;
                heap_put(hk, index, hk->heap[child]);
                index = child;
        }
        heap_put(hk, index, timer);
}

static void heap_remove(struct housekeeping *hk, struct timer *timer)
{
        size_t index = timer->index;
        struct timer *moved = hk->heap[hk->n_timers--];

        timer->index = 0;
        if (moved == timer)
                return;
        if (index > 1 && due_of(hk->heap[index / 2]) > due_of(moved))
                heap_rise(hk, index, moved);
        else
                heap_sink(hk, index, moved);
}

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

static struct timer *take_due(struct housekeeping *hk, int64_t now_us)
{
        while (hk->n_timers > 0 && due_of(hk->heap[1]) <= now_us) {
                struct timer *timer = hk->heap[1];

                heap_remove(hk, timer);
                atomic_store(&timer->due_us, PIPIT_NEVER_US);
                if (refs_try_hold(timer->refs))
                        return timer;
        }

        return NULL;
}

static struct job *take_job(struct housekeeping *hk)
{
        struct job *job = hk->first;

        if (job) {
                hk->first = job->next;
                if (!hk->first)
                        hk->last = &hk->first;
        }

        return job;
}

static void wait_until(struct housekeeping *hk, int64_t until_us)
{
        struct timespec until;

        hk->wakes_us = until_us;
        if (until_us == PIPIT_NEVER_US) {
                pthread_cond_wait(&hk->changed, &hk->mutex);
        } else {
                until.tv_sec = (time_t)(until_us / PIPIT_US_PER_S);
                until.tv_nsec = (long)(until_us % PIPIT_US_PER_S) * 1000;
                pthread_cond_timedwait(&hk->changed, &hk->mutex, &until);
        }
        hk->wakes_us = INT64_MIN;
}

static void *housekeeping_main(void *argument)
{
        struct housekeeping *hk = argument;

        pthread_mutex_lock(&hk->mutex);
        for (;;) {
                struct job *job = take_job(hk);
                int64_t now_us = pipit_clock_now_us();
                struct timer *timer = hk->ending ? NULL : take_due(hk, now_us);

                if (job || timer) {
                        pthread_mutex_unlock(&hk->mutex);
                        if (job)
                                job->run(job);
                        if (timer)
                                timer->fire(timer, now_us);
                        pthread_mutex_lock(&hk->mutex);
                        continue;
                }
                if (hk->ending)
                        break;
                wait_until(hk, hk->n_timers > 0 ? due_of(hk->heap[1]) : PIPIT_NEVER_US);
        }
        pthread_mutex_unlock(&hk->mutex);

        return NULL;
}

/* --- public -------------------------------------------------------------- */

struct housekeeping *housekeeping_new(void)
{
        struct housekeeping *hk = calloc(1, sizeof(*hk));
        pthread_condattr_t attributes;

        if (!hk)
                return NULL;

        hk->last = &hk->first;
        hk->wakes_us = INT64_MIN;
        pthread_mutex_init(&hk->mutex, NULL);
        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(&hk->changed, &attributes);
        pthread_condattr_destroy(&attributes);

        if (pthread_create(&hk->thread, NULL, housekeeping_main, hk) != 0) {
                pthread_cond_destroy(&hk->changed);
                pthread_mutex_destroy(&hk->mutex);
                free(hk);
                return NULL;
        }

        return hk;
}

void housekeeping_stop(struct housekeeping *hk)
{
        pthread_mutex_lock(&hk->mutex);
        hk->ending = true;
        pthread_cond_signal(&hk->changed);
        pthread_mutex_unlock(&hk->mutex);
        pthread_join(hk->thread, NULL);
}

struct housekeeping *housekeeping_free(struct housekeeping *hk)
{
        if (!hk)
                return NULL;

        pthread_cond_destroy(&hk->changed);
        pthread_mutex_destroy(&hk->mutex);
        free(hk->heap);
        free(hk);

        return NULL;
}

static bool heap_reserve(struct housekeeping *hk, size_t n_timers)
{
        size_t n_room = hk->n_room ? hk->n_room * 2 : 64;
        struct timer **heap;

        if (n_timers < hk->n_room)
                return true;

        heap = realloc(hk->heap, n_room * sizeof(*heap));
        if (!heap)
                return false;
        hk->heap = heap;
        hk->n_room = n_room;

        return true;
}

bool housekeeping_add(struct housekeeping *hk,
                      struct timer *timer,
                      timer_fire_fn fire,
                      atomic_uint *refs)
{
        bool added;

        timer->fire = fire;
        timer->refs = refs;
        timer->index = 0;
        atomic_init(&timer->due_us, PIPIT_NEVER_US);

        pthread_mutex_lock(&hk->mutex);
        added = heap_reserve(hk, hk->n_owners + 1);
        if (added)
                ++hk->n_owners;
        pthread_mutex_unlock(&hk->mutex);

        return added;
}

void housekeeping_remove(struct housekeeping *hk, struct timer *timer)
{
        pthread_mutex_lock(&hk->mutex);
        if (timer->index > 0)
                heap_remove(hk, timer);
        --hk->n_owners;
        pthread_mutex_unlock(&hk->mutex);
}

void housekeeping_arm(struct housekeeping *hk, struct timer *timer, int64_t due_us)
{
        if (due_us >= atomic_load(&timer->due_us))
                return;

        pthread_mutex_lock(&hk->mutex);
        if (due_us < due_of(timer)) {
                atomic_store(&timer->due_us, due_us);
                heap_rise(hk, timer->index > 0 ? timer->index : ++hk->n_timers, timer);
                if (due_us < hk->wakes_us)
                        pthread_cond_signal(&hk->changed);
        }
        pthread_mutex_unlock(&hk->mutex);
}

void housekeeping_submit(struct housekeeping *hk, struct job *job)
{
        job->next = NULL;

        pthread_mutex_lock(&hk->mutex);
        *hk->last = job;
        hk->last = &job->next;
        if (hk->wakes_us > INT64_MIN)
                pthread_cond_signal(&hk->changed);
        pthread_mutex_unlock(&hk->mutex);
}
