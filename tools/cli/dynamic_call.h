/*
 * A dynamic call: a method by name and JSON in, JSON or an error out
 *
 * Prepare finds the method and reads the request; run calls and waits, as often
 * as wanted. Nothing is printed. A call belongs to one thread; any number of
 * them share a server.
 */

#ifndef TOOLS_CLI_DYNAMIC_CALL_H
#define TOOLS_CLI_DYNAMIC_CALL_H

#include <pipit/client.h>

#include "core/base/arena.h"
#include "core/json/json.h"
#include "tools/cli/server.h"

/* Reasons of errors that this layer makes; all others come from the call. */
#define CLI_REASON_METHOD_UNKNOWN      "METHOD_UNKNOWN"
#define CLI_REASON_JSON_INVALID        "JSON_INVALID"
#define CLI_REASON_METADATA_INVALID    "METADATA_INVALID"
#define CLI_REASON_RESPONSE_UNREADABLE "RESPONSE_UNREADABLE"

/* All zero but for "in": ready to be prepared. */
struct cli_dynamic_call {
        /* in */
        const char *name; /* of the method, in any form of method.h; NULL: method is set */
        const struct pipit_method *method; /* prepare sets it from the name */
        const char *json;                  /* of the request; NULL: {} */
        size_t n_json_bytes;
        uint32_t timeout_ms; /* 0: the channel's default */
        bool wait_for_ready;
        const struct pipit_metadata *metadata; /* beside the server's */
        size_t n_metadata;
        struct pipit_json_style style; /* of the response */

        /* out: of prepare; lives until the next or deinit */
        const ProtobufCMessage *request;

        /* out: of run; lives until the next run or deinit */
        const ProtobufCMessage *message; /* NULL unless the call succeeded */
        const char *response;            /* the message as JSON */
        size_t n_response_bytes;
        int64_t start_us; /* wall clock */
        int64_t duration_us;

        /* out: of whichever was last; its strings live as long */
        struct pipit_error error;

        /* private */
        struct pipit_call call;
        struct pipit_arena arena;          /* what prepare made */
        struct pipit_arena response_arena; /* what run made */
};

/*
 * INVALID_ARGUMENT (METHOD_UNKNOWN): the message names what would be right.
 * INVALID_ARGUMENT (JSON_INVALID): the message begins "LINE:COLUMN: ".
 * RESOURCE_EXHAUSTED: out of memory. Nothing was sent.
 */
enum pipit_status cli_dynamic_call_prepare(struct cli_dynamic_call *call,
                                           const struct cli_server *server);

/*
 * Calls and waits. The call's own status; call->error says the rest. INTERNAL
 * (RESPONSE_UNREADABLE): it succeeded, and the response has no JSON.
 * INVALID_ARGUMENT (METADATA_INVALID): nothing was sent.
 */
enum pipit_status cli_dynamic_call_run(struct cli_dynamic_call *call,
                                       const struct cli_server *server);

/* Of the last run: who answered (or was tried last; may be NULL), and with what metadata. */
static inline const char *cli_dynamic_call_peer(const struct cli_dynamic_call *call)
{
        return pipit_call_peer(&call->call);
}

static inline size_t cli_dynamic_call_n_response_metadata(const struct cli_dynamic_call *call)
{
        return pipit_call_n_response_metadata(&call->call);
}

static inline const struct pipit_metadata *cli_dynamic_call_response_metadata(
        const struct cli_dynamic_call *call, size_t index)
{
        return pipit_call_response_metadata(&call->call, index);
}

/* Frees what it holds; "in" stays. */
void cli_dynamic_call_deinit(struct cli_dynamic_call *call);

#endif
