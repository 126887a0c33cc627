#include "tools/cli/scenario/step.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "tools/cli/scenario/interrupt.h"
#include "tools/cli/scenario/outcome.h"

struct run {
        const struct scenario_step *step;
        struct scenario_scope *scope;
        struct scenario_failures *failures;
        size_t *times;             /* how many replies each outcome matched */
        struct pipit_arena *arena; /* of the round */
};

static size_t n_parallel(const struct scenario_step *step)
{
        return step->n_parallel > 0 ? step->n_parallel : 1;
}

static struct scenario_scene scene_of(const struct run *run,
                                      size_t index,
                                      const struct scenario_value *reply)
{
        return (struct scenario_scene){
                .step = run->step,
                .index = index,
                .has_index = run->step->n_parallel > 0 || run->step->n_repeat > 0,
                .reply = reply,
        };
}

/* --- expectations ------------------------------------------------------------------------ */

/* What stands in messages before the path of a member of the reply. */
static const char *path_of(const char *key)
{
        return strcmp(key, SCENARIO_RESPONSE) == 0 ? "$" : key;
}

/*
 * Whether @reply is as @outcome says. Of a reply with another status nothing else
 * is compared: it would only be more of the same.
 */
static bool is_as(const struct scenario_value *expected,
                  const struct scenario_value *reply,
                  struct scenario_mismatches *mismatches)
{
        bool ok = true;

        for (const struct scenario_value *child = expected->first; child; child = child->next) {
                ok = scenario_match(child,
                                    scenario_value_member(reply, child->key),
                                    path_of(child->key),
                                    mismatches) &&
                     ok;
                if (!ok && strcmp(child->key, SCENARIO_STATUS) == 0)
                        return false;
        }

        return ok;
}

/* False, and no mismatch: its variables cannot be resolved, and that was told. */
static bool matches(const struct run *run,
                    const struct scenario_outcome *outcome,
                    const struct scenario_scene *scene,
                    struct scenario_mismatches *mismatches)
{
        struct scenario_problems problems = {.arena = run->arena};
        const struct scenario_scope scope = {
                .outer = run->scope,
                .arena = run->arena,
                .index = scene->index,
                .has_index = true,
        };
        const struct scenario_value *expected =
                scenario_resolve(outcome->expected, &scope, run->arena, &problems);

        if (!expected) {
                scenario_failures_add_problems(run->failures, scene, &problems);
                return false;
        }

        return is_as(expected, scene->reply, mismatches);
}

static bool is_single(const struct scenario_step *step)
{
        return step->outcomes && !step->outcomes->next && !step->outcomes->has_times;
}

/* One reply against all outcomes; it counts for the first that it matches. */
static void check_reply(struct run *run, const struct scenario_scene *scene)
{
        struct scenario_mismatches mismatches = {.arena = run->arena};
        size_t i = 0;

        for (const struct scenario_outcome *outcome = run->step->outcomes; outcome;
             outcome = outcome->next, i++) {
                if (matches(run, outcome, scene, &mismatches)) {
                        run->times[i]++;
                        return;
                }
        }

        if (is_single(run->step))
                scenario_failures_add_mismatches(
                        run->failures, scene, &run->step->outcomes->place, &mismatches);
        else
                scenario_failures_add(run->failures,
                                      scene,
                                      &run->step->outcomes->place,
                                      "the reply is as none of the expectations says");
}

static void check_times(struct run *run)
{
        const struct scenario_scene scene = {.step = run->step};
        char problem[128];
        size_t i = 0;

        for (const struct scenario_outcome *outcome = run->step->outcomes; outcome;
             outcome = outcome->next, i++) {
                if (!outcome->has_times || outcome->n_times == run->times[i])
                        continue;
                (void)snprintf(problem,
                               sizeof(problem),
                               "%zu replies are as this says, expected %zu",
                               run->times[i],
                               outcome->n_times);
                scenario_failures_add(run->failures, &scene, &outcome->place, problem);
        }
}

/* --- captures ------------------------------------------------------------------------------- */

/*
 * Of each round, so that the next can ask for what this one told, a page's token, say. That
 * there is nothing to capture is a failure of the round that ends the step, @counts.
 */
static void capture(struct run *run, const struct scenario_round *round, bool counts)
{
        const struct scenario_value *response = NULL;
        size_t i = 0;

        for (; !response && i < round->n_replies; i++)
                response = scenario_value_member(round->replies[i], SCENARIO_RESPONSE);

        for (const struct scenario_capture *one = run->step->captures; one; one = one->next) {
                const struct scenario_value *value =
                        response ? scenario_path_get(&one->path, response) : NULL;
                const struct scenario_scene scene = scene_of(run,
                                                             round->index + (i > 0 ? i - 1 : 0),
                                                             i > 0 ? round->replies[i - 1] : NULL);
                char problem[256];

                if (value ? scenario_scope_set(run->scope, one->name, value) : !counts)
                        continue;
                (void)snprintf(problem,
                               sizeof(problem),
                               !response ? "there is no response to capture %s of"
                               : value   ? "%s cannot be kept: out of memory"
                                         : "there is no %s in the response",
                               one->text);
                scenario_failures_add(run->failures, &scene, &one->place, problem);
        }
}

/* --- rounds ---------------------------------------------------------------------------------- */

/* An interrupt ends it. */
static void pause_ms(const struct scenario_calls *calls, uint32_t ms)
{
        int64_t end_us = pipit_clock_now_us() + (int64_t)ms * PIPIT_US_PER_MS, left_us;
        struct pollfd interrupt = {
                .fd = calls->heeds_interrupt ? scenario_interrupt_fd() : -1,
                .events = POLLIN,
        };

        while ((left_us = end_us - pipit_clock_now_us()) > 0)
                if (poll(&interrupt, 1, (int)(left_us / PIPIT_US_PER_MS) + 1) > 0)
                        return;
}

/* True: what is left of the steps does not run. */
static bool is_interrupted(const struct run *run, const struct scenario_calls *calls)
{
        const struct scenario_scene scene = {.step = run->step};
        const char *name = calls->heeds_interrupt ? scenario_interrupt_name() : NULL;
        char problem[64];

        if (!name)
                return false;
        (void)snprintf(problem, sizeof(problem), "interrupted by %s", name);
        scenario_failures_add(run->failures, &scene, &run->step->place, problem);

        return true;
}

/* Whether until holds; if not, and @is_last, that is a failure. */
static bool is_reached(struct run *run, const struct scenario_round *round, bool is_last)
{
        struct scenario_mismatches mismatches = {.arena = run->arena};
        const struct scenario_scene scene = scene_of(run, round->index, round->replies[0]);

        if (matches(run, run->step->until, &scene, &mismatches))
                return true;
        if (is_last)
                scenario_failures_add_mismatches(
                        run->failures, &scene, &run->step->until->place, &mismatches);
        return false;
}

/* True: there is nothing left to repeat, for better or worse. */
static bool run_round(struct run *run, struct scenario_round *round, bool is_last)
{
        size_t n_failed = run->failures->n;
        bool is_over;

        if (!scenario_round_run(round)) {
                const struct scenario_scene scene = scene_of(run, round->index, NULL);

                scenario_failures_add_problems(run->failures, &scene, round->problems);
                return true;
        }

        for (size_t i = 0; i < round->n_replies; i++) {
                const struct scenario_scene scene =
                        scene_of(run, round->index + i, round->replies[i]);

                check_reply(run, &scene);
        }
        if (run->failures->n > n_failed)
                return true;

        is_over = run->step->until ? is_reached(run, round, is_last) : is_last;
        if (run->failures->n == n_failed)
                capture(run, round, is_over);
        return is_over || run->failures->n > n_failed;
}

bool scenario_step_run(const struct scenario_step *step,
                       const struct scenario_calls *calls,
                       const struct scenario_levels *levels,
                       struct scenario_scope *scope,
                       struct scenario_failures *failures)
{
        size_t n_rounds = step->n_repeat > 0 ? step->n_repeat : 1, n_outcomes = 0;
        const struct scenario_scene scene = {.step = step};
        size_t n_failed = failures->n;
        struct run run = {.step = step, .scope = scope, .failures = failures};
        bool is_over = false;

        for (const struct scenario_outcome *outcome = step->outcomes; outcome;
             outcome = outcome->next)
                n_outcomes++;
        run.times = pipit_arena_zalloc(failures->arena, n_outcomes * sizeof(*run.times));
        if (!run.times) {
                scenario_failures_add(failures, &scene, &step->place, "out of memory");
                return false;
        }

        for (size_t i = 0; !is_over && i < n_rounds; i++) {
                struct pipit_arena arena = {0};
                struct scenario_problems problems = {.arena = &arena};
                struct scenario_round round = {
                        .calls = calls,
                        .step = step,
                        .levels = levels,
                        .scope = scope,
                        .index = i * n_parallel(step),
                        .problems = &problems,
                };

                run.arena = &arena;
                if (i > 0 && step->every_ms > 0)
                        pause_ms(calls, step->every_ms);
                is_over = is_interrupted(&run, calls) || run_round(&run, &round, i + 1 == n_rounds);
                scenario_round_deinit(&round);
                pipit_arena_deinit(&arena);
        }

        if (failures->n == n_failed)
                check_times(&run);
        return failures->n == n_failed;
}
