#include <stdio.h>
#include <string.h>

#include "core/json/writer.h"
#include "tools/cli/command.h"
#include "tools/cli/report.h"
#include "tools/cli/server.h"
#include "tools/cli/suggestion.h"
#include "tools/cli/symbols.h"
#include "tools/cli/terminal.h"

struct list {
        struct cli_arguments *arguments;
        struct cli_server server;
        struct cli_symbols symbols;
};

static const struct cli_symbol *find_service(const struct list *list, const char *name)
{
        const struct cli_symbol *symbol = cli_symbols_get(&list->symbols, name, strlen(name));

        return symbol && symbol->kind == CLI_SYMBOL_SERVICE ? symbol : NULL;
}

/* --- text ------------------------------------------------------------------------ */

static void print_type(FILE *file, const char *name, bool is_stream)
{
        (void)fprintf(file, "(%s%s)", is_stream ? "stream " : "", name[0] == '.' ? name + 1 : name);
}

static void print_methods(const struct list *list, const struct cli_symbol *service, FILE *file)
{
        const Google__Protobuf__ServiceDescriptorProto *proto = cli_symbol_service(service);

        for (size_t i = 0; i < proto->n_method; i++) {
                const Google__Protobuf__MethodDescriptorProto *method = proto->method[i];

                (void)fprintf(file, "%s/%s", service->name, method->name);
                if (list->arguments->options.is_long) {
                        (void)fputc(' ', file);
                        print_type(file, method->input_type, method->client_streaming);
                        (void)fputs(" returns ", file);
                        print_type(file, method->output_type, method->server_streaming);
                }
                (void)fputc('\n', file);
        }
}

/* Names of services come from the server as they are; all else went through the symbols. */
static void print_name(FILE *file, const char *name)
{
        cli_print_safe(file, name);
        (void)fputc('\n', file);
}

static void print_text(const struct list *list, const char *only, FILE *file)
{
        const struct cli_names *services = &list->server.services;

        for (size_t i = 0; i < services->n_names; i++) {
                const char *name = services->names[i];
                const struct cli_symbol *service = find_service(list, name);

                if (only && strcmp(only, name) != 0)
                        continue;
                if (service && (only || list->arguments->options.is_long))
                        print_methods(list, service, file);
                else
                        print_name(file, name);
        }
}

/* --- JSON ------------------------------------------------------------------------ */

static void write_member(struct pipit_json_writer *writer, const char *key, const char *value)
{
        pipit_json_writer_key(writer, key);
        pipit_json_writer_string(writer, value, strlen(value));
}

static void write_method(struct pipit_json_writer *writer,
                         const Google__Protobuf__MethodDescriptorProto *method)
{
        pipit_json_writer_begin(writer, '{');
        write_member(writer, "name", method->name);
        write_member(writer, "request", method->input_type + (method->input_type[0] == '.'));
        write_member(writer, "response", method->output_type + (method->output_type[0] == '.'));
        if (method->client_streaming || method->server_streaming) {
                pipit_json_writer_key(writer, "streaming");
                pipit_json_writer_raw(writer, "true");
        }
        pipit_json_writer_end(writer, '}');
}

static void write_service(const struct list *list,
                          const char *name,
                          struct pipit_json_writer *writer)
{
        const struct cli_symbol *service = find_service(list, name);

        pipit_json_writer_begin(writer, '{');
        write_member(writer, "name", name);
        pipit_json_writer_key(writer, "methods");
        pipit_json_writer_begin(writer, '[');
        for (size_t i = 0; service && i < cli_symbol_service(service)->n_method; i++)
                write_method(writer, cli_symbol_service(service)->method[i]);
        pipit_json_writer_end(writer, ']');
        pipit_json_writer_end(writer, '}');
}

/* One object for all; as NDJSON a line a service. */
static bool print_json(const struct list *list, const char *only, FILE *file)
{
        const struct cli_names *services = &list->server.services;
        const bool is_ndjson = list->arguments->options.output == CLI_OUTPUT_NDJSON;

        for (size_t i = 0; i < services->n_names; i++) {
                struct pipit_json_writer writer = {
                        .arena = &list->arguments->arena,
                        .pretty = !is_ndjson,
                };

                if (only && strcmp(only, services->names[i]) != 0)
                        continue;

                write_service(list, services->names[i], &writer);

                const char *text = pipit_json_writer_finish(&writer);

                if (!text)
                        return false;
                (void)fprintf(file, "%s\n", text);
        }

        return true;
}

/* --- the command ----------------------------------------------------------------- */

static bool ends_with(const char *full, const char *name)
{
        size_t n_full = strlen(full), n_name = strlen(name);

        return n_name <= n_full && strcmp(full + n_full - n_name, name) == 0 &&
               (n_name == n_full || full[n_full - n_name - 1] == '.');
}

static void fail_unknown(const struct list *list, const char *wanted)
{
        const char *near =
                cli_suggest_service(&list->server.services, &list->arguments->arena, wanted);

        if (near)
                (void)cli_value_error("there is no service '%s'; did you mean %s?", wanted, near);
        else
                (void)cli_value_error("there is no service '%s'; `pipit list%s%s` tells which "
                                      "there are",
                                      wanted,
                                      list->server.target ? " " : "",
                                      list->server.target ? list->server.target : "");
}

/* By full name, or its end. NULL: it said what would be right. */
static const char *choose(const struct list *list, const char *wanted)
{
        const struct cli_names *services = &list->server.services;
        const char *found = NULL, *other = NULL;

        for (size_t i = 0; i < services->n_names; i++) {
                const char *name = services->names[i];

                if (strcmp(name, wanted) == 0)
                        return name;
                if (ends_with(name, wanted)) {
                        other = found;
                        found = name;
                }
        }

        if (!found)
                fail_unknown(list, wanted);
        else if (other)
                (void)cli_value_error("'%s' fits %s, %s; write one of them", wanted, other, found);
        return other ? NULL : found;
}

static int print(const struct list *list, const char *only)
{
        if (list->arguments->options.output == CLI_OUTPUT_JSON ||
            list->arguments->options.output == CLI_OUTPUT_NDJSON)
                return print_json(list, only, stdout) ? CLI_OK : cli_value_error("out of memory");

        print_text(list, only, stdout);
        return CLI_OK;
}

static int run_list(struct cli_arguments *arguments)
{
        struct list list = {.arguments = arguments};
        const char *only = NULL, *wanted;
        int status = cli_server_look(arguments, &list.server);

        wanted = cli_take(arguments);
        if (status == CLI_OK && !cli_no_more(arguments))
                status = CLI_USAGE;
        if (status == CLI_OK &&
            !cli_symbols_init(&list.symbols, list.server.schema, &arguments->arena))
                status = cli_value_error("out of memory");
        if (status == CLI_OK && wanted) {
                only = choose(&list, wanted);
                status = only ? CLI_OK : CLI_USAGE;
        }
        if (status == CLI_OK)
                status = print(&list, only);

        cli_server_close(&list.server);
        return status;
}

static const struct cli_option options[] = {
        CLI_OPTION("long", 'l', CLI_FLAG, is_long, NULL, NULL, "methods, with their types"),
        CLI_OPTION_OUTPUT_LIST,
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

const struct cli_command cli_command_list = {
        .name = "list",
        .summary = "Lists services, or the methods of one.",
        .synopsis = "[TARGET] [SERVICE]",
        .text = "A line a service; with SERVICE, or the end of its name, a line a method, in the\n"
                "form that `pipit call` takes. The server is asked by reflection; with --proto or\n"
                "--descriptor-set it is the files that are listed, and no TARGET is needed.",
        .examples = "  pipit list ipc:///run/usersd.sock\n"
                    "  pipit list ipc:///run/usersd.sock UsersService\n"
                    "  pipit list --long ipc:///run/usersd.sock\n"
                    "  pipit list --proto shop/v1/orders.proto -I .\n"
                    "  pipit list ipc:///run/usersd.sock -o ndjson\n",
        .options = options,
        .run = run_list,
};
