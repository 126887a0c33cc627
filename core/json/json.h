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
 * INVALID_ARGUMENT (JSON_INVALID): the message, in @arena, says line and column
 * (broken JSON) or the path (a wrong field or value), and what would be right,
 * the nearest field name among it. @schema resolves google.protobuf.Any; it may be NULL.
 */
enum pipit_status pipit_json_read(const ProtobufCMessageDescriptor *descriptor,
                                  const char *text,
                                  size_t n_bytes,
                                  const struct pipit_schema *schema,
                                  struct pipit_arena *arena,
                                  ProtobufCMessage **ret_message,
                                  struct pipit_error *ret_error);

struct pipit_json_style {
        bool pretty; /* two spaces a level; else one line */
};

/* The JSON text of @message, NUL-terminated, in @arena. */
enum pipit_status pipit_json_write(const ProtobufCMessage *message,
                                   const struct pipit_schema *schema,
                                   const struct pipit_json_style *style,
                                   struct pipit_arena *arena,
                                   char **ret_text,
                                   struct pipit_error *ret_error);

#endif
