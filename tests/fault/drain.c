/*
 * SIGTERM under load, again and again
 *
 *      fault-drain SERVER [ROUNDS [STORE]]
 *
 * Callers keep 256 calls in flight while the server is told to stop. Each time
 * it exits 0, and no call is left in doubt: it was answered, or it certainly did
 * not run. SERVER is fault-server; with a STORE it is usersd, which users are
 * created and looked for in.
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
#include "users/v1/users.pipit.h"

#define N_CALLS      256
#define SLEEP_MS_MAX 30
#define TERM_AFTER   2000 /* answers */

struct caller;

struct load {
        struct pipit_channel *channel;
        pthread_mutex_t mutex;
        pthread_cond_t changed;
        bool stopping;
        void (*start)(struct caller *caller);
        size_t round;
        size_t n_running;
        size_t n_answered;
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
        bool answered = error->status == PIPIT_OK || error->status == PIPIT_NOT_FOUND;
        bool again;

        (void)pthread_mutex_lock(&load->mutex);
        if (answered)
                load->n_answered++;
        else if (error->ran == PIPIT_NOT_RUN)
                load->n_not_run++;
        else if (load->n_doubtful++ < 5)
                note("%s %s (%s): %s",
                     pipit_status_name(error->status),
                     error->reason ? error->reason : "",
                     pipit_ran_name(error->ran),
                     error->message ? error->message : "");
        /* Once a call was refused the server is going: this caller has seen enough. */
        again = !load->stopping && answered;
        if (!again)
                load->n_running--;
        (void)pthread_cond_signal(&load->changed);
        (void)pthread_mutex_unlock(&load->mutex);

        if (again)
                caller_start(caller);
}

static void echo_start(struct caller *caller)
{
        Echo__V1__EchoRequest echo = ECHO__V1__ECHO_REQUEST__INIT;
        Echo__V1__SleepRequest sleep = ECHO__V1__SLEEP_REQUEST__INIT;

        if (caller->n % 4 != 0) {
                echo.number = caller->n;
                echo_v1_echo_start(caller->load->channel, &caller->call, &echo);
        } else {
                sleep.duration_ms = caller->n % SLEEP_MS_MAX;
                echo_v1_sleep_start(caller->load->channel, &caller->call, &sleep);
        }
}

static void users_start(struct caller *caller)
{
        Users__V1__CreateUserRequest create = USERS__V1__CREATE_USER_REQUEST__INIT;
        Users__V1__GetUserRequest get = USERS__V1__GET_USER_REQUEST__INIT;
        Users__V1__User user = USERS__V1__USER__INIT;
        char name[] = "Drain";
        char email[64];

        /* Each caller has numbers of its own: its first is its place, and it goes on by all of them. */
        (void)snprintf(email, sizeof(email), "%zu-%u@example.com", caller->load->round, caller->n);
        if (caller->n % 4 != 0) {
                get.key_case = USERS__V1__GET_USER_REQUEST__KEY_EMAIL;
                get.email = email;
                users_v1_get_user_start(caller->load->channel, &caller->call, &get);
        } else {
                user.email = email;
                user.name = name;
                user._age_case = USERS__V1__USER___AGE_AGE;
                create.user = &user;
                users_v1_create_user_start(caller->load->channel, &caller->call, &create);
        }
}

static void caller_start(struct caller *caller)
{
        caller->n += N_CALLS + 1;
        pipit_call_reset(&caller->call);
        caller->load->start(caller);
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
        return load->n_answered >= TERM_AFTER || load->n_running == 0;
}

static bool is_over(const struct load *load)
{
        return load->n_running == 0;
}

static void run_round(const char *const argv[], const char *url, bool is_usersd, size_t index)
{
        struct load load = {
                .start = is_usersd ? users_start : echo_start,
                .round = index,
                .n_running = N_CALLS,
        };
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
                            load.n_answered >= TERM_AFTER,
                    "round %zu: exit %d%s; %zu answered, %zu not run, %zu in doubt",
                    index,
                    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status),
                    WIFEXITED(status) ? "" : " (signal)",
                    load.n_answered,
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
        bool is_usersd = argc > 3;
        char folder[64];
        char url[128];
        const char *const server[] = {argv[1], url, NULL};
        const char *const usersd[] = {
                argv[1],
                "serve",
                "--listen",
                url,
                "--store",
                is_usersd ? argv[3] : NULL,
                "--log-level",
                "warning",
                NULL,
        };

        if (argc < 2)
                die("usage: fault-drain SERVER [ROUNDS [STORE]]");

        temporary_folder_make(folder);
        (void)snprintf(url, sizeof(url), "ipc://%s/s", folder);
        for (size_t i = 0; i < n_rounds; i++)
                run_round(is_usersd ? usersd : server, url, is_usersd, i);
        temporary_folder_remove(folder);

        return finish();
}
