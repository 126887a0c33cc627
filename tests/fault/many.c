/*
 * Many callers on one channel, a handful of connections to PostgreSQL
 *
 *      fault-many USERSD STORE-URL DATABASE-CONNINFO
 *
 * 1,000 threads with blocking calls, and then 9,999 asynchronous calls at once,
 * both against one usersd; four such waves are a round. Every call succeeds,
 * PostgreSQL sees at most four connections of usersd, and a second identical
 * round takes less than 5% more memory at its peak, in server and client.
 */

#include <errno.h>
#include <libpq-fe.h>
#include <pipit/client.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/macros.h"
#include "grpc/health/v1/health.pipit.h"
#include "tests/harness/harness.h"
#include "users/v1/users.pipit.h"

#define N_THREADS         1000
#define N_ASYNCHRONOUS    9999 /* and one that asks for health: what a mailbox may have */
#define N_WAVES           4    /* a round */
#define THREAD_STACK      (256 * 1024)
#define TIMEOUT_MS        60000
#define N_CONNECTIONS_MAX 4

/* A sanitizer's own memory grows with what ran. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GROWTH_MAX 2.0
#else
#define GROWTH_MAX 1.05
#endif

struct run {
        struct pipit_channel *channel;
        struct one *ones;
        struct pipit_call behind; /* answered: the server has all that came before */
        pthread_mutex_t mutex;
        pthread_cond_t changed;
        size_t n_out;
        size_t n_ok;
        unsigned int round; /* part of each email: all are new */
        bool is_taken_up;
        char kind;
};

struct one {
        struct pipit_call call;
        struct run *run;
        size_t index;
};

static void run_leave(struct run *run, const struct pipit_error *error)
{
        (void)pthread_mutex_lock(&run->mutex);
        run->n_out--;
        if (error->status == PIPIT_OK)
                run->n_ok++;
        else if (run->n_out % 1000 == 0)
                note("%s %s: %s",
                     pipit_status_name(error->status),
                     error->reason ? error->reason : "",
                     error->message ? error->message : "");
        (void)pthread_cond_signal(&run->changed);
        (void)pthread_mutex_unlock(&run->mutex);
}

/* A request with a new user; the strings live in the two buffers. */
static void create_request(const struct one *one,
                           Users__V1__CreateUserRequest *request,
                           Users__V1__User *user,
                           char email[64])
{
        users__v1__create_user_request__init(request);
        users__v1__user__init(user);
        (void)snprintf(email,
                       64,
                       "%c%u-%zu-%d@example.com",
                       one->run->kind,
                       one->run->round,
                       one->index,
                       (int)getpid());
        user->email = email;
        user->name = (char *)"Many";
        user->_age_case = USERS__V1__USER___AGE_AGE;
        user->age = 30;
        request->user = user;
}

/* A thread's work: creates a user and reads it back. */
static void *thread_run(void *argument)
{
        struct one *one = argument;
        Users__V1__CreateUserRequest create;
        Users__V1__GetUserRequest get = USERS__V1__GET_USER_REQUEST__INIT;
        Users__V1__User user;
        const Users__V1__User *found;
        char email[64];

        create_request(one, &create, &user, email);
        one->call.timeout_ms = TIMEOUT_MS;
        if (users_v1_create_user(one->run->channel, &one->call, &create, &found) == PIPIT_OK) {
                pipit_call_reset(&one->call);
                get.key_case = USERS__V1__GET_USER_REQUEST__KEY_EMAIL;
                get.email = email;
                if (users_v1_get_user(one->run->channel, &one->call, &get, &found) == PIPIT_OK &&
                    strcmp(found->email, email) != 0)
                        die("%s came back as %s", email, found->email);
        }
        run_leave(one->run, pipit_call_error(&one->call));

        return NULL;
}

static void call_done(struct pipit_call *call)
{
        struct one *one = pipit_container_of(call, struct one, call);

        run_leave(one->run, pipit_call_error(call));
}

static void start_asynchronous(struct one *one)
{
        Users__V1__CreateUserRequest create;
        Users__V1__User user;
        char email[64];

        create_request(one, &create, &user, email);
        one->call.timeout_ms = TIMEOUT_MS;
        one->call.done = call_done;
        users_v1_create_user_start(one->run->channel, &one->call, &create);
}

static void behind_done(struct pipit_call *call)
{
        struct run *run = pipit_container_of(call, struct run, behind);

        if (pipit_call_error(call)->status != PIPIT_OK)
                die("health: %s", pipit_call_error(call)->message);
        (void)pthread_mutex_lock(&run->mutex);
        run->is_taken_up = true;
        (void)pthread_cond_signal(&run->changed);
        (void)pthread_mutex_unlock(&run->mutex);
}

/*
 * Starts all the calls, and waits until the server holds them all, so that peaks
 * compare. Of the threads' calls it holds what has come; their peak is lower.
 */
static void start_all_asynchronous(struct run *run)
{
        Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;

        for (size_t i = 0; i < N_ASYNCHRONOUS; i++)
                start_asynchronous(&run->ones[i]);
        run->behind.done = behind_done;
        run->behind.timeout_ms = TIMEOUT_MS;
        grpc_health_v1_check_start(run->channel, &run->behind, &request);

        (void)pthread_mutex_lock(&run->mutex);
        while (!run->is_taken_up)
                (void)pthread_cond_wait(&run->changed, &run->mutex);
        (void)pthread_mutex_unlock(&run->mutex);
}

/* How many connections usersd has, asked again and again until all calls ended. */
static int watch_connections(struct run *run, PGconn *database)
{
        int most = 0;
        bool over;

        do {
                PGresult *result = PQexec(database,
                                          "select count(*) from pg_stat_activity "
                                          "where application_name = 'usersd'");
                struct timespec until;
                int n;

                if (PQresultStatus(result) != PGRES_TUPLES_OK)
                        die("pg_stat_activity: %s", PQerrorMessage(database));
                n = atoi(PQgetvalue(result, 0, 0));
                PQclear(result);
                most = n > most ? n : most;

                (void)clock_gettime(CLOCK_REALTIME, &until);
                until.tv_nsec += 20000000;
                if (until.tv_nsec >= 1000000000) {
                        until.tv_sec++;
                        until.tv_nsec -= 1000000000;
                }
                (void)pthread_mutex_lock(&run->mutex);
                if (run->n_out > 0)
                        (void)pthread_cond_timedwait(&run->changed, &run->mutex, &until);
                over = run->n_out == 0;
                (void)pthread_mutex_unlock(&run->mutex);
        } while (!over);

        return most;
}

static void execute(PGconn *database, const char *sql)
{
        PGresult *result = PQexec(database, sql);

        if (PQresultStatus(result) != PGRES_COMMAND_OK)
                die("%s: %s", sql, PQerrorMessage(database));
        PQclear(result);
}

static void start_threads(struct one *ones, size_t n, pthread_t *ret_threads)
{
        pthread_attr_t attributes;

        (void)pthread_attr_init(&attributes);
        (void)pthread_attr_setstacksize(&attributes, THREAD_STACK);
        for (size_t i = 0; i < n; i++) {
                int error = pthread_create(&ret_threads[i], &attributes, thread_run, &ones[i]);

                if (error)
                        die("thread %zu: %s", i, strerror(error));
        }
        (void)pthread_attr_destroy(&attributes);
}

static void run_once(struct pipit_channel *channel, PGconn *database, char kind, unsigned int round)
{
        size_t n = kind == 't' ? N_THREADS : N_ASYNCHRONOUS;
        struct run run = {.channel = channel, .n_out = n, .round = round, .kind = kind};
        struct one *ones = calloc(n, sizeof(*ones));
        pthread_t *threads = calloc(n, sizeof(*threads));
        int n_connections;

        if (!ones || !threads)
                die("out of memory");
        (void)pthread_mutex_init(&run.mutex, NULL);
        (void)pthread_cond_init(&run.changed, NULL);
        for (size_t i = 0; i < n; i++)
                ones[i] = (struct one){.run = &run, .index = i};
        run.ones = ones;
        execute(database, "begin; lock table users in share row exclusive mode");
        if (kind == 't')
                start_threads(ones, n, threads);
        else
                start_all_asynchronous(&run);
        execute(database, "commit");

        n_connections = watch_connections(&run, database);
        for (size_t i = 0; kind == 't' && i < n; i++)
                (void)pthread_join(threads[i], NULL);
        for (size_t i = 0; i < n; i++)
                pipit_call_deinit(&ones[i].call);
        pipit_call_deinit(&run.behind);
        (void)check(run.n_ok == n && n_connections >= 1 && n_connections <= N_CONNECTIONS_MAX,
                    "wave %u, %s: %zu of %zu calls OK over %d connections",
                    round,
                    kind == 't' ? "threads" : "asynchronous",
                    run.n_ok,
                    n,
                    n_connections);
        free(threads);
        free(ones);
}

static void check_growth(const char *what, size_t first, size_t second)
{
        (void)check((double)second < (double)first * GROWTH_MAX,
                    "%s: peak %.1f MiB in round 1, %.1f MiB after round 2",
                    what,
                    (double)first / 1048576,
                    (double)second / 1048576);
}

static void migrate(const char *usersd, const char *store)
{
        pid_t pid = fork();
        int status = 0;

        if (pid == 0) {
                (void)execl(usersd, usersd, "migrate", "--store", store, (char *)NULL);
                _exit(127);
        }
        if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
                die("%s migrate --store %s failed", usersd, store);
}

int main(int argc, char **argv)
{
        char log[128];
        char folder[64];
        char url[128];
        struct pipit_channel *channel;
        struct process server;
        PGconn *database;
        size_t server_peak[2];
        size_t client_peak[2];

        if (argc < 4)
                die("usage: fault-many USERSD STORE-URL DATABASE-CONNINFO");

        database = PQconnectdb(argv[3]);
        if (PQstatus(database) != CONNECTION_OK)
                die("%s", PQerrorMessage(database));
        temporary_folder_make(folder);
        (void)snprintf(url, sizeof(url), "ipc://%s/s", folder);
        (void)snprintf(log, sizeof(log), "%s/log", folder);
        migrate(argv[1], argv[2]);
        process_start(&server,
                      (const char *[]){argv[1],
                                       "serve",
                                       "--listen",
                                       url,
                                       "--store",
                                       argv[2],
                                       "--log-level",
                                       "warning",
                                       NULL},
                      log);
        channel = pipit_channel_new(url, NULL, NULL);
        if (!channel)
                die("no channel");

        for (unsigned int round = 0; round < 2; round++) {
                for (unsigned int wave = 0; wave < N_WAVES; wave++) {
                        run_once(channel, database, 't', round * N_WAVES + wave);
                        run_once(channel, database, 'a', round * N_WAVES + wave);
                }
                server_peak[round] = process_memory(server.pid, "VmHWM:");
                client_peak[round] = process_memory(getpid(), "VmHWM:");
        }
        check_growth("usersd", server_peak[0], server_peak[1]);
        check_growth("client", client_peak[0], client_peak[1]);

        (void)pipit_channel_free(channel);
        (void)check(process_end(&server, SIGTERM) == 0, "usersd exits 0");
        PQfinish(database);
        temporary_folder_remove(folder);

        return finish();
}
