#include <errno.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "client/channel.h"
#include "core/base/clock.h"
#include "core/base/macros.h"

/* Calls that end at about the same time end in one walk. */
#define EXPIRY_GRAIN_US PIPIT_US_PER_MS

/* How long what is under way when the channel is freed may take to come in. */
#define CALM_WAIT_US (100 * PIPIT_US_PER_MS)

void channel_wake(struct pipit_channel *channel)
{
        uint64_t one = 1;

        if (!atomic_exchange(&channel->is_woken, true))
                (void)!write(channel->event_fd, &one, sizeof(one));
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

static void sleep_until(struct pipit_channel *channel, int64_t at_us)
{
        struct pollfd fd = {.fd = channel->event_fd, .events = POLLIN};
        struct timespec timeout;
        int64_t left_us = at_us - pipit_clock_now_us();
        uint64_t n_wakes;

        if (left_us < 0)
                left_us = 0;
        timeout.tv_sec = left_us / PIPIT_US_PER_S;
        timeout.tv_nsec = left_us % PIPIT_US_PER_S * 1000;
        (void)ppoll(&fd, 1, at_us == PIPIT_NEVER_US ? NULL : &timeout, NULL);

        /* Read before the flag falls: a wake in between writes anew. */
        if (fd.revents & POLLIN)
                (void)!read(channel->event_fd, &n_wakes, sizeof(n_wakes));
        atomic_store(&channel->is_woken, false);
}

static bool is_stopping(struct pipit_channel *channel)
{
        bool stops;

        pthread_mutex_lock(&channel->mutex);
        stops = channel->is_stopping;
        pthread_mutex_unlock(&channel->mutex);

        return stops;
}

/* Mutex held. */
static bool is_busy(struct address *address)
{
        enum transport_pipe pipe;
        const char *problem;

        if (address->n_flying > 0)
                return true;

        if (address->state != ADDRESS_DIALING && address->state != ADDRESS_SHAKING)
                return false;
        pipe = address_pipe(address, &problem);

        return pipe == TRANSPORT_PIPE_NONE || pipe == TRANSPORT_PIPE_SHAKING;
}

static bool is_any_busy(struct pipit_channel *channel)
{
        bool busy = false;

        pthread_mutex_lock(&channel->mutex);
        for (size_t i = 0; i < channel->n_addresses; i++)
                busy = busy || is_busy(&channel->addresses[i]);
        pthread_mutex_unlock(&channel->mutex);

        return busy;
}

/*
 * Lets what is under way arrive before the sockets close, for the sake of servers
 * on nng 1.5: one never frees a pipe that is hung up on while a message comes in,
 * and may go deaf when a peer leaves in the middle of the handshake. What a server
 * holds back without a call that could end it is not waited for.
 */
static void calm_down(struct pipit_channel *channel)
{
        int64_t until_us = pipit_clock_now_us() + CALM_WAIT_US;

        while (is_any_busy(channel) && pipit_clock_now_us() < until_us)
                sleep_until(channel, until_us);
}

void *channel_thread(void *context)
{
        struct pipit_channel *channel = context;

        while (!is_stopping(channel))
                sleep_until(channel, round_once(channel));
        calm_down(channel);

        return NULL;
}
