/*
 * What went wrong in a scenario, for its diagnostics
 */

#ifndef TOOLS_CLI_SCENARIO_FAILURES_H
#define TOOLS_CLI_SCENARIO_FAILURES_H

#include "tools/cli/scenario/matcher.h"
#include "tools/cli/scenario/model.h"

/* Of one step; more of them tell nothing new. */
#define SCENARIO_FAILURES_MAX 10

/* Texts, as the replies that they come from are gone by then; NULL: none. */
struct scenario_failure {
        struct scenario_place place;
        const char *step;
        const char *call;
        const char *index; /* which of parallel or repeat */
        const char *problem;
        const char *path;
        const char *expected; /* these are JSON */
        const char *got;
        const char *reply;
        struct scenario_failure *next;
};

/* All zero but for @arena: none. */
struct scenario_failures {
        /* in */
        struct pipit_arena *arena;

        /* out */
        struct scenario_failure *first;
        size_t n; /* all of them, also those that were not kept */

        /* private */
        struct scenario_failure *last;
        const struct scenario_step *step; /* of the last; n_of_step of it were kept */
        size_t n_of_step;
};

/* Where in which step; @reply may be NULL. */
struct scenario_scene {
        const struct scenario_step *step;
        size_t index;
        bool has_index;
        const struct scenario_value *reply;
};

/* Without a step: a whole scenario did not run. */
void scenario_failures_add(struct scenario_failures *failures,
                           const struct scenario_scene *scene,
                           const struct scenario_place *place,
                           const char *problem);
void scenario_failures_add_mismatches(struct scenario_failures *failures,
                                      const struct scenario_scene *scene,
                                      const struct scenario_place *place,
                                      const struct scenario_mismatches *mismatches);
void scenario_failures_add_problems(struct scenario_failures *failures,
                                    const struct scenario_scene *scene,
                                    const struct scenario_problems *problems);

#endif
