#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/json/field.h"
#include "core/json/number.h"
#include "core/json/schema_private.h"

/* Room for any scalar. */
union scalar {
        int32_t i32;
        uint32_t u32;
        int64_t i64;
        uint64_t u64;
        float f;
        double d;
        protobuf_c_boolean boolean;
        int number;
        ProtobufCBinaryData bytes;
};

static bool parse_special(const char *text, double *ret_value)
{
        if (strcmp(text, "inf") == 0)
                *ret_value = INFINITY;
        else if (strcmp(text, "-inf") == 0)
                *ret_value = -INFINITY;
        else if (strcmp(text, "nan") == 0)
                *ret_value = NAN;
        else
                return false;

        return true;
}

static bool parse_real(const char *text, bool is_float, union scalar *ret_value)
{
        double special;

        if (is_float) {
                if (!parse_special(text, &special))
                        return pipit_number_to_float(text, &ret_value->f) == PIPIT_NUMBER_OK;
                ret_value->f = (float)special;
                return true;
        }

        return parse_special(text, &ret_value->d) ||
               pipit_number_to_double(text, &ret_value->d) == PIPIT_NUMBER_OK;
}

static bool parse_signed(const char *text, int64_t min, int64_t max, int64_t *ret_value)
{
        return pipit_number_to_int64(text, strlen(text), min, max, ret_value) == PIPIT_NUMBER_OK;
}

static bool parse_number(const char *text, ProtobufCType type, union scalar *ret_value)
{
        uint64_t u64 = 0;
        int64_t i64 = 0;
        bool ok;

        switch (type) {
        case PROTOBUF_C_TYPE_INT32:
        case PROTOBUF_C_TYPE_SINT32:
        case PROTOBUF_C_TYPE_SFIXED32:
                ok = parse_signed(text, INT32_MIN, INT32_MAX, &i64);
                ret_value->i32 = (int32_t)i64;
                return ok;
        case PROTOBUF_C_TYPE_INT64:
        case PROTOBUF_C_TYPE_SINT64:
        case PROTOBUF_C_TYPE_SFIXED64:
                return parse_signed(text, INT64_MIN, INT64_MAX, &ret_value->i64);
        case PROTOBUF_C_TYPE_UINT32:
        case PROTOBUF_C_TYPE_FIXED32:
                ok = pipit_number_to_uint64(text, strlen(text), UINT32_MAX, &u64) ==
                     PIPIT_NUMBER_OK;
                ret_value->u32 = (uint32_t)u64;
                return ok;
        case PROTOBUF_C_TYPE_UINT64:
        case PROTOBUF_C_TYPE_FIXED64:
                return pipit_number_to_uint64(text, strlen(text), UINT64_MAX, &ret_value->u64) ==
                       PIPIT_NUMBER_OK;
        case PROTOBUF_C_TYPE_FLOAT:
        case PROTOBUF_C_TYPE_DOUBLE:
                return parse_real(text, type == PROTOBUF_C_TYPE_FLOAT, ret_value);
        case PROTOBUF_C_TYPE_BOOL:
                ret_value->boolean = strcmp(text, "true") == 0;
                return ret_value->boolean || strcmp(text, "false") == 0;
        default:
                return false;
        }
}

static bool parse_enum(const ProtobufCEnumDescriptor *enumeration,
                       const char *text,
                       union scalar *ret_value)
{
        const ProtobufCEnumValue *value =
                protobuf_c_enum_descriptor_get_value_by_name(enumeration, text);

        if (!value)
                return false;

        ret_value->number = value->value;
        return true;
}

/* What follows a backslash: one of the letters, or up to three octal digits, as protoc escapes bytes. */
static const char *take_escape(const char *text, uint8_t *ret_byte)
{
        static const char names[] = "nrt\"'\\";
        static const char values[] = "\n\r\t\"'\\";
        const char *name = *text ? strchr(names, *text) : NULL;
        unsigned byte = 0;

        if (name) {
                *ret_byte = (uint8_t)values[name - names];
                return text + 1;
        }

        for (int i = 0; i < 3 && *text >= '0' && *text <= '7'; i++)
                byte = byte * 8 + (unsigned)(*text++ - '0');

        *ret_byte = (uint8_t)byte;
        return text;
}

static bool parse_bytes(struct pipit_arena *arena, const char *text, union scalar *ret_value)
{
        uint8_t *bytes = pipit_arena_alloc(arena, strlen(text) + 1);
        size_t n = 0;

        if (!bytes)
                return false;

        while (*text) {
                if (*text == '\\')
                        text = take_escape(text + 1, &bytes[n++]);
                else
                        bytes[n++] = (uint8_t)*text++;
        }

        ret_value->bytes = (ProtobufCBinaryData){n, bytes};
        return true;
}

/* proto2: an enum that has no default is its first value, which need not be 0. */
static int first_number(const struct schema_batch *batch,
                        const ProtobufCEnumDescriptor *enumeration)
{
        const struct schema_entry *entry =
                schema_find(batch->schema, SCHEMA_ENUM, enumeration->name);

        return entry ? entry->first_number : 0;
}

enum pipit_status schema_default_value(struct schema_batch *batch,
                                       const Google__Protobuf__FieldDescriptorProto *proto,
                                       const ProtobufCFieldDescriptor *field,
                                       const void **ret_value)
{
        const char *text = proto->default_value;
        union scalar value = {0};
        bool ok;

        if (field->type == PROTOBUF_C_TYPE_STRING) {
                if (text || field->label == PROTOBUF_C_LABEL_NONE)
                        *ret_value = text ? text : protobuf_c_empty_string;
                return PIPIT_OK;
        }

        if (text && field->type == PROTOBUF_C_TYPE_ENUM)
                ok = parse_enum(field->descriptor, text, &value);
        else if (text && field->type == PROTOBUF_C_TYPE_BYTES)
                ok = parse_bytes(&batch->schema->arena, text, &value);
        else if (text)
                ok = parse_number(text, field->type, &value);
        else if (field->type == PROTOBUF_C_TYPE_ENUM && field->label != PROTOBUF_C_LABEL_NONE)
                ok = (value.number = first_number(batch, field->descriptor), true);
        else
                return PIPIT_OK;

        if (!ok)
                return schema_invalid(
                        batch, "%s has the default \"%s\", which is none", field->name, text);

        *ret_value = pipit_arena_memdup(&batch->schema->arena, &value, sizeof(value));
        return *ret_value ? PIPIT_OK : schema_out_of_memory(batch);
}
