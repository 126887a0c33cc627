#include "tools/cli/scenario/failures.h"

static const char *json_of(struct scenario_failures *failures, const struct scenario_value *value)
{
        return value ? scenario_value_json(value, failures->arena) : NULL;
}

/* NULL: enough of them, or out of memory. */
static struct scenario_failure *add(struct scenario_failures *failures,
                                    const struct scenario_scene *scene,
                                    const struct scenario_place *place,
                                    const char *problem)
{
        struct scenario_failure *failure;

        failures->n++;
        if (failures->step != scene->step)
                failures->n_of_step = 0;
        failures->step = scene->step;
        if (failures->n_of_step == SCENARIO_FAILURES_MAX)
                return NULL;

        failure = pipit_arena_zalloc(failures->arena, sizeof(*failure));
        if (!failure)
                return NULL;
        failures->n_of_step++;
        failure->place = *place;
        failure->step = scene->step ? scene->step->name : NULL;
        failure->call = scene->step && scene->step->method ? scene->step->method->name : NULL;
        failure->index =
                scene->has_index ? pipit_arena_printf(failures->arena, "%zu", scene->index) : NULL;
        failure->problem = pipit_arena_strdup(failures->arena, problem);
        failure->reply = json_of(failures, scene->reply);

        if (failures->last)
                failures->last->next = failure;
        else
                failures->first = failure;
        failures->last = failure;
        return failure;
}

/* What a matcher takes says little without its name. */
static const char *expected_json(struct scenario_failures *failures,
                                 const struct scenario_value *expected)
{
        const char *json = json_of(failures, expected);

        if (!json || !expected->key || expected->key[0] != '$' || expected->key[1] == '$')
                return json;

        return pipit_arena_printf(failures->arena, "{\"%s\":%s}", expected->key, json);
}

void scenario_failures_add(struct scenario_failures *failures,
                           const struct scenario_scene *scene,
                           const struct scenario_place *place,
                           const char *problem)
{
        (void)add(failures, scene, place, problem);
}

void scenario_failures_add_mismatches(struct scenario_failures *failures,
                                      const struct scenario_scene *scene,
                                      const struct scenario_place *place,
                                      const struct scenario_mismatches *mismatches)
{
        for (const struct scenario_mismatch *mismatch = mismatches->first; mismatch;
             mismatch = mismatch->next) {
                bool has_place = mismatch->expected && mismatch->expected->place.line > 0;
                struct scenario_failure *failure =
                        add(failures,
                            scene,
                            has_place ? &mismatch->expected->place : place,
                            mismatch->problem);

                if (!failure)
                        continue;
                failure->path = pipit_arena_strdup(failures->arena, mismatch->path);
                failure->expected = expected_json(failures, mismatch->expected);
                failure->got = json_of(failures, mismatch->got);
                if (mismatch != mismatches->first)
                        failure->reply = NULL;
        }
}

void scenario_failures_add_problems(struct scenario_failures *failures,
                                    const struct scenario_scene *scene,
                                    const struct scenario_problems *problems)
{
        for (const struct scenario_problem *problem = problems->first; problem;
             problem = problem->next)
                (void)add(failures,
                          scene,
                          problem->place.line > 0 || !scene->step ? &problem->place
                                                                  : &scene->step->place,
                          problem->text);

        if (problems->out_of_memory && scene->step)
                (void)add(failures, scene, &scene->step->place, "out of memory");
}
