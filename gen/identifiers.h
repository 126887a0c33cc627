/*
 * Identifiers: names that generated code would define twice
 */

#ifndef GEN_IDENTIFIERS_H
#define GEN_IDENTIFIERS_H

#include <stdbool.h>
#include <stddef.h>

#include "gen/diagnostics.h"
#include "gen/model.h"

/*
 * Looks at all files of a request together; complains if one of the two that
 * share a name is in a file for which is_wanted[file] is true.
 */
void identifiers_check(struct pipit_arena *arena,
                       const struct model_file *files,
                       const bool *is_wanted,
                       size_t n_files,
                       const struct gen_options *options,
                       struct diagnostics *diagnostics);

#endif
