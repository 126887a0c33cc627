#include <stdio.h>
#include <string.h>

#include "core/access/authorized_keys.h"
#include "tools/cli/access_file.h"
#include "tools/cli/command.h"

/* The line for authorized_keys; NULL: out of memory. */
static char *make_line(struct cli_arguments *arguments, const char *name, const char *key)
{
        const struct cli_list *roles = &arguments->options.roles;
        const char *expires = arguments->options.expires;
        char *line = pipit_arena_printf(&arguments->arena, "%s %s", key, name);

        for (size_t i = 0; line && i < roles->n_values; i++)
                line = pipit_arena_printf(&arguments->arena,
                                          "%s%s%s",
                                          line,
                                          i == 0 ? " roles=" : ",",
                                          roles->values[i]);
        if (line && expires)
                line = pipit_arena_printf(&arguments->arena, "%s expires=%s", line, expires);

        return line;
}

/* A line of its own, before it meets the others: its errors are about flags and arguments. */
static bool check_line(const char *line)
{
        struct pipit_access_problem problem;
        struct pipit_authorized_keys *keys;

        if (strpbrk(line, "\n\r#")) {
                (void)cli_value_error("names, keys and roles have no line breaks and no '#'");
                return false;
        }

        keys = pipit_authorized_keys_parse("the new line", line, strlen(line), &problem);
        if (!keys)
                (void)cli_value_error("%s", problem.text);
        else
                (void)pipit_authorized_keys_free(keys);

        return keys != NULL;
}

/* The file as it would be is read as the server will read it. */
static bool check_file(const struct cli_access_edit *edit)
{
        struct pipit_access_problem problem;
        struct pipit_authorized_keys *keys =
                pipit_authorized_keys_parse(edit->path, edit->text, edit->n_bytes, &problem);

        if (!keys)
                (void)cli_value_error("%s", problem.text);
        else
                (void)pipit_authorized_keys_free(keys);

        return keys != NULL;
}

static int run_authorize(struct cli_arguments *arguments)
{
        const char *name = cli_take(arguments), *key = cli_take(arguments), *path, *line;
        struct cli_access_edit edit = {.lock = -1};
        bool ok;

        if (!name || !key)
                return cli_usage_error(arguments, "a name and a public key are missing");
        if (!cli_no_more(arguments))
                return CLI_USAGE;

        path = cli_access_path(arguments, arguments->options.file, PIPIT_PLACE_AUTHORIZED_KEYS);
        line = make_line(arguments, name, key);
        ok = path && line && check_line(line) && cli_access_edit_begin(&edit, arguments, path) &&
             cli_access_edit_append(&edit, line) && check_file(&edit) &&
             cli_access_edit_commit(&edit);
        cli_access_edit_end(&edit);
        if (ok)
                (void)fprintf(stderr, "pipit: %s is authorized in %s\n", name, path);

        return ok ? CLI_OK : CLI_USAGE;
}

static const struct cli_option options[] = {
        CLI_OPTION("role",
                   'r',
                   CLI_LIST,
                   roles,
                   NULL,
                   "ROLE",
                   "a role of the policy that the key has (repeatable)"),
        CLI_OPTION("expires",
                   'e',
                   CLI_STRING,
                   expires,
                   NULL,
                   "YYYY-MM-DD",
                   "the first day, UTC, on which the key is no longer good"),
        CLI_OPTION_AUTHORIZED_KEYS,
        CLI_OPTION_HELP,
        CLI_OPTION_END,
};

const struct cli_command cli_command_authorize = {
        .name = "authorize",
        .summary = "Lets a key call a server, by a name.",
        .synopsis = "NAME KEY",
        .text = "Adds a line to authorized_keys, which usersd reads when it starts and at SIGHUP.\n"
                "What NAME may call is up to the policy (key:NAME), or to the roles given.",
        .examples = "  pipit authorize alice pipit-pk1_aaaqeayeau... --role admin\n"
                    "  pipit authorize ci $(pipit pubkey ci.key) --expires 2027-01-01\n",
        .options = options,
        .run = run_authorize,
};
