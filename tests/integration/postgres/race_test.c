/*
 * Races that are lost on purpose: the test's own session holds what the store
 * waits for, and changes it before it lets go.
 */

#include "tests/integration/postgres/side.h"

#include <stdio.h>
#include <string.h>

static void update_who_waited_sees_the_version_that_was_left(void **state)
{
        struct side_fixture *fixture = *state;
        struct user user = sample_user_number(1);
        struct call call = side_call(fixture, &user);

        side_insert(fixture, &user);
        side_run(fixture, "begin");
        side_run(fixture, "update users set version = 2 where id = '%s'", side_id(&user));
        side_run(fixture,
                 "insert into users values (gen_random_uuid(), 'x', 'wanted@example.com', 'x', 1, "
                 "1, 1, 1)");

        strcpy(call.in.email, "wanted@example.com");
        strcpy(call.in.email_key, "wanted@example.com");
        call.changes.email = true;
        call.want_version = 1;
        call_update(fixture->repository, &call);
        side_wait_for_lock_waiter(fixture);
        side_run(fixture, "commit");

        waiter_wait(&fixture->waiter, 1);
        assert_error(call.request.error, PIPIT_ABORTED, "ETAG_MISMATCH", PIPIT_RAN);
}

static void update_without_a_version_builds_on_what_was_left(void **state)
{
        struct side_fixture *fixture = *state;
        struct user user = sample_user_number(1);
        struct call call = side_call(fixture, &user);

        side_insert(fixture, &user);
        side_run(fixture, "begin");
        side_run(fixture, "update users set version = 7, age = 99 where id = '%s'", side_id(&user));

        strcpy(call.in.name, "After");
        call.changes.name = true;
        call_update(fixture->repository, &call);
        side_wait_for_lock_waiter(fixture);
        side_run(fixture, "commit");

        waiter_wait(&fixture->waiter, 1);
        assert_ok(call.request.error);
        assert_int_equal(call.out.version, 8);
        assert_int_equal(call.out.age, 99);
        assert_string_equal(call.out.name, "After");
}

static void update_and_delete_of_a_user_deleted_meanwhile_find_none(void **state)
{
        struct side_fixture *fixture = *state;
        struct user user = sample_user_number(1);
        struct call update = side_call(fixture, &user), delete = side_call(fixture, &user);

        side_insert(fixture, &user);
        side_run(fixture, "begin");
        side_run(fixture, "delete from users where id = '%s'", side_id(&user));

        update.changes.age = true;
        call_update(fixture->repository, &update);
        call_delete(fixture->repository, &delete);
        side_wait_for_lock_waiter(fixture);
        side_run(fixture, "commit");

        waiter_wait(&fixture->waiter, 2);
        assert_error(update.request.error, PIPIT_NOT_FOUND, "USER_NOT_FOUND", PIPIT_RAN);
        assert_error(delete.request.error, PIPIT_NOT_FOUND, "USER_NOT_FOUND", PIPIT_RAN);
}

/* The guard saw the email free; the index knows better. */
static void an_email_taken_meanwhile_fails_its_update_and_no_other(void **state)
{
        enum { N = 40, LOSER = 17 };
        struct side_fixture *fixture = *state;
        struct call calls[N];

        for (unsigned i = 0; i < N; i++) {
                struct user user = sample_user_number(i);

                side_insert(fixture, &user);
                calls[i] = side_call(fixture, &user);
                calls[i].changes.email = true;
                (void)snprintf(
                        calls[i].in.email, sizeof(calls[i].in.email), "new%u@example.com", i);
                strcpy(calls[i].in.email_key, calls[i].in.email);
        }
        side_run(fixture, "begin");
        side_run(fixture,
                 "insert into users values (gen_random_uuid(), 'x', 'new%u@example.com', 'x', 1, "
                 "1, 1, 1)",
                 (unsigned)LOSER);

        for (unsigned i = 0; i < N; i++)
                call_update(fixture->repository, &calls[i]);
        side_wait_for_lock_waiter(fixture);
        side_run(fixture, "commit");

        waiter_wait(&fixture->waiter, N);
        for (unsigned i = 0; i < N; i++) {
                if (i == LOSER)
                        assert_error(calls[i].request.error,
                                     PIPIT_ALREADY_EXISTS,
                                     "EMAIL_TAKEN",
                                     PIPIT_RAN);
                else
                        assert_ok(calls[i].request.error);
        }
}

static void insert_waits_for_who_holds_the_email(void **state, const char *how, bool is_taken)
{
        struct side_fixture *fixture = *state;
        struct user user = sample_user_number(1);
        struct call call = side_call(fixture, &user);

        side_run(fixture, "begin");
        side_run(fixture,
                 "insert into users values (gen_random_uuid(), 'x', '%s', 'x', 1, 1, 1, 1)",
                 user.email_key);
        call_insert(fixture->repository, &call);
        side_wait_for_lock_waiter(fixture);
        side_run(fixture, "%s", how);

        waiter_wait(&fixture->waiter, 1);
        if (is_taken)
                assert_error(call.request.error, PIPIT_ALREADY_EXISTS, "EMAIL_TAKEN", PIPIT_RAN);
        else
                assert_ok(call.request.error);
}

static void insert_of_an_email_taken_meanwhile_is_already_exists(void **state)
{
        insert_waits_for_who_holds_the_email(state, "commit", true);
}

static void insert_of_an_email_given_up_meanwhile_succeeds(void **state)
{
        insert_waits_for_who_holds_the_email(state, "rollback", false);
}

/* Another server's transaction has claimed the request id, and commits while we wait for it. */
static void a_claim_that_commits_meanwhile_is_answered_from_the_log(void **state)
{
        struct side_fixture *fixture = *state;
        struct user user = sample_user_number(1);
        struct call calls[3];

        side_run(fixture, "begin");
        for (unsigned i = 0; i < 3; i++) {
                calls[i] = side_call(fixture, &user);
                calls[i].write = logged_write("uid:1", (uint8_t)i, 9);
        }
        for (unsigned i = 0; i < 2; i++) {
                char id[2 * 16 + 1] = "", hash[2 * 32 + 1] = "";

                for (size_t k = 0; k < 16; k++)
                        (void)snprintf(id + 2 * k, 3, "%02x", calls[i].write.request_id[k]);
                for (size_t k = 0; k < 32; k++)
                        (void)snprintf(hash + 2 * k, 3, "%02x", calls[i].write.request_hash[k]);
                side_run(fixture,
                         "insert into users_request_log values ('uid:1', '%s', '\\x%s', 1, 4711,"
                         " extract(epoch from now()) * 1000000, gen_random_uuid(), "
                         "'First@example.com',"
                         " 'first@example.com', 'First', 7, 1, 2, 3)",
                         id,
                         hash);
        }
        calls[1].write.request_hash[5] ^= 1;

        for (unsigned i = 0; i < 3; i++)
                call_insert(fixture->repository, &calls[i]);
        side_wait_for_lock_waiter(fixture);
        side_run(fixture, "commit");

        waiter_wait(&fixture->waiter, 3);
        assert_ok(calls[0].request.error);
        assert_string_equal(calls[0].out.email, "First@example.com");
        assert_int_equal(calls[0].out.version, 3);
        assert_error(
                calls[1].request.error, PIPIT_INVALID_ARGUMENT, "REQUEST_ID_REUSED", PIPIT_RAN);
        assert_ok(calls[2].request.error);
        assert_int_equal(side_ask(fixture, "select count(*) from users"), 1);
        assert_int_equal(side_ask(fixture, "select count(*) from users_request_log"), 3);
}

static void a_locked_row_holds_up_nobody_else(void **state)
{
        struct side_fixture *fixture = *state;
        struct user locked = sample_user_number(1), other = sample_user_number(2);
        struct call stuck = side_call(fixture, &locked), read = side_call(fixture, &locked);
        struct call write = side_call(fixture, &other);
        int64_t submitted_us;

        side_insert(fixture, &locked);
        side_insert(fixture, &other);
        side_run(fixture, "begin");
        side_run(fixture, "select from users where id = '%s' for update", side_id(&locked));

        submitted_us = pipit_clock_now_us();
        stuck.changes.age = true;
        stuck.request.deadline_us = submitted_us + 300 * PIPIT_US_PER_MS;
        call_update(fixture->repository, &stuck);
        side_wait_for_lock_waiter(fixture);

        read.request.deadline_us = pipit_clock_now_us() + 30 * PIPIT_US_PER_S;
        call_wait(fixture->repository, call_find_by_id, &read);
        assert_ok(read.request.error);
        write.changes.age = true;
        call_wait(fixture->repository, call_update, &write);
        assert_ok(write.request.error);

        /* It ends although nobody lets go of the row. */
        waiter_wait(&fixture->waiter, 1);
        assert_error(stuck.request.error, PIPIT_DEADLINE_EXCEEDED, "DEADLINE", PIPIT_MAY_HAVE_RUN);
        side_run(fixture, "commit");
}

/* One connection, and a row that keeps it busy. */
static void what_does_not_fit_in_the_queue_is_refused_and_not_run(void **state)
{
        enum { N = 100, QUEUE = 10 };
        struct side_fixture *fixture = *state;
        const struct users_postgres_options options = {
                .conninfo = fixture->place->conninfo, .n_connections = 1, .queue_max = QUEUE};
        struct user user = sample_user_number(N);
        struct call stuck = side_call(fixture, &user), calls[N];
        struct users_repository *repository;
        struct pipit_error error;
        size_t n_stored = 0;

        repository = users_postgres_new(&options, &error);
        assert_non_null(repository);
        side_insert(fixture, &user);
        side_run(fixture, "begin");
        side_run(fixture, "select from users where id = '%s' for update", side_id(&user));
        stuck.changes.age = true;
        call_update(repository, &stuck);
        side_wait_for_lock_waiter(fixture);

        for (unsigned i = 0; i < N; i++) {
                struct user one = sample_user_number(i);

                calls[i] = side_call(fixture, &one);
                call_insert(repository, &calls[i]);
        }
        side_run(fixture, "commit");
        waiter_wait(&fixture->waiter, N + 1);
        users_repository_free(repository);

        for (unsigned i = 0; i < N; i++) {
                if (calls[i].request.error.status == PIPIT_OK)
                        n_stored++;
                else
                        assert_error(calls[i].request.error,
                                     PIPIT_RESOURCE_EXHAUSTED,
                                     "STORE_BUSY",
                                     PIPIT_NOT_RUN);
        }
        assert_int_equal(n_stored, QUEUE);
        assert_int_equal(side_ask(fixture, "select count(*) from users"), QUEUE + 1);
}

/* Each connection that may write has a batch that waits, so what comes next waits in the queue. */
static void a_write_cancelled_in_the_queue_is_not_run(void **state)
{
        enum { N = 3 };
        struct side_fixture *fixture = *state;
        struct user next = sample_user_number(N);
        struct call stuck[N], call = side_call(fixture, &next);
        atomic_bool cancelled = false;

        side_run(fixture, "begin");
        for (unsigned i = 0; i < N; i++) {
                struct user user = sample_user_number(i);

                side_insert(fixture, &user);
                side_run(fixture, "select from users where id = '%s' for update", side_id(&user));
                stuck[i] = side_call(fixture, &user);
                stuck[i].changes.age = true;
                call_update(fixture->repository, &stuck[i]);
                side_ask_until(fixture,
                               (long)i + 1,
                               "select count(*) from pg_stat_activity where application_name = '%s'"
                               " and wait_event_type = 'Lock'",
                               fixture->place->name);
        }
        call.request.cancelled = &cancelled;
        call_insert(fixture->repository, &call);
        atomic_store(&cancelled, true);
        side_run(fixture, "commit");

        waiter_wait(&fixture->waiter, N + 1);
        assert_error(call.request.error, PIPIT_CANCELLED, "CANCELLED", PIPIT_NOT_RUN);
        assert_int_equal(side_ask(fixture, "select count(*) from users"), N);
}

/* The database lets go of the batch by itself; who was in it with the locked row goes on. */
static void a_batch_behind_a_locked_row_is_divided(void **state)
{
        enum { N = 50 };
        struct side_fixture *fixture = *state;
        struct call calls[N];

        for (unsigned i = 0; i < N; i++) {
                struct user user = sample_user_number(i);

                side_insert(fixture, &user);
                calls[i] = side_call(fixture, &user);
                calls[i].changes.age = true;
        }
        side_run(fixture, "begin");
        side_run(fixture, "select from users where id = '%s' for update", side_id(&calls[0].in));
        for (unsigned i = 0; i < N; i++)
                call_update(fixture->repository, &calls[i]);
        waiter_wait(&fixture->waiter, N - 1);
        assert_int_equal(atomic_load(&calls[0].n_done), 0);
        side_run(fixture, "commit");
        waiter_wait(&fixture->waiter, N);
        for (unsigned i = 0; i < N; i++)
                assert_ok(calls[i].request.error);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, side_set_up, side_tear_down)
                T(update_who_waited_sees_the_version_that_was_left),
                T(update_without_a_version_builds_on_what_was_left),
                T(update_and_delete_of_a_user_deleted_meanwhile_find_none),
                T(an_email_taken_meanwhile_fails_its_update_and_no_other),
                T(insert_of_an_email_taken_meanwhile_is_already_exists),
                T(insert_of_an_email_given_up_meanwhile_succeeds),
                T(a_claim_that_commits_meanwhile_is_answered_from_the_log),
                T(a_locked_row_holds_up_nobody_else),
                T(what_does_not_fit_in_the_queue_is_refused_and_not_run),
                T(a_write_cancelled_in_the_queue_is_not_run),
                T(a_batch_behind_a_locked_row_is_divided),
#undef T
        };

        postgres_place_require_server();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
