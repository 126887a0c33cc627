#include "core/users/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "core/base/macros.h"
#include "core/users/errors.h"

/* @n times @unit, after @prefix. */
static const char *repeat(char *buffer, const char *prefix, const char *unit, size_t n)
{
        char *end = stpcpy(buffer, prefix);

        for (size_t i = 0; i < n; i++)
                end = stpcpy(end, unit);
        return buffer;
}

static bool is_email(const char *email)
{
        struct users_violations violations = {0};
        struct user user;
        bool holds = users_rule_email(email, "user.email", &violations, &user);

        assert_int_equal(violations.n == 0, holds);
        if (holds)
                assert_string_equal(user.email, email);
        else
                assert_string_equal(violations.entries[0].field, "user.email");
        return holds;
}

static bool is_name(const char *name)
{
        struct users_violations violations = {0};
        struct user user;
        bool holds = users_rule_name(name, "user.name", &violations, &user);

        assert_int_equal(violations.n == 0, holds);
        if (holds)
                assert_string_equal(user.name, name);
        else
                assert_string_equal(violations.entries[0].field, "user.name");
        return holds;
}

static void names_hold_1_to_50_code_points_of_any_width(void **state)
{
        static const char *const units[] = {"x", "\xc3\xab", "\xe2\x82\xac", "\xf0\x9f\x9a\x80"};
        char buffer[256];

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(units); i++) {
                assert_true(is_name(repeat(buffer, "", units[i], 1)));
                assert_true(is_name(repeat(buffer, "", units[i], 49)));
                assert_true(is_name(repeat(buffer, "", units[i], 50)));
                assert_false(is_name(repeat(buffer, "", units[i], 51)));
        }
        assert_false(is_name(""));
        assert_false(is_name(NULL));
}

static void names_hold_no_control_characters(void **state)
{
        static const char *const bad[] = {
                "\x01", "a\tb", "a\nb", "a\x1f", "a\x7f", "a\xc2\x80", "a\xc2\x85", "\xc2\x9f"};
        static const char *const good[] = {
                " ", "~", "\xc2\xa0", "\xc2\xad", "\xe2\x80\x8d", "\xef\xbf\xbe", "\xef\xbb\xbfx"};

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(bad); i++)
                assert_false(is_name(bad[i]));
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(good); i++)
                assert_true(is_name(good[i]));
}

static void names_are_valid_utf8(void **state)
{
        static const char *const bad[] = {"\x80",
                                          "\xc3",
                                          "\xc0\x80",
                                          "\xc1\xbf",
                                          "\xe0\x80\x80",
                                          "\xed\xa0\x80",
                                          "\xf0\x80\x80\x80",
                                          "\xf4\x90\x80\x80",
                                          "\xff",
                                          "ok\xe2\x82"};

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(bad); i++)
                assert_false(is_name(bad[i]));
        assert_true(is_name("\xf4\x8f\xbf\xbf"));
        assert_true(is_name("\xee\x80\x80"));
}

static void a_name_may_break_two_rules_at_once(void **state)
{
        struct users_violations violations = {0};
        struct user user;
        char buffer[128];

        (void)state;
        assert_false(
                users_rule_name(repeat(buffer, "\n", "x", 50), "user.name", &violations, &user));
        assert_int_equal(violations.n, 2);
        assert_string_not_equal(violations.entries[0].description,
                                violations.entries[1].description);
}

static void emails_follow_the_grammar_of_html(void **state)
{
        static const char *const good[] = {
                "a@b",
                "a@b.c",
                "a.b@c.d",
                ".a@b",
                "a.@b",
                "a..b@c",
                "1@2",
                "!#$%&'*+/=?^_`{|}~-.@example.com",
                "A@B-C.D--E.org",
                "a@xn--bcher-kva.example",
        };
        static const char *const bad[] = {
                "a",       "@",      "a@",    "@b",      "a@b@c",   "a@-b",       "a@b-",
                "a@b.-c",  "a@b-.c", "a@.b",  "a@b.",    "a@b..c",  "a b@c",      "a@b c",
                " a@b",    "a@b ",   "a@b_c", "a@[::1]", "\"a\"@b", "a,b@c",      "a;b@c",
                "a<b@c",   "a(b@c",  "a:b@c", "a\\b@c",  "a@b\n",   "\xc3\xa4@b", "a@\xc3\xa4",
                "a\x7f@b", "a@b.c-", "a@b/c", "a@@b",
        };

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(good); i++) {
                if (!is_email(good[i]))
                        fail_msg("'%s' is an email", good[i]);
        }
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(bad); i++) {
                if (is_email(bad[i]))
                        fail_msg("'%s' is no email", bad[i]);
        }
        assert_false(is_email(""));
        assert_false(is_email(NULL));
}

static void every_byte_of_an_email_is_decided_as_html_has_it(void **state)
{
        static const char local[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                    ".!#$%&'*+/=?^_`{|}~-";
        static const char domain[] =
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
        char email[8];

        (void)state;
        for (int c = 1; c < 256; c++) {
                (void)snprintf(email, sizeof(email), "x%cx@y", c);
                assert_int_equal(is_email(email), strchr(local, c) != NULL);
                (void)snprintf(email, sizeof(email), "x@y%cy", c);
                assert_int_equal(is_email(email), strchr(domain, c) != NULL);
        }
}

/* The expression in the HTML Standard, 4.10.5.1.5, as it stands there but for its (?: and \/. */
#define HTML_EMAIL                                                                                 \
        "^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"            \
        "(\\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$"

static uint32_t next_random(uint32_t *seed)
{
        *seed = *seed * 1664525U + 1013904223U;
        return *seed >> 8;
}

/* From the characters that matter, and runs long enough for the bounds of a label. */
static void random_email(uint32_t *seed, char ret_email[USER_EMAIL_BYTES_MAX + 1])
{
        static const char alphabet[] = "aZ09.-@@.-!#$%&'*+/=?^_`{|}~ \"(),:;<>[\\]\t\x7f\xc3\xa9";
        size_t n_parts = 1 + next_random(seed) % 8, n = 0;

        for (size_t part = 0; part < n_parts && n < 180; part++) {
                uint32_t dice = next_random(seed) % 16;
                size_t length = dice == 0 ? 60 + next_random(seed) % 6 : 1 + dice % 3;
                /* Most are letters and what joins them, or hardly any would be valid. */
                size_t n_letters = next_random(seed) % 4 ? 10 : sizeof(alphabet) - 1;
                char letter = dice == 0 ? 'x' : alphabet[next_random(seed) % n_letters];

                while (length-- > 0)
                        ret_email[n++] =
                                dice == 0 ? letter : alphabet[next_random(seed) % n_letters];
        }
        ret_email[n] = '\0';
}

static void random_emails_are_decided_as_the_expression_of_html_has_it(void **state)
{
        enum { N = 20000 };
        size_t n_valid = 0;
        uint32_t seed = 1;
        regex_t html;

        (void)state;
        assert_int_equal(regcomp(&html, HTML_EMAIL, REG_EXTENDED | REG_NOSUB), 0);
        for (size_t i = 0; i < N; i++) {
                char email[USER_EMAIL_BYTES_MAX + 1];
                bool holds;

                random_email(&seed, email);
                holds = regexec(&html, email, 0, NULL, 0) == 0;
                if (is_email(email) != holds)
                        fail_msg("%s is %s", email, holds ? "valid" : "invalid");
                n_valid += holds;
        }
        regfree(&html);

        /* Both kinds were there. */
        assert_in_range(n_valid, N / 50, N / 2);
}

static void labels_hold_at_most_63_bytes(void **state)
{
        char buffer[256];

        (void)state;
        assert_true(is_email(repeat(buffer, "a@", "b", 63)));
        assert_false(is_email(repeat(buffer, "a@", "b", 64)));
        assert_true(is_email(repeat(buffer, "a@b.", "c", 63)));
        assert_false(is_email(repeat(buffer, "a@b.", "c", 64)));
        repeat(buffer, "a@", "b", 63);
        assert_true(is_email(strcat(buffer, ".c")));
        repeat(buffer, "a@", "b", 64);
        assert_false(is_email(strcat(buffer, ".c")));
}

static void emails_hold_at_most_254_bytes(void **state)
{
        struct users_violations violations = {0};
        struct user user;
        char buffer[300];

        (void)state;
        repeat(buffer, "", "a", 252);
        assert_true(is_email(strcat(buffer, "@b")));
        assert_int_equal(strlen(buffer), 254);
        repeat(buffer, "", "a", 253);
        assert_false(is_email(strcat(buffer, "@b")));
        assert_false(users_rule_email(buffer, "user.email", &violations, &user));
        assert_int_equal(violations.n, 1);
        assert_string_equal(violations.entries[0].description, "must be at most 254 bytes");
        assert_false(
                users_rule_email(repeat(buffer, "", "a", 255), "user.email", &violations, &user));
        assert_int_equal(violations.n, 3);
}

static void the_email_key_is_ascii_lower_case(void **state)
{
        struct users_violations violations = {0};
        struct user user;
        char key[USER_EMAIL_BYTES_MAX + 1], long_email[300];

        (void)state;
        assert_true(users_rule_email("AZaz09^@Example.COM", "e", &violations, &user));
        assert_string_equal(user.email, "AZaz09^@Example.COM");
        assert_string_equal(user.email_key, "azaz09^@example.com");
        users_email_key("@[`{\xc3\x84", key);
        assert_string_equal(key, "@[`{\xc3\x84");
        users_email_key(repeat(long_email, "", "A", 299), key);
        assert_int_equal(strlen(key), USER_EMAIL_BYTES_MAX);
}

static void ages_are_0_to_130_and_absent_is_not_0(void **state)
{
        struct users_violations violations = {0};
        struct user user = {.age = 7};

        (void)state;
        assert_true(users_rule_age(true, 0, "user.age", &violations, &user));
        assert_int_equal(user.age, 0);
        assert_true(users_rule_age(true, 130, "user.age", &violations, &user));
        assert_int_equal(user.age, 130);
        assert_int_equal(violations.n, 0);
        assert_false(users_rule_age(true, 131, "user.age", &violations, &user));
        assert_false(users_rule_age(true, UINT32_MAX, "user.age", &violations, &user));
        assert_false(users_rule_age(false, 0, "user.age", &violations, &user));
        assert_int_equal(violations.n, 3);
        assert_string_equal(violations.entries[1].description, "must be 0 to 130");
        assert_string_equal(violations.entries[2].description, "is required");
        assert_int_equal(user.age, 130);
}

static void ids_are_uuids(void **state)
{
        struct users_violations violations = {0};
        struct pipit_uuid id;

        (void)state;
        assert_true(users_rule_id("0190a5b8-7c3e-7abc-8def-0123456789AB", "id", &violations, &id));
        assert_int_equal(id.bytes[0], 0x01);
        assert_int_equal(id.bytes[15], 0xab);
        assert_false(users_rule_id("", "id", &violations, &id));
        assert_false(users_rule_id(NULL, "id", &violations, &id));
        assert_false(users_rule_id("0190a5b87c3e7abc8def0123456789ab", "id", &violations, &id));
        assert_false(users_rule_id("0190a5b8-7c3e-7abc-8def-0123456789a", "id", &violations, &id));
        assert_false(
                users_rule_id("0190a5b8-7c3e-7abc-8def-0123456789abc", "id", &violations, &id));
        assert_false(users_rule_id("g190a5b8-7c3e-7abc-8def-0123456789ab", "id", &violations, &id));
        assert_int_equal(violations.n, 6);
}

static void an_etag_is_what_was_formatted_and_nothing_else(void **state)
{
        static const uint64_t versions[] = {1, 9, 10, 12345, INT64_MAX, UINT64_MAX};
        static const char *const bad[] = {
                "1",
                "\"\"",
                "\"0\"",
                "\"01\"",
                "\"+1\"",
                "\"-1\"",
                "\" 1\"",
                "\"1 \"",
                "\"1",
                "1\"",
                "\"a\"",
                "\"1a\"",
                "\"1\"\"",
                "\"",
                "W/\"1\"",
                "\"18446744073709551616\"",
                "\"99999999999999999999999999\"",
        };
        struct users_violations violations = {0};
        char etag[USERS_ETAG_SIZE];
        uint64_t version = 7;

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(versions); i++) {
                users_etag_format(versions[i], etag);
                assert_true(users_rule_etag(etag, "etag", &violations, &version));
                assert_int_equal(version, versions[i]);
        }
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(bad); i++) {
                violations.n = 0;
                if (users_rule_etag(bad[i], "etag", &violations, &version))
                        fail_msg("'%s' is no etag", bad[i]);
                assert_int_equal(violations.n, 1);
        }
        assert_true(users_rule_etag("", "etag", &violations, &version));
        assert_int_equal(version, 0);
        version = 7;
        assert_true(users_rule_etag(NULL, "etag", &violations, &version));
        assert_int_equal(version, 0);
}

static void a_request_id_is_a_uuid_or_none(void **state)
{
        struct users_violations violations = {0};
        uint8_t request_id[16] = {0};
        bool has = true;

        (void)state;
        assert_true(users_rule_request_id(NULL, "request_id", &violations, &has, request_id));
        assert_false(has);
        has = true;
        assert_true(users_rule_request_id("", "request_id", &violations, &has, request_id));
        assert_false(has);
        assert_true(users_rule_request_id("6f9619ff-8b86-4011-b42d-00c04fc964ff",
                                          "request_id",
                                          &violations,
                                          &has,
                                          request_id));
        assert_true(has);
        assert_int_equal(request_id[0], 0x6f);
        assert_int_equal(request_id[15], 0xff);
        assert_false(users_rule_request_id("mine", "request_id", &violations, &has, request_id));
        assert_int_equal(violations.n, 1);
}

static void more_violations_than_fit_are_dropped(void **state)
{
        struct users_violations violations = {0};

        (void)state;
        for (size_t i = 0; i < USERS_VIOLATIONS_MAX + 3; i++)
                users_violations_add(&violations, "f", "d");
        assert_int_equal(violations.n, USERS_VIOLATIONS_MAX);
}

static void every_error_has_its_status_and_reason(void **state)
{
        struct pipit_error error = users_error_make(USERS_ERROR_ETAG_MISMATCH, PIPIT_RAN);

        (void)state;
        assert_int_equal(error.status, PIPIT_ABORTED);
        assert_int_equal(error.ran, PIPIT_RAN);
        assert_string_equal(error.reason, "ETAG_MISMATCH");
        assert_string_equal(error.domain, "users.v1");
        assert_non_null(error.message);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_hold_1_to_50_code_points_of_any_width),
                cmocka_unit_test(names_hold_no_control_characters),
                cmocka_unit_test(names_are_valid_utf8),
                cmocka_unit_test(a_name_may_break_two_rules_at_once),
                cmocka_unit_test(emails_follow_the_grammar_of_html),
                cmocka_unit_test(every_byte_of_an_email_is_decided_as_html_has_it),
                cmocka_unit_test(random_emails_are_decided_as_the_expression_of_html_has_it),
                cmocka_unit_test(labels_hold_at_most_63_bytes),
                cmocka_unit_test(emails_hold_at_most_254_bytes),
                cmocka_unit_test(the_email_key_is_ascii_lower_case),
                cmocka_unit_test(ages_are_0_to_130_and_absent_is_not_0),
                cmocka_unit_test(ids_are_uuids),
                cmocka_unit_test(an_etag_is_what_was_formatted_and_nothing_else),
                cmocka_unit_test(a_request_id_is_a_uuid_or_none),
                cmocka_unit_test(more_violations_than_fit_are_dropped),
                cmocka_unit_test(every_error_has_its_status_and_reason),
        };

        return cmocka_run_group_tests_name("users rules", tests, NULL, NULL);
}
