/*
 * What a terminal may show
 */

#ifndef TOOLS_CLI_TERMINAL_H
#define TOOLS_CLI_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

/* Whether @file is a terminal that shows colours, and NO_COLOR does not forbid them. */
bool cli_has_colours(FILE *file);

/*
 * Writes text of unknown origin. Control characters become \xNN, so that no
 * server writes to somebody's terminal what it likes; bytes that are no UTF-8
 * likewise.
 */
void cli_print_safe(FILE *file, const char *text);

#endif
