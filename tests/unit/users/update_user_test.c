#include "tests/unit/users/fixture.h"

#include <string.h>

struct mask {
        const char *paths[4];
        size_t n;
        bool email, name, age;
};

static void masks_name_what_is_changed(void **state)
{
        static const struct mask masks[] = {
                {{"email"}, 1, true, false, false},
                {{"name"}, 1, false, true, false},
                {{"age"}, 1, false, false, true},
                {{"age", "name", "age"}, 3, false, true, true},
                {{"*"}, 1, true, true, true},
                {{"name", "*"}, 2, true, true, true},
                {{NULL}, 0, true, true, true},
        };
        struct fixture fixture;

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(masks); i++) {
                struct update_user op = {.id = ID,
                                         .email = "A@b",
                                         .name = "Ada",
                                         .has_age = true,
                                         .age = 36,
                                         .etag = "\"12\"",
                                         .mask_paths = masks[i].paths,
                                         .n_mask_paths = masks[i].n};

                fixture_init(&fixture);
                run_update(&fixture, &op);
                assert_int_equal(op.error.status, PIPIT_OK);
                assert_int_equal(fixture.fake.asked[0], ASKED_UPDATE);
                assert_int_equal(fixture.fake.changes.email, masks[i].email);
                assert_int_equal(fixture.fake.changes.name, masks[i].name);
                assert_int_equal(fixture.fake.changes.age, masks[i].age);
                assert_int_equal(fixture.fake.want_version, 12);
                assert_int_equal(fixture.fake.user.update_time_us, NOW_US);
                assert_int_equal(fixture.fake.user.id.bytes[15], 0xab);
        }
}

static void an_absent_mask_is_the_fields_that_are_set(void **state)
{
        struct update_user op = {.id = ID, .email = "", .has_age = true};
        struct fixture fixture;

        (void)state;
        fixture_init(&fixture);
        run_update(&fixture, &op);
        assert_int_equal(op.error.status, PIPIT_OK);
        assert_false(fixture.fake.changes.email);
        assert_false(fixture.fake.changes.name);
        assert_true(fixture.fake.changes.age);
        assert_int_equal(fixture.fake.want_version, 0);
}

static void a_mask_of_anything_else_is_mask_invalid(void **state)
{
        static const char *const paths[] = {"id",
                                            "create_time",
                                            "update_time",
                                            "etag",
                                            "user.email",
                                            "",
                                            "Email",
                                            "**",
                                            "phone"};
        struct fixture fixture;

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(paths); i++) {
                const char *mask[] = {"name", paths[i]};
                struct update_user op = {
                        .id = ID, .name = "Ada", .mask_paths = mask, .n_mask_paths = 2};

                fixture_init(&fixture);
                run_update(&fixture, &op);
                assert_reason(&op.error, "MASK_INVALID");
                assert_fields(&op.error, "update_mask");
                assert_int_equal(fixture.fake.n_asked, 0);
        }
}

static void an_update_of_nothing_is_mask_invalid(void **state)
{
        struct update_user op = {.id = ID, .email = "", .name = NULL};
        struct fixture fixture;

        (void)state;
        fixture_init(&fixture);
        run_update(&fixture, &op);
        assert_reason(&op.error, "MASK_INVALID");
        assert_fields(&op.error, "update_mask");
}

static void a_masked_field_that_is_absent_is_a_violation(void **state)
{
        static const char *const all[] = {"*"};
        struct update_user op = {.id = ID, .mask_paths = all, .n_mask_paths = 1};
        struct fixture fixture;

        (void)state;
        fixture_init(&fixture);
        run_update(&fixture, &op);
        assert_reason(&op.error, "FIELD_INVALID");
        assert_fields(&op.error, "user.email user.name user.age");
}

static void a_field_that_is_not_masked_is_not_checked(void **state)
{
        static const char *const mask[] = {"name"};
        struct update_user op = {.id = ID,
                                 .email = "no email",
                                 .name = "Ada",
                                 .has_age = true,
                                 .age = 999,
                                 .mask_paths = mask,
                                 .n_mask_paths = 1};
        struct fixture fixture;

        (void)state;
        fixture_init(&fixture);
        run_update(&fixture, &op);
        assert_int_equal(op.error.status, PIPIT_OK);
}

static void update_reports_every_violation_at_once(void **state)
{
        static const char *const mask[] = {"*", "id"};
        char email[300], name[64];
        struct update_user op = {.id = "12",
                                 .email = email,
                                 .name = name,
                                 .has_age = true,
                                 .age = 131,
                                 .etag = "12",
                                 .mask_paths = mask,
                                 .n_mask_paths = 2,
                                 .request_id = "mine"};
        struct fixture fixture;

        (void)state;
        memset(email, 'a', sizeof(email));
        email[sizeof(email) - 1] = '\0';
        memset(name, '\n', sizeof(name));
        name[sizeof(name) - 1] = '\0';
        fixture_init(&fixture);
        run_update(&fixture, &op);
        assert_reason(&op.error, "MASK_INVALID");
        assert_fields(&op.error,
                      "update_mask user.id user.etag user.email user.email user.name user.name "
                      "user.age request_id");
}

static struct user stored_user(void)
{
        struct user user = {.id.bytes = {0x01,
                                         0x90,
                                         0xa5,
                                         0xb8,
                                         0x7c,
                                         0x3e,
                                         0x7a,
                                         0xbc,
                                         0x8d,
                                         0xef,
                                         0x01,
                                         0x23,
                                         0x45,
                                         0x67,
                                         0x89,
                                         0xab},
                            .email = "Old@b",
                            .email_key = "old@b",
                            .name = "Old",
                            .age = 1,
                            .create_time_us = 5,
                            .update_time_us = 6,
                            .version = 3};

        return user;
}

static void update_validate_only_shows_the_user_as_it_would_be(void **state)
{
        struct update_user op = {.id = ID,
                                 .email = "New@b",
                                 .has_age = true,
                                 .validate_only = true,
                                 .etag = "\"3\""};
        struct fixture fixture;

        (void)state;
        fixture_init(&fixture);
        fixture.fake.answers[0].user = stored_user();
        fixture.fake.answers[1].error = users_error_make(USERS_ERROR_USER_NOT_FOUND, PIPIT_RAN);
        run_update(&fixture, &op);
        assert_int_equal(op.error.status, PIPIT_OK);
        assert_int_equal(fixture.fake.asked[0], ASKED_FIND_BY_ID);
        assert_int_equal(fixture.fake.asked[1], ASKED_FIND_BY_EMAIL);
        assert_int_equal(fixture.fake.n_asked, 2);
        assert_string_equal(fixture.fake.email_key, "new@b");
        assert_string_equal(op.user.email, "New@b");
        assert_string_equal(op.user.name, "Old");
        assert_int_equal(op.user.age, 0);
        assert_int_equal(op.user.id.bytes[0], 0);
        assert_int_equal(op.user.create_time_us, 0);
        assert_int_equal(op.user.update_time_us, 0);
        assert_int_equal(op.user.version, 0);
}

static void update_validate_only_needs_no_email_lookup_for_other_fields(void **state)
{
        struct update_user op = {.id = ID, .name = "New", .validate_only = true};
        struct fixture fixture;

        (void)state;
        fixture_init(&fixture);
        fixture.fake.answers[0].user = stored_user();
        run_update(&fixture, &op);
        assert_int_equal(op.error.status, PIPIT_OK);
        assert_int_equal(fixture.fake.n_asked, 1);
        assert_string_equal(op.user.name, "New");
}

static void update_validate_only_says_what_would_go_wrong(void **state)
{
        struct update_user missing = {.id = ID, .email = "a@b", .validate_only = true};
        struct update_user stale = missing, taken = missing, own = missing;
        struct fixture fixture;

        (void)state;
        fixture_init(&fixture);
        fixture.fake.answers[0].error = users_error_make(USERS_ERROR_USER_NOT_FOUND, PIPIT_RAN);
        run_update(&fixture, &missing);
        assert_reason(&missing.error, "USER_NOT_FOUND");

        fixture_init(&fixture);
        fixture.fake.answers[0].user = stored_user();
        stale.etag = "\"2\"";
        run_update(&fixture, &stale);
        assert_reason(&stale.error, "ETAG_MISMATCH");
        assert_int_equal(fixture.fake.n_asked, 1);

        fixture_init(&fixture);
        fixture.fake.answers[0].user = stored_user();
        run_update(&fixture, &taken);
        assert_reason(&taken.error, "EMAIL_TAKEN");

        fixture_init(&fixture);
        fixture.fake.answers[0].user = stored_user();
        fixture.fake.answers[1].user = stored_user();
        own.email = "OLD@b";
        run_update(&fixture, &own);
        assert_int_equal(own.error.status, PIPIT_OK);
        assert_string_equal(own.user.email, "OLD@b");
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(masks_name_what_is_changed),
                cmocka_unit_test(an_absent_mask_is_the_fields_that_are_set),
                cmocka_unit_test(a_mask_of_anything_else_is_mask_invalid),
                cmocka_unit_test(an_update_of_nothing_is_mask_invalid),
                cmocka_unit_test(a_masked_field_that_is_absent_is_a_violation),
                cmocka_unit_test(a_field_that_is_not_masked_is_not_checked),
                cmocka_unit_test(update_reports_every_violation_at_once),
                cmocka_unit_test(update_validate_only_shows_the_user_as_it_would_be),
                cmocka_unit_test(update_validate_only_needs_no_email_lookup_for_other_fields),
                cmocka_unit_test(update_validate_only_says_what_would_go_wrong),
        };

        return cmocka_run_group_tests_name("update user", tests, NULL, NULL);
}
