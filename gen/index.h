/*
 * Index: which file defines a type
 */

#ifndef GEN_INDEX_H
#define GEN_INDEX_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "google/protobuf/descriptor.pb-c.h"

#define INDEX_NONE ((size_t)-1)

struct index_entry {
        const char *full_name; /* ".users.v1.User" */
        size_t file;
};

/* Of the @files of one request; immutable once made. */
struct index {
        Google__Protobuf__FileDescriptorProto *const *files;
        size_t n_files;

        /* private: sorted by name */
        struct index_entry *entries;
        size_t n_entries;
};

struct index index_make(struct pipit_arena *arena,
                        Google__Protobuf__FileDescriptorProto *const *files,
                        size_t n_files);

/* INDEX_NONE: not there. */
size_t index_find_file(const struct index *index, const char *name);
size_t index_find_type(const struct index *index, const char *full_name);

/* Whether code can be had for file @file of the index. */
bool index_is_proto3(const struct index *index, size_t file);

#endif
