#include "tests/contract/harness.h"

#include <string.h>

#define ADA "uid:1000"
#define BOB "uid:1001"

static const struct users_changes change_age = {.age = true};

static struct pipit_error run(struct fixture *fixture,
                              call_fn function,
                              struct users_write write,
                              const struct user *user,
                              struct user *ret_user)
{
        struct call call = {.in = *user, .changes = change_age};

        call_init(&call, NULL);
        call.write = write;
        call_wait(fixture->repository, function, &call);
        if (call.request.error.status == PIPIT_OK && ret_user)
                *ret_user = call.out;
        return call.request.error;
}

static void a_repeated_insert_gets_the_first_user(void **state)
{
        struct users_write write = logged_write(ADA, 1, 1);
        struct user first = sample_user("ada@example.com"), again = sample_user("ada@example.com");
        struct user stored;

        again.create_time_us += 1000;
        assert_ok(run(*state, call_insert, write, &first, &stored));
        assert_users_equal(&stored, &first);
        assert_ok(run(*state, call_insert, write, &again, &stored));
        assert_users_equal(&stored, &first);
        assert_int_equal(count_users(*state), 1);
}

static void a_repeat_gets_what_the_first_left_whatever_came_after(void **state)
{
        struct users_write write = logged_write(ADA, 1, 1);
        struct user first = sample_user("ada@example.com"), stored;

        assert_ok(run(*state, call_insert, write, &first, NULL));
        assert_ok(do_update(*state, &first, change_age, 0, NULL));
        assert_ok(run(*state, call_insert, write, &first, &stored));
        assert_users_equal(&stored, &first);
        assert_ok(do_delete(*state, &first.id, 0));
        assert_ok(run(*state, call_insert, write, &first, &stored));
        assert_users_equal(&stored, &first);
        assert_int_equal(count_users(*state), 0);
}

static void a_repeated_update_changes_nothing_more(void **state)
{
        struct users_write write = logged_write(ADA, 1, 1);
        struct user user = sample_user("ada@example.com"), first, stored;

        assert_ok(do_insert(*state, &user, NULL));
        assert_ok(run(*state, call_update, write, &user, &first));
        assert_int_equal(first.version, 2);
        assert_ok(run(*state, call_update, write, &user, &stored));
        assert_users_equal(&stored, &first);
        assert_ok(do_find_by_id(*state, &user.id, &stored));
        assert_users_equal(&stored, &first);
}

static void a_repeated_delete_succeeds_and_deletes_nothing_more(void **state)
{
        struct users_write write = logged_write(ADA, 1, 1);
        struct user user = sample_user("ada@example.com");

        assert_ok(do_insert(*state, &user, NULL));
        assert_ok(run(*state, call_delete, write, &user, NULL));
        assert_ok(run(*state, call_delete, write, &user, NULL));
        assert_ok(do_insert(*state, &user, NULL));
        assert_ok(run(*state, call_delete, write, &user, NULL));
        assert_int_equal(count_users(*state), 1);
}

static void without_a_request_id_nothing_is_remembered(void **state)
{
        struct users_write write = logged_write(ADA, 1, 1);
        struct user first = sample_user("ada@example.com"), again = sample_user("ada@example.com");

        write.has_request_id = false;
        assert_ok(run(*state, call_insert, write, &first, NULL));
        assert_error(run(*state, call_insert, write, &again, NULL),
                     PIPIT_ALREADY_EXISTS,
                     "EMAIL_TAKEN",
                     PIPIT_RAN);
}

static void another_hash_under_the_same_id_is_request_id_reused(void **state)
{
        struct user user = sample_user("ada@example.com"), other = sample_user("bob@example.com");
        call_fn functions[] = {call_insert, call_update, call_delete};

        assert_ok(do_insert(*state, &user, NULL));
        for (uint8_t i = 0; i < PIPIT_N_ELEMENTS(functions); i++) {
                struct user subject = functions[i] == call_insert ? other : user;

                assert_ok(run(*state, functions[i], logged_write(ADA, i, 1), &subject, NULL));
                assert_error(run(*state, functions[i], logged_write(ADA, i, 2), &subject, NULL),
                             PIPIT_INVALID_ARGUMENT,
                             "REQUEST_ID_REUSED",
                             PIPIT_RAN);
        }
        assert_int_equal(count_users(*state), 1);
}

static void another_operation_under_the_same_id_is_request_id_reused(void **state)
{
        struct users_write write = logged_write(ADA, 1, 1);
        struct user user = sample_user("ada@example.com"), found;

        assert_ok(run(*state, call_insert, write, &user, NULL));
        assert_error(run(*state, call_update, write, &user, NULL),
                     PIPIT_INVALID_ARGUMENT,
                     "REQUEST_ID_REUSED",
                     PIPIT_RAN);
        assert_error(run(*state, call_delete, write, &user, NULL),
                     PIPIT_INVALID_ARGUMENT,
                     "REQUEST_ID_REUSED",
                     PIPIT_RAN);
        assert_ok(do_find_by_id(*state, &user.id, &found));
        assert_users_equal(&found, &user);
}

static void another_principals_request_id_is_another(void **state)
{
        struct user ada = sample_user("ada@example.com"), bob = sample_user("bob@example.com");
        struct user stored;

        assert_ok(run(*state, call_insert, logged_write(ADA, 1, 1), &ada, NULL));
        assert_ok(run(*state, call_insert, logged_write(BOB, 1, 2), &bob, &stored));
        assert_users_equal(&stored, &bob);
        assert_ok(run(*state, call_insert, logged_write(ADA, 1, 1), &bob, &stored));
        assert_users_equal(&stored, &ada);
}

static void a_failed_write_may_be_repeated_and_is_decided_anew(void **state)
{
        struct user holder = sample_user("ada@example.com"), user = sample_user("ada@example.com");
        struct user stored;

        assert_ok(do_insert(*state, &holder, NULL));
        assert_error(run(*state, call_insert, logged_write(ADA, 1, 1), &user, NULL),
                     PIPIT_ALREADY_EXISTS,
                     "EMAIL_TAKEN",
                     PIPIT_RAN);
        assert_error(run(*state, call_update, logged_write(ADA, 2, 1), &user, NULL),
                     PIPIT_NOT_FOUND,
                     "USER_NOT_FOUND",
                     PIPIT_RAN);
        assert_error(run(*state, call_delete, logged_write(ADA, 3, 1), &user, NULL),
                     PIPIT_NOT_FOUND,
                     "USER_NOT_FOUND",
                     PIPIT_RAN);

        assert_ok(do_delete(*state, &holder.id, 0));
        assert_ok(run(*state, call_insert, logged_write(ADA, 1, 1), &user, &stored));
        assert_users_equal(&stored, &user);
        assert_ok(run(*state, call_update, logged_write(ADA, 2, 1), &user, NULL));
        assert_ok(run(*state, call_delete, logged_write(ADA, 3, 1), &user, NULL));
        assert_int_equal(count_users(*state), 0);
}

static void a_failed_write_leaves_its_request_id_free_for_another(void **state)
{
        struct user user = sample_user("ada@example.com");

        assert_error(run(*state, call_delete, logged_write(ADA, 1, 1), &user, NULL),
                     PIPIT_NOT_FOUND,
                     "USER_NOT_FOUND",
                     PIPIT_RAN);
        assert_ok(run(*state, call_insert, logged_write(ADA, 1, 2), &user, NULL));
}

static void a_request_id_is_free_again_after_24_hours(void **state)
{
        struct fixture *fixture = *state;
        struct users_write write = logged_write(ADA, 1, 1);
        struct user ada = sample_user("ada@example.com"), bob = sample_user("bob@example.com");
        struct user stored;

        if (!fixture->store->takes_clock)
                skip();
        assert_ok(run(fixture, call_insert, write, &ada, NULL));
        atomic_fetch_add(&fixture->skew_us, USERS_REQUEST_LOG_TTL_US - 3600 * PIPIT_US_PER_S);
        assert_ok(run(fixture, call_insert, write, &bob, &stored));
        assert_users_equal(&stored, &ada);
        assert_int_equal(count_users(fixture), 1);

        atomic_fetch_add(&fixture->skew_us, 3600 * PIPIT_US_PER_S);
        assert_ok(run(fixture, call_insert, logged_write(ADA, 1, 2), &bob, &stored));
        assert_users_equal(&stored, &bob);
        assert_ok(run(fixture, call_insert, logged_write(ADA, 1, 2), &ada, &stored));
        assert_users_equal(&stored, &bob);
        assert_int_equal(count_users(fixture), 2);
}

static void many_old_request_ids_make_room_for_new_ones(void **state)
{
        struct fixture *fixture = *state;
        struct user user = sample_user("ada@example.com");

        if (!fixture->store->takes_clock)
                skip();
        assert_ok(do_insert(fixture, &user, NULL));
        for (uint8_t day = 1; day <= 3; day++) {
                for (uint8_t i = 0; i < 50; i++) {
                        assert_ok(
                                run(fixture, call_update, logged_write(ADA, i, day), &user, NULL));
                        assert_ok(
                                run(fixture, call_update, logged_write(ADA, i, day), &user, NULL));
                }
                atomic_fetch_add(&fixture->skew_us, USERS_REQUEST_LOG_TTL_US);
        }
        assert_ok(do_find_by_id(fixture, &user.id, &user));
        assert_int_equal(user.version, 151);
}

static void awkward_principals_are_kept_apart(void **state)
{
        static const char *const principals[] = {
                "", "\"", "\\", "{a,b}", "NULL", "x' or 'x'='x", "A", "a", "a ", "\xc3\xa4"};
        struct user stored;

        for (unsigned round = 0; round < 2; round++) {
                for (unsigned i = 0; i < PIPIT_N_ELEMENTS(principals); i++) {
                        struct user user = sample_user_number(i);

                        assert_ok(run(*state,
                                      call_insert,
                                      logged_write(principals[i], 1, (uint8_t)i),
                                      &user,
                                      &stored));
                        assert_string_equal(stored.email, user.email);
                }
        }
        assert_int_equal(count_users(*state), PIPIT_N_ELEMENTS(principals));
}

static void the_longest_principal_fits_and_a_longer_one_is_refused(void **state)
{
        char principal[USERS_PRINCIPAL_BYTES_MAX + 2] = {0};
        struct user user = sample_user("ada@example.com"), other = sample_user("bob@example.com");

        memset(principal, 'p', USERS_PRINCIPAL_BYTES_MAX);
        assert_ok(run(*state, call_insert, logged_write(principal, 1, 1), &user, NULL));
        assert_ok(run(*state, call_insert, logged_write(principal, 1, 1), &user, NULL));
        principal[USERS_PRINCIPAL_BYTES_MAX] = 'p';
        assert_error(run(*state, call_insert, logged_write(principal, 1, 1), &other, NULL),
                     PIPIT_INTERNAL,
                     "STORE_FAILED",
                     PIPIT_NOT_RUN);
        assert_int_equal(count_users(*state), 1);
}

static void request_ids_of_any_bytes_are_kept_apart(void **state)
{
        static const uint8_t bytes[] = {0x00, '"', '\\', '\'', '{', 0x7f, 0x80, 0xff};
        struct user stored;

        for (unsigned round = 0; round < 2; round++) {
                for (unsigned i = 0; i < PIPIT_N_ELEMENTS(bytes); i++) {
                        struct user user = sample_user_number(i);

                        assert_ok(run(*state,
                                      call_insert,
                                      logged_write(ADA, bytes[i], bytes[i]),
                                      &user,
                                      &stored));
                        assert_string_equal(stored.email, user.email);
                }
        }
}

static void a_request_id_is_known_after_reopening(void **state)
{
        struct fixture *fixture = *state;
        struct user user = sample_user("ada@example.com"), again = sample_user("ada@example.com");
        struct user stored;

        if (!fixture->store->is_durable)
                skip();
        strcpy(user.name, "\" \\ , { } NULL");
        assert_ok(run(fixture, call_insert, logged_write(ADA, 1, 1), &user, NULL));
        assert_ok(run(fixture, call_delete, logged_write(ADA, 2, 1), &user, NULL));
        fixture_reopen(fixture);
        assert_ok(run(fixture, call_insert, logged_write(ADA, 1, 1), &again, &stored));
        assert_users_equal(&stored, &user);
        assert_ok(run(fixture, call_delete, logged_write(ADA, 2, 1), &user, NULL));
        assert_error(run(fixture, call_insert, logged_write(ADA, 1, 2), &again, NULL),
                     PIPIT_INVALID_ARGUMENT,
                     "REQUEST_ID_REUSED",
                     PIPIT_RAN);
        assert_int_equal(count_users(fixture), 0);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_repeated_insert_gets_the_first_user),
        cmocka_unit_test(a_repeat_gets_what_the_first_left_whatever_came_after),
        cmocka_unit_test(a_repeated_update_changes_nothing_more),
        cmocka_unit_test(a_repeated_delete_succeeds_and_deletes_nothing_more),
        cmocka_unit_test(without_a_request_id_nothing_is_remembered),
        cmocka_unit_test(another_hash_under_the_same_id_is_request_id_reused),
        cmocka_unit_test(another_operation_under_the_same_id_is_request_id_reused),
        cmocka_unit_test(another_principals_request_id_is_another),
        cmocka_unit_test(a_failed_write_may_be_repeated_and_is_decided_anew),
        cmocka_unit_test(a_failed_write_leaves_its_request_id_free_for_another),
        cmocka_unit_test(a_request_id_is_free_again_after_24_hours),
        cmocka_unit_test(many_old_request_ids_make_room_for_new_ones),
        cmocka_unit_test(awkward_principals_are_kept_apart),
        cmocka_unit_test(the_longest_principal_fits_and_a_longer_one_is_refused),
        cmocka_unit_test(request_ids_of_any_bytes_are_kept_apart),
        cmocka_unit_test(a_request_id_is_known_after_reopening),
};

const struct test_table request_log_tests = {tests, PIPIT_N_ELEMENTS(tests)};
