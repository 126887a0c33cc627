#include "tools/cli/scenario/channels.h"

#include <string.h>

struct scenario_channel {
        const char *target;
        struct pipit_channel *channel;
        struct scenario_channel *next;
};

/* The library names a member of its options; who types wants the flag. */
static const char *problem_of(const struct pipit_error *error)
{
        if (!error->message)
                return "the target is not understood";
        if (strstr(error->message, "insecure_plaintext"))
                return "tcp:// without keys needs --insecure-plaintext";

        return error->message;
}

struct pipit_channel *scenario_channels_get(struct scenario_channels *channels,
                                            const char *target,
                                            const char **ret_problem)
{
        struct scenario_channel *one = channels->first;
        struct pipit_error error = {.status = PIPIT_OK};

        while (one && strcmp(one->target, target) != 0)
                one = one->next;
        if (one)
                return one->channel;

        *ret_problem = "out of memory";
        one = pipit_arena_zalloc(channels->arena, sizeof(*one));
        if (!one)
                return NULL;
        one->target = pipit_arena_strdup(channels->arena, target);
        if (!one->target)
                return NULL;
        one->channel = pipit_channel_new(target, &channels->options, &error);
        if (!one->channel) {
                *ret_problem = problem_of(&error);
                return NULL;
        }

        one->next = channels->first;
        channels->first = one;
        return one->channel;
}

void scenario_channels_deinit(struct scenario_channels *channels)
{
        for (struct scenario_channel *one = channels->first; one; one = one->next)
                one->channel = pipit_channel_free(one->channel);
        channels->first = NULL;
}
