#include <string.h>

#include "client/channel.h"
#include "client/encode.h"
#include "core/base/clock.h"
#include "core/base/macros.h"
#include "core/rpc/frame.h"

/* How many ids to await, or to cancel, one frame holds. */
#define IDS_PER_FRAME_MAX 4096

/* Asks for an answer at once: the server's instance is wanted before anything can go wrong. */
#define HELLO_HOLD_MS 1

/* Memory was out when a frame was to leave. */
#define RETRY_MS 10

/* How many frames a thread sends in a row: what else comes for it to take along is the channel's thread's. */
#define SENDS_MAX 16

/* A frame being written: exactly as long as was reckoned before. */
struct writing {
        struct transport_message *message;
        uint8_t *to;
};

struct batch {
        size_t n_calls;
        size_t n_cancels;
        size_t n_bytes;
};

static uint32_t remaining_ms(const struct pipit_call_state *state, int64_t now_us)
{
        int64_t left_us = state->deadline_us - now_us;

        if (left_us < PIPIT_US_PER_MS)
                return 1;

        return (uint32_t)((left_us + PIPIT_US_PER_MS - 1) / PIPIT_US_PER_MS);
}

static size_t head_size(const struct pipit_channel *channel, uint32_t hold_ms)
{
        return PIPIT_FRAME_HEADER_BYTES + encode_bytes_size(ADDRESS_CLIENT_ID_BYTES) +
               encode_number_size(hold_ms) + encode_number_size(channel->held_max) +
               encode_number_size(channel->options.frame_bytes_max);
}

static bool write_head(const struct lane *lane,
                       uint32_t hold_ms,
                       size_t n_body_bytes,
                       struct writing *ret_writing)
{
        const struct address *address = lane->address;
        const struct pipit_channel *channel = address->channel;
        const struct transport *transport = lane->wire->transport;
        size_t n_bytes;
        uint8_t *to;

        ret_writing->message =
                transport->message_new(lane->wire, head_size(channel, hold_ms) + n_body_bytes);
        if (!ret_writing->message)
                return false;

        to = transport->message_bytes(lane->wire, ret_writing->message, &n_bytes);
        pipit_frame_header_write(PIPIT_FRAME_REQUEST, to);
        to += PIPIT_FRAME_HEADER_BYTES;
        to = encode_bytes(
                to, ENCODE_REQUEST_CLIENT_ID, address->client_id, sizeof(address->client_id));
        to = encode_number(to, ENCODE_REQUEST_HOLD_MS, hold_ms);
        to = encode_number(to, ENCODE_REQUEST_HELD_MAX, channel->held_max);
        ret_writing->to = encode_number(
                to, ENCODE_REQUEST_MAX_RESPONSE_BYTES, channel->options.frame_bytes_max);

        return true;
}

static size_t call_size(const struct pipit_call_state *state, uint64_t id, int64_t now_us)
{
        return encode_number_size(id) + encode_number_size(remaining_ms(state, now_us)) +
               state->record.n_bytes;
}

static uint8_t *write_call(uint8_t *to, const struct pipit_call_state *state, int64_t now_us)
{
        to = encode_bytes_head(to, ENCODE_REQUEST_CALLS, call_size(state, state->id, now_us));
        to = encode_number(to, ENCODE_CALL_ID, state->id);
        to = encode_number(to, ENCODE_CALL_TIMEOUT_MS, remaining_ms(state, now_us));
        memcpy(to, state->record.bytes, state->record.n_bytes);

        return to + state->record.n_bytes;
}

/* Only a server that takes less than we do leads here: else the call never got this far. */
static void end_too_large(struct address *address,
                          struct pipit_call_state *state,
                          struct endings *endings)
{
        struct pipit_error error =
                client_error_too_large(&state->arena,
                                       address->target.text,
                                       state->record.n_bytes,
                                       channel_record_bytes_max(address->frame_bytes_max));

        channel_end(address->channel, state, &error, endings);
}

static void end_those_too_large(struct address *address, struct endings *endings)
{
        size_t n_bytes_max = channel_record_bytes_max(address->frame_bytes_max);

        while (!list_is_empty(&address->queue)) {
                struct pipit_call_state *state =
                        pipit_container_of(address->queue.next, struct pipit_call_state, node);

                if (state->record.n_bytes <= n_bytes_max)
                        return;
                end_too_large(address, state, endings);
        }
}

/* Where calls may wait for the handler that a cancel is for, as in-process, cancels go without them. */
static bool cancels_go_alone(const struct address *address)
{
        return address->n_cancels > 0 && address->socket->transport->exchange;
}

static struct batch choose(const struct address *address, int64_t now_us)
{
        const struct pipit_channel *channel = address->channel;
        size_t n_bytes_max = address->frame_bytes_max - CHANNEL_FRAME_OVERHEAD_BYTES;
        size_t n_room = address->n_sent < PIPIT_CALLS_PER_MAILBOX_MAX
                                ? PIPIT_CALLS_PER_MAILBOX_MAX - address->n_sent
                                : 0;
        struct batch batch = {0};

        for (const struct list *node = address->queue.next; node != &address->queue;
             node = node->next) {
                const struct pipit_call_state *state =
                        pipit_container_of(node, struct pipit_call_state, node);
                size_t n_bytes = encode_bytes_size(
                        call_size(state, channel->next_id + batch.n_calls, now_us));

                if (cancels_go_alone(address) || batch.n_calls == PIPIT_CALLS_PER_FRAME_MAX ||
                    batch.n_calls == n_room || batch.n_bytes + n_bytes > n_bytes_max)
                        break;
                batch.n_bytes += n_bytes;
                batch.n_calls++;
        }

        while (batch.n_cancels < address->n_cancels && batch.n_cancels < IDS_PER_FRAME_MAX) {
                size_t n_bytes = encode_number_size(address->cancels[batch.n_cancels]);

                if (batch.n_bytes + n_bytes > n_bytes_max)
                        break;
                batch.n_bytes += n_bytes;
                batch.n_cancels++;
        }

        return batch;
}

/* Its id is new in every frame: a server never sees one twice. */
static void enter(struct lane *lane, struct pipit_call_state *state)
{
        struct address *address = lane->address;
        struct pipit_channel *channel = address->channel;

        channel_take_out(channel, state);
        state->phase = CALL_SENT;
        state->id = channel->next_id++;
        state->epoch = address->epoch;
        state->instance = 0;
        list_append(&address->sent, &state->node);
        address->n_sent++;
        table_insert(&channel->table, state);
        lane->ids[lane->n_ids++] = state->id;
}

static uint8_t *write_cancels(struct address *address, size_t n_cancels, uint8_t *to)
{
        for (size_t i = 0; i < n_cancels; i++)
                to = encode_number(to, ENCODE_REQUEST_CANCELS, address->cancels[i]);
        address->n_cancels -= n_cancels;
        memmove(address->cancels,
                address->cancels + n_cancels,
                address->n_cancels * sizeof(*address->cancels));

        return to;
}

/* NULL: out of memory, and nothing has changed. An empty batch is a poll. */
static struct transport_message *build_calls(struct lane *lane,
                                             const struct batch *batch,
                                             int64_t now_us)
{
        struct address *address = lane->address;
        struct writing writing;

        if (!write_head(lane, PIPIT_HOLD_MS_DEFAULT, batch->n_bytes, &writing))
                return NULL;

        lane->frame = LANE_FRAME_CALLS;
        for (size_t i = 0; i < batch->n_calls; i++) {
                struct pipit_call_state *state =
                        pipit_container_of(address->queue.next, struct pipit_call_state, node);

                enter(lane, state);
                writing.to = write_call(writing.to, state, now_us);
        }
        if (batch->n_cancels > 0)
                writing.to = write_cancels(address, batch->n_cancels, writing.to);

        return writing.message;
}

/*
 * Awaits also tell the server to send no more replies by our earlier
 * connections, whose end it may not have seen. So who comes back and awaits
 * nothing names the last id: what is answered to that finds no call. 0: no need.
 */
static uint64_t id_to_come_back_with(const struct address *address)
{
        if (address->epoch == 1 || !list_is_empty(&address->limbo))
                return 0;

        return address->channel->next_id - 1;
}

/* Asks for the calls in limbo, as many as fit. */
static struct transport_message *build_hello(struct lane *lane)
{
        struct address *address = lane->address;
        uint64_t last_id = id_to_come_back_with(address);
        struct list *node = address->limbo.next;
        size_t n_bytes = last_id ? encode_number_size(last_id) : 0;
        struct writing writing;
        size_t n_ids = 0;

        for (; node != &address->limbo && n_ids < IDS_PER_FRAME_MAX; node = node->next) {
                n_bytes += encode_number_size(
                        pipit_container_of(node, struct pipit_call_state, node)->id);
                n_ids++;
        }
        if (!write_head(lane, HELLO_HOLD_MS, n_bytes, &writing))
                return NULL;

        lane->frame = LANE_FRAME_HELLO;
        if (last_id)
                writing.to = encode_number(writing.to, ENCODE_REQUEST_AWAITS, last_id);
        for (size_t i = 0; i < n_ids; i++) {
                node = list_take(&address->limbo);
                list_append(&address->sent, node);
                writing.to =
                        encode_number(writing.to,
                                      ENCODE_REQUEST_AWAITS,
                                      pipit_container_of(node, struct pipit_call_state, node)->id);
        }
        address->hello_is_due = !list_is_empty(&address->limbo);

        return writing.message;
}

static bool poll_is_due(const struct address *address, int64_t now_us)
{
        return address->n_sent > 0 && address->n_flying == 0 && now_us >= address->poll_us;
}

/* NULL: nothing to send. */
static struct transport_message *build_frame(struct lane *lane,
                                             int64_t now_us,
                                             struct endings *endings)
{
        struct address *address = lane->address;
        struct batch batch;
        struct transport_message *message;
        bool is_poll;

        lane->n_ids = 0;
        if (address->hello_is_due) {
                message = build_hello(lane);
                if (!message)
                        channel_wake_at(address->channel, now_us + RETRY_MS * PIPIT_US_PER_MS);
                return message;
        }

        end_those_too_large(address, endings);
        batch = choose(address, now_us);
        is_poll = batch.n_bytes == 0;
        if (is_poll && !poll_is_due(address, now_us))
                return NULL;

        message = build_calls(lane, &batch, now_us);
        if (message && is_poll)
                lane->frame = LANE_FRAME_POLL;
        if (!message)
                channel_wake_at(address->channel, now_us + RETRY_MS * PIPIT_US_PER_MS);

        return message;
}

static void take_off(struct lane *lane, int64_t now_us)
{
        struct address *address = lane->address;

        address->n_flying++;
        if (lane->frame == LANE_FRAME_HELLO)
                address->n_hellos++;
        lane->state = LANE_FLYING;
        lane->epoch = address->epoch;
        lane->sent_us = now_us;
        lane->first_id = address->channel->next_id - lane->n_ids;
        channel_wake_at(address->channel,
                        now_us + (PIPIT_HOLD_MS_DEFAULT + PIPIT_HOLD_GRACE_MS) * PIPIT_US_PER_MS);
}

/* Calls that overtook the first frame of a later connection could be answered on an earlier one. */
static bool is_held_by_hello(const struct address *address)
{
        return address->epoch > 1 && address->n_hellos > 0 && !address->hello_is_due;
}

static struct lane *next_departure(struct address *address,
                                   struct endings *endings,
                                   struct transport_message **ret_message)
{
        struct lane *lane = address->idle;
        int64_t now_us;

        if (address->state != ADDRESS_UP || !lane || address->channel->is_stopping ||
            is_held_by_hello(address))
                return NULL;
        if (!address->hello_is_due && list_is_empty(&address->queue) && address->n_cancels == 0 &&
            (address->n_sent == 0 || address->n_flying > 0))
                return NULL;

        now_us = pipit_clock_now_us();
        if (now_us < address->busy_until_us)
                return NULL;
        *ret_message = build_frame(lane, now_us, endings);
        if (!*ret_message)
                return NULL;

        address->idle = lane->next_idle;
        take_off(lane, now_us);

        return lane;
}

void channel_flush_address(struct address *address, struct endings *endings)
{
        struct pipit_channel *channel = address->channel;
        struct transport_message *message;
        unsigned int n_sent = 0;
        struct lane *lane;

        if (address->is_sending)
                return;

        /* The calls may end while this thread is at it: the channel stays until it is back. */
        address->is_sending = true;
        channel->n_active++;
        while (n_sent++ < SENDS_MAX && (lane = next_departure(address, endings, &message))) {
                pthread_mutex_unlock(&channel->mutex);
                lane->wire->transport->send(lane->wire, message, lane->n_ids > 0);
                pthread_mutex_lock(&channel->mutex);
        }
        address->is_sending = false;
        if (n_sent > SENDS_MAX)
                channel_wake(channel);
        channel_leave(channel, 1);
}

/*
 * The call of @state in a frame of its own, past those that wait for lanes: one
 * of them may be what this thread runs the handler of. NULL: it goes as any.
 */
static struct lane *caller_departure(struct address *address,
                                     struct pipit_call_state *state,
                                     struct transport_message **ret_message)
{
        struct lane *lane = address->idle_callers;
        int64_t now_us = pipit_clock_now_us();
        struct batch batch = {.n_calls = 1};

        if (!lane || address->state != ADDRESS_UP || address->hello_is_due ||
            is_held_by_hello(address) || now_us < address->busy_until_us ||
            address->n_sent >= PIPIT_CALLS_PER_MAILBOX_MAX ||
            state->record.n_bytes > channel_record_bytes_max(address->frame_bytes_max))
                return NULL;

        batch.n_bytes = encode_bytes_size(call_size(state, address->channel->next_id, now_us));
        list_remove(&state->node);
        list_prepend(&address->queue, &state->node);
        lane->n_ids = 0;
        *ret_message = build_calls(lane, &batch, now_us);
        if (!*ret_message)
                return NULL;

        address->idle_callers = lane->next_idle;
        take_off(lane, now_us);

        return lane;
}

static void exchange(struct lane *lane, struct transport_message *message)
{
        struct pipit_channel *channel = lane->address->channel;

        pthread_mutex_unlock(&channel->mutex);
        message = lane->wire->transport->exchange(lane->wire, message);
        if (message)
                lane_take_answer(lane, message);
        pthread_mutex_lock(&channel->mutex);
}

void channel_flush_caller(struct address *address,
                          struct pipit_call_state *state,
                          struct endings *endings)
{
        struct transport_message *message;
        struct lane *lane = caller_departure(address, state, &message);

        if (lane)
                exchange(lane, message);
        else
                channel_flush_address(address, endings);
}

void channel_flush(struct pipit_channel *channel, struct endings *endings)
{
        for (size_t i = 0; i < channel->n_addresses; i++)
                channel_flush_address(&channel->addresses[i], endings);
}

/* The frame never left, so its calls are as if never sent. */
static void unsend(struct lane *lane, struct endings *endings)
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

void lane_on_unsent(void *context, const char *problem)
{
        struct lane *lane = context;
        struct pipit_channel *channel = lane->address->channel;
        struct endings endings = {0};

        pthread_mutex_lock(&channel->mutex);
        address_lose(lane->address, problem);
        unsend(lane, &endings);
        lane_land(lane);
        lane_rest(lane);
        channel_wake(channel);
        pthread_mutex_unlock(&channel->mutex);
        channel_finish(channel, &endings);
}
