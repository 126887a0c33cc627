/*
 * The keys of a map, each of the type that it has to be
 *
 * Each function takes one key: absent is fine, another type is a problem.
 */

#ifndef TOOLS_CLI_SCENARIO_KEYS_H
#define TOOLS_CLI_SCENARIO_KEYS_H

#include <stdint.h>

#include "tools/cli/scenario/problems.h"

/* A problem for @map if it is none, and for each of its keys that is not in @names. @where: "in a step". */
bool scenario_check_keys(const struct scenario_value *map,
                         const char *where,
                         const char *const *names,
                         struct scenario_problems *problems);

/* NULL: it is absent, or wrong. */
const struct scenario_value *scenario_take(const struct scenario_value *map,
                                           const char *key,
                                           enum pipit_json_type type,
                                           struct scenario_problems *problems);

/* False: it is absent, or wrong; *ret is untouched. */
bool scenario_take_bool(const struct scenario_value *map,
                        const char *key,
                        struct scenario_problems *problems,
                        bool *ret);
bool scenario_take_count(const struct scenario_value *map,
                         const char *key,
                         size_t min,
                         size_t max,
                         struct scenario_problems *problems,
                         size_t *ret);
bool scenario_take_duration(const struct scenario_value *map,
                            const char *key,
                            struct scenario_problems *problems,
                            uint32_t *ret_ms);

#endif
