/*
 * Visitors: honest connections that come, make a call and go
 *
 *      fault-visitors URL RATE SECONDS
 *
 * RATE channels a second, each made, called by once and freed; with keys, those of
 * the configuration folder. Prints how many came and how many calls failed.
 */

#include <pipit/client.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "echo/v1/echo.pipit.h"

#define N_THREADS  16
#define TIMEOUT_MS 10000

struct visitors {
        const char *url;
        int64_t begin_us;
        int64_t end_us;
        double interval_us;
        atomic_size_t n_due;
        atomic_size_t n_came;
        atomic_size_t n_failed;
};

static void pause_until(int64_t at_us)
{
        const struct timespec until = {
                .tv_sec = (time_t)(at_us / PIPIT_US_PER_S),
                .tv_nsec = (long)(at_us % PIPIT_US_PER_S) * 1000,
        };

        (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static bool visit(const char *url)
{
        struct pipit_channel *channel = pipit_channel_new(url, NULL, NULL);
        struct pipit_call call = {.timeout_ms = TIMEOUT_MS};
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;
        const Echo__V1__EchoResponse *response;
        bool ok;

        if (!channel)
                return false;
        ok = echo_v1_echo(channel, &call, &request, &response) == PIPIT_OK;
        pipit_call_deinit(&call);
        (void)pipit_channel_free(channel);

        return ok;
}

static void *visit_on(void *context)
{
        struct visitors *visitors = context;

        for (;;) {
                size_t number = atomic_fetch_add(&visitors->n_due, 1);
                int64_t at_us =
                        visitors->begin_us + (int64_t)((double)number * visitors->interval_us);

                if (at_us >= visitors->end_us)
                        return NULL;
                pause_until(at_us);
                atomic_fetch_add(&visitors->n_came, 1);
                if (!visit(visitors->url))
                        atomic_fetch_add(&visitors->n_failed, 1);
        }
}

int main(int argc, char **argv)
{
        struct visitors visitors = {.begin_us = pipit_clock_now_us()};
        pthread_t threads[N_THREADS];

        if (argc != 4 || atof(argv[2]) <= 0) {
                (void)fprintf(stderr, "usage: fault-visitors URL RATE SECONDS\n");
                return 2;
        }
        visitors.url = argv[1];
        visitors.interval_us = 1e6 / atof(argv[2]);
        visitors.end_us = visitors.begin_us + (int64_t)(atof(argv[3]) * 1e6);

        for (size_t i = 0; i < N_THREADS; i++) {
                if (pthread_create(&threads[i], NULL, visit_on, &visitors) != 0)
                        return EXIT_FAILURE;
        }
        for (size_t i = 0; i < N_THREADS; i++)
                (void)pthread_join(threads[i], NULL);
        (void)printf("{\"came\": %zu, \"failed\": %zu}\n",
                     atomic_load(&visitors.n_came),
                     atomic_load(&visitors.n_failed));

        return EXIT_SUCCESS;
}
