/*
 * What can be known to be wrong before anything is sent
 */

#ifndef TOOLS_CLI_SCENARIO_CHECK_H
#define TOOLS_CLI_SCENARIO_CHECK_H

#include "core/json/schema.h"
#include "tools/cli/scenario/model.h"
#include "tools/cli/scenario/variables.h"

/*
 * Checks methods, requests, expectations, paths and variables of @file, and
 * sets the methods of its steps; the first @n_own services of @schema go before
 * the others. @overrides has what --set gives; what is used of it is marked.
 */
void scenario_check(struct scenario_file *file,
                    const struct pipit_schema *schema,
                    size_t n_own,
                    const struct scenario_scope *overrides,
                    struct pipit_arena *arena,
                    struct scenario_problems *problems);

#endif
