#include <stdio.h>
#include <string.h>

#include "client/target.h"
#include "core/access/known_servers.h"
#include "core/base/ascii.h"
#include "tools/cli/access_file.h"
#include "tools/cli/command.h"

/* Reads @text as a client will. False: it said what is wrong. */
static bool check(const char *path, const char *text)
{
        struct pipit_access_problem problem;
        struct pipit_known_servers *servers =
                pipit_known_servers_parse(path, text, strlen(text), &problem);

        if (!servers)
                (void)cli_value_error("%s", problem.text);
        else
                (void)pipit_known_servers_free(servers);

        return servers != NULL;
}

/* What no channel can be made to is no use in the file. */
static bool check_url(const char *url)
{
        struct target_address address;
        const char *problem;

        if (!pipit_known_servers_url_is_valid(url, strlen(url))) {
                (void)cli_value_error(
                        "URL: '%s' is no URL of a server with a key: one is tcp://HOST:PORT", url);
                return false;
        }

        problem = target_parse_url(url, strlen(url), false, &address);
        if (problem)
                (void)cli_value_error("URL: %s: %s", url, problem);
        return problem == NULL;
}

/* The line for known_servers; NULL: it said what is wrong. */
static char *make_line(struct cli_arguments *arguments, char *url, const char *key)
{
        char *line;

        for (char *at = url; *at; at++)
                *at = pipit_ascii_lower(*at);
        line = pipit_arena_printf(&arguments->arena, "%s %s", url, key);
        if (!line) {
                (void)cli_value_error("out of memory");
                return NULL;
        }

        return check_url(url) && cli_access_check_key(key) ? line : NULL;
}

static int trust(struct cli_arguments *arguments,
                 const char *url,
                 const char *line,
                 const char *path)
{
        struct cli_access_edit edit = {.lock = -1};
        size_t n_replaced = 0;
        bool ok = cli_access_edit_begin(&edit, arguments, path);

        if (ok) {
                n_replaced = cli_access_edit_remove(&edit, 0, url);
                ok = cli_access_edit_append(&edit, line) && check(path, edit.text) &&
                     cli_access_edit_commit(&edit);
        }
        cli_access_edit_end(&edit);
        if (ok)
                (void)fprintf(stderr,
                              "pipit: %s is trusted by this key in %s%s\n",
                              url,
                              path,
                              n_replaced > 0 ? "; it replaces the one before" : "");

        return ok ? CLI_OK : CLI_USAGE;
}

static int run_trust(struct cli_arguments *arguments)
{
        const char *url = cli_take(arguments), *key = cli_take(arguments), *path, *line;
        char *lower;

        if (!url || !key)
                return cli_usage_error(arguments, "a URL and a public key are missing");
        if (!cli_no_more(arguments))
                return CLI_USAGE;

        path = cli_access_path(arguments, arguments->options.file, PIPIT_PLACE_KNOWN_SERVERS);
        lower = pipit_arena_strdup(&arguments->arena, url);
        line = path && lower ? make_line(arguments, lower, key) : NULL;

        return line ? trust(arguments, lower, line, path) : CLI_USAGE;
}

static const struct cli_option options[] = {
        CLI_OPTION("file",
                   'f',
                   CLI_STRING,
                   file,
                   "PIPIT_KNOWN_SERVERS",
                   "FILE",
                   "the file (default: known_servers in the\n"
                   "configuration folder)"),
        CLI_OPTION_HELP,
        CLI_OPTION_END,
};

const struct cli_command cli_command_trust = {
        .name = "trust",
        .summary = "Tells which key a server has.",
        .synopsis = "URL KEY",
        .text = "Adds a line to known_servers, or replaces the one of URL. Ask whoever runs the\n"
                "server for KEY, by a way that you trust: there, `pipit pubkey FILE` prints it.",
        .examples = "  pipit trust tcp://10.0.0.5:7000 pipit-pk1_aaaqeayeau...\n",
        .options = options,
        .run = run_trust,
};
