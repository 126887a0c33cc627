/*
 * Errors as google.rpc.Status in proto3 JSON, details and all: one form for the
 * CLI and `invoke`
 */

#ifndef CORE_JSON_STATUS_JSON_H
#define CORE_JSON_STATUS_JSON_H

#include "core/base/arena.h"
#include "core/base/status.h"
#include "core/json/json.h"

/*
 * The Status of @error, whose status is not PIPIT_OK, as JSON, NUL-terminated,
 * in @arena:
 *
 *   {"code":5,"message":"...","details":[{"@type":
 *   "type.googleapis.com/google.rpc.ErrorInfo","reason":"USER_NOT_FOUND", ...}]}
 *
 * RESOURCE_EXHAUSTED: out of memory. @style may be NULL.
 */
enum pipit_status pipit_json_write_status(const struct pipit_error *error,
                                          const struct pipit_json_style *style,
                                          struct pipit_arena *arena,
                                          char **ret_text,
                                          struct pipit_error *ret_error);

#endif
