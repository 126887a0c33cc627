/*
 * One round of a step: its call, as many times at once as it says
 */

#ifndef TOOLS_CLI_SCENARIO_ROUND_H
#define TOOLS_CLI_SCENARIO_ROUND_H

#include "tools/cli/scenario/channels.h"
#include "tools/cli/scenario/model.h"
#include "tools/cli/scenario/variables.h"

/* What all calls of a run share. */
struct scenario_calls {
        const struct pipit_schema *schema;
        struct scenario_channels *channels;
        const char *target;                    /* of --target; NULL: the file's */
        const struct pipit_metadata *metadata; /* of --metadata, before which the file's goes */
        size_t n_metadata;
        uint32_t timeout_ms; /* where nobody says another; 0: the channel's */
        bool wait_for_ready;
        bool heeds_interrupt; /* cleanup does not */
};

/* The settings that hold for a step, outermost first. */
#define SCENARIO_LEVELS 3

struct scenario_levels {
        const struct scenario_settings *levels[SCENARIO_LEVELS]; /* NULL: there is no such level */
};

/*
 * All zero but for "in": not run. What it makes lives until
 * scenario_round_deinit(), replies too.
 */
struct scenario_round {
        /* in */
        const struct scenario_calls *calls;
        const struct scenario_step *step;
        const struct scenario_levels *levels;
        const struct scenario_scope *scope;
        size_t index; /* of its first call */
        struct scenario_problems *problems;

        /* out */
        const struct scenario_value **replies; /* one a call, in the order of their index */
        size_t n_replies;

        /* private */
        struct scenario_flight *flights;
        struct pipit_arena arena;
};

/* Calls, and waits for all; an interrupt cancels them. False: @problems has why; nothing was sent, or a reply has no JSON. */
bool scenario_round_run(struct scenario_round *round);

void scenario_round_deinit(struct scenario_round *round);

#endif
