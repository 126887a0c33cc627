#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cli/command.h"
#include "tools/cli/highlight.h"
#include "tools/cli/proto_text.h"
#include "tools/cli/server.h"
#include "tools/cli/symbols.h"
#include "tools/cli/template.h"
#include "tools/cli/terminal.h"

struct describe {
        struct cli_arguments *arguments;
        struct cli_server server;
        struct cli_symbols symbols;
        struct cli_proto_colours colours;
        const Google__Protobuf__FileDescriptorProto *file; /* of what was printed last */
        FILE *output;
};

/* --- as .proto text -------------------------------------------------------------- */

static void print_symbol(struct describe *describe, const struct cli_symbol *symbol)
{
        if (symbol->kind != CLI_SYMBOL_FILE) {
                if (describe->file)
                        (void)fputc('\n', describe->output);
                if (describe->file != symbol->file) {
                        cli_proto_text_write_head(describe->output, symbol, &describe->colours);
                        (void)fputc('\n', describe->output);
                }
        }

        describe->file = symbol->file;
        cli_proto_text_write(describe->output, &describe->symbols, symbol, &describe->colours);
}

static const struct cli_symbol *type_of(const struct describe *describe, const char *name)
{
        if (name[0] == '.')
                name++;

        return cli_symbols_get(&describe->symbols, name, strlen(name));
}

/* A method with its messages: all that a call of it needs. */
static void print_method(struct describe *describe, const struct cli_symbol *symbol)
{
        const Google__Protobuf__MethodDescriptorProto *method = cli_symbol_method(symbol);
        const struct cli_symbol *request = type_of(describe, method->input_type);
        const struct cli_symbol *response = type_of(describe, method->output_type);

        print_symbol(describe, symbol);
        if (request)
                print_symbol(describe, request);
        if (response && response != request)
                print_symbol(describe, response);
}

static void print_services(struct describe *describe)
{
        const struct cli_names *services = &describe->server.services;

        for (size_t i = 0; i < services->n_names; i++) {
                const struct cli_symbol *symbol = type_of(describe, services->names[i]);

                if (symbol)
                        print_symbol(describe, symbol);
        }
}

static int print_text(struct describe *describe, const struct cli_symbol *symbol)
{
        if (!symbol)
                print_services(describe);
        else if (symbol->kind == CLI_SYMBOL_METHOD)
                print_method(describe, symbol);
        else
                print_symbol(describe, symbol);

        return CLI_OK;
}

/* --- as a template --------------------------------------------------------------- */

static int print_template(struct describe *describe, const struct cli_symbol *symbol)
{
        struct cli_arguments *arguments = describe->arguments;
        const bool is_pretty = arguments->options.output != CLI_OUTPUT_NDJSON;

        if (!symbol)
                return cli_usage_error(arguments, "--template: a method or message is missing");
        if (symbol->kind == CLI_SYMBOL_METHOD)
                symbol = type_of(describe, cli_symbol_method(symbol)->input_type);

        const ProtobufCMessageDescriptor *descriptor =
                symbol ? pipit_schema_message(describe->server.schema, symbol->name) : NULL;

        if (!descriptor)
                return cli_value_error("--template: '%s' is neither a method nor a message",
                                       symbol ? symbol->name : "it");

        char *text =
                cli_template(descriptor, describe->server.schema, is_pretty, &arguments->arena);

        if (!text)
                return cli_value_error("out of memory");

        cli_print_json(describe->output, text, cli_has_colours(stdout));
        return CLI_OK;
}

/* --- the command ----------------------------------------------------------------- */

static int describe_on(struct describe *describe, const char *name)
{
        const struct cli_symbol *symbol = NULL;
        const char *problem;

        if (!cli_symbols_init(
                    &describe->symbols, describe->server.schema, &describe->arguments->arena))
                return cli_value_error("out of memory");
        if (name) {
                symbol = cli_symbols_find(&describe->symbols, name, &problem);
                if (!symbol)
                        return cli_value_error("%s", problem);
        }

        return describe->arguments->options.is_template ? print_template(describe, symbol)
                                                        : print_text(describe, symbol);
}

static int run_describe(struct cli_arguments *arguments)
{
        struct describe describe = {.arguments = arguments, .output = stdout};
        int status = cli_server_look(arguments, &describe.server);
        const char *name = cli_take(arguments);

        if (cli_has_colours(stdout))
                describe.colours = cli_proto_colours;
        if (status == CLI_OK && !cli_no_more(arguments))
                status = CLI_USAGE;
        if (status == CLI_OK)
                status = describe_on(&describe, name);

        cli_server_close(&describe.server);
        return status;
}

static const struct cli_option options[] = {
        CLI_OPTION("template",
                   '\0',
                   CLI_FLAG,
                   is_template,
                   NULL,
                   NULL,
                   "JSON of a request or message with every field in it, to\n"
                   "fill in"),
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

const struct cli_command cli_command_describe = {
        .name = "describe",
        .summary = "Shows a service, method or message as .proto text.",
        .synopsis = "[TARGET] [NAME]",
        .text = "NAME is a service, a method (shown with its request and response), a message,\n"
                "an enum, a field (users.v1.User.email) or a file (users/v1/users.proto); the end\n"
                "of a name (User.email) will do if only one ends so. Without a NAME all services\n"
                "are shown.\n"
                "Comments are there with --proto, and with sets that protoc made with\n"
                "--include_source_info; servers do not tell them.",
        .examples = "  pipit describe ipc:///run/usersd.sock\n"
                    "  pipit describe ipc:///run/usersd.sock UsersService/GetUser\n"
                    "  pipit describe ipc:///run/usersd.sock users.v1.User\n"
                    "  pipit describe --proto users/v1/users.proto -I . UsersService\n"
                    "  pipit describe --template ipc:///run/usersd.sock CreateUser >request.json\n"
                    "  pipit call ipc:///run/usersd.sock CreateUser @request.json\n",
        .options = options,
        .run = run_describe,
};
