/*
 * One call to a server: what `call` and `health` share
 */

#ifndef TOOLS_CLI_INVOCATION_H
#define TOOLS_CLI_INVOCATION_H

#include <pipit/client.h>

#include "core/json/schema.h"
#include "tools/cli/options.h"

/* Looks at the response of a call that succeeded. Returns the exit code. */
typedef int (*cli_response_fn)(struct cli_arguments *arguments,
                               const struct pipit_schema *schema,
                               const ProtobufCMessage *response);

/*
 * Calls @method at @target as the flags say. A failure is told on stderr.
 * Returns the exit code, @done's when the call succeeded.
 */
int cli_invoke(struct cli_arguments *arguments,
               const struct pipit_schema *schema,
               const char *target,
               const struct pipit_method *method,
               const ProtobufCMessage *request,
               cli_response_fn done);

#endif
