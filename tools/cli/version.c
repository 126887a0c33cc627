#include <stdio.h>

#include "tools/cli/command.h"

#ifndef PIPIT_VERSION
#define PIPIT_VERSION "unknown"
#endif

static int run_version(struct cli_arguments *arguments)
{
        if (!cli_no_more(arguments))
                return CLI_USAGE;

        (void)printf("pipit %s\n", PIPIT_VERSION);
        return CLI_OK;
}

static const struct cli_option options[] = {CLI_OPTION_HELP, CLI_OPTION_END};

const struct cli_command cli_command_version = {
        .name = "version",
        .summary = "Prints the version.",
        .synopsis = "",
        .text = "On stdout, as \"pipit 1.2.3\".",
        .examples = "  pipit version\n",
        .options = options,
        .run = run_version,
};
