/*
 * Expectations: what stands below expect and until
 */

#ifndef TOOLS_CLI_SCENARIO_OUTCOME_H
#define TOOLS_CLI_SCENARIO_OUTCOME_H

#include "tools/cli/scenario/model.h"

/* The keys of an expectation and of the reply that it is matched against. */
#define SCENARIO_STATUS      "status"
#define SCENARIO_RESPONSE    "response"
#define SCENARIO_VIOLATIONS  "violations"
#define SCENARIO_DURATION_MS "duration_ms"

/* Of @expect, one or a list; NULL: status OK, at @place. */
struct scenario_outcome *scenario_outcomes_new(const struct scenario_value *expect,
                                               const struct scenario_place *place,
                                               struct pipit_arena *arena,
                                               struct scenario_problems *problems);

/* The same of @until, which is one and has no times. */
struct scenario_outcome *scenario_until_new(const struct scenario_value *until,
                                            struct pipit_arena *arena,
                                            struct scenario_problems *problems);

#endif
