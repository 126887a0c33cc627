#include "client/channel.h"
#include "core/base/clock.h"
#include "core/base/macros.h"
#include "core/base/thread.h"

/* Calls that end at about the same time end in one walk. */
#define EXPIRY_GRAIN_US PIPIT_US_PER_MS

/* How long what is under way when the channel is freed may take to arrive. */
#define PART_WAIT_US (100 * PIPIT_US_PER_MS)

void channel_wake(struct pipit_channel *channel)
{
        loop_ask(channel->loop, &channel->source);
}

void channel_wake_at(struct pipit_channel *channel, int64_t at_us)
{
        if (at_us >= channel->wake_us)
                return;
        channel->wake_us = at_us;
        channel_wake(channel);
}

/* Ends those in @list whose time is over; returns when the next one's is. */
static int64_t expire_list(struct pipit_channel *channel,
                           struct list *list,
                           int64_t now_us,
                           int64_t next_us,
                           struct endings *endings)
{
        struct list *node, *after;

        list_for_each(node, after, list)
        {
                struct pipit_call_state *state =
                        pipit_container_of(node, struct pipit_call_state, node);

                if (state->deadline_us <= now_us)
                        channel_abandon(channel, state, CLIENT_REASON_DEADLINE, endings);
                else if (state->deadline_us < next_us)
                        next_us = state->deadline_us;
        }

        return next_us;
}

/* Mutex held. */
static void expire(struct pipit_channel *channel, int64_t now_us, struct endings *endings)
{
        int64_t next_us = PIPIT_NEVER_US;

        if (now_us < channel->expiry_us)
                return;

        next_us = expire_list(channel, &channel->waiting, now_us, next_us, endings);
        for (size_t i = 0; i < channel->n_addresses; i++) {
                struct address *address = &channel->addresses[i];

                next_us = expire_list(channel, &address->queue, now_us, next_us, endings);
                next_us = expire_list(channel, &address->sent, now_us, next_us, endings);
                next_us = expire_list(channel, &address->limbo, now_us, next_us, endings);
        }
        if (next_us != PIPIT_NEVER_US && next_us < now_us + EXPIRY_GRAIN_US)
                next_us = now_us + EXPIRY_GRAIN_US;
        channel->expiry_us = next_us;
}

/* Calls that had not even memory for a state. */
static void finish_out_of_memory(struct pipit_channel *channel)
{
        struct pipit_call *call;
        size_t n_finished = 0;

        pthread_mutex_lock(&channel->mutex);
        call = channel->out_of_memory;
        channel->out_of_memory = NULL;
        pthread_mutex_unlock(&channel->mutex);

        while (call) {
                struct pipit_call *next = call->next;

                call_finish_out_of_memory(call);
                call = next;
                n_finished++;
        }

        pthread_mutex_lock(&channel->mutex);
        channel_leave(channel, n_finished);
        pthread_mutex_unlock(&channel->mutex);
}

static int64_t step_addresses(struct pipit_channel *channel, int64_t now_us)
{
        int64_t next_us = PIPIT_NEVER_US;

        for (size_t i = 0; i < channel->n_addresses; i++) {
                int64_t address_us = address_step(&channel->addresses[i], now_us);

                if (address_us < next_us)
                        next_us = address_us;
        }

        return next_us;
}

/* What moves by time alone: pauses of an address that is up. Mutex held. */
static int64_t next_send(const struct pipit_channel *channel, int64_t now_us, int64_t next_us)
{
        for (size_t i = 0; i < channel->n_addresses; i++) {
                const struct address *address = &channel->addresses[i];

                if (address->busy_until_us > now_us && address->busy_until_us < next_us)
                        next_us = address->busy_until_us;
                if (address->poll_us > now_us && address->poll_us < next_us)
                        next_us = address->poll_us;
        }

        return next_us;
}

/* One round of everything; returns when the next is due. */
static int64_t round_once(struct pipit_channel *channel)
{
        struct endings endings = {0};
        int64_t now_us = pipit_clock_now_us();
        int64_t next_us;

        pthread_mutex_lock(&channel->mutex);
        channel->wake_us = PIPIT_NEVER_US;
        pthread_mutex_unlock(&channel->mutex);

        finish_out_of_memory(channel);
        next_us = step_addresses(channel, now_us);

        pthread_mutex_lock(&channel->mutex);
        endings_append_all(&endings, &channel->endings);
        expire(channel, now_us, &endings);
        channel_flush(channel, &endings);
        pthread_mutex_unlock(&channel->mutex);
        channel_finish(channel, &endings);

        pthread_mutex_lock(&channel->mutex);
        next_us = next_send(channel, now_us, next_us);
        if (channel->expiry_us < next_us)
                next_us = channel->expiry_us;
        if (channel->wake_us < next_us)
                next_us = channel->wake_us;
        channel->wake_us = next_us;
        pthread_mutex_unlock(&channel->mutex);

        return next_us;
}

/* Whether a frame may be on its way to the server. Mutex held. */
static bool is_unread(const struct address *address)
{
        for (size_t i = 0; address->n_flying > 0 && i < address->n_lanes; i++)
                if (address->lanes[i].state == LANE_FLYING &&
                    address->lanes[i].first_id > address->read_id)
                        return true;

        return false;
}

/* Mutex held. */
static bool is_connecting(struct address *address)
{
        enum transport_pipe pipe;
        const char *problem;

        if (address->state != ADDRESS_DIALING && address->state != ADDRESS_SHAKING)
                return false;
        pipe = address_pipe(address, &problem);

        return pipe == TRANSPORT_PIPE_NONE || pipe == TRANSPORT_PIPE_SHAKING;
}

/* Mutex held. */
static bool is_any_busy(struct pipit_channel *channel)
{
        for (size_t i = 0; i < channel->n_addresses; i++)
                if (is_unread(&channel->addresses[i]) || is_connecting(&channel->addresses[i]))
                        return true;

        return false;
}

void channel_part(struct pipit_channel *channel)
{
        int64_t until_us = pipit_clock_now_us() + PART_WAIT_US;

        pthread_mutex_lock(&channel->mutex);
        channel->is_stopping = true;
        pthread_mutex_unlock(&channel->mutex);
        loop_pass(channel->loop);

        pthread_mutex_lock(&channel->mutex);
        while (is_any_busy(channel) && pipit_clock_now_us() < until_us)
                pipit_cond_wait_until(&channel->idle, &channel->mutex, until_us);
        pthread_mutex_unlock(&channel->mutex);
}

/* Whoever parts is told that something has moved. */
static bool is_stopping(struct pipit_channel *channel)
{
        bool stops;

        pthread_mutex_lock(&channel->mutex);
        stops = channel->is_stopping;
        if (stops)
                pthread_cond_broadcast(&channel->idle);
        pthread_mutex_unlock(&channel->mutex);

        return stops;
}

void channel_keep(struct loop_source *source)
{
        struct pipit_channel *channel = pipit_container_of(source, struct pipit_channel, source);

        if (!is_stopping(channel))
                loop_alarm(channel->loop, source, round_once(channel));
}
