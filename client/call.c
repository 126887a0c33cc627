#include "client/call.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "client/channel.h"
#include "client/encode.h"
#include "client/errors.h"
#include "client/intercept.h"
#include "client/queue.h"
#include "client/transport.h"
#include "client/worker.h"
#include "core/rpc/message.h"
#include "core/rpc/status_codec.h"
#include "core/rpc/wire_check.h"
#include "core/rpc/wire_limits.h"

/* What a reset keeps of a buffer, so that one large request does not stay for ever. */
#define BUFFER_KEEP_BYTES 65536

static _Thread_local unsigned int n_done_running;

bool call_is_under_way(struct pipit_call_state *state)
{
        bool is_under_way;

        pthread_mutex_lock(&state->mutex);
        is_under_way = state->channel != NULL || state->is_on_queue;
        pthread_mutex_unlock(&state->mutex);

        return is_under_way;
}

static bool buffer_reserve(struct call_buffer *buffer, size_t n_bytes)
{
        size_t capacity = buffer->capacity ? buffer->capacity : 256;
        uint8_t *bytes;

        if (n_bytes <= buffer->capacity)
                return true;
        while (capacity < n_bytes)
                capacity *= 2;
        bytes = realloc(buffer->bytes, capacity);
        if (!bytes)
                return false;
        buffer->bytes = bytes;
        buffer->capacity = capacity;

        return true;
}

static void buffer_trim(struct call_buffer *buffer)
{
        buffer->n_bytes = 0;
        if (buffer->capacity <= BUFFER_KEEP_BYTES)
                return;
        free(buffer->bytes);
        *buffer = (struct call_buffer){0};
}

bool call_prepare(struct pipit_call *call)
{
        struct pipit_call_state *state;

        if (call->state)
                return true;
        state = calloc(1, sizeof(*state));
        if (!state)
                return false;

        list_init(&state->node);
        list_init(&state->queue_node);
        pthread_mutex_init(&state->mutex, NULL);
        call->state = state;

        return true;
}

void call_forget(struct pipit_call_state *state)
{
        pipit_arena_reset(&state->arena);
        state->error = (struct pipit_error){0};
        state->response = NULL;
        state->response_metadata = NULL;
        state->n_response_metadata = 0;
        state->peer = NULL;
        state->reply = NULL;
        state->phase = CALL_IDLE;
}

void call_forget_metadata(struct pipit_call_state *state)
{
        state->n_metadata = 0;
        state->n_metadata_bytes = 0;
        buffer_trim(&state->metadata);
}

static enum pipit_status fail(struct pipit_call_state *state, enum client_reason reason)
{
        state->error = client_error(reason, PIPIT_NOT_RUN);

        return state->error.status;
}

enum pipit_status call_pack(struct pipit_call_state *state,
                            const struct pipit_method *method,
                            const ProtobufCMessage *request,
                            size_t n_bytes_max)
{
        const ProtobufCFieldDescriptor *bad_field = pipit_message_bad_string(request);
        size_t n_method = strlen(method->name);
        size_t n_payload, n_record;
        uint8_t *to;

        if (bad_field) {
                state->error = client_error_at(CLIENT_REASON_REQUEST_MALFORMED,
                                               PIPIT_NOT_RUN,
                                               &state->arena,
                                               bad_field->name,
                                               "not UTF-8");
                return state->error.status;
        }

        n_payload = protobuf_c_message_get_packed_size(request);
        n_record = encode_bytes_size(n_method) + encode_bytes_size(n_payload) +
                   state->metadata.n_bytes;
        if (n_record > n_bytes_max) {
                state->error = client_error_too_large(&state->arena, NULL, n_record, n_bytes_max);
                return state->error.status;
        }
        if (!buffer_reserve(&state->record, n_record))
                return fail(state, CLIENT_REASON_OUT_OF_MEMORY);

        to = encode_bytes(state->record.bytes, ENCODE_CALL_METHOD, method->name, n_method);
        to = encode_bytes_head(to, ENCODE_CALL_PAYLOAD, n_payload);
        to += protobuf_c_message_pack(request, to);
        if (state->metadata.n_bytes > 0)
                memcpy(to, state->metadata.bytes, state->metadata.n_bytes);
        state->record.n_bytes = n_record;
        call_forget_metadata(state);

        return PIPIT_OK;
}

static bool take_metadata(struct pipit_call_state *state, const Pipit__V1__Reply *reply)
{
        struct pipit_metadata *entries;

        if (reply->n_metadata == 0)
                return true;
        entries = pipit_arena_alloc(&state->arena, reply->n_metadata * sizeof(*entries));
        if (!entries)
                return false;

        for (size_t i = 0; i < reply->n_metadata; i++) {
                const Pipit__V1__Metadata *from = reply->metadata[i];

                entries[i].key = pipit_arena_strdup(&state->arena, from->key);
                entries[i].value =
                        pipit_arena_memdup(&state->arena, from->value.data, from->value.len);
                entries[i].n_value_bytes = from->value.len;
                if (!entries[i].key || !entries[i].value)
                        return false;
        }
        state->response_metadata = entries;
        state->n_response_metadata = reply->n_metadata;

        return true;
}

static void take_payload(struct pipit_call_state *state,
                         const ProtobufCBinaryData *payload,
                         size_t decoded_bytes_max)
{
        struct pipit_wire_limits limits = pipit_wire_limits_default;
        struct pipit_wire_report report;

        limits.decoded_bytes_max = decoded_bytes_max;
        if (!pipit_wire_check(
                    state->method->response, payload->data, payload->len, &limits, &report)) {
                state->error = client_error_at(CLIENT_REASON_RESPONSE_MALFORMED,
                                               PIPIT_RAN,
                                               &state->arena,
                                               state->peer,
                                               report.problem);
                return;
        }

        state->response = pipit_message_unpack(
                state->method->response, &state->arena, payload->data, payload->len);
        if (!state->response)
                state->error = client_error(CLIENT_REASON_OUT_OF_MEMORY, PIPIT_RAN);
}

void call_take_reply(struct pipit_call_state *state, size_t decoded_bytes_max)
{
        const Pipit__V1__Reply *reply = state->reply;

        state->reply = NULL;
        if (!take_metadata(state, reply))
                state->error = client_error(CLIENT_REASON_OUT_OF_MEMORY, PIPIT_RAN);
        else if (reply->status && reply->status->code != PIPIT_OK)
                pipit_status_decode(reply->status, &state->arena, &state->error);
        else
                take_payload(state, &reply->payload, decoded_bytes_max);
}

void call_wait(struct pipit_call_state *state)
{
        struct waiter *waiter = &state->waiter;

        if (!waiter->socket && waiter_has_ended(waiter))
                return;

        worker_wait_begins();
        if (waiter->socket)
                waiter->socket->transport->wait(waiter->socket, waiter);
        while (!waiter_has_ended(waiter)) {
                waiter_lie_down(waiter);
                waiter_sleep(waiter);
        }
        worker_wait_ends();
}

static void run_done(struct pipit_call *call)
{
        call_enter_done();
        call->done(call);
        call_leave_done();
}

void call_finish(struct pipit_call_state *state)
{
        struct pipit_call *call = state->call;
        struct pipit_queue *queue = state->queue;
        bool is_blocking = state->is_blocking;

        intercept_after(state->channel, state);

        pthread_mutex_lock(&state->mutex);
        state->channel = NULL;
        state->phase = CALL_DONE;
        state->is_on_queue = queue != NULL;
        pthread_mutex_unlock(&state->mutex);

        if (is_blocking)
                waiter_end(&state->waiter);
        else if (queue)
                queue_push(queue, call);
        else
                run_done(call);
}

void call_finish_out_of_memory(struct pipit_call *call)
{
        if (call->queue)
                queue_push(call->queue, call);
        else
                run_done(call);
}

void call_leave_queue(struct pipit_call *call)
{
        struct pipit_call_state *state = call->state;

        if (!state)
                return;

        pthread_mutex_lock(&state->mutex);
        state->is_on_queue = false;
        pthread_mutex_unlock(&state->mutex);
}

void call_enter_done(void)
{
        n_done_running++;
}

void call_leave_done(void)
{
        n_done_running--;
}

bool call_is_in_done(void)
{
        return n_done_running > 0;
}

static bool key_is_valid(const char *key, size_t n_bytes)
{
        if (n_bytes == 0 || n_bytes > PIPIT_METADATA_KEY_BYTES_MAX)
                return false;

        return strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789._-") == n_bytes;
}

enum pipit_status pipit_call_add_metadata(struct pipit_call *call,
                                          const char *key,
                                          const void *value,
                                          size_t n_value_bytes)
{
        size_t n_key = strlen(key);
        struct pipit_call_state *state;
        size_t n_entry;
        uint8_t *to;

        if (!key_is_valid(key, n_key) || n_value_bytes > PIPIT_METADATA_BYTES_MAX)
                return PIPIT_INVALID_ARGUMENT;
        if (!call_prepare(call))
                return PIPIT_RESOURCE_EXHAUSTED;
        state = call->state;
        if (call_is_under_way(state))
                return PIPIT_FAILED_PRECONDITION;
        if (state->n_metadata == PIPIT_METADATA_ENTRIES_MAX ||
            state->n_metadata_bytes + n_key + n_value_bytes > PIPIT_METADATA_BYTES_MAX)
                return PIPIT_INVALID_ARGUMENT;

        n_entry = encode_bytes_size(n_key) + encode_bytes_size(n_value_bytes);
        if (!buffer_reserve(&state->metadata, state->metadata.n_bytes + encode_bytes_size(n_entry)))
                return PIPIT_RESOURCE_EXHAUSTED;

        to = state->metadata.bytes + state->metadata.n_bytes;
        to = encode_bytes_head(to, ENCODE_CALL_METADATA, n_entry);
        to = encode_bytes(to, ENCODE_METADATA_KEY, key, n_key);
        to = encode_bytes(to, ENCODE_METADATA_VALUE, value, n_value_bytes);
        state->metadata.n_bytes = (size_t)(to - state->metadata.bytes);
        state->n_metadata++;
        state->n_metadata_bytes += n_key + n_value_bytes;

        return PIPIT_OK;
}

/* The channel stays while we hold the mutex: it waits for this call's end, which does too. */
void pipit_call_cancel(struct pipit_call *call)
{
        struct pipit_call_state *state = call->state;

        if (!state)
                return;

        pthread_mutex_lock(&state->mutex);
        if (state->channel)
                channel_cancel(state->channel, state);
        pthread_mutex_unlock(&state->mutex);
}

static const struct pipit_error no_error;
static const struct pipit_error no_memory = {
        .status = PIPIT_RESOURCE_EXHAUSTED,
        .reason = "OUT_OF_MEMORY",
        .message = "out of memory",
};

const struct pipit_error *pipit_call_error(const struct pipit_call *call)
{
        if (call->out_of_memory)
                return &no_memory;

        return call->state ? &call->state->error : &no_error;
}

size_t pipit_call_n_response_metadata(const struct pipit_call *call)
{
        return call->state ? call->state->n_response_metadata : 0;
}

const struct pipit_metadata *pipit_call_response_metadata(const struct pipit_call *call,
                                                          size_t index)
{
        if (index >= pipit_call_n_response_metadata(call))
                return NULL;

        return &call->state->response_metadata[index];
}

const char *pipit_call_peer(const struct pipit_call *call)
{
        return call->state ? call->state->peer : NULL;
}

const ProtobufCMessage *pipit_call_response(const struct pipit_call *call,
                                            const struct pipit_method *method)
{
        const struct pipit_call_state *state = call->state;

        return state && state->method == method ? state->response : NULL;
}

void pipit_call_reset(struct pipit_call *call)
{
        struct pipit_call_state *state = call->state;

        call->out_of_memory = false;
        if (!state || call_is_under_way(state))
                return;

        call_forget(state);
        call_forget_metadata(state);
        buffer_trim(&state->record);
}

void pipit_call_deinit(struct pipit_call *call)
{
        struct pipit_call_state *state = call->state;

        call->out_of_memory = false;
        if (!state || call_is_under_way(state))
                return;

        pipit_arena_deinit(&state->arena);
        free(state->record.bytes);
        free(state->metadata.bytes);
        pthread_mutex_destroy(&state->mutex);
        free(state);
        call->state = NULL;
}
