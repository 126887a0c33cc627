/*
 * Check: input that no code can be written for
 */

#ifndef GEN_CHECK_H
#define GEN_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "gen/diagnostics.h"
#include "gen/index.h"
#include "gen/model.h"

/*
 * Whether @files have all that protoc promises: names that are identifiers, types,
 * indices in range, each file behind its imports.
 */
bool check_well_formed(Google__Protobuf__FileDescriptorProto *const *files, size_t n_files);

/* One file that code is asked for: its name, syntax, package, streams, the types that it uses. */
void check_supported(const struct model_file *file,
                     const struct index *index,
                     const struct gen_options *options,
                     struct diagnostics *diagnostics);

#endif
