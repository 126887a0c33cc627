#include "server/runtime/reply.h"

#include <string.h>

#include "core/rpc/message.h"
#include "core/rpc/status_codec.h"
#include "server/runtime/box.h"
#include "server/runtime/burst.h"
#include "server/runtime/call.h"
#include "server/runtime/runtime.h"

#define TAG_RESPONSE_REPLIES 0x0a
#define TAG_REPLY_ID         0x08
#define TAG_REPLY_STATUS     0x12
#define TAG_REPLY_PAYLOAD    0x1a
#define TAG_REPLY_METADATA   0x22
#define TAG_METADATA_KEY     0x0a
#define TAG_METADATA_VALUE   0x12

/* A reply that has been measured and can be packed. */
struct reply {
        uint64_t id;
        uint8_t message_tag;
        const ProtobufCMessage *message; /* status or payload; NULL: neither */
        size_t n_message_bytes;
        const struct call_metadata *metadata;
        size_t n_body_bytes;
        size_t n_bytes;           /* the record */
        Google__Rpc__Status bare; /* what is said when there is no memory to say more */
};

/* --- bytes --------------------------------------------------------------- */

static size_t varint_bytes(uint64_t value)
{
        size_t n = 1;

        for (; value >= 0x80; value >>= 7)
                ++n;

        return n;
}

static uint8_t *varint_write(uint8_t *to, uint64_t value)
{
        for (; value >= 0x80; value >>= 7)
                *to++ = (uint8_t)(value | 0x80);
        *to++ = (uint8_t)value;

        return to;
}

/* Tag, length and the bytes behind them. */
static size_t field_bytes(size_t n_bytes)
{
        return 1 + varint_bytes(n_bytes) + n_bytes;
}

static uint8_t *field_write(uint8_t *to, uint8_t tag, const void *bytes, size_t n_bytes)
{
        *to++ = tag;
        to = varint_write(to, n_bytes);
        memcpy(to, bytes, n_bytes);

        return to + n_bytes;
}

static size_t metadata_body_bytes(const struct call_metadata *entry)
{
        return field_bytes(strlen(entry->key)) + field_bytes(entry->n_value_bytes);
}

static uint8_t *metadata_write(uint8_t *to, const struct call_metadata *entry)
{
        *to++ = TAG_REPLY_METADATA;
        to = varint_write(to, metadata_body_bytes(entry));
        to = field_write(to, TAG_METADATA_KEY, entry->key, strlen(entry->key));

        return field_write(to, TAG_METADATA_VALUE, entry->value, entry->n_value_bytes);
}

static void reply_measure(struct reply *reply)
{
        size_t n = 1 + varint_bytes(reply->id);

        reply->n_message_bytes =
                reply->message ? protobuf_c_message_get_packed_size(reply->message) : 0;
        if (reply->message &&
            (reply->n_message_bytes > 0 || reply->message_tag == TAG_REPLY_STATUS))
                n += field_bytes(reply->n_message_bytes);
        for (const struct call_metadata *m = reply->metadata; m; m = m->next)
                n += field_bytes(metadata_body_bytes(m));

        reply->n_body_bytes = n;
        reply->n_bytes = field_bytes(n);
}

static void reply_write(const struct reply *reply, uint8_t *to)
{
        *to++ = TAG_RESPONSE_REPLIES;
        to = varint_write(to, reply->n_body_bytes);
        *to++ = TAG_REPLY_ID;
        to = varint_write(to, reply->id);
        if (reply->message &&
            (reply->n_message_bytes > 0 || reply->message_tag == TAG_REPLY_STATUS)) {
                *to++ = reply->message_tag;
                to = varint_write(to, reply->n_message_bytes);
                to += protobuf_c_message_pack(reply->message, to);
        }
        for (const struct call_metadata *m = reply->metadata; m; m = m->next)
                to = metadata_write(to, m);
}

/* False: out of memory, or the error's own strings cannot be sent. */
static bool reply_of_error(uint64_t id,
                           const struct pipit_error *error,
                           struct pipit_arena *scratch,
                           struct reply *ret_reply)
{
        Google__Rpc__Status *status = pipit_status_encode(error, scratch);

        if (!status || pipit_message_bad_string(&status->base))
                return false;

        *ret_reply = (struct reply){
                .id = id,
                .message_tag = TAG_REPLY_STATUS,
                .message = &status->base,
        };
        reply_measure(ret_reply);

        return true;
}

/* The status code alone: needs no memory, and always fits. */
static void reply_of_status(uint64_t id, enum pipit_status status, struct reply *ret_reply)
{
        *ret_reply = (struct reply){.id = id, .message_tag = TAG_REPLY_STATUS};
        google__rpc__status__init(&ret_reply->bare);
        ret_reply->bare.code = (int32_t)status;
        ret_reply->message = &ret_reply->bare.base;
        reply_measure(ret_reply);
}

/* --- errors of the table --------------------------------------------------- */

size_t reply_pack_error(uint64_t id,
                        enum runtime_error error,
                        uint8_t ret_record[REPLY_ERROR_BYTES_MAX])
{
        struct pipit_error made = runtime_error_make(error);
        struct pipit_arena scratch = {};
        struct reply reply;
        size_t n_bytes = 0;

        if (reply_of_error(id, &made, &scratch, &reply) && reply.n_bytes <= REPLY_ERROR_BYTES_MAX) {
                reply_write(&reply, ret_record);
                n_bytes = reply.n_bytes;
        }
        pipit_arena_deinit(&scratch);

        return n_bytes;
}

bool reply_append_error(struct box *box, uint64_t id, enum runtime_error error)
{
        uint8_t record[REPLY_ERROR_BYTES_MAX];
        size_t n_bytes = reply_pack_error(id, error, record);
        uint8_t *to = n_bytes > 0 ? ready_append(&box->ready, id, n_bytes) : NULL;

        if (!to)
                return false;
        memcpy(to, record, n_bytes);

        return true;
}

/* --- giving ---------------------------------------------------------------- */

/* With the box's mutex. What cannot be kept becomes an error; what cannot even be that, is forgotten. */
static void reply_keep(struct box *box, const struct reply *reply)
{
        bool full = ready_n_bytes(&box->ready) + reply->n_bytes > BOX_READY_BYTES_MAX;
        uint8_t *to = full ? NULL : ready_append(&box->ready, reply->id, reply->n_bytes);

        if (to)
                reply_write(reply, to);
        else if (!reply_append_error(box,
                                     reply->id,
                                     full ? RUNTIME_ERROR_MAILBOX_FULL
                                          : RUNTIME_ERROR_RESPONSE_LOST))
                (void)pipit_mailbox_apply(
                        box->states, reply->id, PIPIT_CALL_EVENT_SEND, NULL, NULL);
}

enum outcome {
        OUTCOME_LATE,    /* it had ended before */
        OUTCOME_DROPPED, /* it was cancelled */
        OUTCOME_KEPT,
};

static enum outcome reply_finish(struct pipit_server_call *call,
                                 const struct reply *reply,
                                 bool *ret_flush,
                                 bool *ret_hooks)
{
        struct box *box = call->frame->box;
        enum outcome outcome = OUTCOME_LATE;

        *ret_hooks = false;

        pthread_mutex_lock(&box->mutex);
        if (!box->dead && !call->finished) {
                call->finished = true;
                *ret_hooks = call_ending(call);
                outcome = OUTCOME_DROPPED;
                if (pipit_mailbox_apply(
                            box->states, call->id, PIPIT_CALL_EVENT_FINISH, NULL, NULL) ==
                    PIPIT_CALL_ACTION_KEEP_REPLY) {
                        outcome = OUTCOME_KEPT;
                        reply_keep(box, reply);
                }
                if (box->simple)
                        --box->n_open;
        }
        *ret_flush = outcome == OUTCOME_KEPT && (!box->simple || box->n_open == 0);
        pthread_mutex_unlock(&box->mutex);

        return outcome;
}

static bool response_is_valid(const struct pipit_server_call *call,
                              const ProtobufCMessage *response)
{
        const ProtobufCFieldDescriptor *field;

        if (!response || response->descriptor != call->route->method->response)
                return false;

        field = pipit_message_bad_string(response);
        if (field)
                pipit_log_line(call->frame->server->log,
                               PIPIT_LOG_ERROR,
                               "a handler's response has a string that is not UTF-8",
                               PIPIT_LOG_STRING("method", call->method_name),
                               PIPIT_LOG_STRING("field", field->name));

        return !field;
}

/* False: it does not fit, or there is no memory. */
static bool reply_of_failure(struct pipit_server_call *call,
                             const struct pipit_error *error,
                             struct pipit_arena *scratch,
                             struct reply *ret_reply)
{
        if (!reply_of_error(call->id, error, scratch, ret_reply))
                return false;

        ret_reply->metadata = call->reply_metadata;
        reply_measure(ret_reply);

        return ret_reply->n_bytes + RESPONSE_OVERHEAD_BYTES <=
               call->frame->server->options.frame_bytes_max;
}

/* False: *ret_reply is not set and *error says why. */
static bool reply_of_response(struct pipit_server_call *call,
                              const ProtobufCMessage *response,
                              struct pipit_error *error,
                              struct reply *ret_reply)
{
        if (!response_is_valid(call, response)) {
                *error = runtime_error_make(RUNTIME_ERROR_RESPONSE_INVALID);
                return false;
        }

        *ret_reply = (struct reply){
                .id = call->id,
                .message_tag = TAG_REPLY_PAYLOAD,
                .message = response,
                .metadata = call->reply_metadata,
        };
        reply_measure(ret_reply);
        if (ret_reply->n_bytes + RESPONSE_OVERHEAD_BYTES <=
            call->frame->server->options.frame_bytes_max)
                return true;
        *error = runtime_error_make(RUNTIME_ERROR_RESPONSE_TOO_LARGE);

        return false;
}

/* The other side would have to guess what another number means. */
static void status_make_known(struct pipit_server_call *call, struct pipit_error *error)
{
        if ((unsigned int)error->status <= PIPIT_STATUS_MAX)
                return;

        pipit_log_line(call->frame->server->log,
                       PIPIT_LOG_ERROR,
                       "a call failed with a status that is none; it goes out as UNKNOWN",
                       PIPIT_LOG_STRING("method", call->method_name),
                       PIPIT_LOG_INT("status", (int)error->status));
        error->status = PIPIT_UNKNOWN;
}

/* The reply as it will go; *error becomes what it says. */
static void reply_prepare(struct pipit_server_call *call,
                          const ProtobufCMessage *response,
                          struct pipit_error *error,
                          struct pipit_arena *scratch,
                          struct reply *ret_reply)
{
        if (error->status == PIPIT_OK && reply_of_response(call, response, error, ret_reply))
                return;

        error->origin = PIPIT_ORIGIN_SERVER;
        if (reply_of_failure(call, error, scratch, ret_reply))
                return;

        *error = runtime_error_make(RUNTIME_ERROR_RESPONSE_INVALID);
        if (!reply_of_failure(call, error, scratch, ret_reply))
                reply_of_status(call->id, error->status, ret_reply);
}

void reply_give(struct pipit_server_call *call,
                const ProtobufCMessage *response,
                const struct pipit_error *error)
{
        struct pipit_error ends = error ? *error : (struct pipit_error){};
        struct pipit_arena scratch = {};
        struct reply reply;
        enum outcome outcome;
        bool flush;
        bool hooks;

        status_make_known(call, &ends);
        reply_prepare(call, response, &ends, &scratch, &reply);
        outcome = reply_finish(call, &reply, &flush, &hooks);
        pipit_arena_deinit(&scratch);

        if (flush)
                burst_mark(call->frame->box);
        if (!hooks)
                return;
        if (outcome == OUTCOME_DROPPED)
                ends = call_cancelled_error(call, true);
        interceptors_after(call, &ends);
}
