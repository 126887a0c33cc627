#include "tools/cli/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/json/value.h"
#include "tools/cli/command.h"
#include "tools/cli/highlight.h"
#include "tools/cli/terminal.h"

static bool is_pretty(const struct cli_arguments *arguments)
{
        if (arguments->options.compact)
                return false;

        return arguments->options.output == CLI_OUTPUT_JSON ||
               (arguments->options.output == CLI_OUTPUT_DEFAULT && isatty(STDOUT_FILENO));
}

struct pipit_json_style cli_output_style(const struct cli_arguments *arguments)
{
        return (struct pipit_json_style){
                .pretty = is_pretty(arguments),
                .defaults = arguments->options.defaults,
        };
}

static void print_leaf(const struct pipit_json_value *value, const char *path)
{
        if (path[0]) {
                cli_print_safe(stdout, path);
                (void)fputs(": ", stdout);
        }
        cli_print_safe(stdout,
                       value->text                      ? value->text
                       : value->type == PIPIT_JSON_NULL ? "null"
                       : value->boolean                 ? "true"
                                                        : "false");
        (void)putchar('\n');
}

static void print_leaves(const struct pipit_json_value *value,
                         const char *path,
                         struct pipit_arena *arena)
{
        size_t i = 0;

        if (value->type != PIPIT_JSON_OBJECT && value->type != PIPIT_JSON_ARRAY) {
                print_leaf(value, path);
                return;
        }

        for (const struct pipit_json_value *child = value->first; child; child = child->next) {
                char *below =
                        value->type == PIPIT_JSON_ARRAY
                                ? pipit_arena_printf(arena, "%s[%zu]", path, i++)
                                : pipit_arena_printf(
                                          arena, "%s%s%s", path, path[0] ? "." : "", child->key);

                if (below)
                        print_leaves(child, below, arena);
        }
}

static int print_text(const char *json)
{
        PIPIT_CLEANUP(pipit_arena_deinit) struct pipit_arena arena = {.cap_bytes = 0};
        struct pipit_error error = {.status = PIPIT_OK};
        struct pipit_json_value *value;

        if (pipit_json_parse(json, strlen(json), &arena, &value, &error) != PIPIT_OK) {
                (void)cli_value_error("the response cannot be shown: %s", error.message);
                return CLI_INTERNAL;
        }

        print_leaves(value, "", &arena);
        return CLI_OK;
}

int cli_print_data(const struct cli_arguments *arguments, const char *json)
{
        if (arguments->options.output == CLI_OUTPUT_TEXT)
                return print_text(json);

        cli_print_json(stdout, json, cli_has_colours(stdout));
        return CLI_OK;
}

void cli_rewrite(struct pipit_json_writer *writer, const struct pipit_json_value *value)
{
        switch (value->type) {
        case PIPIT_JSON_NULL:
                pipit_json_writer_raw(writer, "null");
                break;
        case PIPIT_JSON_BOOL:
                pipit_json_writer_raw(writer, value->boolean ? "true" : "false");
                break;
        case PIPIT_JSON_NUMBER:
                pipit_json_writer_raw(writer, value->text);
                break;
        case PIPIT_JSON_STRING:
                pipit_json_writer_string(writer, value->text, value->n_text);
                break;
        case PIPIT_JSON_ARRAY:
        case PIPIT_JSON_OBJECT:
                pipit_json_writer_begin(writer, value->type == PIPIT_JSON_ARRAY ? '[' : '{');
                for (const struct pipit_json_value *child = value->first; child;
                     child = child->next) {
                        if (value->type == PIPIT_JSON_OBJECT)
                                pipit_json_writer_key(writer, child->key);
                        cli_rewrite(writer, child);
                }
                pipit_json_writer_end(writer, value->type == PIPIT_JSON_ARRAY ? ']' : '}');
                break;
        }
}

bool cli_flush(struct cli_arguments *arguments)
{
        errno = 0;
        if (fflush(stdout) == 0 && !ferror(stdout))
                return true;

        /* A buffer that filled up on the way may have failed before, and says only that. */
        if (arguments->output_errno == 0)
                arguments->output_errno = errno ? errno : EIO;
        return false;
}
