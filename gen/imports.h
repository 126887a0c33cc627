/*
 * Imports: which of a file's imports its messages and methods need
 *
 * The others serve custom options, or nothing. Nobody ships C code for them, so
 * they must not be asked for.
 */

#ifndef GEN_IMPORTS_H
#define GEN_IMPORTS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "gen/index.h"

/* For each of the file's dependencies, in order: whether it is needed. */
const bool *imports_needed(struct pipit_arena *arena, const struct index *index, size_t file);

/* Takes the dependencies that are not @needed out of @file, and mends the lists of indices into them. */
void imports_filter(struct pipit_arena *arena,
                    Google__Protobuf__FileDescriptorProto *file,
                    const bool *needed);

#endif
