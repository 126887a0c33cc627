#include <string.h>

#include "core/json/json.h"
#include "grpc/health/v1/health.pipit.h"
#include "tools/cli/command.h"
#include "tools/cli/invocation.h"
#include "tools/cli/report.h"

static int print_health(struct cli_arguments *arguments,
                        const struct pipit_schema *schema,
                        const ProtobufCMessage *response)
{
        const Grpc__Health__V1__HealthCheckResponse *health = (const void *)response;

        /* UNKNOWN is 0, and has to be seen all the same. */
        arguments->options.defaults = true;

        int status = cli_print_message(arguments, schema, response);

        if (status != CLI_OK)
                return status;

        return health->status == GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
                       ? CLI_OK
                       : CLI_NOT_SERVING;
}

static int run_health(struct cli_arguments *arguments)
{
        Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
        const char *target = cli_take_target(arguments);

        if (!target)
                return CLI_USAGE;

        const char *service = cli_take(arguments);

        if (!cli_no_more(arguments))
                return CLI_USAGE;

        char *copy = pipit_arena_strdup(&arguments->arena, service ? service : "");

        if (!copy)
                return cli_value_error("out of memory");

        request.service = copy;
        return cli_invoke(arguments,
                          NULL,
                          target,
                          &grpc_health_v1_health_descriptor.methods[0],
                          &request.base,
                          print_health);
}

static const struct cli_option options[] = {
        CLI_OPTION_TIMEOUT,
        CLI_OPTION_METADATA,
        CLI_OPTION_WAIT_FOR_READY,
        CLI_OPTION_INSECURE_PLAINTEXT,
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
