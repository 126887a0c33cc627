/*
 * One call of a method that is built in, from the flags to what is printed
 */

#ifndef TOOLS_CLI_ASK_H
#define TOOLS_CLI_ASK_H

#include "tools/cli/dynamic_call.h"
#include "tools/cli/options.h"
#include "tools/cli/server.h"

/*
 * Makes the call whose method and request are set, and prints the response, with all
 * fields, or how it failed. Returns the exit code; the caller deinits @call.
 */
int cli_ask(struct cli_arguments *arguments,
            const struct cli_server *server,
            struct cli_dynamic_call *call);

/* Its halves, for who has something to say between them about the call's error. */
void cli_ask_run(struct cli_arguments *arguments,
                 const struct cli_server *server,
                 struct cli_dynamic_call *call);
int cli_ask_tell(struct cli_arguments *arguments,
                 const struct cli_server *server,
                 struct cli_dynamic_call *call);

#endif
