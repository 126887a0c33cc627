/*
 * Which element of a list matches which expectation, each taken once
 */

#ifndef TOOLS_CLI_SCENARIO_PAIRING_H
#define TOOLS_CLI_SCENARIO_PAIRING_H

#include "tools/cli/scenario/value.h"

/*
 * Whether each element of @wanted matches an element of its own of @got. If not,
 * *ret_missing is one that found none; NULL: out of memory.
 */
bool scenario_pair(const struct scenario_value *wanted,
                   const struct scenario_value *got,
                   const struct scenario_value **ret_missing);

#endif
