#include <string.h>

#include "core/base/macros.h"
#include "core/json/nearest.h"
#include "tools/cli/command.h"

const struct cli_command *const cli_commands[] = {
        &cli_command_list,
        &cli_command_describe,
        &cli_command_call,
        &cli_command_health,
        &cli_command_whoami,
        &cli_command_test,
        &cli_command_keygen,
        &cli_command_pubkey,
        &cli_command_authorize,
        &cli_command_revoke,
        &cli_command_peers,
        &cli_command_trust,
        &cli_command_policy,
        &cli_command_version,
        &cli_command_help,
};

const size_t cli_n_commands = PIPIT_N_ELEMENTS(cli_commands);

const struct cli_command *cli_command_find(const char *name)
{
        for (size_t i = 0; i < cli_n_commands; i++) {
                if (strcmp(cli_commands[i]->name, name) == 0)
                        return cli_commands[i];
        }

        return NULL;
}

int cli_unknown_command(const char *name)
{
        const struct cli_arguments none = {.command = NULL};
        struct pipit_nearest nearest = {.wanted = name};

        for (size_t i = 0; i < cli_n_commands; i++)
                pipit_nearest_consider(&nearest, cli_commands[i]->name);

        if (nearest.name)
                return cli_usage_error(
                        &none, "there is no command '%s'; did you mean %s?", name, nearest.name);

        return cli_usage_error(&none, "there is no command '%s'", name);
}
