/*
 * One channel to each target
 */

#ifndef TOOLS_CLI_SCENARIO_CHANNELS_H
#define TOOLS_CLI_SCENARIO_CHANNELS_H

#include <pipit/client.h>

#include "core/base/arena.h"

struct scenario_channel;

/* All zero but for "in": none. One thread. */
struct scenario_channels {
        /* in */
        struct pipit_arena *arena;
        struct pipit_channel_options options;

        /* private */
        struct scenario_channel *first;
};

/* Makes @channel the one to @target; it stays the caller's. False: out of memory. */
bool scenario_channels_lend(struct scenario_channels *channels,
                            const char *target,
                            struct pipit_channel *channel);

/* The channel to @target, made at the first use. NULL: *ret_problem tells. */
struct pipit_channel *scenario_channels_get(struct scenario_channels *channels,
                                            const char *target,
                                            const char **ret_problem);

/* Frees all of them but what was lent. No call is in flight. */
void scenario_channels_deinit(struct scenario_channels *channels);

#endif
