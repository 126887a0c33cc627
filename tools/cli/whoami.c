#include "pipit/v1/admin.pipit.h"
#include "tools/cli/ask.h"
#include "tools/cli/command.h"
#include "tools/cli/server.h"

static int ask(struct cli_arguments *arguments, const struct cli_server *server)
{
        const Pipit__V1__WhoAmIRequest request = PIPIT__V1__WHO_AM_IREQUEST__INIT;
        struct cli_dynamic_call call = {
                .method = &pipit_v1_admin_descriptor.methods[0],
                .request = &request.base,
        };
        int result = cli_ask(arguments, server, &call);

        cli_dynamic_call_deinit(&call);

        return result;
}

static int run_whoami(struct cli_arguments *arguments)
{
        struct cli_server server = {.target = cli_take_target(arguments)};
        int status;

        if (!server.target || !cli_no_more(arguments))
                return CLI_USAGE;

        status = cli_server_connect(arguments, server.target, &server);
        if (status == CLI_OK)
                status = ask(arguments, &server);
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

const struct cli_command cli_command_whoami = {
        .name = "whoami",
        .summary = "Asks a server who you are to it.",
        .synopsis = "[TARGET]",
        .text = "Prints the principal, as the lines of a policy name it, how the call came, and "
                "the\n"
                "roles that it has; of a key also when it expires, and how old the session is. It\n"
                "has to be allowed as any method is (71: it is not): pipit.v1.Admin/WhoAmI.",
        .examples = "  pipit whoami ipc:///run/usersd.sock\n"
                    "  pipit policy explain --as \"$(pipit whoami | jq -r .principal)\" \\\n"
                    "          users.v1.UsersService/GetUser\n",
        .options = options,
        .run = run_whoami,
};
