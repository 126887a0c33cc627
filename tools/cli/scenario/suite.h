/*
 * The files of one run: read, checked, chosen from
 */

#ifndef TOOLS_CLI_SCENARIO_SUITE_H
#define TOOLS_CLI_SCENARIO_SUITE_H

#include "tools/cli/options.h"
#include "tools/cli/scenario/model.h"
#include "tools/cli/scenario/variables.h"

/* All zero but for "in": empty. */
struct scenario_suite {
        /* in */
        struct cli_arguments *arguments;

        /* out */
        struct scenario_file *files;     /* in the order of the command line */
        struct scenario_scope overrides; /* what --set gives */
};

/*
 * Reads --set and the files, and chooses by --only. Returns an exit code; it
 * told what is wrong, all of it.
 */
int scenario_suite_read(struct scenario_suite *suite);

/* Once all files are checked: a --set that nobody asked for. Returns an exit code. */
int scenario_suite_check_overrides(const struct scenario_suite *suite);

#endif
