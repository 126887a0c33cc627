#include "tools/cli/options.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json/nearest.h"
#include "core/rpc/wire_limits.h"
#include "tools/cli/command.h"
#include "tools/cli/suggestion.h"
#include "tools/cli/terminal.h"

/* --- errors ---------------------------------------------------------------- */

PIPIT_PRINTF(1, 0) static void print_problem(const char *format, va_list arguments)
{
        char problem[2048];

        (void)vsnprintf(problem, sizeof(problem), format, arguments);
        (void)fputs("pipit: ", stderr);
        cli_print_safe(stderr, problem);
}

int cli_usage_error(const struct cli_arguments *arguments, const char *format, ...)
{
        va_list list;

        va_start(list, format);
        print_problem(format, list);
        va_end(list);

        (void)fprintf(stderr,
                      " (see pipit help%s%s)\n",
                      arguments->command ? " " : "",
                      arguments->command ? arguments->command : "");
        return CLI_USAGE;
}

int cli_value_error(const char *format, ...)
{
        va_list list;

        va_start(list, format);
        print_problem(format, list);
        va_end(list);

        (void)fputc('\n', stderr);
        return CLI_USAGE;
}

/* --- values ---------------------------------------------------------------- */

/* "500ms", "2s", "1.5s", "1m". */
static bool parse_duration(const char *text, double *ret_ms)
{
        static const struct {
                const char *unit;
                double ms;
        } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}};
        char *end;
        double value;

        if (*text < '0' || *text > '9' || strspn(text, "0123456789.") > 16)
                return false;

        value = strtod(text, &end);
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(units); i++) {
                if (strcmp(end, units[i].unit) == 0) {
                        *ret_ms = value * units[i].ms;
                        return strspn(text, "0123456789.") == (size_t)(end - text);
                }
        }

        return false;
}

static bool set_duration(const struct cli_arguments *arguments,
                         const char *origin,
                         const char *text,
                         uint32_t *ret_ms)
{
        double ms;

        if (!parse_duration(text, &ms)) {
                (void)cli_usage_error(
                        arguments, "%s: '%s' is not a duration, as 500ms or 2s", origin, text);
                return false;
        }
        if (ms < 1 || ms > PIPIT_TIMEOUT_MS_MAX) {
                (void)cli_usage_error(
                        arguments, "%s: '%s' is not between 1ms and 60s", origin, text);
                return false;
        }

        *ret_ms = (uint32_t)ms;
        return true;
}

static bool set_output(const struct cli_arguments *arguments,
                       const char *origin,
                       const char *text,
                       enum cli_output *ret_output)
{
        static const char *const names[] = {
                [CLI_OUTPUT_JSON] = "json",
                [CLI_OUTPUT_NDJSON] = "ndjson",
                [CLI_OUTPUT_TEXT] = "text",
        };

        for (size_t i = CLI_OUTPUT_JSON; i < PIPIT_N_ELEMENTS(names); i++) {
                if (strcmp(names[i], text) == 0) {
                        *ret_output = (enum cli_output)i;
                        return true;
                }
        }

        (void)cli_usage_error(arguments, "%s: '%s' is none of json, ndjson and text", origin, text);
        return false;
}

static bool append(struct cli_arguments *arguments, struct cli_list *list, const char *value)
{
        const char **values =
                pipit_arena_alloc(&arguments->arena, (list->n_values + 1) * sizeof(*values));

        if (!values) {
                (void)cli_value_error("out of memory");
                return false;
        }

        if (list->n_values > 0)
                memcpy(values, list->values, list->n_values * sizeof(*values));
        values[list->n_values++] = value;
        list->values = values;
        return true;
}

/* @origin is how the user wrote the flag, or the variable that stands for it. */
static bool set_option(struct cli_arguments *arguments,
                       const struct cli_option *option,
                       const char *origin,
                       const char *value)
{
        void *member = (char *)&arguments->options + option->offset;

        switch (option->type) {
        case CLI_FLAG:
                *(bool *)member = true;
                return true;
        case CLI_FORMAT:
                if (strcmp(value, "json") != 0 && strcmp(value, "text") != 0) {
                        (void)cli_usage_error(
                                arguments, "%s: '%s' is neither json nor text", origin, value);
                        return false;
                }
                *(const char **)member = value;
                return true;
        case CLI_OUTPUT:
                return set_output(arguments, origin, value, member);
        case CLI_STRING:
                *(const char **)member = value;
                return true;
        case CLI_DURATION:
                return set_duration(arguments, origin, value, member);
        case CLI_LIST:
                return append(arguments, member, value);
        }

        return false;
}

/* --- flags ----------------------------------------------------------------- */

static const struct cli_option *find_by_name(const struct cli_option *options,
                                             const char *name,
                                             size_t n_name)
{
        for (; options->name; options++) {
                if (strlen(options->name) == n_name && memcmp(options->name, name, n_name) == 0)
                        return options;
        }

        return NULL;
}

static const struct cli_option *find_by_letter(const struct cli_option *options, char letter)
{
        for (; options->name; options++) {
                if (options->letter != '\0' && options->letter == letter)
                        return options;
        }

        return NULL;
}

static bool fail_unknown(const struct cli_arguments *arguments,
                         const struct cli_option *options,
                         const char *argument,
                         size_t n_argument)
{
        char wanted[64] = "";
        struct pipit_nearest nearest = {.wanted = wanted};

        (void)snprintf(wanted, sizeof(wanted), "%.*s", (int)(n_argument - 2), argument + 2);
        for (; options->name; options++)
                pipit_nearest_consider(&nearest, options->name);

        if (nearest.name)
                (void)cli_usage_error(arguments,
                                      "there is no flag '%.*s'; did you mean --%s?",
                                      (int)n_argument,
                                      argument,
                                      nearest.name);
        else
                (void)cli_usage_error(
                        arguments, "there is no flag '%.*s'", (int)n_argument, argument);
        return false;
}

/* "--name", "--name=value", "--name value". */
static bool parse_long(struct cli_arguments *arguments,
                       const struct cli_option *options,
                       char ***argv)
{
        const char *argument = **argv, *value = strchr(argument, '=');
        size_t n_argument = value ? (size_t)(value - argument) : strlen(argument);
        const struct cli_option *option = find_by_name(options, argument + 2, n_argument - 2);
        char origin[64];

        if (!option)
                return fail_unknown(arguments, options, argument, n_argument);

        (void)snprintf(origin, sizeof(origin), "--%s", option->name);
        if (option->type == CLI_FLAG && value) {
                (void)cli_usage_error(arguments, "%s takes no value", origin);
                return false;
        }
        if (option->type != CLI_FLAG && !value)
                value = *++*argv;
        else if (value)
                value++;
        if (option->type != CLI_FLAG && !value) {
                (void)cli_usage_error(
                        arguments, "%s needs a value: %s", origin, option->placeholder);
                return false;
        }

        return set_option(arguments, option, origin, value);
}

/* "-v", "-vw", "-o json", "-ojson". */
static bool parse_short(struct cli_arguments *arguments,
                        const struct cli_option *options,
                        char ***argv)
{
        for (const char *letter = **argv + 1; *letter; letter++) {
                const struct cli_option *option = find_by_letter(options, *letter);
                const char origin[] = {'-', *letter, '\0'};
                const char *value = NULL;

                if (!option) {
                        (void)cli_usage_error(arguments, "there is no flag '%s'", origin);
                        return false;
                }
                if (option->type != CLI_FLAG) {
                        value = letter[1] ? letter + 1 : *++*argv;
                        if (!value) {
                                (void)cli_usage_error(arguments,
                                                      "%s needs a value: %s",
                                                      origin,
                                                      option->placeholder);
                                return false;
                        }
                }
                if (!set_option(arguments, option, origin, value))
                        return false;
                if (value)
                        break;
        }

        return true;
}

static bool is_unset(const struct cli_arguments *arguments, const struct cli_option *option)
{
        const char *member = (const char *)&arguments->options + option->offset;

        switch (option->type) {
        case CLI_FLAG:
                return !*(const bool *)(const void *)member;
        case CLI_FORMAT:
        case CLI_STRING:
                return !*(const char *const *)(const void *)member;
        case CLI_OUTPUT:
                return *(const enum cli_output *)(const void *)member == CLI_OUTPUT_DEFAULT;
        case CLI_DURATION:
                return *(const uint32_t *)(const void *)member == 0;
        case CLI_LIST:
                return ((const struct cli_list *)(const void *)member)->n_values == 0;
        }

        return false;
}

static bool parse_environment(struct cli_arguments *arguments, const struct cli_option *options)
{
        for (; options->name; options++) {
                const char *value = options->environment ? getenv(options->environment) : NULL;

                if (value && value[0] && is_unset(arguments, options) &&
                    !set_option(arguments, options, options->environment, value))
                        return false;
        }

        return true;
}

bool cli_arguments_parse(struct cli_arguments *arguments,
                         const struct cli_option *options,
                         int argc,
                         char **argv)
{
        bool only_positionals = false;

        arguments->positionals =
                pipit_arena_alloc(&arguments->arena, ((size_t)argc + 1) * sizeof(char *));
        if (!arguments->positionals) {
                (void)cli_value_error("out of memory");
                return false;
        }

        for (; *argv; argv++) {
                bool ok = true;

                if (only_positionals || (*argv)[0] != '-' || (*argv)[1] == '\0')
                        arguments->positionals[arguments->n_positionals++] = *argv;
                else if (strcmp(*argv, "--") == 0)
                        only_positionals = true;
                else if ((*argv)[1] == '-')
                        ok = parse_long(arguments, options, &argv);
                else
                        ok = parse_short(arguments, options, &argv);
                if (!ok)
                        return false;
        }

        return arguments->options.help || parse_environment(arguments, options);
}

/* --- positionals ------------------------------------------------------------- */

const char *cli_peek(const struct cli_arguments *arguments)
{
        return arguments->next < arguments->n_positionals ? arguments->positionals[arguments->next]
                                                          : NULL;
}

const char *cli_take(struct cli_arguments *arguments)
{
        const char *positional = cli_peek(arguments);

        if (positional)
                arguments->next++;
        return positional;
}

bool cli_no_more(struct cli_arguments *arguments)
{
        const char *left = cli_take(arguments);

        if (!left)
                return true;

        (void)cli_usage_error(arguments, "'%s' is one argument too many", left);
        return false;
}

bool cli_is_target(const char *positional)
{
        return positional && strstr(positional, "://");
}

const char *cli_variable_of(const char *value, const char *variable)
{
        return value && value == getenv(variable) ? variable : NULL;
}

const char *cli_take_target(struct cli_arguments *arguments)
{
        const char *positional = cli_peek(arguments), *target = getenv("PIPIT_TARGET"), *near;

        if (cli_is_target(positional))
                return cli_take(arguments);
        if (target && target[0])
                return target;

        near = positional ? cli_suggest_url(&arguments->arena, positional) : NULL;
        if (near)
                (void)cli_usage_error(
                        arguments, "'%s' is not a target; did you mean %s?", positional, near);
        else if (positional)
                (void)cli_usage_error(arguments,
                                      "'%s' is not a target, as ipc:///run/usersd.sock or "
                                      "tcp://127.0.0.1:7000 (PIPIT_TARGET names one, too)",
                                      positional);
        else
                (void)cli_usage_error(arguments,
                                      "a target is missing, as ipc:///run/usersd.sock or "
                                      "tcp://127.0.0.1:7000 (PIPIT_TARGET names one, too)");
        return NULL;
}
