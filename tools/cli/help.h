/*
 * Help, on stdout
 */

#ifndef TOOLS_CLI_HELP_H
#define TOOLS_CLI_HELP_H

#include <stdio.h>

#include "tools/cli/command.h"

void cli_print_overview(FILE *file);
void cli_print_command_help(FILE *file, const struct cli_command *command);

#endif
