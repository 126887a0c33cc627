#include "tools/cli/server.h"

#include <stdio.h>
#include <string.h>

#include "tools/cli/catalogue.h"
#include "tools/cli/channel.h"
#include "tools/cli/command.h"
#include "tools/cli/metadata.h"
#include "tools/cli/reflection.h"
#include "tools/cli/report.h"
#include "tools/cli/target.h"
#include "tools/cli/terminal.h"

/* The variable that named the file that is wrong, or NULL. */
static const char *variable_behind(const struct cli_arguments *arguments,
                                   const struct pipit_error *error)
{
        if (error->reason && strcmp(error->reason, "KEY_UNUSABLE") == 0)
                return cli_variable_of(arguments->options.key, "PIPIT_KEY");
        if (error->reason && strcmp(error->reason, "SERVER_UNKNOWN") == 0)
                return cli_variable_of(arguments->options.known_servers, "PIPIT_KNOWN_SERVERS");

        return NULL;
}

static int fail_target(struct cli_arguments *arguments,
                       const char *target,
                       const struct pipit_error *error)
{
        const char *variable = variable_behind(arguments, error);

        return cli_value_error("%s%s%s",
                               variable ? variable : "",
                               variable ? ": " : "",
                               cli_channel_problem(&arguments->arena, target, error));
}

int cli_server_connect(struct cli_arguments *arguments,
                       const char *target,
                       struct cli_server *server)
{
        struct pipit_error error = {.status = PIPIT_OK};
        int status = cli_metadata_read(arguments, &server->metadata, &server->n_metadata);
        const char *variable = cli_variable_of(target, "PIPIT_TARGET"), *problem;
        struct pipit_channel_options options;

        if (status != CLI_OK)
                return status;
        problem = cli_target_problem(
                &arguments->arena, arguments->options.insecure_plaintext, target);
        if (problem)
                return cli_value_error("%s%s", variable ? "PIPIT_TARGET: " : "", problem);
        if (!cli_channel_options(arguments, &options))
                return CLI_USAGE;

        server->target = target;
        server->channel = pipit_channel_new(target, &options, &error);
        return server->channel ? CLI_OK : fail_target(arguments, target, &error);
}

/* Old servers, those that have reflection off, and those that do not tell everybody. */
static bool does_not_tell(enum pipit_status status)
{
        return status == PIPIT_UNIMPLEMENTED || status == PIPIT_PERMISSION_DENIED ||
               status == PIPIT_UNAUTHENTICATED;
}

static int fall_back(struct cli_arguments *arguments, struct cli_server *server)
{
        (void)fputs("pipit: ", stderr);
        cli_print_safe(stderr, server->target);
        (void)fputs(" has no reflection; what is built into pipit has to do (--proto FILE and "
                    "--descriptor-set FILE bring other services)\n",
                    stderr);

        /* What was learned before it stopped telling is no use. */
        server->schema = pipit_schema_free(server->schema);
        server->schema = pipit_schema_new();
        return server->schema ? cli_catalogue_fill(arguments, server)
                              : cli_value_error("out of memory");
}

/* The call went well, but what it brought makes no schema. */
static bool is_schema_invalid(const struct pipit_error *error)
{
        return error->origin == PIPIT_ORIGIN_LOCAL && error->reason &&
               strcmp(error->reason, "SCHEMA_INVALID") == 0;
}

static int fail_types(const struct cli_server *server, const struct pipit_error *error)
{
        (void)cli_value_error("%s tells types that cannot be: %s", server->target, error->message);
        return CLI_INTERNAL;
}

int cli_server_learn(struct cli_arguments *arguments,
                     struct cli_server *server,
                     struct pipit_error *ret_error)
{
        server->schema = pipit_schema_new();
        if (!server->schema)
                return cli_value_error("out of memory");
        if (cli_catalogue_has_files(arguments))
                return cli_catalogue_fill(arguments, server);

        enum pipit_status status = cli_reflect(arguments, server, ret_error);

        if (does_not_tell(status) && !cli_channel_is_refused(ret_error))
                return fall_back(arguments, server);
        if (status != PIPIT_OK && is_schema_invalid(ret_error))
                return fail_types(server, ret_error);
        if (status != PIPIT_OK)
                return CLI_RPC_BASE + (int)status;

        while (pipit_schema_service(server->schema, server->n_own))
                server->n_own++;
        return CLI_OK;
}

int cli_server_look(struct cli_arguments *arguments, struct cli_server *server)
{
        const bool has_files = cli_catalogue_has_files(arguments);
        struct pipit_error error = {.status = PIPIT_OK};
        int status = CLI_OK;

        if (!has_files || cli_is_target(cli_peek(arguments)))
                server->target = cli_take_target(arguments);
        if (!has_files && !server->target)
                return CLI_USAGE;

        if (!has_files)
                status = cli_server_connect(arguments, server->target, server);
        if (status == CLI_OK)
                status = cli_server_learn(arguments, server, &error);
        if (status >= CLI_RPC_BASE) {
                cli_channel_explain(arguments, &arguments->arena, server->target, &error);
                return cli_print_error(arguments, &error, server->target);
        }

        return status;
}

void cli_server_close(struct cli_server *server)
{
        server->channel = pipit_channel_free(server->channel);
        server->schema = pipit_schema_free(server->schema);
}
