#include "tools/cli/scenario/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <unistd.h>

#include "core/json/input.h"
#include "core/json/nearest.h"
#include "tools/cli/command.h"
#include "tools/cli/scenario/reader.h"

#define FILE_BYTES_MAX ((size_t)16 * 1024 * 1024)

/* --- --set ------------------------------------------------------------------------------- */

/* NAME=TEXT, or NAME:=JSON. */
static int add_override(struct scenario_suite *suite, const char *argument)
{
        struct pipit_arena *arena = &suite->arguments->arena;
        const char *equals = strchr(argument, '=');
        bool is_json = equals && equals > argument && equals[-1] == ':';
        struct scenario_value *value = NULL;
        struct pipit_error error = {0};
        char *name;

        if (!equals)
                return cli_usage_error(suite->arguments, "--set: '%s' is not NAME=TEXT", argument);

        name = pipit_arena_strndup(
                arena, argument, (size_t)(equals - argument) - (is_json ? 1 : 0));
        if (name && (!scenario_is_variable_name(name) || scenario_is_builtin(name)))
                return cli_usage_error(suite->arguments,
                                       "--set: '%s' is no name of a variable%s",
                                       name,
                                       scenario_is_builtin(name) ? ": it is built in" : "");
        if (is_json &&
            scenario_value_parse(equals + 1, strlen(equals + 1), NULL, arena, &value, &error) !=
                    PIPIT_OK)
                return cli_usage_error(suite->arguments, "--set %s: %s", name, error.message);
        if (!is_json)
                value = scenario_string_new(arena, equals + 1);

        if (!name || !value || !scenario_scope_set(&suite->overrides, name, value))
                return cli_value_error("out of memory");
        return CLI_OK;
}

int scenario_suite_check_overrides(const struct scenario_suite *suite)
{
        for (const struct scenario_variable *variable = suite->overrides.first; variable;
             variable = variable->next) {
                if (!variable->is_used)
                        return cli_value_error("--set %s: no file has a variable of this name",
                                               variable->name);
        }

        return CLI_OK;
}

/* --- files --------------------------------------------------------------------------------- */

static int read_text(struct scenario_suite *suite,
                     const char *path,
                     const char **ret_name,
                     char **ret_text,
                     size_t *ret_n_bytes)
{
        bool is_input = strcmp(path, "-") == 0;
        int fd = is_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
        struct pipit_error error = {0};
        enum pipit_status status;

        *ret_name = is_input ? "standard input" : path;
        if (fd < 0)
                return cli_value_error("cannot read %s: %s", path, strerror(errno));

        status = pipit_json_input(fd,
                                  *ret_name,
                                  FILE_BYTES_MAX,
                                  &suite->arguments->arena,
                                  ret_text,
                                  ret_n_bytes,
                                  &error);
        if (!is_input)
                (void)close(fd);
        return status == PIPIT_OK ? CLI_OK : cli_value_error("%s", error.message);
}

/* NULL: it told why, or @problems has it. */
static struct scenario_file *read_file(struct scenario_suite *suite,
                                       const char *path,
                                       struct scenario_problems *problems)
{
        struct pipit_arena *arena = &suite->arguments->arena;
        struct scenario_value *value;
        const char *name = path;
        char *text = NULL;
        size_t n_bytes = 0;

        if (read_text(suite, path, &name, &text, &n_bytes) != CLI_OK)
                return NULL;

        value = scenario_read(name, text, n_bytes, arena, problems);
        return value ? scenario_file_new(name, value, arena, problems) : NULL;
}

static int read_files(struct scenario_suite *suite)
{
        struct scenario_problems problems = {.arena = &suite->arguments->arena};
        struct scenario_file **end = &suite->files;
        bool ok = true;
        const char *path;

        while ((path = cli_take(suite->arguments))) {
                struct scenario_file *file = read_file(suite, path, &problems);

                if (!file) {
                        ok = false;
                        continue;
                }
                *end = file;
                end = &file->next;
        }

        scenario_problems_print(&problems, stderr);
        return ok && !scenario_problems_any(&problems) ? CLI_OK : CLI_USAGE;
}

/* --- --only ---------------------------------------------------------------------------------- */

static bool choose_all(struct scenario_suite *suite, const char *pattern)
{
        bool any = false;

        for (struct scenario_file *file = suite->files; file; file = file->next) {
                for (struct scenario *scenario = file->scenarios; scenario;
                     scenario = scenario->next) {
                        if (pattern && fnmatch(pattern, scenario->name, 0) != 0)
                                continue;
                        scenario->is_chosen = true;
                        any = true;
                }
        }

        return any;
}

static int fail_only(const struct scenario_suite *suite, const char *pattern)
{
        struct pipit_nearest nearest = {.wanted = pattern};

        for (struct scenario_file *file = suite->files; file; file = file->next) {
                for (struct scenario *scenario = file->scenarios; scenario;
                     scenario = scenario->next)
                        pipit_nearest_consider(&nearest, scenario->name);
        }

        return cli_value_error("--only: there is no scenario '%s'%s%s%s",
                               pattern,
                               nearest.name ? "; did you mean '" : "",
                               nearest.name ? nearest.name : "",
                               nearest.name ? "'?" : "");
}

static int choose(struct scenario_suite *suite)
{
        const struct cli_list *only = &suite->arguments->options.only;

        if (only->n_values == 0)
                (void)choose_all(suite, NULL);
        for (size_t i = 0; i < only->n_values; i++) {
                if (!choose_all(suite, only->values[i]))
                        return fail_only(suite, only->values[i]);
        }

        return CLI_OK;
}

int scenario_suite_read(struct scenario_suite *suite)
{
        const struct cli_list *sets = &suite->arguments->options.sets;
        int status = CLI_OK;

        suite->overrides.arena = &suite->arguments->arena;
        for (size_t i = 0; status == CLI_OK && i < sets->n_values; i++)
                status = add_override(suite, sets->values[i]);
        if (status == CLI_OK)
                status = read_files(suite);

        return status == CLI_OK ? choose(suite) : status;
}
