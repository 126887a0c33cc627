/*
 * Targets, as they are typed
 */

#ifndef TOOLS_CLI_TARGET_H
#define TOOLS_CLI_TARGET_H

#include <stdbool.h>

#include "core/base/arena.h"

/*
 * What is wrong with @target by its text alone, and what would be right: "URL: the scheme ...".
 * In @arena, or static. NULL: nothing; a channel may fail all the same, for want of keys.
 */
const char *cli_target_problem(struct pipit_arena *arena,
                               bool insecure_plaintext,
                               const char *target);

#endif
