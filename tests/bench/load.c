#include "tests/bench/load.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "tests/harness/harness.h"
#include "tests/harness/tally.h"

#define NS_PER_S      INT64_C(1000000000)
#define THREAD_STACK  (256 * 1024)
#define SLOTS_A_CHUNK 64

/* The slots of one connection. */
struct pool {
        struct bench_slot *free;
        size_t n_slots;
};

static struct {
        const struct load *load;
        int64_t begun_ns;
        struct bench_slot **chunks; /* of SLOTS_A_CHUNK: slots do not move */
        size_t n_slots;
        size_t n_free;      /* in the pools */
        struct pool *pools; /* open: the pacer's, one a connection */
        pthread_t *threads;
        size_t n_threads;
        _Atomic(struct bench_slot *)
                returned; /* open: free slots, pushed by whoever ended a call */
        atomic_uint_fast64_t n_failed;
        uint64_t n_dropped; /* the pacer's until it is joined */
        pthread_mutex_t mutex;
        pthread_cond_t changed;
        size_t n_out;
} run = {
        .mutex = PTHREAD_MUTEX_INITIALIZER,
        .changed = PTHREAD_COND_INITIALIZER,
};

int64_t load_now_ns(void)
{
        struct timespec time;

        (void)clock_gettime(CLOCK_MONOTONIC, &time);

        return time.tv_sec * NS_PER_S + time.tv_nsec;
}

void load_sleep_until(int64_t ns)
{
        const struct timespec time = {ns / NS_PER_S, ns % NS_PER_S};

        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) != 0)
                ;
}

/* --- slots ---------------------------------------------------------------------- */

/* By the order in which they were made. */
static struct bench_slot *slot_at(size_t n)
{
        return &run.chunks[n / SLOTS_A_CHUNK][n % SLOTS_A_CHUNK];
}

static struct bench_slot *slot_make(size_t index)
{
        struct bench_slot *slot;

        if (run.n_slots % SLOTS_A_CHUNK == 0) {
                struct bench_slot *chunk = calloc(SLOTS_A_CHUNK, sizeof(*chunk));

                run.chunks = realloc(run.chunks, (run.n_slots / SLOTS_A_CHUNK + 1) * sizeof(chunk));
                if (!chunk || !run.chunks)
                        die("out of memory");
                run.chunks[run.n_slots / SLOTS_A_CHUNK] = chunk;
        }
        slot = slot_at(run.n_slots++);
        slot->index = index;
        slot->contestant = run.load->contestant->slot_new(slot);

        return slot;
}

static void slots_free(void)
{
        for (size_t i = 0; i < run.n_slots; i++)
                run.load->contestant->slot_free(slot_at(i));
        for (size_t i = 0; i < run.n_slots; i += SLOTS_A_CHUNK)
                free(run.chunks[i / SLOTS_A_CHUNK]);
        free(run.chunks);
}

static void leave(void)
{
        (void)pthread_mutex_lock(&run.mutex);
        if (--run.n_out == 0)
                (void)pthread_cond_signal(&run.changed);
        (void)pthread_mutex_unlock(&run.mutex);
}

/* --- counting --------------------------------------------------------------------- */

/* A closed load counts what ends in the span, an open one what was to start in it. */
static void count(const struct bench_slot *slot, bool ok, int64_t now_ns)
{
        int64_t at_ns = run.load->kind == LOAD_OPEN ? slot->start_ns : now_ns;

        if (!ok) {
                (void)atomic_fetch_add(&run.n_failed, 1);
                return;
        }
        if (at_ns < run.load->from_ns || at_ns >= run.load->to_ns)
                return;
        tally_add(now_ns - slot->start_ns);
        if (run.load->windows)
                windows_add(run.load->windows, at_ns, now_ns - slot->start_ns);
}

static void slot_return(struct bench_slot *slot)
{
        slot->next = atomic_load_explicit(&run.returned, memory_order_relaxed);
        while (!atomic_compare_exchange_weak_explicit(
                &run.returned, &slot->next, slot, memory_order_release, memory_order_relaxed))
                ;
}

void bench_done(struct bench_slot *slot, bool ok)
{
        int64_t now_ns = load_now_ns();

        count(slot, ok, now_ns);
        if (run.load->kind == LOAD_OPEN) {
                slot_return(slot);
                return;
        }
        if (now_ns >= run.load->to_ns) {
                leave();
                return;
        }
        slot->start_ns = now_ns;
        run.load->contestant->start(slot);
}

/* --- closed and blocking -------------------------------------------------------------- */

static void *blocking_run(void *argument)
{
        struct bench_slot *slot = argument;
        int64_t now_ns = load_now_ns();

        while (now_ns < run.load->to_ns) {
                bool ok;

                slot->start_ns = now_ns;
                ok = run.load->contestant->call(slot);
                now_ns = load_now_ns();
                count(slot, ok, now_ns);
        }

        return NULL;
}

static void thread_start(void *(*function)(void *), void *argument)
{
        pthread_attr_t attributes;

        (void)pthread_attr_init(&attributes);
        (void)pthread_attr_setstacksize(&attributes, THREAD_STACK);
        if (pthread_create(&run.threads[run.n_threads], &attributes, function, argument) != 0)
                die("thread %zu cannot be made", run.n_threads);
        run.n_threads++;
        (void)pthread_attr_destroy(&attributes);
}

static void closed_start(void)
{
        run.n_out = run.load->n;
        for (size_t i = 0; i < run.load->n; i++) {
                struct bench_slot *slot = slot_make(i);

                slot->start_ns = load_now_ns();
                run.load->contestant->start(slot);
        }
}

/* --- open ----------------------------------------------------------------------------- */

/* xorshift64*: arrivals are the same for every contestant of a round. */
static double uniform(uint64_t *state)
{
        *state ^= *state >> 12;
        *state ^= *state << 25;
        *state ^= *state >> 27;

        return ((double)((*state * UINT64_C(2685821657736338717)) >> 12) + 0.5) * 0x1p-52;
}

static size_t n_connections(void)
{
        return run.load->n_connections > 0 ? run.load->n_connections : 1;
}

/* Puts those that came back where they belong. */
static void slots_sort(void)
{
        struct bench_slot *slot =
                atomic_exchange_explicit(&run.returned, NULL, memory_order_acquire);

        for (struct bench_slot *next; slot; slot = next, run.n_free++) {
                struct pool *pool = &run.pools[slot->index % n_connections()];

                next = slot->next;
                slot->next = pool->free;
                pool->free = slot;
        }
}

/* A free slot of a connection, or a new one. NULL: as many calls as may be are in flight. */
static struct bench_slot *slot_take(size_t connection)
{
        struct pool *pool = &run.pools[connection];
        struct bench_slot *slot;

        if (!pool->free)
                slots_sort();
        slot = pool->free;
        if (slot) {
                pool->free = slot->next;
                run.n_free--;
        } else if (run.n_slots - run.n_free < run.load->n) {
                slot = slot_make(connection + n_connections() * pool->n_slots++);
        }

        return slot;
}

/* Waits until each slot that was made has come back. */
static void slots_await(void)
{
        for (slots_sort(); run.n_free < run.n_slots; slots_sort())
                load_sleep_until(load_now_ns() + 1000000);
}

/*
 * Starts each call at its time, or as soon after as it gets to it: what is late
 * already goes without a sleep between. No arrival waits for an answer.
 */
static void *pacer_run(void *unused)
{
        uint64_t state = run.load->seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
        double mean_ns = (double)NS_PER_S / run.load->rate;
        double due_ns = (double)run.begun_ns;

        (void)unused;
        (void)prctl(PR_SET_TIMERSLACK, 1UL);
        while ((due_ns += -log(uniform(&state)) * mean_ns) < (double)run.load->to_ns) {
                struct bench_slot *slot;

                if ((int64_t)due_ns > load_now_ns())
                        load_sleep_until((int64_t)due_ns);
                slot = slot_take((size_t)(uniform(&state) * (double)n_connections()));
                if (!slot) {
                        run.n_dropped++;
                        break;
                }
                slot->start_ns = (int64_t)due_ns;
                run.load->contestant->start(slot);
        }
        slots_await();

        return NULL;
}

/* ---------------------------------------------------------------------------------------- */

void load_start(const struct load *load)
{
        run.load = load;
        run.begun_ns = load_now_ns();
        run.n_slots = 0;
        run.n_free = 0;
        run.n_threads = 0;
        run.n_dropped = 0;
        atomic_store(&run.n_failed, 0);
        atomic_store(&run.returned, NULL);
        run.chunks = NULL;
        run.threads = calloc(load->kind == LOAD_BLOCKING ? load->n : 1, sizeof(*run.threads));
        run.pools = calloc(n_connections(), sizeof(*run.pools));
        if (!run.threads || !run.pools)
                die("out of memory");

        if (load->kind == LOAD_CLOSED)
                closed_start();
        else if (load->kind == LOAD_OPEN)
                thread_start(pacer_run, NULL);
        else
                for (size_t i = 0; i < load->n; i++)
                        thread_start(blocking_run, slot_make(i));
}

struct load_result load_finish(void)
{
        struct load_result result;

        (void)pthread_mutex_lock(&run.mutex);
        while (run.n_out > 0)
                (void)pthread_cond_wait(&run.changed, &run.mutex);
        (void)pthread_mutex_unlock(&run.mutex);
        for (size_t i = 0; i < run.n_threads; i++)
                (void)pthread_join(run.threads[i], NULL);

        result.n_failed = atomic_load(&run.n_failed);
        result.n_dropped = run.n_dropped;
        slots_free();
        free(run.pools);
        free(run.threads);

        return result;
}
