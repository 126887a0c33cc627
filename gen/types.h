/*
 * Types: the messages and enums of a file, those inside others too, as one list
 *
 * Borrows from the descriptors; immutable once made.
 */

#ifndef GEN_TYPES_H
#define GEN_TYPES_H

#include <stddef.h>

#include "core/base/arena.h"
#include "gen/source.h"

struct types_message {
        const Google__Protobuf__DescriptorProto *descriptor;
        const char *full_name; /* "users.v1.User" */
        struct source_path path;
};

struct types_enum {
        const Google__Protobuf__EnumDescriptorProto *descriptor;
        const char *full_name;
        struct source_path path;
};

/* A message comes before what is inside it. */
struct types {
        struct types_message *messages;
        size_t n_messages;
        struct types_enum *enums;
        size_t n_enums;
};

struct types types_make(struct pipit_arena *arena,
                        const Google__Protobuf__FileDescriptorProto *file);

#endif
