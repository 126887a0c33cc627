#include "tests/bench/bench.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "core/base/clock.h"
#include "tests/harness/harness.h"

#define SAMPLES_MAX  (1 << 20) /* latencies kept; of more, every n-th */
#define WARM_PERCENT 20        /* of the time, not counted */

static struct {
        const struct bench_contestant *contestant;
        struct latencies latencies;
        atomic_size_t n_calls; /* counted ones */
        atomic_size_t n_samples;
        atomic_size_t n_failed;
        atomic_bool counting;
        atomic_bool stopping;
        pthread_mutex_t mutex;
        pthread_cond_t changed;
        size_t n_out;
} bench = {
        .mutex = PTHREAD_MUTEX_INITIALIZER,
        .changed = PTHREAD_COND_INITIALIZER,
};

static void leave(void)
{
        (void)pthread_mutex_lock(&bench.mutex);
        bench.n_out--;
        (void)pthread_cond_signal(&bench.changed);
        (void)pthread_mutex_unlock(&bench.mutex);
}

static void count(const struct bench_slot *slot, bool ok)
{
        size_t n;

        if (!ok)
                (void)atomic_fetch_add(&bench.n_failed, 1);
        if (!atomic_load_explicit(&bench.counting, memory_order_relaxed))
                return;

        n = atomic_fetch_add(&bench.n_calls, 1);
        if (n % 4 == 0) {
                size_t i = atomic_fetch_add(&bench.n_samples, 1);

                if (i < bench.latencies.room)
                        bench.latencies.us[i] = pipit_clock_now_us() - slot->start_us;
        }
}

void bench_done(struct bench_slot *slot, bool ok)
{
        count(slot, ok);
        if (atomic_load_explicit(&bench.stopping, memory_order_relaxed)) {
                leave();
                return;
        }
        slot->start_us = pipit_clock_now_us();
        bench.contestant->start(slot);
}

static void *blocking_run(void *argument)
{
        struct bench_slot *slot = argument;

        while (!atomic_load_explicit(&bench.stopping, memory_order_relaxed)) {
                slot->start_us = pipit_clock_now_us();
                count(slot, bench.contestant->call(slot));
        }
        leave();

        return NULL;
}

static void pause_us(int64_t us)
{
        const struct timespec time = {us / PIPIT_US_PER_S, us % PIPIT_US_PER_S * 1000};

        (void)nanosleep(&time, NULL);
}

static int64_t self_cpu_us(void)
{
        struct rusage usage;

        (void)getrusage(RUSAGE_SELF, &usage);

        return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * PIPIT_US_PER_S +
               usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static int64_t process_cpu_us(pid_t pid)
{
        clockid_t clock;
        struct timespec time = {0};

        if (clock_getcpuclockid(pid, &clock) == 0)
                (void)clock_gettime(clock, &time);

        return time.tv_sec * PIPIT_US_PER_S + time.tv_nsec / 1000;
}

static void start_slots(struct bench_slot *slots, size_t n, bool blocking)
{
        bench.n_out = n;
        for (size_t i = 0; i < n; i++) {
                pthread_t thread;

                slots[i].contestant = bench.contestant->slot_new(&slots[i]);
                slots[i].start_us = pipit_clock_now_us();
                if (!blocking) {
                        bench.contestant->start(&slots[i]);
                        continue;
                }
                if (pthread_create(&thread, NULL, blocking_run, &slots[i]) != 0)
                        die("thread %zu cannot be made", i);
                (void)pthread_detach(thread);
        }
}

static void measure(pid_t server, const char *mode, size_t n, double seconds)
{
        struct bench_slot *slots = calloc(n, sizeof(*slots));
        int64_t span_us = (int64_t)(seconds * 1e6);
        int64_t start_us;
        int64_t client_us;
        int64_t server_us;
        double calls;

        if (!slots)
                die("out of memory");
        start_slots(slots, n, strcmp(mode, "blocking") == 0);
        pause_us(span_us * WARM_PERCENT / 100);
        start_us = pipit_clock_now_us();
        client_us = self_cpu_us();
        server_us = process_cpu_us(server);
        atomic_store(&bench.counting, true);
        pause_us(span_us);
        atomic_store(&bench.counting, false);
        calls = (double)atomic_load(&bench.n_calls);
        span_us = pipit_clock_now_us() - start_us;
        client_us = self_cpu_us() - client_us;
        server_us = process_cpu_us(server) - server_us;
        atomic_store(&bench.stopping, true);
        (void)pthread_mutex_lock(&bench.mutex);
        while (bench.n_out > 0)
                (void)pthread_cond_wait(&bench.changed, &bench.mutex);
        (void)pthread_mutex_unlock(&bench.mutex);

        bench.latencies.n = atomic_load(&bench.n_samples);
        if (bench.latencies.n > bench.latencies.room)
                bench.latencies.n = bench.latencies.room;
        (void)printf("{\"contestant\":\"%s\",\"mode\":\"%s\",\"n\":%zu,\"calls_per_s\":%.0f,"
                     "\"p50_us\":%lld,\"p99_us\":%lld,\"client_cpu_us\":%.2f,"
                     "\"server_cpu_us\":%.2f,\"failed\":%zu}\n",
                     bench.contestant->name,
                     mode,
                     n,
                     calls * 1e6 / (double)span_us,
                     (long long)latencies_percentile(&bench.latencies, 500),
                     (long long)latencies_percentile(&bench.latencies, 990),
                     (double)client_us / (calls > 0 ? calls : 1),
                     (double)server_us / (calls > 0 ? calls : 1),
                     atomic_load(&bench.n_failed));
        for (size_t i = 0; i < n; i++)
                bench.contestant->slot_free(&slots[i]);
        free(slots);
}

int bench_main(const struct bench_contestant *contestant, int argc, char **argv)
{
        char folder[64];
        char url[128];
        pid_t server;

        if (argc < 5 || (strcmp(argv[1], "async") != 0 && strcmp(argv[1], "blocking") != 0))
                die("usage: %s async|blocking N SECONDS SERVER", argv[0]);

        bench.contestant = contestant;
        latencies_init(&bench.latencies, SAMPLES_MAX);
        temporary_folder_make(folder);
        (void)snprintf(url, sizeof(url), "ipc://%s/s", folder);
        server = contestant->server_start(argv[4], url);
        contestant->open(url);
        measure(server, argv[1], strtoul(argv[2], NULL, 10), strtod(argv[3], NULL));
        contestant->close();
        (void)kill(server, SIGTERM);
        (void)waitpid(server, NULL, 0);
        latencies_deinit(&bench.latencies);
        temporary_folder_remove(folder);

        return atomic_load(&bench.n_failed) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
