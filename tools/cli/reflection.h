/*
 * What a server tells of itself: pipit.reflection.v1
 */

#ifndef TOOLS_CLI_REFLECTION_H
#define TOOLS_CLI_REFLECTION_H

#include "tools/cli/server.h"

/*
 * Fills the schema and the services of @server, which are empty. Files that do not fit one
 * response with all that they import are fetched one by one. Errors are the
 * calls' own, copied into the arguments' arena, or SCHEMA_INVALID: the server
 * tells what cannot be. UNIMPLEMENTED, PERMISSION_DENIED: it does not tell.
 */
enum pipit_status cli_reflect(struct cli_arguments *arguments,
                              struct cli_server *server,
                              struct pipit_error *ret_error);

#endif
