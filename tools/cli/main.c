/*
 * pipit: the command line of Pipit
 */

#include <stdio.h>
#include <string.h>

#include "tools/cli/command.h"
#include "tools/cli/help.h"

/* What cannot be written was not done: a full disk, a closed pipe. */
static int flush_stdout(int status)
{
        if (fflush(stdout) == 0 && !ferror(stdout))
                return status;

        perror("pipit: cannot write to standard output");
        return status == CLI_OK ? CLI_INTERNAL : status;
}

static int run_command(const struct cli_command *command, int argc, char **argv)
{
        struct cli_arguments arguments = {.command = command->name};
        int status = CLI_USAGE;

        if (cli_arguments_parse(&arguments, command->options, argc, argv)) {
                if (arguments.options.help) {
                        cli_print_command_help(stdout, command);
                        status = CLI_OK;
                } else {
                        status = command->run(&arguments);
                }
        }

        pipit_arena_deinit(&arguments.arena);
        return flush_stdout(status);
}

int main(int argc, char **argv)
{
        const char *name = argc > 1 ? argv[1] : NULL;

        if (!name) {
                cli_print_overview(stderr);
                return CLI_USAGE;
        }

        if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
                name = "help";
        else if (strcmp(name, "--version") == 0)
                name = "version";

        const struct cli_command *command = cli_command_find(name);

        if (!command)
                return cli_unknown_command(name);

        return run_command(command, argc - 2, argv + 2);
}
