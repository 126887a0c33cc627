/*
 * struct pipit_error <-> google.rpc.Status
 *
 * On the wire: Status.code and message, with the details
 *   google.rpc.ErrorInfo   reason, domain ("pipit" where the error names none),
 *                          metadata "ran" = not_run | may_have_run | ran
 *   google.rpc.BadRequest  every field violation, when there are any
 *   google.rpc.RetryInfo   when retry_after_ms is not 0
 * as google.protobuf.Any with type_url "type.googleapis.com/NAME". An ErrorInfo
 * is always there, so that the client need not guess whether the call ran. A
 * status without it (from another implementation) reads as PIPIT_RAN.
 */

#ifndef CORE_RPC_STATUS_CODEC_H
#define CORE_RPC_STATUS_CODEC_H

#include "core/base/arena.h"
#include "core/base/status.h"
#include "pipit/v1/frame.pb-c.h"

#define PIPIT_ERROR_DOMAIN "pipit"

/*
 * The Status of @error (whose status is not PIPIT_OK), in @arena, its strings
 * too; what of them is no UTF-8 becomes U+FFFD. NULL: out of memory.
 */
Google__Rpc__Status *pipit_status_encode(const struct pipit_error *error,
                                         struct pipit_arena *arena);

/*
 * The error that @status tells; its strings are copied into @arena. origin =
 * PIPIT_ORIGIN_SERVER. Unknown details are passed over, malformed ones too. A
 * code that is no status reads as UNKNOWN. Out of memory: the status code alone,
 * and PIPIT_MAY_HAVE_RUN.
 */
void pipit_status_decode(const Google__Rpc__Status *status,
                         struct pipit_arena *arena,
                         struct pipit_error *ret_error);

#endif
