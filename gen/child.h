/*
 * Child: another plugin, asked as protoc would ask it
 */

#ifndef GEN_CHILD_H
#define GEN_CHILD_H

#include <stdbool.h>
#include <stddef.h>

#include "gen/text.h"

/*
 * Runs @program, found in PATH if it has no slash, as protoc-gen-c: writes
 * @n_bytes to it and adds what it writes to @output. Its stderr is ours.
 *
 * False: it could not be run, or did not exit with 0; *ret_error says which, and
 * lives in output->arena.
 */
bool child_run(const char *program,
               const void *bytes,
               size_t n_bytes,
               struct text *output,
               const char **ret_error);

#endif
