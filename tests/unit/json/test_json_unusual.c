#include <stdio.h>

#include "core/base/macros.h"
#include "samples.h"

static const char *const names[] = {
        "Any",
        "BoolValue",
        "Duration",
        "FieldMask",
        "Int32Value",
        "ListValue",
        "StringValue",
        "Struct",
        "Timestamp",
        "Value",
};

static struct pipit_schema *unusual_schema(void)
{
        static uint8_t bytes[16 * 1024];
        struct pipit_schema *schema = pipit_schema_new();
        FILE *file = fopen(UNUSUAL_SET, "rb");
        struct pipit_error error = {0};

        assert_non_null(schema);
        assert_non_null(file);
        size_t n_bytes = fread(bytes, 1, sizeof(bytes), file);

        assert_int_equal(fclose(file), 0);
        assert_int_equal(pipit_schema_add_set(schema, bytes, n_bytes, &error), PIPIT_OK);
        return schema;
}

/* The code of a well-known type relies on its fields: a schema may come from anyone. */
static void a_message_that_only_has_the_name_of_a_known_type_is_refused(void **state)
{
        PIPIT_CLEANUP(pipit_schema_free_cleanup) struct pipit_schema *schema = unusual_schema();
        struct samples *samples = *state;

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(names); i++) {
                struct pipit_error error = {0};
                ProtobufCMessage *message;
                char full[64], problem[128], *text;

                (void)snprintf(full, sizeof(full), "google.protobuf.%s", names[i]);

                const ProtobufCMessageDescriptor *descriptor = pipit_schema_message(schema, full);

                assert_non_null(descriptor);
                assert_int_equal(
                        pipit_json_read(
                                descriptor, "{}", 2, schema, &samples->arena, &message, &error),
                        PIPIT_INVALID_ARGUMENT);
                (void)snprintf(problem,
                               sizeof(problem),
                               "1:1: the schema's %s is not the well-known one",
                               full);
                assert_string_equal(error.message, problem);

                message = pipit_schema_message_new(descriptor, &samples->arena);
                assert_non_null(message);
                assert_int_equal(
                        pipit_json_write(message, schema, NULL, &samples->arena, &text, &error),
                        PIPIT_INVALID_ARGUMENT);
                (void)snprintf(problem,
                               sizeof(problem),
                               "%s in the schema is not the well-known one",
                               full);
                assert_string_equal(error.message, problem);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(a_message_that_only_has_the_name_of_a_known_type_is_refused,
                                       samples_reset),
        };

        return cmocka_run_group_tests(tests, samples_setup, samples_teardown);
}
