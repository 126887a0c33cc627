#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/macros.h"
#include "core/rpc/message.h"
#include "google/protobuf/descriptor.pb-c.h"
#include "samples.h"
#include "samples.pb-c.h"
#include "samples.pipit.h"

static void compare_enums(const ProtobufCEnumDescriptor *made,
                          const ProtobufCEnumDescriptor *generated)
{
        assert_string_equal(made->name, generated->name);
        assert_string_equal(made->short_name, generated->short_name);
        assert_string_equal(made->package_name, generated->package_name);
        assert_int_equal(made->n_values, generated->n_values);
        for (unsigned i = 0; i < made->n_values; i++) {
                assert_string_equal(made->values[i].name, generated->values[i].name);
                assert_int_equal(made->values[i].value, generated->values[i].value);
        }
        assert_int_equal(made->n_value_names, generated->n_value_names);
        for (unsigned i = 0; i < made->n_value_names; i++) {
                assert_string_equal(made->values_by_name[i].name,
                                    generated->values_by_name[i].name);
                assert_int_equal(made->values_by_name[i].index, generated->values_by_name[i].index);
        }
        assert_int_equal(made->n_value_ranges, generated->n_value_ranges);
        assert_memory_equal(made->value_ranges,
                            generated->value_ranges,
                            (made->n_value_ranges + 1) * sizeof(ProtobufCIntRange));
}

static void compare_fields(const ProtobufCFieldDescriptor *made,
                           const ProtobufCFieldDescriptor *generated)
{
        assert_string_equal(made->name, generated->name);
        assert_int_equal(made->id, generated->id);
        assert_int_equal(made->label, generated->label);
        assert_int_equal(made->type, generated->type);
        assert_int_equal(made->flags, generated->flags);
        assert_int_equal(!made->descriptor, !generated->descriptor);
        if (made->type == PROTOBUF_C_TYPE_ENUM)
                compare_enums(made->descriptor, generated->descriptor);
}

/* All but the offsets, which are our own affair, is as protoc-c makes it. */
static void descriptors_are_as_protoc_c_makes_them(void **state)
{
        static const char *const names[] = {
                "samples.v1.Scalars",
                "samples.v1.Repeats",
                "samples.v1.Presence",
                "samples.v1.Maps",
                "samples.v1.Known",
                "samples.v1.Nothing",
        };

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(names); i++) {
                const ProtobufCMessageDescriptor *generated = samples_generated(names[i]);
                const ProtobufCMessageDescriptor *made = samples_of_schema(*state, names[i]);

                assert_string_equal(made->name, generated->name);
                assert_string_equal(made->short_name, generated->short_name);
                assert_string_equal(made->package_name, generated->package_name);
                assert_int_equal(made->sizeof_message, generated->sizeof_message);
                assert_int_equal(made->n_fields, generated->n_fields);
                for (unsigned f = 0; f < made->n_fields; f++) {
                        compare_fields(&made->fields[f], &generated->fields[f]);
                        assert_int_equal(made->fields_sorted_by_name[f],
                                         generated->fields_sorted_by_name[f]);
                }
                assert_int_equal(made->n_field_ranges, generated->n_field_ranges);
                if (made->n_fields > 0)
                        assert_memory_equal(made->field_ranges,
                                            generated->field_ranges,
                                            (made->n_field_ranges + 1) * sizeof(ProtobufCIntRange));
        }
}

static void members_are_aligned_and_do_not_overlap(void **state)
{
        const ProtobufCMessageDescriptor *descriptor =
                samples_of_schema(*state, "samples.v1.Scalars");
        unsigned char used[1024] = {0};

        assert_true(descriptor->sizeof_message <= sizeof(used));
        memset(used, 1, sizeof(ProtobufCMessage));
        for (unsigned i = 0; i < descriptor->n_fields; i++) {
                const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
                size_t size = field->type == PROTOBUF_C_TYPE_BYTES ? sizeof(ProtobufCBinaryData)
                              : field->type >= PROTOBUF_C_TYPE_STRING ||
                                              field->type == PROTOBUF_C_TYPE_DOUBLE ||
                                              (field->type >= PROTOBUF_C_TYPE_INT64 &&
                                               field->type <= PROTOBUF_C_TYPE_SFIXED64) ||
                                              field->type == PROTOBUF_C_TYPE_UINT64 ||
                                              field->type == PROTOBUF_C_TYPE_FIXED64
                                      ? 8
                                      : 4;

                assert_int_equal(field->offset % (size > 8 ? 8 : size), 0);
                for (size_t byte = field->offset; byte < field->offset + size; byte++) {
                        assert_int_equal(used[byte], 0);
                        used[byte] = 1;
                }
        }
}

static void names_are_found_or_not(void **state)
{
        const struct samples *samples = *state;

        assert_non_null(pipit_schema_message(samples->schema, "samples.v1.Presence.Deep.Deeper"));
        assert_non_null(pipit_schema_message(samples->schema, "google.protobuf.Timestamp"));
        assert_non_null(pipit_schema_message(samples->schema, "samples.v1.Maps.FlagsEntry"));
        assert_null(pipit_schema_message(samples->schema, "samples.v1.Color"));
        assert_null(pipit_schema_message(samples->schema, "samples.v1.Scalar"));
        assert_null(pipit_schema_message(samples->schema, ""));
        assert_non_null(pipit_schema_enum(samples->schema, "samples.v1.Presence.Deep.Deeper.Kind"));
        assert_null(pipit_schema_enum(samples->schema, "samples.v1.Scalars"));
}

static void a_method_is_found_with_a_slash_or_a_dot(void **state)
{
        const struct samples *samples = *state;
        const struct pipit_method *method =
                pipit_schema_method(samples->schema, "samples.v1.SamplesService/GetScalars");

        assert_non_null(method);
        assert_string_equal(method->name, "samples.v1.SamplesService/GetScalars");
        assert_ptr_equal(method->request,
                         pipit_schema_message(samples->schema, "samples.v1.Nothing"));
        assert_ptr_equal(method->response,
                         pipit_schema_message(samples->schema, "samples.v1.Scalars"));
        assert_true(method->no_side_effects);
        assert_ptr_equal(
                pipit_schema_method(samples->schema, "samples.v1.SamplesService.GetScalars"),
                method);
        assert_null(pipit_schema_method(samples->schema, "samples.v1.SamplesService"));
        assert_null(pipit_schema_method(samples->schema, "samples.v1.SamplesService/GetScalar"));
}

static void services_are_as_the_generator_makes_them(void **state)
{
        const struct samples *samples = *state;
        const struct pipit_service *generated = &samples_v1_samples_service_descriptor;
        const struct pipit_service *made = pipit_schema_service(samples->schema, 0);

        assert_non_null(made);
        assert_string_equal(made->name, generated->name);
        assert_int_equal(made->n_methods, generated->n_methods);
        for (size_t i = 0; i < made->n_methods; i++) {
                assert_string_equal(made->methods[i].name, generated->methods[i].name);
                assert_string_equal(made->methods[i].full_name, generated->methods[i].full_name);
                assert_int_equal(made->methods[i].no_side_effects,
                                 generated->methods[i].no_side_effects);
        }
        assert_string_equal(made->file->name, "samples.proto");
        assert_int_equal(made->file->n_dependencies, 7);
}

static void streams_are_passed_over(void **state)
{
        const struct samples *samples = *state;
        const struct pipit_service *service = pipit_schema_service(samples->schema, 1);

        assert_non_null(service);
        assert_string_equal(service->name, "samples.old.OldService");
        assert_int_equal(service->n_methods, 2);
        assert_string_equal(service->methods[1].name, "samples.old.OldService/PutOld");
        assert_null(pipit_schema_method(samples->schema, "samples.old.OldService/WatchOld"));
        assert_null(pipit_schema_service(samples->schema, 2));
}

static void the_nearest_method_or_service_is_suggested(void **state)
{
        const struct samples *samples = *state;

        assert_string_equal(pipit_schema_nearest_method(samples->schema,
                                                        "samples.v1.SamplesService/GetScalers"),
                            "samples.v1.SamplesService/GetScalars");
        assert_string_equal(
                pipit_schema_nearest_method(samples->schema, "samples.v1.SampleService"),
                "samples.v1.SamplesService");
        assert_null(pipit_schema_nearest_method(samples->schema, "x"));
}

static void json_names_are_those_of_the_proto(void **state)
{
        const struct samples *samples = *state;
        const ProtobufCMessageDescriptor *generated = samples_generated("samples.v1.Scalars");
        const ProtobufCFieldDescriptor *field =
                protobuf_c_message_descriptor_get_field(generated, 100);

        assert_string_equal(pipit_schema_json_name(samples->schema, generated, field), "@other");
        assert_null(pipit_schema_json_name(NULL, generated, field));
}

/* --- proto2 ------------------------------------------------------------------ */

static void defaults_of_proto2_are_there_when_a_field_is_not(void **state)
{
        struct samples *samples = *state;
        const ProtobufCMessageDescriptor *descriptor =
                samples_of_schema(samples, "samples.old.Old");
        const uint8_t bytes[] = {8, 1, 18, 1, 'x'};
        const ProtobufCMessage *message =
                pipit_message_unpack(descriptor, &samples->arena, bytes, sizeof(bytes));
        struct pipit_error error = {0};
        char *text = NULL;

        assert_non_null(message);

#define MEMBER(type, number)                                                                       \
        (*(const type *)(const void *)((const char *)message +                                     \
                                       protobuf_c_message_descriptor_get_field(descriptor, number) \
                                               ->offset))
        assert_int_equal(MEMBER(int32_t, 3), -7);
        assert_string_equal(MEMBER(char *, 4), "hey");
        assert_int_equal(MEMBER(ProtobufCBinaryData, 5).len, 4);
        assert_memory_equal(MEMBER(ProtobufCBinaryData, 5).data, "x\001\"y", 4);
        assert_int_equal(MEMBER(int, 6), 3);
        assert_int_equal(MEMBER(int, 7), 1);
        assert_true(isinf(MEMBER(double, 8)));
        assert_true(MEMBER(float, 9) == 1.5f);
        assert_true(MEMBER(protobuf_c_boolean, 10));
        assert_true(MEMBER(uint64_t, 11) == UINT64_MAX);
#undef MEMBER

        assert_int_equal(
                pipit_json_write(message, samples->schema, NULL, &samples->arena, &text, &error),
                PIPIT_OK);
        assert_string_equal(text, "{\"id\":1,\"title\":\"x\"}");
}

static void read_and_write_old(struct samples *samples, const char *json)
{
        const ProtobufCMessageDescriptor *descriptor =
                samples_of_schema(samples, "samples.old.Old");
        ProtobufCMessage *message = NULL, *unpacked;
        struct pipit_error error = {0};
        uint8_t bytes[512];
        char *text = NULL;
        size_t n_bytes;

        if (pipit_json_read(descriptor,
                            json,
                            strlen(json),
                            samples->schema,
                            &samples->arena,
                            &message,
                            &error) != PIPIT_OK)
                fail_msg("%s", error.message);

        n_bytes = protobuf_c_message_pack(message, bytes);
        unpacked = pipit_message_unpack(descriptor, &samples->arena, bytes, n_bytes);
        assert_non_null(unpacked);
        assert_int_equal(
                pipit_json_write(unpacked, samples->schema, NULL, &samples->arena, &text, &error),
                PIPIT_OK);
        assert_string_equal(text, json);
}

static void fields_of_proto2_know_whether_they_are_set(void **state)
{
        read_and_write_old(*state, "{\"id\":0,\"title\":\"\"}");
        read_and_write_old(
                *state,
                "{\"id\":0,\"title\":\"\",\"count\":0,\"greeting\":\"\",\"raw\":\"\","
                "\"level\":\"LEVEL_LOW\",\"chosen\":\"LEVEL_HIGH\",\"limit\":0,\"ratio\":0,"
                "\"on\":false,\"large\":\"0\",\"packed\":[1,2],\"loose\":[3],"
                "\"inner\":{\"id\":1,\"title\":\"\"},\"left\":0,\"counts\":{\"a\":0}}");
        read_and_write_old(*state, "{\"id\":0,\"title\":\"\",\"greeting\":\"hey\",\"right\":\"\"}");
}

static void a_missing_required_field_is_an_error(void **state)
{
        struct samples *samples = *state;
        const ProtobufCMessageDescriptor *descriptor =
                samples_of_schema(samples, "samples.old.Old");
        struct pipit_error error = {0};
        ProtobufCMessage *message;

        assert_int_equal(pipit_json_read(descriptor,
                                         "{\"id\":1}",
                                         8,
                                         samples->schema,
                                         &samples->arena,
                                         &message,
                                         &error),
                         PIPIT_INVALID_ARGUMENT);
        assert_string_equal(error.message,
                            "1:1: samples.old.Old needs the field \"title\" (required)");
}

/* --- what is refused --------------------------------------------------------------- */

typedef Google__Protobuf__FileDescriptorProto file_proto;
typedef Google__Protobuf__DescriptorProto message_proto;
typedef Google__Protobuf__FieldDescriptorProto field_proto;

/* One file of one message of one field, to be broken. */
struct broken {
        file_proto file, *files[2];
        message_proto message, *messages[1];
        field_proto field, *fields[2];
        Google__Protobuf__FileDescriptorSet set;
};

static void broken_init(struct broken *broken)
{
        google__protobuf__file_descriptor_proto__init(&broken->file);
        google__protobuf__descriptor_proto__init(&broken->message);
        google__protobuf__field_descriptor_proto__init(&broken->field);
        google__protobuf__file_descriptor_set__init(&broken->set);

        broken->field.name = (char *)"f";
        broken->field.has_number = true;
        broken->field.number = 1;
        broken->field.has_type = true;
        broken->field.type = GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_INT32;
        broken->fields[0] = &broken->field;
        broken->fields[1] = &broken->field;
        broken->message.name = (char *)"M";
        broken->message.n_field = 1;
        broken->message.field = broken->fields;
        broken->messages[0] = &broken->message;
        broken->file.name = (char *)"b.proto";
        broken->file.package = (char *)"b";
        broken->file.syntax = (char *)"proto3";
        broken->file.n_message_type = 1;
        broken->file.message_type = broken->messages;
        broken->files[0] = &broken->file;
        broken->set.n_file = 1;
        broken->set.file = broken->files;
}

static void set_refused(struct broken *broken, const char *message)
{
        struct pipit_schema *schema = pipit_schema_new();
        uint8_t bytes[512];
        size_t n_bytes = google__protobuf__file_descriptor_set__pack(&broken->set, bytes);
        struct pipit_error error = {0};
        enum pipit_status status;

        assert_non_null(schema);
        status = pipit_schema_add_set(schema, bytes, n_bytes, &error);
        if (message) {
                assert_int_equal(status, PIPIT_INVALID_ARGUMENT);
                assert_string_equal(error.reason, "SCHEMA_INVALID");
                assert_string_equal(error.message, message);
                assert_null(pipit_schema_message(schema, "b.M"));
        } else {
                assert_int_equal(status, PIPIT_OK);
                assert_non_null(pipit_schema_message(schema, "b.M"));
        }
        pipit_schema_free(schema);
}

static void a_broken_set_is_refused_by_name(void **state)
{
        struct broken broken;

        (void)state;
        broken_init(&broken);
        set_refused(&broken, NULL);

        broken.field.number = 0;
        set_refused(&broken, "b.proto: b.M.f has the number 0, which is none");

        broken_init(&broken);
        broken.field.type = GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_GROUP;
        set_refused(&broken, "b.proto: b.M.f is of a type that is not supported (a group?)");

        broken_init(&broken);
        broken.field.type = GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_MESSAGE;
        broken.field.type_name = (char *)".b.Missing";
        set_refused(&broken,
                    "b.proto: b.M.f: there is no message b.Missing; was the set made with "
                    "--include_imports?");

        broken_init(&broken);
        broken.message.n_field = 2;
        set_refused(&broken, "b.proto: b.M.f is defined twice");

        broken_init(&broken);
        broken.field.has_oneof_index = true;
        set_refused(&broken, "b.proto: b.M.f is in a oneof that does not exist");

        broken_init(&broken);
        broken.field.name = NULL;
        set_refused(&broken, "b.proto: a field of b.M has no name");

        broken_init(&broken);
        broken.file.syntax = (char *)"editions";
        set_refused(&broken,
                    "b.proto: syntax \"editions\" is not supported (proto2 and proto3 are)");

        broken_init(&broken);
        broken.file.name = NULL;
        set_refused(&broken, "a file without a name");

        broken_init(&broken);
        broken.set.n_file = 0;
        set_refused(&broken, "this set of files is empty");
}

static void what_was_refused_leaves_the_rest_as_it_was(void **state)
{
        struct samples *samples = *state;
        struct pipit_error error = {0};
        struct broken broken;
        uint8_t bytes[512];
        size_t n_bytes;

        broken_init(&broken);
        broken.field.number = 0;
        n_bytes = google__protobuf__file_descriptor_set__pack(&broken.set, bytes);
        assert_int_equal(pipit_schema_add_set(samples->schema, bytes, n_bytes, &error),
                         PIPIT_INVALID_ARGUMENT);
        assert_null(pipit_schema_message(samples->schema, "b.M"));
        samples_round_trip(samples, "samples.v1.Scalars", "{\"anInt32\":1}", NULL);

        broken.field.number = 1;
        n_bytes = google__protobuf__file_descriptor_set__pack(&broken.set, bytes);
        assert_int_equal(pipit_schema_add_set(samples->schema, bytes, n_bytes, &error), PIPIT_OK);
        assert_non_null(pipit_schema_message(samples->schema, "b.M"));
}

static void a_set_cut_anywhere_is_refused_or_smaller(void **state)
{
        struct samples *samples = *state;
        size_t n_bytes;
        uint8_t *bytes = samples_set(&samples->arena, &n_bytes);

        for (size_t n = 0; n < n_bytes; n += 7) {
                struct pipit_schema *schema = pipit_schema_new();
                uint8_t *cut = malloc(n + 1);
                struct pipit_error error = {0};

                /* A copy of its own, so that a sanitizer sees reads past the end. */
                assert_non_null(cut);
                memcpy(cut, bytes, n);
                if (pipit_schema_add_set(schema, cut, n, &error) != PIPIT_OK)
                        assert_int_equal(error.status, PIPIT_INVALID_ARGUMENT);
                free(cut);
                pipit_schema_free(schema);
        }
}

static void a_file_comes_with_its_dependencies_once(void **state)
{
        struct pipit_schema *schema = pipit_schema_new();
        struct pipit_error error = {0};

        (void)state;
        assert_non_null(schema);
        for (int i = 0; i < 2; i++) {
                assert_int_equal(pipit_schema_add_file(schema, &samples_proto, &error), PIPIT_OK);
                assert_non_null(pipit_schema_message(schema, "google.protobuf.ListValue"));
                assert_null(pipit_schema_service(schema, 1));
        }
        pipit_schema_free(schema);
}

static void a_schema_may_be_empty(void **state)
{
        struct pipit_schema *schema = pipit_schema_new();

        (void)state;
        assert_non_null(schema);
        assert_null(pipit_schema_message(schema, "a.B"));
        assert_null(pipit_schema_method(schema, "a.B/C"));
        assert_null(pipit_schema_service(schema, 0));
        assert_null(pipit_schema_nearest_method(schema, "a.B/C"));
        assert_null(pipit_schema_free(schema));
        assert_null(pipit_schema_free(NULL));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, samples_reset)
                TEST(descriptors_are_as_protoc_c_makes_them),
                TEST(members_are_aligned_and_do_not_overlap),
                TEST(names_are_found_or_not),
                TEST(a_method_is_found_with_a_slash_or_a_dot),
                TEST(services_are_as_the_generator_makes_them),
                TEST(streams_are_passed_over),
                TEST(the_nearest_method_or_service_is_suggested),
                TEST(json_names_are_those_of_the_proto),
                TEST(defaults_of_proto2_are_there_when_a_field_is_not),
                TEST(fields_of_proto2_know_whether_they_are_set),
                TEST(a_missing_required_field_is_an_error),
                TEST(a_broken_set_is_refused_by_name),
                TEST(what_was_refused_leaves_the_rest_as_it_was),
                TEST(a_set_cut_anywhere_is_refused_or_smaller),
                TEST(a_file_comes_with_its_dependencies_once),
                TEST(a_schema_may_be_empty),
#undef TEST
        };

        return cmocka_run_group_tests(tests, samples_setup, samples_teardown);
}
