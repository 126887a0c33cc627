#include <string.h>

#include "core/json/json.h"
#include "grpc/health/v1/health.pipit.h"
#include "tools/cli/ask.h"
#include "tools/cli/command.h"
#include "tools/cli/reflection.h"
#include "tools/cli/server.h"
#include "tools/cli/suggestion.h"

static bool is_serving(const struct cli_dynamic_call *call)
{
        const Grpc__Health__V1__HealthCheckResponse *health = (const void *)call->message;

        return health->status == GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING;
}

/* What was asked for, and what the server has that is nearly that, if it tells. */
static void explain_unknown(struct cli_arguments *arguments,
                            struct cli_server *server,
                            const char *service,
                            struct pipit_error *error)
{
        struct pipit_error ignored;
        const char *near = NULL, *message;

        server->schema = pipit_schema_new();
        if (server->schema && cli_reflect(arguments, server, &ignored) == PIPIT_OK)
                near = cli_suggest_service(&server->services, &arguments->arena, service);

        message = pipit_arena_printf(&arguments->arena,
                                     "%s: '%s'%s%s%s",
                                     error->message ? error->message : "there is no such service",
                                     service,
                                     near ? "; did you mean " : "",
                                     near ? near : "",
                                     near ? "?" : "");
        if (message)
                error->message = message;
}

static int check(struct cli_arguments *arguments,
                 struct cli_server *server,
                 const Grpc__Health__V1__HealthCheckRequest *request)
{
        struct cli_dynamic_call call = {
                .method = &grpc_health_v1_health_descriptor.methods[0],
                .request = &request->base,
        };
        int result;

        cli_ask_run(arguments, server, &call);
        if (call.error.status == PIPIT_NOT_FOUND && request->service[0])
                explain_unknown(arguments, server, request->service, &call.error);
        result = cli_ask_tell(arguments, server, &call);
        if (result == CLI_OK && !is_serving(&call))
                result = CLI_NOT_SERVING;

        cli_dynamic_call_deinit(&call);
        return result;
}

static int run_health(struct cli_arguments *arguments)
{
        Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
        struct cli_server server = {.target = cli_take_target(arguments)};

        if (!server.target)
                return CLI_USAGE;

        const char *service = cli_take(arguments);

        if (!cli_no_more(arguments))
                return CLI_USAGE;

        request.service = pipit_arena_strdup(&arguments->arena, service ? service : "");
        if (!request.service)
                return cli_value_error("out of memory");

        int status = cli_server_connect(arguments, server.target, &server);

        if (status == CLI_OK)
                status = check(arguments, &server, &request);
        cli_server_close(&server);
        return status;
}

static const struct cli_option options[] = {
        CLI_OPTION_TIMEOUT,
        CLI_OPTION_METADATA,
        CLI_OPTION_WAIT_FOR_READY,
        CLI_OPTIONS_IDENTITY,
        CLI_OPTION_OUTPUT,
        CLI_OPTION_COMPACT,
        CLI_OPTION_ERRORS,
        CLI_OPTION_VERBOSE,
        CLI_OPTION_HELP,
        CLI_OPTION_END,
};

const struct cli_command cli_command_health = {
        .name = "health",
        .summary = "Asks whether a server takes calls.",
        .synopsis = "[TARGET] [SERVICE]",
        .text = "Exits with 0 if it is SERVING, with 4 if it says anything else, and with 64+N if\n"
                "it cannot be asked (78: nobody there; 69: it has no such SERVICE). SERVICE is a\n"
                "full name; without one the server as a whole is meant.",
        .examples = "  pipit health ipc:///run/usersd.sock\n"
                    "  pipit health ipc:///run/usersd.sock users.v1.UsersService\n"
                    "  pipit health --wait-for-ready --timeout 10s ipc:///run/usersd.sock\n",
        .options = options,
        .run = run_health,
};
