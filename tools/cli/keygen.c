#include "core/access/key_file.h"
#include "tools/cli/access_file.h"
#include "tools/cli/command.h"

static int run_keygen(struct cli_arguments *arguments)
{
        const char *path = cli_take_key_path(arguments);
        struct pipit_access_problem problem;
        struct pipit_noise_keys *keys;
        int status;

        if (!path || !cli_access_make_folder(arguments, path))
                return CLI_USAGE;

        keys = pipit_key_pair_new();
        if (!keys)
                return cli_value_error("out of memory");

        status = pipit_key_pair_save(keys, path, &problem) ? cli_print_public_key(keys)
                                                           : cli_value_error("%s", problem.text);
        (void)pipit_key_pair_free(keys);
        return status;
}

static const struct cli_option options[] = {CLI_OPTION_HELP, CLI_OPTION_END};

const struct cli_command cli_command_keygen = {
        .name = "keygen",
        .summary = "Makes a secret key, and prints its public one.",
        .synopsis = "[FILE]",
        .text = "The secret key goes into FILE (default: id.key in the configuration folder), "
                "which\n"
                "nobody else may read and which is not overwritten; the public one goes to stdout.",
        .examples = "  pipit keygen\n"
                    "  pipit keygen /etc/usersd/server.key\n",
        .options = options,
        .run = run_keygen,
};
