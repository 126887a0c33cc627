/*
 * Dispatch: calls that a mailbox has taken in, to their handlers
 */

#include <stdio.h>

#include "core/rpc/message.h"
#include "server/runtime/runtime.h"

static bool call_count(struct pipit_server_call *call)
{
        if (atomic_fetch_add(&call->frame->server->n_calls, 1) >=
            call->frame->server->options.calls_max) {
                atomic_fetch_sub(&call->frame->server->n_calls, 1);
                return false;
        }
        call->counted = true;

        return true;
}

static void fail_malformed(struct pipit_server_call *call, const struct pipit_wire_report *report)
{
        struct pipit_error error = runtime_error_make(RUNTIME_ERROR_MALFORMED);
        char text[256];

        (void)snprintf(text,
                       sizeof(text),
                       "the payload is not a %s: %s at byte %zu%s%.64s",
                       call->route->method->request->name,
                       report->problem,
                       report->offset,
                       report->field ? ", in field " : "",
                       report->field ? report->field->name : "");
        error.message = text;
        pipit_server_call_fail(call, &error);
}

/* False: it has failed. */
static bool call_unpack(struct pipit_server_call *call)
{
        const ProtobufCMessageDescriptor *descriptor = call->route->method->request;
        struct frame *frame = call->frame;
        struct pipit_wire_report report;
        bool charged;

        if (!pipit_wire_check(descriptor,
                              call->payload,
                              call->n_payload_bytes,
                              &frame->server->wire_limits,
                              &report)) {
                fail_malformed(call, &report);
                return false;
        }

        pthread_mutex_lock(&frame->mutex);
        charged = frame_charge(frame, report.decoded_bytes);
        if (charged) {
                call->request = pipit_message_unpack(
                        descriptor, &frame->arena, call->payload, call->n_payload_bytes);
                frame_settle(frame);
        }
        pthread_mutex_unlock(&frame->mutex);
        if (call->request)
                return true;
        call_fail_with(call, charged ? RUNTIME_ERROR_OUT_OF_MEMORY : RUNTIME_ERROR_TOO_MANY_BYTES);

        return false;
}

static void call_dispatch(struct pipit_server_call *call)
{
        if (call->intake != CALL_UNSERVED && !interceptors_before(call))
                return;
        if (call->intake != CALL_NEW) {
                call_fail_with(call, call->failure);
                return;
        }
        if (!call_count(call)) {
                call_fail_with(call, RUNTIME_ERROR_TOO_MANY_CALLS);
                return;
        }
        if (!call_unpack(call))
                return;

        if (call->route->blocks) {
                if (!workers_submit(call->frame->server->workers, call))
                        call_fail_with(call, RUNTIME_ERROR_WORKERS_BUSY);
        } else if (call->started && !pipit_server_call_cancelled(call)) {
                call_run(call);
        } else {
                call_fail_with(call, RUNTIME_ERROR_DEADLINE);
        }
}

void frame_dispatch(struct frame *frame)
{
        for (size_t i = 0; i < frame->n_calls; ++i) {
                struct pipit_server_call *call = &frame->calls[i];

                if (call->intake != CALL_DROPPED)
                        call_dispatch(call);
        }
}
