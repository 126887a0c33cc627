#include "tools/cli/dynamic_call.h"

#include <string.h>

#include "core/base/clock.h"
#include "tools/cli/method.h"

static enum pipit_status fail(struct cli_dynamic_call *call,
                              enum pipit_status status,
                              const char *reason,
                              const char *message)
{
        call->error = pipit_error_make(status, PIPIT_NOT_RUN, reason, message);
        return status;
}

enum pipit_status cli_dynamic_call_prepare(struct cli_dynamic_call *call,
                                           const struct cli_server *server)
{
        const char *json = call->json ? call->json : "{}", *problem = "no method is given";
        size_t n_json_bytes = call->json ? call->n_json_bytes : strlen(json);
        ProtobufCMessage *request;

        pipit_arena_reset(&call->arena);
        call->error = (struct pipit_error){.status = PIPIT_OK};
        call->request = NULL;
        if (call->name)
                call->method = cli_method_find(
                        server->schema, server->n_own, call->name, &call->arena, &problem);
        if (!call->method)
                return fail(call, PIPIT_INVALID_ARGUMENT, CLI_REASON_METHOD_UNKNOWN, problem);

        enum pipit_status status = pipit_json_read(call->method->request,
                                                   json,
                                                   n_json_bytes,
                                                   server->schema,
                                                   &call->arena,
                                                   &request,
                                                   &call->error);

        if (status == PIPIT_OK)
                call->request = request;
        return status;
}

static bool add_metadata(struct cli_dynamic_call *call,
                         const struct pipit_metadata *metadata,
                         size_t n_metadata)
{
        for (size_t i = 0; i < n_metadata; i++) {
                if (pipit_call_add_metadata(&call->call,
                                            metadata[i].key,
                                            metadata[i].value,
                                            metadata[i].n_value_bytes) != PIPIT_OK)
                        return false;
        }

        return true;
}

/* The call did what it should, whether or not its outcome can be shown. */
static enum pipit_status write_response(struct cli_dynamic_call *call,
                                        const struct pipit_schema *schema)
{
        struct pipit_error problem = {.status = PIPIT_OK};
        char *text;

        if (pipit_json_write(
                    call->message, schema, &call->style, &call->response_arena, &text, &problem) !=
            PIPIT_OK) {
                (void)fail(call, PIPIT_INTERNAL, CLI_REASON_RESPONSE_UNREADABLE, problem.message);
                call->error.ran = PIPIT_RAN;
                return PIPIT_INTERNAL;
        }

        call->response = text;
        call->n_response_bytes = strlen(text);
        return PIPIT_OK;
}

enum pipit_status cli_dynamic_call_run(struct cli_dynamic_call *call,
                                       const struct cli_server *server)
{
        pipit_call_reset(&call->call);
        pipit_arena_reset(&call->response_arena);
        call->message = NULL;
        call->response = NULL;
        call->n_response_bytes = 0;
        call->call.timeout_ms = call->timeout_ms;
        call->call.wait_for_ready = call->wait_for_ready;

        if (!add_metadata(call, server->metadata, server->n_metadata) ||
            !add_metadata(call, call->metadata, call->n_metadata))
                return fail(call,
                            PIPIT_INVALID_ARGUMENT,
                            CLI_REASON_METADATA_INVALID,
                            "a key or value of the metadata is refused, or there are too many");

        int64_t start_us = pipit_clock_now_us();

        call->start_us = pipit_clock_wall_us();
        enum pipit_status status = pipit_channel_call(
                server->channel, &call->call, call->method, call->request, &call->message);

        call->duration_us = pipit_clock_now_us() - start_us;
        call->error = *pipit_call_error(&call->call);

        return status == PIPIT_OK ? write_response(call, server->schema) : status;
}

void cli_dynamic_call_deinit(struct cli_dynamic_call *call)
{
        pipit_call_deinit(&call->call);
        pipit_arena_deinit(&call->arena);
        pipit_arena_deinit(&call->response_arena);
        call->method = NULL;
        call->request = NULL;
        call->message = NULL;
        call->response = NULL;
        call->error = (struct pipit_error){.status = PIPIT_OK};
}
