#include "gen/filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/macros.h"
#include "gen/memory.h"
#include "gen/source.h"

typedef Google__Protobuf__FileDescriptorProto file_message;
typedef Google__Protobuf__SourceCodeInfo__Location location_message;

#define LOCATIONS_MAX 16

/* One message with one field, one extension and one nested message, and one service. */
struct bench {
        struct pipit_arena arena;
        file_message file;
        file_message *files[1];
        Google__Protobuf__DescriptorProto message;
        Google__Protobuf__DescriptorProto *messages[1];
        Google__Protobuf__FieldDescriptorProto field;
        Google__Protobuf__FieldDescriptorProto *fields[1];
        Google__Protobuf__ServiceDescriptorProto service;
        Google__Protobuf__ServiceDescriptorProto *services[1];
        Google__Protobuf__SourceCodeInfo info;
        location_message locations[LOCATIONS_MAX];
        location_message *location_pointers[LOCATIONS_MAX];
};

static char name[] = "a";

static void bench_init(struct bench *bench)
{
        *bench = (struct bench){.arena = {.cap_bytes = 0}};
        google__protobuf__file_descriptor_proto__init(&bench->file);
        google__protobuf__descriptor_proto__init(&bench->message);
        google__protobuf__field_descriptor_proto__init(&bench->field);
        google__protobuf__service_descriptor_proto__init(&bench->service);
        google__protobuf__source_code_info__init(&bench->info);

        bench->field.name = name;
        bench->field.has_proto3_optional = true;
        bench->field.proto3_optional = true;
        bench->field.has_oneof_index = true;
        bench->fields[0] = &bench->field;
        bench->message.name = name;
        bench->message.field = bench->fields;
        bench->message.n_field = 1;
        bench->message.extension = bench->fields;
        bench->message.n_extension = 1;
        bench->messages[0] = &bench->message;
        bench->service.name = name;
        bench->services[0] = &bench->service;
        bench->file.name = name;
        bench->file.message_type = bench->messages;
        bench->file.n_message_type = 1;
        bench->file.extension = bench->fields;
        bench->file.n_extension = 1;
        bench->file.service = bench->services;
        bench->file.n_service = 1;
        bench->info.location = bench->location_pointers;
        bench->file.source_code_info = &bench->info;
        bench->files[0] = &bench->file;
}

static void bench_deinit(struct bench *bench)
{
        pipit_arena_deinit(&bench->arena);
}

static void add_location(struct bench *bench, int32_t *path, size_t n_path)
{
        location_message *location = &bench->locations[bench->info.n_location];

        assert_true(bench->info.n_location < LOCATIONS_MAX);
        google__protobuf__source_code_info__location__init(location);
        location->path = path;
        location->n_path = n_path;
        bench->location_pointers[bench->info.n_location++] = location;
}

static void filter(struct bench *bench,
                   void (*how)(struct pipit_arena *, const struct index *, size_t))
{
        struct index index = index_make(&bench->arena, bench->files, 1);

        how(&bench->arena, &index, 0);
}

static void for_messages_optional_becomes_its_oneof(void **state)
{
        PIPIT_CLEANUP(bench_deinit) struct bench bench;

        (void)state;
        bench_init(&bench);
        filter(&bench, filter_for_messages);
        assert_false(bench.field.proto3_optional);
        assert_false(bench.field.has_proto3_optional);
        assert_true(bench.field.has_oneof_index);
}

static void for_messages_services_and_extensions_go(void **state)
{
        PIPIT_CLEANUP(bench_deinit) struct bench bench;

        (void)state;
        bench_init(&bench);
        filter(&bench, filter_for_messages);
        assert_int_equal(bench.file.n_service, 0);
        assert_int_equal(bench.file.n_extension, 0);
        assert_int_equal(bench.message.n_extension, 0);
        assert_int_equal(bench.file.n_message_type, 1);
}

static void for_messages_nothing_is_located_that_is_gone(void **state)
{
        int32_t gone[][6] = {
                {3, 0},
                {6, 0},
                {6, 0, 2, 0},
                {7, 0},
                {8, 1},
                {10, 0},
                {11, 0},
                {4, 0, 6, 0},
                {4, 0, 3, 0, 6, 0},
        };
        size_t n_gone[] = {2, 2, 4, 2, 2, 2, 2, 4, 6};
        /* the last one is a message's sixth field, no extension */
        int32_t kept[][6] = {{12}, {2}, {4, 0}, {4, 0, 2, 0}, {4, 0, 3, 0, 2, 0}, {4, 0, 2, 6}};
        size_t n_kept[] = {1, 1, 2, 4, 6, 4};
        PIPIT_CLEANUP(bench_deinit) struct bench bench;

        (void)state;
        bench_init(&bench);
        add_location(&bench, NULL, 0);
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(gone); i++)
                add_location(&bench, gone[i], n_gone[i]);
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(kept); i++)
                add_location(&bench, kept[i], n_kept[i]);
        filter(&bench, filter_for_messages);

        assert_int_equal(bench.info.n_location, 1 + PIPIT_N_ELEMENTS(kept));
        assert_int_equal(bench.info.location[0]->n_path, 0);
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(kept); i++)
                assert_ptr_equal(bench.info.location[1 + i]->path, kept[i]);
}

static void for_embedding_services_and_optional_stay(void **state)
{
        PIPIT_CLEANUP(bench_deinit) struct bench bench;

        (void)state;
        bench_init(&bench);
        filter(&bench, filter_for_embedding);
        assert_int_equal(bench.file.n_service, 1);
        assert_true(bench.field.proto3_optional);
        assert_null(bench.file.source_code_info);
        assert_int_equal(bench.file.n_extension, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(for_messages_optional_becomes_its_oneof),
                cmocka_unit_test(for_messages_services_and_extensions_go),
                cmocka_unit_test(for_messages_nothing_is_located_that_is_gone),
                cmocka_unit_test(for_embedding_services_and_optional_stay),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
