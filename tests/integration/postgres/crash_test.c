/*
 * The server stops, dies and comes back, under load. It has to be this test's
 * own: run it under `tools/with-postgres --private`.
 */

#include "tests/integration/postgres/side.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define N 4000

/* Of a repository: what users_postgres_options says of n_connections, 0. */
#define N_SESSIONS 4

static pid_t server_pid(void)
{
        char path[512];
        long pid = 0;
        FILE *file;

        (void)snprintf(path, sizeof(path), "%s/postmaster.pid", getenv("PIPIT_TEST_POSTGRES_DATA"));
        file = fopen(path, "re");
        assert_non_null(file);
        assert_int_equal(fscanf(file, "%ld", &pid), 1);
        fclose(file);
        return (pid_t)pid;
}

/* At least, and perhaps more by now. */
static void wait_for_some(struct side_fixture *fixture, size_t least)
{
        size_t n_done;

        do {
                (void)poll(NULL, 0, 1);
                pthread_mutex_lock(&fixture->waiter.lock);
                n_done = fixture->waiter.n_done;
                pthread_mutex_unlock(&fixture->waiter.lock);
        } while (n_done < least);
}

static void reconnect(struct side_fixture *fixture)
{
        PQreset(fixture->watch);
        PQreset(fixture->side);
        assert_int_equal(PQstatus(fixture->watch), CONNECTION_OK);
}

static struct call *start_inserts(struct side_fixture *fixture, unsigned first)
{
        struct call *calls = calloc(N, sizeof(*calls));

        assert_non_null(calls);
        for (unsigned i = 0; i < N; i++) {
                struct user user = sample_user_number(first + i);

                calls[i] = side_call(fixture, &user);
                calls[i].request.deadline_us = pipit_clock_now_us() + 5 * PIPIT_US_PER_S;
                call_insert(fixture->repository, &calls[i]);
        }
        return calls;
}

static void acknowledged_writes_survive_kill_9_of_the_server(void **state)
{
        struct side_fixture *fixture = *state;

        for (unsigned round = 0; round < 3; round++) {
                struct call *calls = start_inserts(fixture, round * N);
                struct user user = sample_user_number(1000000 + round);
                struct call after = side_call(fixture, &user);
                unsigned n_ok = 0;

                wait_for_some(fixture, round * N + N / 8);
                assert_int_equal(kill(server_pid(), SIGKILL), 0);
                waiter_wait(&fixture->waiter, (round + 1) * N);
                assert_int_equal(system(getenv("PIPIT_TEST_POSTGRES_START")), 0);
                reconnect(fixture);

                for (unsigned i = 0; i < N; i++) {
                        long stored = side_ask(fixture,
                                               "select count(*) from users where id = '%s'",
                                               side_id(&calls[i].in));
                        struct pipit_error error = calls[i].request.error;

                        if (error.status == PIPIT_OK)
                                assert_int_equal(stored, 1);
                        else if (error.ran == PIPIT_NOT_RUN)
                                assert_int_equal(stored, 0);
                        n_ok += error.status == PIPIT_OK;
                }
                assert_true(n_ok >= 1);

                do
                        call_wait(fixture->repository, call_insert, &after);
                while (after.request.error.status == PIPIT_UNAVAILABLE);
                assert_ok(after.request.error);
                free(calls);
        }
}

/* The server's processes that serve the repository, as soon as all are there. */
static void session_pids(struct side_fixture *fixture, pid_t ret_pids[N_SESSIONS])
{
        char condition[256];

        (void)snprintf(condition,
                       sizeof(condition),
                       "from pg_stat_activity where application_name = '%s'"
                       " and pid not in (pg_backend_pid(), %d)",
                       fixture->place->name,
                       PQbackendPID(fixture->side));
        side_ask_until(fixture, N_SESSIONS, "select count(*) %s", condition);
        for (int i = 0; i < N_SESSIONS; i++) {
                ret_pids[i] = (pid_t)side_ask(
                        fixture, "select pid %s order by pid offset %d", condition, i);
                /* 0 would be a signal to this process. */
                assert_true(ret_pids[i] > 0);
        }
}

/* Nothing breaks, nothing answers: the deadline is all that there is. */
static void a_stopped_server_holds_nobody_past_the_deadline(void **state)
{
        struct side_fixture *fixture = *state;
        struct user user = sample_user_number(1), other = sample_user_number(2);
        struct call find = side_call(fixture, &user), insert = side_call(fixture, &other);
        pid_t pids[N_SESSIONS];

        side_insert(fixture, &user);
        session_pids(fixture, pids);
        for (size_t i = 0; i < N_SESSIONS; i++)
                assert_int_equal(kill(pids[i], SIGSTOP), 0);

        find.request.deadline_us = pipit_clock_now_us() + 200 * PIPIT_US_PER_MS;
        insert.request.deadline_us = find.request.deadline_us;
        call_find_by_id(fixture->repository, &find);
        call_insert(fixture->repository, &insert);
        waiter_wait(&fixture->waiter, 2);
        assert_error(find.request.error, PIPIT_DEADLINE_EXCEEDED, "DEADLINE", PIPIT_NOT_RUN);
        assert_error(insert.request.error, PIPIT_DEADLINE_EXCEEDED, "DEADLINE", PIPIT_MAY_HAVE_RUN);

        for (size_t i = 0; i < N_SESSIONS; i++)
                assert_int_equal(kill(pids[i], SIGCONT), 0);
        find.request.deadline_us = PIPIT_NEVER_US;
        call_wait(fixture->repository, call_find_by_id, &find);
        assert_ok(find.request.error);
}

/* A setting of the whole server, so it has to be this test's own. */
static void a_server_without_fsync_is_refused(void **state)
{
        struct side_fixture *fixture = *state;
        struct users_postgres_options options = {.conninfo = fixture->place->conninfo};
        struct users_repository *repository;
        struct pipit_error error;

        side_run(fixture, "alter system set fsync = off");
        side_run(fixture, "select pg_reload_conf()");
        side_ask_until(fixture, 1, "select count(*) where current_setting('fsync') = 'off'");
        assert_null(users_postgres_new(&options, &error));
        assert_int_equal(error.status, PIPIT_FAILED_PRECONDITION);
        assert_string_equal(error.reason, "NOT_DURABLE");

        options.allow_data_loss = true;
        repository = users_postgres_new(&options, &error);
        assert_non_null(repository);
        users_repository_free(repository);
        side_run(fixture, "alter system reset fsync");
        side_run(fixture, "select pg_reload_conf()");
        side_ask_until(fixture, 1, "select count(*) where current_setting('fsync') = 'on'");
}

/* They are mended by trying again, a second late each: so they are not to happen. */
static void batches_in_opposite_orders_do_not_deadlock(void **state)
{
        enum { N_USERS = 100, N_ROUNDS = 30 };
        struct side_fixture *fixture = *state;
        struct call *calls = calloc(2 * N_USERS, sizeof(*calls));
        struct users_repository *other =
                postgres_place_open(fixture->place, &pipit_clock_system, false);
        struct user users[N_USERS];

        assert_true(calls && other);
        for (unsigned i = 0; i < N_USERS; i++) {
                users[i] = sample_user_number(i);
                side_insert(fixture, &users[i]);
        }
        for (unsigned round = 0; round < N_ROUNDS; round++) {
                for (unsigned i = 0; i < 2 * N_USERS; i++) {
                        calls[i] = side_call(fixture, &users[i % 2 ? N_USERS - 1 - i / 2 : i / 2]);
                        calls[i].changes.age = true;
                        call_update(i % 2 ? other : fixture->repository, &calls[i]);
                }
                waiter_wait(&fixture->waiter, (round + 1) * 2 * (size_t)N_USERS);
        }
        users_repository_free(other);
        free(calls);
        /* Counts are told when a session has nothing to do, or ends. */
        users_repository_free(fixture->repository);
        fixture->repository = NULL;
        side_ask_until(fixture,
                       0,
                       "select -count(*) from pg_stat_activity where application_name = '%s'"
                       " and pid not in (pg_backend_pid(), %d)",
                       fixture->place->name,
                       PQbackendPID(fixture->side));
        assert_int_equal(side_ask(fixture, "select sum(deadlocks) from pg_stat_database"), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, side_set_up, side_tear_down)
                T(acknowledged_writes_survive_kill_9_of_the_server),
                T(a_stopped_server_holds_nobody_past_the_deadline),
                T(a_server_without_fsync_is_refused),
                T(batches_in_opposite_orders_do_not_deadlock),
#undef T
        };

        postgres_place_require_server();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
