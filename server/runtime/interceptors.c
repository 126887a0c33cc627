#include "server/runtime/interceptors.h"

#include "core/base/clock.h"
#include "server/runtime/runtime.h"

/* Of a call; where before() and the end of the call may meet. */
enum hook_state {
        HOOK_OUTSIDE,  /* no before() has run */
        HOOK_ENTERING, /* they are running */
        HOOK_INSIDE,
        HOOK_ENDED,
};

void interceptors_add_built_in(struct interceptors *interceptors,
                               struct pipit_server_interceptor *interceptor)
{
        interceptors->list[interceptors->n++] = interceptor;
        interceptors->n_built_in = interceptors->n;
        interceptors->has_after |= interceptor->operations->after != NULL;
}

enum pipit_status interceptors_add(struct interceptors *interceptors,
                                   struct pipit_server_interceptor *interceptor)
{
        if (interceptors->n - interceptors->n_built_in == PIPIT_SERVER_INTERCEPTORS_MAX)
                return PIPIT_RESOURCE_EXHAUSTED;

        interceptors->list[interceptors->n++] = interceptor;
        interceptors->has_after |= interceptor->operations->after != NULL;

        return PIPIT_OK;
}

bool interceptors_prepare(const struct interceptors *interceptors, struct frame *frame)
{
        size_t n = interceptors->n - interceptors->n_built_in;
        void **data;

        if (n == 0)
                return true;

        data = pipit_arena_zalloc(&frame->arena, frame->n_calls * n * sizeof(*data));
        if (!data)
                return false;
        for (size_t i = 0; i < frame->n_calls; ++i)
                frame->calls[i].hook_data = data + i * n;

        return true;
}

/* --- before ---------------------------------------------------------------- */

/* Where interceptor @i keeps its data of @call; NULL: it has none. */
static void **data_of(const struct pipit_server_call *call, size_t i)
{
        size_t n_built_in = call->frame->server->interceptors.n_built_in;

        return i < n_built_in ? NULL : &call->hook_data[i - n_built_in];
}

static enum pipit_status before_one(struct pipit_server_call *call,
                                    size_t i,
                                    struct pipit_error *ret_error)
{
        struct pipit_server_interceptor *one = call->frame->server->interceptors.list[i];
        void **data = data_of(call, i);
        struct pipit_server_call_start start = {.call = call, .method = call->route->method};
        enum pipit_status status = PIPIT_OK;

        if (one->operations->before)
                status = one->operations->before(one, &start);
        if (data)
                *data = start.data;
        if (status == PIPIT_OK)
                return PIPIT_OK;

        *ret_error = start.error;
        ret_error->status = status;
        ret_error->ran = PIPIT_NOT_RUN;

        return status;
}

static bool move(struct pipit_server_call *call, unsigned int from, unsigned int to)
{
        return atomic_compare_exchange_strong(&call->hook_state, &from, to);
}

static void after(struct pipit_server_call *call, const struct pipit_error *error);

static struct pipit_error error_without_answer(const struct pipit_server_call *call)
{
        if (call->ending == CALL_ENDING_CANCELLED)
                return call_cancelled_error(call, false);

        return runtime_error_make(call->ending == CALL_ENDING_DEADLINE
                                          ? RUNTIME_ERROR_DEADLINE
                                          : RUNTIME_ERROR_DEADLINE_RUNNING);
}

bool interceptors_before(struct pipit_server_call *call)
{
        const struct interceptors *interceptors = &call->frame->server->interceptors;
        size_t n = call->intake == CALL_NEW ? interceptors->n : interceptors->n_built_in;
        struct pipit_error error = {};

        if (interceptors->has_after && !move(call, HOOK_OUTSIDE, HOOK_ENTERING)) {
                call_release(call);
                return false;
        }

        while (call->n_hooks < n && before_one(call, call->n_hooks, &error) == PIPIT_OK)
                ++call->n_hooks;

        if (interceptors->has_after && !move(call, HOOK_ENTERING, HOOK_INSIDE)) {
                error = error_without_answer(call);
                after(call, &error);
                call_release(call);
                return false;
        }
        if (error.status != PIPIT_OK)
                pipit_server_call_fail(call, &error);

        return error.status == PIPIT_OK;
}

/* --- after ----------------------------------------------------------------- */

struct pipit_error call_cancelled_error(const struct pipit_server_call *call, bool answered)
{
        struct pipit_error error = pipit_error_make(PIPIT_CANCELLED,
                                                    PIPIT_NOT_RUN,
                                                    "CANCELLED",
                                                    "nobody waits for the answer any more");

        error.origin = PIPIT_ORIGIN_SERVER;
        if (atomic_load(&call->handled))
                error.ran = answered ? PIPIT_RAN : PIPIT_MAY_HAVE_RUN;

        return error;
}

static void after(struct pipit_server_call *call, const struct pipit_error *error)
{
        struct pipit_server *server = call->frame->server;
        const struct interceptors *interceptors = &server->interceptors;
        struct pipit_server_call_end end = {
                .call = call,
                .method_name = call->method_name,
                .error = error,
                .duration_us = pipit_clock_now_us() - call->start_us,
                .handled = atomic_load(&call->handled),
        };

        for (size_t i = interceptors->n; i-- > 0;) {
                struct pipit_server_interceptor *one = interceptors->list[i];
                void **data = data_of(call, i);

                if (!one->operations->after)
                        continue;
                end.began = i < call->n_hooks || !one->operations->before;
                end.data = data ? *data : NULL;
                one->operations->after(one, &end);
        }
        atomic_fetch_sub(&server->n_ending, 1);
}

bool call_ending(struct pipit_server_call *call)
{
        struct pipit_server *server = call->frame->server;

        if (!server->interceptors.has_after)
                return false;
        atomic_fetch_add(&server->n_ending, 1);

        return true;
}

void call_ending_without_answer(struct pipit_server_call *call,
                                enum call_ending ending,
                                struct pipit_server_call **list)
{
        if (!call_ending(call))
                return;

        call->ending = ending;
        frame_ref(call->frame);
        call->next_ended = *list;
        *list = call;
}

void interceptors_after(struct pipit_server_call *call, const struct pipit_error *error)
{
        if (atomic_exchange(&call->hook_state, HOOK_ENDED) != HOOK_ENTERING)
                after(call, error);
}

void interceptors_after_all(struct pipit_server_call *list)
{
        while (list) {
                struct pipit_server_call *call = list;
                struct pipit_error error = error_without_answer(call);

                list = call->next_ended;
                interceptors_after(call, &error);
                frame_unref(call->frame);
        }
}
