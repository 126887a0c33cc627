#include "samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/macros.h"
#include "samples.pb-c.h"

uint8_t *samples_set(struct pipit_arena *arena, size_t *ret_n_bytes)
{
        FILE *file = fopen(SAMPLES_SET, "rb");
        uint8_t *bytes = pipit_arena_alloc(arena, 1024 * 1024);

        assert_non_null(file);
        assert_non_null(bytes);
        *ret_n_bytes = fread(bytes, 1, 1024 * 1024, file);
        assert_int_equal(fclose(file), 0);
        return bytes;
}

int samples_setup(void **state)
{
        struct samples *samples = calloc(1, sizeof(*samples));
        struct pipit_error error = {0};
        size_t n_bytes;
        uint8_t *bytes;

        assert_non_null(samples);
        samples->schema = pipit_schema_new();
        assert_non_null(samples->schema);
        bytes = samples_set(&samples->arena, &n_bytes);
        if (pipit_schema_add_set(samples->schema, bytes, n_bytes, &error) != PIPIT_OK)
                fail_msg("%s", error.message);
        pipit_arena_reset(&samples->arena);

        *state = samples;
        return 0;
}

int samples_teardown(void **state)
{
        struct samples *samples = *state;

        pipit_schema_free(samples->schema);
        pipit_arena_deinit(&samples->arena);
        free(samples);
        return 0;
}

int samples_reset(void **state)
{
        struct samples *samples = *state;

        pipit_arena_reset(&samples->arena);
        return 0;
}

const ProtobufCMessageDescriptor *samples_generated(const char *name)
{
        static const ProtobufCMessageDescriptor *const descriptors[] = {
                &samples__v1__scalars__descriptor,
                &samples__v1__repeats__descriptor,
                &samples__v1__presence__descriptor,
                &samples__v1__maps__descriptor,
                &samples__v1__known__descriptor,
                &samples__v1__nothing__descriptor,
        };

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(descriptors); i++) {
                if (strcmp(descriptors[i]->name, name) == 0)
                        return descriptors[i];
        }

        fail_msg("no generated %s", name);
        return NULL;
}

const ProtobufCMessageDescriptor *samples_of_schema(struct samples *samples, const char *name)
{
        const ProtobufCMessageDescriptor *descriptor = pipit_schema_message(samples->schema, name);

        if (!descriptor)
                fail_msg("no %s in the schema", name);
        return descriptor;
}

static ProtobufCMessage *read_as(struct samples *samples,
                                 const ProtobufCMessageDescriptor *descriptor,
                                 const char *json)
{
        struct pipit_error error = {0};
        ProtobufCMessage *message = NULL;

        if (pipit_json_read(descriptor,
                            json,
                            strlen(json),
                            samples->schema,
                            &samples->arena,
                            &message,
                            &error) != PIPIT_OK)
                fail_msg("%s: %s", json, error.message);
        assert_ptr_equal(message->descriptor, descriptor);
        return message;
}

static uint8_t *pack(struct samples *samples, const ProtobufCMessage *message, size_t *ret_n_bytes)
{
        size_t n_bytes = protobuf_c_message_get_packed_size(message);
        uint8_t *bytes = pipit_arena_alloc(&samples->arena, n_bytes + 1);

        assert_non_null(bytes);
        assert_int_equal(protobuf_c_message_pack(message, bytes), n_bytes);
        *ret_n_bytes = n_bytes;
        return bytes;
}

static const char *write_any(struct samples *samples, const ProtobufCMessage *message)
{
        struct pipit_error error = {0};
        char *text = NULL;

        if (pipit_json_write(message, samples->schema, NULL, &samples->arena, &text, &error) !=
            PIPIT_OK)
                fail_msg("%s", error.message);
        return text;
}

/* Packed, unpacked again, and written: what travels is what is meant. */
static const char *write_unpacked(struct samples *samples, const ProtobufCMessage *message)
{
        size_t n_bytes;
        uint8_t *bytes = pack(samples, message, &n_bytes);
        ProtobufCMessage *unpacked =
                protobuf_c_message_unpack(message->descriptor, NULL, n_bytes, bytes);
        const char *text;

        assert_non_null(unpacked);
        text = write_any(samples, unpacked);
        protobuf_c_message_free_unpacked(unpacked, NULL);
        return text;
}

void samples_round_trip(struct samples *samples,
                        const char *name,
                        const char *json,
                        const char *expected)
{
        const ProtobufCMessage *generated = read_as(samples, samples_generated(name), json);
        const ProtobufCMessage *made = read_as(samples, samples_of_schema(samples, name), json);
        size_t n_generated, n_made;
        const uint8_t *packed_generated = pack(samples, generated, &n_generated);
        const uint8_t *packed_made = pack(samples, made, &n_made);

        assert_int_equal(n_made, n_generated);
        assert_memory_equal(packed_made, packed_generated, n_made);

        expected = expected ? expected : json;
        assert_string_equal(write_any(samples, generated), expected);
        assert_string_equal(write_any(samples, made), expected);
        assert_string_equal(write_unpacked(samples, generated), expected);
        assert_string_equal(write_unpacked(samples, made), expected);
}

void samples_refused(struct samples *samples,
                     const char *name,
                     const char *json,
                     const char *message)
{
        const ProtobufCMessageDescriptor *descriptors[] = {samples_generated(name),
                                                           samples_of_schema(samples, name)};

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(descriptors); i++) {
                struct pipit_error error = {0};
                ProtobufCMessage *untouched = NULL;

                assert_int_equal(pipit_json_read(descriptors[i],
                                                 json,
                                                 strlen(json),
                                                 samples->schema,
                                                 &samples->arena,
                                                 &untouched,
                                                 &error),
                                 PIPIT_INVALID_ARGUMENT);
                assert_string_equal(error.message, message);
                assert_string_equal(error.reason, "JSON_INVALID");
                assert_null(untouched);
        }
}

void *samples_read(struct samples *samples, const char *name, const char *json)
{
        return read_as(samples, samples_generated(name), json);
}

const char *samples_write(struct samples *samples, const void *message)
{
        return write_any(samples, message);
}
