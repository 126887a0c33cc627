/*
 * An error that outlives the call it came from
 */

#ifndef TOOLS_CLI_ERROR_COPY_H
#define TOOLS_CLI_ERROR_COPY_H

#include "core/base/arena.h"
#include "core/base/status.h"

/* @error with its strings in @arena; what memory does not suffice for is left out. */
struct pipit_error cli_error_copy(struct pipit_arena *arena, const struct pipit_error *error);

#endif
