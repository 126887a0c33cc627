/*
 * Paths into a response: $, $.users[0].id, $.users[-1], $.labels["a b"]
 */

#ifndef TOOLS_CLI_SCENARIO_PATH_H
#define TOOLS_CLI_SCENARIO_PATH_H

#include "tools/cli/scenario/value.h"

struct scenario_path_step {
        const char *key; /* of an object; NULL: an element of an array */
        long index;      /* from 0; from -1, the last, backwards */
        struct scenario_path_step *next;
};

struct scenario_path {
        struct scenario_path_step *first; /* NULL: all of it */
};

/* False: @text is no path, or out of memory; *ret_problem tells. */
bool scenario_path_parse(const char *text,
                         struct pipit_arena *arena,
                         struct scenario_path *ret_path,
                         const char **ret_problem);

/* What @path leads to in @value, or NULL. */
const struct scenario_value *scenario_path_get(const struct scenario_path *path,
                                               const struct scenario_value *value);

#endif
