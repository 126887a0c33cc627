/*
 * Inside pipit_json_read(): what its parts share
 */

#ifndef CORE_JSON_READER_H
#define CORE_JSON_READER_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/json/json.h"
#include "core/json/value.h"

struct json_reader {
        const char *text;
        size_t n_bytes;
        const struct pipit_schema *schema; /* may be NULL */
        struct pipit_arena *arena;
        struct pipit_error *error;
};

/* Where in the message a value goes: a list on the stack, towards the root. */
struct json_path {
        const struct json_path *parent;
        const char *name; /* a field's; NULL: an element or an entry */
        const char *key;  /* an entry's; NULL: an element */
        size_t index;
};

enum pipit_status json_read_out_of_memory(struct json_reader *reader);

/* "LINE:COLUMN: PATH: VALUE problem", where VALUE is @value in short, if @show. */
enum pipit_status json_read_fail(struct json_reader *reader,
                                 const struct pipit_json_value *value,
                                 const struct json_path *path,
                                 bool show,
                                 const char *format,
                                 ...) PIPIT_PRINTF(5, 6);

/* One value of @field's type, to @slot; not null. */
enum pipit_status json_read_single(struct json_reader *reader,
                                   const ProtobufCFieldDescriptor *field,
                                   const struct pipit_json_value *value,
                                   const struct json_path *path,
                                   void *slot);

/* The same, into @message, whose @field (not repeated) is set then. */
enum pipit_status json_read_into(struct json_reader *reader,
                                 ProtobufCMessage *message,
                                 const ProtobufCFieldDescriptor *field,
                                 const struct pipit_json_value *value,
                                 const struct json_path *path);

/* The same as the first, for all types but messages. */
enum pipit_status json_read_scalar(struct json_reader *reader,
                                   const ProtobufCFieldDescriptor *field,
                                   const struct pipit_json_value *value,
                                   const struct json_path *path,
                                   void *slot);

/* The key of a map's entry, whose type is in @field. */
enum pipit_status json_read_map_key(struct json_reader *reader,
                                    const ProtobufCFieldDescriptor *field,
                                    const struct pipit_json_value *value,
                                    const struct json_path *path,
                                    void *slot);

/* A message that has no form of its own, from its object; the member @skip is passed over. */
enum pipit_status json_read_object(struct json_reader *reader,
                                   ProtobufCMessage *message,
                                   const struct pipit_json_value *value,
                                   const struct json_path *path,
                                   const char *skip);

/* Any message, into @message, which is new. */
enum pipit_status json_read_message(struct json_reader *reader,
                                    ProtobufCMessage *message,
                                    const struct pipit_json_value *value,
                                    const struct json_path *path);

/* All of a repeated field, from an array, or of a map, from an object. */
enum pipit_status json_read_repeated(struct json_reader *reader,
                                     ProtobufCMessage *message,
                                     const ProtobufCFieldDescriptor *field,
                                     const struct pipit_json_value *value,
                                     const struct json_path *path);
enum pipit_status json_read_map(struct json_reader *reader,
                                ProtobufCMessage *message,
                                const ProtobufCFieldDescriptor *field,
                                const struct pipit_json_value *value,
                                const struct json_path *path);

/* The same for a message with a JSON form of its own (json_known_type()). */
enum pipit_status json_read_known(struct json_reader *reader,
                                  ProtobufCMessage *message,
                                  const struct pipit_json_value *value,
                                  const struct json_path *path);

#endif
