/*
 * Variables: ${name} in the texts of a scenario
 *
 * Scopes lie in one another: --set, the file, the scenario, the step. What
 * --set gives goes before all, then the innermost scope that has the name.
 */

#ifndef TOOLS_CLI_SCENARIO_VARIABLES_H
#define TOOLS_CLI_SCENARIO_VARIABLES_H

#include "tools/cli/scenario/problems.h"

struct scenario_variable {
        const char *name;
        const struct scenario_value *value;
        bool is_used; /* somebody asked for it */
        struct scenario_variable *next;
};

/* All zero but for "in": no variables. */
struct scenario_scope {
        /* in */
        const struct scenario_scope *outer; /* NULL: this is that of --set */
        struct pipit_arena *arena;          /* of names and values that are set here */
        const char *unique;                 /* ${unique} from here inwards; NULL: the outer one's */
        size_t index;                       /* ${index} from here inwards, if has_index */
        bool has_index;
        bool is_run; /* of any scope: all names are known to exist, values may be missing */

        /* private */
        struct scenario_variable *first;
};

/* Letters, digits, _ and -, not a digit first. */
bool scenario_is_variable_name(const char *name);

/* unique, random, uuid, now, index: nobody else may take these. */
bool scenario_is_builtin(const char *name);

/* Copies name and value. False: out of memory. */
bool scenario_scope_set(struct scenario_scope *scope,
                        const char *name,
                        const struct scenario_value *value);

/* A variable that will have a value when the scenario runs. False: out of memory. */
bool scenario_scope_set_unknown(struct scenario_scope *scope, const char *name);

/* Variable @name of this scope alone, or NULL. */
struct scenario_variable *scenario_scope_own(const struct scenario_scope *scope, const char *name);

/* Sets all of @variables, in order, each of which may use those before. False: @problems has why. */
bool scenario_scope_set_all(struct scenario_scope *scope,
                            const struct scenario_value *variables,
                            struct scenario_problems *problems);

/* Whether @text has a ${...} that is not escaped. */
bool scenario_has_variables(const char *text);

/*
 * A copy of @value with the values of its variables in their places; what
 * depends on one that is not known yet is a text and is_unknown. NULL: @problems
 * has why.
 */
struct scenario_value *scenario_resolve(const struct scenario_value *value,
                                        const struct scenario_scope *scope,
                                        struct pipit_arena *arena,
                                        struct scenario_problems *problems);

/* ${unique} of a new scope, in @arena. NULL: out of memory. */
const char *scenario_unique_new(struct pipit_arena *arena);

#endif
