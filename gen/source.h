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
        SOURCE_MESSAGE_NESTED = 3,
        SOURCE_MESSAGE_EXTENSION = 6,
        SOURCE_SERVICE_METHOD = 2,
        SOURCE_NAME = 1, /* of messages, services, methods */
        SOURCE_METHOD_CLIENT_STREAMING = 5,
        SOURCE_METHOD_SERVER_STREAMING = 6,
};

#define SOURCE_PATH_MAX 8

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

/* The comment before the element, else the one behind it, else NULL. */
const char *source_comment(const Google__Protobuf__FileDescriptorProto *file,
                           struct source_path path);

#endif
