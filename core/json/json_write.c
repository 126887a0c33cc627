#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/json/base64.h"
#include "core/json/field.h"
#include "core/json/json.h"
#include "core/json/known_type.h"
#include "core/json/number.h"
#include "core/json/output.h"

enum pipit_status json_write_out_of_memory(struct json_output *output)
{
        *output->error = pipit_error_make(
                PIPIT_RESOURCE_EXHAUSTED, PIPIT_NOT_RUN, "OUT_OF_MEMORY", "out of memory");
        return PIPIT_RESOURCE_EXHAUSTED;
}

enum pipit_status json_write_fail(struct json_output *output,
                                  const ProtobufCMessage *message,
                                  const char *problem)
{
        char *text = pipit_arena_printf(
                output->writer.arena, "%s %s", message->descriptor->name, problem);

        if (!text)
                return json_write_out_of_memory(output);

        *output->error = pipit_error_make(PIPIT_INVALID_ARGUMENT, PIPIT_NOT_RUN, "NOT_JSON", text);
        return PIPIT_INVALID_ARGUMENT;
}

/* --- scalars --------------------------------------------------------------- */

void json_write_double(struct json_output *output, double value)
{
        char text[PIPIT_NUMBER_TEXT_SIZE];

        if (isnan(value)) {
                pipit_json_writer_raw(&output->writer, "\"NaN\"");
        } else if (isinf(value)) {
                pipit_json_writer_raw(&output->writer,
                                      value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
        } else {
                pipit_number_format_double(value, text);
                pipit_json_writer_raw(&output->writer, text);
        }
}

static void write_float(struct json_output *output, float value)
{
        char text[PIPIT_NUMBER_TEXT_SIZE];

        if (!isfinite(value)) {
                json_write_double(output, (double)value);
                return;
        }

        pipit_number_format_float(value, text);
        pipit_json_writer_raw(&output->writer, text);
}

static void write_bytes(struct json_output *output, const ProtobufCBinaryData *bytes)
{
        char *space = pipit_json_writer_string_space(&output->writer,
                                                     PIPIT_BASE64_TEXT_BYTES(bytes->len));

        if (space)
                pipit_base64_encode(bytes->data, bytes->len, space);
}

/* Not protobuf-c's own search: a value of INT_MAX overflows in it, and is not found. */
static const ProtobufCEnumValue *find_value(const ProtobufCEnumDescriptor *enumeration, int number)
{
        size_t low = 0, high = enumeration->n_values;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (enumeration->values[middle].value == number)
                        return &enumeration->values[middle];
                if (enumeration->values[middle].value < number)
                        low = middle + 1;
                else
                        high = middle;
        }

        return NULL;
}

static void write_enum(struct json_output *output,
                       const ProtobufCEnumDescriptor *enumeration,
                       int number)
{
        const ProtobufCEnumValue *value = find_value(enumeration, number);
        char text[16];

        if (strcmp(enumeration->name, "google.protobuf.NullValue") == 0) {
                pipit_json_writer_raw(&output->writer, "null");
        } else if (value) {
                pipit_json_writer_string(&output->writer, value->name, strlen(value->name));
        } else {
                (void)snprintf(text, sizeof(text), "%d", number);
                pipit_json_writer_raw(&output->writer, text);
        }
}

/* 32 bits as a number; 64 as a string, since JavaScript's numbers end at 2^53. */
static void write_integer(struct json_output *output, ProtobufCType type, const void *slot)
{
        char text[32];

        switch (type) {
        case PROTOBUF_C_TYPE_UINT32:
        case PROTOBUF_C_TYPE_FIXED32:
                (void)snprintf(text, sizeof(text), "%" PRIu32, *(const uint32_t *)slot);
                break;
        case PROTOBUF_C_TYPE_INT64:
        case PROTOBUF_C_TYPE_SINT64:
        case PROTOBUF_C_TYPE_SFIXED64:
                (void)snprintf(text, sizeof(text), "\"%" PRId64 "\"", *(const int64_t *)slot);
                break;
        case PROTOBUF_C_TYPE_UINT64:
        case PROTOBUF_C_TYPE_FIXED64:
                (void)snprintf(text, sizeof(text), "\"%" PRIu64 "\"", *(const uint64_t *)slot);
                break;
        default:
                (void)snprintf(text, sizeof(text), "%" PRId32, *(const int32_t *)slot);
                break;
        }

        pipit_json_writer_raw(&output->writer, text);
}

static void write_string(struct json_output *output, const char *string)
{
        pipit_json_writer_string(
                &output->writer, string ? string : "", string ? strlen(string) : 0);
}

enum pipit_status json_write_single(struct json_output *output,
                                    const ProtobufCFieldDescriptor *field,
                                    const void *slot)
{
        const ProtobufCMessage *message;

        switch (field->type) {
        case PROTOBUF_C_TYPE_DOUBLE:
                json_write_double(output, *(const double *)slot);
                break;
        case PROTOBUF_C_TYPE_FLOAT:
                write_float(output, *(const float *)slot);
                break;
        case PROTOBUF_C_TYPE_BOOL:
                pipit_json_writer_raw(&output->writer,
                                      *(const protobuf_c_boolean *)slot ? "true" : "false");
                break;
        case PROTOBUF_C_TYPE_ENUM:
                write_enum(output, field->descriptor, *(const int *)slot);
                break;
        case PROTOBUF_C_TYPE_STRING:
                write_string(output, *(const char *const *)slot);
                break;
        case PROTOBUF_C_TYPE_BYTES:
                write_bytes(output, slot);
                break;
        case PROTOBUF_C_TYPE_MESSAGE:
                message = *(const ProtobufCMessage *const *)slot;
                if (message)
                        return json_write_message(output, message);
                return json_write_absent(output, field->descriptor);
        default:
                write_integer(output, field->type, slot);
                break;
        }

        return PIPIT_OK;
}

/* --- fields ---------------------------------------------------------------- */

enum pipit_status json_write_repeated(struct json_output *output,
                                      const ProtobufCMessage *message,
                                      const ProtobufCFieldDescriptor *field)
{
        const char *elements = *(const char *const *)pipit_field_const_member(message, field);
        size_t n = pipit_field_const_count(message, field), size = pipit_field_size(field->type);

        pipit_json_writer_begin(&output->writer, '[');
        for (size_t i = 0; i < n; i++) {
                enum pipit_status status = json_write_single(output, field, elements + i * size);

                if (status != PIPIT_OK)
                        return status;
        }
        pipit_json_writer_end(&output->writer, ']');
        return PIPIT_OK;
}

static enum pipit_status write_key(struct json_output *output,
                                   const ProtobufCMessage *message,
                                   const ProtobufCFieldDescriptor *field)
{
        const char *key = pipit_schema_json_key(
                output->schema, message->descriptor, field, output->writer.arena);

        if (!key)
                return json_write_out_of_memory(output);

        pipit_json_writer_key(&output->writer, key);
        return PIPIT_OK;
}

static enum pipit_status write_field(struct json_output *output,
                                     const ProtobufCMessage *message,
                                     const ProtobufCFieldDescriptor *field)
{
        enum pipit_status status = write_key(output, message, field);

        if (status != PIPIT_OK)
                return status;
        if (pipit_schema_is_map(output->schema, message->descriptor, field))
                return json_write_map(output, message, field);
        if (field->label == PROTOBUF_C_LABEL_REPEATED)
                return json_write_repeated(output, message, field);

        return json_write_single(output, field, pipit_field_const_member(message, field));
}

enum pipit_status json_write_members(struct json_output *output, const ProtobufCMessage *message)
{
        for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
                const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];

                if (!pipit_field_is_set(message, field) &&
                    !(output->defaults && !pipit_field_has_presence(field)))
                        continue;

                enum pipit_status status = write_field(output, message, field);

                if (status != PIPIT_OK)
                        return status;
        }

        return PIPIT_OK;
}

/* --- messages -------------------------------------------------------------- */

enum pipit_status json_write_message(struct json_output *output, const ProtobufCMessage *message)
{
        enum pipit_status status;

        if (output->depth == PIPIT_JSON_DEPTH_MAX)
                return json_write_fail(output, message, "is nested more than 100 levels deep");

        output->depth++;
        if (json_known_type(message->descriptor) != KNOWN_NONE) {
                status = json_write_known(output, message);
        } else {
                pipit_json_writer_begin(&output->writer, '{');
                status = json_write_members(output, message);
                pipit_json_writer_end(&output->writer, '}');
        }
        output->depth--;
        return status;
}

enum pipit_status json_write_absent(struct json_output *output,
                                    const ProtobufCMessageDescriptor *descriptor)
{
        const ProtobufCMessage *empty = pipit_schema_message_new(descriptor, output->writer.arena);

        return empty ? json_write_message(output, empty) : json_write_out_of_memory(output);
}

enum pipit_status pipit_json_write(const ProtobufCMessage *message,
                                   const struct pipit_schema *schema,
                                   const struct pipit_json_style *style,
                                   struct pipit_arena *arena,
                                   char **ret_text,
                                   struct pipit_error *ret_error)
{
        struct json_output output = {
                .writer = {.arena = arena, .pretty = style && style->pretty},
                .schema = schema,
                .error = ret_error,
                .defaults = style && style->defaults,
        };
        enum pipit_status status = json_write_message(&output, message);
        char *text = pipit_json_writer_finish(&output.writer);

        if (status != PIPIT_OK)
                return status;
        if (!text)
                return json_write_out_of_memory(&output);

        *ret_text = text;
        return PIPIT_OK;
}
