/*
 * How failures look, and what is told beside results
 */

#ifndef TOOLS_CLI_REPORT_H
#define TOOLS_CLI_REPORT_H

#include <pipit/client.h>

#include "tools/cli/dynamic_call.h"
#include "tools/cli/options.h"

/*
 * A failed call on stderr, as the flags say: as google.rpc.Status in JSON, or as
 *
 *   pipit: NOT_FOUND (USER_NOT_FOUND): there is no such user [server ipc:///..., ran]
 *
 * and a line for each violation. @peer may be NULL. Returns the exit code.
 */
int cli_print_error(struct cli_arguments *arguments,
                    const struct pipit_error *error,
                    const char *peer);

/* With --verbose: how the call went, on stderr. */
void cli_print_call(const struct cli_arguments *arguments, const struct cli_dynamic_call *call);

#endif
