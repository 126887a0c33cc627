#include "tools/cli/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cli/channel.h"
#include "tools/cli/report.h"
#include "tools/cli/scenario/check.h"
#include "tools/cli/scenario/interrupt.h"
#include "tools/cli/scenario/runner.h"
#include "tools/cli/scenario/suite.h"
#include "tools/cli/server.h"

/* What is known of one target; files with the same share it. */
struct place {
        struct cli_server server;
        const char *target;
        int status; /* of connecting and learning, once for all its files */
        struct place *next;
};

struct session {
        struct cli_arguments *arguments;
        struct scenario_suite suite;
        struct scenario_channels channels;
        struct scenario_tap tap;
        struct place *places;
};

/* --- where the calls go ------------------------------------------------------------------ */

static const char *flag_target(const struct cli_arguments *arguments)
{
        return arguments->options.targets.n_values > 0 ? arguments->options.targets.values[0]
                                                       : NULL;
}

/* The target of a file's calls, whose steps may say others. NULL: it told why there is none. */
static const char *find_target(struct session *session, const struct scenario_file *file)
{
        struct scenario_problems problems = {.arena = &session->arguments->arena};
        struct scenario_scope scope = {
                .outer = &session->suite.overrides,
                .arena = &session->arguments->arena,
                .unique = "",
        };
        const char *target = flag_target(session->arguments);
        const struct scenario_value *value = NULL;

        if (target)
                return target;
        if (file->settings.target) {
                if (scenario_scope_set_all(&scope, file->variables, &problems))
                        value = scenario_resolve(
                                file->settings.target, &scope, scope.arena, &problems);
                if (value && !scenario_check_target(
                                     value, &session->arguments->options, scope.arena, &problems))
                        value = NULL;
                scenario_problems_print(&problems, stderr);
                return value && value->text ? value->text : NULL;
        }

        target = getenv("PIPIT_TARGET");
        if (target && target[0])
                return target;
        (void)cli_usage_error(session->arguments,
                              "%s has no target; --target URL gives one, or PIPIT_TARGET",
                              file->name);
        return NULL;
}

static int open_place(struct session *session, const char *target, struct place **ret_place)
{
        struct place *place = session->places;
        struct pipit_error error = {.status = PIPIT_OK};
        int status;

        while (place && strcmp(place->target, target) != 0)
                place = place->next;
        *ret_place = place;
        if (place)
                return place->status;

        place = pipit_arena_zalloc(&session->arguments->arena, sizeof(*place));
        if (!place)
                return cli_value_error("out of memory");
        *ret_place = place;
        place->target = target;
        place->next = session->places;
        session->places = place;

        status = cli_server_connect(session->arguments, target, &place->server);
        if (status == CLI_OK)
                status = cli_server_learn(session->arguments, &place->server, &error);
        if (status == CLI_OK &&
            !scenario_channels_lend(&session->channels, target, place->server.channel))
                status = cli_value_error("out of memory");
        if (status >= CLI_RPC_BASE)
                cli_channel_explain(session->arguments, &session->arguments->arena, target, &error);
        if (status >= CLI_RPC_BASE)
                status = cli_print_error(session->arguments, &error, target);
        place->status = status;
        return status;
}

static void close_places(struct session *session)
{
        scenario_channels_deinit(&session->channels);
        for (struct place *place = session->places; place; place = place->next)
                cli_server_close(&place->server);
}

/* --- checking ------------------------------------------------------------------------------ */

static int check_file(struct session *session, struct scenario_file *file)
{
        struct scenario_problems problems = {.arena = &session->arguments->arena};
        const char *target = find_target(session, file);
        struct place *place;
        int status;

        if (!target)
                return CLI_USAGE;
        status = open_place(session, target, &place);
        if (status != CLI_OK)
                return status;

        scenario_check(file,
                       &place->server,
                       &session->arguments->options,
                       &session->suite.overrides,
                       &session->arguments->arena,
                       &problems);
        scenario_problems_print(&problems, stderr);
        return scenario_problems_any(&problems) ? CLI_USAGE : CLI_OK;
}

static int check_files(struct session *session)
{
        int worst = CLI_OK;

        for (struct scenario_file *file = session->suite.files; file; file = file->next) {
                int status = check_file(session, file);

                if (status >= CLI_RPC_BASE)
                        return status;
                worst = status > worst ? status : worst;
        }

        return worst == CLI_OK ? scenario_suite_check_overrides(&session->suite) : worst;
}

/* --- running --------------------------------------------------------------------------------- */

static bool run_file(struct session *session, const struct scenario_file *file)
{
        const struct cli_options *options = &session->arguments->options;
        const char *target = find_target(session, file);
        struct scenario_runner runner = {
                .overrides = &session->suite.overrides,
                .tap = &session->tap,
                .fails_fast = options->fail_fast,
        };
        struct place *place;

        if (!target || open_place(session, target, &place) != CLI_OK)
                return false;

        runner.calls = (struct scenario_calls){
                .schema = place->server.schema,
                .channels = &session->channels,
                .target = file->settings.target && !flag_target(session->arguments) ? NULL : target,
                .metadata = place->server.metadata,
                .n_metadata = place->server.n_metadata,
                .timeout_ms = options->timeout_ms,
                .wait_for_ready = options->wait_for_ready,
        };
        scenario_tap_comment(&session->tap, file->name);
        return scenario_runner_run(&runner, file);
}

static int run_files(struct session *session)
{
        size_t n_points = 0;

        for (const struct scenario_file *file = session->suite.files; file; file = file->next)
                n_points += scenario_runner_n_points(file);

        if (!scenario_interrupt_watch())
                return cli_value_error("cannot watch for signals: %s", strerrordesc_np(errno));
        session->suite.overrides.is_run = true;
        scenario_tap_begin(&session->tap, n_points);
        for (const struct scenario_file *file = session->suite.files;
             file && !session->tap.is_broken;
             file = file->next) {
                if (scenario_runner_n_points(file) == 0 || run_file(session, file))
                        continue;
                if (session->tap.is_broken)
                        break;
                scenario_tap_bail_out(&session->tap,
                                      scenario_interrupt_name()
                                              ? scenario_interrupt_name()
                                              : "a scenario failed (--fail-fast)");
                break;
        }
        scenario_tap_end(&session->tap);

        return session->tap.n_failed == 0 && session->tap.n_passed > 0 ? CLI_OK : CLI_INTERNAL;
}

static int run_test(struct cli_arguments *arguments)
{
        struct session session = {
                .arguments = arguments,
                .suite = {.arguments = arguments},
                .channels = {.arena = &arguments->arena},
                .tap = {.file = stdout},
        };
        int status;

        if (!cli_peek(arguments))
                return cli_usage_error(arguments, "a file is missing");
        if (arguments->options.targets.n_values > 1)
                return cli_usage_error(arguments, "there is one --target");
        if (!cli_channel_options(arguments, &session.channels.options))
                return CLI_USAGE;

        status = scenario_suite_read(&session.suite);
        if (status == CLI_OK)
                status = check_files(&session);
        if (status == CLI_OK)
                status = run_files(&session);

        close_places(&session);
        scenario_interrupt_pass_on();
        return status;
}

static const struct cli_option options[] = {
        CLI_OPTION("target",
                   '\0',
                   CLI_LIST,
                   targets,
                   NULL,
                   "URL",
                   "call this server, not the one that a file names"),
        CLI_OPTION("set",
                   '\0',
                   CLI_LIST,
                   sets,
                   NULL,
                   "NAME=TEXT",
                   "give a variable; NAME:=JSON gives a number, a list ...\n"
                   "(repeatable)"),
        CLI_OPTION("only",
                   '\0',
                   CLI_LIST,
                   only,
                   NULL,
                   "NAME",
                   "run the scenarios of this name; * and ? stand for others\n"
                   "(repeatable)"),
        CLI_OPTION("fail-fast",
                   '\0',
                   CLI_FLAG,
                   fail_fast,
                   NULL,
                   NULL,
                   "end with the first scenario that fails"),
        CLI_OPTION_TIMEOUT,
        CLI_OPTION_METADATA,
        CLI_OPTION_WAIT_FOR_READY,
        CLI_OPTIONS_IDENTITY,
        CLI_OPTIONS_SCHEMA,
        CLI_OPTION_ERRORS,
        CLI_OPTION_VERBOSE,
        CLI_OPTION_HELP,
        CLI_OPTION_END,
};

const struct cli_command cli_command_test = {
        .name = "test",
        .summary = "Runs scenarios: calls, and what has to come back.",
        .synopsis = "FILE...",
        .text = "A file holds scenarios in YAML or JSON, as docs/scenario.md tells; - is standard\n"
                "input. All files are checked before a step runs. Prints TAP, then\n"
                "\"N passed, N failed\". Exits with 0 if all passed, with 1 if one failed, with 2\n"
                "if a file is wrong.",
        .examples = "  pipit test --target ipc:///run/usersd.sock users.yaml\n"
                    "  pipit test users.yaml --only 'a user is created*' --set domain=example.com\n"
                    "  pipit test --proto shop/v1/orders.proto -I proto orders.yaml\n",
        .options = options,
        .run = run_test,
};
