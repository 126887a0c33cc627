/*
 * What can be known to be wrong before anything is sent
 */

#ifndef TOOLS_CLI_SCENARIO_CHECK_H
#define TOOLS_CLI_SCENARIO_CHECK_H

#include "tools/cli/scenario/model.h"
#include "tools/cli/scenario/variables.h"
#include "tools/cli/server.h"

/* Whether @target, whose variables have their values, can be one. False: @problems has why. */
bool scenario_check_target(const struct scenario_value *target,
                           const struct cli_options *options,
                           struct pipit_arena *arena,
                           struct scenario_problems *problems);

/*
 * Checks methods, requests, expectations, paths, variables and the steps' targets of @file,
 * and sets the methods of its steps, by what @server has. @overrides has what --set gives;
 * what is used of it is marked.
 */
void scenario_check(struct scenario_file *file,
                    const struct cli_server *server,
                    const struct cli_options *options,
                    const struct scenario_scope *overrides,
                    struct pipit_arena *arena,
                    struct scenario_problems *problems);

#endif
