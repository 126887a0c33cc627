#include <stdio.h>
#include <string.h>

#include "client/channel.h"
#include "client/picker.h"
#include "core/base/clock.h"
#include "core/base/macros.h"
#include "core/rpc/frame.h"
#include "core/rpc/message.h"
#include "core/rpc/status_codec.h"
#include "core/rpc/wire_check.h"

/* A server that answers polls at once with nothing is asked no more often than this. */
#define POLL_PAUSE_MS 20

/* How long BUSY lasts, whatever the server says. */
#define BUSY_MS_MIN 5
#define BUSY_MS_MAX 5000

/* Below this no server's limit is believed. */
#define FRAME_BYTES_MIN 1024

/* Of the stack, for what a response is unpacked into: several replies of usual size. */
#define ARENA_BYTES 4096

/* What a message turned out to be. */
enum arrival_kind {
        ARRIVAL_RESPONSE,
        ARRIVAL_REJECT,
        ARRIVAL_MALFORMED,
        ARRIVAL_NO_MEMORY,
};

struct arrival {
        enum arrival_kind kind;
        const Pipit__V1__Response *response;
        struct pipit_reject reject;
        const char *problem;
};

static size_t decoded_bytes_max(const struct pipit_channel *channel)
{
        size_t n_bytes = (size_t)channel->options.frame_bytes_max * 4;

        return n_bytes > PIPIT_DECODED_BYTES_MAX ? n_bytes : PIPIT_DECODED_BYTES_MAX;
}

static struct arrival malformed(const char *problem)
{
        return (struct arrival){.kind = ARRIVAL_MALFORMED, .problem = problem};
}

static struct arrival read_response(const struct lane *lane,
                                    struct pipit_arena *arena,
                                    const uint8_t *bytes,
                                    size_t n_bytes)
{
        struct pipit_wire_limits limits = pipit_wire_limits_default;
        struct pipit_wire_report report;
        ProtobufCMessage *message;

        limits.decoded_bytes_max = decoded_bytes_max(lane->address->channel);
        if (!pipit_wire_check(&pipit__v1__response__descriptor, bytes, n_bytes, &limits, &report))
                return malformed(report.problem);

        message = pipit_message_unpack(&pipit__v1__response__descriptor, arena, bytes, n_bytes);
        if (!message)
                return (struct arrival){.kind = ARRIVAL_NO_MEMORY};

        return (struct arrival){
                .kind = ARRIVAL_RESPONSE,
                .response = (const Pipit__V1__Response *)message,
        };
}

static struct arrival read_frame(const struct lane *lane,
                                 struct pipit_arena *arena,
                                 const uint8_t *bytes,
                                 size_t n_bytes)
{
        struct arrival arrival = {.kind = ARRIVAL_REJECT};
        enum pipit_frame_kind kind;

        switch (pipit_frame_header_read(bytes, n_bytes, &kind)) {
        case PIPIT_FRAME_OK:
                break;
        case PIPIT_FRAME_NO_MAGIC:
                return malformed("the answer is no Pipit frame");
        case PIPIT_FRAME_BAD_VERSION:
                return malformed("the answer is a frame of another version");
        case PIPIT_FRAME_BAD_KIND:
                return malformed("the answer is a frame of an unknown kind");
        }
        bytes += PIPIT_FRAME_HEADER_BYTES;
        n_bytes -= PIPIT_FRAME_HEADER_BYTES;

        if (kind == PIPIT_FRAME_RESPONSE)
                return read_response(lane, arena, bytes, n_bytes);
        if (kind != PIPIT_FRAME_REJECT)
                return malformed("the answer is a frame of a kind that answers nothing here");
        if (!pipit_reject_read(bytes, n_bytes, &arrival.reject))
                return malformed("a reject of the wrong length");

        return arrival;
}

/* What is read is in @arena; the message is not needed any more. */
static struct arrival read_message(const struct lane *lane,
                                   struct pipit_arena *arena,
                                   struct transport_message *message)
{
        const struct transport *transport = lane->wire->transport;
        const uint8_t *bytes;
        struct arrival arrival;
        size_t n_bytes;

        bytes = transport->message_bytes(lane->wire, message, &n_bytes);
        arrival = read_frame(lane, arena, bytes, n_bytes);
        transport->message_free(lane->wire, message);

        return arrival;
}

/*
 * Ends the calls on the wire there; with @before_epoch only those that were
 * sent on earlier connections, and with @instance only those of another server.
 */
static void end_sent(struct address *address,
                     enum client_reason reason,
                     const char *detail,
                     uint64_t before_epoch,
                     uint64_t instance,
                     struct endings *endings)
{
        struct list *lists[] = {&address->sent, &address->limbo};
        struct list *node, *after;

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(lists); i++)
                list_for_each(node, after, lists[i])
                {
                        struct pipit_call_state *state =
                                pipit_container_of(node, struct pipit_call_state, node);
                        struct pipit_error error;

                        if (state->epoch >= before_epoch)
                                continue;
                        if (instance && (!state->instance || state->instance == instance))
                                continue;
                        error = client_error_at(reason,
                                                PIPIT_MAY_HAVE_RUN,
                                                &state->arena,
                                                address->target.text,
                                                detail);
                        channel_end(address->channel, state, &error, endings);
                }
}

/* Another server process than the one that has our calls: they are lost. */
static void check_instance(struct lane *lane, uint64_t instance, struct endings *endings)
{
        struct address *address = lane->address;
        bool is_first = address->instance_epoch != address->epoch;

        if (instance == 0 || (!is_first && instance == address->instance))
                return;

        if (is_first)
                end_sent(address,
                         CLIENT_REASON_SERVER_RESTARTED,
                         NULL,
                         address->epoch,
                         instance,
                         endings);
        else
                end_sent(address, CLIENT_REASON_SERVER_RESTARTED, NULL, UINT64_MAX, 0, endings);
        address->instance = instance;
        address->instance_epoch = address->epoch;
}

/*
 * Whether a failure means that the call can safely go out once more, and should:
 * the server never had it, or wants no more of them.
 */
static bool is_to_be_sent_again(const struct address *address,
                                const struct pipit_call_state *state,
                                const Pipit__V1__Reply *reply,
                                struct pipit_arena *arena)
{
        struct pipit_error error;

        if (!reply->status || reply->status->code != PIPIT_UNAVAILABLE ||
            state->n_resends >= CHANNEL_RESENDS_MAX)
                return false;
        pipit_status_decode(reply->status, arena, &error);
        if (!error.reason || error.ran != PIPIT_NOT_RUN)
                return false;

        if (strcmp(error.reason, "CALL_NOT_RECEIVED") == 0)
                return state->epoch < address->epoch && state->instance != 0 &&
                       state->instance == address->instance;
        if (strcmp(error.reason, "DRAINING") == 0)
                return state->wait_for_ready || picker_pick(address->channel->addresses,
                                                            address->channel->n_addresses,
                                                            true);

        return false;
}

/*
 * A new server process knows nothing of what an old one ran. Where the server
 * behind a broken connection never told its instance, its "not received" may come
 * from such a one.
 */
static bool is_not_received_by_a_stranger(const struct pipit_call_state *state,
                                          const Pipit__V1__Reply *reply,
                                          uint64_t epoch)
{
        return state->epoch < epoch && state->instance == 0 && reply->status &&
               reply->status->code == PIPIT_UNAVAILABLE;
}

/* Frames are read in the order in which they were sent. */
static void note_read(struct address *address, uint64_t id)
{
        if (id > address->read_id)
                address->read_id = id;
}

static void take_reply(struct address *address,
                       const Pipit__V1__Reply *reply,
                       struct pipit_arena *arena,
                       struct endings *endings)
{
        struct pipit_channel *channel = address->channel;
        struct pipit_call_state *state = table_find(&channel->table, reply->id);
        struct pipit_error error;

        if (!state || state->address != address)
                return;

        note_read(address, reply->id);
        if (is_to_be_sent_again(address, state, reply, arena)) {
                state->n_resends++;
                channel_take_out(channel, state);
                (void)channel_dispatch(channel, state, endings);
                return;
        }

        error = (struct pipit_error){0};
        if (is_not_received_by_a_stranger(state, reply, address->epoch))
                error = client_error_at(CLIENT_REASON_CONNECTION_LOST,
                                        PIPIT_MAY_HAVE_RUN,
                                        &state->arena,
                                        address->target.text,
                                        NULL);
        else
                state->reply = reply;
        channel_end(channel, state, &error, endings);
}

static void throttle_polls(struct lane *lane, const Pipit__V1__Response *response)
{
        int64_t pause_us = POLL_PAUSE_MS * PIPIT_US_PER_MS;
        int64_t now_us;

        if (lane->frame != LANE_FRAME_POLL || response->n_replies > 0)
                return;
        now_us = pipit_clock_now_us();
        if (now_us - lane->sent_us >= pause_us)
                return;
        lane->address->poll_us = now_us + pause_us;
        channel_wake_at(lane->address->channel, lane->address->poll_us);
}

static void take_draining(struct address *address, bool is_draining, struct endings *endings)
{
        bool was_draining = address->is_draining;

        address->is_draining = is_draining;
        if (was_draining && !is_draining)
                channel_dispatch_waiting(address->channel, endings);
}

static void take_response(struct lane *lane,
                          const Pipit__V1__Response *response,
                          struct pipit_arena *arena,
                          struct endings *endings)
{
        struct address *address = lane->address;

        if (lane->epoch == address->epoch && address->state == ADDRESS_UP) {
                check_instance(lane, response->instance, endings);
                address->is_proven = true;
                take_draining(address, response->draining, endings);
                throttle_polls(lane, response);
        }

        for (size_t i = 0; i < response->n_replies; i++)
                take_reply(address, response->replies[i], arena, endings);
}

/* The calls of a frame that ran nothing go back to the queue. */
static void queue_again(struct lane *lane, struct endings *endings)
{
        struct pipit_channel *channel = lane->address->channel;

        for (size_t i = 0; i < lane->n_ids; i++) {
                struct pipit_call_state *state = table_find(&channel->table, lane->ids[i]);

                if (!state)
                        continue;
                channel_take_out(channel, state);
                (void)channel_dispatch(channel, state, endings);
        }
}

static struct pipit_error reject_error(struct lane *lane,
                                       struct pipit_call_state *state,
                                       const struct pipit_reject *reject)
{
        struct pipit_error error;
        char detail[96];

        (void)snprintf(detail,
                       sizeof(detail),
                       "the server rejected the frame: %s, detail %u",
                       pipit_reject_name(reject->code),
                       reject->detail);
        /* Why access is denied no frame tells: the table's text is all that there is to say. */
        error = client_error_at(client_reason_of_reject(reject->code),
                                PIPIT_NOT_RUN,
                                &state->arena,
                                lane->address->target.text,
                                reject->code == PIPIT_REJECT_DENIED ? NULL : detail);
        error.origin = PIPIT_ORIGIN_SERVER;
        error.retry_after_ms = reject->retry_ms;

        return error;
}

static void end_rejected(struct lane *lane,
                         const struct pipit_reject *reject,
                         struct endings *endings)
{
        struct pipit_channel *channel = lane->address->channel;

        for (size_t i = 0; i < lane->n_ids; i++) {
                struct pipit_call_state *state = table_find(&channel->table, lane->ids[i]);
                struct pipit_error error;

                if (!state)
                        continue;
                error = reject_error(lane, state, reject);
                channel_end(channel, state, &error, endings);
        }
}

static void rest_while_busy(struct lane *lane, const struct pipit_reject *reject)
{
        struct address *address = lane->address;
        uint32_t pause_ms = reject->retry_ms;

        if (pause_ms < BUSY_MS_MIN)
                pause_ms = BUSY_MS_MIN;
        if (pause_ms > BUSY_MS_MAX)
                pause_ms = BUSY_MS_MAX;
        address->busy_until_us = pipit_clock_now_us() + pause_ms * PIPIT_US_PER_MS;
        channel_wake_at(address->channel, address->busy_until_us);
}

/* Those of earlier connections have to be asked for once more. */
static void ask_again(struct address *address)
{
        struct list *node, *after;

        list_for_each(node, after, &address->sent)
        {
                struct pipit_call_state *state =
                        pipit_container_of(node, struct pipit_call_state, node);

                if (state->epoch == address->epoch)
                        continue;
                list_remove(node);
                list_append(&address->limbo, node);
        }
        address->hello_is_due = true;
}

static void shrink_frames(struct lane *lane, const struct pipit_reject *reject)
{
        struct address *address = lane->address;
        size_t limit = reject->detail;

        if (limit >= address->frame_bytes_max)
                limit = address->frame_bytes_max / 2;
        address->frame_bytes_max = limit < FRAME_BYTES_MIN ? FRAME_BYTES_MIN : limit;
}

/* A rejected frame without calls asked for answers: whoever waits for them waits in vain. */
static void end_waiting(struct lane *lane,
                        const struct pipit_reject *reject,
                        struct endings *endings)
{
        bool is_hello = lane->frame == LANE_FRAME_HELLO;

        end_sent(lane->address,
                 client_reason_of_reject(reject->code),
                 pipit_reject_name(reject->code),
                 is_hello ? lane->address->epoch : UINT64_MAX,
                 0,
                 endings);
}

static void take_reject(struct lane *lane,
                        const struct pipit_reject *reject,
                        struct endings *endings)
{
        bool is_current = lane->epoch == lane->address->epoch;

        if (reject->code == PIPIT_REJECT_BUSY && is_current) {
                rest_while_busy(lane, reject);
                queue_again(lane, endings);
                if (lane->frame == LANE_FRAME_HELLO)
                        ask_again(lane->address);
                return;
        }
        if (reject->code == PIPIT_REJECT_TOO_LARGE && lane->n_ids > 1) {
                shrink_frames(lane, reject);
                queue_again(lane, endings);
                return;
        }

        if (lane->n_ids > 0)
                end_rejected(lane, reject, endings);
        else if (is_current)
                end_waiting(lane, reject, endings);
}

/* Which calls it would have answered nobody knows: so all, and a new connection. */
static void take_malformed(struct lane *lane, const char *problem, struct endings *endings)
{
        if (lane->epoch != lane->address->epoch)
                return;
        end_sent(lane->address, CLIENT_REASON_RESPONSE_MALFORMED, problem, UINT64_MAX, 0, endings);
        address_lose(lane->address, problem);
}

static void take_arrival(struct lane *lane,
                         const struct arrival *arrival,
                         struct pipit_arena *arena,
                         struct endings *endings)
{
        switch (arrival->kind) {
        case ARRIVAL_RESPONSE:
                take_response(lane, arrival->response, arena, endings);
                break;
        case ARRIVAL_REJECT:
                take_reject(lane, &arrival->reject, endings);
                break;
        case ARRIVAL_MALFORMED:
                take_malformed(lane, arrival->problem, endings);
                break;
        case ARRIVAL_NO_MEMORY:
                end_sent(lane->address, CLIENT_REASON_OUT_OF_MEMORY, NULL, UINT64_MAX, 0, endings);
                break;
        }
}

static void lane_failed(struct lane *lane, const char *problem)
{
        struct address *address = lane->address;
        struct pipit_channel *channel = address->channel;

        pthread_mutex_lock(&channel->mutex);
        if (lane->epoch == address->epoch)
                address_lose(address, problem);
        lane_land(lane);
        lane_rest(lane);
        channel_wake(channel);
        pthread_mutex_unlock(&channel->mutex);
}

/* Replies are copied into their calls; the lane may fly again. */
static void settle(struct lane *lane, struct endings *endings)
{
        struct pipit_channel *channel = lane->address->channel;
        size_t n_bytes_max = decoded_bytes_max(channel);

        for (struct pipit_call_state *state = endings->first; state; state = state->next_ending)
                if (state->reply)
                        call_take_reply(state, n_bytes_max);

        pthread_mutex_lock(&channel->mutex);
        lane_rest(lane);
        channel_flush(channel, endings);
        if (channel->is_stopping)
                channel_wake(channel);
        pthread_mutex_unlock(&channel->mutex);
}

static void take_message(struct lane *lane,
                         struct transport_message *message,
                         struct endings *endings)
{
        struct pipit_channel *channel = lane->address->channel;
        _Alignas(PIPIT_ARENA_ALIGN) unsigned char memory[ARENA_BYTES];
        struct pipit_arena arena;
        struct arrival arrival;

        pipit_arena_init(&arena, memory, sizeof(memory));
        arrival = read_message(lane, &arena, message);

        pthread_mutex_lock(&channel->mutex);
        lane_land(lane);
        note_read(lane->address, lane->first_id + lane->n_ids - 1);
        take_arrival(lane, &arrival, &arena, endings);
        pthread_mutex_unlock(&channel->mutex);

        settle(lane, endings);
        pipit_arena_deinit(&arena);
}

void lane_on_received(void *context, const char *problem, struct transport_message *message)
{
        struct lane *lane = context;
        struct endings endings = {0};

        if (problem) {
                lane_failed(lane, problem);
                return;
        }
        take_message(lane, message, &endings);
        channel_finish(lane->address->channel, &endings);
}

void lane_take_answer(void *context, struct transport_message *message)
{
        struct lane *lane = context;
        struct endings endings = {0};

        take_message(lane, message, &endings);
        channel_finish_waiting(lane->address->channel, &endings);
}
