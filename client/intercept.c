#include "client/intercept.h"

#include "client/channel.h"
#include "core/base/clock.h"

enum pipit_status pipit_channel_add_interceptor(struct pipit_channel *channel,
                                                struct pipit_interceptor *interceptor)
{
        if (atomic_load(&channel->is_used))
                return PIPIT_FAILED_PRECONDITION;
        if (channel->n_interceptors == PIPIT_INTERCEPTORS_MAX)
                return PIPIT_RESOURCE_EXHAUSTED;
        channel->interceptors[channel->n_interceptors++] = interceptor;

        return PIPIT_OK;
}

/* Out of memory: without. */
static const char *copy(struct pipit_arena *arena, const char *text)
{
        return text ? pipit_arena_strdup(arena, text) : NULL;
}

static enum pipit_status refuse(struct pipit_call_state *state,
                                enum pipit_status status,
                                const struct pipit_error *said)
{
        struct pipit_error error = client_error(CLIENT_REASON_INTERCEPTED, PIPIT_NOT_RUN);

        error.status = (int)status < 0 || status > PIPIT_STATUS_MAX ? PIPIT_UNKNOWN : status;
        error.retry_after_ms = said->retry_after_ms;
        if (said->reason) {
                error.reason = copy(&state->arena, said->reason);
                error.domain = copy(&state->arena, said->domain);
        }
        if (said->message)
                error.message = copy(&state->arena, said->message);
        state->error = error;

        return error.status;
}

static enum pipit_status run_before(struct pipit_channel *channel,
                                    struct pipit_call_state *state,
                                    struct pipit_call_start *start)
{
        for (size_t i = 0; i < channel->n_interceptors; i++) {
                struct pipit_interceptor *interceptor = channel->interceptors[i];
                enum pipit_status status = PIPIT_OK;

                start->data = NULL;
                if (interceptor->operations->before)
                        status = interceptor->operations->before(interceptor, start);
                if (status)
                        return refuse(state, status, &start->error);
                state->intercept_data[i] = start->data;
                state->n_intercepted++;
        }

        return PIPIT_OK;
}

enum pipit_status intercept_before(struct pipit_channel *channel,
                                   struct pipit_call_state *state,
                                   const ProtobufCMessage *request,
                                   uint32_t *timeout_ms)
{
        struct pipit_call_start start;
        enum pipit_status status;

        /* Read first: calls on many threads do not fight for the line. */
        if (!atomic_load_explicit(&channel->is_used, memory_order_relaxed))
                atomic_store(&channel->is_used, true);
        if (channel->n_interceptors == 0)
                return PIPIT_OK;

        start = (struct pipit_call_start){
                .call = state->call,
                .method = state->method,
                .request = request,
                .timeout_ms = *timeout_ms,
                .wait_for_ready = state->wait_for_ready,
        };
        state->start_us = pipit_clock_now_us();
        status = run_before(channel, state, &start);
        state->wait_for_ready = start.wait_for_ready;
        *timeout_ms = start.timeout_ms;

        return status;
}

void intercept_after(const struct pipit_channel *channel, struct pipit_call_state *state)
{
        struct pipit_call_end end;

        if (state->n_intercepted == 0)
                return;

        end = (struct pipit_call_end){
                .call = state->call,
                .method = state->method,
                .error = &state->error,
                .response = state->response,
                .peer = state->peer,
                .duration_us = pipit_clock_now_us() - state->start_us,
        };
        call_enter_done();
        while (state->n_intercepted > 0) {
                size_t i = --state->n_intercepted;
                struct pipit_interceptor *interceptor = channel->interceptors[i];

                end.data = state->intercept_data[i];
                if (interceptor->operations->after)
                        interceptor->operations->after(interceptor, &end);
        }
        call_leave_done();
}
