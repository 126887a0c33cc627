/*
 * Several JSON values in a row: NDJSON, or one behind the other in any layout
 */

#ifndef TOOLS_CLI_MESSAGES_H
#define TOOLS_CLI_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"

/* All zero but for "in": before the first. */
struct cli_messages {
        /* in */
        const char *text;
        size_t n_bytes;

        /* out: the value that was taken last */
        const char *value;
        size_t n_value_bytes;

        /* private */
        size_t next;
        size_t n_taken;
};

/*
 * Takes the next value; whether it is JSON is not looked at. False: there are no
 * more. Text that is empty is one value, which is empty.
 */
bool cli_messages_take(struct cli_messages *messages);

/*
 * @problem, which begins with the "LINE:COLUMN: " of a place in the value taken
 * last, with that of the place in the whole text. In @arena.
 */
const char *cli_messages_relocate(const struct cli_messages *messages,
                                  const char *problem,
                                  struct pipit_arena *arena);

#endif
