#include "tests/contract/harness.h"

#include <string.h>

static const char *const awkward_names[] = {
        "\"",
        "\\",
        ",",
        "{",
        "}",
        "NULL",
        "null",
        "\" \\ , { } NULL",
        "{\"a\",NULL}",
        "\\x00",
        "\\N",
        "'; drop table users; --",
        "%s%n",
        "$1",
        " leading and trailing ",
        "Zo\xc3\xab",
        "\xe2\x82\xac",
        "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80",
        "e\xcc\x81",
};

static void awkward_names_come_back_as_they_went_in(void **state)
{
        for (unsigned i = 0; i < PIPIT_N_ELEMENTS(awkward_names); i++) {
                struct user user = sample_user_number(i), found;

                strcpy(user.name, awkward_names[i]);
                assert_ok(do_insert(*state, &user, &found));
                assert_users_equal(&found, &user);
                assert_ok(do_find_by_id(*state, &user.id, &found));
                assert_users_equal(&found, &user);
                assert_ok(do_find_by_email(*state, user.email_key, &found));
                assert_users_equal(&found, &user);
        }
}

static void awkward_names_pass_through_update_and_list(void **state)
{
        struct user user = sample_user("ada@example.com"), found;

        assert_ok(do_insert(*state, &user, NULL));
        for (unsigned i = 0; i < PIPIT_N_ELEMENTS(awkward_names); i++) {
                strcpy(user.name, awkward_names[i]);
                assert_ok(
                        do_update(*state, &user, (struct users_changes){.name = true}, 0, &found));
                assert_string_equal(found.name, awkward_names[i]);
                assert_int_equal(do_list(*state, NULL, 1, &found), 1);
                assert_string_equal(found.name, awkward_names[i]);
        }
}

static void awkward_emails_come_back_as_they_went_in(void **state)
{
        static const char *const emails[] = {
                "!#$%&'*+/=?^_`{|}~-@example.com",
                "{NULL}@example.com",
                "O'Brien@example.com",
                "a%b_c@example.com",
                "aXb_c@example.com",
        };

        for (unsigned i = 0; i < PIPIT_N_ELEMENTS(emails); i++) {
                struct user user = sample_user(emails[i]), found;

                assert_ok(do_insert(*state, &user, NULL));
                assert_ok(do_find_by_email(*state, user.email_key, &found));
                assert_users_equal(&found, &user);
        }
        assert_int_equal(count_users(*state), PIPIT_N_ELEMENTS(emails));
}

static void the_longest_values_fit(void **state)
{
        static const char *const code_points[] = {
                "x", "\xc3\xab", "\xe2\x82\xac", "\xf0\x9f\x9a\x80"};
        struct user user, found;

        for (unsigned i = 0; i < PIPIT_N_ELEMENTS(code_points); i++) {
                user = sample_user_number(i);
                memset(user.email, 'A' + (int)i, USER_EMAIL_BYTES_MAX);
                memset(user.email_key, 'a' + (int)i, USER_EMAIL_BYTES_MAX);
                user.email[USER_EMAIL_BYTES_MAX] = '\0';
                user.email_key[USER_EMAIL_BYTES_MAX] = '\0';
                user.name[0] = '\0';
                for (int j = 0; j < USER_NAME_CODE_POINTS_MAX; j++)
                        strcat(user.name, code_points[i]);
                assert_ok(do_insert(*state, &user, NULL));
                assert_ok(do_find_by_email(*state, user.email_key, &found));
                assert_users_equal(&found, &user);
        }
}

static void numbers_at_their_bounds_come_back(void **state)
{
        static const uint32_t ages[] = {0, 1, USER_AGE_MAX};
        struct user user, found;

        for (unsigned i = 0; i < PIPIT_N_ELEMENTS(ages); i++) {
                user = sample_user_number(i);
                user.age = ages[i];
                user.create_time_us = (int64_t)i;
                user.update_time_us = INT64_C(253402300799999999);
                user.version = 1;
                assert_ok(do_insert(*state, &user, NULL));
                assert_ok(do_find_by_id(*state, &user.id, &found));
                assert_users_equal(&found, &user);
        }
}

static void ids_of_any_bytes_come_back(void **state)
{
        static const uint8_t bytes[] = {0x00, 0x01, '"', '\\', '\'', 0x7f, 0x80, 0xff};
        struct user found;

        for (unsigned i = 0; i < PIPIT_N_ELEMENTS(bytes); i++) {
                struct user user = sample_user_number(i);

                memset(&user.id, bytes[i], sizeof(user.id));
                assert_ok(do_insert(*state, &user, NULL));
                assert_ok(do_find_by_id(*state, &user.id, &found));
                assert_users_equal(&found, &user);
        }
        assert_int_equal(count_users(*state), PIPIT_N_ELEMENTS(bytes));
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(awkward_names_come_back_as_they_went_in),
        cmocka_unit_test(awkward_names_pass_through_update_and_list),
        cmocka_unit_test(awkward_emails_come_back_as_they_went_in),
        cmocka_unit_test(the_longest_values_fit),
        cmocka_unit_test(numbers_at_their_bounds_come_back),
        cmocka_unit_test(ids_of_any_bytes_come_back),
};

const struct test_table text_tests = {tests, PIPIT_N_ELEMENTS(tests)};
