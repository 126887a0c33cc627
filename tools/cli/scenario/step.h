/*
 * Runs one step: its rounds, what has to come back, what is kept of it
 */

#ifndef TOOLS_CLI_SCENARIO_STEP_H
#define TOOLS_CLI_SCENARIO_STEP_H

#include "tools/cli/scenario/failures.h"
#include "tools/cli/scenario/round.h"

/* What it captures goes to @scope. False: @failures has why. */
bool scenario_step_run(const struct scenario_step *step,
                       const struct scenario_calls *calls,
                       const struct scenario_levels *levels,
                       struct scenario_scope *scope,
                       struct scenario_failures *failures);

#endif
