/*
 * Schema: protobuf-c descriptors made at run time from FileDescriptorProtos
 *
 * For those who have no generated code: the CLI, `invoke`. What comes out works
 * with protobuf_c_message_pack() and pipit_message_unpack() like any generated
 * descriptor, with one difference: message_init is NULL, so that new messages
 * come from pipit_schema_message_new(). Immutable while nothing is added; then
 * any thread.
 *
 * proto2 and proto3. Groups, and fields named by extensions, are not supported:
 * the former are refused, the latter stay unknown fields.
 */

#ifndef CORE_JSON_SCHEMA_H
#define CORE_JSON_SCHEMA_H

#include <pipit/service.h>
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/macros.h"
#include "core/base/status.h"
#include "core/rpc/wire_check.h"

struct pipit_schema;

/* Empty. NULL: out of memory. */
struct pipit_schema *pipit_schema_new(void);

/* NULL is a no-op. Returns NULL. All that was looked up dies with it. */
struct pipit_schema *pipit_schema_free(struct pipit_schema *schema);

/*
 * Adds a file and its dependencies; one that is there (by name) is passed over.
 * INVALID_ARGUMENT (SCHEMA_INVALID): what is wrong with it, and nothing was
 * added; the message lives as the schema does.
 */
enum pipit_status pipit_schema_add_file(struct pipit_schema *schema,
                                        const struct pipit_file *file,
                                        struct pipit_error *ret_error);

/* A set comes from a file or from a server: these are the sizes of large real ones, and then some. */
extern const struct pipit_wire_limits pipit_schema_limits;

/*
 * Adds a serialized google.protobuf.FileDescriptorSet, as `protoc
 * --include_imports --descriptor_set_out` writes it; its bytes are copied.
 * Errors as above.
 */
enum pipit_status pipit_schema_add_set(struct pipit_schema *schema,
                                       const uint8_t *bytes,
                                       size_t n_bytes,
                                       struct pipit_error *ret_error);

/* By full name, without a leading dot. NULL: not there. */
const ProtobufCMessageDescriptor *pipit_schema_message(const struct pipit_schema *schema,
                                                       const char *name);
const ProtobufCEnumDescriptor *pipit_schema_enum(const struct pipit_schema *schema,
                                                 const char *name);

/* "package.Service/Method", also "package.Service.Method". NULL: not there. */
const struct pipit_method *pipit_schema_method(const struct pipit_schema *schema, const char *name);

/* In order of addition; NULL past the last. */
const struct pipit_service *pipit_schema_service(const struct pipit_schema *schema, size_t index);

/*
 * The files, in order of addition; NULL past the last. Their bytes were checked,
 * and unpack.
 */
const struct pipit_file *pipit_schema_file(const struct pipit_schema *schema, size_t index);

/* The method or service name nearest to @name (edit distance), for errors; NULL when nothing is near. */
const char *pipit_schema_nearest_method(const struct pipit_schema *schema, const char *name);

/*
 * The JSON name that the .proto gives to @field of a message named as
 * @descriptor is, whoever made the descriptor; NULL: @schema is NULL or has no
 * such field. Without one it is lowerCamelCase of the field's name.
 */
const char *pipit_schema_json_name(const struct pipit_schema *schema,
                                   const ProtobufCMessageDescriptor *descriptor,
                                   const ProtobufCFieldDescriptor *field);

/* The same, or the lowerCamelCase, in @arena: as JSON is written. NULL: out of memory. */
const char *pipit_schema_json_key(const struct pipit_schema *schema,
                                  const ProtobufCMessageDescriptor *descriptor,
                                  const ProtobufCFieldDescriptor *field,
                                  struct pipit_arena *arena);

/*
 * Whether @field of a message of @parent is a map. Without a schema that knows
 * the message, its entry's name and fields tell, as protoc makes them.
 */
bool pipit_schema_is_map(const struct pipit_schema *schema,
                         const ProtobufCMessageDescriptor *parent,
                         const ProtobufCFieldDescriptor *field);

/* An empty message of a schema's or a generated @descriptor, in @arena. NULL: out of memory. */
ProtobufCMessage *pipit_schema_message_new(const ProtobufCMessageDescriptor *descriptor,
                                           struct pipit_arena *arena);

PIPIT_DEFINE_CLEANUP(struct pipit_schema, pipit_schema_free);

#endif
