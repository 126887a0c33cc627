#include "gen/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/macros.h"

typedef char *(*convert_fn)(struct pipit_arena *arena, const char *name);

struct example {
        const char *from;
        const char *to;
};

static void check(convert_fn convert, const struct example *examples, size_t n_examples)
{
        PIPIT_CLEANUP(pipit_arena_deinit) struct pipit_arena arena = {.cap_bytes = 0};

        for (size_t i = 0; i < n_examples; i++)
                assert_string_equal(convert(&arena, examples[i].from), examples[i].to);
}

#define CHECK(convert, ...)                                                                        \
        do {                                                                                       \
                static const struct example examples[] = {__VA_ARGS__};                            \
                check(convert, examples, PIPIT_N_ELEMENTS(examples));                              \
        } while (0)

static void words_are_parted_by_underscores(void **state)
{
        (void)state;
        CHECK(names_snake,
              {"Get", "get"},
              {"GetUser", "get_user"},
              {"getUser", "get_user"},
              {"ListUsersByName", "list_users_by_name"},
              {"", ""},
              {"X", "x"});
}

static void an_acronym_is_one_word(void **state)
{
        (void)state;
        CHECK(names_snake,
              {"GetHTTPInfo", "get_http_info"},
              {"HTTPGet", "http_get"},
              {"GetHTTP", "get_http"},
              {"HTTP", "http"},
              {"ParseURL", "parse_url"},
              {"ATest", "a_test"},
              {"GetA", "get_a"});
}

static void the_s_of_many_acronyms_stays_with_them(void **state)
{
        (void)state;
        CHECK(names_snake,
              {"ListIDs", "list_ids"},
              {"GetURLsFor", "get_urls_for"},
              {"IPs2", "ips2"},
              {"USState", "us_state"},
              {"AsIs", "as_is"});
}

static void a_digit_belongs_to_the_word_before_it(void **state)
{
        (void)state;
        CHECK(names_snake,
              {"GetUserV2", "get_user_v2"},
              {"Sha256Sum", "sha256_sum"},
              {"X509Cert", "x509_cert"},
              {"V1", "v1"},
              {"Get2", "get2"});
}

static void underscores_are_neither_doubled_nor_left_at_the_ends(void **state)
{
        (void)state;
        CHECK(names_snake,
              {"already_snake", "already_snake"},
              {"Get_User", "get_user"},
              {"Get__User", "get_user"},
              {"_Get_", "get"},
              {"_", ""});
}

static void a_package_is_joined_by_underscores(void **state)
{
        (void)state;
        CHECK(names_package,
              {"users.v1", "users_v1"},
              {"users", "users"},
              {"grpc.health.v1", "grpc_health_v1"},
              {"myCompany.v1beta1", "my_company_v1beta1"});
}

static void a_member_is_no_keyword_of_c_or_cpp_and_no_macro(void **state)
{
        (void)state;
        CHECK(names_member,
              {"get", "get"},
              {"delete", "delete_"},
              {"switch", "switch_"},
              {"co_await", "co_await_"},
              {"typeof_unqual", "typeof_unqual_"},
              {"errno", "errno_"},
              {"linux", "linux_"},
              {"blocks", "blocks_"},
              {"deleted", "deleted"});
}

static void a_file_has_a_symbol_a_guard_and_a_stem(void **state)
{
        (void)state;
        CHECK(names_file_symbol,
              {"users/v1/users.proto", "users_v1_users_proto"},
              {"3d/x-y.proto", "_3d_x_y_proto"});
        CHECK(names_guard,
              {"users/v1/users.proto", "USERS_V1_USERS_PIPIT_H"},
              {"3d/x-y.proto", "_3D_X_Y_PIPIT_H"});
        CHECK(names_stem,
              {"users/v1/users.proto", "users/v1/users"},
              {"old.protodevel", "old"},
              {"strange.txt", "strange.txt"},
              {".proto", ".proto"});
}

static void types_are_called_as_protoc_c_calls_them(void **state)
{
        (void)state;
        CHECK(names_message_type,
              {".users.v1.User", "Users__V1__User"},
              {"users.v1.User", "Users__V1__User"},
              {".User", "User"},
              {".a.Outer.Inner", "A__Outer__Inner"},
              {".my_pkg.get_user", "MyPkg__GetUser"});
        CHECK(names_message_descriptor,
              {".users.v1.GetUserRequest", "users__v1__get_user_request__descriptor"},
              {".User", "user__descriptor"},
              {".a.HTTPInfo", "a__httpinfo__descriptor"},
              {".a.Outer.Inner2X", "a__outer__inner2_x__descriptor"});
}

static void a_field_is_a_member_that_c_and_cpp_can_have(void **state)
{
        (void)state;
        CHECK(names_field,
              {"name", "name"},
              {"userID", "userid"},
              {"delete", "delete_"},
              {"Delete", "delete_"},
              {"export", "export_"},
              {"base", "base_"},
              {"base_", "base_"},
              {"errno", "errno_"},
              {"st_mtime", "st_mtime_"},
              {"exports", "exports"});
        /* what protoc-c sees to itself keeps its name */
        CHECK(names_field_for_protoc_c,
              {"userID", "userID"},
              {"delete", "delete"},
              {"Export", "Export_"},
              {"base", "base_"},
              {"bases", "bases"});
}

static void a_tag_is_no_word_of_the_language(void **state)
{
        (void)state;
        CHECK(names_tag,
              {"signed", "signed_"},
              {"static_assert", "static_assert_"},
              {"blocks", "blocks"},
              {"base", "base"});
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(words_are_parted_by_underscores),
                cmocka_unit_test(an_acronym_is_one_word),
                cmocka_unit_test(the_s_of_many_acronyms_stays_with_them),
                cmocka_unit_test(a_digit_belongs_to_the_word_before_it),
                cmocka_unit_test(underscores_are_neither_doubled_nor_left_at_the_ends),
                cmocka_unit_test(a_package_is_joined_by_underscores),
                cmocka_unit_test(a_member_is_no_keyword_of_c_or_cpp_and_no_macro),
                cmocka_unit_test(a_file_has_a_symbol_a_guard_and_a_stem),
                cmocka_unit_test(types_are_called_as_protoc_c_calls_them),
                cmocka_unit_test(a_field_is_a_member_that_c_and_cpp_can_have),
                cmocka_unit_test(a_tag_is_no_word_of_the_language),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
