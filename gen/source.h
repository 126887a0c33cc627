/*
 * Source: where an element of a .proto file stands, and what was said of it
 *
 * Elements are named by their path in the FileDescriptorProto, as descriptor.proto
 * defines it: { 6, 0, 2, 3 } is the fourth method of the first service.
 */

#ifndef GEN_SOURCE_H
#define GEN_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "google/protobuf/descriptor.pb-c.h"

/* Field numbers of descriptor.proto that occur in paths. */
enum {
        SOURCE_FILE_DEPENDENCY = 3,
        SOURCE_FILE_MESSAGE = 4,
        SOURCE_FILE_ENUM = 5,
        SOURCE_FILE_SERVICE = 6,
        SOURCE_FILE_EXTENSION = 7,
        SOURCE_FILE_OPTIONS = 8,
        SOURCE_FILE_PUBLIC_DEPENDENCY = 10,
        SOURCE_FILE_WEAK_DEPENDENCY = 11,
        SOURCE_FILE_PACKAGE = 2,
        SOURCE_FILE_SYNTAX = 12,
        SOURCE_MESSAGE_FIELD = 2,
        SOURCE_MESSAGE_NESTED = 3,
        SOURCE_MESSAGE_ENUM = 4,
        SOURCE_MESSAGE_EXTENSION = 6,
        SOURCE_MESSAGE_ONEOF = 8,
        SOURCE_ENUM_VALUE = 2,
        SOURCE_FIELD_TYPE_NAME = 6,
        SOURCE_SERVICE_METHOD = 2,
        SOURCE_METHOD_INPUT = 2,
        SOURCE_METHOD_OUTPUT = 3,
        SOURCE_NAME = 1, /* of whatever has one */
        SOURCE_METHOD_CLIENT_STREAMING = 5,
        SOURCE_METHOD_SERVER_STREAMING = 6,
};

#define SOURCE_PATH_MAX                                                                            \
        32 /* a field 14 messages deep; of what is deeper, its message is the place */

struct source_path {
        int32_t elements[SOURCE_PATH_MAX];
        size_t n_elements;
};

/* @path and one or two elements behind it. */
struct source_path source_path_field(struct source_path path, int32_t number);
struct source_path source_path_at(struct source_path path, int32_t number, size_t index);

/* NULL: the file has no such element, or no source information. */
const Google__Protobuf__SourceCodeInfo__Location *source_find(
        const Google__Protobuf__FileDescriptorProto *file, struct source_path path);

/* What is said of one element. */
struct source_comments {
        const char *leading; /* right before it, or NULL */
        const char *trailing;
        char *const *detached; /* before it, but for empty lines between */
        size_t n_detached;
};

struct source_comments source_comments(const Google__Protobuf__FileDescriptorProto *file,
                                       struct source_path path);

#endif
