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

static void heap_put(struct housekeeping *housekeeping, size_t index, struct timer *timer)
{
        housekeeping->heap[index] = timer;
        timer->index = index;
}

static void heap_rise(struct housekeeping *housekeeping, size_t index, struct timer *timer)
{
        while (index > 1 && due_of(housekeeping->heap[index / 2]) > due_of(timer)) {
                heap_put(housekeeping, index, housekeeping->heap[index / 2]);
                index /= 2;
        }
        heap_put(housekeeping, index, timer);
}

static void heap_sink(struct housekeeping *housekeeping, size_t index, struct timer *timer)
{
        for (;;) {
                size_t child = index * 2;

                if (child > housekeeping->n_timers)
                        break;
                if (child < housekeeping->n_timers &&
                    due_of(housekeeping->heap[child + 1]) < due_of(housekeeping->heap[child]))
                        ++child;
                if (due_of(housekeeping->heap[child]) >= due_of(timer))
                        break;
                heap_put(housekeeping, index, housekeeping->heap[child]);
                index = child;
        }
        heap_put(housekeeping, index, timer);
}

static void heap_remove(struct housekeeping *housekeeping, struct timer *timer)
{
        size_t index = timer->index;
        struct timer *moved = housekeeping->heap[housekeeping->n_timers--];

        timer->index = 0;
        if (moved == timer)
                return;
        if (index > 1 && due_of(housekeeping->heap[index / 2]) > due_of(moved))
                heap_rise(housekeeping, index, moved);
        else
                heap_sink(housekeeping, index, moved);
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

static struct timer *take_due(struct housekeeping *housekeeping, int64_t now_us)
{
        while (housekeeping->n_timers > 0 && due_of(housekeeping->heap[1]) <= now_us) {
                struct timer *timer = housekeeping->heap[1];

                heap_remove(housekeeping, timer);
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
                wait_until(housekeeping,
                           housekeeping->n_timers > 0 ? due_of(housekeeping->heap[1])
                                                      : PIPIT_NEVER_US);
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
        free(housekeeping->heap);
        free(housekeeping);

        return NULL;
}

static bool heap_reserve(struct housekeeping *housekeeping, size_t n_timers)
{
        size_t n_room = housekeeping->n_room ? housekeeping->n_room * 2 : 64;
        struct timer **heap;

        if (n_timers < housekeeping->n_room)
                return true;

        heap = realloc(housekeeping->heap, n_room * sizeof(*heap));
        if (!heap)
                return false;
        housekeeping->heap = heap;
        housekeeping->n_room = n_room;

        return true;
}

bool housekeeping_add(struct housekeeping *housekeeping,
                      struct timer *timer,
                      timer_fire_fn fire,
                      atomic_uint *refs)
{
        bool added;

        timer->fire = fire;
        timer->refs = refs;
        timer->index = 0;
        atomic_init(&timer->due_us, PIPIT_NEVER_US);

        pthread_mutex_lock(&housekeeping->mutex);
        added = heap_reserve(housekeeping, housekeeping->n_owners + 1);
        if (added)
                ++housekeeping->n_owners;
        pthread_mutex_unlock(&housekeeping->mutex);

        return added;
}

void housekeeping_remove(struct housekeeping *housekeeping, struct timer *timer)
{
        pthread_mutex_lock(&housekeeping->mutex);
        if (timer->index > 0)
                heap_remove(housekeeping, timer);
        --housekeeping->n_owners;
        pthread_mutex_unlock(&housekeeping->mutex);
}

void housekeeping_arm(struct housekeeping *housekeeping, struct timer *timer, int64_t due_us)
{
        if (due_us >= atomic_load(&timer->due_us))
                return;

        pthread_mutex_lock(&housekeeping->mutex);
        if (due_us < due_of(timer)) {
                atomic_store(&timer->due_us, due_us);
                heap_rise(housekeeping,
                          timer->index > 0 ? timer->index : ++housekeeping->n_timers,
                          timer);
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
