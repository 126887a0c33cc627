/*
 * A server, and what is known of its services
 *
 * The schema comes from --proto and --descriptor-set if there are any; else the
 * server is asked, by reflection; and if it has none, what is built in has to
 * do, which is said on stderr.
 *
 * Once learned it is not changed: any number of threads may call through it.
 */

#ifndef TOOLS_CLI_SERVER_H
#define TOOLS_CLI_SERVER_H

#include <pipit/client.h>

#include "core/json/schema.h"
#include "tools/cli/options.h"

struct cli_names {
        const char *const *names;
        size_t n_names;
};

/* All zero: nothing to close. */
struct cli_server {
        /* out */
        const char *target;
        struct pipit_channel *channel; /* NULL: not connected */
        struct pipit_schema *schema;   /* NULL: nothing learned */
        size_t n_own;                  /* services of the schema; those behind them are built in */
        struct cli_names services; /* what it serves, or what the files define; no built-in ones */
        const struct pipit_metadata *metadata; /* of --metadata, for every call */
        size_t n_metadata;
};

/* A channel to @target, as the flags say; nobody needs to be there yet. Returns an exit code; it told what is wrong. */
int cli_server_connect(struct cli_arguments *arguments,
                       const char *target,
                       struct cli_server *server);

/*
 * Fills the schema. Of a server that is asked and fails, *ret_error, which lives
 * as the arguments do, says how, and nothing was told. Else it told what is wrong.
 * Returns an exit code: 64 and more mean *ret_error.
 */
int cli_server_learn(struct cli_arguments *arguments,
                     struct cli_server *server,
                     struct pipit_error *ret_error);

/*
 * Both, for commands that look at services only: the target is the next
 * positional, or PIPIT_TARGET, and nobody is asked if flags name files. Returns
 * an exit code; it told what is wrong.
 */
int cli_server_look(struct cli_arguments *arguments, struct cli_server *server);

/* Frees what is there. Every call has ended, and nothing of the schema is used any more. */
void cli_server_close(struct cli_server *server);

#endif
