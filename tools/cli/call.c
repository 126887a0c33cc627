#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/json/input.h"
#include "tools/cli/channel.h"
#include "tools/cli/command.h"
#include "tools/cli/dynamic_call.h"
#include "tools/cli/envelope.h"
#include "tools/cli/messages.h"
#include "tools/cli/output.h"
#include "tools/cli/report.h"
#include "tools/cli/server.h"

struct calling {
        struct cli_arguments *arguments;
        struct cli_server server;
        const char *name;   /* of the method, as it was given */
        const char *origin; /* of the requests, for errors */
        struct cli_messages messages;
        struct cli_dynamic_call call;
        struct pipit_arena arena; /* of errors */
};

/* --- requests -------------------------------------------------------------------- */

/* As curl and grpcurl have it: - and @- and @ are standard input. */
static bool is_standard_input(const char *argument)
{
        return strcmp(argument, "-") == 0 || strcmp(argument, "@-") == 0 ||
               strcmp(argument, "@") == 0;
}

static int read_fd(struct calling *calling, int fd)
{
        struct pipit_error error = {.status = PIPIT_OK};
        char *text;

        if (pipit_json_input(fd,
                             calling->origin,
                             PIPIT_JSON_INPUT_BYTES_MAX,
                             &calling->arguments->arena,
                             &text,
                             &calling->messages.n_bytes,
                             &error) != PIPIT_OK)
                return cli_value_error("%s", error.message);

        calling->messages.text = text;
        return CLI_OK;
}

static int read_requests(struct calling *calling, const char *argument)
{
        if (is_standard_input(argument)) {
                calling->origin = "standard input";
                return read_fd(calling, STDIN_FILENO);
        }

        if (argument[0] != '@') {
                calling->origin = "request";
                calling->messages.text = argument;
                calling->messages.n_bytes = strlen(argument);
                return CLI_OK;
        }

        calling->origin = argument + 1;

        int fd = open(calling->origin, O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                return cli_value_error("cannot read %s: %s", calling->origin, strerror(errno));

        int status = read_fd(calling, fd);

        (void)close(fd);
        return status;
}

/* The message that was taken last becomes the call's request. */
static int prepare(struct calling *calling)
{
        struct cli_dynamic_call *call = &calling->call;

        call->json = calling->messages.value;
        call->n_json_bytes = calling->messages.n_value_bytes;
        if (cli_dynamic_call_prepare(call, &calling->server) == PIPIT_OK)
                return CLI_OK;
        if (!call->method)
                return cli_value_error("%s", call->error.message);

        return cli_value_error(
                "%s:%s",
                calling->origin,
                cli_messages_relocate(&calling->messages, call->error.message, &calling->arena));
}

/* All of them, before the first is sent: one that is wrong stops all. */
static int check_requests(struct calling *calling)
{
        struct cli_messages messages = calling->messages;
        int status = CLI_OK;

        while (status == CLI_OK && cli_messages_take(&calling->messages))
                status = prepare(calling);

        calling->messages = messages;
        return status;
}

/* --- calls ----------------------------------------------------------------------- */

/* It did its work, but what came back has no JSON. */
static bool is_unreadable(const struct pipit_error *error)
{
        return error->origin == PIPIT_ORIGIN_LOCAL && error->reason &&
               strcmp(error->reason, CLI_REASON_RESPONSE_UNREADABLE) == 0;
}

static int report(struct calling *calling)
{
        struct cli_dynamic_call *call = &calling->call;
        struct cli_arguments *arguments = calling->arguments;

        cli_print_call(arguments, call);
        if (is_unreadable(&call->error)) {
                (void)cli_value_error("the response cannot be shown: %s", call->error.message);
                return CLI_INTERNAL;
        }

        cli_channel_explain(arguments, &calling->arena, calling->server.target, &call->error);
        if (arguments->options.envelope) {
                int status = cli_print_envelope(arguments, call);

                return status != CLI_OK || call->error.status == PIPIT_OK
                               ? status
                               : CLI_RPC_BASE + (int)call->error.status;
        }
        if (call->error.status == PIPIT_OK)
                return cli_print_data(arguments, call->response);

        return cli_print_error(arguments, &call->error, cli_dynamic_call_peer(call));
}

/* One call a request, in order. The exit code is that of the first that failed. */
static int call_all(struct calling *calling)
{
        int result = CLI_OK;

        while (cli_messages_take(&calling->messages)) {
                int status = prepare(calling);

                if (status != CLI_OK)
                        return status;

                (void)cli_dynamic_call_run(&calling->call, &calling->server);
                status = report(calling);
                pipit_arena_reset(&calling->arena);
                if (result == CLI_OK)
                        result = status;
                if (!cli_flush(calling->arguments) ||
                    (status != CLI_OK && !calling->arguments->options.keep_going))
                        break;
        }

        return result;
}

/* --- the command ----------------------------------------------------------------- */

static int fail_to_learn(struct calling *calling, struct pipit_error *error, int64_t start_us)
{
        struct cli_arguments *arguments = calling->arguments;
        int64_t duration_us = pipit_clock_wall_us() - start_us;

        cli_channel_explain(arguments, &calling->arena, calling->server.target, error);
        if (!arguments->options.envelope)
                return cli_print_error(arguments, error, calling->server.target);

        int status = cli_print_envelope_of_error(
                arguments, calling->name, error, start_us, duration_us > 0 ? duration_us : 0);

        return status == CLI_OK ? CLI_RPC_BASE + (int)error->status : status;
}

static int run_on(struct calling *calling)
{
        struct cli_arguments *arguments = calling->arguments;
        struct pipit_error error = {.status = PIPIT_OK};
        int64_t start_us = pipit_clock_wall_us();
        int status = cli_server_connect(arguments, calling->server.target, &calling->server);

        if (status == CLI_OK)
                status = cli_server_learn(arguments, &calling->server, &error);
        if (status >= CLI_RPC_BASE)
                return fail_to_learn(calling, &error, start_us);
        if (status == CLI_OK)
                status = check_requests(calling);

        return status == CLI_OK ? call_all(calling) : status;
}

/* --data, or the last positional, or {}. NULL: both. */
static const char *take_data(struct cli_arguments *arguments)
{
        const char *positional = cli_take(arguments), *data = arguments->options.data;

        if (positional && data) {
                (void)cli_usage_error(
                        arguments, "--data and '%s' are two requests; give one", positional);
                return NULL;
        }
        if (!positional)
                positional = data;

        return positional ? positional : "{}";
}

static int run_call(struct cli_arguments *arguments)
{
        struct calling calling = {
                .arguments = arguments,
                .server = {.target = cli_take_target(arguments)},
                .call =
                        {
                                .timeout_ms = arguments->options.timeout_ms,
                                .wait_for_ready = arguments->options.wait_for_ready,
                                .style = cli_output_style(arguments),
                        },
        };

        if (!calling.server.target)
                return CLI_USAGE;

        calling.name = cli_take(arguments);
        calling.call.name = calling.name;
        if (!calling.name)
                return cli_usage_error(arguments,
                                       "a method is missing, as users.v1.UsersService/GetUser");

        const char *data = take_data(arguments);

        if (!data || !cli_no_more(arguments))
                return CLI_USAGE;

        int status = read_requests(&calling, data);

        if (status == CLI_OK)
                status = run_on(&calling);

        cli_dynamic_call_deinit(&calling.call);
        cli_server_close(&calling.server);
        pipit_arena_deinit(&calling.arena);
        return status;
}

static const struct cli_option options[] = {
        CLI_OPTION("data",
                   'd',
                   CLI_STRING,
                   data,
                   NULL,
                   "JSON|@FILE|-",
                   "the request, in place of the last argument; several in\n"
                   "a row are several calls"),
        CLI_OPTION("keep-going",
                   'k',
                   CLI_FLAG,
                   keep_going,
                   NULL,
                   NULL,
                   "of several calls, go on behind one that failed"),
        CLI_OPTION("envelope",
                   'e',
                   CLI_FLAG,
                   envelope,
                   NULL,
                   NULL,
                   "print one JSON object a call, however it ended: status,\n"
                   "metadata, response, timing"),
        CLI_OPTION_OUTPUT,
        CLI_OPTION_COMPACT,
        CLI_OPTION_DEFAULTS,
        CLI_OPTIONS_SCHEMA,
        CLI_OPTION_TIMEOUT,
        CLI_OPTION_METADATA,
        CLI_OPTION_WAIT_FOR_READY,
        CLI_OPTIONS_IDENTITY,
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
                "METHOD is users.v1.UsersService/GetUser, or the end of it if only one ends so\n"
                "(GetUser), or my-namespace.users->get-user. What methods there are the server\n"
                "says by reflection, or --proto, or --descriptor-set.\n"
                "The request is given as JSON (default {}), in a file, or on standard input (-).\n"
                "Several in a row are so many calls, one after the other; all are looked at\n"
                "before the first is sent, and the first that fails ends them.",
        .examples =
                "  pipit call ipc:///run/usersd.sock GetUser "
                "'{\"email\":\"ada@example.com\"}'\n"
                "  pipit call ipc:///run/usersd.sock 'my-namespace.users->list-users' "
                "'{\"pageSize\":10}'\n"
                "  pipit call tcp://127.0.0.1:7000 --insecure-plaintext --timeout 500ms "
                "users.v1.UsersService/CreateUser @user.json\n"
                "  pipit call -k -o ndjson ipc:///run/usersd.sock CreateUser -d @users.ndjson\n"
                "  pipit call --envelope ipc:///run/usersd.sock GetUser "
                "'{\"id\":\"x\"}' | jq .status\n"
                "  export PIPIT_TARGET=ipc:///run/usersd.sock\n"
                "  pipit call ListUsers -o text\n"
                "  pipit call --proto shop/v1/orders.proto -I . shop.v1.OrdersService/GetOrder - "
                "<order.json\n",
        .options = options,
        .run = run_call,
};
