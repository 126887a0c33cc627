/*
 * Schema: protobuf-c descriptors made at run time from FileDescriptorProtos
 *
 * For those who have no generated code: the CLI, `invoke`. What comes out works
 * with protobuf_c_message_pack() and pipit_message_unpack() like any generated
 * descriptor. Immutable once built; any thread.
 */

#ifndef CORE_JSON_SCHEMA_H
#define CORE_JSON_SCHEMA_H

#include <pipit/service.h>
#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/macros.h"
#include "core/base/status.h"

struct pipit_schema;

/* Empty. NULL: out of memory. */
struct pipit_schema *pipit_schema_new(void);

/* NULL is a no-op. Returns NULL. All that was looked up dies with it. */
struct pipit_schema *pipit_schema_free(struct pipit_schema *schema);

/* Adds a file and its dependencies; one that is there (by name) is passed over. */
enum pipit_status pipit_schema_add_file(struct pipit_schema *schema,
                                        const struct pipit_file *file,
                                        struct pipit_error *ret_error);

/*
 * Adds a serialized google.protobuf.FileDescriptorSet, as `protoc
 * --include_imports --descriptor_set_out` writes it. INVALID_ARGUMENT: what is
 * wrong with it; the message lives as the schema does.
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

/* The method or service name nearest to @name (edit distance), for errors; NULL when nothing is near. */
const char *pipit_schema_nearest_method(const struct pipit_schema *schema, const char *name);

PIPIT_DEFINE_CLEANUP(struct pipit_schema, pipit_schema_free);

#endif
