#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/json/input.h"
#include "core/json/json.h"
#include "tools/cli/command.h"
#include "tools/cli/dynamic_call.h"
#include "tools/cli/report.h"
#include "tools/cli/server.h"

/* The text of a request: as it is, from @FILE, or from standard input; and its name for errors. */
static bool read_text(struct cli_arguments *arguments,
                      const char *argument,
                      const char **ret_name,
                      const char **ret_text,
                      size_t *ret_n_bytes)
{
        bool is_input = strcmp(argument, "-") == 0;
        struct pipit_error error = {0};
        char *text = NULL;

        if (!is_input && argument[0] != '@') {
                *ret_name = "request";
                *ret_text = argument;
                *ret_n_bytes = strlen(argument);
                return true;
        }

        const char *name = is_input ? "standard input" : argument + 1;
        int fd = is_input ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);

        if (fd < 0) {
                (void)cli_value_error("cannot read %s: %s", name, strerror(errno));
                return false;
        }

        enum pipit_status status = pipit_json_input(fd,
                                                    name,
                                                    PIPIT_JSON_INPUT_BYTES_MAX,
                                                    &arguments->arena,
                                                    &text,
                                                    ret_n_bytes,
                                                    &error);

        if (!is_input)
                (void)close(fd);
        if (status != PIPIT_OK)
                (void)cli_value_error("%s", error.message);
        *ret_name = name;
        *ret_text = text;
        return status == PIPIT_OK;
}

static int call_once(struct cli_arguments *arguments,
                     const struct cli_server *server,
                     const char *name,
                     const char *json)
{
        struct cli_dynamic_call call = {
                .name = name,
                .timeout_ms = arguments->options.timeout_ms,
                .wait_for_ready = arguments->options.wait_for_ready,
        };
        const char *origin;
        int status;

        if (!read_text(arguments, json, &origin, &call.json, &call.n_json_bytes))
                return CLI_USAGE;

        if (cli_dynamic_call_prepare(&call, server) != PIPIT_OK) {
                if (call.method)
                        status = cli_value_error("%s:%s", origin, call.error.message);
                else
                        status = cli_value_error("%s", call.error.message);
        } else {
                enum pipit_status outcome = cli_dynamic_call_run(&call, server);

                cli_print_call(arguments, &call);
                if (outcome == PIPIT_OK)
                        status = cli_print_message(arguments, server->schema, call.message);
                else
                        status = cli_print_error(
                                arguments, &call.error, cli_dynamic_call_peer(&call));
        }

        cli_dynamic_call_deinit(&call);
        return status;
}

static int run_on(struct cli_arguments *arguments,
                  struct cli_server *server,
                  const char *name,
                  const char *json)
{
        struct pipit_error error = {.status = PIPIT_OK};
        int status = cli_server_connect(arguments, server->target, server);

        if (status == CLI_OK)
                status = cli_server_learn(arguments, server, &error);
        if (status >= CLI_RPC_BASE)
                return cli_print_error(arguments, &error, server->target);

        return status == CLI_OK ? call_once(arguments, server, name, json) : status;
}

static int run_call(struct cli_arguments *arguments)
{
        struct cli_server server = {.target = cli_take_target(arguments)};

        if (!server.target)
                return CLI_USAGE;

        const char *name = cli_take(arguments), *json = cli_take(arguments);

        if (!name)
                return cli_usage_error(arguments,
                                       "a method is missing, as users.v1.UsersService/GetUser");
        if (!cli_no_more(arguments))
                return CLI_USAGE;

        int status = run_on(arguments, &server, name, json ? json : "{}");

        cli_server_close(&server);
        return status;
}

static const struct cli_option options[] = {
        CLI_OPTION_TIMEOUT,
        CLI_OPTION_METADATA,
        CLI_OPTION_WAIT_FOR_READY,
        CLI_OPTION_INSECURE_PLAINTEXT,
        CLI_OPTIONS_SCHEMA,
        CLI_OPTION_OUTPUT,
        CLI_OPTION_COMPACT,
        CLI_OPTION_DEFAULTS,
        CLI_OPTION_ERRORS,
        CLI_OPTION_VERBOSE,
        CLI_OPTION_HELP,
        CLI_OPTION_END,
};

const struct cli_command cli_command_call = {
        .name = "call",
        .summary = "Calls a method: JSON in, JSON out.",
        .synopsis = "[TARGET] METHOD [JSON|@FILE|-]",
        .text = "TARGET is a URL, or several with commas between; without one, PIPIT_TARGET.\n"
                "METHOD is users.v1.UsersService/GetUser, or in short "
                "my-namespace.users->get-user.\n"
                "The request is given as JSON (default {}), in a file, or on standard input (-).",
        .examples = "  pipit call ipc:///run/usersd.sock users.v1.UsersService/GetUser "
                    "'{\"email\":\"ada@example.com\"}'\n"
                    "  pipit call ipc:///run/usersd.sock 'my-namespace.users->list-users' "
                    "'{\"pageSize\":10}'\n"
                    "  pipit call tcp://127.0.0.1:7000 --insecure-plaintext --timeout 500ms "
                    "users.v1.UsersService/CreateUser @user.json\n"
                    "  export PIPIT_TARGET=ipc:///run/usersd.sock\n"
                    "  pipit call users.v1.UsersService/ListUsers -o text\n"
                    "  pipit call --descriptor-set shop.binpb shop.v1.OrdersService/GetOrder - "
                    "<order.json\n",
        .options = options,
        .run = run_call,
};
