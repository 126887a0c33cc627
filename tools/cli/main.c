/*
 * pipit: the command line of Pipit
 */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/cli/command.h"
#include "tools/cli/help.h"
#include "tools/cli/output.h"

/* Whether whoever read our output has gone. */
static bool is_reader_gone(void)
{
        struct pollfd fd = {.fd = STDOUT_FILENO, .events = POLLOUT};

        return poll(&fd, 1, 0) == 1 && (fd.revents & POLLERR);
}

/* What cannot be written was not done, as on a full disk, however the call went; `pipit list | head -1` is no failure of ours. */
static int flush_stdout(struct cli_arguments *arguments, int status)
{
        if (cli_flush(arguments))
                return status;

        if (arguments->output_errno == EPIPE || is_reader_gone()) {
                (void)signal(SIGPIPE, SIG_DFL);
                (void)raise(SIGPIPE);
        }

        (void)cli_value_error("cannot write to standard output: %s",
                              strerror(arguments->output_errno));
        return CLI_INTERNAL;
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
        return flush_stdout(&arguments, status);
}

int main(int argc, char **argv)
{
        const char *name = argc > 1 ? argv[1] : NULL;

        /* What a broken pipe means is decided where it is noticed. */
        (void)signal(SIGPIPE, SIG_IGN);

        if (!name) {
                cli_print_overview(stderr);
                return CLI_USAGE;
        }

        if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
                name = "help";
        else if (strcmp(name, "--version") == 0)
                name = "version";

        const struct cli_command *command = cli_command_find(name);

        if (!command && name[0] == '-')
                return cli_usage_error(
                        &(struct cli_arguments){.command = NULL},
                        "'%s' stands before the command: the command comes first, as "
                        "in `pipit list --timeout 2s`",
                        name);
        if (!command)
                return cli_unknown_command(name);

        return run_command(command, argc - 2, argv + 2);
}
