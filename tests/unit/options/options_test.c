/*
 * usersd's flags and environment: what is taken, what is refused and how it is
 * said, and which of the two wins
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/macros.h"
#include "server/options.h"

#define WORDS_MAX 24

/* With the / before it one byte more than a socket's path has. */
#define TEN       "0123456789"
#define LONG_PATH TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "0123456"

/* struct run - one command line, as a shell would split it, and what came of it */
struct run {
        char line[2048];
        char *argv[WORDS_MAX];
        int argc;
        struct usersd_options options;
        char errors[2048];
        bool good;
};

static struct run *run_line(struct run *run, const char *line)
{
        char *rest = run->line;
        char *word;
        FILE *errors;

        memset(run, 0, sizeof(*run));
        assert_true(strlen(line) < sizeof(run->line));
        (void)strcpy(run->line, line);
        while ((word = strsep(&rest, " ")))
                run->argv[run->argc++] = word;

        errors = fmemopen(run->errors, sizeof(run->errors), "w");
        assert_non_null(errors);
        run->good = usersd_options_read(&run->options, run->argc, run->argv, errors);
        assert_int_equal(fclose(errors), 0);

        return run;
}

static struct run *run_good(struct run *run, const char *line)
{
        run_line(run, line);
        if (!run->good)
                print_error("%s: %s\n", line, run->errors);
        assert_true(run->good);
        assert_string_equal(run->errors, "");

        return run;
}

/* Nothing of the machine's is seen: every test says what it wants. */
static int clear_environment(void **state)
{
        (void)state;
        assert_int_equal(clearenv(), 0);
        assert_int_equal(setenv("RUNTIME_DIRECTORY", "/run/here", 1), 0);
        assert_int_equal(setenv("STATE_DIRECTORY", "/var/here", 1), 0);

        return 0;
}

static void what_is_wrong_is_refused_in_one_line_that_tells_what_is_right(void **state)
{
        static const struct {
                const char *line;
                const char *says;
        } table[] = {
                {"usersd", "a command is needed"},
                {"usersd server", "unknown command 'server'; did you mean serve?"},
                {"usersd srve", "unknown command 'srve'; did you mean serve?"},
                {"usersd start", "unknown command 'start': serve, migrate, invoke"},
                {"usersd serve --prot 1", "unknown flag --prot; see usersd help"},
                {"usersd serve --stor=memory:", "unknown flag --stor; did you mean --store?"},
                {"usersd serve --lisen ipc:///a", "unknown flag --lisen; did you mean --listen?"},
                {"usersd serve -policy p", "unknown flag -policy; did you mean --policy?"},
                {"usersd serve -", "unknown flag -; see usersd help"},
                {"usersd serve here", "unexpected argument 'here'"},
                {"usersd migrate GetUser", "unexpected argument 'GetUser'"},
                {"usersd invoke", "invoke needs a method"},
                {"usersd invoke --store memory:", "invoke needs a method"},
                {"usersd invoke GetUser ListUsers", "unexpected argument 'ListUsers'"},
                {"usersd serve --listen", "--listen needs a value: ipc:///path"},
                {"usersd serve --listen=", "--listen: '' is not ipc:///path"},
                {"usersd serve --listen foo", "--listen: 'foo' is not ipc:///path"},
                {"usersd serve --listen http://x", "'http://x' is not ipc:///path"},
                {"usersd serve --listen http://[::1]:8", "did you mean tcp://[::1]:8?"},
                {"usersd serve --listen localhost:8", "did you mean tcp://localhost:8?"},
                {"usersd serve --listen unix:/a/b", "'unix:/a/b': did you mean ipc:///a/b?"},
                {"usersd serve --listen unix:///a", "did you mean ipc:///a?"},
                {"usersd serve --listen /a", "did you mean ipc:///a?"},
                {"usersd serve --listen ipc://rel", "the path must be absolute: ipc:///path"},
                {"usersd serve --listen ipc:///" LONG_PATH, "at most 107 bytes"},
                {"usersd serve --listen inproc://", "a name is missing: inproc://name"},
                {"usersd serve --listen tcp://127.0.0.1:99999", "a port is 1 to 65535"},
                {"usersd serve --listen tcp://127.0.0.1:65536", "a port is 1 to 65535"},
                {"usersd serve --listen tcp://127.0.0.1:http", "a port is 1 to 65535"},
                {"usersd serve --listen tcp://127.0.0.1", "a port is missing: tcp://address:port"},
                {"usersd serve --listen tcp://[::1]", "a port is missing: tcp://address:port"},
                {"usersd serve --listen tcp://127.0.0.1:", "a port is missing"},
                {"usersd serve --listen tcp://db:7", "the address must be numeric or localhost"},
                {"usersd serve --listen tcp://:7", "the address must be numeric or localhost"},
                {"usersd serve --listen ipc:///a,foo", "--listen: 'foo' is not ipc:///path"},
                {"usersd serve --listen ipc:///a,ipc:///a", "'ipc:///a' is given twice"},
                {"usersd serve --listen ipc:///a --listen ipc:///a", "'ipc:///a' is given twice"},
                {"usersd serve --listen inproc://a,inproc://a", "'inproc://a' is given twice"},
                {"usersd serve --listen tcp://127.0.0.1:7,tcp://localhost:7",
                 "'tcp://localhost:7' is the same address as 'tcp://127.0.0.1:7'"},
                {"usersd serve --insecure-plaintext --listen tcp://10.0.0.5:7",
                 "'tcp://10.0.0.5:7': without keys tcp is for loopback addresses only"},
                {"usersd serve --store", "--store needs a value: memory:, sqlite:PATH"},
                {"usersd serve --store=", "--store: '' is not memory:, sqlite:PATH"},
                {"usersd serve --store users.db", "--store: 'users.db' is not"},
                {"usersd serve --store sqlite:", "--store: 'sqlite:' is not"},
                {"usersd serve --store memory:x", "--store: 'memory:...' is not"},
                {"usersd serve --store postgres:/x", "--store: 'postgres:...' is not"},
                {"usersd serve --log-level loud", "--log-level: 'loud' is not debug, info"},
                {"usersd serve --log-format xml", "--log-format: 'xml' is not json or readable"},
                {"usersd serve --insecure-plaintext=yes", "'yes' is not true or false"},
                {"usersd serve --insecure-plaintext=", "'' is not true or false"},
                {"usersd serve --key", "--key needs a value: the path of a file"},
                {"usersd serve --authorized-keys=", "'' is not the path of a file"},
                {"usersd serve --policy=", "--policy: '' is not the path of a file"},
                {"usersd serve --no-reflection=on", "'on' is not true or false"},
                {"usersd serve --allow-data-loss=2", "'2' is not true or false"},
                {"usersd serve --no-named-statements=TRUE", "'TRUE' is not true or false"},
                {"usersd serve --connections 0", "--connections: '0' is not 1 to 64"},
                {"usersd serve --connections 65", "--connections: '65' is not 1 to 64"},
                {"usersd serve --connections -1", "--connections: '-1' is not 1 to 64"},
                {"usersd serve --connections 4x", "--connections: '4x' is not 1 to 64"},
                {"usersd serve --connections 4294967297", "is not 1 to 64"},
                {"usersd serve --drain-ms 0", "--drain-ms: '0' is not a number of milliseconds"},
                {"usersd serve --drain-ms 1.5", "--drain-ms: '1.5' is not a number"},
                {"usersd serve --timeout-ms 99999999999999999999", "is not a number"},
                {"usersd serve --timeout-ms 4294967296", "is not a number"},
                {"usersd serve --timeout-ms=", "--timeout-ms: '' is not a number"},
        };
        struct run run;

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(table); i++) {
                run_line(&run, table[i].line);
                if (run.good || !strstr(run.errors, table[i].says))
                        fail_msg("%s: %s", table[i].line, run.good ? "accepted" : run.errors);
                assert_ptr_equal(strchr(run.errors, '\n'), run.errors + strlen(run.errors) - 1);
        }
}

static void a_flag_takes_its_value_as_one_word_or_two(void **state)
{
        struct run run;

        (void)state;
        run_good(&run,
                 "usersd serve --store memory: --connections=64 --drain-ms 1 --log-level=debug"
                 " --log-format readable --insecure-plaintext --allow-data-loss=true"
                 " --no-named-statements=0 --no-reflection --listen ipc:///a --listen=ipc:///b");
        assert_int_equal(run.options.command, USERSD_SERVE);
        assert_string_equal(run.options.store, "memory:");
        assert_int_equal(run.options.n_connections, 64);
        assert_int_equal(run.options.drain_ms, 1);
        assert_int_equal(run.options.log_level, PIPIT_LOG_DEBUG);
        assert_int_equal(run.options.log_format, PIPIT_LOG_READABLE);
        assert_true(run.options.insecure_plaintext);
        assert_true(run.options.allow_data_loss);
        assert_false(run.options.no_named_statements);
        assert_true(run.options.no_reflection);
        assert_int_equal(run.options.n_urls, 2);
        assert_string_equal(run.options.urls[0], "ipc:///a");
        assert_string_equal(run.options.urls[1], "ipc:///b");
}

static void every_store_and_the_longest_timeout_are_taken(void **state)
{
        static const char *const stores[] = {
                "memory:", "sqlite:x", "sqlite:/a:b", "postgres://h/d", "postgresql:///d?host=/x"};
        char line[128];
        struct run run;

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(stores); i++) {
                (void)snprintf(line, sizeof(line), "usersd migrate --store %s", stores[i]);
                run_good(&run, line);
                assert_string_equal(run.options.store, stores[i]);
        }
        run_good(&run, "usersd invoke GetUser --timeout-ms 4294967295");
        assert_int_equal(run.options.timeout_ms, UINT32_MAX);
        assert_string_equal(run.options.method, "GetUser");
}

static void the_environment_is_every_flag(void **state)
{
        struct run run;

        (void)state;
        (void)setenv("USERSD_LISTEN", "ipc:///a,tcp://127.0.0.1:0", 1);
        (void)setenv("USERSD_STORE", "memory:", 1);
        (void)setenv("USERSD_LOG_LEVEL", "off", 1);
        (void)setenv("USERSD_LOG_FORMAT", "json", 1);
        (void)setenv("USERSD_INSECURE_PLAINTEXT", "1", 1);
        (void)setenv("USERSD_ALLOW_DATA_LOSS", "true", 1);
        (void)setenv("USERSD_NO_NAMED_STATEMENTS", "true", 1);
        (void)setenv("USERSD_CONNECTIONS", "7", 1);
        (void)setenv("USERSD_DRAIN_MS", "8", 1);
        (void)setenv("USERSD_TIMEOUT_MS", "9", 1);
        run_good(&run, "usersd serve");
        assert_int_equal(run.options.n_urls, 2);
        assert_string_equal(run.options.urls[0], "ipc:///a");
        assert_string_equal(run.options.urls[1], "tcp://127.0.0.1:0");
        assert_string_equal(run.options.store, "memory:");
        assert_int_equal(run.options.log_level, PIPIT_LOG_OFF);
        assert_int_equal(run.options.log_format, PIPIT_LOG_JSON);
        assert_true(run.options.insecure_plaintext);
        assert_true(run.options.allow_data_loss);
        assert_true(run.options.no_named_statements);
        assert_int_equal(run.options.n_connections, 7);
        assert_int_equal(run.options.drain_ms, 8);
        assert_int_equal(run.options.timeout_ms, 9);
}

static void the_command_line_wins_even_over_a_wrong_environment(void **state)
{
        struct run run;

        (void)state;
        (void)setenv("USERSD_LISTEN", ",", 1);
        (void)setenv("USERSD_STORE", "nonsense", 1);
        (void)setenv("USERSD_INSECURE_PLAINTEXT", "true", 1);
        (void)setenv("USERSD_CONNECTIONS", "1000", 1);
        run_good(&run,
                 "usersd serve --listen ipc:///mine --store memory: --insecure-plaintext=false"
                 " --connections 2");
        assert_int_equal(run.options.n_urls, 1);
        assert_string_equal(run.options.urls[0], "ipc:///mine");
        assert_string_equal(run.options.store, "memory:");
        assert_false(run.options.insecure_plaintext);
        assert_int_equal(run.options.n_connections, 2);
}

static void a_wrong_variable_is_told_by_its_name(void **state)
{
        static const struct {
                const char *name, *value, *says;
        } table[] = {
                {"USERSD_LISTEN", "ipc:///a,", "USERSD_LISTEN: '' is not ipc:///path"},
                {"USERSD_LISTEN", "foo", "USERSD_LISTEN: 'foo' is not ipc:///path"},
                {"USERSD_STORE", "memory", "USERSD_STORE: 'memory' is not memory:"},
                {"USERSD_CONNECTIONS", "many", "USERSD_CONNECTIONS: 'many' is not 1 to 64"},
                {"USERSD_ALLOW_DATA_LOSS", "maybe", "USERSD_ALLOW_DATA_LOSS: 'maybe' is not"},
        };
        struct run run;

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(table); i++) {
                (void)clear_environment(state);
                (void)setenv(table[i].name, table[i].value, 1);
                run_line(&run, "usersd serve");
                assert_false(run.good);
                assert_non_null(strstr(run.errors, table[i].says));
        }
}

static void a_listen_variable_longer_than_its_room_is_refused(void **state)
{
        static const char start[] = "inproc://";
        char value[4097];
        struct run run;

        (void)state;
        memset(value, 'x', sizeof(value) - 1);
        memcpy(value, start, sizeof(start) - 1);
        value[sizeof(value) - 1] = '\0';
        (void)setenv("USERSD_LISTEN", value, 1);
        run_line(&run, "usersd serve");
        assert_false(run.good);
        assert_non_null(strstr(run.errors, "USERSD_LISTEN is too long"));

        value[sizeof(value) - 2] = '\0';
        (void)setenv("USERSD_LISTEN", value, 1);
        run_good(&run, "usersd serve");
}

static void sixteen_urls_are_taken_and_seventeen_are_not(void **state)
{
        char line[1024] = "usersd serve";
        char value[1024] = "ipc:///s";
        struct run run;

        (void)state;
        for (int i = 0; i < USERSD_URLS_MAX; i++)
                (void)sprintf(line + strlen(line), " --listen=ipc:///s%d", i);
        run_good(&run, line);
        assert_int_equal(run.options.n_urls, USERSD_URLS_MAX);
        (void)strcat(line, " --listen=ipc:///s");
        run_line(&run, line);
        assert_false(run.good);
        assert_non_null(strstr(run.errors, "at most 16"));

        for (int i = 0; i < USERSD_URLS_MAX; i++)
                (void)sprintf(value + strlen(value), ",ipc:///s%d", i);
        (void)setenv("USERSD_LISTEN", value, 1);
        run_line(&run, "usersd serve");
        assert_false(run.good);
        assert_non_null(strstr(run.errors, "USERSD_LISTEN: at most 16"));
}

static void a_flag_may_have_several_urls_as_the_variable_may(void **state)
{
        struct run run;

        (void)state;
        run_good(&run,
                 "usersd serve --listen ipc:///a,ipc:///b --listen=tcp://127.0.0.1:0,inproc://c");
        assert_int_equal(run.options.n_urls, 4);
        assert_string_equal(run.options.urls[0], "ipc:///a");
        assert_string_equal(run.options.urls[1], "ipc:///b");
        assert_string_equal(run.options.urls[2], "tcp://127.0.0.1:0");
        assert_string_equal(run.options.urls[3], "inproc://c");
}

static void an_address_is_taken_once_but_for_port_0(void **state)
{
        struct run run;

        (void)state;
        run_good(&run,
                 "usersd serve --listen tcp://127.0.0.1:0,tcp://127.0.0.1:0 --listen tcp://[::1]:7"
                 " --listen tcp://127.0.0.1:7,ipc:///a,inproc://a,inproc://b");
        assert_int_equal(run.options.n_urls, 7);
}

static void a_variable_that_is_empty_is_as_none(void **state)
{
        struct run run;

        (void)state;
        (void)setenv("USERSD_LISTEN", "", 1);
        (void)setenv("USERSD_STORE", "", 1);
        (void)setenv("USERSD_KEY", "", 1);
        (void)setenv("USERSD_POLICY", "", 1);
        (void)setenv("USERSD_INSECURE_PLAINTEXT", "", 1);
        (void)setenv("USERSD_CONNECTIONS", "", 1);
        run_good(&run, "usersd serve");
        assert_string_equal(run.options.urls[0], "ipc:///run/here/usersd.sock");
        assert_string_equal(run.options.store, "sqlite:/var/here/users.db");
        assert_false(run.options.key_given);
        assert_false(run.options.policy_given);
        assert_false(run.options.insecure_plaintext);
        assert_int_equal(run.options.n_connections, 0);
}

static void files_about_access_lie_where_pipit_keeps_them_unless_they_are_named(void **state)
{
        struct run run;

        (void)state;
        run_good(&run, "usersd serve");
        assert_null(run.options.key_path);
        assert_null(run.options.authorized_keys_path);
        assert_null(run.options.policy_path);

        (void)setenv("HOME", "/home/ada", 1);
        run_good(&run, "usersd serve");
        assert_string_equal(run.options.key_path, "/home/ada/.config/pipit/server.key");
        assert_string_equal(run.options.authorized_keys_path,
                            "/home/ada/.config/pipit/authorized_keys");
        assert_string_equal(run.options.policy_path, "/home/ada/.config/pipit/policy");
        assert_false(run.options.authorized_keys_given);
        assert_false(run.options.policy_given);

        (void)setenv("PIPIT_CONFIG_DIR", "/etc/usersd", 1);
        (void)setenv("USERSD_KEY", "k", 1);
        (void)setenv("USERSD_POLICY", "not/this", 1);
        run_good(&run, "usersd serve --policy ./p");
        assert_string_equal(run.options.key_path, "k");
        assert_string_equal(run.options.authorized_keys_path, "/etc/usersd/authorized_keys");
        assert_string_equal(run.options.policy_path, "./p");
        assert_false(run.options.authorized_keys_given);
        assert_true(run.options.policy_given);
}

static void a_password_in_a_store_that_is_refused_is_not_shown(void **state)
{
        struct run run;

        (void)state;
        run_line(&run, "usersd serve --store postgre://ada:secret@db/users");
        assert_false(run.good);
        assert_null(strstr(run.errors, "secret"));
        assert_non_null(strstr(run.errors, "postgre:..."));

        (void)setenv("USERSD_STORE", "mysql://ada:secret@db/users", 1);
        run_line(&run, "usersd serve");
        assert_false(run.good);
        assert_null(strstr(run.errors, "secret"));
}

static void defaults_are_where_systemd_or_the_session_says(void **state)
{
        struct run run;

        (void)state;
        run_good(&run, "usersd serve");
        assert_string_equal(run.options.urls[0], "ipc:///run/here/usersd.sock");
        assert_string_equal(run.options.store, "sqlite:/var/here/users.db");
        assert_int_equal(run.options.timeout_ms, 5000);
        assert_int_equal(run.options.n_connections, 0);
        assert_int_equal(run.options.drain_ms, 0);

        assert_int_equal(clearenv(), 0);
        (void)setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
        (void)setenv("XDG_STATE_HOME", "not/absolute", 1);
        (void)setenv("HOME", "/home/ada", 1);
        run_good(&run, "usersd serve");
        assert_string_equal(run.options.urls[0], "ipc:///run/user/7/usersd/usersd.sock");
        assert_string_equal(run.options.store, "sqlite:/home/ada/.local/state/usersd/users.db");
}

/* As in a container: no session, so no runtime directory; and a directory too long for a socket. */
static void migrate_and_invoke_need_no_place_for_a_socket(void **state)
{
        char deep[400];
        struct run run;

        (void)state;
        memset(deep, 'x', sizeof(deep) - 1);
        deep[0] = '/';
        deep[sizeof(deep) - 1] = '\0';
        (void)setenv("RUNTIME_DIRECTORY", deep, 1);
        run_good(&run, "usersd migrate --store memory:");
        assert_int_equal(run.options.n_urls, 0);
        assert_null(run.options.urls[0]);
        run_good(&run, "usersd invoke GetUser --store memory:");
        assert_int_equal(run.options.n_urls, 0);

        run_line(&run, "usersd serve --store memory:");
        assert_false(run.good);
        assert_non_null(strstr(run.errors, "give --listen"));
}

static void help_is_given_wherever_it_is_asked_for(void **state)
{
        static const char *const lines[] = {"usersd help",
                                            "usersd --help",
                                            "usersd -h",
                                            "usersd serve --help",
                                            "usersd invoke -h",
                                            "usersd migrate --store memory: --help"};
        struct run run;

        (void)state;
        (void)setenv("USERSD_STORE", "nonsense", 1);
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(lines); i++) {
                run_good(&run, lines[i]);
                assert_int_equal(run.options.command, USERSD_HELP);
        }
        run_good(&run, "usersd version");
        assert_int_equal(run.options.command, USERSD_VERSION);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup(test, clear_environment)
                T(what_is_wrong_is_refused_in_one_line_that_tells_what_is_right),
                T(a_flag_takes_its_value_as_one_word_or_two),
                T(every_store_and_the_longest_timeout_are_taken),
                T(the_environment_is_every_flag),
                T(the_command_line_wins_even_over_a_wrong_environment),
                T(a_wrong_variable_is_told_by_its_name),
                T(a_listen_variable_longer_than_its_room_is_refused),
                T(sixteen_urls_are_taken_and_seventeen_are_not),
                T(a_flag_may_have_several_urls_as_the_variable_may),
                T(an_address_is_taken_once_but_for_port_0),
                T(a_variable_that_is_empty_is_as_none),
                T(files_about_access_lie_where_pipit_keeps_them_unless_they_are_named),
                T(a_password_in_a_store_that_is_refused_is_not_shown),
                T(defaults_are_where_systemd_or_the_session_says),
                T(migrate_and_invoke_need_no_place_for_a_socket),
                T(help_is_given_wherever_it_is_asked_for),
#undef T
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
