#include "core/json/field.h"

#include <string.h>

#include "core/base/ascii.h"
#include "core/base/macros.h"

static const struct {
        const char *name;
        size_t size;
        size_t alignment;
} types[] = {
#define TYPE_ROW(number, name, type)                                                               \
        [PROTOBUF_C_TYPE_##number] = {name, sizeof(type), _Alignof(type)}
        TYPE_ROW(INT32, "int32", int32_t),
        TYPE_ROW(SINT32, "sint32", int32_t),
        TYPE_ROW(SFIXED32, "sfixed32", int32_t),
        TYPE_ROW(INT64, "int64", int64_t),
        TYPE_ROW(SINT64, "sint64", int64_t),
        TYPE_ROW(SFIXED64, "sfixed64", int64_t),
        TYPE_ROW(UINT32, "uint32", uint32_t),
        TYPE_ROW(FIXED32, "fixed32", uint32_t),
        TYPE_ROW(UINT64, "uint64", uint64_t),
        TYPE_ROW(FIXED64, "fixed64", uint64_t),
        TYPE_ROW(FLOAT, "float", float),
        TYPE_ROW(DOUBLE, "double", double),
        TYPE_ROW(BOOL, "bool", protobuf_c_boolean),
        TYPE_ROW(ENUM, "enum", int),
        TYPE_ROW(STRING, "string", char *),
        TYPE_ROW(BYTES, "bytes", ProtobufCBinaryData),
        TYPE_ROW(MESSAGE, "message", ProtobufCMessage *),
#undef TYPE_ROW
};

size_t pipit_field_size(ProtobufCType type)
{
        return types[type].size;
}

size_t pipit_field_alignment(ProtobufCType type)
{
        return types[type].alignment;
}

const char *pipit_field_type_name(ProtobufCType type)
{
        return types[type].name;
}

static const void *quantifier(const ProtobufCMessage *message,
                              const ProtobufCFieldDescriptor *field)
{
        return (const char *)message + field->quantifier_offset;
}

static bool is_nonzero(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
        const void *member = pipit_field_const_member(message, field);
        const char *bytes = member;

        if (field->type == PROTOBUF_C_TYPE_STRING) {
                const char *string = *(char *const *)member;

                return string && string[0] != '\0';
        }
        if (field->type == PROTOBUF_C_TYPE_BYTES)
                return ((const ProtobufCBinaryData *)member)->len > 0;

        for (size_t i = 0; i < pipit_field_size(field->type); i++) {
                if (bytes[i])
                        return true;
        }

        return false;
}

bool pipit_field_is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
        if (field->label == PROTOBUF_C_LABEL_REPEATED)
                return *(const size_t *)quantifier(message, field) > 0;
        if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
                return *(const uint32_t *)quantifier(message, field) == field->id;
        if (field->label == PROTOBUF_C_LABEL_NONE)
                return is_nonzero(message, field);

        if (field->type == PROTOBUF_C_TYPE_MESSAGE || field->type == PROTOBUF_C_TYPE_STRING) {
                const void *pointer = *(void *const *)pipit_field_const_member(message, field);

                return pointer && pointer != field->default_value;
        }

        return field->label == PROTOBUF_C_LABEL_REQUIRED ||
               *(const protobuf_c_boolean *)quantifier(message, field);
}

bool pipit_field_has_presence(const ProtobufCFieldDescriptor *field)
{
        if (field->label == PROTOBUF_C_LABEL_REPEATED)
                return false;

        return field->label != PROTOBUF_C_LABEL_NONE || field->type == PROTOBUF_C_TYPE_MESSAGE ||
               (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF);
}

void pipit_field_mark_set(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
        void *at = (char *)message + field->quantifier_offset;

        if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
                *(uint32_t *)at = field->id;
        else if (field->label == PROTOBUF_C_LABEL_OPTIONAL &&
                 field->type != PROTOBUF_C_TYPE_MESSAGE && field->type != PROTOBUF_C_TYPE_STRING)
                *(protobuf_c_boolean *)at = 1;
}

const ProtobufCFieldDescriptor *pipit_field_set_in_oneof(const ProtobufCMessage *message,
                                                         const ProtobufCFieldDescriptor *field)
{
        if (!(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
                return NULL;

        uint32_t set = *(const uint32_t *)quantifier(message, field);

        return set ? protobuf_c_message_descriptor_get_field(message->descriptor, set) : NULL;
}

/* "user_names" -> "UserNamesEntry", as protoc names the entry of a map. */
static bool is_entry_name(const char *entry, const char *field)
{
        bool upper = true;

        for (; *field; field++) {
                if (*field == '_') {
                        upper = true;
                        continue;
                }
                if (*entry++ != (upper ? pipit_ascii_upper(*field) : *field))
                        return false;
                upper = false;
        }

        return strcmp(entry, "Entry") == 0;
}

/* One value, in a place of its own: what an entry of a map has, whoever made the descriptor. */
static bool is_slot(const ProtobufCFieldDescriptor *field)
{
        return field->label != PROTOBUF_C_LABEL_REPEATED &&
               !(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF);
}

static bool is_key(const ProtobufCFieldDescriptor *field)
{
        switch (field->type) {
        case PROTOBUF_C_TYPE_FLOAT:
        case PROTOBUF_C_TYPE_DOUBLE:
        case PROTOBUF_C_TYPE_ENUM:
        case PROTOBUF_C_TYPE_BYTES:
        case PROTOBUF_C_TYPE_MESSAGE:
                return false;
        default:
                return is_slot(field);
        }
}

bool pipit_field_is_map(const ProtobufCMessageDescriptor *parent,
                        const ProtobufCFieldDescriptor *field)
{
        if (field->label != PROTOBUF_C_LABEL_REPEATED || field->type != PROTOBUF_C_TYPE_MESSAGE)
                return false;

        const ProtobufCMessageDescriptor *entry = field->descriptor;
        size_t n_parent = strlen(parent->name);

        return entry->n_fields == 2 && entry->fields[0].id == 1 && entry->fields[1].id == 2 &&
               is_key(&entry->fields[0]) && is_slot(&entry->fields[1]) &&
               strcmp(entry->fields[0].name, "key") == 0 &&
               strcmp(entry->fields[1].name, "value") == 0 &&
               strncmp(entry->name, parent->name, n_parent) == 0 && entry->name[n_parent] == '.' &&
               strcmp(entry->name + n_parent + 1, entry->short_name) == 0 &&
               is_entry_name(entry->short_name, field->name);
}

void pipit_field_camel_case(const char *name, char *ret_json)
{
        bool upper = false;

        for (; *name; name++) {
                if (*name == '_') {
                        upper = true;
                        continue;
                }
                if (upper)
                        *ret_json++ = pipit_ascii_upper(*name);
                else
                        *ret_json++ = *name;
                upper = false;
        }

        *ret_json = '\0';
}

bool pipit_field_is_camel_case(const char *name, const char *json)
{
        bool upper = false;

        for (; *name; name++) {
                if (*name == '_') {
                        upper = true;
                        continue;
                }
                if (*json++ != (upper ? pipit_ascii_upper(*name) : *name))
                        return false;
                upper = false;
        }

        return *json == '\0';
}
