/*
 * What a step sends: its request as a message, its metadata as entries
 */

#ifndef TOOLS_CLI_SCENARIO_REQUEST_H
#define TOOLS_CLI_SCENARIO_REQUEST_H

#include <pipit/client.h>

#include "core/json/schema.h"
#include "tools/cli/scenario/model.h"

/*
 * The message of @request (NULL: empty), whose variables are resolved, in
 * @arena. NULL: @problems has what is wrong, at its place.
 */
ProtobufCMessage *scenario_request_new(const struct scenario_value *request,
                                       const struct scenario_place *place,
                                       const struct pipit_method *method,
                                       const struct pipit_schema *schema,
                                       struct pipit_arena *arena,
                                       struct scenario_problems *problems);

/* Checks @request as far as it is known: what is_unknown is left out. */
void scenario_request_check(struct scenario_value *request,
                            const struct pipit_method *method,
                            const struct pipit_schema *schema,
                            struct pipit_arena *arena,
                            struct scenario_problems *problems);

/*
 * Adds the entries of @metadata (a map whose variables are resolved) to @call.
 * False: @problems has why.
 */
bool scenario_metadata_add(struct pipit_call *call,
                           const struct scenario_value *metadata,
                           struct pipit_arena *arena,
                           struct scenario_problems *problems);

#endif
