/*
 * A scenario file -> a value
 *
 * YAML 1.2 with its core schema, or JSON where the file's name ends in ".json".
 * Knows nothing of what the keys mean.
 */

#ifndef TOOLS_CLI_SCENARIO_READER_H
#define TOOLS_CLI_SCENARIO_READER_H

#include "tools/cli/scenario/problems.h"

/* How deep lists and maps may nest, and how many values a file may have, aliases counted as written out. */
#define SCENARIO_DEPTH_MAX  PIPIT_JSON_DEPTH_MAX
#define SCENARIO_VALUES_MAX 1000000

/* What @text, NUL-terminated, holds; @file, borrowed, names it. NULL: @problems has why. */
struct scenario_value *scenario_read(const char *file,
                                     const char *text,
                                     size_t n_bytes,
                                     struct pipit_arena *arena,
                                     struct scenario_problems *problems);

/* The same for all that is not JSON. */
struct scenario_value *scenario_read_yaml(const char *file,
                                          const char *text,
                                          size_t n_bytes,
                                          struct pipit_arena *arena,
                                          struct scenario_problems *problems);

#endif
