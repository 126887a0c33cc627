/* What protoc 3.21 cannot be made to send. The rest is in tests/golden. */

#include "gen/generator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/macros.h"
#include "gen/memory.h"
#include "google/protobuf/compiler/plugin.pb-c.h"

typedef Google__Protobuf__Compiler__CodeGeneratorRequest request_message;
typedef Google__Protobuf__Compiler__CodeGeneratorResponse response_message;
typedef Google__Protobuf__FileDescriptorProto file_message;

struct bench {
        struct pipit_arena arena;
        char *name;
        file_message file;
        file_message *files[1];
        request_message request;
};

/* A request for one empty proto3 file. */
static void bench_init(struct bench *bench, char *name)
{
        static char proto3[] = "proto3";
        static char options[] = "descriptors_only";

        *bench = (struct bench){.name = name};
        google__protobuf__file_descriptor_proto__init(&bench->file);
        bench->file.name = name;
        bench->file.syntax = proto3;
        bench->files[0] = &bench->file;
        google__protobuf__compiler__code_generator_request__init(&bench->request);
        bench->request.file_to_generate = &bench->name;
        bench->request.n_file_to_generate = 1;
        bench->request.parameter = options;
        bench->request.proto_file = bench->files;
        bench->request.n_proto_file = 1;
}

static void bench_deinit(struct bench *bench)
{
        pipit_arena_deinit(&bench->arena);
}

/* NULL: the generator says that this is no request. */
static const response_message *generate(struct bench *bench)
{
        ProtobufCAllocator allocator = gen_allocator(&bench->arena);
        struct text response = {.arena = &bench->arena};
        size_t n_bytes = google__protobuf__compiler__code_generator_request__get_packed_size(
                &bench->request);
        uint8_t *bytes = gen_alloc(&bench->arena, n_bytes);

        (void)google__protobuf__compiler__code_generator_request__pack(&bench->request, bytes);
        if (!generator_run(&bench->arena, bytes, n_bytes, &response))
                return NULL;

        return google__protobuf__compiler__code_generator_response__unpack(
                &allocator, response.n_bytes, (const uint8_t *)response.bytes);
}

static void a_file_gives_its_descriptor(void **state)
{
        static char name[] = "a.proto";
        PIPIT_CLEANUP(bench_deinit) struct bench bench;
        const response_message *response;

        (void)state;
        bench_init(&bench, name);
        response = generate(&bench);
        assert_non_null(response);
        assert_null(response->error);
        assert_int_equal(response->n_file, 2);
        assert_string_equal(response->file[0]->name, "a.pipit.h");
        assert_string_equal(response->file[1]->name, "a.pipit.c");
        assert_int_equal(response->supported_features, 1); /* FEATURE_PROTO3_OPTIONAL */
}

static void editions_are_an_error(void **state)
{
        static char name[] = "a.proto";
        static char editions[] = "editions";
        PIPIT_CLEANUP(bench_deinit) struct bench bench;
        const response_message *response;

        (void)state;
        bench_init(&bench, name);
        bench.request.parameter = NULL;
        bench.file.syntax = editions;
        response = generate(&bench);
        assert_non_null(response);
        assert_int_equal(response->n_file, 0);
        assert_non_null(strstr(response->error, "a.proto: only proto3 is supported, not editions"));
}

static void a_file_name_that_c_cannot_include_is_an_error(void **state)
{
        static char names[][16] = {
                "a\"b.proto", "a\\b.proto", "a*/b.proto", "a\nb.proto", "what?.proto"};

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(names); i++) {
                PIPIT_CLEANUP(bench_deinit) struct bench bench;
                const response_message *response;

                bench_init(&bench, names[i]);
                response = generate(&bench);
                assert_non_null(response);
                assert_non_null(response->error);
                assert_non_null(strstr(response->error, "cannot be included from C"));
        }
}

static void a_file_that_is_asked_for_but_not_given_is_an_error(void **state)
{
        static char name[] = "a.proto";
        PIPIT_CLEANUP(bench_deinit) struct bench bench;
        const response_message *response;

        (void)state;
        bench_init(&bench, name);
        bench.request.n_proto_file = 0;
        response = generate(&bench);
        assert_non_null(response);
        assert_string_equal(response->error, "a.proto: not in the request");
}

static void a_method_without_a_type_is_no_request(void **state)
{
        static char name[] = "a.proto";
        static char word[] = "Word";
        PIPIT_CLEANUP(bench_deinit) struct bench bench;
        Google__Protobuf__MethodDescriptorProto method =
                GOOGLE__PROTOBUF__METHOD_DESCRIPTOR_PROTO__INIT;
        Google__Protobuf__MethodDescriptorProto *methods[] = {&method};
        Google__Protobuf__ServiceDescriptorProto service =
                GOOGLE__PROTOBUF__SERVICE_DESCRIPTOR_PROTO__INIT;
        Google__Protobuf__ServiceDescriptorProto *services[] = {&service};

        (void)state;
        bench_init(&bench, name);
        method.name = word;
        method.input_type = word;
        service.name = word;
        service.method = methods;
        service.n_method = 1;
        bench.file.service = services;
        bench.file.n_service = 1;
        assert_null(generate(&bench));
        method.output_type = word;
        assert_non_null(generate(&bench));
}

static void a_name_that_is_no_identifier_is_no_request(void **state)
{
        static char name[] = "a.proto";
        static char words[][16] = {"", "1a", "a b", "a.b", "a\"", "a\n", "\xc3\xbc"};
        PIPIT_CLEANUP(bench_deinit) struct bench bench;
        Google__Protobuf__DescriptorProto message = GOOGLE__PROTOBUF__DESCRIPTOR_PROTO__INIT;
        Google__Protobuf__DescriptorProto *messages[] = {&message};

        (void)state;
        bench_init(&bench, name);
        bench.file.message_type = messages;
        bench.file.n_message_type = 1;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(words); i++) {
                message.name = words[i];
                assert_null(generate(&bench));
        }
        message.name = NULL;
        assert_null(generate(&bench));
}

static void a_oneof_that_is_not_there_is_no_request(void **state)
{
        static char name[] = "a.proto";
        static char word[] = "Word";
        PIPIT_CLEANUP(bench_deinit) struct bench bench;
        Google__Protobuf__FieldDescriptorProto field =
                GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__INIT;
        Google__Protobuf__FieldDescriptorProto *fields[] = {&field};
        Google__Protobuf__DescriptorProto message = GOOGLE__PROTOBUF__DESCRIPTOR_PROTO__INIT;
        Google__Protobuf__DescriptorProto *messages[] = {&message};

        (void)state;
        bench_init(&bench, name);
        field.name = word;
        message.name = word;
        message.field = fields;
        message.n_field = 1;
        bench.file.message_type = messages;
        bench.file.n_message_type = 1;
        assert_non_null(generate(&bench));
        field.has_oneof_index = true;
        assert_null(generate(&bench));
        field.oneof_index = -1;
        assert_null(generate(&bench));
}

static void an_import_that_is_not_there_is_no_request(void **state)
{
        static char name[] = "a.proto";
        PIPIT_CLEANUP(bench_deinit) struct bench bench;

        (void)state;
        bench_init(&bench, name);
        /* itself: nor may it come later */
        bench.file.dependency = &bench.name;
        bench.file.n_dependency = 1;
        assert_null(generate(&bench));
}

static void an_index_of_an_import_that_is_not_there_is_no_request(void **state)
{
        static char name[] = "a.proto";
        PIPIT_CLEANUP(bench_deinit) struct bench bench;
        int32_t indices[] = {0};

        (void)state;
        bench_init(&bench, name);
        bench.file.public_dependency = indices;
        bench.file.n_public_dependency = 1;
        assert_null(generate(&bench));
        indices[0] = -1;
        assert_null(generate(&bench));
}

/* @n_levels messages, each nested in the one before. */
static Google__Protobuf__DescriptorProto *make_nested(struct bench *bench, size_t n_levels)
{
        static char word[] = "Word";
        Google__Protobuf__DescriptorProto *message = NULL;

        for (size_t i = 0; i < n_levels; i++) {
                Google__Protobuf__DescriptorProto *around =
                        gen_alloc(&bench->arena, sizeof(*around));

                google__protobuf__descriptor_proto__init(around);
                around->name = word;
                around->nested_type = gen_alloc(&bench->arena, sizeof(message));
                around->nested_type[0] = message;
                around->n_nested_type = message != NULL;
                message = around;
        }

        return message;
}

static void messages_nested_too_deep_are_an_error_before_they_are_unpacked(void **state)
{
        static char name[] = "a.proto";
        /* above them are the request and the file */
        static const struct {
                size_t n_levels;
                bool is_taken;
        } cases[] = {{1, true}, {98, true}, {99, false}, {2000, false}};

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(cases); i++) {
                PIPIT_CLEANUP(bench_deinit) struct bench bench;
                Google__Protobuf__DescriptorProto *messages[1];
                const response_message *response;

                bench_init(&bench, name);
                messages[0] = make_nested(&bench, cases[i].n_levels);
                bench.file.message_type = messages;
                bench.file.n_message_type = 1;
                response = generate(&bench);
                assert_non_null(response);
                if (cases[i].is_taken) {
                        assert_null(response->error);
                } else {
                        assert_non_null(response->error);
                        assert_non_null(strstr(response->error, "more than 100 levels deep"));
                        assert_int_equal(response->n_file, 0);
                }
        }
}

#define LATTICE_LAYERS 60 /* 2^60 ways from the top to the bottom */

/* Two files a layer, each of which imports both of the layer below, publicly. */
static void make_lattice(struct bench *bench, file_message *files[2 * LATTICE_LAYERS + 1])
{
        static int32_t both[] = {0, 1};

        for (size_t i = 0; i < 2 * LATTICE_LAYERS + 1; i++) {
                bool is_top = i == 2 * LATTICE_LAYERS;
                char **imports = gen_alloc_array(&bench->arena, 2, sizeof(*imports));
                size_t below = i - i % 2 - 2;

                files[i] = gen_alloc(&bench->arena, sizeof(*files[i]));
                google__protobuf__file_descriptor_proto__init(files[i]);
                files[i]->syntax = bench->file.syntax;
                files[i]->name = is_top ? bench->name : gen_printf(&bench->arena, "%zu.proto", i);
                if (i < 2)
                        continue;
                imports[0] = files[below]->name;
                imports[1] = files[below + 1]->name;
                files[i]->dependency = imports;
                files[i]->n_dependency = 2;
                files[i]->public_dependency = both;
                files[i]->n_public_dependency = 2;
        }
}

static void public_imports_in_a_lattice_are_walked_once(void **state)
{
        static char name[] = "a.proto";
        static char word[] = "Word";
        static char type[] = ".Word";
        static char user_name[] = "User";
        PIPIT_CLEANUP(bench_deinit) struct bench bench;
        file_message *files[2 * LATTICE_LAYERS + 1];
        Google__Protobuf__FieldDescriptorProto field =
                GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__INIT;
        Google__Protobuf__FieldDescriptorProto *fields[] = {&field};
        Google__Protobuf__DescriptorProto defined = GOOGLE__PROTOBUF__DESCRIPTOR_PROTO__INIT;
        Google__Protobuf__DescriptorProto *bottom[] = {&defined};
        Google__Protobuf__DescriptorProto user = GOOGLE__PROTOBUF__DESCRIPTOR_PROTO__INIT;
        Google__Protobuf__DescriptorProto *top[] = {&user};
        const response_message *response;

        (void)state;
        bench_init(&bench, name);
        make_lattice(&bench, files);
        defined.name = word;
        files[1]->message_type = bottom;
        files[1]->n_message_type = 1;
        field.name = word;
        field.type_name = type;
        user.name = user_name;
        user.field = fields;
        user.n_field = 1;
        files[2 * LATTICE_LAYERS]->message_type = top;
        files[2 * LATTICE_LAYERS]->n_message_type = 1;
        files[2 * LATTICE_LAYERS]->n_public_dependency = 0;
        bench.request.proto_file = files;
        bench.request.n_proto_file = 2 * LATTICE_LAYERS + 1;

        response = generate(&bench);
        assert_non_null(response);
        assert_null(response->error);
        /* through the first of the two, and so without the second */
        assert_non_null(strstr(response->file[1]->content, "118"));
        assert_null(strstr(response->file[1]->content, "119"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_file_gives_its_descriptor),
                cmocka_unit_test(editions_are_an_error),
                cmocka_unit_test(a_file_name_that_c_cannot_include_is_an_error),
                cmocka_unit_test(a_file_that_is_asked_for_but_not_given_is_an_error),
                cmocka_unit_test(a_method_without_a_type_is_no_request),
                cmocka_unit_test(a_name_that_is_no_identifier_is_no_request),
                cmocka_unit_test(a_oneof_that_is_not_there_is_no_request),
                cmocka_unit_test(an_import_that_is_not_there_is_no_request),
                cmocka_unit_test(an_index_of_an_import_that_is_not_there_is_no_request),
                cmocka_unit_test(messages_nested_too_deep_are_an_error_before_they_are_unpacked),
                cmocka_unit_test(public_imports_in_a_lattice_are_walked_once),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
