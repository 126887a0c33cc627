/*
 * What the PostgreSQL store says when something fails: sessions that are killed,
 * a server that is stopped or dies, a schema or a setting that will not do.
 */

#include "tests/integration/postgres/side.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_MANY 10000

static void count_sessions(struct side_fixture *fixture, long *highest)
{
        long n = side_ask(fixture,
                          "select count(*) from pg_stat_activity where application_name = '%s'"
                          " and pid <> pg_backend_pid() and pid <> %d",
                          fixture->place->name,
                          PQbackendPID(fixture->side));

        if (n > *highest)
                *highest = n;
}

static void ten_thousand_in_flight_take_four_sessions(void **state)
{
        struct side_fixture *fixture = *state;
        struct call *calls = calloc(N_MANY, sizeof(*calls));
        long highest = 0;

        assert_non_null(calls);
        for (unsigned i = 0; i < N_MANY; i++) {
                struct user user = sample_user_number(i);

                calls[i] = side_call(fixture, &user);
                call_insert(fixture->repository, &calls[i]);
                if (i % 1000 == 0)
                        count_sessions(fixture, &highest);
        }
        count_sessions(fixture, &highest);
        waiter_wait(&fixture->waiter, N_MANY);
        count_sessions(fixture, &highest);

        for (unsigned i = 0; i < N_MANY; i++)
                assert_ok(calls[i].request.error);
        assert_int_equal(highest, 4);
        assert_int_equal(side_ask(fixture, "select count(*) from users"), N_MANY);
        free(calls);
}

/* What is true of each insert, once it is known what is stored. */
static void check_inserts(struct side_fixture *fixture, struct call *calls, unsigned n)
{
        for (unsigned i = 0; i < n; i++) {
                struct pipit_error error = calls[i].request.error;
                long stored = side_ask(fixture,
                                       "select count(*) from users where id = '%s'",
                                       side_id(&calls[i].in));

                assert_int_equal(atomic_load(&calls[i].n_done), 1);
                if (error.status == PIPIT_OK)
                        assert_int_equal(stored, 1);
                else
                        assert_int_equal(error.status, PIPIT_UNAVAILABLE);
                if (error.status != PIPIT_OK && error.ran == PIPIT_NOT_RUN)
                        assert_int_equal(stored, 0);
        }
}

static void killed_sessions_are_replaced_and_outcomes_are_true(void **state)
{
        enum { N = 3000 };
        struct side_fixture *fixture = *state;
        struct call *calls = calloc(N, sizeof(*calls));
        struct user user = sample_user_number(N);

        assert_non_null(calls);
        for (unsigned i = 0; i < N; i++) {
                struct user one = sample_user_number(i);

                calls[i] = side_call(fixture, &one);
                call_insert(fixture->repository, &calls[i]);
                if (i % 500 == 499)
                        side_run(fixture,
                                 "select pg_terminate_backend(pid) from pg_stat_activity where"
                                 " application_name = '%s' and pid not in (pg_backend_pid(), %d)",
                                 fixture->place->name,
                                 PQbackendPID(fixture->watch));
        }
        waiter_wait(&fixture->waiter, N);
        check_inserts(fixture, calls, N);

        side_insert(fixture, &user);
        free(calls);
}

static void a_write_on_a_killed_session_may_have_run(void **state)
{
        struct side_fixture *fixture = *state;
        struct user user = sample_user_number(1);
        struct call call = side_call(fixture, &user);

        side_insert(fixture, &user);
        side_run(fixture, "begin");
        side_run(fixture, "select from users where id = '%s' for update", side_id(&user));
        call.changes.age = true;
        call_update(fixture->repository, &call);
        side_wait_for_lock_waiter(fixture);
        (void)side_ask(fixture,
                       "select pg_terminate_backend(pid) from pg_stat_activity"
                       " where application_name = '%s' and wait_event_type = 'Lock'",
                       fixture->place->name);
        waiter_wait(&fixture->waiter, 1);
        assert_error(
                call.request.error, PIPIT_UNAVAILABLE, "STORE_UNAVAILABLE", PIPIT_MAY_HAVE_RUN);
        side_run(fixture, "commit");
}

/* The role may have one session only, and the first of several is kept for reads. */
static void one_session_of_four_serves_writes_too(void **state)
{
        struct side_fixture *fixture = *state;
        struct user user = sample_user_number(1);
        struct call call = side_call(fixture, &user);
        char conninfo[640];
        const struct users_postgres_options options = {.conninfo = conninfo};
        struct users_repository *repository;
        struct pipit_error error;
        const char *name = fixture->place->name;

        side_run(fixture, "create role r_%s login connection limit 1", name);
        side_run(fixture, "grant usage on schema %s to r_%s", name, name);
        side_run(fixture, "grant all on all tables in schema %s to r_%s", name, name);
        (void)snprintf(conninfo, sizeof(conninfo), "%s user=r_%s", fixture->place->conninfo, name);
        repository = users_postgres_new(&options, &error);
        assert_non_null(repository);

        call.request.deadline_us = pipit_clock_now_us() + 20 * PIPIT_US_PER_S;
        call_wait(repository, call_insert, &call);
        users_repository_free(repository);
        side_run(fixture, "drop owned by r_%s", name);
        side_run(fixture, "drop role r_%s", name);
        assert_ok(call.request.error);
}

static void expect_refusal(const struct side_fixture *fixture, const char *more, const char *reason)
{
        char conninfo[640];
        const struct users_postgres_options options = {.conninfo = conninfo};
        struct pipit_error error;

        (void)snprintf(conninfo, sizeof(conninfo), "%s%s", fixture->place->conninfo, more);
        assert_null(users_postgres_new(&options, &error));
        assert_string_equal(error.reason, reason);
        assert_int_equal(error.ran, PIPIT_NOT_RUN);
        /* Without the flag it would be another store that is migrated. */
        if (strcmp(reason, "SCHEMA_MISSING") == 0)
                assert_non_null(strstr(error.message, "`usersd migrate --store URL`"));
        assert_int_equal(error.status,
                         strcmp(reason, "STORE_UNAVAILABLE") == 0 ? PIPIT_UNAVAILABLE
                                                                  : PIPIT_FAILED_PRECONDITION);
}

static void a_schema_that_will_not_do_is_refused(void **state)
{
        struct side_fixture *fixture = *state;

        side_run(fixture, "update users_schema set version = 4711");
        expect_refusal(fixture, "", "SCHEMA_UNKNOWN");
        side_run(fixture, "delete from users_schema");
        expect_refusal(fixture, "", "SCHEMA_MISSING");
        side_run(fixture, "drop table users_schema");
        expect_refusal(fixture, "", "SCHEMA_MISSING");
}

static void a_server_that_may_lose_data_is_refused(void **state)
{
        struct side_fixture *fixture = *state;
        char conninfo[640];
        struct users_postgres_options options = {.conninfo = conninfo, .allow_data_loss = true};
        struct users_repository *repository;
        struct pipit_error error;

        (void)snprintf(conninfo,
                       sizeof(conninfo),
                       "%s options='-csearch_path=%s -csynchronous_commit=off'",
                       fixture->place->conninfo,
                       fixture->place->name);
        options.allow_data_loss = false;
        assert_null(users_postgres_new(&options, &error));
        assert_int_equal(error.status, PIPIT_FAILED_PRECONDITION);
        assert_string_equal(error.reason, "NOT_DURABLE");
        assert_non_null(strstr(error.message, "--allow-data-loss"));

        options.allow_data_loss = true;
        repository = users_postgres_new(&options, &error);
        assert_non_null(repository);
        users_repository_free(repository);
}

/* Behind a pooler the sessions cannot be told; a session of one's own is. */
static void another_isolation_is_refused_where_sessions_are_shared(void **state)
{
        struct side_fixture *fixture = *state;
        struct user user = sample_user_number(1);
        struct call call = side_call(fixture, &user);
        char conninfo[1024];
        struct users_postgres_options options = {.conninfo = conninfo, .no_named_statements = true};
        struct users_repository *repository;
        struct pipit_error error;

        (void)snprintf(conninfo,
                       sizeof(conninfo),
                       "%s options='-csearch_path=%s -cdefault_transaction_isolation=serializable'",
                       fixture->place->conninfo,
                       fixture->place->name);
        assert_null(users_postgres_new(&options, &error));
        assert_int_equal(error.status, PIPIT_FAILED_PRECONDITION);
        assert_string_equal(error.reason, "ISOLATION");

        options.no_named_statements = false;
        repository = users_postgres_new(&options, &error);
        assert_non_null(repository);
        call_wait(repository, call_insert, &call);
        users_repository_free(repository);
        assert_ok(call.request.error);
}

static void a_server_that_is_not_there_is_unavailable(void **state)
{
        expect_refusal(*state, " host=/nonexistent", "STORE_UNAVAILABLE");
}

static void migrations_are_applied_once(void **state)
{
        struct side_fixture *fixture = *state;
        struct pipit_error error;
        uint32_t from = 99, to = 99;

        assert_int_equal(users_postgres_migrate(fixture->place->conninfo, &from, &to, &error),
                         PIPIT_OK);
        assert_int_equal(from, to);
        assert_int_equal(side_ask(fixture, "select count(*) from users_schema"), to);
}

static void expired_rows_of_the_request_log_are_purged(void **state)
{
        struct side_fixture *fixture = *state;
        struct users_repository *second;

        side_run(fixture,
                 "insert into users_request_log select 'p', gen_random_uuid(), '\\x00', 1, 1,"
                 " extract(epoch from now()) * 1000000 - case when n <= 1200 then 90000 else 80000 "
                 "end"
                 " * 1000000.0 from generate_series(1, 1300) n");
        second = postgres_place_open(fixture->place, &pipit_clock_system, false);
        assert_non_null(second);
        side_ask_until(fixture, -100, "select -count(*) from users_request_log");
        assert_int_equal(side_ask(fixture, "select count(*) from users_request_log"), 100);
        users_repository_free(second);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, side_set_up, side_tear_down)
                T(ten_thousand_in_flight_take_four_sessions),
                T(killed_sessions_are_replaced_and_outcomes_are_true),
                T(a_write_on_a_killed_session_may_have_run),
                T(one_session_of_four_serves_writes_too),
                T(a_schema_that_will_not_do_is_refused),
                T(a_server_that_may_lose_data_is_refused),
                T(another_isolation_is_refused_where_sessions_are_shared),
                T(a_server_that_is_not_there_is_unavailable),
                T(migrations_are_applied_once),
                T(expired_rows_of_the_request_log_are_purged),
#undef T
        };

        postgres_place_require_server();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
