#include "server/runtime/access.h"

#include <stdio.h>

#include "core/rpc/wire_limits.h"
#include "server/runtime/runtime.h"

/* Room for what the table says and the method's name. */
#define TEXT_BYTES (PIPIT_METHOD_BYTES_MAX + 64)

static void log_denial(const struct pipit_server_call *call,
                       const struct pipit_access_decision *decision)
{
        const struct frame *frame = call->frame;

        pipit_log_line(frame->server->log,
                       PIPIT_LOG_WARNING,
                       "access denied",
                       PIPIT_LOG_STRING("method", call->method_name),
                       PIPIT_LOG_STRING("principal", frame->principal->name),
                       PIPIT_LOG_STRING("rule", decision->rule ? decision->rule : "none allows it"),
                       PIPIT_LOG_INT("line", decision->line),
                       PIPIT_LOG_INT("pid", frame->pid));
}

static enum pipit_status check(struct pipit_server_interceptor *interceptor,
                               struct pipit_server_call_start *start)
{
        struct pipit_server_call *call = start->call;
        const struct standing *standing = call->frame->standing;
        struct pipit_access_decision decision;
        char *text;

        (void)interceptor;
        if (standing->may[call->route->index])
                return PIPIT_OK;

        decision = pipit_grants_decide(standing->grants, call->method_name);
        log_denial(call, &decision);
        start->error = runtime_error_make(RUNTIME_ERROR_ACCESS_DENIED);
        text = pipit_server_call_alloc(call, TEXT_BYTES);
        if (text) {
                (void)snprintf(text, TEXT_BYTES, "%s: %s", start->error.message, call->method_name);
                start->error.message = text;
        }

        return start->error.status;
}

static const struct pipit_server_interceptor_operations operations = {.before = check};

void access_init(struct pipit_server_interceptor *interceptor)
{
        interceptor->operations = &operations;
}
