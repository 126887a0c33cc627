/*
 * Well-known types by descriptor: generated ones and a schema's are laid out
 * differently, so that their fields are found by number
 */

#ifndef CORE_JSON_KNOWN_TYPE_H
#define CORE_JSON_KNOWN_TYPE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

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

#define JSON_KNOWN_FIELDS_MAX 6

/*
 * The fields of a message of a known type: its number n is ret_fields[n - 1].
 * False: it has that type's name, but not its fields. @schema may be NULL.
 */
bool json_known_fields(const struct pipit_schema *schema,
                       const ProtobufCMessageDescriptor *descriptor,
                       const ProtobufCFieldDescriptor *ret_fields[JSON_KNOWN_FIELDS_MAX]);

/*
 * The message that an Any's @type_url names: in @schema, which may be NULL, or
 * among the types built in (google.rpc details, well-known types). NULL: unknown.
 */
const ProtobufCMessageDescriptor *json_known_any(const struct pipit_schema *schema,
                                                 const char *type_url);

#endif
