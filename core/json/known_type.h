/*
 * Well-known types by descriptor: generated ones and a schema's are laid out
 * differently, so that their fields are found by number
 */

#ifndef CORE_JSON_KNOWN_TYPE_H
#define CORE_JSON_KNOWN_TYPE_H

#include <protobuf-c/protobuf-c.h>

#include "core/json/schema.h"

enum known_type {
        KNOWN_NONE, /* an ordinary message */
        KNOWN_ANY,
        KNOWN_DURATION,
        KNOWN_FIELD_MASK,
        KNOWN_LIST_VALUE,
        KNOWN_STRUCT,
        KNOWN_TIMESTAMP,
        KNOWN_VALUE,
        KNOWN_WRAPPER,
};

enum known_type json_known_type(const ProtobufCMessageDescriptor *descriptor);

/*
 * Field @number, if it is as the well-known type has it. NULL: some message of
 * that name is another one.
 */
const ProtobufCFieldDescriptor *json_known_field(const ProtobufCMessageDescriptor *descriptor,
                                                 unsigned number,
                                                 ProtobufCType type);

/*
 * The message that an Any's @type_url names: in @schema, which may be NULL, or
 * among the types built in (google.rpc details, well-known types). NULL: unknown.
 */
const ProtobufCMessageDescriptor *json_known_any(const struct pipit_schema *schema,
                                                 const char *type_url);

#endif
