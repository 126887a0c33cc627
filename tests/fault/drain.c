/*
 * SIGTERM under load, again and again
 *
 *      fault-drain SERVER [ROUNDS]
 *
 * Callers keep 256 calls in flight while the server is told to stop. Each time
 * it exits 0, and no call is left in doubt: it succeeded, or it certainly did
 * not run.
 */

#include <errno.h>
#include <pipit/client.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "core/base/macros.h"
#include "echo/v1/echo.pipit.h"
#include "tests/harness/harness.h"

#define N_CALLS      256
#define SLEEP_MS_MAX 30
#define TERM_AFTER   2000 /* answers */

struct load {
        struct pipit_channel *channel;
        pthread_mutex_t mutex;
        pthread_cond_t changed;
        bool stopping;
        size_t n_running;
        size_t n_ok;
        size_t n_not_run;
        size_t n_doubtful;
};

struct caller {
        struct pipit_call call;
        struct load *load;
        uint32_t n;
};

static void caller_start(struct caller *caller);

static void caller_done(struct pipit_call *call)
{
        struct caller *caller = pipit_container_of(call, struct caller, call);
        struct load *load = caller->load;
        const struct pipit_error *error = pipit_call_error(call);
        bool again;

        (void)pthread_mutex_lock(&load->mutex);
        if (error->status == PIPIT_OK)
                load->n_ok++;
        else if (error->ran == PIPIT_NOT_RUN)
                load->n_not_run++;
        else if (load->n_doubtful++ < 5)
                note("%s %s (%s): %s",
                     pipit_status_name(error->status),
                     error->reason ? error->reason : "",
                     pipit_ran_name(error->ran),
                     error->message ? error->message : "");
        /* Once a call was refused the server is going: this caller has seen enough. */
        again = !load->stopping && error->status == PIPIT_OK;
        if (!again)
                load->n_running--;
        (void)pthread_cond_signal(&load->changed);
        (void)pthread_mutex_unlock(&load->mutex);

        if (again)
                caller_start(caller);
}

static void caller_start(struct caller *caller)
{
        Echo__V1__EchoRequest echo = ECHO__V1__ECHO_REQUEST__INIT;
        Echo__V1__SleepRequest sleep = ECHO__V1__SLEEP_REQUEST__INIT;

        pipit_call_reset(&caller->call);
        if (caller->n++ % 4 != 0) {
                echo.number = caller->n;
                echo_v1_echo_start(caller->load->channel, &caller->call, &echo);
        } else {
                sleep.duration_ms = caller->n % SLEEP_MS_MAX;
                echo_v1_sleep_start(caller->load->channel, &caller->call, &sleep);
        }
}

static void wait_until(struct load *load, bool (*reached)(const struct load *load))
{
        (void)pthread_mutex_lock(&load->mutex);
        while (!reached(load))
                (void)pthread_cond_wait(&load->changed, &load->mutex);
        (void)pthread_mutex_unlock(&load->mutex);
}

static bool is_warm(const struct load *load)
{
        return load->n_ok >= TERM_AFTER || load->n_running == 0;
}

static bool is_over(const struct load *load)
{
        return load->n_running == 0;
}

static void run_round(const char *server_path, const char *url, size_t index)
{
        const char *argv[] = {server_path, url, NULL};
        struct load load = {.n_running = N_CALLS};
        struct caller *callers = calloc(N_CALLS, sizeof(*callers));
        struct process server;
        int status;

        process_start(&server, argv, NULL);
        load.channel = pipit_channel_new(url, NULL, NULL);
        if (!callers || !load.channel)
                die("round %zu: %s", index, strerror(errno));
        (void)pthread_mutex_init(&load.mutex, NULL);
        (void)pthread_cond_init(&load.changed, NULL);

        for (size_t i = 0; i < N_CALLS; i++) {
                callers[i].load = &load;
                callers[i].n = (uint32_t)i;
                callers[i].call.done = caller_done;
                callers[i].call.timeout_ms = 20000;
                caller_start(&callers[i]);
        }
        wait_until(&load, is_warm);
        status = process_end(&server, SIGTERM);
        wait_until(&load, is_over);

        (void)check(WIFEXITED(status) && WEXITSTATUS(status) == 0 && load.n_doubtful == 0 &&
                            load.n_ok >= TERM_AFTER,
                    "round %zu: exit %d%s; %zu ok, %zu not run, %zu in doubt",
                    index,
                    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status),
                    WIFEXITED(status) ? "" : " (signal)",
                    load.n_ok,
                    load.n_not_run,
                    load.n_doubtful);
        for (size_t i = 0; i < N_CALLS; i++)
                pipit_call_deinit(&callers[i].call);
        (void)pipit_channel_free(load.channel);
        free(callers);
}

int main(int argc, char **argv)
{
        size_t n_rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 50;
        char folder[64];
        char url[128];

        if (argc < 2)
                die("usage: fault-drain SERVER [ROUNDS]");

        temporary_folder_make(folder);
        (void)snprintf(url, sizeof(url), "ipc://%s/s", folder);
        for (size_t i = 0; i < n_rounds; i++)
                run_round(argv[1], url, i);
        temporary_folder_remove(folder);

        return finish();
}
