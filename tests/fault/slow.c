/*
 * Slow among fast: calls of 100 ms must not hold up the others
 *
 *      fault-slow SERVER [SECONDS [ROUNDS]]
 *
 * Open loop: a call starts when its time has come, whatever became of those
 * before it, and its latency counts from that intended start. At 2,000/s and at
 * half of the peak, each once without and once with twice as many slow calls
 * outstanding, all the time, as the channel has lanes; the median over the
 * rounds of the ratio of the two p99 is at most 2.
 *
 * A p99 is the median of those of pieces of 100 ms: as long as a slow call takes, so each
 * of them has to do with some; but where the machine stands still for a moment (some
 * ms, many times a minute), it is the p99 of that moment's piece alone.
 *
 * The peak is that of convoys, which cost less than calls that come one by one: where
 * a sanitizer or other work makes half of it too much, so that calls pile up without
 * any slow ones, it is halved again.
 */

#include <errno.h>
#include <pipit/client.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/macros.h"
#include "echo/v1/echo.pipit.h"
#include "tests/harness/harness.h"
#include "tests/harness/windows.h"

#define N_LANES   16 /* a channel's default */
#define N_SLOW    (2 * N_LANES)
#define SLOW_MS   100
#define RATE      2000
#define N_PEAK    256 /* in flight, closed loop */
#define RATIO_MAX 2.0
#define PILE_MIN  20 /* times the p99 at RATE: calls wait for each other */
#define WARM_US   (200 * PIPIT_US_PER_MS)
#define WINDOW_US (SLOW_MS * PIPIT_US_PER_MS)
#define NS_PER_US INT64_C(1000)
#define TICK_NS   500000 /* the pacer wakes this often and starts all that is due */

struct bench {
        struct pipit_channel *channel;
        pthread_mutex_t mutex;
        pthread_cond_t changed;
        atomic_size_t n_out;
        atomic_bool stopping;
        atomic_size_t n_failed;
};

struct slow {
        struct pipit_call call;
        struct bench *bench;
};

static void bench_leave(struct bench *bench, const struct pipit_call *call)
{
        if (pipit_call_error(call)->status != PIPIT_OK)
                (void)atomic_fetch_add(&bench->n_failed, 1);
        (void)pthread_mutex_lock(&bench->mutex);
        (void)atomic_fetch_sub(&bench->n_out, 1);
        (void)pthread_cond_signal(&bench->changed);
        (void)pthread_mutex_unlock(&bench->mutex);
}

static void bench_wait(struct bench *bench)
{
        (void)pthread_mutex_lock(&bench->mutex);
        while (atomic_load(&bench->n_out) > 0)
                (void)pthread_cond_wait(&bench->changed, &bench->mutex);
        (void)pthread_mutex_unlock(&bench->mutex);
}

/* --- slow calls -------------------------------------------------------------- */

static void slow_start(struct slow *slow)
{
        Echo__V1__SleepRequest request = ECHO__V1__SLEEP_REQUEST__INIT;

        request.duration_ms = SLOW_MS;
        echo_v1_sleep_start(slow->bench->channel, &slow->call, &request);
}

static void slow_done(struct pipit_call *call)
{
        struct slow *slow = pipit_container_of(call, struct slow, call);

        if (atomic_load(&slow->bench->stopping) || pipit_call_error(call)->status != PIPIT_OK) {
                bench_leave(slow->bench, call);
                return;
        }
        pipit_call_reset(call);
        slow_start(slow);
}

static struct slow *slow_start_all(struct bench *bench)
{
        struct slow *slow = calloc(N_SLOW, sizeof(*slow));

        if (!slow)
                die("out of memory");
        for (size_t i = 0; i < N_SLOW; i++) {
                (void)atomic_fetch_add(&bench->n_out, 1);
                slow[i].bench = bench;
                slow[i].call.done = slow_done;
                slow_start(&slow[i]);
        }

        return slow;
}

/* --- fast calls -------------------------------------------------------------- */

struct fast {
        struct pipit_call call;
        struct open_loop *loop;
        int64_t intended_us;
        struct fast *next; /* in the pool */
};

/*
 * Calls started by the clock. Their objects are reused: what is measured is the
 * channel and the server, not the kernel giving out memory.
 */
struct open_loop {
        struct bench *bench;
        struct windows *windows; /* by the intended start */
        struct fast *pool;       /* mutex of the bench */
};

static void fast_done(struct pipit_call *call)
{
        struct fast *fast = pipit_container_of(call, struct fast, call);
        struct open_loop *loop = fast->loop;
        struct bench *bench = loop->bench;
        int64_t latency_us = pipit_clock_now_us() - fast->intended_us;
        bool ok = pipit_call_error(call)->status == PIPIT_OK;

        windows_add(loop->windows, fast->intended_us * NS_PER_US, latency_us * NS_PER_US);
        pipit_call_reset(call);
        (void)pthread_mutex_lock(&bench->mutex);
        if (!ok)
                (void)atomic_fetch_add(&bench->n_failed, 1);
        fast->next = loop->pool;
        loop->pool = fast;
        (void)atomic_fetch_sub(&bench->n_out, 1);
        (void)pthread_cond_signal(&bench->changed);
        (void)pthread_mutex_unlock(&bench->mutex);
}

static struct fast *fast_take(struct open_loop *loop)
{
        struct fast *fast;

        (void)pthread_mutex_lock(&loop->bench->mutex);
        fast = loop->pool;
        if (fast)
                loop->pool = fast->next;
        (void)pthread_mutex_unlock(&loop->bench->mutex);
        if (fast)
                return fast;

        fast = calloc(1, sizeof(*fast));
        if (!fast)
                die("out of memory");
        fast->loop = loop;
        fast->call.done = fast_done;

        return fast;
}

static void fast_start(struct open_loop *loop, int64_t intended_us)
{
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;
        struct fast *fast = fast_take(loop);

        (void)atomic_fetch_add(&loop->bench->n_out, 1);
        fast->intended_us = intended_us;
        request.text = (char *)"0123456789012345678901234567890123456789";
        echo_v1_echo_start(loop->bench->channel, &fast->call, &request);
}

static void pool_free(struct fast *pool)
{
        while (pool) {
                struct fast *fast = pool;

                pool = fast->next;
                pipit_call_deinit(&fast->call);
                free(fast);
        }
}

/* The p99 of @rate calls a second for @duration_us, from the intended starts. */
static int64_t open_loop_p99(struct bench *bench, double rate, int64_t duration_us)
{
        size_t n = (size_t)(rate * (double)duration_us / 1e6);
        int64_t start_us = pipit_clock_now_us();
        struct open_loop loop = {
                .bench = bench,
                .windows = windows_new((start_us + WARM_US) * NS_PER_US,
                                       (start_us + duration_us) * NS_PER_US,
                                       WINDOW_US * NS_PER_US),
        };
        int64_t p99;

        for (size_t i = 0; i < n;) {
                int64_t due_us = start_us + (int64_t)((double)i * 1e6 / rate);

                if (due_us > pipit_clock_now_us()) {
                        const struct timespec tick = {.tv_nsec = TICK_NS};

                        (void)nanosleep(&tick, NULL);
                        continue;
                }
                fast_start(&loop, due_us);
                i++;
        }
        atomic_store(&bench->stopping, true);
        bench_wait(bench);

        p99 = windows_percentile_ns(loop.windows, 0.99) / NS_PER_US;
        windows_free(loop.windows);
        pool_free(loop.pool);

        return p99;
}

static int64_t measure(struct pipit_channel *channel, double rate, int64_t us, bool with_slow)
{
        struct bench bench = {.channel = channel};
        struct slow *slow = NULL;
        int64_t p99;

        (void)pthread_mutex_init(&bench.mutex, NULL);
        (void)pthread_cond_init(&bench.changed, NULL);
        if (with_slow)
                slow = slow_start_all(&bench);
        p99 = open_loop_p99(&bench, rate, us);
        if (atomic_load(&bench.n_failed) > 0)
                (void)check(false, "%zu calls failed", atomic_load(&bench.n_failed));
        for (size_t i = 0; slow && i < N_SLOW; i++)
                pipit_call_deinit(&slow[i].call);
        free(slow);

        return p99;
}

/* --- the peak ------------------------------------------------------------------ */

struct peak {
        struct pipit_call call;
        struct bench *bench;
        atomic_size_t *n_calls;
};

static void peak_start(struct peak *peak)
{
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;

        echo_v1_echo_start(peak->bench->channel, &peak->call, &request);
}

static void peak_done(struct pipit_call *call)
{
        struct peak *peak = pipit_container_of(call, struct peak, call);

        (void)atomic_fetch_add(peak->n_calls, 1);
        if (atomic_load(&peak->bench->stopping)) {
                bench_leave(peak->bench, call);
                return;
        }
        pipit_call_reset(call);
        peak_start(peak);
}

/* Calls a second with N_PEAK in flight. */
static double measure_peak(struct pipit_channel *channel)
{
        const struct timespec second = {.tv_sec = 1};
        struct bench bench = {.channel = channel};
        struct peak *peaks = calloc(N_PEAK, sizeof(*peaks));
        atomic_size_t n_calls = 0;
        int64_t start_us;
        double rate;

        if (!peaks)
                die("out of memory");
        (void)pthread_mutex_init(&bench.mutex, NULL);
        (void)pthread_cond_init(&bench.changed, NULL);
        start_us = pipit_clock_now_us();
        for (size_t i = 0; i < N_PEAK; i++) {
                peaks[i] = (struct peak){.bench = &bench, .n_calls = &n_calls};
                peaks[i].call.done = peak_done;
                (void)atomic_fetch_add(&bench.n_out, 1);
                peak_start(&peaks[i]);
        }
        (void)nanosleep(&second, NULL); /* the time of the measurement, not a wait for an event */
        rate = (double)atomic_load(&n_calls) * 1e6 / (double)(pipit_clock_now_us() - start_us);
        atomic_store(&bench.stopping, true);
        bench_wait(&bench);
        for (size_t i = 0; i < N_PEAK; i++)
                pipit_call_deinit(&peaks[i].call);
        free(peaks);

        return rate;
}

/* What of @peak can be done without calls that pile up; @p99_us is that at RATE. */
static double find_rate(struct pipit_channel *channel, double peak, int64_t us, int64_t p99_us)
{
        double rate = peak / 2;

        while (rate / 2 >= RATE) {
                int64_t alone_us = measure(channel, rate, us, false);

                if (alone_us < PILE_MIN * p99_us)
                        break;
                note("%.0f/s is too much: p99 %lld us alone, %lld us at %d/s",
                     rate,
                     (long long)alone_us,
                     (long long)p99_us,
                     RATE);
                rate /= 2;
        }

        return rate;
}

/* The median of the p99 without slow calls. */
static int64_t compare(struct pipit_channel *channel, double rate, int64_t us, size_t n_rounds)
{
        int64_t *ratios = calloc(n_rounds, sizeof(*ratios));
        int64_t *alone_us = calloc(n_rounds, sizeof(*alone_us));
        int64_t p99_us;

        if (!ratios || !alone_us)
                die("out of memory");
        for (size_t i = 0; i < n_rounds; i++) {
                int64_t without_us = measure(channel, rate, us, false);
                int64_t with_us = measure(channel, rate, us, true);

                alone_us[i] = without_us;

                ratios[i] = with_us * 1000 / (without_us > 0 ? without_us : 1);
                note("%.0f/s: p99 %lld us alone, %lld us with %d slow calls: %.2f",
                     rate,
                     (long long)without_us,
                     (long long)with_us,
                     N_SLOW,
                     (double)ratios[i] / 1000);
        }
        (void)check((double)median(ratios, n_rounds) / 1000 <= RATIO_MAX,
                    "%.0f/s: the p99 with slow calls is %.2f of that without (median of %zu)",
                    rate,
                    (double)median(ratios, n_rounds) / 1000,
                    n_rounds);
        p99_us = median(alone_us, n_rounds);
        free(alone_us);
        free(ratios);

        return p99_us;
}

int main(int argc, char **argv)
{
        int64_t seconds = argc > 2 ? strtol(argv[2], NULL, 10) : 10;
        size_t n_rounds = argc > 3 ? strtoul(argv[3], NULL, 10) : 5;
        struct pipit_channel *channel;
        struct process server;
        char folder[64];
        char url[128];
        int64_t p99_us;
        double peak;
        double rate;

        if (argc < 2)
                die("usage: fault-slow SERVER [SECONDS [ROUNDS]]");

        temporary_folder_make(folder);
        (void)snprintf(url, sizeof(url), "ipc://%s/s", folder);
        process_start(&server, (const char *[]){argv[1], url, NULL}, NULL);
        channel = pipit_channel_new(url, NULL, NULL);
        if (!channel)
                die("no channel");

        peak = measure_peak(channel);
        note("peak with %d in flight: %.0f calls/s", N_PEAK, peak);
        p99_us = compare(channel, RATE, seconds * PIPIT_US_PER_S, n_rounds);
        rate = find_rate(channel, peak, seconds * PIPIT_US_PER_S, p99_us);
        (void)compare(channel, rate, seconds * PIPIT_US_PER_S, n_rounds);

        (void)pipit_channel_free(channel);
        (void)process_end(&server, SIGTERM);
        temporary_folder_remove(folder);

        return finish();
}
