#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "core/json/base64.h"
#include "core/json/field.h"
#include "core/json/nearest.h"
#include "core/json/number.h"
#include "core/json/reader.h"

static bool is_text_or_number(const struct pipit_json_value *value)
{
        return value->type == PIPIT_JSON_NUMBER || value->type == PIPIT_JSON_STRING;
}

static enum pipit_status fail_number(struct json_reader *reader,
                                     const ProtobufCFieldDescriptor *field,
                                     const struct pipit_json_value *value,
                                     const struct json_path *path,
                                     enum pipit_number_result result)
{
        const char *type = pipit_field_type_name(field->type);

        if (result == PIPIT_NUMBER_FRACTION)
                return json_read_fail(
                        reader, value, path, true, "is not a whole number (%s)", type);
        if (result == PIPIT_NUMBER_MALFORMED)
                return json_read_fail(reader, value, path, true, "is not a number (%s)", type);

        return json_read_fail(reader, value, path, true, "is out of range (%s)", type);
}

static enum pipit_status fail_range(struct json_reader *reader,
                                    const ProtobufCFieldDescriptor *field,
                                    const struct pipit_json_value *value,
                                    const struct json_path *path,
                                    const char *range)
{
        return json_read_fail(reader,
                              value,
                              path,
                              true,
                              "is out of range (%s: %s)",
                              pipit_field_type_name(field->type),
                              range);
}

static enum pipit_status read_signed(struct json_reader *reader,
                                     const ProtobufCFieldDescriptor *field,
                                     const struct pipit_json_value *value,
                                     const struct json_path *path,
                                     void *slot)
{
        bool narrow = pipit_field_size(field->type) == 4;
        enum pipit_number_result result = PIPIT_NUMBER_MALFORMED;
        int64_t number = 0;

        if (is_text_or_number(value))
                result = pipit_number_to_int64(value->text,
                                               value->n_text,
                                               narrow ? INT32_MIN : INT64_MIN,
                                               narrow ? INT32_MAX : INT64_MAX,
                                               &number);
        if (result == PIPIT_NUMBER_OUT_OF_RANGE)
                return fail_range(reader,
                                  field,
                                  value,
                                  path,
                                  narrow ? "-2147483648 to 2147483647"
                                         : "-9223372036854775808 to 9223372036854775807");
        if (result != PIPIT_NUMBER_OK)
                return fail_number(reader, field, value, path, result);

        if (narrow)
                *(int32_t *)slot = (int32_t)number;
        else
                *(int64_t *)slot = number;
        return PIPIT_OK;
}

static enum pipit_status read_unsigned(struct json_reader *reader,
                                       const ProtobufCFieldDescriptor *field,
                                       const struct pipit_json_value *value,
                                       const struct json_path *path,
                                       void *slot)
{
        bool narrow = pipit_field_size(field->type) == 4;
        enum pipit_number_result result = PIPIT_NUMBER_MALFORMED;
        uint64_t number = 0;

        if (is_text_or_number(value))
                result = pipit_number_to_uint64(
                        value->text, value->n_text, narrow ? UINT32_MAX : UINT64_MAX, &number);
        if (result == PIPIT_NUMBER_OUT_OF_RANGE)
                return fail_range(reader,
                                  field,
                                  value,
                                  path,
                                  narrow ? "0 to 4294967295" : "0 to 18446744073709551615");
        if (result != PIPIT_NUMBER_OK)
                return fail_number(reader, field, value, path, result);

        if (narrow)
                *(uint32_t *)slot = (uint32_t)number;
        else
                *(uint64_t *)slot = number;
        return PIPIT_OK;
}

static bool is_special(const struct pipit_json_value *value, double *ret_value)
{
        if (value->type != PIPIT_JSON_STRING)
                return false;

        if (strcmp(value->text, "NaN") == 0)
                *ret_value = NAN;
        else if (strcmp(value->text, "Infinity") == 0)
                *ret_value = INFINITY;
        else if (strcmp(value->text, "-Infinity") == 0)
                *ret_value = -INFINITY;
        else
                return false;

        return true;
}

static enum pipit_status read_real(struct json_reader *reader,
                                   const ProtobufCFieldDescriptor *field,
                                   const struct pipit_json_value *value,
                                   const struct json_path *path,
                                   void *slot)
{
        bool is_float = field->type == PROTOBUF_C_TYPE_FLOAT;
        enum pipit_number_result result = PIPIT_NUMBER_MALFORMED;
        double special;

        if (is_special(value, &special)) {
                if (is_float)
                        *(float *)slot = (float)special;
                else
                        *(double *)slot = special;
                return PIPIT_OK;
        }

        if (is_text_or_number(value))
                result = is_float ? pipit_number_to_float(value->text, slot)
                                  : pipit_number_to_double(value->text, slot);

        return result == PIPIT_NUMBER_OK ? PIPIT_OK
                                         : fail_number(reader, field, value, path, result);
}

static enum pipit_status read_string(struct json_reader *reader,
                                     const struct pipit_json_value *value,
                                     const struct json_path *path,
                                     void *slot)
{
        if (value->type != PIPIT_JSON_STRING)
                return json_read_fail(reader, value, path, true, "is not a string");

        char *copy = pipit_arena_strndup(reader->arena, value->text, value->n_text);

        if (!copy)
                return json_read_out_of_memory(reader);

        *(char **)slot = copy;
        return PIPIT_OK;
}

static enum pipit_status read_bytes(struct json_reader *reader,
                                    const struct pipit_json_value *value,
                                    const struct json_path *path,
                                    void *slot)
{
        ProtobufCBinaryData *bytes = slot;

        if (value->type != PIPIT_JSON_STRING)
                return json_read_fail(reader, value, path, true, "is not base64 (bytes)");

        uint8_t *data = pipit_arena_alloc(reader->arena, PIPIT_BASE64_BYTES_MAX(value->n_text));

        if (!data)
                return json_read_out_of_memory(reader);
        if (!pipit_base64_decode(value->text, value->n_text, data, &bytes->len))
                return json_read_fail(reader, value, path, true, "is not base64 (bytes)");

        bytes->data = data;
        return PIPIT_OK;
}

static enum pipit_status fail_enum_name(struct json_reader *reader,
                                        const ProtobufCEnumDescriptor *enumeration,
                                        const struct pipit_json_value *value,
                                        const struct json_path *path)
{
        struct pipit_nearest nearest = {.wanted = value->text};

        for (unsigned i = 0; i < enumeration->n_value_names; i++)
                pipit_nearest_consider(&nearest, enumeration->values_by_name[i].name);

        if (nearest.name)
                return json_read_fail(reader,
                                      value,
                                      path,
                                      true,
                                      "is not a value of %s; did you mean \"%s\"?",
                                      enumeration->name,
                                      nearest.name);

        return json_read_fail(reader, value, path, true, "is not a value of %s", enumeration->name);
}

static enum pipit_status read_enum(struct json_reader *reader,
                                   const ProtobufCFieldDescriptor *field,
                                   const struct pipit_json_value *value,
                                   const struct json_path *path,
                                   void *slot)
{
        const ProtobufCEnumDescriptor *enumeration = field->descriptor;
        const ProtobufCEnumValue *known;
        int64_t number;

        switch (value->type) {
        case PIPIT_JSON_STRING:
                known = protobuf_c_enum_descriptor_get_value_by_name(enumeration, value->text);
                if (!known)
                        return fail_enum_name(reader, enumeration, value, path);
                *(int *)slot = known->value;
                return PIPIT_OK;
        case PIPIT_JSON_NUMBER:
                if (pipit_number_to_int64(
                            value->text, value->n_text, INT32_MIN, INT32_MAX, &number) !=
                    PIPIT_NUMBER_OK)
                        break;
                *(int *)slot = (int)number;
                return PIPIT_OK;
        case PIPIT_JSON_NULL:
                *(int *)slot = 0;
                return PIPIT_OK;
        default:
                break;
        }

        return json_read_fail(reader, value, path, true, "is not a value of %s", enumeration->name);
}

enum pipit_status json_read_scalar(struct json_reader *reader,
                                   const ProtobufCFieldDescriptor *field,
                                   const struct pipit_json_value *value,
                                   const struct json_path *path,
                                   void *slot)
{
        switch (field->type) {
        case PROTOBUF_C_TYPE_INT32:
        case PROTOBUF_C_TYPE_SINT32:
        case PROTOBUF_C_TYPE_SFIXED32:
        case PROTOBUF_C_TYPE_INT64:
        case PROTOBUF_C_TYPE_SINT64:
        case PROTOBUF_C_TYPE_SFIXED64:
                return read_signed(reader, field, value, path, slot);
        case PROTOBUF_C_TYPE_UINT32:
        case PROTOBUF_C_TYPE_FIXED32:
        case PROTOBUF_C_TYPE_UINT64:
        case PROTOBUF_C_TYPE_FIXED64:
                return read_unsigned(reader, field, value, path, slot);
        case PROTOBUF_C_TYPE_FLOAT:
        case PROTOBUF_C_TYPE_DOUBLE:
                return read_real(reader, field, value, path, slot);
        case PROTOBUF_C_TYPE_BOOL:
                if (value->type != PIPIT_JSON_BOOL)
                        return json_read_fail(
                                reader, value, path, true, "is neither true nor false (bool)");
                *(protobuf_c_boolean *)slot = value->boolean;
                return PIPIT_OK;
        case PROTOBUF_C_TYPE_ENUM:
                return read_enum(reader, field, value, path, slot);
        case PROTOBUF_C_TYPE_STRING:
                return read_string(reader, value, path, slot);
        case PROTOBUF_C_TYPE_BYTES:
                return read_bytes(reader, value, path, slot);
        case PROTOBUF_C_TYPE_MESSAGE:
                break;
        }

        return json_read_fail(reader, value, path, true, "is of a type that is not supported");
}

enum pipit_status json_read_map_key(struct json_reader *reader,
                                    const ProtobufCFieldDescriptor *field,
                                    const struct pipit_json_value *value,
                                    const struct json_path *path,
                                    void *slot)
{
        struct pipit_json_value key = {
                .type = PIPIT_JSON_STRING,
                .text = value->key,
                .n_text = strlen(value->key),
                .offset = value->offset,
        };

        if (field->type == PROTOBUF_C_TYPE_BOOL) {
                key.boolean = strcmp(value->key, "true") == 0;
                if (key.boolean || strcmp(value->key, "false") == 0)
                        key.type = PIPIT_JSON_BOOL;
        } else if (field->type != PROTOBUF_C_TYPE_STRING &&
                   (strpbrk(value->key, ".eE") || strcmp(value->key, "-0") == 0)) {
                /* Each number has one text, so that no key comes twice. */
                return json_read_fail(reader,
                                      &key,
                                      path,
                                      true,
                                      "is not a key (%s)",
                                      pipit_field_type_name(field->type));
        }

        return json_read_scalar(reader, field, &key, path, slot);
}
