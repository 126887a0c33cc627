/*
 * Fields of protobuf-c messages, by descriptor
 */

#ifndef CORE_JSON_FIELD_H
#define CORE_JSON_FIELD_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one value of @type takes in a C struct; its alignment is the same but for bytes. */
size_t pipit_field_size(ProtobufCType type);
size_t pipit_field_alignment(ProtobufCType type);

/* "uint32", "message", as a .proto writes it. */
const char *pipit_field_type_name(ProtobufCType type);

static inline void *pipit_field_member(ProtobufCMessage *message,
                                       const ProtobufCFieldDescriptor *field)
{
        return (char *)message + field->offset;
}

static inline const void *pipit_field_const_member(const ProtobufCMessage *message,
                                                   const ProtobufCFieldDescriptor *field)
{
        return (const char *)message + field->offset;
}

/* Of a repeated field. */
static inline size_t *pipit_field_count(ProtobufCMessage *message,
                                        const ProtobufCFieldDescriptor *field)
{
        return (size_t *)(void *)((char *)message + field->quantifier_offset);
}

static inline size_t pipit_field_const_count(const ProtobufCMessage *message,
                                             const ProtobufCFieldDescriptor *field)
{
        return *(const size_t *)(const void *)((const char *)message + field->quantifier_offset);
}

/* Whether @field is set: by its presence if it has one, else by not being the type's zero. */
bool pipit_field_is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);

/* Whether @field can be told absent from empty. */
bool pipit_field_has_presence(const ProtobufCFieldDescriptor *field);

/* Makes the message say that @field, which is not repeated, is set. */
void pipit_field_mark_set(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);

/* The member of @field's oneof that is set, or NULL; NULL also when it is in no oneof. */
const ProtobufCFieldDescriptor *pipit_field_set_in_oneof(const ProtobufCMessage *message,
                                                         const ProtobufCFieldDescriptor *field);

/* Whether @field of a message of @parent is a map: protoc makes each an entry message, named so. */
bool pipit_field_is_map(const ProtobufCMessageDescriptor *parent,
                        const ProtobufCFieldDescriptor *field);

/* lowerCamelCase of @name, as protoc makes JSON names; @ret_json holds strlen(@name) + 1. */
void pipit_field_camel_case(const char *name, char *ret_json);

/* Whether @json is lowerCamelCase of @name. */
bool pipit_field_is_camel_case(const char *name, const char *json);

#endif
