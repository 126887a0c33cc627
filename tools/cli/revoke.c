#include <stdio.h>

#include "tools/cli/access_file.h"
#include "tools/cli/command.h"

/* In authorized_keys the name is the second word. */
#define NAME_WORD 1

static int revoke(struct cli_arguments *arguments, const char *name, const char *path)
{
        struct cli_access_edit edit;
        int status = CLI_USAGE;

        if (!cli_access_edit_begin(&edit, arguments, path)) {
                cli_access_edit_end(&edit);
                return status;
        }

        if (cli_access_edit_remove(&edit, NAME_WORD, name) == 0)
                (void)cli_value_error(
                        "%s has no key of the name '%s': `pipit peers` lists them", path, name);
        else if (cli_access_edit_commit(&edit))
                status = CLI_OK;
        cli_access_edit_end(&edit);
        if (status == CLI_OK)
                (void)fprintf(
                        stderr,
                        "pipit: %s is no longer in %s; a server that runs lets it in until it "
                        "reads the file again (usersd: at SIGHUP)\n",
                        name,
                        path);

        return status;
}

static int run_revoke(struct cli_arguments *arguments)
{
        const char *name = cli_take(arguments), *path;

        if (!name)
                return cli_usage_error(arguments, "a name is missing");
        if (!cli_no_more(arguments))
                return CLI_USAGE;

        path = cli_access_path(arguments, arguments->options.file, PIPIT_PLACE_AUTHORIZED_KEYS);
        return path ? revoke(arguments, name, path) : CLI_USAGE;
}

static const struct cli_option options[] = {
        CLI_OPTION_AUTHORIZED_KEYS, CLI_OPTION_HELP, CLI_OPTION_END};

const struct cli_command cli_command_revoke = {
        .name = "revoke",
        .summary = "Takes a key away from a server's list.",
        .synopsis = "NAME",
        .text = "Removes the line of NAME from authorized_keys, which usersd reads when it starts\n"
                "and at SIGHUP; from then on the key fails at its next request.",
        .examples = "  pipit revoke alice\n"
                    "  pipit revoke alice --file /etc/usersd/authorized_keys\n",
        .options = options,
        .run = run_revoke,
};
