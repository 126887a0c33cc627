/*
 * JSON and .proto text with colours
 */

#ifndef TOOLS_CLI_HIGHLIGHT_H
#define TOOLS_CLI_HIGHLIGHT_H

#include <stdbool.h>
#include <stdio.h>

#include "tools/cli/proto_text.h"

extern const struct cli_proto_colours cli_proto_colours;

/*
 * JSON @text, as our writer makes it, and a newline. In colours, what a terminal
 * would take for an order of its own is escaped, too: the text is the same JSON.
 */
void cli_print_json(FILE *file, const char *text, bool in_colours);

#endif
