#include "tools/cli/scenario/check.h"

#include "tools/cli/method.h"
#include "tools/cli/scenario/request.h"
#include "tools/cli/scenario/shape.h"
#include "tools/cli/target.h"

struct checker {
        const struct pipit_schema *schema;
        size_t n_own;
        const struct cli_options *options;
        struct pipit_arena *arena;
        struct scenario_problems *problems;
};

/* Whether every variable of @value, which may be NULL, has a value by then. */
static struct scenario_value *check_variables(struct checker *checker,
                                              const struct scenario_value *value,
                                              const struct scenario_scope *scope)
{
        return value ? scenario_resolve(value, scope, checker->arena, checker->problems) : NULL;
}

static void check_metadata(struct checker *checker,
                           const struct scenario_value *metadata,
                           const struct scenario_scope *scope)
{
        const struct scenario_value *resolved = check_variables(checker, metadata, scope);
        struct pipit_call call = {0};

        if (resolved)
                (void)scenario_metadata_add(&call, resolved, checker->arena, checker->problems);
        pipit_call_deinit(&call);
}

static void check_settings(struct checker *checker,
                           const struct scenario_settings *settings,
                           const struct scenario_scope *scope)
{
        (void)check_variables(checker, settings->target, scope);
        check_metadata(checker, settings->metadata, scope);
}

bool scenario_check_target(const struct scenario_value *target,
                           const struct cli_options *options,
                           struct pipit_arena *arena,
                           struct scenario_problems *problems)
{
        const char *problem = target->is_unknown
                                      ? NULL
                                      : cli_target_problem(arena,
                                                           options->insecure_plaintext,
                                                           target->text ? target->text : "");

        if (problem)
                scenario_problems_add(problems, &target->place, "target: %s", problem);
        return problem == NULL;
}

/* A file's own is checked where the run begins, and may be replaced by --target. */
static void check_target(struct checker *checker,
                         const struct scenario_value *target,
                         const struct scenario_scope *scope)
{
        const struct scenario_value *resolved = check_variables(checker, target, scope);

        if (resolved)
                (void)scenario_check_target(
                        resolved, checker->options, checker->arena, checker->problems);
}

static void check_request(struct checker *checker,
                          const struct scenario_step *step,
                          const struct scenario_scope *scope)
{
        struct scenario_value *request = check_variables(checker, step->request, scope);

        if (request)
                scenario_request_check(
                        request, step->method, checker->schema, checker->arena, checker->problems);
}

static void check_outcomes(struct checker *checker,
                           const struct scenario_step *step,
                           struct scenario_outcome *outcomes,
                           const struct scenario_scope *scope)
{
        for (struct scenario_outcome *outcome = outcomes; outcome; outcome = outcome->next) {
                (void)check_variables(checker, outcome->expected, scope);
                scenario_shape_check(outcome->expected,
                                     step->method->response,
                                     checker->schema,
                                     checker->arena,
                                     checker->problems);
        }
}

static bool find_method(struct checker *checker, struct scenario_step *step)
{
        const char *problem;

        if (!step->call)
                return false;

        step->method = cli_method_find(
                checker->schema, checker->n_own, step->call->text, checker->arena, &problem);
        if (!step->method)
                scenario_problems_add(checker->problems, &step->call->place, "%s", problem);
        return step->method;
}

static void check_step(struct checker *checker,
                       struct scenario_step *step,
                       struct scenario_scope *scope)
{
        check_settings(checker, &step->settings, scope);
        check_target(checker, step->settings.target, scope);
        if (find_method(checker, step)) {
                check_request(checker, step, scope);
                check_outcomes(checker, step, step->outcomes, scope);
                check_outcomes(checker, step, step->until, scope);
        }

        for (struct scenario_capture *capture = step->captures; capture; capture = capture->next) {
                if (step->method)
                        scenario_shape_check_path(&capture->path,
                                                  &capture->place,
                                                  step->method->response,
                                                  checker->schema,
                                                  checker->arena,
                                                  checker->problems);
                if (!scenario_scope_set_unknown(scope, capture->name))
                        checker->problems->out_of_memory = true;
        }
}

static void check_steps(struct checker *checker,
                        struct scenario_step *steps,
                        struct scenario_scope *scope)
{
        for (struct scenario_step *step = steps; step; step = step->next)
                check_step(checker, step, scope);
}

static void check_scenario(struct checker *checker,
                           const struct scenario *scenario,
                           const struct scenario_scope *outer)
{
        struct scenario_scope scope = {.outer = outer, .arena = checker->arena};

        (void)scenario_scope_set_all(&scope, scenario->variables, checker->problems);
        check_settings(checker, &scenario->settings, &scope);
        check_steps(checker, scenario->steps, &scope);
        check_steps(checker, scenario->cleanup, &scope);
}

void scenario_check(struct scenario_file *file,
                    const struct cli_server *server,
                    const struct cli_options *options,
                    const struct scenario_scope *overrides,
                    struct pipit_arena *arena,
                    struct scenario_problems *problems)
{
        struct checker checker = {.schema = server->schema,
                                  .n_own = server->n_own,
                                  .options = options,
                                  .arena = arena,
                                  .problems = problems};
        struct scenario_scope scope = {.outer = overrides, .arena = arena, .unique = "unique"};

        (void)scenario_scope_set_all(&scope, file->variables, problems);
        check_settings(&checker, &file->settings, &scope);
        check_steps(&checker, file->setup, &scope);
        for (const struct scenario *scenario = file->scenarios; scenario; scenario = scenario->next)
                check_scenario(&checker, scenario, &scope);
        check_steps(&checker, file->cleanup, &scope);
}
