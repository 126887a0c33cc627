#include "tools/cli/scenario/outcome.h"

#include <inttypes.h>
#include <string.h>

#include "tools/cli/scenario/keys.h"

#define TIMES_MAX ((size_t)SCENARIO_PARALLEL_MAX * SCENARIO_REPEAT_MAX)

static const char *const keys[] = {SCENARIO_STATUS,
                                   SCENARIO_RESPONSE,
                                   "reason",
                                   "domain",
                                   "message",
                                   "ran",
                                   "origin",
                                   SCENARIO_VIOLATIONS,
                                   "retry_after_ms",
                                   "metadata",
                                   "peer",
                                   SCENARIO_DURATION_MS,
                                   "within",
                                   "times",
                                   NULL};

/* --- shorthands --------------------------------------------------------------------------- */

/* {FIELD: text} for a text in a list of violations, however deep in matchers. */
static struct scenario_value *expand_violations(const struct scenario_value *value,
                                                bool in_list,
                                                struct pipit_arena *arena)
{
        struct scenario_value *copy = scenario_value_new(arena, PIPIT_JSON_OBJECT);

        if (!copy)
                return NULL;

        if (in_list && value->type == PIPIT_JSON_STRING) {
                copy->place = value->place;
                scenario_value_append(copy, "field", scenario_value_copy(arena, value));
                if (copy->first)
                        copy->first->key_place = value->place;
                return copy->first ? copy : NULL;
        }

        *copy = *value;
        copy->next = copy->first = copy->last = NULL;
        copy->n_children = 0;
        for (const struct scenario_value *child = value->first; child; child = child->next) {
                /* Texts of matchers and of violations spelt out stay texts. */
                struct scenario_value *expanded =
                        expand_violations(child, value->type == PIPIT_JSON_ARRAY, arena);

                if (!expanded)
                        return NULL;
                expanded->key_place = child->key_place;
                scenario_value_append(copy, child->key, expanded);
        }

        return copy;
}

static struct scenario_value *matcher_new(struct pipit_arena *arena,
                                          const struct scenario_place *place,
                                          const char *name,
                                          struct scenario_value *argument)
{
        struct scenario_value *matcher = scenario_value_new(arena, PIPIT_JSON_OBJECT);

        if (!matcher || !argument)
                return NULL;

        matcher->place = argument->place = argument->key_place = *place;
        scenario_value_append(matcher, name, argument);
        return matcher;
}

/* within: DURATION. NULL: none, or wrong. */
static struct scenario_value *within_new(const struct scenario_value *map,
                                         struct pipit_arena *arena,
                                         struct scenario_problems *problems)
{
        char digits[16];
        uint32_t ms;

        if (!scenario_take_duration(map, "within", problems, &ms))
                return NULL;

        (void)snprintf(digits, sizeof(digits), "%" PRIu32, ms);
        return matcher_new(arena,
                           &scenario_value_member(map, "within")->place,
                           "$max",
                           scenario_number_new(arena, digits));
}

/* Nobody said a status: OK, but for what only errors have. */
static struct scenario_value *status_new(const struct scenario_value *map,
                                         struct pipit_arena *arena)
{
        static const char *const of_errors[] = {"reason",
                                                "domain",
                                                "message",
                                                "ran",
                                                "origin",
                                                SCENARIO_VIOLATIONS,
                                                "retry_after_ms",
                                                NULL};
        struct scenario_value *ok = scenario_string_new(arena, "OK");

        for (size_t i = 0; of_errors[i]; i++) {
                if (scenario_value_member(map, of_errors[i]))
                        return matcher_new(arena, &map->place, "$not", ok);
        }
        if (ok)
                ok->place = map->place;
        return ok;
}

/* --- outcomes ------------------------------------------------------------------------------- */

/* The status first: without it the rest is not looked at. */
static struct scenario_value *expected_new(const struct scenario_value *map,
                                           struct pipit_arena *arena,
                                           struct scenario_problems *problems)
{
        struct scenario_value *expected = scenario_value_new(arena, PIPIT_JSON_OBJECT);
        const struct scenario_value *status = scenario_value_member(map, SCENARIO_STATUS);

        if (!expected)
                return NULL;

        expected->place = map->place;
        scenario_value_append(expected,
                              SCENARIO_STATUS,
                              status ? scenario_value_copy(arena, status) : status_new(map, arena));
        for (const struct scenario_value *child = map->first; child; child = child->next) {
                struct scenario_value *copy;
                const char *key = child->key;

                if (strcmp(key, SCENARIO_STATUS) == 0 || strcmp(key, "times") == 0)
                        continue;
                if (strcmp(key, "within") == 0) {
                        copy = within_new(map, arena, problems);
                        key = SCENARIO_DURATION_MS;
                } else if (strcmp(key, SCENARIO_VIOLATIONS) == 0) {
                        copy = expand_violations(child, false, arena);
                } else {
                        copy = scenario_value_copy(arena, child);
                }
                if (copy)
                        copy->key_place = child->key_place;
                scenario_value_append(expected, key, copy);
        }

        return expected->first ? expected : NULL;
}

static struct scenario_outcome *outcome_new(const struct scenario_value *map,
                                            const char *where,
                                            struct pipit_arena *arena,
                                            struct scenario_problems *problems)
{
        struct scenario_outcome *outcome = pipit_arena_zalloc(arena, sizeof(*outcome));

        if (!outcome || !scenario_check_keys(map, where, keys, problems))
                return NULL;

        outcome->place = map->place;
        outcome->has_times =
                scenario_take_count(map, "times", 0, TIMES_MAX, problems, &outcome->n_times);
        outcome->expected = expected_new(map, arena, problems);
        if (!outcome->expected)
                problems->out_of_memory = true;
        return outcome->expected ? outcome : NULL;
}

struct scenario_outcome *scenario_outcomes_new(const struct scenario_value *expect,
                                               const struct scenario_place *place,
                                               struct pipit_arena *arena,
                                               struct scenario_problems *problems)
{
        const struct scenario_value nothing = {.type = PIPIT_JSON_OBJECT, .place = *place};
        struct scenario_outcome *first = NULL, **end = &first;

        if (!expect)
                return outcome_new(&nothing, "", arena, problems);
        if (expect->type != PIPIT_JSON_ARRAY)
                return outcome_new(expect, "in an expectation", arena, problems);
        if (!expect->first)
                scenario_problems_add(problems, &expect->place, "there is no expectation");

        for (const struct scenario_value *child = expect->first; child; child = child->next) {
                *end = outcome_new(child, "in an expectation", arena, problems);
                if (*end)
                        end = &(*end)->next;
        }

        return first;
}

struct scenario_outcome *scenario_until_new(const struct scenario_value *until,
                                            struct pipit_arena *arena,
                                            struct scenario_problems *problems)
{
        struct scenario_outcome *outcome = outcome_new(until, "in until", arena, problems);

        if (outcome && outcome->has_times)
                scenario_problems_add(problems,
                                      &scenario_value_member(until, "times")->key_place,
                                      "until has no times; repeat says how often at most");
        return outcome;
}
