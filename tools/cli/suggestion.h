/*
 * The nearest right target for a wrong one
 */

#ifndef TOOLS_CLI_SUGGESTION_H
#define TOOLS_CLI_SUGGESTION_H

#include "core/base/arena.h"
#include "core/base/status.h"
#include "tools/cli/server.h"

/*
 * If @error is that there is no socket at @target, and one with nearly that name
 * lies beside it, the error's message, in @arena, names it.
 */
void cli_suggest_target(struct pipit_arena *arena, const char *target, struct pipit_error *error);

/*
 * The service whose name is nearest to @wanted; if that is one word, whose last word is, with
 * or without "Service". NULL: none is near.
 */
const char *cli_suggest_service(const struct cli_names *services,
                                struct pipit_arena *arena,
                                const char *wanted);

/* What @target, which is refused, may have been meant to be: in @arena, or NULL. */
const char *cli_suggest_url(struct pipit_arena *arena, const char *target);

#endif
