/*
 * How the commands make channels: from flags to options, and what is told if it fails
 */

#ifndef TOOLS_CLI_CHANNEL_H
#define TOOLS_CLI_CHANNEL_H

#include <pipit/client.h>

#include "tools/cli/options.h"

/* By the flags; lives as they do. False: it said what is wrong. */
bool cli_channel_options(struct cli_arguments *arguments,
                         struct pipit_channel_options *ret_options);

/*
 * What who types can do about a failed call to @target: the socket that may have been meant,
 * or keys. The error's message then lies in @arena.
 */
void cli_channel_explain(const struct cli_arguments *arguments,
                         struct pipit_arena *arena,
                         const char *target,
                         struct pipit_error *error);

/* Whether @error is that the server takes nothing from us, whatever it is: no key, or a wrong one. */
bool cli_channel_is_refused(const struct pipit_error *error);

/* Why there is no channel to @target, for who types; in @arena, or static. */
const char *cli_channel_problem(struct pipit_arena *arena,
                                const char *target,
                                const struct pipit_error *error);

#endif
