#include "tools/cli/scenario/channels.h"

#include <string.h>

#include "tools/cli/channel.h"
#include "tools/cli/target.h"

struct scenario_channel {
        const char *target;
        struct pipit_channel *channel;
        bool is_lent;
        struct scenario_channel *next;
};

/* Without its channel. NULL: out of memory. */
static struct scenario_channel *add(struct scenario_channels *channels, const char *target)
{
        struct scenario_channel *one = pipit_arena_zalloc(channels->arena, sizeof(*one));

        if (one)
                one->target = pipit_arena_strdup(channels->arena, target);
        if (!one || !one->target)
                return NULL;

        one->next = channels->first;
        channels->first = one;
        return one;
}

bool scenario_channels_lend(struct scenario_channels *channels,
                            const char *target,
                            struct pipit_channel *channel)
{
        struct scenario_channel *one = add(channels, target);

        if (!one)
                return false;

        one->channel = channel;
        one->is_lent = true;
        return true;
}

struct pipit_channel *scenario_channels_get(struct scenario_channels *channels,
                                            const char *target,
                                            const char **ret_problem)
{
        struct scenario_channel *one = channels->first;
        struct pipit_error error = {.status = PIPIT_OK};

        while (one && strcmp(one->target, target) != 0)
                one = one->next;
        if (!one)
                one = add(channels, target);
        if (!one) {
                *ret_problem = "out of memory";
                return NULL;
        }

        /* One that could not be made is tried again: it fails in the same way. */
        *ret_problem =
                cli_target_problem(channels->arena, channels->options.insecure_plaintext, target);
        if (*ret_problem)
                return NULL;
        if (!one->channel)
                one->channel = pipit_channel_new(target, &channels->options, &error);
        if (!one->channel)
                *ret_problem = cli_channel_problem(channels->arena, target, &error);
        return one->channel;
}

void scenario_channels_deinit(struct scenario_channels *channels)
{
        for (struct scenario_channel *one = channels->first; one; one = one->next) {
                if (!one->is_lent)
                        one->channel = pipit_channel_free(one->channel);
        }
        channels->first = NULL;
}
