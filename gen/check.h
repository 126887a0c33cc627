/*
 * Check: input that no code can be written for
 */

#ifndef GEN_CHECK_H
#define GEN_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "gen/diagnostics.h"
#include "gen/model.h"

/* Whether @file has all that protoc promises: names, types, indices in range. */
bool check_well_formed(const Google__Protobuf__FileDescriptorProto *file);

/* One file that code is asked for: its syntax, its package, streams. */
void check_supported(const struct model_file *file, struct diagnostics *diagnostics);

/*
 * All files together: identifiers that would be defined twice. Only if one of
 * the two is in a file for which is_wanted[file] is true.
 */
void check_identifiers(struct pipit_arena *arena,
                       const struct model_file *files,
                       const bool *is_wanted,
                       size_t n_files,
                       const struct gen_options *options,
                       struct diagnostics *diagnostics);

#endif
