#include "tools/cli/scenario/model.h"

#include <string.h>

#include "tools/cli/scenario/keys.h"
#include "tools/cli/scenario/outcome.h"
#include "tools/cli/scenario/variables.h"

struct maker {
        struct pipit_arena *arena;
        struct scenario_problems *problems;
        bool goes_on; /* what the file says */
};

static void *make(struct maker *maker, size_t n_bytes)
{
        void *made = pipit_arena_zalloc(maker->arena, n_bytes);

        if (!made)
                maker->problems->out_of_memory = true;
        return made;
}

static void fail_missing(struct maker *maker,
                         const struct scenario_value *map,
                         const char *key,
                         const char *what)
{
        if (map->type == PIPIT_JSON_OBJECT && !scenario_value_member(map, key))
                scenario_problems_add(maker->problems, &map->place, "%s is missing: %s", key, what);
}

/* --- what files, scenarios and steps share --------------------------------------------- */

static void check_metadata(struct maker *maker, const struct scenario_value *metadata)
{
        for (const struct scenario_value *entry = metadata ? metadata->first : NULL; entry;
             entry = entry->next) {
                bool ok = entry->type == PIPIT_JSON_STRING || entry->type == PIPIT_JSON_ARRAY;

                for (const struct scenario_value *item = entry->first; item; item = item->next)
                        ok = ok && item->type == PIPIT_JSON_STRING;
                if (!ok)
                        scenario_problems_add(maker->problems,
                                              &entry->place,
                                              "metadata %s has to be a text, or a list of texts",
                                              entry->key);
        }
}

static void take_settings(struct maker *maker,
                          const struct scenario_value *map,
                          struct scenario_settings *settings)
{
        struct scenario_problems *problems = maker->problems;

        settings->target = scenario_take(map, "target", PIPIT_JSON_STRING, problems);
        settings->metadata = scenario_take(map, "metadata", PIPIT_JSON_OBJECT, problems);
        check_metadata(maker, settings->metadata);
        (void)scenario_take_duration(map, "timeout", problems, &settings->timeout_ms);
        settings->has_wait_for_ready =
                scenario_take_bool(map, "wait_for_ready", problems, &settings->wait_for_ready);
}

static void check_variable_name(struct maker *maker, const struct scenario_value *variable)
{
        if (!scenario_is_variable_name(variable->key))
                scenario_problems_add(
                        maker->problems,
                        &variable->key_place,
                        "'%s' is no name of a variable: letters, digits, _ and -, no digit first",
                        variable->key);
        else if (scenario_is_builtin(variable->key))
                scenario_problems_add(maker->problems,
                                      &variable->key_place,
                                      "${%s} is built in: take another name",
                                      variable->key);
}

static const struct scenario_value *take_variables(struct maker *maker,
                                                   const struct scenario_value *map)
{
        const struct scenario_value *variables =
                scenario_take(map, "variables", PIPIT_JSON_OBJECT, maker->problems);

        for (const struct scenario_value *child = variables ? variables->first : NULL; child;
             child = child->next)
                check_variable_name(maker, child);

        return variables;
}

static bool take_on_failure(struct maker *maker, const struct scenario_value *map, bool goes_on)
{
        const struct scenario_value *value =
                scenario_take(map, "on_failure", PIPIT_JSON_STRING, maker->problems);

        if (!value)
                return goes_on;
        if (strcmp(value->text, "stop") != 0 && strcmp(value->text, "continue") != 0)
                scenario_problems_add(maker->problems,
                                      &value->place,
                                      "on_failure has to be stop or continue, not '%s'",
                                      value->text);

        return strcmp(value->text, "continue") == 0;
}

static const char *take_text(struct maker *maker, const struct scenario_value *map, const char *key)
{
        const struct scenario_value *value =
                scenario_take(map, key, PIPIT_JSON_STRING, maker->problems);

        return value ? value->text : NULL;
}

/* --- steps ---------------------------------------------------------------------------------- */

static struct scenario_capture *make_capture(struct maker *maker,
                                             const struct scenario_value *value)
{
        struct scenario_capture *capture = make(maker, sizeof(*capture));
        const char *problem;

        if (!capture)
                return NULL;

        check_variable_name(maker, value);
        capture->name = value->key;
        capture->place = value->place;
        if (value->type != PIPIT_JSON_STRING) {
                scenario_problems_add(maker->problems,
                                      &value->place,
                                      "%s has to be a path, as $.id or $.users[0].id",
                                      value->key);
                return capture;
        }

        capture->text = value->text;
        if (!scenario_path_parse(value->text, maker->arena, &capture->path, &problem))
                scenario_problems_add(
                        maker->problems, &value->place, "'%s' %s", value->text, problem);
        return capture;
}

static void take_captures(struct maker *maker,
                          const struct scenario_value *map,
                          struct scenario_step *step)
{
        const struct scenario_value *captures =
                scenario_take(map, "capture", PIPIT_JSON_OBJECT, maker->problems);
        struct scenario_capture **end = &step->captures;

        for (const struct scenario_value *child = captures ? captures->first : NULL; child;
             child = child->next) {
                *end = make_capture(maker, child);
                if (!*end)
                        return;
                end = &(*end)->next;
        }
}

static void take_repeats(struct maker *maker,
                         const struct scenario_value *map,
                         struct scenario_step *step)
{
        struct scenario_problems *problems = maker->problems;
        const struct scenario_value *until = scenario_value_member(map, "until");

        (void)scenario_take_count(
                map, "parallel", 1, SCENARIO_PARALLEL_MAX, problems, &step->n_parallel);
        (void)scenario_take_count(map, "repeat", 1, SCENARIO_REPEAT_MAX, problems, &step->n_repeat);
        (void)scenario_take_duration(map, "every", problems, &step->every_ms);

        if (until && !scenario_value_member(map, "repeat"))
                scenario_problems_add(problems,
                                      &until->key_place,
                                      "until goes with repeat, which says how often at most");
        if (until && step->n_parallel > 1)
                scenario_problems_add(
                        problems, &until->key_place, "until does not go with parallel");
        if (until)
                step->until = scenario_until_new(until, maker->arena, problems);
        if (step->every_ms && !scenario_value_member(map, "repeat"))
                scenario_problems_add(problems,
                                      &scenario_value_member(map, "every")->key_place,
                                      "every goes with repeat");
}

static struct scenario_step *make_step(struct maker *maker, const struct scenario_value *map)
{
        static const char *const keys[] = {"name",
                                           "call",
                                           "request",
                                           "target",
                                           "metadata",
                                           "timeout",
                                           "wait_for_ready",
                                           "parallel",
                                           "repeat",
                                           "until",
                                           "every",
                                           "expect",
                                           "capture",
                                           NULL};
        struct scenario_step *step = make(maker, sizeof(*step));

        if (!step)
                return NULL;
        step->place = map->place;
        if (!scenario_check_keys(map, "in a step", keys, maker->problems))
                return step;

        fail_missing(maker, map, "call", "the method, as users.v1.UsersService/GetUser");
        step->name = take_text(maker, map, "name");
        take_settings(maker, map, &step->settings);
        step->call = scenario_take(map, "call", PIPIT_JSON_STRING, maker->problems);
        step->request = scenario_value_member(map, "request");
        take_repeats(maker, map, step);
        step->outcomes = scenario_outcomes_new(
                scenario_value_member(map, "expect"), &map->place, maker->arena, maker->problems);
        take_captures(maker, map, step);
        return step;
}

static struct scenario_step *take_steps(struct maker *maker,
                                        const struct scenario_value *map,
                                        const char *key)
{
        const struct scenario_value *list =
                scenario_take(map, key, PIPIT_JSON_ARRAY, maker->problems);
        struct scenario_step *first = NULL, **end = &first;

        for (const struct scenario_value *child = list ? list->first : NULL; child;
             child = child->next) {
                *end = make_step(maker, child);
                if (!*end)
                        break;
                end = &(*end)->next;
        }

        return first;
}

/* --- scenarios --------------------------------------------------------------------------------- */

static struct scenario *make_scenario(struct maker *maker, const struct scenario_value *map)
{
        static const char *const keys[] = {"name",
                                           "variables",
                                           "metadata",
                                           "timeout",
                                           "wait_for_ready",
                                           "on_failure",
                                           "steps",
                                           "cleanup",
                                           NULL};
        struct scenario *scenario = make(maker, sizeof(*scenario));
        const struct scenario_value *steps;

        if (!scenario)
                return NULL;
        scenario->place = map->place;
        if (!scenario_check_keys(map, "in a scenario", keys, maker->problems))
                return scenario;

        fail_missing(maker, map, "name", "what the scenario shows");
        fail_missing(maker, map, "steps", "the calls");
        scenario->name = take_text(maker, map, "name");
        take_settings(maker, map, &scenario->settings);
        scenario->variables = take_variables(maker, map);
        scenario->goes_on = take_on_failure(maker, map, maker->goes_on);
        scenario->steps = take_steps(maker, map, "steps");
        scenario->cleanup = take_steps(maker, map, "cleanup");
        steps = scenario_value_member(map, "steps");
        if (steps && steps->type == PIPIT_JSON_ARRAY && !steps->first)
                scenario_problems_add(maker->problems, &steps->place, "there is no step");
        return scenario;
}

static void check_names(struct maker *maker, const struct scenario *scenarios)
{
        for (const struct scenario *one = scenarios; one; one = one->next) {
                for (const struct scenario *two = one->next; two; two = two->next) {
                        if (one->name && two->name && strcmp(one->name, two->name) == 0)
                                scenario_problems_add(maker->problems,
                                                      &two->place,
                                                      "line %zu has a scenario '%s', too",
                                                      one->place.line,
                                                      one->name);
                }
        }
}

static struct scenario *take_scenarios(struct maker *maker, const struct scenario_value *map)
{
        const struct scenario_value *list =
                scenario_take(map, "scenarios", PIPIT_JSON_ARRAY, maker->problems);
        struct scenario *first = NULL, **end = &first;

        if (list && !list->first)
                scenario_problems_add(maker->problems, &list->place, "there is no scenario");

        for (const struct scenario_value *child = list ? list->first : NULL; child;
             child = child->next) {
                *end = make_scenario(maker, child);
                if (!*end)
                        break;
                end = &(*end)->next;
        }

        check_names(maker, first);
        return first;
}

struct scenario_file *scenario_file_new(const char *name,
                                        struct scenario_value *value,
                                        struct pipit_arena *arena,
                                        struct scenario_problems *problems)
{
        static const char *const keys[] = {"target",
                                           "timeout",
                                           "wait_for_ready",
                                           "metadata",
                                           "variables",
                                           "on_failure",
                                           "setup",
                                           "scenarios",
                                           "cleanup",
                                           NULL};
        struct maker maker = {.arena = arena, .problems = problems};
        struct scenario_file *file = make(&maker, sizeof(*file));

        if (!file)
                return NULL;
        file->name = name;
        if (!scenario_check_keys(value, "in a file", keys, problems))
                return file;

        fail_missing(&maker, value, "scenarios", "a list of them");
        take_settings(&maker, value, &file->settings);
        file->variables = take_variables(&maker, value);
        maker.goes_on = take_on_failure(&maker, value, false);
        file->setup = take_steps(&maker, value, "setup");
        file->scenarios = take_scenarios(&maker, value);
        file->cleanup = take_steps(&maker, value, "cleanup");
        return file;
}
