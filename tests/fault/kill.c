/*
 * kill -9 in the middle of 1,000 calls, again and again
 *
 *      fault-kill SERVER [ROUNDS [keys]]
 *
 * By ipc, or with "keys" by tcp with them.
 * The server writes the number of each call that it runs to a pipe, which
 * outlives it. So we know what ran, and hold it against what the client says:
 * no call reported NOT_RUN is there, each OK call is there once, and none twice.
 */

#include <errno.h>
#include <fcntl.h>
#include <pipit/client.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/macros.h"
#include "echo/v1/echo.pipit.h"
#include "tests/harness/harness.h"
#include "tests/harness/keys.h"

#define N_CALLS      1000
#define TIMEOUT_MS   5000
#define SLEEP_MS_MAX 20
#define KILL_AFTER   300 /* replies, at least; another number each round */
#define PIPE_BYTES   (1024 * 1024)

struct one {
        struct pipit_call call;
        struct round *round;
        int64_t end_us;
};

struct round {
        pthread_mutex_t mutex;
        pthread_cond_t changed;
        size_t n_done;
        struct one calls[N_CALLS];
        unsigned int n_runs[N_CALLS]; /* as the pipe tells */
};

static void call_done(struct pipit_call *call)
{
        struct one *one = pipit_container_of(call, struct one, call);
        struct round *round = one->round;

        one->end_us = pipit_clock_now_us();
        (void)pthread_mutex_lock(&round->mutex);
        round->n_done++;
        (void)pthread_cond_signal(&round->changed);
        (void)pthread_mutex_unlock(&round->mutex);
}

static void wait_done(struct round *round, size_t n)
{
        (void)pthread_mutex_lock(&round->mutex);
        while (round->n_done < n)
                (void)pthread_cond_wait(&round->changed, &round->mutex);
        (void)pthread_mutex_unlock(&round->mutex);
}

struct place {
        const char *server_path;
        char folder[64];
        char url[128];
        bool has_keys;
};

static void start_server(struct process *server, const struct place *place, int record)
{
        char fd[16];
        const char *argv[] = {
                place->server_path, place->url, fd, place->has_keys ? place->folder : NULL, NULL};

        (void)snprintf(fd, sizeof(fd), "%d", record);
        process_start(server, argv, NULL);
}

static void start_echo(struct pipit_channel *channel, struct one *one, size_t number)
{
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;

        request.number = number;
        echo_v1_echo_start(channel, &one->call, &request);
}

static void start_sleep(struct pipit_channel *channel, struct one *one, size_t number)
{
        Echo__V1__SleepRequest request = ECHO__V1__SLEEP_REQUEST__INIT;
        char text[24];

        (void)snprintf(text, sizeof(text), "%zu", number);
        request.text = text;
        request.duration_ms = (uint32_t)(number % SLEEP_MS_MAX);
        echo_v1_sleep_start(channel, &one->call, &request);
}

/* Half of them at once, half over some time: the kill finds calls in every state. */
static void start_calls(struct round *round, struct pipit_channel *channel)
{
        for (size_t i = 0; i < N_CALLS; i++) {
                struct one *one = &round->calls[i];

                one->round = round;
                one->call.timeout_ms = TIMEOUT_MS;
                one->call.done = call_done;
                if (i % 2 == 0)
                        start_echo(channel, one, i);
                else
                        start_sleep(channel, one, i);
        }
}

/* How long until a call succeeds again. */
static int64_t time_until_success(struct pipit_channel *channel)
{
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;
        const Echo__V1__EchoResponse *response;
        struct pipit_call call = {.timeout_ms = 20000, .wait_for_ready = true};
        int64_t start_us = pipit_clock_now_us();

        request.number = N_CALLS;
        while (echo_v1_echo(channel, &call, &request, &response) != PIPIT_OK &&
               pipit_clock_now_us() < start_us + 20 * PIPIT_US_PER_S)
                pipit_call_reset(&call);
        pipit_call_deinit(&call);

        return pipit_clock_now_us() - start_us;
}

static void read_record(struct round *round, int record)
{
        uint64_t number;

        while (read(record, &number, sizeof(number)) == (ssize_t)sizeof(number)) {
                if (number < N_CALLS)
                        round->n_runs[number]++;
        }
}

static void judge(struct round *round, size_t index, int64_t start_us, int64_t until_us)
{
        size_t n_ok = 0;
        size_t n_not_run = 0;
        size_t n_lies = 0;
        size_t n_late = 0;

        for (size_t i = 0; i < N_CALLS; i++) {
                const struct pipit_error *error = pipit_call_error(&round->calls[i].call);

                n_ok += error->status == PIPIT_OK;
                n_not_run += error->status != PIPIT_OK && error->ran == PIPIT_NOT_RUN;
                if (round->n_runs[i] > 1 || (error->status == PIPIT_OK && round->n_runs[i] != 1) ||
                    (error->status != PIPIT_OK && error->ran == PIPIT_NOT_RUN &&
                     round->n_runs[i] != 0)) {
                        note("call %zu: %s %s (%s), ran %u times",
                             i,
                             pipit_status_name(error->status),
                             error->reason ? error->reason : "",
                             pipit_ran_name(error->ran),
                             round->n_runs[i]);
                        n_lies++;
                }
                /* A second of grace: a busy machine wakes threads late. */
                n_late += round->calls[i].end_us > start_us + (TIMEOUT_MS + 1000) * PIPIT_US_PER_MS;
        }

        (void)check(n_lies == 0 && n_late == 0,
                    "round %zu: %zu ok, %zu not run, %zu may have run; %zu lies, %zu late; "
                    "next success after %lld ms",
                    index,
                    n_ok,
                    n_not_run,
                    N_CALLS - n_ok - n_not_run,
                    n_lies,
                    n_late,
                    (long long)(until_us / PIPIT_US_PER_MS));
}

static int64_t run_round(const struct place *place, size_t index)
{
        struct round *round = calloc(1, sizeof(*round));
        struct pipit_channel *channel = pipit_channel_new(place->url, NULL, NULL);
        struct process server;
        int64_t start_us;
        int64_t until_us;
        int record[2];

        if (!round || !channel || pipe(record) < 0)
                die("round %zu: %s", index, strerror(errno));
        (void)fcntl(record[0], F_SETFD, FD_CLOEXEC);
        (void)fcntl(record[0], F_SETPIPE_SZ, PIPE_BYTES);
        (void)pthread_mutex_init(&round->mutex, NULL);
        (void)pthread_cond_init(&round->changed, NULL);

        start_server(&server, place, record[1]);
        (void)time_until_success(channel);
        start_us = pipit_clock_now_us();
        start_calls(round, channel);
        wait_done(round, KILL_AFTER + index * 17);
        (void)process_end(&server, SIGKILL);
        start_server(&server, place, record[1]);
        until_us = time_until_success(channel);
        wait_done(round, N_CALLS);
        (void)process_end(&server, SIGKILL);

        (void)close(record[1]);
        read_record(round, record[0]);
        (void)close(record[0]);
        judge(round, index, start_us, until_us);
        for (size_t i = 0; i < N_CALLS; i++)
                pipit_call_deinit(&round->calls[i].call);
        (void)pipit_channel_free(channel);
        free(round);

        return until_us;
}

/* The channel finds its keys where the configuration is. */
static void place_make(struct place *place, const char *server_path, bool has_keys)
{
        place->server_path = server_path;
        place->has_keys = has_keys;
        temporary_folder_make(place->folder);
        if (!has_keys) {
                (void)snprintf(place->url, sizeof(place->url), "ipc://%s/s", place->folder);
                return;
        }
        free_tcp_url(place->url);
        key_folder_fill(place->folder, place->url);
        (void)setenv("PIPIT_CONFIG_DIR", place->folder, 1);
}

int main(int argc, char **argv)
{
        size_t n_rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 20;
        int64_t *until = calloc(n_rounds, sizeof(*until));
        struct place place;

        if (argc < 2 || !until)
                die("usage: fault-kill SERVER [ROUNDS [keys]]");

        place_make(&place, argv[1], argc > 3);
        for (size_t i = 0; i < n_rounds; i++)
                until[i] = run_round(&place, i);
        note("time from restart to the next success: median %lld ms",
             (long long)(median(until, n_rounds) / PIPIT_US_PER_MS));
        temporary_folder_remove(place.folder);
        free(until);

        return finish();
}
