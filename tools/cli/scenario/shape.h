/*
 * What an expectation may expect: checked before anything is sent
 */

#ifndef TOOLS_CLI_SCENARIO_SHAPE_H
#define TOOLS_CLI_SCENARIO_SHAPE_H

#include <protobuf-c/protobuf-c.h>

#include "core/json/schema.h"
#include "tools/cli/scenario/path.h"
#include "tools/cli/scenario/problems.h"

/*
 * Checks @expected, of which variables are not resolved yet, against a reply
 * whose response is a @response: keys, types, names of enums, matchers. Names of
 * fields become those of JSON.
 */
void scenario_shape_check(struct scenario_value *expected,
                          const ProtobufCMessageDescriptor *response,
                          const struct pipit_schema *schema,
                          struct pipit_arena *arena,
                          struct scenario_problems *problems);

/* The same of a path into a response. @place is its own. */
void scenario_shape_check_path(struct scenario_path *path,
                               const struct scenario_place *place,
                               const ProtobufCMessageDescriptor *response,
                               const struct pipit_schema *schema,
                               struct pipit_arena *arena,
                               struct scenario_problems *problems);

#endif
