#include "tools/cli/scenario/runner.h"

#include "tools/cli/scenario/interrupt.h"
#include "tools/cli/scenario/step.h"

size_t scenario_runner_n_points(const struct scenario_file *file)
{
        size_t n_scenarios = 0;

        for (const struct scenario *scenario = file->scenarios; scenario; scenario = scenario->next)
                n_scenarios += scenario->is_chosen ? 1 : 0;

        return n_scenarios == 0 ? 0 : n_scenarios + (file->setup ? 1 : 0) + (file->cleanup ? 1 : 0);
}

/* What steps run in; the file's level is always there. */
struct stage {
        struct scenario_runner *runner;
        const struct scenario_file *file;
        const struct scenario *scenario; /* NULL: setup and cleanup of the file */
        struct scenario_scope *scope;
        struct scenario_failures *failures;
};

enum how {
        RUN_TO_FAILURE,
        RUN_ON,
        CLEAN_UP, /* whatever came before */
};

static void run_steps(const struct stage *stage, const struct scenario_step *steps, enum how how)
{
        struct scenario_calls calls = stage->runner->calls;

        calls.heeds_interrupt = how != CLEAN_UP;
        for (const struct scenario_step *step = steps; step; step = step->next) {
                const struct scenario_levels levels = {
                        {
                                &stage->file->settings,
                                stage->scenario ? &stage->scenario->settings : NULL,
                                &step->settings,
                        },
                };

                if (!scenario_step_run(step, &calls, &levels, stage->scope, stage->failures) &&
                    (how == RUN_TO_FAILURE || (how == RUN_ON && scenario_interrupt_name())))
                        return;
        }
}

/* Variables that cannot be worked out are a failure of their own. */
static bool set_variables(const struct stage *stage, const struct scenario_value *variables)
{
        const struct scenario_scene nowhere = {.step = NULL};
        struct scenario_problems problems = {.arena = stage->failures->arena};

        stage->scope->unique = scenario_unique_new(stage->scope->arena);
        if (!stage->scope->unique)
                problems.out_of_memory = true;
        if (scenario_scope_set_all(stage->scope, variables, &problems) && stage->scope->unique)
                return true;

        scenario_failures_add_problems(stage->failures, &nowhere, &problems);
        if (stage->failures->n == 0)
                scenario_failures_add(
                        stage->failures, &nowhere, &(struct scenario_place){0}, "out of memory");
        return false;
}

static void run_scenario(struct scenario_runner *runner,
                         const struct scenario_file *file,
                         const struct scenario *scenario,
                         const struct scenario_scope *outer)
{
        struct pipit_arena arena = {0};
        struct scenario_failures failures = {.arena = &arena};
        struct scenario_scope scope = {.outer = outer, .arena = &arena};
        const struct stage stage = {runner, file, scenario, &scope, &failures};

        if (set_variables(&stage, scenario->variables)) {
                run_steps(&stage, scenario->steps, scenario->goes_on ? RUN_ON : RUN_TO_FAILURE);
                run_steps(&stage, scenario->cleanup, CLEAN_UP);
        }

        scenario_tap_point(runner->tap, scenario->name, &failures);
        pipit_arena_deinit(&arena);
}

static void skip_scenario(struct scenario_runner *runner, const struct scenario *scenario)
{
        const struct scenario_scene nowhere = {.step = NULL};
        struct pipit_arena arena = {0};
        struct scenario_failures failures = {.arena = &arena};

        scenario_failures_add(
                &failures, &nowhere, &scenario->place, "it did not run: the setup failed");
        scenario_tap_point(runner->tap, scenario->name, &failures);
        pipit_arena_deinit(&arena);
}

static bool goes_on(const struct scenario_runner *runner)
{
        return !runner->tap->is_broken && !scenario_interrupt_name() &&
               (!runner->fails_fast || runner->tap->n_failed == 0);
}

static void run_scenarios(struct scenario_runner *runner,
                          const struct scenario_file *file,
                          const struct scenario_scope *scope,
                          bool is_set_up)
{
        for (const struct scenario *scenario = file->scenarios; scenario && goes_on(runner);
             scenario = scenario->next) {
                if (!scenario->is_chosen)
                        continue;
                if (is_set_up)
                        run_scenario(runner, file, scenario, scope);
                else
                        skip_scenario(runner, scenario);
        }
}

/* Setup or cleanup of the file, as a point of its own. */
static bool run_around(const struct stage *stage,
                       const struct scenario_step *steps,
                       const char *name,
                       enum how how)
{
        bool ok;

        run_steps(stage, steps, how);
        ok = stage->failures->n == 0;
        if (steps)
                scenario_tap_point(stage->runner->tap, name, stage->failures);
        *stage->failures = (struct scenario_failures){.arena = stage->failures->arena};
        return ok;
}

bool scenario_runner_run(struct scenario_runner *runner, const struct scenario_file *file)
{
        struct pipit_arena arena = {0};
        struct scenario_failures failures = {.arena = &arena};
        struct scenario_scope scope = {.outer = runner->overrides, .arena = &arena};
        const struct stage stage = {runner, file, NULL, &scope, &failures};
        bool is_set_up = set_variables(&stage, file->variables);

        if (is_set_up)
                is_set_up = run_around(&stage, file->setup, "setup", RUN_TO_FAILURE);
        else if (file->setup)
                scenario_tap_point(runner->tap, "setup", &failures);
        run_scenarios(runner, file, &scope, is_set_up);

        /* What was set up is taken down, even where nobody wants to know any more. */
        if (goes_on(runner))
                (void)run_around(&stage, file->cleanup, "cleanup", CLEAN_UP);
        else
                run_steps(&stage, file->cleanup, CLEAN_UP);

        pipit_arena_deinit(&arena);
        return goes_on(runner);
}
