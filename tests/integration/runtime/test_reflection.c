/*
 * Reflection, asked by its generated client: what comes is decoded by
 * protobuf-c's descriptors of descriptor.proto, and must be whole and in order.
 */

#include <pipit/inprocess.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/macros.h"
#include "google/protobuf/descriptor.pb-c.h"
#include "pipit/reflection/v1/reflection.pipit.h"
#include "tests/integration/runtime/fixture.h"
#include "users/v1/users.pipit.h"

typedef Google__Protobuf__FileDescriptorSet File_set;
typedef Google__Protobuf__FileDescriptorProto File;

static const struct users_v1_users_service no_users;
static const struct echo_v1_echo_service no_echo;

struct asked {
        struct pipit_server *server;
        struct pipit_channel *channel;
        struct pipit_call call;
};

static int set_up_with(struct asked *asked, const struct pipit_server_options *options)
{
        memset(asked, 0, sizeof(*asked));
        asked->server = pipit_server_new(options, NULL);
        assert_non_null(asked->server);
        assert_int_equal(PIPIT_OK, users_v1_users_service_register(asked->server, &no_users, NULL));
        assert_int_equal(PIPIT_OK, echo_v1_echo_service_register(asked->server, &no_echo, NULL));
        assert_int_equal(PIPIT_OK, pipit_server_start(asked->server, NULL));
        asked->channel =
                pipit_channel_new_inprocess(pipit_server_inprocess(asked->server), NULL, NULL);
        assert_non_null(asked->channel);

        return 0;
}

static int set_up(void **state)
{
        static struct asked asked;

        *state = &asked;

        return set_up_with(&asked, NULL);
}

static int tear_down(void **state)
{
        struct asked *asked = *state;

        pipit_call_deinit(&asked->call);
        pipit_channel_free(asked->channel);
        pipit_server_free(asked->server);

        return 0;
}

/* --- asking ---------------------------------------------------------------- */

static enum pipit_status ask(struct asked *asked,
                             const char *symbol,
                             const Pipit__Reflection__V1__GetDescriptorsResponse **ret_response)
{
        Pipit__Reflection__V1__GetDescriptorsRequest request =
                PIPIT__REFLECTION__V1__GET_DESCRIPTORS_REQUEST__INIT;

        request.what_case = PIPIT__REFLECTION__V1__GET_DESCRIPTORS_REQUEST__WHAT_SYMBOL;
        request.symbol = (char *)(uintptr_t)symbol;
        pipit_call_reset(&asked->call);

        return pipit_reflection_v1_get_descriptors(
                asked->channel, &asked->call, &request, ret_response);
}

static enum pipit_status ask_for_file(
        struct asked *asked,
        const char *file,
        bool without_imports,
        const Pipit__Reflection__V1__GetDescriptorsResponse **ret_response)
{
        Pipit__Reflection__V1__GetDescriptorsRequest request =
                PIPIT__REFLECTION__V1__GET_DESCRIPTORS_REQUEST__INIT;

        request.what_case = PIPIT__REFLECTION__V1__GET_DESCRIPTORS_REQUEST__WHAT_FILE;
        request.file = (char *)(uintptr_t)file;
        request.without_imports = without_imports;
        pipit_call_reset(&asked->call);

        return pipit_reflection_v1_get_descriptors(
                asked->channel, &asked->call, &request, ret_response);
}

static File_set *set_of(struct asked *asked, const char *symbol)
{
        const Pipit__Reflection__V1__GetDescriptorsResponse *response;
        File_set *set;

        if (ask(asked, symbol, &response) != PIPIT_OK)
                fail_msg("%s: %s", symbol, pipit_call_error(&asked->call)->message);
        set = google__protobuf__file_descriptor_set__unpack(
                NULL, response->file_descriptor_set.len, response->file_descriptor_set.data);
        assert_non_null(set);
        assert_true(set->n_file > 0);

        return set;
}

static size_t place_of(const File_set *set, const char *name, size_t before)
{
        size_t n_found = 0;

        for (size_t i = 0; i < before; ++i)
                n_found += strcmp(set->file[i]->name, name) == 0;

        return n_found;
}

/* Each file once, and each import before its importer. */
static void assert_whole(const File_set *set)
{
        for (size_t i = 0; i < set->n_file; ++i) {
                const File *file = set->file[i];

                assert_int_equal(1, place_of(set, file->name, set->n_file));
                for (size_t j = 0; j < file->n_dependency; ++j)
                        assert_int_equal(1, place_of(set, file->dependency[j], i));
        }
}

/* Asks for @scope.@name: its set must be whole and end with @file. */
static void assert_told(struct asked *asked, const char *file, const char *symbol)
{
        File_set *set = set_of(asked, symbol);

        assert_whole(set);
        assert_string_equal(file, set->file[set->n_file - 1]->name);
        google__protobuf__file_descriptor_set__free_unpacked(set, NULL);
}

static void assert_message_told(struct asked *asked,
                                const char *file,
                                const char *scope,
                                const Google__Protobuf__DescriptorProto *message,
                                size_t *n_asked)
{
        char symbol[256];
        char nested[512];

        (void)snprintf(symbol, sizeof(symbol), "%s.%s", scope, message->name);
        assert_told(asked, file, symbol);
        ++*n_asked;
        for (size_t i = 0; i < message->n_nested_type; ++i)
                assert_message_told(asked, file, symbol, message->nested_type[i], n_asked);
        for (size_t i = 0; i < message->n_enum_type; ++i) {
                (void)snprintf(
                        nested, sizeof(nested), "%s.%s", symbol, message->enum_type[i]->name);
                assert_told(asked, file, nested);
                ++*n_asked;
        }
}

static void assert_service_told(struct asked *asked,
                                const File *file,
                                const Google__Protobuf__ServiceDescriptorProto *service,
                                size_t *n_asked)
{
        char symbol[512];

        (void)snprintf(symbol, sizeof(symbol), "%s.%s", file->package, service->name);
        assert_told(asked, file->name, symbol);
        for (size_t i = 0; i < service->n_method; ++i) {
                (void)snprintf(symbol,
                               sizeof(symbol),
                               "%s.%s.%s",
                               file->package,
                               service->name,
                               service->method[i]->name);
                assert_told(asked, file->name, symbol);
        }
        *n_asked += 1 + service->n_method;
}

static size_t assert_file_told(struct asked *asked, const File *file)
{
        size_t n_asked = 0;
        char symbol[512];

        for (size_t i = 0; i < file->n_message_type; ++i)
                assert_message_told(
                        asked, file->name, file->package, file->message_type[i], &n_asked);
        for (size_t i = 0; i < file->n_enum_type; ++i) {
                (void)snprintf(
                        symbol, sizeof(symbol), "%s.%s", file->package, file->enum_type[i]->name);
                assert_told(asked, file->name, symbol);
                ++n_asked;
        }
        for (size_t i = 0; i < file->n_service; ++i)
                assert_service_told(asked, file, file->service[i], &n_asked);

        return n_asked;
}

/* --- tests ----------------------------------------------------------------- */

static void every_symbol_of_every_file_is_told_with_all_that_it_needs(void **state)
{
        static const struct {
                const char *service;
                const char *file;
                size_t n_files;
                size_t n_symbols;
        } table[] = {
                {"users.v1.UsersService", "users/v1/users.proto", 4, 13},
                {"echo.v1.EchoService", "echo/v1/echo.proto", 1, 8},
                {"grpc.health.v1.Health", "grpc/health/v1/health.proto", 1, 5},
                {"pipit.reflection.v1.ReflectionService",
                 "pipit/reflection/v1/reflection.proto",
                 1,
                 8},
                {"pipit.v1.Admin", "pipit/v1/admin.proto", 3, 5},
        };

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(table); ++i) {
                File_set *set = set_of(*state, table[i].service);
                const File *last = set->file[set->n_file - 1];
                size_t n_asked = 0;

                assert_string_equal(table[i].file, last->name);
                assert_int_equal(table[i].n_files, set->n_file);
                assert_int_equal(table[i].n_symbols, assert_file_told(*state, last));
                for (size_t j = 0; j < set->n_file; ++j)
                        n_asked += assert_file_told(*state, set->file[j]);
                assert_true(n_asked >= table[i].n_symbols);
                google__protobuf__file_descriptor_set__free_unpacked(set, NULL);
        }
}

static void a_set_holds_the_bytes_that_the_plugin_embedded(void **state)
{
        const Pipit__Reflection__V1__GetDescriptorsResponse *response;
        const struct pipit_file *file = &echo_v1_echo_proto;
        const ProtobufCBinaryData *set;

        assert_int_equal(PIPIT_OK, ask(*state, "echo.v1.EchoService", &response));
        set = &response->file_descriptor_set;
        assert_true(set->len > file->n_bytes);
        assert_memory_equal(file->bytes, set->data + set->len - file->n_bytes, file->n_bytes);
}

static void a_file_is_told_by_its_name_with_or_without_what_it_imports(void **state)
{
        static const struct {
                const char *file;
                size_t n_files;
        } table[] = {
                {"users/v1/users.proto", 4},
                {"google/protobuf/timestamp.proto", 1},
                {"echo/v1/echo.proto", 1},
        };

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(table); ++i) {
                for (int without_imports = 0; without_imports <= 1; ++without_imports) {
                        const Pipit__Reflection__V1__GetDescriptorsResponse *response;
                        File_set *set;

                        assert_int_equal(
                                PIPIT_OK,
                                ask_for_file(*state, table[i].file, without_imports, &response));
                        set = google__protobuf__file_descriptor_set__unpack(
                                NULL,
                                response->file_descriptor_set.len,
                                response->file_descriptor_set.data);
                        assert_non_null(set);
                        assert_int_equal(without_imports ? 1 : table[i].n_files, set->n_file);
                        assert_string_equal(table[i].file, set->file[set->n_file - 1]->name);
                        google__protobuf__file_descriptor_set__free_unpacked(set, NULL);
                }
        }
}

static void a_file_that_no_service_needs_is_not_found(void **state)
{
        static const char *const files[] = {"", "users.proto", "google/protobuf/any.proto"};
        struct asked *asked = *state;

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(files); ++i) {
                assert_int_equal(PIPIT_NOT_FOUND, ask_for_file(asked, files[i], true, NULL));
                assert_string_equal("FILE_NOT_FOUND", pipit_call_error(&asked->call)->reason);
                assert_non_null(strstr(pipit_call_error(&asked->call)->message, files[i]));
        }
}

static void a_leading_dot_makes_no_difference(void **state)
{
        assert_told(*state, "users/v1/users.proto", ".users.v1.User");
        assert_told(*state, "google/protobuf/timestamp.proto", ".google.protobuf.Timestamp");
}

static void services_are_listed_by_name_with_their_methods_in_order(void **state)
{
        static const char *const names[] = {"echo.v1.EchoService",
                                            "grpc.health.v1.Health",
                                            "pipit.reflection.v1.ReflectionService",
                                            "pipit.v1.Admin",
                                            "users.v1.UsersService"};
        static const char *const methods[] = {"Echo", "Sleep", "Fail"};
        const Pipit__Reflection__V1__ListServicesRequest request =
                PIPIT__REFLECTION__V1__LIST_SERVICES_REQUEST__INIT;
        const Pipit__Reflection__V1__ListServicesResponse *response;
        struct asked *asked = *state;

        assert_int_equal(PIPIT_OK,
                         pipit_reflection_v1_list_services(
                                 asked->channel, &asked->call, &request, &response));
        assert_int_equal(PIPIT_N_ELEMENTS(names), response->n_services);
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(names); ++i)
                assert_string_equal(names[i], response->services[i]->name);
        assert_int_equal(PIPIT_N_ELEMENTS(methods), response->services[0]->n_methods);
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(methods); ++i)
                assert_string_equal(methods[i], response->services[0]->methods[i]);
}

static void an_unknown_symbol_is_not_found_and_the_nearest_one_is_told(void **state)
{
        static const struct {
                const char *symbol;
                const char *nearest; /* NULL: none */
        } table[] = {
                {"users.v1.Usr", "users.v1.User"},
                {"users.v1.user", "users.v1.User"},
                {"users.v2.User", "users.v1.User"},
                {"UsersService", "users.v1.UsersService"},
                {"UserService", "users.v1.UsersService"},
                {"users.v1.UsersService/GetUser", "users.v1.UsersService.GetUser"},
                {"..users.v1.User", "users.v1.User"},
                {"users.v1", NULL},
                {"users.v1.User.email", NULL},
                {"", NULL},
                {".", NULL},
                {"x", NULL},
                {"entirely.Different", NULL},
                {"caf\xc3\xa9", NULL},
        };
        struct asked *asked = *state;

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(table); ++i) {
                const struct pipit_error *error;
                char expected[128];

                assert_int_equal(PIPIT_NOT_FOUND, ask(asked, table[i].symbol, NULL));
                error = pipit_call_error(&asked->call);
                assert_string_equal("SYMBOL_NOT_FOUND", error->reason);
                assert_int_equal(PIPIT_ORIGIN_SERVER, error->origin);
                (void)snprintf(expected,
                               sizeof(expected),
                               "the nearest is '%s'",
                               table[i].nearest ? table[i].nearest : "");
                if (table[i].nearest && !strstr(error->message, expected))
                        fail_msg("%s: %s", table[i].symbol, error->message);
                if (!table[i].nearest && strstr(error->message, "nearest"))
                        fail_msg("%s: %s", table[i].symbol, error->message);
        }
}

static void a_symbol_of_any_length_has_an_answer(void **state)
{
        static char symbol[100001];
        struct asked *asked = *state;

        for (size_t n = 255; n < sizeof(symbol); n = n < 257 ? n + 1 : n * 389) {
                memset(symbol, 'x', n);
                assert_int_equal(PIPIT_NOT_FOUND, ask(asked, symbol, NULL));
                assert_string_equal("SYMBOL_NOT_FOUND", pipit_call_error(&asked->call)->reason);
        }
}

static void reflection_can_be_turned_off(void **state)
{
        const struct pipit_server_options options = {.no_reflection = true};
        struct asked asked;
        void *own = &asked;

        (void)state;
        set_up_with(&asked, &options);
        assert_int_equal(PIPIT_UNIMPLEMENTED, ask(&asked, "users.v1.User", NULL));
        assert_string_equal("METHOD_NOT_FOUND", pipit_call_error(&asked.call)->reason);
        tear_down(&own);
}

static void a_service_whose_file_is_broken_keeps_the_server_from_starting(void **state)
{
        static const uint8_t cut[] = {0x22, 100, 0x0a, 1};
        static const struct pipit_file file = {
                .name = "broken.proto", .bytes = cut, .n_bytes = sizeof(cut)};
        static const struct pipit_service service = {.name = "broken.v1.Service", .file = &file};
        struct pipit_server *server = pipit_server_new(NULL, NULL);
        struct pipit_error error = {};

        (void)state;
        assert_non_null(server);
        assert_int_equal(PIPIT_OK, pipit_server_register(server, &service, NULL, NULL, NULL, NULL));
        assert_int_equal(PIPIT_INTERNAL, pipit_server_start(server, &error));
        assert_string_equal("DESCRIPTOR_INVALID", error.reason);
        pipit_server_free(server);
}

/*
 * d imports b and c, both import a; c's a is another copy of it. d's message Outer
 * has a message Inner, which has an enum Deep; no package.
 */
#define A_BYTES                                                                                    \
        "\x0a\x01"                                                                                 \
        "a"
#define B_BYTES                                                                                    \
        "\x0a\x01"                                                                                 \
        "b"                                                                                        \
        "\x1a\x01"                                                                                 \
        "a"
#define C_BYTES                                                                                    \
        "\x0a\x01"                                                                                 \
        "c"                                                                                        \
        "\x1a\x01"                                                                                 \
        "a"
#define DEEP                                                                                       \
        "\x0a\x04"                                                                                 \
        "Deep"
#define INNER                                                                                      \
        "\x0a\x05"                                                                                 \
        "Inner"                                                                                    \
        "\x22\x06" DEEP
#define OUTER                                                                                      \
        "\x1a\x0f" INNER "\x0a\x05"                                                                \
        "Outer"
#define D_BYTES                                                                                    \
        "\x0a\x01"                                                                                 \
        "d"                                                                                        \
        "\x1a\x01"                                                                                 \
        "b"                                                                                        \
        "\x1a\x01"                                                                                 \
        "c"                                                                                        \
        "\x22\x18" OUTER
#define BYTES(x) .bytes = (const uint8_t *)(x), .n_bytes = sizeof(x) - 1

static const struct pipit_file file_a = {.name = "a", BYTES(A_BYTES)};
static const struct pipit_file file_a_again = {.name = "a", BYTES(A_BYTES)};
static const struct pipit_file *const of_b[] = {&file_a};
static const struct pipit_file *const of_c[] = {&file_a_again};
static const struct pipit_file file_b = {
        .name = "b", BYTES(B_BYTES), .dependencies = of_b, .n_dependencies = 1};
static const struct pipit_file file_c = {
        .name = "c", BYTES(C_BYTES), .dependencies = of_c, .n_dependencies = 1};
static const struct pipit_file *const of_d[] = {&file_b, &file_c};
static const struct pipit_file file_d = {
        .name = "d", BYTES(D_BYTES), .dependencies = of_d, .n_dependencies = 2};
static const struct pipit_service diamond = {.name = "Diamond", .file = &file_d};

static void asked_bare(struct asked *asked, const struct pipit_service *service)
{
        *asked = (struct asked){.server = pipit_server_new(NULL, NULL)};
        assert_non_null(asked->server);
        assert_int_equal(PIPIT_OK,
                         pipit_server_register(asked->server, service, NULL, NULL, NULL, NULL));
        assert_int_equal(PIPIT_OK, pipit_server_start(asked->server, NULL));
        asked->channel =
                pipit_channel_new_inprocess(pipit_server_inprocess(asked->server), NULL, NULL);
        assert_non_null(asked->channel);
}

static void a_file_that_is_imported_twice_is_told_once_and_first(void **state)
{
        static const char *const symbols[] = {"Outer", ".Outer.Inner", "Outer.Inner.Deep"};
        struct asked asked;
        void *own = &asked;

        (void)state;
        asked_bare(&asked, &diamond);
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(symbols); ++i) {
                File_set *set = set_of(&asked, symbols[i]);

                assert_whole(set);
                assert_int_equal(4, set->n_file);
                assert_string_equal("a", set->file[0]->name);
                assert_string_equal("d", set->file[3]->name);
                google__protobuf__file_descriptor_set__free_unpacked(set, NULL);
        }
        assert_int_equal(PIPIT_NOT_FOUND, ask(&asked, "Inner", NULL));
        assert_int_equal(PIPIT_NOT_FOUND, ask(&asked, "Diamond", NULL));
        tear_down(&own);
}

#define LARGE_BYTES ((size_t)700 * 1024)

/* A file called @name that has, besides its import, one long string: java_package in its options. */
static struct pipit_file large_file(const char *name, const char *import, uint8_t *bytes)
{
        size_t n_head = 0;
        uint8_t head[64];

        n_head += (size_t)sprintf((char *)head + n_head, "\x0a\x01%s", name);
        if (import)
                n_head += (size_t)sprintf((char *)head + n_head, "\x1a\x01%s", import);
        memcpy(bytes, head, n_head);
        /* field 8, options; field 1 of it; both lengths in four bytes */
        for (size_t i = 0; i < 2; ++i) {
                size_t length = LARGE_BYTES - n_head - 5;

                bytes[n_head++] = i == 0 ? 0x42 : 0x0a;
                for (size_t j = 0; j < 4; ++j)
                        bytes[n_head++] =
                                (uint8_t)((length >> (7 * j) & 0x7f) | (j < 3 ? 0x80 : 0));
        }
        memset(bytes + n_head, 'x', LARGE_BYTES - n_head);

        return (struct pipit_file){.name = name, .bytes = bytes, .n_bytes = LARGE_BYTES};
}

static void what_does_not_fit_a_response_is_told_file_by_file(void **state)
{
        uint8_t *bytes = malloc(2 * LARGE_BYTES);
        struct pipit_file files[] = {large_file("a", NULL, bytes),
                                     large_file("b", "a", bytes + LARGE_BYTES)};
        const struct pipit_file *const imports[] = {&files[0]};
        const struct pipit_service service = {.name = "Large", .file = &files[1]};
        const Pipit__Reflection__V1__GetDescriptorsResponse *response;
        struct asked asked;
        void *own = &asked;

        (void)state;
        files[1].dependencies = imports;
        files[1].n_dependencies = 1;
        asked_bare(&asked, &service);
        assert_int_equal(PIPIT_RESOURCE_EXHAUSTED, ask_for_file(&asked, "b", false, NULL));
        assert_string_equal("RESPONSE_TOO_LARGE", pipit_call_error(&asked.call)->reason);
        assert_non_null(strstr(pipit_call_error(&asked.call)->message, "without_imports"));
        for (size_t i = 0; i < 2; ++i) {
                assert_int_equal(PIPIT_OK, ask_for_file(&asked, files[i].name, true, &response));
                assert_true(response->file_descriptor_set.len > LARGE_BYTES);
                assert_memory_equal(response->file_descriptor_set.data +
                                            response->file_descriptor_set.len - LARGE_BYTES,
                                    files[i].bytes,
                                    LARGE_BYTES);
        }
        tear_down(&own);
        free(bytes);
}

static void a_service_without_a_file_is_listed_all_the_same(void **state)
{
        static const struct pipit_service service = {.name = "bare.v1.Service"};
        const Pipit__Reflection__V1__ListServicesRequest request =
                PIPIT__REFLECTION__V1__LIST_SERVICES_REQUEST__INIT;
        const Pipit__Reflection__V1__ListServicesResponse *response;
        struct asked asked;
        void *own = &asked;

        (void)state;
        asked_bare(&asked, &service);
        assert_int_equal(
                PIPIT_OK,
                pipit_reflection_v1_list_services(asked.channel, &asked.call, &request, &response));
        assert_int_equal(4, response->n_services);
        assert_string_equal("bare.v1.Service", response->services[0]->name);
        assert_int_equal(0, response->services[0]->n_methods);
        assert_int_equal(PIPIT_NOT_FOUND, ask(&asked, "bare.v1.Service", NULL));
        tear_down(&own);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(every_symbol_of_every_file_is_told_with_all_that_it_needs),
                TEST(a_set_holds_the_bytes_that_the_plugin_embedded),
                TEST(a_file_is_told_by_its_name_with_or_without_what_it_imports),
                TEST(a_file_that_no_service_needs_is_not_found),
                TEST(a_leading_dot_makes_no_difference),
                TEST(services_are_listed_by_name_with_their_methods_in_order),
                TEST(an_unknown_symbol_is_not_found_and_the_nearest_one_is_told),
                TEST(a_symbol_of_any_length_has_an_answer),
                cmocka_unit_test(reflection_can_be_turned_off),
                cmocka_unit_test(a_service_whose_file_is_broken_keeps_the_server_from_starting),
                cmocka_unit_test(a_file_that_is_imported_twice_is_told_once_and_first),
                cmocka_unit_test(what_does_not_fit_a_response_is_told_file_by_file),
                cmocka_unit_test(a_service_without_a_file_is_listed_all_the_same),
        };

        return cmocka_run_group_tests_name("runtime_reflection", tests, NULL, NULL);
}
