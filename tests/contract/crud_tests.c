#include "tests/contract/harness.h"

#include <string.h>

static const struct users_changes change_all = {true, true, true};
static const struct users_changes change_email = {.email = true};
static const struct users_changes change_age = {.age = true};

static void an_inserted_user_comes_back_whole(void **state)
{
        struct user user = sample_user("Ada@Example.com"), stored, found;

        assert_ok(do_insert(*state, &user, &stored));
        assert_users_equal(&stored, &user);
        assert_ok(do_find_by_id(*state, &user.id, &found));
        assert_users_equal(&found, &user);
        assert_ok(do_find_by_email(*state, "ada@example.com", &found));
        assert_users_equal(&found, &user);
}

static void insert_of_a_taken_email_is_already_exists(void **state)
{
        struct user first = sample_user("ada@example.com"), second = sample_user("ADA@example.COM");

        assert_ok(do_insert(*state, &first, NULL));
        assert_error(
                do_insert(*state, &second, NULL), PIPIT_ALREADY_EXISTS, "EMAIL_TAKEN", PIPIT_RAN);
        assert_int_equal(count_users(*state), 1);
}

static void insert_of_a_taken_id_is_internal_and_not_email_taken(void **state)
{
        struct user first = sample_user("ada@example.com"), second = sample_user("bob@example.com");
        struct user found;

        second.id = first.id;
        assert_ok(do_insert(*state, &first, NULL));
        assert_int_equal(do_insert(*state, &second, NULL).status, PIPIT_INTERNAL);
        assert_ok(do_find_by_id(*state, &first.id, &found));
        assert_users_equal(&found, &first);
        assert_int_equal(count_users(*state), 1);
}

static void what_is_not_there_is_not_found(void **state)
{
        struct user ghost = sample_user("ghost@example.com");

        assert_error(do_find_by_id(*state, &ghost.id, NULL),
                     PIPIT_NOT_FOUND,
                     "USER_NOT_FOUND",
                     PIPIT_RAN);
        assert_error(do_find_by_email(*state, ghost.email_key, NULL),
                     PIPIT_NOT_FOUND,
                     "USER_NOT_FOUND",
                     PIPIT_RAN);
        assert_error(do_update(*state, &ghost, change_all, 0, NULL),
                     PIPIT_NOT_FOUND,
                     "USER_NOT_FOUND",
                     PIPIT_RAN);
        assert_error(do_update(*state, &ghost, change_all, 1, NULL),
                     PIPIT_NOT_FOUND,
                     "USER_NOT_FOUND",
                     PIPIT_RAN);
        assert_error(do_delete(*state, &ghost.id, 0), PIPIT_NOT_FOUND, "USER_NOT_FOUND", PIPIT_RAN);
        assert_error(do_delete(*state, &ghost.id, 1), PIPIT_NOT_FOUND, "USER_NOT_FOUND", PIPIT_RAN);
}

static void update_changes_what_is_named_and_nothing_else(void **state)
{
        struct user user = sample_user("ada@example.com"), changed = sample_user("Bob@example.com");
        struct user stored, found;

        assert_ok(do_insert(*state, &user, NULL));
        changed.id = user.id;
        strcpy(changed.name, "Bob");
        changed.age = 99;
        changed.create_time_us = 1;
        changed.update_time_us = user.update_time_us + 5;
        assert_ok(do_update(*state, &changed, change_age, 0, &stored));

        user.age = 99;
        user.version = 2;
        user.update_time_us += 5;
        assert_users_equal(&stored, &user);
        assert_ok(do_find_by_id(*state, &user.id, &found));
        assert_users_equal(&found, &user);

        assert_ok(do_update(*state, &changed, change_all, 2, &stored));
        changed.create_time_us = user.create_time_us;
        changed.version = 3;
        assert_users_equal(&stored, &changed);
        assert_ok(do_find_by_email(*state, "bob@example.com", &found));
        assert_users_equal(&found, &changed);
        assert_int_equal(do_find_by_email(*state, "ada@example.com", NULL).status, PIPIT_NOT_FOUND);
}

static void update_of_no_field_still_raises_the_version(void **state)
{
        struct user user = sample_user("ada@example.com"), stored;

        assert_ok(do_insert(*state, &user, NULL));
        assert_ok(do_update(*state, &user, (struct users_changes){0}, 1, &stored));
        user.version = 2;
        assert_users_equal(&stored, &user);
}

static void update_time_never_goes_back(void **state)
{
        struct user user = sample_user("ada@example.com"), earlier = user, stored;

        assert_ok(do_insert(*state, &user, NULL));
        earlier.update_time_us -= 1000000;
        assert_ok(do_update(*state, &earlier, change_age, 0, &stored));
        assert_int_equal(stored.update_time_us, user.update_time_us);
        assert_int_equal(stored.version, 2);
}

static void update_to_a_taken_email_changes_nothing(void **state)
{
        struct user ada = sample_user("ada@example.com"), bob = sample_user("bob@example.com");
        struct user wish = bob, found;

        assert_ok(do_insert(*state, &ada, NULL));
        assert_ok(do_insert(*state, &bob, NULL));
        strcpy(wish.email, "ADA@example.com");
        strcpy(wish.email_key, "ada@example.com");
        wish.age = 1;
        assert_error(do_update(*state, &wish, change_all, 0, NULL),
                     PIPIT_ALREADY_EXISTS,
                     "EMAIL_TAKEN",
                     PIPIT_RAN);
        assert_ok(do_find_by_id(*state, &bob.id, &found));
        assert_users_equal(&found, &bob);
}

static void update_may_change_the_case_of_ones_own_email(void **state)
{
        struct user ada = sample_user("ada@example.com"), stored;

        assert_ok(do_insert(*state, &ada, NULL));
        strcpy(ada.email, "ADA@EXAMPLE.COM");
        assert_ok(do_update(*state, &ada, change_email, 1, &stored));
        ada.version = 2;
        assert_users_equal(&stored, &ada);
}

static void an_email_that_was_given_up_is_free(void **state)
{
        struct user ada = sample_user("ada@example.com"), moved = ada;
        struct user next = sample_user("ada@example.com"), third = sample_user("ada@example.com");

        assert_ok(do_insert(*state, &ada, NULL));
        strcpy(moved.email, "lovelace@example.com");
        strcpy(moved.email_key, "lovelace@example.com");
        assert_ok(do_update(*state, &moved, change_email, 0, NULL));
        assert_ok(do_insert(*state, &next, NULL));
        assert_ok(do_delete(*state, &next.id, 0));
        assert_ok(do_insert(*state, &third, NULL));
        assert_int_equal(count_users(*state), 2);
}

static void a_stale_version_is_etag_mismatch(void **state)
{
        struct user user = sample_user("ada@example.com"), found;

        assert_ok(do_insert(*state, &user, NULL));
        assert_ok(do_update(*state, &user, change_age, 1, NULL));
        assert_error(do_update(*state, &user, change_age, 1, NULL),
                     PIPIT_ABORTED,
                     "ETAG_MISMATCH",
                     PIPIT_RAN);
        assert_error(do_update(*state, &user, change_age, UINT64_MAX, NULL),
                     PIPIT_ABORTED,
                     "ETAG_MISMATCH",
                     PIPIT_RAN);
        assert_error(do_delete(*state, &user.id, 1), PIPIT_ABORTED, "ETAG_MISMATCH", PIPIT_RAN);
        assert_error(
                do_delete(*state, &user.id, UINT64_MAX), PIPIT_ABORTED, "ETAG_MISMATCH", PIPIT_RAN);
        assert_ok(do_find_by_id(*state, &user.id, &found));
        assert_int_equal(found.version, 2);
        assert_ok(do_delete(*state, &user.id, 2));
}

static void etag_mismatch_goes_before_email_taken(void **state)
{
        struct user ada = sample_user("ada@example.com"), bob = sample_user("bob@example.com");

        assert_ok(do_insert(*state, &ada, NULL));
        assert_ok(do_insert(*state, &bob, NULL));
        strcpy(bob.email, ada.email);
        strcpy(bob.email_key, ada.email_key);
        assert_error(do_update(*state, &bob, change_email, 7, NULL),
                     PIPIT_ABORTED,
                     "ETAG_MISMATCH",
                     PIPIT_RAN);
}

static void a_deleted_user_is_gone(void **state)
{
        struct user user = sample_user("ada@example.com");

        assert_ok(do_insert(*state, &user, NULL));
        assert_ok(do_delete(*state, &user.id, 0));
        assert_int_equal(do_find_by_id(*state, &user.id, NULL).status, PIPIT_NOT_FOUND);
        assert_int_equal(do_find_by_email(*state, user.email_key, NULL).status, PIPIT_NOT_FOUND);
        assert_int_equal(do_delete(*state, &user.id, 0).status, PIPIT_NOT_FOUND);
        assert_int_equal(count_users(*state), 0);
}

/* Rule 6. */
static void a_failure_leaves_the_result_untouched(void **state)
{
        struct fixture *fixture = *state;
        struct user taken = sample_user("ada@example.com"), untouched;
        call_fn functions[] = {call_insert, call_find_by_id, call_find_by_email, call_update};

        memset(&untouched, 0xa5, sizeof(untouched));
        assert_ok(do_insert(fixture, &taken, NULL));
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(functions); i++) {
                struct call call = {.in = sample_user("ada@example.com")};

                if (functions[i] == call_find_by_email)
                        strcpy(call.in.email_key, "nobody@example.com");
                call_init(&call, NULL);
                call_wait(fixture->repository, functions[i], &call);
                assert_int_not_equal(call.request.error.status, PIPIT_OK);
                assert_memory_equal(&call.out, &untouched, sizeof(untouched));
        }
}

static void users_are_there_after_reopening(void **state)
{
        struct fixture *fixture = *state;
        struct user ada = sample_user("ada@example.com"), bob = sample_user("bob@example.com"),
                    found;
        uint8_t key[32];

        if (!fixture->store->is_durable)
                skip();
        memcpy(key, users_repository_page_token_key(fixture->repository), sizeof(key));
        assert_ok(do_insert(fixture, &ada, NULL));
        assert_ok(do_insert(fixture, &bob, NULL));
        assert_ok(do_update(fixture, &ada, change_age, 1, &ada));
        assert_ok(do_delete(fixture, &bob.id, 1));

        fixture_reopen(fixture);
        assert_ok(do_find_by_id(fixture, &ada.id, &found));
        assert_users_equal(&found, &ada);
        assert_int_equal(count_users(fixture), 1);
        assert_memory_equal(users_repository_page_token_key(fixture->repository), key, sizeof(key));
}

static void the_page_token_key_is_random(void **state)
{
        struct fixture *fixture = *state;
        void *place = fixture->store->place_new();
        struct users_repository *other;
        uint8_t zero[32] = {0};

        assert_non_null(place);
        other = fixture->store->open(place, &fixture->clock);
        assert_non_null(other);
        assert_memory_not_equal(users_repository_page_token_key(other), zero, sizeof(zero));
        assert_memory_not_equal(users_repository_page_token_key(other),
                                users_repository_page_token_key(fixture->repository),
                                sizeof(zero));
        users_repository_free(other);
        fixture->store->place_free(place);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_inserted_user_comes_back_whole),
        cmocka_unit_test(insert_of_a_taken_email_is_already_exists),
        cmocka_unit_test(insert_of_a_taken_id_is_internal_and_not_email_taken),
        cmocka_unit_test(what_is_not_there_is_not_found),
        cmocka_unit_test(update_changes_what_is_named_and_nothing_else),
        cmocka_unit_test(update_of_no_field_still_raises_the_version),
        cmocka_unit_test(update_time_never_goes_back),
        cmocka_unit_test(update_to_a_taken_email_changes_nothing),
        cmocka_unit_test(update_may_change_the_case_of_ones_own_email),
        cmocka_unit_test(an_email_that_was_given_up_is_free),
        cmocka_unit_test(a_stale_version_is_etag_mismatch),
        cmocka_unit_test(etag_mismatch_goes_before_email_taken),
        cmocka_unit_test(a_deleted_user_is_gone),
        cmocka_unit_test(a_failure_leaves_the_result_untouched),
        cmocka_unit_test(users_are_there_after_reopening),
        cmocka_unit_test(the_page_token_key_is_random),
};

const struct test_table crud_tests = {tests, PIPIT_N_ELEMENTS(tests)};
