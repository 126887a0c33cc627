#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/access/authorized_keys.h"
#include "core/access/policy.h"
#include "core/base/clock.h"
#include "core/json/nearest.h"
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

/* --- flags and arguments: each is told by the name that its user knows it by ------------ */

static bool check_word(const char *origin, const char *what, const char *word, size_t n_bytes)
{
        if (pipit_access_name_is_valid(word, n_bytes))
                return true;

        (void)cli_value_error("%s: '%.*s' is no %s: one has 1 to %d letters, digits, and . _ - @, "
                              "and begins with a letter or digit",
                              origin,
                              (int)n_bytes,
                              word,
                              what,
                              PIPIT_ACCESS_NAME_BYTES_MAX);
        return false;
}

static bool check_roles(const struct cli_list *roles)
{
        size_t n_roles = 0;

        for (size_t i = 0; i < roles->n_values; i++) {
                /* With commas between they are several, as in the file. */
                for (const char *role = roles->values[i];; role++) {
                        size_t n_role = strcspn(role, ",");

                        if (!check_word("--role", "role", role, n_role))
                                return false;
                        n_roles++;
                        role += n_role;
                        if (*role == '\0')
                                break;
                }
        }
        if (n_roles <= PIPIT_AUTHORIZED_ROLES_MAX)
                return true;

        (void)cli_value_error("--role: a key has at most %d roles", PIPIT_AUTHORIZED_ROLES_MAX);
        return false;
}

static bool check_expires(const char *expires)
{
        int64_t wall_us = INT64_MAX;

        if (expires && !pipit_access_date_parse(expires, strlen(expires), &wall_us)) {
                (void)cli_value_error("--expires: '%s' is no day, as 2027-01-31", expires);
                return false;
        }
        if (wall_us > pipit_clock_wall_us())
                return true;

        (void)cli_value_error(
                "--expires: %s is over already: it is the first day, UTC, on which the "
                "key is no longer good",
                expires);
        return false;
}

static bool check_words(const struct cli_arguments *arguments, const char *name, const char *key)
{
        return check_word("NAME", "name", name, strlen(name)) && cli_access_check_key(key) &&
               check_roles(&arguments->options.roles) && check_expires(arguments->options.expires);
}

/* --- roles: a server that reads a policy refuses keys with others --------------------------- */

/* The policy that lies beside the keys. NULL: there is none, or none that can be read here. */
static struct pipit_policy *policy_beside(const struct cli_access_edit *edit)
{
        const char *slash = strrchr(edit->path, '/');
        const char *path = pipit_arena_printf(&edit->arguments->arena,
                                              "%.*s%s",
                                              slash ? (int)(slash + 1 - edit->path) : 0,
                                              edit->path,
                                              PIPIT_PLACE_POLICY);
        struct pipit_access_problem problem;
        struct pipit_policy *policy;

        if (!path || access(path, F_OK) < 0)
                return NULL;

        policy = pipit_policy_load(path, &problem);
        if (!policy)
                (void)cli_value_error("roles are not checked: %s", problem.text);
        return policy;
}

static bool fail_role(struct cli_arguments *arguments,
                      const struct pipit_policy *policy,
                      const char *role)
{
        struct pipit_nearest nearest = {.wanted = role};
        const char *all = "", *name;

        for (size_t i = 0; all && (name = pipit_policy_role(policy, i)); i++) {
                pipit_nearest_consider(&nearest, name);
                all = pipit_arena_printf(
                        &arguments->arena, "%s%s%s", all, i == 0 ? "" : ", ", name);
        }
        if (nearest.name)
                (void)cli_value_error("--role: %s does not define '%s'; did you mean %s?",
                                      pipit_policy_path(policy),
                                      role,
                                      nearest.name);
        else
                (void)cli_value_error("--role: %s does not define '%s'; it has %s",
                                      pipit_policy_path(policy),
                                      role,
                                      all && *all ? all : "no roles");
        return false;
}

static bool check_policy(const struct cli_access_edit *edit, const struct pipit_authorized_key *key)
{
        struct pipit_policy *policy = key->n_roles > 0 ? policy_beside(edit) : NULL;
        bool ok = true;

        for (size_t i = 0; policy && ok && i < key->n_roles; i++)
                ok = pipit_policy_has_role(policy, key->roles[i]) ||
                     fail_role(edit->arguments, policy, key->roles[i]);
        pipit_policy_unref(policy);

        return ok;
}

/* --- the command ---------------------------------------------------------------------------- */

/* The file as it would be is read as the server will read it. */
static bool check_file(const struct cli_access_edit *edit, const char *name)
{
        struct pipit_access_problem problem;
        struct pipit_authorized_keys *keys =
                pipit_authorized_keys_parse(edit->path, edit->text, edit->n_bytes, &problem);
        bool ok = false;

        if (keys)
                ok = check_policy(edit, pipit_authorized_keys_find_name(keys, name));
        else
                (void)cli_value_error("%s", problem.text);
        (void)pipit_authorized_keys_free(keys);

        return ok;
}

static int run_authorize(struct cli_arguments *arguments)
{
        const char *name = cli_take(arguments), *key = cli_take(arguments), *path, *line;
        struct cli_access_edit edit = {.lock = -1};
        bool ok;

        if (!name || !key)
                return cli_usage_error(arguments, "a name and a public key are missing");
        if (!cli_no_more(arguments) || !check_words(arguments, name, key))
                return CLI_USAGE;

        path = cli_access_path(arguments, arguments->options.file, PIPIT_PLACE_AUTHORIZED_KEYS);
        line = make_line(arguments, name, key);
        ok = path && line && cli_access_edit_begin(&edit, arguments, path) &&
             cli_access_edit_append(&edit, line) && check_file(&edit, name) &&
             cli_access_edit_commit(&edit);
        cli_access_edit_end(&edit);
        if (ok)
                (void)fprintf(
                        stderr,
                        "pipit: %s is authorized in %s; a server that runs lets it in once it "
                        "reads the file again (usersd: at SIGHUP)\n",
                        name,
                        path);

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
                "What NAME may call is up to the policy (key:NAME), or to the roles given, which\n"
                "the file `policy` beside it, where there is one, has to define.",
        .examples = "  pipit authorize alice pipit-pk1_aaaqeayeau... --role admin\n"
                    "  pipit authorize ci $(pipit pubkey ci.key) --expires 2027-01-01\n",
        .options = options,
        .run = run_authorize,
};
