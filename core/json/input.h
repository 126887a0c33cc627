/*
 * JSON from a file descriptor: standard input, a file
 */

#ifndef CORE_JSON_INPUT_H
#define CORE_JSON_INPUT_H

#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/status.h"

/* A message of the largest frame, as JSON with room to spare. */
#define PIPIT_JSON_INPUT_BYTES_MAX ((size_t)256 * 1024 * 1024)

/*
 * Reads @fd to its end, into @arena, NUL-terminated. INVALID_ARGUMENT: it cannot
 * be read, or is over @n_bytes_max; the message, in @arena, says so with @name.
 */
enum pipit_status pipit_json_input(int fd,
                                   const char *name,
                                   size_t n_bytes_max,
                                   struct pipit_arena *arena,
                                   char **ret_text,
                                   size_t *ret_n_bytes,
                                   struct pipit_error *ret_error);

#endif
