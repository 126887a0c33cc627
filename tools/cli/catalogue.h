/*
 * Schemas that need no server: --proto, --descriptor-set, and what is built in
 */

#ifndef TOOLS_CLI_CATALOGUE_H
#define TOOLS_CLI_CATALOGUE_H

#include "tools/cli/server.h"

/* Whether flags name files: nobody has to be asked, then. */
bool cli_catalogue_has_files(const struct cli_arguments *arguments);

/*
 * Adds the files of the flags to the schema of @server, which is empty, and lists
 * their services; behind them comes what is built in. Returns an exit code; it
 * told what is wrong.
 */
int cli_catalogue_fill(struct cli_arguments *arguments, struct cli_server *server);

#endif
