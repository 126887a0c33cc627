/*
 * What a command of pipit is
 *
 * A command is one file and one row of the table in commands.c.
 */

#ifndef TOOLS_CLI_COMMAND_H
#define TOOLS_CLI_COMMAND_H

#include <stddef.h>

#include "tools/cli/options.h"

enum {
        CLI_OK = 0,
        CLI_INTERNAL = 1,
        CLI_USAGE = 2,
        CLI_NOT_SERVING = 4,
        CLI_RPC_BASE = 64, /* and the status: 69 is NOT_FOUND */
};

struct cli_command {
        const char *name;
        const char *summary;  /* one line, for the list of commands */
        const char *synopsis; /* what follows "pipit NAME" */
        const char *text;     /* what it does, for --help */
        const char *examples;
        const struct cli_option *options; /* ends with a row without a name */
        int (*run)(struct cli_arguments *arguments);
};

/* In the order of the help. */
extern const struct cli_command *const cli_commands[];
extern const size_t cli_n_commands;

extern const struct cli_command cli_command_authorize;
extern const struct cli_command cli_command_call;
extern const struct cli_command cli_command_describe;
extern const struct cli_command cli_command_health;
extern const struct cli_command cli_command_help;
extern const struct cli_command cli_command_keygen;
extern const struct cli_command cli_command_peers;
extern const struct cli_command cli_command_policy;
extern const struct cli_command cli_command_pubkey;
extern const struct cli_command cli_command_revoke;
extern const struct cli_command cli_command_test;
extern const struct cli_command cli_command_trust;
extern const struct cli_command cli_command_list;
extern const struct cli_command cli_command_version;
extern const struct cli_command cli_command_whoami;

/* NULL: there is none. */
const struct cli_command *cli_command_find(const char *name);

/* "there is no command X; did you mean Y?" on stderr; returns CLI_USAGE. */
int cli_unknown_command(const char *name);

#endif
