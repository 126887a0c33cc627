#include "core/access/key_file.h"
#include "tools/cli/access_file.h"
#include "tools/cli/command.h"

static int run_pubkey(struct cli_arguments *arguments)
{
        const char *path = cli_take_key_path(arguments);
        struct pipit_access_problem problem;
        struct pipit_noise_keys *keys;

        if (!path)
                return CLI_USAGE;

        keys = pipit_key_pair_load(path, &problem);
        if (!keys)
                return cli_value_error("%s", problem.text);

        (void)cli_print_public_key(keys);
        (void)pipit_key_pair_free(keys);
        return CLI_OK;
}

static const struct cli_option options[] = {CLI_OPTION_HELP, CLI_OPTION_END};

const struct cli_command cli_command_pubkey = {
        .name = "pubkey",
        .summary = "Prints the public key of a secret one.",
        .synopsis = "[FILE]",
        .text = "FILE is what `pipit keygen` made (default: id.key in the configuration folder).",
        .examples = "  pipit pubkey\n"
                    "  pipit authorize alice $(pipit pubkey alice.key)\n",
        .options = options,
        .run = run_pubkey,
};
