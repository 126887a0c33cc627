#include "server/runtime/call_log.h"

#include <string.h>

#include "core/base/log.h"
#include "core/base/macros.h"

static const struct pipit_metadata *metadata_find(const struct pipit_server_call *call,
                                                  const char *key)
{
        for (size_t i = 0; i < pipit_server_call_n_metadata(call); ++i) {
                if (strcmp(pipit_server_call_metadata(call, i)->key, key) == 0)
                        return pipit_server_call_metadata(call, i);
        }

        return NULL;
}

/* The trace id of a W3C traceparent: 00-TRACEID-SPANID-FLAGS. Empty: there is none. */
static void trace_id_of(const struct pipit_server_call *call, char ret_id[33])
{
        const struct pipit_metadata *parent = metadata_find(call, "traceparent");

        ret_id[0] = '\0';
        if (!parent || parent->n_value_bytes < 36 || parent->value[2] != '-' ||
            parent->value[35] != '-')
                return;

        for (size_t i = 0; i < 32; ++i) {
                uint8_t byte = parent->value[3 + i];

                if (!(byte >= '0' && byte <= '9') && !(byte >= 'a' && byte <= 'f')) {
                        ret_id[0] = '\0';
                        return;
                }
                ret_id[i] = (char)byte;
        }
        ret_id[32] = '\0';
}

static void log_end(struct pipit_server_interceptor *interceptor,
                    const struct pipit_server_call_end *end)
{
        const struct call_log *call_log =
                pipit_container_of(interceptor, struct call_log, interceptor);
        char trace_id[33];

        if (!pipit_log_enabled(call_log->log, PIPIT_LOG_INFO))
                return;

        trace_id_of(end->call, trace_id);
        pipit_log_line(call_log->log,
                       PIPIT_LOG_INFO,
                       "call",
                       PIPIT_LOG_STRING("method", end->method_name),
                       PIPIT_LOG_STRING("status", pipit_status_name(end->error->status)),
                       PIPIT_LOG_STRING("reason", end->error->reason),
                       PIPIT_LOG_INT("duration_us", end->duration_us),
                       PIPIT_LOG_STRING("principal", pipit_server_call_principal(end->call)),
                       PIPIT_LOG_STRING("trace_id", trace_id[0] ? trace_id : NULL));
}

static const struct pipit_server_interceptor_operations operations = {.after = log_end};

void call_log_init(struct call_log *call_log, struct pipit_log *log)
{
        call_log->interceptor.operations = &operations;
        call_log->log = log;
}
