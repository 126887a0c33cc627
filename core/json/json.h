/*
 * proto3 JSON <-> messages, by descriptor
 *
 * The mapping of the protobuf language guide ("ProtoJSON Format"): lowerCamelCase
 * names (the original ones are read, too), 64-bit integers as strings, bytes as
 * base64, enums by name, maps as objects, and the well-known types in their own
 * forms. Works with generated descriptors and with those of a schema.
 */

#ifndef CORE_JSON_JSON_H
#define CORE_JSON_JSON_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/status.h"
#include "core/json/schema.h"

/*
 * Reads one JSON value into a new message in @arena.
 *
 * INVALID_ARGUMENT (JSON_INVALID): the message, in @arena, begins "LINE:COLUMN: ",
 * both from 1, then the path of a wrong field or value, and says what would be
 * right: 1:18: user.age: "131x" is not a number (uint32).
 *
 * @schema resolves google.protobuf.Any, and gives fields the JSON names that
 * their .proto chose; it may be NULL. The types of google.rpc's details and the
 * well-known types are resolved without it. An Any of any other type is
 * {"@type": ..., "@value": base64}, both ways.
 */
enum pipit_status pipit_json_read(const ProtobufCMessageDescriptor *descriptor,
                                  const char *text,
                                  size_t n_bytes,
                                  const struct pipit_schema *schema,
                                  struct pipit_arena *arena,
                                  ProtobufCMessage **ret_message,
                                  struct pipit_error *ret_error);

struct pipit_json_style {
        bool pretty;   /* two spaces a level; else one line */
        bool defaults; /* also fields that are empty, where empty and absent are the same */
};

/* The JSON text of @message, NUL-terminated, in @arena. */
enum pipit_status pipit_json_write(const ProtobufCMessage *message,
                                   const struct pipit_schema *schema,
                                   const struct pipit_json_style *style,
                                   struct pipit_arena *arena,
                                   char **ret_text,
                                   struct pipit_error *ret_error);

#endif
