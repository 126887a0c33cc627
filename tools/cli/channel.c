#include "tools/cli/channel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/errors.h"
#include "core/base/macros.h"
#include "tools/cli/command.h"
#include "tools/cli/suggestion.h"

static bool read_uid(const char *text, uint32_t *ret_uid)
{
        char *end;
        unsigned long uid;

        errno = 0;
        uid = strtoul(text, &end, 10);
        *ret_uid = (uint32_t)uid;

        return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && uid < UINT32_MAX;
}

static bool read_uids(struct cli_arguments *arguments, struct pipit_channel_options *options)
{
        const struct cli_list *list = &arguments->options.server_uids;
        uint32_t *uids = pipit_arena_alloc(&arguments->arena, (list->n_values + 1) * sizeof(*uids));

        if (!uids) {
                (void)cli_value_error("out of memory");
                return false;
        }
        for (size_t i = 0; i < list->n_values; i++)
                if (!read_uid(list->values[i], &uids[i])) {
                        (void)cli_usage_error(arguments,
                                              "--server-uid: '%s' is no uid, as 0 or 1000",
                                              list->values[i]);
                        return false;
                }
        options->server_uids = uids;
        options->n_server_uids = list->n_values;

        return true;
}

bool cli_channel_options(struct cli_arguments *arguments, struct pipit_channel_options *ret_options)
{
        const struct cli_options *flags = &arguments->options;

        *ret_options = (struct pipit_channel_options){
                .timeout_ms = flags->timeout_ms,
                .insecure_plaintext = flags->insecure_plaintext,
                .key_file = flags->key,
                .known_servers_file = flags->known_servers,
        };

        return read_uids(arguments, ret_options);
}

/* Keys were wanted where there may be none at the other end, either. */
static bool may_be_plain(const char *target)
{
        static const char *const loopbacks[] = {"tcp://127.", "tcp://localhost:", "tcp://[::1]:"};

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(loopbacks); i++)
                if (strstr(target, loopbacks[i]))
                        return true;

        return false;
}

static bool has_reason(const struct pipit_error *error, enum client_reason reason)
{
        return error->reason &&
               strcmp(error->reason, client_error(reason, PIPIT_NOT_RUN).reason) == 0;
}

/* Not by its policy, which has the same reason and another text: it rejects frames without a session. */
static bool is_access_denied(const struct pipit_error *error)
{
        const char *told = client_error(CLIENT_REASON_ACCESS_DENIED, PIPIT_NOT_RUN).message;

        return has_reason(error, CLIENT_REASON_ACCESS_DENIED) && error->message &&
               strstr(error->message, told);
}

bool cli_channel_is_refused(const struct pipit_error *error)
{
        return is_access_denied(error) || has_reason(error, CLIENT_REASON_SESSION_DENIED);
}

void cli_channel_explain(const struct cli_arguments *arguments,
                         struct pipit_arena *arena,
                         const char *target,
                         struct pipit_error *error)
{
        const bool is_plain = arguments->options.insecure_plaintext;
        const char *advice = NULL, *message;

        cli_suggest_target(arena, target, error);
        if (is_plain && is_access_denied(error) && strstr(target, "tcp://"))
                advice = "; it may want keys: leave out --insecure-plaintext";
        else if (!is_plain && has_reason(error, CLIENT_REASON_SESSION_DENIED) &&
                 may_be_plain(target))
                advice = "; or it has no keys: --insecure-plaintext";
        if (!advice)
                return;

        message = pipit_arena_printf(arena, "%s%s", error->message, advice);
        if (message)
                error->message = message;
}

const char *cli_channel_problem(struct pipit_arena *arena,
                                const char *target,
                                const struct pipit_error *error)
{
        const char *message = error->message ? error->message : "the target is not understood";
        const char *longer = NULL;

        if (error->status == PIPIT_FAILED_PRECONDITION && may_be_plain(target))
                longer = pipit_arena_printf(
                        arena,
                        "%s (a server without keys, on this machine, needs --insecure-plaintext)",
                        message);

        return longer ? longer : message;
}
