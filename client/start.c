#include "client/channel.h"
#include "client/intercept.h"
#include "client/queue.h"
#include "core/base/clock.h"
#include "core/base/thread.h"
#include "core/rpc/wire_limits.h"

static int64_t deadline(const struct pipit_channel *channel, uint32_t timeout_ms)
{
        if (timeout_ms == 0)
                timeout_ms = channel->options.timeout_ms;
        if (timeout_ms > PIPIT_TIMEOUT_MS_MAX)
                timeout_ms = PIPIT_TIMEOUT_MS_MAX;

        return pipit_clock_now_us() + timeout_ms * PIPIT_US_PER_MS;
}

/* Makes the call ready to go, or puts its failure into its error. */
static enum pipit_status prepare(struct pipit_channel *channel,
                                 struct pipit_call *call,
                                 const struct pipit_method *method,
                                 const ProtobufCMessage *request,
                                 bool is_blocking)
{
        struct pipit_call_state *state = call->state;
        uint32_t timeout_ms = call->timeout_ms;
        enum pipit_status status;

        call_forget(state);
        state->call = call;
        state->method = method;
        state->is_blocking = is_blocking;
        state->queue = is_blocking ? NULL : call->queue;
        state->wait_for_ready = call->wait_for_ready;
        state->address = NULL;
        state->n_resends = 0;
        state->n_intercepted = 0;
        state->is_cancelled = false;
        waiter_init(&state->waiter);
        if (channel_is_forked(channel)) {
                state->queue = NULL;
                state->error = client_error(CLIENT_REASON_FORKED, PIPIT_NOT_RUN);
                return state->error.status;
        }

        status = intercept_before(channel, state, request, &timeout_ms);
        state->deadline_us = deadline(channel, timeout_ms);
        if (!status)
                status = call_pack(state,
                                   method,
                                   request,
                                   channel_record_bytes_max(channel->options.frame_bytes_max));
        if (status)
                call_forget_metadata(state);

        return status;
}

/* From here on it can be cancelled. */
static void hand_over(struct pipit_channel *channel, struct pipit_call_state *state)
{
        pthread_mutex_lock(&state->mutex);
        state->channel = channel;
        pthread_mutex_unlock(&state->mutex);
}

/* Before the frame leaves: who has it sent reads the answer. */
static void enter(struct address *address, struct pipit_call_state *state)
{
        const struct transport *transport = address->socket->transport;

        if (transport->enter)
                transport->enter(address->socket, &state->waiter);
}

/*
 * Endings of other calls, or of this one, that come up here are for the channel's
 * thread. The mutex is let go around the transport, where a handler may run, too;
 * the call may be over before this thread is back. So the thread counts as well:
 * who frees the channel waits for it.
 */
static void submit(struct pipit_channel *channel, struct pipit_call_state *state)
{
        bool is_corked = channel_is_corked(channel);
        struct address *address;

        pthread_mutex_lock(&channel->mutex);
        channel->n_active += 2;
        if (state->deadline_us < channel->expiry_us) {
                channel->expiry_us = state->deadline_us;
                channel_wake_at(channel, state->deadline_us);
        }
        address = channel_dispatch(channel, state, &channel->endings);
        if (address && state->is_blocking) {
                enter(address, state);
                channel_flush_caller(address, state, &channel->endings);
        } else if (address && !is_corked)
                channel_flush_address(address, &channel->endings);
        if (channel->endings.first)
                channel_wake(channel);
        channel_leave(channel, 1);
        pthread_mutex_unlock(&channel->mutex);
}

static void submit_failed(struct pipit_channel *channel, struct pipit_call_state *state)
{
        pthread_mutex_lock(&channel->mutex);
        channel->n_active++;
        state->phase = CALL_ENDING;
        endings_append(&channel->endings, state);
        channel_wake(channel);
        pthread_mutex_unlock(&channel->mutex);
}

static void submit_out_of_memory(struct pipit_channel *channel, struct pipit_call *call)
{
        call->out_of_memory = true;
        if (call->queue)
                (void)queue_enter(call->queue, NULL);

        pthread_mutex_lock(&channel->mutex);
        channel->n_active++;
        call->next = channel->out_of_memory;
        channel->out_of_memory = call;
        channel_wake(channel);
        pthread_mutex_unlock(&channel->mutex);
}

static void *finish_alone(void *context)
{
        call_finish(context);

        return NULL;
}

/* The channel's thread is not in this process: a thread of its own, or else this one, runs done(). */
static void finish_in_child(struct pipit_call_state *state)
{
        pthread_t thread;

        if (pipit_thread_start(&thread, finish_alone, state) != 0)
                call_finish(state);
        else
                pthread_detach(thread);
}

void pipit_channel_start(struct pipit_channel *channel,
                         struct pipit_call *call,
                         const struct pipit_method *method,
                         const ProtobufCMessage *request)
{
        enum pipit_status status;

        if (!call_prepare(call)) {
                submit_out_of_memory(channel, call);
                return;
        }
        if (call_is_under_way(call->state))
                return;

        call->out_of_memory = false;
        status = prepare(channel, call, method, request, false);
        if (channel_is_forked(channel)) {
                finish_in_child(call->state);
                return;
        }
        hand_over(channel, call->state);
        if (call->state->queue && !queue_enter(call->state->queue, call->state) && !status) {
                call->state->error = client_error(CLIENT_REASON_QUEUE_CLOSED, PIPIT_NOT_RUN);
                status = call->state->error.status;
        }
        if (status)
                submit_failed(channel, call->state);
        else
                submit(channel, call->state);
}

static enum pipit_status refuse(struct pipit_call_state *state, enum client_reason reason)
{
        call_forget(state);
        state->error = client_error(reason, PIPIT_NOT_RUN);

        return state->error.status;
}

enum pipit_status pipit_channel_call(struct pipit_channel *channel,
                                     struct pipit_call *call,
                                     const struct pipit_method *method,
                                     const ProtobufCMessage *request,
                                     const ProtobufCMessage **ret_response)
{
        enum pipit_status status;

        call->out_of_memory = !call_prepare(call);
        if (call->out_of_memory)
                return PIPIT_RESOURCE_EXHAUSTED;
        if (call_is_under_way(call->state))
                return PIPIT_FAILED_PRECONDITION;
        if (call_is_in_done())
                return refuse(call->state, CLIENT_REASON_IN_CALLBACK);

        status = prepare(channel, call, method, request, true);
        if (status) {
                intercept_after(channel, call->state);
                return status;
        }

        hand_over(channel, call->state);
        submit(channel, call->state);
        call_wait(call->state);
        if (call->state->error.status == PIPIT_OK && ret_response)
                *ret_response = call->state->response;

        return call->state->error.status;
}
