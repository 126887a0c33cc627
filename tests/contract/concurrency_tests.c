#include "tests/contract/harness.h"

#include <stdlib.h>
#include <string.h>

static const struct users_changes change_age = {.age = true};
static const struct users_changes change_email = {.email = true};

static struct call *calls_new(size_t n, struct waiter *waiter)
{
        struct call *calls = calloc(n, sizeof(*calls));

        assert_non_null(calls);
        waiter_init(waiter);
        for (size_t i = 0; i < n; i++)
                call_init(&calls[i], waiter);
        return calls;
}

static void calls_wait(struct call *calls, size_t n, struct waiter *waiter)
{
        waiter_wait(waiter, n);
        waiter_deinit(waiter);
        for (size_t i = 0; i < n; i++)
                assert_int_equal(atomic_load(&calls[i].n_done), 1);
}

static size_t count_status(const struct call *calls, size_t n, enum pipit_status status)
{
        size_t count = 0;

        for (size_t i = 0; i < n; i++)
                count += calls[i].request.error.status == status;
        return count;
}

/* --- submitted from several threads at once ---------------------------------- */

#define N_THREADS 8

struct crowd {
        struct users_repository *repository;
        struct call *calls;
        size_t n_calls;
        call_fn (*pick)(size_t i);
        pthread_barrier_t *barrier;
        size_t first;
};

static void *crowd_thread(void *argument)
{
        const struct crowd *crowd = argument;

        pthread_barrier_wait(crowd->barrier);
        for (size_t i = crowd->first; i < crowd->n_calls; i += N_THREADS)
                crowd->pick(i)(crowd->repository, &crowd->calls[i]);
        return NULL;
}

static void submit_from_threads(struct users_repository *repository,
                                struct call *calls,
                                size_t n_calls,
                                call_fn (*pick)(size_t i))
{
        pthread_barrier_t barrier;
        pthread_t threads[N_THREADS];
        struct crowd crowd[N_THREADS];

        pthread_barrier_init(&barrier, NULL, N_THREADS);
        for (size_t i = 0; i < N_THREADS; i++) {
                crowd[i] = (struct crowd){repository, calls, n_calls, pick, &barrier, i};
                assert_int_equal(pthread_create(&threads[i], NULL, crowd_thread, &crowd[i]), 0);
        }
        for (size_t i = 0; i < N_THREADS; i++)
                pthread_join(threads[i], NULL);
        pthread_barrier_destroy(&barrier);
}

static call_fn pick_insert(size_t i)
{
        (void)i;
        return call_insert;
}

static call_fn pick_update(size_t i)
{
        (void)i;
        return call_update;
}

static call_fn pick_delete(size_t i)
{
        (void)i;
        return call_delete;
}

static void duplicates_of_one_request_id_have_one_effect(void **state)
{
        enum { N = 64 };
        struct fixture *fixture = *state;
        struct waiter waiter;
        struct call *calls = calls_new(N, &waiter);

        for (size_t i = 0; i < N; i++) {
                calls[i].in = sample_user("ada@example.com");
                calls[i].write = logged_write("uid:1000", 1, 1);
        }
        submit_from_threads(fixture->repository, calls, N, pick_insert);
        calls_wait(calls, N, &waiter);

        for (size_t i = 0; i < N; i++) {
                assert_ok(calls[i].request.error);
                assert_users_equal(&calls[i].out, &calls[0].out);
        }
        assert_int_equal(count_users(fixture), 1);
        free(calls);
}

static void duplicates_of_an_update_raise_the_version_once(void **state)
{
        enum { N = 64 };
        struct fixture *fixture = *state;
        struct user user = sample_user("ada@example.com"), found;
        struct waiter waiter;
        struct call *calls = calls_new(N, &waiter);

        assert_ok(do_insert(fixture, &user, NULL));
        for (size_t i = 0; i < N; i++) {
                calls[i].in = user;
                calls[i].changes = change_age;
                calls[i].want_version = 1;
                calls[i].write = logged_write("uid:1000", 1, 1);
        }
        submit_from_threads(fixture->repository, calls, N, pick_update);
        calls_wait(calls, N, &waiter);

        for (size_t i = 0; i < N; i++) {
                assert_ok(calls[i].request.error);
                assert_int_equal(calls[i].out.version, 2);
        }
        assert_ok(do_find_by_id(fixture, &user.id, &found));
        assert_int_equal(found.version, 2);
        free(calls);
}

static void duplicates_through_two_servers_have_one_effect(void **state)
{
        enum { N = 64 };
        struct fixture *fixture = *state;
        struct users_repository *other;
        struct waiter waiter;
        struct call *calls;

        if (!fixture->store->is_durable)
                skip();
        other = fixture->store->open(fixture->place, &fixture->clock);
        assert_non_null(other);
        assert_memory_equal(users_repository_page_token_key(other),
                            users_repository_page_token_key(fixture->repository),
                            32);
        calls = calls_new(N, &waiter);
        for (size_t i = 0; i < N; i++) {
                calls[i].in = sample_user("ada@example.com");
                calls[i].write = logged_write("uid:1000", (uint8_t)(i / 16), 1);
                if (i / 16 > 0)
                        calls[i].in = sample_user_number((unsigned)(i / 16));
        }
        for (size_t i = 0; i < N; i++)
                call_insert(i % 2 ? other : fixture->repository, &calls[i]);
        calls_wait(calls, N, &waiter);
        users_repository_free(other);

        for (size_t i = 0; i < N; i++) {
                assert_ok(calls[i].request.error);
                assert_users_equal(&calls[i].out, &calls[i / 16 * 16].out);
        }
        assert_int_equal(count_users(fixture), 4);
        free(calls);
}

static void of_updates_that_want_one_version_one_wins(void **state)
{
        enum { N = 64 };
        struct fixture *fixture = *state;
        struct user user = sample_user("ada@example.com"), found;
        struct waiter waiter;
        struct call *calls = calls_new(N, &waiter);

        assert_ok(do_insert(fixture, &user, NULL));
        for (size_t i = 0; i < N; i++) {
                calls[i].in = user;
                calls[i].in.age = (uint32_t)i;
                calls[i].changes = change_age;
                calls[i].want_version = 1;
        }
        submit_from_threads(fixture->repository, calls, N, pick_update);
        calls_wait(calls, N, &waiter);

        assert_int_equal(count_status(calls, N, PIPIT_OK), 1);
        assert_int_equal(count_status(calls, N, PIPIT_ABORTED), N - 1);
        assert_ok(do_find_by_id(fixture, &user.id, &found));
        assert_int_equal(found.version, 2);
        for (size_t i = 0; i < N; i++) {
                if (calls[i].request.error.status == PIPIT_OK)
                        assert_int_equal(found.age, i);
                else
                        assert_string_equal(calls[i].request.error.reason, "ETAG_MISMATCH");
        }
        free(calls);
}

static void of_inserts_of_one_email_one_wins(void **state)
{
        enum { N = 64 };
        struct fixture *fixture = *state;
        struct user found;
        struct waiter waiter;
        struct call *calls = calls_new(N, &waiter);

        for (size_t i = 0; i < N; i++)
                calls[i].in = sample_user(i % 2 ? "ADA@example.com" : "ada@EXAMPLE.com");
        submit_from_threads(fixture->repository, calls, N, pick_insert);
        calls_wait(calls, N, &waiter);

        assert_int_equal(count_status(calls, N, PIPIT_OK), 1);
        assert_int_equal(count_status(calls, N, PIPIT_ALREADY_EXISTS), N - 1);
        assert_ok(do_find_by_email(fixture, "ada@example.com", &found));
        assert_int_equal(count_users(fixture), 1);
        free(calls);
}

static void of_updates_to_one_email_one_wins(void **state)
{
        enum { N = 16 };
        struct fixture *fixture = *state;
        struct waiter waiter;
        struct call *calls = calls_new(N, &waiter);

        for (unsigned i = 0; i < N; i++) {
                calls[i].in = sample_user_number(i);
                assert_ok(do_insert(fixture, &calls[i].in, NULL));
                strcpy(calls[i].in.email, "prize@example.com");
                strcpy(calls[i].in.email_key, "prize@example.com");
                calls[i].changes = change_email;
        }
        submit_from_threads(fixture->repository, calls, N, pick_update);
        calls_wait(calls, N, &waiter);

        assert_int_equal(count_status(calls, N, PIPIT_OK), 1);
        assert_int_equal(count_status(calls, N, PIPIT_ALREADY_EXISTS), N - 1);
        free(calls);
}

static void of_deletes_of_one_user_one_finds_it(void **state)
{
        enum { N = 32 };
        struct fixture *fixture = *state;
        struct user user = sample_user("ada@example.com");
        struct waiter waiter;
        struct call *calls = calls_new(N, &waiter);

        assert_ok(do_insert(fixture, &user, NULL));
        for (size_t i = 0; i < N; i++)
                calls[i].in = user;
        submit_from_threads(fixture->repository, calls, N, pick_delete);
        calls_wait(calls, N, &waiter);

        assert_int_equal(count_status(calls, N, PIPIT_OK), 1);
        assert_int_equal(count_status(calls, N, PIPIT_NOT_FOUND), N - 1);
        free(calls);
}

static void every_update_of_one_user_counts(void **state)
{
        enum { N = 400 };
        struct fixture *fixture = *state;
        struct user user = sample_user("ada@example.com"), found;
        unsigned seen[N + 2] = {0};
        struct waiter waiter;
        struct call *calls = calls_new(N, &waiter);

        assert_ok(do_insert(fixture, &user, NULL));
        for (size_t i = 0; i < N; i++) {
                calls[i].in = user;
                calls[i].in.age = (uint32_t)(i % 100);
                calls[i].changes = change_age;
        }
        submit_from_threads(fixture->repository, calls, N, pick_update);
        calls_wait(calls, N, &waiter);

        for (size_t i = 0; i < N; i++) {
                assert_ok(calls[i].request.error);
                assert_in_range(calls[i].out.version, 2, N + 1);
                assert_int_equal(calls[i].out.age, i % 100);
                seen[calls[i].out.version]++;
        }
        for (size_t i = 2; i < N + 2; i++)
                assert_int_equal(seen[i], 1);
        assert_ok(do_find_by_id(fixture, &user.id, &found));
        assert_int_equal(found.version, N + 1);
        free(calls);
}

static call_fn pick_mixed(size_t i)
{
        static const call_fn functions[] = {call_update,
                                            call_delete,
                                            call_insert,
                                            call_update,
                                            call_find_by_id,
                                            call_find_by_email};

        return functions[i * 2654435761u / 7 % PIPIT_N_ELEMENTS(functions)];
}

/* Writers that lock the same users in every order must neither hang nor fail. */
static void mixed_writes_to_few_users_neither_hang_nor_fail(void **state)
{
        enum { N = 4000, N_USERS = 20 };
        struct fixture *fixture = *state;
        struct user users[N_USERS];
        struct waiter waiter;
        struct call *calls = calls_new(N, &waiter);

        for (unsigned i = 0; i < N_USERS; i++) {
                users[i] = sample_user_number(i);
                assert_ok(do_insert(fixture, &users[i], NULL));
        }
        for (size_t i = 0; i < N; i++) {
                calls[i].in = users[i * 40503u / 3 % N_USERS];
                if (pick_mixed(i) == call_insert)
                        calls[i].in.id = pipit_uuid_v7(pipit_clock_wall_us());
                calls[i].changes = (struct users_changes){i % 3 == 0, true, i % 2 == 0};
        }
        submit_from_threads(fixture->repository, calls, N, pick_mixed);
        calls_wait(calls, N, &waiter);

        for (size_t i = 0; i < N; i++) {
                enum pipit_status status = calls[i].request.error.status;

                if (status != PIPIT_OK && status != PIPIT_NOT_FOUND)
                        assert_error(calls[i].request.error,
                                     PIPIT_ALREADY_EXISTS,
                                     "EMAIL_TAKEN",
                                     PIPIT_RAN);
        }
        assert_true(count_users(fixture) <= N_USERS);
        free(calls);
}

/* --- many at once ------------------------------------------------------------ */

static void one_that_fails_does_not_spoil_those_beside_it(void **state)
{
        enum { N = 300 };
        struct fixture *fixture = *state;
        struct user taken = sample_user("taken@example.com");
        struct waiter waiter;
        struct call *calls = calls_new(N, &waiter);

        assert_ok(do_insert(fixture, &taken, NULL));
        for (unsigned i = 0; i < N; i++) {
                calls[i].in =
                        i % 10 == 3 ? sample_user("Taken@example.com") : sample_user_number(i);
                if (i % 10 == 7)
                        calls[i].in.id = taken.id;
                if (i % 2)
                        calls[i].write = logged_write("uid:1000", 0, (uint8_t)i);
                memcpy(calls[i].write.request_id, &i, sizeof(i));
        }
        for (size_t i = 0; i < N; i++)
                call_insert(fixture->repository, &calls[i]);
        calls_wait(calls, N, &waiter);

        for (size_t i = 0; i < N; i++) {
                if (i % 10 == 3)
                        assert_int_equal(calls[i].request.error.status, PIPIT_ALREADY_EXISTS);
                else if (i % 10 == 7)
                        assert_int_equal(calls[i].request.error.status, PIPIT_INTERNAL);
                else
                        assert_ok(calls[i].request.error);
        }
        assert_int_equal(count_users(fixture), 1 + N / 10 * 8);
        free(calls);
}

static void ten_thousand_outstanding_are_each_done_once(void **state)
{
        enum { N = 10000 };
        struct fixture *fixture = *state;
        struct waiter waiter;
        struct call *calls = calls_new(N, &waiter);

        for (unsigned i = 0; i < N; i++)
                calls[i].in = sample_user_number(i);
        submit_from_threads(fixture->repository, calls, N, pick_insert);
        calls_wait(calls, N, &waiter);

        for (size_t i = 0; i < N; i++) {
                assert_ok(calls[i].request.error);
                assert_users_equal(&calls[i].out, &calls[i].in);
        }
        assert_int_equal(count_users(fixture), N);
        free(calls);
}

static call_fn pick_find(size_t i)
{
        return i % 2 ? call_find_by_id : call_find_by_email;
}

static void ten_thousand_reads_each_get_their_own_user(void **state)
{
        enum { N = 10000, N_USERS = 100 };
        struct fixture *fixture = *state;
        struct user users[N_USERS];
        struct waiter waiter;
        struct call *calls;

        for (unsigned i = 0; i < N_USERS; i++) {
                users[i] = sample_user_number(i);
                assert_ok(do_insert(fixture, &users[i], NULL));
        }
        calls = calls_new(N, &waiter);
        for (size_t i = 0; i < N; i++)
                calls[i].in = i % 5 ? users[i % N_USERS] : sample_user("ghost@example.com");
        submit_from_threads(fixture->repository, calls, N, pick_find);
        calls_wait(calls, N, &waiter);

        for (size_t i = 0; i < N; i++) {
                if (i % 5 == 0) {
                        assert_int_equal(calls[i].request.error.status, PIPIT_NOT_FOUND);
                        continue;
                }
                assert_ok(calls[i].request.error);
                assert_users_equal(&calls[i].out, &users[i % N_USERS]);
        }
        free(calls);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(duplicates_of_one_request_id_have_one_effect),
        cmocka_unit_test(duplicates_of_an_update_raise_the_version_once),
        cmocka_unit_test(duplicates_through_two_servers_have_one_effect),
        cmocka_unit_test(of_updates_that_want_one_version_one_wins),
        cmocka_unit_test(of_inserts_of_one_email_one_wins),
        cmocka_unit_test(of_updates_to_one_email_one_wins),
        cmocka_unit_test(of_deletes_of_one_user_one_finds_it),
        cmocka_unit_test(every_update_of_one_user_counts),
        cmocka_unit_test(mixed_writes_to_few_users_neither_hang_nor_fail),
        cmocka_unit_test(one_that_fails_does_not_spoil_those_beside_it),
        cmocka_unit_test(ten_thousand_outstanding_are_each_done_once),
        cmocka_unit_test(ten_thousand_reads_each_get_their_own_user),
};

const struct test_table concurrency_tests = {tests, PIPIT_N_ELEMENTS(tests)};
