/*
 * Inside a schema: the table of names, and the files on their way into it
 *
 * schema.c keeps the table, schema_add.c reads files, schema_link.c makes services
 * and enums of them, and schema_layout.c messages, in the shape that a C compiler
 * would give them.
 */

#ifndef CORE_JSON_SCHEMA_PRIVATE_H
#define CORE_JSON_SCHEMA_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/json/schema.h"
#include "google/protobuf/descriptor.pb-c.h"

enum schema_kind {
        SCHEMA_FILE,
        SCHEMA_MESSAGE,
        SCHEMA_ENUM,
        SCHEMA_SERVICE,
        SCHEMA_METHOD, /* named with dots: "package.Service.Method" */
};

struct schema_message {
        ProtobufCMessageDescriptor descriptor;
        const char *const *json_names; /* by index of descriptor.fields; NULL: derived */
        const Google__Protobuf__DescriptorProto *proto;
        const Google__Protobuf__FileDescriptorProto *file;
};

struct schema_service {
        struct pipit_service service;
        const Google__Protobuf__ServiceDescriptorProto *proto;
        const Google__Protobuf__FileDescriptorProto *file;
};

struct schema_entry {
        const char *name;
        enum schema_kind kind;
        union {
                struct pipit_file *file;
                struct schema_message *message;
                ProtobufCEnumDescriptor *enumeration;
                struct schema_service *service;
                const struct pipit_method *method;
        };
        int first_number; /* of an enum: the value that stands first in its .proto */
        size_t next;      /* in its bucket: index + 1, 0 ends the chain */
};

struct pipit_schema {
        struct pipit_arena arena;
        struct schema_entry *entries; /* in order of addition */
        size_t n_entries;
        size_t n_allocated;
        size_t *buckets; /* index + 1; n_buckets is a power of two */
        size_t n_buckets;
};

/* One addition: it succeeds as a whole, or the table is cut back to n_before. */
struct schema_batch {
        struct pipit_schema *schema;
        struct pipit_error *error;
        size_t n_before;
        const Google__Protobuf__FileDescriptorProto *file; /* being added, for errors */
};

/* Errors of a batch, always returned as they are. */
enum pipit_status schema_out_of_memory(struct schema_batch *batch);
enum pipit_status schema_invalid(struct schema_batch *batch, const char *format, ...)
        PIPIT_PRINTF(2, 3);

const struct schema_entry *schema_find(const struct pipit_schema *schema,
                                       enum schema_kind kind,
                                       const char *name);

/* Adds @entry under its name, which must be new among its kind's namespace. */
enum pipit_status schema_insert(struct schema_batch *batch, const struct schema_entry *entry);

/* Forgets what was added past @n_entries. */
void schema_truncate(struct pipit_schema *schema, size_t n_entries);

/* "package.Name" in the schema's arena. NULL: out of memory. */
char *schema_join(struct pipit_schema *schema, const char *scope, const char *name);

bool schema_is_proto3(const Google__Protobuf__FileDescriptorProto *file);

/* First the names of all files, then what refers to them. @source becomes the services' file. */
enum pipit_status schema_register_file(struct schema_batch *batch,
                                       const struct pipit_file *source,
                                       const Google__Protobuf__FileDescriptorProto *file);
enum pipit_status schema_link(struct schema_batch *batch);

/* Values by number and by name; aliases share a value, and the first name stays. */
enum pipit_status schema_build_enum(struct schema_batch *batch,
                                    const Google__Protobuf__EnumDescriptorProto *proto,
                                    ProtobufCEnumDescriptor *enumeration);

/* Fields, layout and tables of @message, whose names are all known. */
enum pipit_status schema_layout_message(struct schema_batch *batch, struct schema_message *message);

/* The value of a proto2 default, in the form of ProtobufCFieldDescriptor.default_value. */
enum pipit_status schema_default_value(struct schema_batch *batch,
                                       const Google__Protobuf__FieldDescriptorProto *proto,
                                       const ProtobufCFieldDescriptor *field,
                                       const void **ret_value);

/* ProtobufCIntRange tables of ascending @numbers, with their sentinel. */
enum pipit_status schema_ranges(struct schema_batch *batch,
                                const int *numbers,
                                unsigned n_numbers,
                                const ProtobufCIntRange **ret_ranges,
                                unsigned *ret_n_ranges);

#endif
