#include "gen/mend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/macros.h"

typedef Google__Protobuf__FieldDescriptorProto field_message;

#define BYTES  GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_BYTES
#define STRING GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_STRING

/* message Kit { string export = 2; string export2 = 1; oneof one { @type what = 3; } } of package p */
struct bench {
        struct pipit_arena arena;
        field_message fields[3];
        field_message *field_pointers[3];
        Google__Protobuf__OneofDescriptorProto oneof;
        Google__Protobuf__OneofDescriptorProto *oneofs[1];
        Google__Protobuf__DescriptorProto kit;
        Google__Protobuf__DescriptorProto *messages[1];
        Google__Protobuf__FileDescriptorProto file;
        struct types types;
        struct diagnostics diagnostics;
};

static void bench_init(struct bench *bench, Google__Protobuf__FieldDescriptorProto__Type type)
{
        static char names[][8] = {"export", "export2", "what"};
        static char kit[] = "Kit";
        static char one[] = "one";
        static char package[] = "p";
        static const int32_t numbers[] = {2, 1, 3};

        *bench = (struct bench){.kit = GOOGLE__PROTOBUF__DESCRIPTOR_PROTO__INIT};
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(names); i++) {
                google__protobuf__field_descriptor_proto__init(&bench->fields[i]);
                bench->fields[i].name = names[i];
                bench->fields[i].number = numbers[i];
                bench->fields[i].type = STRING;
                bench->field_pointers[i] = &bench->fields[i];
        }
        bench->fields[2].type = type;
        bench->fields[2].has_oneof_index = true;
        google__protobuf__oneof_descriptor_proto__init(&bench->oneof);
        bench->oneof.name = one;
        bench->oneofs[0] = &bench->oneof;
        bench->kit.name = kit;
        bench->kit.field = bench->field_pointers;
        bench->kit.n_field = 3;
        bench->kit.oneof_decl = bench->oneofs;
        bench->kit.n_oneof_decl = 1;
        bench->messages[0] = &bench->kit;
        google__protobuf__file_descriptor_proto__init(&bench->file);
        bench->file.package = package;
        bench->file.message_type = bench->messages;
        bench->file.n_message_type = 1;
        bench->types = types_make(&bench->arena, &bench->file);
        bench->diagnostics.text.arena = &bench->arena;
}

static void bench_deinit(struct bench *bench)
{
        pipit_arena_deinit(&bench->arena);
}

static const char *source_of(struct bench *bench, const char *source)
{
        return mend_source(&bench->types, source, &bench->diagnostics);
}

static const char *header_of(struct bench *bench, const char *header)
{
        return mend_header(&bench->types, header, &bench->diagnostics);
}

/* What was said since the last time, or NULL. */
static const char *complaint(struct bench *bench)
{
        const char *text = bench->diagnostics.text.bytes;

        bench->diagnostics.text = (struct text){.arena = &bench->arena};
        return text;
}

static void a_field_gets_its_name_and_its_place_back(void **state)
{
        static const char before[] =
                "a\n"
                "static const ProtobufCFieldDescriptor p__kit__field_descriptors[3] =\n"
                "{\n  {\n    \"export2\",\n    1,\n  },\n  {\n    \"export_\",\n    2,\n  },\n"
                "  {\n    \"what\",\n    3,\n  },\n};\n"
                "static const unsigned p__kit__field_indices_by_name[] = {\n"
                "  0,   /* field[0] = export2 */\n"
                "  1,   /* field[1] = export_ */\n"
                "  2,   /* field[2] = what */\n"
                "};\n"
                "  {\n    \"export_\",\n z";
        static const char after[] =
                "a\n"
                "static const ProtobufCFieldDescriptor p__kit__field_descriptors[3] =\n"
                "{\n  {\n    \"export2\",\n    1,\n  },\n  {\n    \"export\",\n    2,\n  },\n"
                "  {\n    \"what\",\n    3,\n  },\n};\n"
                "static const unsigned p__kit__field_indices_by_name[] = {\n"
                "  1,   /* field[1] = export */\n"
                "  0,   /* field[0] = export2 */\n"
                "  2,   /* field[2] = what */\n"
                "};\n"
                "  {\n    \"export_\",\n z";
        PIPIT_CLEANUP(bench_deinit) struct bench bench;

        (void)state;
        bench_init(&bench, STRING);
        assert_string_equal(source_of(&bench, before), after);
        assert_null(complaint(&bench));
}

static void a_source_of_another_layout_is_an_error_that_says_what(void **state)
{
        static const char *const sources[] = {
                "",
                "\nstatic const ProtobufCFieldDescriptor p__kit__field_descriptors[3] =\n",
                "\nstatic const unsigned p__kit__field_indices_by_name[] = {\n  0,",
                ("\nstatic const ProtobufCFieldDescriptor p__kit__field_descriptors[3] =\n{\n};\n"
                 "  {\n    \"export_\",\n"),
        };
        PIPIT_CLEANUP(bench_deinit) struct bench bench;

        (void)state;
        bench_init(&bench, STRING);
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(sources); i++) {
                const char *said;

                assert_string_equal(source_of(&bench, sources[i]), sources[i]);
                said = complaint(&bench);
                assert_non_null(said);
                assert_non_null(strstr(said, "the table of fields of p.Kit"));
                assert_non_null(strstr(said, "protoc_gen_c=PATH"));
        }
}

static void an_order_of_another_layout_is_an_error_that_says_what(void **state)
{
        static const char source[] =
                "\nstatic const ProtobufCFieldDescriptor p__kit__field_descriptors[3] =\n"
                "{\n  {\n    \"export_\",\n    2,\n  },\n};\n";
        PIPIT_CLEANUP(bench_deinit) struct bench bench;
        const char *said;

        (void)state;
        bench_init(&bench, STRING);
        assert_string_equal(source_of(&bench, source), source);
        said = complaint(&bench);
        assert_non_null(said);
        assert_non_null(strstr(said, "the order of fields by name of p.Kit"));
}

static void a_union_that_starts_with_a_struct_is_braced(void **state)
{
        static const char before[] = "{ 0, P__KIT__ONE__NOT_SET, {0}, P__KIT__TWO__NOT_SET, {0} }";
        static const char after[] = "{ 0, P__KIT__ONE__NOT_SET, {{0}}, P__KIT__TWO__NOT_SET, {0} }";
        PIPIT_CLEANUP(bench_deinit) struct bench bench;
        const char *said;

        (void)state;
        bench_init(&bench, BYTES);
        assert_string_equal(header_of(&bench, before), after);
        assert_null(complaint(&bench));
        assert_string_equal(header_of(&bench, "x"), "x");
        said = complaint(&bench);
        assert_non_null(said);
        assert_non_null(strstr(said, "the initializer of p.Kit"));
}

static void a_union_that_does_not_is_not(void **state)
{
        static const char header[] = "{ 0, P__KIT__ONE__NOT_SET, {0} }";
        PIPIT_CLEANUP(bench_deinit) struct bench bench;

        (void)state;
        bench_init(&bench, STRING);
        assert_string_equal(header_of(&bench, header), header);
        assert_null(complaint(&bench));
}

/* enum Age { NEW = 0 [deprecated]; OLD = 12 [deprecated]; OLDER = 120; } of package p */
static Google__Protobuf__EnumDescriptorProto *make_enum(void)
{
        static char name[] = "Age", new[] = "NEW", old[] = "OLD", older[] = "OLDER";
        static Google__Protobuf__EnumValueOptions options =
                GOOGLE__PROTOBUF__ENUM_VALUE_OPTIONS__INIT;
        static Google__Protobuf__EnumValueDescriptorProto values[3];
        static Google__Protobuf__EnumValueDescriptorProto *pointers[3];
        static Google__Protobuf__EnumDescriptorProto age =
                GOOGLE__PROTOBUF__ENUM_DESCRIPTOR_PROTO__INIT;
        char *const names[] = {new, old, older};
        static const int32_t numbers[] = {0, 12, 120};

        options.has_deprecated = true;
        options.deprecated = true;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(values); i++) {
                google__protobuf__enum_value_descriptor_proto__init(&values[i]);
                values[i].name = names[i];
                values[i].number = numbers[i];
                values[i].options = i < 2 ? &options : NULL;
                pointers[i] = &values[i];
        }
        age.name = name;
        age.value = pointers;
        age.n_value = PIPIT_N_ELEMENTS(values);

        return &age;
}

static void a_deprecated_value_says_so_but_for_zero(void **state)
{
        static const char before[] =
                "typedef enum _P__Age {\n  P__AGE__NEW = 0,\n  P__AGE__OLD = 12,\n"
                "  P__AGE__OLDER = 120\n    PROTOBUF_C__FORCE_ENUM_TO_BE_INT_SIZE(P__AGE)\n} "
                "P__Age;\n";
        static const char after[] = "typedef enum _P__Age {\n  P__AGE__NEW = 0,\n  P__AGE__OLD "
                                    "PROTOBUF_C__DEPRECATED = 12,\n"
                                    "  P__AGE__OLDER = 120\n    "
                                    "PROTOBUF_C__FORCE_ENUM_TO_BE_INT_SIZE(P__AGE)\n} P__Age;\n";
        PIPIT_CLEANUP(bench_deinit) struct bench bench;
        Google__Protobuf__EnumDescriptorProto *enums[] = {make_enum()};
        const char *said;

        (void)state;
        bench_init(&bench, STRING);
        bench.file.enum_type = enums;
        bench.file.n_enum_type = 1;
        bench.types = types_make(&bench.arena, &bench.file);
        assert_string_equal(header_of(&bench, before), after);
        assert_null(complaint(&bench));
        assert_string_equal(header_of(&bench, "x"), "x");
        said = complaint(&bench);
        assert_non_null(said);
        assert_non_null(strstr(said, "the values of p.Age"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_field_gets_its_name_and_its_place_back),
                cmocka_unit_test(a_source_of_another_layout_is_an_error_that_says_what),
                cmocka_unit_test(an_order_of_another_layout_is_an_error_that_says_what),
                cmocka_unit_test(a_union_that_starts_with_a_struct_is_braced),
                cmocka_unit_test(a_union_that_does_not_is_not),
                cmocka_unit_test(a_deprecated_value_says_so_but_for_zero),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
