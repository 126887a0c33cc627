/*
 * Envelopes: one JSON object a call, however it ended
 *
 *   {"method": "users.v1.UsersService/GetUser",
 *    "status": {"code": 5, "name": "NOT_FOUND", "reason": "USER_NOT_FOUND", "origin": "server",
 *               "ran": "ran", "message": ..., "details": [...]},
 *    "peer": "ipc:///run/usersd.sock",
 *    "metadata": {"key": ["value", ...]},
 *    "response": null,
 *    "timing": {"startTime": "2026-01-31T12:00:00.000000Z", "durationMs": 0.321}}
 */

#ifndef TOOLS_CLI_ENVELOPE_H
#define TOOLS_CLI_ENVELOPE_H

#include "core/base/status.h"
#include "tools/cli/dynamic_call.h"
#include "tools/cli/options.h"

/* Prints the envelope of a call that ran. Returns an exit code for the printing alone. */
int cli_print_envelope(const struct cli_arguments *arguments, const struct cli_dynamic_call *call);

/* The same of one that never got so far: its server could not even be asked for its methods. */
int cli_print_envelope_of_error(const struct cli_arguments *arguments,
                                const char *method,
                                const struct pipit_error *error,
                                int64_t start_us,
                                int64_t duration_us);

#endif
