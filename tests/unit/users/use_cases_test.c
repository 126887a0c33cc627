#include "tests/unit/users/fixture.h"

/* --- create ------------------------------------------------------------------- */

static void create_gives_id_times_and_the_first_version(void **state)
{
        atomic_bool cancelled = false;
        struct create_user op = {.email = "Ada@Example.com",
                                 .name = "Ada",
                                 .has_age = true,
                                 .request_id = ID,
                                 .deadline_us = 77,
                                 .cancelled = &cancelled};
        struct fixture fixture;

        (void)state;
        fixture_init(&fixture);
        run_create(&fixture, &op);
        assert_int_equal(op.error.status, PIPIT_OK);
        assert_int_equal(fixture.fake.asked[0], ASKED_INSERT);
        assert_int_equal(fixture.fake.deadline_us, 77);
        assert_ptr_equal(fixture.fake.cancelled, &cancelled);
        assert_true(fixture.fake.write.has_request_id);
        assert_string_equal(fixture.fake.write.principal, "self");
        assert_string_equal(op.user.email, "Ada@Example.com");
        assert_string_equal(op.user.email_key, "ada@example.com");
        assert_string_equal(op.user.name, "Ada");
        assert_int_equal(op.user.age, 0);
        assert_int_equal(op.user.id.bytes[2], 3);
        assert_int_equal(op.user.create_time_us, NOW_US);
        assert_int_equal(op.user.update_time_us, NOW_US);
        assert_int_equal(op.user.version, 1);
}

static void create_reports_every_violation_at_once(void **state)
{
        struct create_user op = {.email = "ada", .request_id = "mine"};
        struct fixture fixture;

        (void)state;
        fixture_init(&fixture);
        run_create(&fixture, &op);
        assert_reason(&op.error, "FIELD_INVALID");
        assert_fields(&op.error, "user.email user.name user.age request_id");
        assert_int_equal(fixture.fake.n_asked, 0);
}

static void create_passes_the_stores_error_on(void **state)
{
        struct create_user op = {.email = "a@b", .name = "Ada", .has_age = true};
        struct fixture fixture;

        (void)state;
        fixture_init(&fixture);
        fixture.fake.answers[0].error = users_error_make(USERS_ERROR_DEADLINE, PIPIT_MAY_HAVE_RUN);
        run_create(&fixture, &op);
        assert_reason(&op.error, "DEADLINE");
        assert_int_equal(op.error.ran, PIPIT_MAY_HAVE_RUN);
}

static void create_validate_only_reads_and_writes_nothing(void **state)
{
        struct create_user op = {
                .email = "A@b", .name = "Ada", .has_age = true, .age = 36, .validate_only = true};
        struct fixture fixture;

        (void)state;
        fixture_init(&fixture);
        fixture.fake.answers[0].error = users_error_make(USERS_ERROR_USER_NOT_FOUND, PIPIT_RAN);
        run_create(&fixture, &op);
        assert_int_equal(op.error.status, PIPIT_OK);
        assert_int_equal(fixture.fake.n_asked, 1);
        assert_int_equal(fixture.fake.asked[0], ASKED_FIND_BY_EMAIL);
        assert_string_equal(fixture.fake.email_key, "a@b");
        assert_string_equal(op.user.email, "A@b");
        assert_int_equal(op.user.age, 36);
        assert_int_equal(op.user.version, 0);
        assert_int_equal(op.user.create_time_us, 0);
        assert_int_equal(op.user.id.bytes[0], 0);
}

static void create_validate_only_finds_a_taken_email(void **state)
{
        struct create_user op = {
                .email = "a@b", .name = "Ada", .has_age = true, .validate_only = true};
        struct create_user broken = op;
        struct fixture fixture;

        (void)state;
        fixture_init(&fixture);
        run_create(&fixture, &op);
        assert_reason(&op.error, "EMAIL_TAKEN");

        fixture_init(&fixture);
        fixture.fake.answers[0].error =
                users_error_make(USERS_ERROR_STORE_UNAVAILABLE, PIPIT_NOT_RUN);
        run_create(&fixture, &broken);
        assert_reason(&broken.error, "STORE_UNAVAILABLE");
}

/* --- get ---------------------------------------------------------------------- */

static void get_by_id_and_by_email(void **state)
{
        struct get_user by_id = {.id = ID}, by_email = {.email = "ADA@b"};
        struct fixture fixture;

        (void)state;
        fixture_init(&fixture);
        run_get(&fixture, &by_id);
        assert_int_equal(by_id.error.status, PIPIT_OK);
        assert_int_equal(fixture.fake.asked[0], ASKED_FIND_BY_ID);
        assert_int_equal(fixture.fake.id.bytes[15], 0xab);

        fixture_init(&fixture);
        run_get(&fixture, &by_email);
        assert_int_equal(by_email.error.status, PIPIT_OK);
        assert_int_equal(fixture.fake.asked[0], ASKED_FIND_BY_EMAIL);
        assert_string_equal(fixture.fake.email_key, "ada@b");
}

static void get_refuses_a_missing_or_malformed_key(void **state)
{
        static const struct {
                const char *id, *email, *field;
        } cases[] = {
                {NULL, NULL, "key"},
                {"", NULL, "id"},
                {"12", NULL, "id"},
                {NULL, "", "email"},
                {NULL, "ada", "email"},
        };
        struct fixture fixture;

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(cases); i++) {
                struct get_user op = {.id = cases[i].id, .email = cases[i].email};

                fixture_init(&fixture);
                run_get(&fixture, &op);
                assert_reason(&op.error, "FIELD_INVALID");
                assert_fields(&op.error, cases[i].field);
                assert_int_equal(fixture.fake.n_asked, 0);
        }
}

/* --- delete and list ---------------------------------------------------------- */

static void delete_passes_id_guard_and_request_id(void **state)
{
        struct delete_user op = {.id = ID, .etag = "\"4\"", .request_id = ID};
        struct fixture fixture;

        (void)state;
        fixture_init(&fixture);
        run_delete(&fixture, &op);
        assert_int_equal(op.error.status, PIPIT_OK);
        assert_int_equal(fixture.fake.asked[0], ASKED_DELETE);
        assert_int_equal(fixture.fake.id.bytes[15], 0xab);
        assert_int_equal(fixture.fake.want_version, 4);
        assert_true(fixture.fake.write.has_request_id);
}

static void delete_reports_every_violation_at_once(void **state)
{
        struct delete_user op = {.etag = "4", .request_id = "mine"};
        struct fixture fixture;

        (void)state;
        fixture_init(&fixture);
        run_delete(&fixture, &op);
        assert_reason(&op.error, "FIELD_INVALID");
        assert_fields(&op.error, "id etag request_id");
}

static void list_asks_for_one_more_than_the_page(void **state)
{
        static const struct {
                int32_t page_size;
                size_t page;
        } cases[] = {{0, 50}, {1, 1}, {999, 999}, {1000, 1000}, {1001, 1000}, {INT32_MAX, 1000}};
        struct fixture fixture;

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(cases); i++) {
                struct list_users op = {.page_size = cases[i].page_size};

                fixture_init(&fixture);
                fixture.fake.answers[0].n_users = cases[i].page + 1;
                run_list(&fixture, &op);
                assert_int_equal(fixture.fake.max_users, cases[i].page + 1);
                assert_int_equal(list_users_room(cases[i].page_size), cases[i].page + 1);
                assert_int_equal(op.n_users, cases[i].page);
                assert_true(op.has_more);
                assert_false(fixture.fake.has_after);
        }
}

static void a_list_that_ends_with_its_page_has_no_more(void **state)
{
        struct list_users op = {.page_size = 10, .has_after = true, .after = {{9}}};
        struct fixture fixture;

        (void)state;
        fixture_init(&fixture);
        fixture.fake.answers[0].n_users = 10;
        run_list(&fixture, &op);
        assert_int_equal(op.n_users, 10);
        assert_false(op.has_more);
        assert_true(fixture.fake.has_after);
        assert_int_equal(fixture.fake.id.bytes[0], 9);
}

static void a_negative_page_size_is_a_violation(void **state)
{
        struct list_users op = {.page_size = -1};
        struct fixture fixture;

        (void)state;
        fixture_init(&fixture);
        run_list(&fixture, &op);
        assert_reason(&op.error, "FIELD_INVALID");
        assert_fields(&op.error, "page_size");
        assert_int_equal(list_users_room(-1), 1);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(create_gives_id_times_and_the_first_version),
                cmocka_unit_test(create_reports_every_violation_at_once),
                cmocka_unit_test(create_passes_the_stores_error_on),
                cmocka_unit_test(create_validate_only_reads_and_writes_nothing),
                cmocka_unit_test(create_validate_only_finds_a_taken_email),
                cmocka_unit_test(get_by_id_and_by_email),
                cmocka_unit_test(get_refuses_a_missing_or_malformed_key),
                cmocka_unit_test(delete_passes_id_guard_and_request_id),
                cmocka_unit_test(delete_reports_every_violation_at_once),
                cmocka_unit_test(list_asks_for_one_more_than_the_page),
                cmocka_unit_test(a_list_that_ends_with_its_page_has_no_more),
                cmocka_unit_test(a_negative_page_size_is_a_violation),
        };

        return cmocka_run_group_tests_name("users use cases", tests, NULL, NULL);
}
