/*
 * A reply as a value: what expectations are matched against
 */

#ifndef TOOLS_CLI_SCENARIO_REPLY_H
#define TOOLS_CLI_SCENARIO_REPLY_H

#include <pipit/client.h>

#include "core/json/schema.h"
#include "tools/cli/scenario/value.h"

/*
 * How @call, which has ended, went: docs/scenario.md, "Expectations". Fields of
 * the response that are empty and were not sent are there, and is_default. In
 * @arena, but for what @call keeps until its reset. NULL: out of memory, or the response has no JSON; *ret_problem tells.
 */
struct scenario_value *scenario_reply_new(const struct pipit_call *call,
                                          const struct pipit_method *method,
                                          int64_t duration_us,
                                          const struct pipit_schema *schema,
                                          struct pipit_arena *arena,
                                          const char **ret_problem);

#endif
