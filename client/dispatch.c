#include <stdio.h>
#include <stdlib.h>

#include "client/channel.h"
#include "client/picker.h"
#include "core/base/macros.h"
#include "core/rpc/wire_limits.h"

static _Thread_local const struct pipit_channel *corked;

void endings_append(struct endings *endings, struct pipit_call_state *state)
{
        state->next_ending = NULL;
        if (endings->last)
                endings->last->next_ending = state;
        else
                endings->first = state;
        endings->last = state;
}

void endings_append_all(struct endings *endings, struct endings *from)
{
        if (!from->first)
                return;
        if (endings->last)
                endings->last->next_ending = from->first;
        else
                endings->first = from->first;
        endings->last = from->last;
        *from = (struct endings){0};
}

void channel_take_out(struct pipit_channel *channel, struct pipit_call_state *state)
{
        if (state->phase == CALL_QUEUED)
                state->address->n_queued--;
        if (state->phase == CALL_SENT) {
                state->address->n_sent--;
                table_remove(&channel->table, state);
        }
        list_remove(&state->node);
}

void channel_end(struct pipit_channel *channel,
                 struct pipit_call_state *state,
                 const struct pipit_error *error,
                 struct endings *endings)
{
        channel_take_out(channel, state);
        state->phase = CALL_ENDING;
        state->error = *error;
        if (state->address)
                state->peer = pipit_arena_strdup(&state->arena, state->address->target.text);
        endings_append(endings, state);
}

/* Best effort: without memory, or with very many, the server finds out at the call's deadline. */
static void tell_cancel(struct address *address, uint64_t id)
{
        if (address->n_cancels == address->cancels_capacity) {
                size_t capacity = address->cancels_capacity ? address->cancels_capacity * 2 : 64;
                uint64_t *cancels;

                if (capacity > (size_t)2 * PIPIT_CALLS_PER_MAILBOX_MAX)
                        return;
                cancels = realloc(address->cancels, capacity * sizeof(*cancels));
                if (!cancels)
                        return;
                address->cancels = cancels;
                address->cancels_capacity = capacity;
        }
        address->cancels[address->n_cancels++] = id;
}

void channel_abandon(struct pipit_channel *channel,
                     struct pipit_call_state *state,
                     enum client_reason reason,
                     struct endings *endings)
{
        bool was_sent = state->phase == CALL_SENT;
        const struct address *first = &channel->addresses[0];
        struct address *address = state->address;
        const char *detail = NULL;
        struct pipit_error error;

        if (was_sent)
                tell_cancel(address, state->id);
        else if (reason == CLIENT_REASON_DEADLINE && first->state != ADDRESS_UP &&
                 first->problem[0])
                detail = first->problem;

        error = client_error_at(
                reason, was_sent ? PIPIT_MAY_HAVE_RUN : PIPIT_NOT_RUN, &state->arena, NULL, NULL);
        if (detail) {
                const char *message =
                        pipit_arena_printf(&state->arena, "%s; %s", error.message, detail);

                if (message)
                        error.message = message;
        }
        channel_end(channel, state, &error, endings);
}

/* The address whose failure tells most, when all have failed; else NULL. */
static const struct address *unreachable(const struct pipit_channel *channel)
{
        for (size_t i = 0; i < channel->n_addresses; i++)
                if (!channel->addresses[i].has_failed)
                        return NULL;

        return &channel->addresses[0];
}

static void wait_or_fail(struct pipit_channel *channel,
                         struct pipit_call_state *state,
                         struct endings *endings)
{
        const struct address *address = state->wait_for_ready ? NULL : unreachable(channel);
        struct pipit_error error;

        state->phase = CALL_WAITING;
        list_append(&channel->waiting, &state->node);
        if (!address)
                return;

        error = client_error_at(
                address->failure, PIPIT_NOT_RUN, &state->arena, NULL, address->problem);
        channel_end(channel, state, &error, endings);
        if (!state->peer)
                state->peer = pipit_arena_strdup(&state->arena, address->target.text);
}

struct address *channel_dispatch(struct pipit_channel *channel,
                                 struct pipit_call_state *state,
                                 struct endings *endings)
{
        struct address *address;

        if (channel->is_closing || state->is_cancelled) {
                state->phase = CALL_WAITING;
                channel_abandon(channel,
                                state,
                                channel->is_closing ? CLIENT_REASON_CHANNEL_CLOSED
                                                    : CLIENT_REASON_CANCELLED,
                                endings);
                return NULL;
        }

        address = picker_pick(channel->addresses, channel->n_addresses, state->wait_for_ready);
        if (!address) {
                wait_or_fail(channel, state, endings);
                return NULL;
        }

        state->phase = CALL_QUEUED;
        state->address = address;
        list_append(&address->queue, &state->node);
        address->n_queued++;

        return address;
}

void channel_dispatch_waiting(struct pipit_channel *channel, struct endings *endings)
{
        struct list all, *node;

        list_init(&all);
        list_prepend_all(&all, &channel->waiting);
        while ((node = list_take(&all)))
                (void)channel_dispatch(
                        channel, pipit_container_of(node, struct pipit_call_state, node), endings);
}

void channel_cancel(struct pipit_channel *channel, struct pipit_call_state *state)
{
        if (channel_is_forked(channel))
                return;

        pthread_mutex_lock(&channel->mutex);
        if (state->phase == CALL_IDLE) {
                state->is_cancelled = true;
        } else if (state->phase != CALL_ENDING) {
                channel_abandon(channel, state, CLIENT_REASON_CANCELLED, &channel->endings);
                channel_wake(channel);
        }
        pthread_mutex_unlock(&channel->mutex);
}

bool channel_is_corked(const struct pipit_channel *channel)
{
        return corked == channel;
}

/* Its end is told to another thread: no done() runs here. */
static bool is_brief(const struct pipit_call_state *state)
{
        return state->is_blocking || state->queue;
}

static size_t finish_those(struct pipit_call_state *state, bool brief, struct endings *left)
{
        size_t n_finished = 0;

        while (state) {
                struct pipit_call_state *next = state->next_ending;

                if (is_brief(state) == brief) {
                        call_finish(state);
                        n_finished++;
                } else {
                        endings_append(left, state);
                }
                state = next;
        }

        return n_finished;
}

/* A done() may take its time: who waits elsewhere does not wait for it. */
static size_t finish_all(struct pipit_channel *channel, struct endings *endings)
{
        struct pipit_call_state *all = endings->first;
        struct endings slow = {0};
        struct endings none = {0};
        size_t n_finished;

        *endings = (struct endings){0};
        corked = channel;
        n_finished = finish_those(all, true, &slow);
        n_finished += finish_those(slow.first, false, &none);
        corked = NULL;

        return n_finished;
}

void channel_leave(struct pipit_channel *channel, size_t n_left)
{
        channel->n_active -= n_left;
        if (channel->is_closing && channel->n_active == 0)
                pthread_cond_broadcast(&channel->idle);
}

void channel_finish_waiting(struct pipit_channel *channel, struct endings *endings)
{
        struct endings left = {0};
        size_t n_finished = finish_those(endings->first, true, &left);

        pthread_mutex_lock(&channel->mutex);
        channel_leave(channel, n_finished);
        if (left.first)
                channel_wake(channel);
        endings_append_all(&channel->endings, &left);
        pthread_mutex_unlock(&channel->mutex);
}

void channel_finish(struct pipit_channel *channel, struct endings *endings)
{
        while (endings->first) {
                size_t n_finished = finish_all(channel, endings);

                pthread_mutex_lock(&channel->mutex);
                channel_leave(channel, n_finished);
                channel_flush(channel, endings);
                pthread_mutex_unlock(&channel->mutex);
        }
}
