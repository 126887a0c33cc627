/*
 * Inside pipit_json_write(): what its parts share
 */

#ifndef CORE_JSON_OUTPUT_H
#define CORE_JSON_OUTPUT_H

#include <protobuf-c/protobuf-c.h>

#include "core/json/json.h"
#include "core/json/value.h"
#include "core/json/writer.h"

struct json_output {
        struct pipit_json_writer writer;
        const struct pipit_schema *schema; /* may be NULL */
        struct pipit_error *error;
        bool defaults;  /* see struct pipit_json_style */
        unsigned depth; /* of messages */
};

enum pipit_status json_write_out_of_memory(struct json_output *output);

/* "NAME problem". */
enum pipit_status json_write_fail(struct json_output *output,
                                  const ProtobufCMessage *message,
                                  const char *problem);

void json_write_double(struct json_output *output, double value);

/* One value of @field's type, at @slot. */
enum pipit_status json_write_single(struct json_output *output,
                                    const ProtobufCFieldDescriptor *field,
                                    const void *slot);
enum pipit_status json_write_repeated(struct json_output *output,
                                      const ProtobufCMessage *message,
                                      const ProtobufCFieldDescriptor *field);
enum pipit_status json_write_map(struct json_output *output,
                                 const ProtobufCMessage *message,
                                 const ProtobufCFieldDescriptor *field);

/* The fields that are set, without the braces. */
enum pipit_status json_write_members(struct json_output *output, const ProtobufCMessage *message);
enum pipit_status json_write_message(struct json_output *output, const ProtobufCMessage *message);

/* A message that is not there but has to be written: a map's value, as the wire leaves it out. */
enum pipit_status json_write_absent(struct json_output *output,
                                    const ProtobufCMessageDescriptor *descriptor);

/* A message with a JSON form of its own (json_known_type()). */
enum pipit_status json_write_known(struct json_output *output, const ProtobufCMessage *message);

#endif
