#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/json/input.h"
#include "core/json/json.h"
#include "tools/cli/catalogue.h"
#include "tools/cli/command.h"
#include "tools/cli/invocation.h"
#include "tools/cli/method.h"
#include "tools/cli/report.h"

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

static ProtobufCMessage *read_request(struct cli_arguments *arguments,
                                      const struct pipit_schema *schema,
                                      const struct pipit_method *method,
                                      const char *argument)
{
        struct pipit_error error = {0};
        ProtobufCMessage *request;
        const char *name, *text;
        size_t n_bytes;

        if (!read_text(arguments, argument, &name, &text, &n_bytes))
                return NULL;
        if (pipit_json_read(
                    method->request, text, n_bytes, schema, &arguments->arena, &request, &error) !=
            PIPIT_OK) {
                (void)cli_value_error("%s:%s", name, error.message);
                return NULL;
        }

        return request;
}

static int run_on(struct cli_arguments *arguments,
                  const struct pipit_schema *schema,
                  const char *target,
                  const char *name)
{
        const char *json = cli_take(arguments), *problem;
        const struct pipit_method *method =
                cli_method_find(schema, name, &arguments->arena, &problem);

        if (!method)
                return cli_value_error("%s", problem);
        if (!cli_no_more(arguments))
                return CLI_USAGE;

        ProtobufCMessage *request = read_request(arguments, schema, method, json ? json : "{}");

        if (!request)
                return CLI_USAGE;

        return cli_invoke(arguments, schema, target, method, request, cli_print_message);
}

static int run_call(struct cli_arguments *arguments)
{
        const char *target = cli_take_target(arguments);

        if (!target)
                return CLI_USAGE;

        const char *name = cli_take(arguments);

        if (!name)
                return cli_usage_error(arguments,
                                       "a method is missing, as users.v1.UsersService/GetUser");

        struct pipit_schema *schema = cli_catalogue_new(arguments);

        if (!schema)
                return CLI_USAGE;

        int status = run_on(arguments, schema, target, name);

        pipit_schema_free(schema);
        return status;
}

static const struct cli_option options[] = {
        CLI_OPTION_TIMEOUT,
        CLI_OPTION_METADATA,
        CLI_OPTION_WAIT_FOR_READY,
        CLI_OPTION_INSECURE_PLAINTEXT,
        CLI_OPTION_DESCRIPTOR_SET,
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
