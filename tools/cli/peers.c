#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/access/authorized_keys.h"
#include "core/base/clock.h"
#include "core/json/writer.h"
#include "tools/cli/access_file.h"
#include "tools/cli/command.h"

#define DAY_SIZE 16 /* "2027-01-01", and years of more digits */

/* "" for a key that does not expire. */
static void format_day(const struct pipit_authorized_key *key, char ret_day[DAY_SIZE])
{
        time_t seconds = (time_t)(key->expires_us / PIPIT_US_PER_S);
        struct tm day;

        ret_day[0] = '\0';
        if (key->expires_us != INT64_MAX && gmtime_r(&seconds, &day))
                (void)strftime(ret_day, DAY_SIZE, "%Y-%m-%d", &day);
}

static void print_line(const struct pipit_authorized_key *key)
{
        char text[PIPIT_KEY_TEXT_SIZE], day[DAY_SIZE];

        pipit_key_format(PIPIT_KEY_PUBLIC, key->key, text);
        format_day(key, day);
        (void)printf("%s %s", key->name, text);
        for (size_t i = 0; i < key->n_roles; i++)
                (void)printf("%s%s", i == 0 ? " roles=" : ",", key->roles[i]);
        if (day[0])
                (void)printf(" expires=%s%s",
                             day,
                             pipit_authorized_key_has_expired(key, pipit_clock_wall_us())
                                     ? " (expired)"
                                     : "");
        (void)putchar('\n');
}

static void write_string(struct pipit_json_writer *writer, const char *text)
{
        pipit_json_writer_string(writer, text, strlen(text));
}

static bool print_json(struct cli_arguments *arguments, const struct pipit_authorized_key *key)
{
        struct pipit_json_writer writer = {
                .arena = &arguments->arena,
                .pretty = arguments->options.output == CLI_OUTPUT_JSON,
        };
        char text[PIPIT_KEY_TEXT_SIZE], day[DAY_SIZE];

        pipit_key_format(PIPIT_KEY_PUBLIC, key->key, text);
        format_day(key, day);
        pipit_json_writer_begin(&writer, '{');
        pipit_json_writer_key(&writer, "name");
        write_string(&writer, key->name);
        pipit_json_writer_key(&writer, "key");
        write_string(&writer, text);
        pipit_json_writer_key(&writer, "roles");
        pipit_json_writer_begin(&writer, '[');
        for (size_t i = 0; i < key->n_roles; i++)
                write_string(&writer, key->roles[i]);
        pipit_json_writer_end(&writer, ']');
        if (day[0]) {
                pipit_json_writer_key(&writer, "expires");
                write_string(&writer, day);
        }
        pipit_json_writer_end(&writer, '}');

        const char *json = pipit_json_writer_finish(&writer);

        if (json)
                (void)printf("%s\n", json);
        return json != NULL;
}

static int print_all(struct cli_arguments *arguments, const struct pipit_authorized_keys *keys)
{
        const bool is_json = arguments->options.output == CLI_OUTPUT_JSON ||
                             arguments->options.output == CLI_OUTPUT_NDJSON;

        for (size_t i = 0; i < pipit_authorized_keys_count(keys); i++) {
                const struct pipit_authorized_key *key = pipit_authorized_keys_get(keys, i);

                if (!is_json)
                        print_line(key);
                else if (!print_json(arguments, key))
                        return cli_value_error("out of memory");
        }

        return CLI_OK;
}

static int run_peers(struct cli_arguments *arguments)
{
        struct pipit_access_problem problem;
        struct pipit_authorized_keys *keys;
        const char *path;
        int status;

        if (!cli_no_more(arguments))
                return CLI_USAGE;
        path = cli_access_path(arguments, arguments->options.file, PIPIT_PLACE_AUTHORIZED_KEYS);
        if (!path)
                return CLI_USAGE;

        keys = pipit_authorized_keys_load(path, &problem);
        if (!keys)
                return cli_value_error("%s", problem.text);

        status = print_all(arguments, keys);
        (void)pipit_authorized_keys_free(keys);
        return status;
}

static const struct cli_option options[] = {
        CLI_OPTION_OUTPUT_LIST, CLI_OPTION_AUTHORIZED_KEYS, CLI_OPTION_HELP, CLI_OPTION_END};

const struct cli_command cli_command_peers = {
        .name = "peers",
        .summary = "Lists the keys that may call a server.",
        .synopsis = "",
        .text = "A line a key of authorized_keys: its name, the key, its roles and its end.",
        .examples = "  pipit peers\n"
                    "  pipit peers --file /etc/usersd/authorized_keys -o ndjson\n",
        .options = options,
        .run = run_peers,
};
