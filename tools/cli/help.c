#include "tools/cli/help.h"

#include <string.h>

#define OPTION_COLUMN 27

void cli_print_overview(FILE *file)
{
        (void)fputs("Talks to Pipit servers.\n"
                    "\n"
                    "  pipit COMMAND [ARGUMENT]... [FLAG]...\n"
                    "\n"
                    "Commands\n",
                    file);
        for (size_t i = 0; i < cli_n_commands; i++)
                (void)fprintf(file, "  %-9s %s\n", cli_commands[i]->name, cli_commands[i]->summary);

        (void)fputs("\n"
                    "  pipit list ipc:///run/usersd.sock\n"
                    "  pipit describe ipc:///run/usersd.sock GetUser\n"
                    "  pipit call ipc:///run/usersd.sock GetUser "
                    "'{\"email\":\"ada@example.com\"}'\n"
                    "\n"
                    "Data goes to stdout, all else to stderr.\n"
                    "Exit codes: 0 OK, 1 internal, 2 usage, 4 not serving, 64+N the RPC status N\n"
                    "(69 is NOT_FOUND, 78 is UNAVAILABLE).\n"
                    "`pipit help COMMAND` tells more.\n",
                    file);
}

static void print_option(FILE *file, const struct cli_option *option)
{
        char left[64];
        const char *line = option->help;

        (void)snprintf(left,
                       sizeof(left),
                       "%c%c%c --%s%s%s",
                       option->letter ? '-' : ' ',
                       option->letter ? option->letter : ' ',
                       option->letter ? ',' : ' ',
                       option->name,
                       option->placeholder ? " " : "",
                       option->placeholder ? option->placeholder : "");
        (void)fprintf(file, "  %-*s", OPTION_COLUMN, left);
        if (strlen(left) >= OPTION_COLUMN)
                (void)fprintf(file, "\n  %*s", OPTION_COLUMN, "");

        for (;;) {
                size_t n = strcspn(line, "\n");

                (void)fprintf(file, " %.*s", (int)n, line);
                if (line[n] == '\0')
                        break;
                line += n + 1;
                (void)fprintf(file, "\n  %*s", OPTION_COLUMN, "");
        }

        if (option->environment)
                (void)fprintf(
                        file, "\n  %*s (environment: %s)", OPTION_COLUMN, "", option->environment);
        (void)fputc('\n', file);
}

void cli_print_command_help(FILE *file, const struct cli_command *command)
{
        (void)fprintf(file,
                      "%s\n\n  pipit %s%s%s\n\n%s\n",
                      command->summary,
                      command->name,
                      command->synopsis[0] ? " " : "",
                      command->synopsis,
                      command->text);

        (void)fputs("\nFlags\n", file);
        for (const struct cli_option *option = command->options; option->name; option++)
                print_option(file, option);

        (void)fprintf(file, "\nExamples\n%s", command->examples);
}

static int run_help(struct cli_arguments *arguments)
{
        const char *name = cli_take(arguments);
        const struct cli_command *command = name ? cli_command_find(name) : NULL;

        if (!cli_no_more(arguments))
                return CLI_USAGE;
        if (name && !command)
                return cli_unknown_command(name);

        if (command)
                cli_print_command_help(stdout, command);
        else
                cli_print_overview(stdout);
        return CLI_OK;
}

static const struct cli_option options[] = {CLI_OPTION_HELP, CLI_OPTION_END};

const struct cli_command cli_command_help = {
        .name = "help",
        .summary = "Tells what pipit, or a command of it, can do.",
        .synopsis = "[COMMAND]",
        .text = "The same as `pipit COMMAND --help`.",
        .examples = "  pipit help call\n",
        .options = options,
        .run = run_help,
};
