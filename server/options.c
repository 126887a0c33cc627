#include "server/options.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/access/places.h"
#include "core/base/macros.h"
#include "core/json/nearest.h"
#include "server/listen.h"

#define INVOKE_TIMEOUT_MS_DEFAULT 5000

static const struct {
        const char *name;
        enum usersd_command command;
} commands[] = {
        {"serve", USERSD_SERVE},
        {"migrate", USERSD_MIGRATE},
        {"invoke", USERSD_INVOKE},
        {"version", USERSD_VERSION},
        {"--version", USERSD_VERSION},
        {"help", USERSD_HELP},
        {"--help", USERSD_HELP},
        {"-h", USERSD_HELP},
};

/* What one flag does with its value; false: the value is wrong. */
typedef bool (*flag_set_fn)(struct usersd_options *options, const char *value);

struct flag {
        const char *name;        /* with its dashes */
        const char *environment; /* the same as a variable */
        const char *value;       /* how help calls the value; NULL: a switch */
        const char *expected;    /* what a value may be, for errors */
        flag_set_fn set;         /* NULL: usersd_listen_add() */
        const char *help;
};

static bool parse_u32(const char *text, uint32_t *ret_number)
{
        char *end;
        unsigned long number;

        if (text[0] < '0' || text[0] > '9')
                return false;

        errno = 0;
        number = strtoul(text, &end, 10);
        if (errno != 0 || *end != '\0' || number > UINT32_MAX)
                return false;

        *ret_number = (uint32_t)number;

        return true;
}

static bool parse_bool(const char *text, bool *ret_bool)
{
        bool is_true = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;

        if (!is_true && strcmp(text, "false") != 0 && strcmp(text, "0") != 0)
                return false;

        *ret_bool = is_true;

        return true;
}

static bool set_store(struct usersd_options *options, const char *value)
{
        options->store = value;

        return strcmp(value, "memory:") == 0 ||
               (strncmp(value, "sqlite:", 7) == 0 && value[7] != '\0') ||
               strncmp(value, "postgres://", 11) == 0 || strncmp(value, "postgresql://", 13) == 0;
}

static bool set_log_level(struct usersd_options *options, const char *value)
{
        return pipit_log_level_parse(value, &options->log_level);
}

static bool set_log_format(struct usersd_options *options, const char *value)
{
        if (strcmp(value, "json") == 0)
                options->log_format = PIPIT_LOG_JSON;
        else if (strcmp(value, "readable") == 0)
                options->log_format = PIPIT_LOG_READABLE;
        else
                return false;

        return true;
}

static bool set_insecure_plaintext(struct usersd_options *options, const char *value)
{
        return parse_bool(value, &options->insecure_plaintext);
}

static bool set_path(const char **path, const char *value)
{
        *path = value;

        return value[0] != '\0';
}

static bool set_key(struct usersd_options *options, const char *value)
{
        options->key_given = true;

        return set_path(&options->key_path, value);
}

static bool set_authorized_keys(struct usersd_options *options, const char *value)
{
        options->authorized_keys_given = true;

        return set_path(&options->authorized_keys_path, value);
}

static bool set_policy(struct usersd_options *options, const char *value)
{
        options->policy_given = true;

        return set_path(&options->policy_path, value);
}

static bool set_no_reflection(struct usersd_options *options, const char *value)
{
        return parse_bool(value, &options->no_reflection);
}

static bool set_allow_data_loss(struct usersd_options *options, const char *value)
{
        return parse_bool(value, &options->allow_data_loss);
}

static bool set_no_named_statements(struct usersd_options *options, const char *value)
{
        return parse_bool(value, &options->no_named_statements);
}

static bool set_connections(struct usersd_options *options, const char *value)
{
        return parse_u32(value, &options->n_connections) && options->n_connections >= 1 &&
               options->n_connections <= 64;
}

static bool set_drain_ms(struct usersd_options *options, const char *value)
{
        return parse_u32(value, &options->drain_ms) && options->drain_ms >= 1;
}

static bool set_timeout_ms(struct usersd_options *options, const char *value)
{
        return parse_u32(value, &options->timeout_ms) && options->timeout_ms >= 1;
}

static const struct flag flags[] = {
        {"--listen",
         "USERSD_LISTEN",
         "URL",
         "ipc:///path, tcp://address:port or inproc://name, or several with commas between",
         NULL,
         "where to listen; repeatable, or with commas between (default: ipc in the runtime "
         "directory)"},
        {"--store",
         "USERSD_STORE",
         "URL",
         "memory:, sqlite:PATH or postgres://...",
         set_store,
         "where users are kept (default: sqlite in the state directory)"},
        {"--log-level",
         "USERSD_LOG_LEVEL",
         "LEVEL",
         "debug, info, warning, error or off",
         set_log_level,
         "the least that is logged (default: info)"},
        {"--log-format",
         "USERSD_LOG_FORMAT",
         "FORMAT",
         "json or readable",
         set_log_format,
         "how (default: readable on a terminal, else json)"},
        {"--key",
         "USERSD_KEY",
         "FILE",
         "the path of a file",
         set_key,
         "the server's secret key, for tcp:// (default: server.key in the configuration folder)"},
        {"--authorized-keys",
         "USERSD_AUTHORIZED_KEYS",
         "FILE",
         "the path of a file",
         set_authorized_keys,
         "whose keys may call (default: authorized_keys there); SIGHUP reads it again"},
        {"--policy",
         "USERSD_POLICY",
         "FILE",
         "the path of a file",
         set_policy,
         "who may call what (default: policy there, if it exists); SIGHUP reads it again"},
        {"--insecure-plaintext",
         "USERSD_INSECURE_PLAINTEXT",
         NULL,
         "true or false",
         set_insecure_plaintext,
         "allow tcp:// without keys, on loopback addresses only"},
        {"--no-reflection",
         "USERSD_NO_REFLECTION",
         NULL,
         "true or false",
         set_no_reflection,
         "do not tell services and their types to clients"},
        {"--allow-data-loss",
         "USERSD_ALLOW_DATA_LOSS",
         NULL,
         "true or false",
         set_allow_data_loss,
         "serve from a PostgreSQL with fsync or synchronous_commit off"},
        {"--no-named-statements",
         "USERSD_NO_NAMED_STATEMENTS",
         NULL,
         "true or false",
         set_no_named_statements,
         "for PgBouncer in transaction mode"},
        {"--connections",
         "USERSD_CONNECTIONS",
         "N",
         "1 to 64",
         set_connections,
         "to PostgreSQL (default: 4)"},
        {"--drain-ms",
         "USERSD_DRAIN_MS",
         "N",
         "a number of milliseconds, 1 or more",
         set_drain_ms,
         "how long SIGTERM lets accepted calls finish (default: 10000)"},
        {"--timeout-ms",
         "USERSD_TIMEOUT_MS",
         "N",
         "a number of milliseconds, 1 or more",
         set_timeout_ms,
         "how long invoke waits (default: 5000)"},
};

_Static_assert(PIPIT_N_ELEMENTS(flags) <= USERSD_FLAGS_MAX, "options->given has one for each");

static const struct flag *find_flag(const char *name, size_t n_bytes)
{
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(flags); i++) {
                if (strlen(flags[i].name) == n_bytes && strncmp(flags[i].name, name, n_bytes) == 0)
                        return &flags[i];
        }

        return NULL;
}

/* How much of a value may be shown: what stands behind a store's scheme may be a password. */
static int shown_bytes(const struct flag *flag, const char *value)
{
        const char *colon = strchr(value, ':');

        return (int)(flag->set == set_store && colon ? (size_t)(colon + 1 - value) : strlen(value));
}

static bool set_flag(struct usersd_options *options,
                     const struct flag *flag,
                     const char *name,
                     const char *value,
                     FILE *errors)
{
        int n_shown;

        if (!flag->set)
                return usersd_listen_add(options, name, value, errors);
        if (flag->set(options, value))
                return true;

        n_shown = shown_bytes(flag, value);
        (void)fprintf(errors,
                      "usersd: %s: '%.*s%s' is not %s\n",
                      name,
                      n_shown,
                      value,
                      value[n_shown] ? "..." : "",
                      flag->expected);

        return false;
}

static bool refuse_flag(const char *word, size_t n_bytes, FILE *errors)
{
        char wanted[64];
        struct pipit_nearest nearest = {.wanted = wanted};

        (void)snprintf(wanted, sizeof(wanted), "%.*s", (int)n_bytes, word);
        nearest.wanted += strspn(wanted, "-");
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(flags); i++)
                pipit_nearest_consider(&nearest, flags[i].name + strlen("--"));

        (void)fprintf(errors, "usersd: unknown flag %.*s; ", (int)n_bytes, word);
        if (nearest.name)
                (void)fprintf(errors, "did you mean --%s?\n", nearest.name);
        else
                (void)fprintf(errors, "see usersd help\n");

        return false;
}

/* Consumes argv[*index] and, where its value is a word of its own, the one behind it. */
static bool read_flag(
        struct usersd_options *options, char **argv, int argc, int *index, FILE *errors)
{
        const char *word = argv[*index];
        const char *equals = strchr(word, '=');
        size_t n_bytes = equals ? (size_t)(equals - word) : strlen(word);
        const struct flag *flag = find_flag(word, n_bytes);
        const char *value;

        if (!flag)
                return refuse_flag(word, n_bytes, errors);

        if (equals)
                value = equals + 1;
        else if (!flag->value)
                value = "true";
        else if (*index + 1 < argc)
                value = argv[++*index];
        else {
                (void)fprintf(errors, "usersd: %s needs a value: %s\n", flag->name, flag->expected);
                return false;
        }

        options->given[flag - flags] = true;

        return set_flag(options, flag, flag->name, value, errors);
}

static bool read_environment(struct usersd_options *options, FILE *errors)
{
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(flags); i++) {
                const char *value = getenv(flags[i].environment);

                /* An empty one is as none, as for pipit: so a script takes one back. */
                if (!value || value[0] == '\0' || options->given[i])
                        continue;
                if (!set_flag(options, &flags[i], flags[i].environment, value, errors))
                        return false;
        }

        return true;
}

static bool read_command(struct usersd_options *options, const char *word, FILE *errors)
{
        struct pipit_nearest nearest = {.wanted = word};

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(commands); i++) {
                if (strcmp(commands[i].name, word) == 0) {
                        options->command = commands[i].command;
                        return true;
                }
                pipit_nearest_consider(&nearest, commands[i].name);
        }

        if (nearest.name)
                (void)fprintf(errors,
                              "usersd: unknown command '%s'; did you mean %s?\n",
                              word,
                              nearest.name);
        else
                (void)fprintf(errors,
                              "usersd: unknown command '%s': serve, migrate, invoke, version or "
                              "help\n",
                              word);

        return false;
}

static bool read_arguments(struct usersd_options *options, int argc, char **argv, FILE *errors)
{
        for (int i = 2; i < argc; i++) {
                if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
                        options->command = USERSD_HELP;
                        return true;
                }
                if (argv[i][0] == '-') {
                        if (!read_flag(options, argv, argc, &i, errors))
                                return false;
                } else if (options->command == USERSD_INVOKE && !options->method) {
                        options->method = argv[i];
                } else {
                        (void)fprintf(errors,
                                      "usersd: unexpected argument '%s'; see usersd help\n",
                                      argv[i]);
                        return false;
                }
        }

        return true;
}

/*
 * A directory for sockets or state: what systemd gave, else what the session
 * has, else root's own, else none.
 */
static bool default_path(char *ret_path,
                         size_t size,
                         const char *prefix,
                         const char *const *variables,
                         const char *root_directory,
                         const char *name)
{
        const char *directory = NULL;
        const char *sub = "";
        int length;

        for (; !directory && *variables; variables += 2) {
                directory = getenv(variables[0]);
                if (directory && directory[0] != '/')
                        directory = NULL;
                sub = variables[1];
        }
        if (!directory) {
                if (geteuid() != 0)
                        return false;
                directory = root_directory;
                sub = "";
        }

        length = snprintf(ret_path, size, "%s%s%s/%s", prefix, directory, sub, name);

        return length > 0 && (size_t)length < size;
}

/* Where `pipit authorize` and its sisters put it. NULL: there is no such place. */
static const char *usual_place(char *path, size_t size, const char *name)
{
        struct pipit_arena arena = {};
        const char *place = pipit_access_place(&arena, name);
        bool fits = place && strlen(place) < size;

        if (fits)
                (void)strcpy(path, place);
        pipit_arena_deinit(&arena);

        return fits ? path : NULL;
}

static void set_usual_places(struct usersd_options *o)
{
        if (!o->key_path)
                o->key_path =
                        usual_place(o->default_key, sizeof(o->default_key), PIPIT_PLACE_SERVER_KEY);
        if (!o->authorized_keys_path)
                o->authorized_keys_path = usual_place(o->default_authorized_keys,
                                                      sizeof(o->default_authorized_keys),
                                                      PIPIT_PLACE_AUTHORIZED_KEYS);
        if (!o->policy_path)
                o->policy_path = usual_place(
                        o->default_policy, sizeof(o->default_policy), PIPIT_PLACE_POLICY);
}

static bool set_defaults(struct usersd_options *options, FILE *errors)
{
        static const char *const runtime[] = {
                "RUNTIME_DIRECTORY", "", "XDG_RUNTIME_DIR", "/usersd", NULL};
        static const char *const state[] = {"STATE_DIRECTORY",
                                            "",
                                            "XDG_STATE_HOME",
                                            "/usersd",
                                            "HOME",
                                            "/.local/state/usersd",
                                            NULL};

        if (options->command == USERSD_SERVE && options->n_urls == 0) {
                if (!default_path(options->default_url,
                                  sizeof(options->default_url),
                                  "ipc://",
                                  runtime,
                                  "/run/usersd",
                                  "usersd.sock")) {
                        (void)fprintf(errors,
                                      "usersd: no runtime directory (RUNTIME_DIRECTORY, "
                                      "XDG_RUNTIME_DIR): give --listen ipc:///path\n");
                        return false;
                }
                options->urls[options->n_urls++] = options->default_url;
        }
        if (!options->store) {
                if (!default_path(options->default_store,
                                  sizeof(options->default_store),
                                  "sqlite:",
                                  state,
                                  "/var/lib/usersd",
                                  "users.db")) {
                        (void)fprintf(errors,
                                      "usersd: no state directory (STATE_DIRECTORY, "
                                      "XDG_STATE_HOME, HOME): give --store sqlite:PATH\n");
                        return false;
                }
                options->store = options->default_store;
        }
        set_usual_places(options);

        return true;
}

bool usersd_options_read(struct usersd_options *options, int argc, char **argv, FILE *errors)
{
        *options = (struct usersd_options){
                .log_level = PIPIT_LOG_INFO,
                .log_format = isatty(STDERR_FILENO) ? PIPIT_LOG_READABLE : PIPIT_LOG_JSON,
                .timeout_ms = INVOKE_TIMEOUT_MS_DEFAULT,
        };

        if (argc < 2) {
                (void)fprintf(errors,
                              "usersd: a command is needed: serve, migrate, invoke METHOD, "
                              "version or help\n");
                return false;
        }
        if (!read_command(options, argv[1], errors))
                return false;
        if (options->command == USERSD_VERSION || options->command == USERSD_HELP)
                return true;

        if (!read_arguments(options, argc, argv, errors))
                return false;
        if (options->command == USERSD_HELP)
                return true;
        if (!read_environment(options, errors) || !usersd_listen_check(options, errors))
                return false;
        if (options->command == USERSD_INVOKE && !options->method) {
                (void)fprintf(errors, "usersd: invoke needs a method, as usersd invoke GetUser\n");
                return false;
        }

        return set_defaults(options, errors);
}

void usersd_options_help(FILE *output)
{
        (void)fprintf(
                output,
                "usersd keeps users, and serves users.v1.UsersService.\n"
                "\n"
                "  usersd serve [FLAG...]          serve until SIGTERM; SIGHUP reads who may call\n"
                "  usersd migrate [--store URL]    bring the store's schema up to date\n"
                "  usersd invoke METHOD [FLAG...]  run one call: JSON from stdin to stdout\n"
                "  usersd version\n"
                "\n"
                "Each flag is an environment variable, too: --store is USERSD_STORE.\n"
                "\n");
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(flags); i++) {
                char name[48];

                (void)snprintf(name,
                               sizeof(name),
                               "%s %s",
                               flags[i].name,
                               flags[i].value ? flags[i].value : "");
                (void)fprintf(output, "  %-24s %s\n", name, flags[i].help);
        }
        (void)fprintf(
                output,
                "\n"
                "Examples:\n"
                "  usersd serve --listen ipc:///tmp/users.sock --store sqlite:/tmp/users.db\n"
                "  usersd serve --store postgres://users@db/users\n"
                "  usersd serve --listen tcp://10.0.0.5:7000 --key server.key --policy policy\n"
                "  echo '{\"email\":\"ada@example.com\"}' | usersd invoke GetUser\n");
}
