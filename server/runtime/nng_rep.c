#include "server/runtime/nng_rep.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* So many receive at any time, unless the cap is reached. */
#define CONTEXTS_RECEIVING_MIN 4

/* More than these are parked, not received on. */
#define CONTEXTS_RECEIVING_MAX 32

enum context_state {
        CONTEXT_RECEIVING,
        CONTEXT_TAKEN,
        CONTEXT_SENDING,
        CONTEXT_PARKED,
};

struct context {
        struct rep_context base;
        enum context_state state; /* its holder's, else of who runs its callback */
        nng_ctx ctx;
        nng_aio *aio;
        struct context *all_next;
        struct context *all_prev;
        struct context *parked_next;
};

struct nng_endpoint {
        struct rep_endpoint base;
        bool open;
        nng_socket socket;
        atomic_uint n_receiving;

        pthread_mutex_t mutex;
        struct context *all;    /* mutex */
        struct context *parked; /* mutex */
        unsigned n_parked;      /* mutex */
};

static struct nng_endpoint *endpoint_of(struct rep_endpoint *base)
{
        return pipit_container_of(base, struct nng_endpoint, base);
}

static void context_callback(void *argument);
static void context_answer(struct rep_context *base, struct rep_message *message);
static void context_drop(struct rep_context *base);

static const struct rep_context_operations context_operations = {
        .answer = context_answer,
        .drop = context_drop,
};

/* --- contexts ------------------------------------------------------------ */

static void context_free(struct context *context)
{
        nng_aio_free(context->aio);
        nng_ctx_close(context->ctx);
        free(context);
}

static bool contexts_reserve(struct nng_endpoint *endpoint)
{
        if (atomic_fetch_add(endpoint->base.options.n_contexts, 1) <
            endpoint->base.options.contexts_max)
                return true;

        atomic_fetch_sub(endpoint->base.options.n_contexts, 1);

        return false;
}

static struct context *context_new(struct nng_endpoint *endpoint)
{
        struct context *context;

        if (!contexts_reserve(endpoint))
                return NULL;

        context = calloc(1, sizeof(*context));
        if (!context)
                goto failed;
        context->base.operations = &context_operations;
        context->base.endpoint = &endpoint->base;

        if (nng_ctx_open(&context->ctx, endpoint->socket) != 0)
                goto failed;
        if (nng_aio_alloc(&context->aio, context_callback, context) != 0) {
                nng_ctx_close(context->ctx);
                goto failed;
        }

        pthread_mutex_lock(&endpoint->mutex);
        context->all_next = endpoint->all;
        if (endpoint->all)
                endpoint->all->all_prev = context;
        endpoint->all = context;
        pthread_mutex_unlock(&endpoint->mutex);

        return context;

failed:
        free(context);
        atomic_fetch_sub(endpoint->base.options.n_contexts, 1);

        return NULL;
}

static struct context *context_unpark(struct nng_endpoint *endpoint)
{
        struct context *context;

        pthread_mutex_lock(&endpoint->mutex);
        context = endpoint->parked;
        if (context) {
                endpoint->parked = context->parked_next;
                --endpoint->n_parked;
        }
        pthread_mutex_unlock(&endpoint->mutex);

        return context;
}

/* The last thing done with @context: it may be freed once this has unlocked. */
static void context_park(struct context *context)
{
        struct nng_endpoint *endpoint = endpoint_of(context->base.endpoint);

        pthread_mutex_lock(&endpoint->mutex);
        context->state = CONTEXT_PARKED;
        context->parked_next = endpoint->parked;
        endpoint->parked = context;
        ++endpoint->n_parked;
        pthread_mutex_unlock(&endpoint->mutex);
}

static void context_receive(struct context *context)
{
        struct nng_endpoint *endpoint = endpoint_of(context->base.endpoint);

        if (atomic_load(&endpoint->base.is_shut) ||
            atomic_load(&endpoint->n_receiving) >= CONTEXTS_RECEIVING_MAX) {
                context_park(context);
                return;
        }

        atomic_fetch_add(&endpoint->n_receiving, 1);
        context->state = CONTEXT_RECEIVING;
        nng_aio_set_timeout(context->aio, NNG_DURATION_INFINITE);
        nng_ctx_recv(context->ctx, context->aio);
}

/*
 * One more that receives, if there may be one. Who closes has set shut and then
 * seen no frame taken; who grows has taken one before: so one sees the other,
 * and no context is unparked while it is freed.
 */
static bool endpoint_grow(struct nng_endpoint *endpoint)
{
        struct context *context;

        if (atomic_load(&endpoint->base.is_shut))
                return false;

        context = context_unpark(endpoint);
        if (!context)
                context = context_new(endpoint);
        if (!context)
                return false;

        context_receive(context);

        return true;
}

/* A copy of what came: frames are ours, whoever brings them. NULL: out of memory. */
static struct rep_message *take_message(struct context *context, uint32_t *ret_pipe)
{
        nng_msg *from = nng_aio_get_msg(context->aio);
        struct rep_message *message = rep_message_new(nng_msg_len(from));

        nng_aio_set_msg(context->aio, NULL);
        *ret_pipe = (uint32_t)nng_pipe_id(nng_msg_get_pipe(from));
        if (message)
                memcpy(rep_message_bytes(message), nng_msg_body(from), nng_msg_len(from));
        nng_msg_free(from);

        return message;
}

static void context_received(struct context *context)
{
        struct nng_endpoint *endpoint = endpoint_of(context->base.endpoint);
        unsigned n_receiving = atomic_fetch_sub(&endpoint->n_receiving, 1) - 1;
        struct rep_message *message;
        bool last = false;
        uint32_t pipe;

        if (nng_aio_result(context->aio) != 0) {
                context_park(context);
                return;
        }

        context->state = CONTEXT_TAKEN;
        atomic_fetch_add(&endpoint->base.n_taken, 1);
        message = take_message(context, &pipe);
        if (!message) {
                context_drop(&context->base);
                return;
        }
        if (n_receiving < CONTEXTS_RECEIVING_MIN && !endpoint_grow(endpoint))
                last = atomic_load(&endpoint->n_receiving) == 0;

        endpoint->base.handlers->received(endpoint->base.self, &context->base, message, pipe, last);
}

static void context_sent(struct context *context, bool stuck)
{
        struct nng_endpoint *endpoint = endpoint_of(context->base.endpoint);

        endpoint->base.handlers->sent(
                endpoint->base.self, context->base.peer, context->base.n_answer_bytes, stuck);
        context->base.peer = NULL;

        context_receive(context);
        atomic_fetch_sub(&endpoint->base.n_sending, 1);
}

static void send_ended(struct context *context)
{
        int result = nng_aio_result(context->aio);

        if (result != 0) {
                nng_msg *message = nng_aio_get_msg(context->aio);

                nng_aio_set_msg(context->aio, NULL);
                if (message)
                        nng_msg_free(message);
        }
        context_sent(context, result == NNG_ETIMEDOUT);
}

static void context_callback(void *argument)
{
        struct context *context = argument;

        if (context->state == CONTEXT_SENDING)
                send_ended(context);
        else
                context_received(context);
}

static void context_drop(struct rep_context *base)
{
        struct context *context = pipit_container_of(base, struct context, base);
        struct nng_endpoint *endpoint = endpoint_of(base->endpoint);

        base->peer = NULL;
        context_receive(context);
        atomic_fetch_sub(&endpoint->base.n_taken, 1);
}

static void context_answer(struct rep_context *base, struct rep_message *message)
{
        struct context *context = pipit_container_of(base, struct context, base);
        struct nng_endpoint *endpoint = endpoint_of(base->endpoint);
        nng_msg *to;

        context->state = CONTEXT_SENDING;
        base->n_answer_bytes = rep_message_n_bytes(message);
        atomic_fetch_add(&endpoint->base.n_sending, 1);
        if (nng_msg_alloc(&to, base->n_answer_bytes) == 0) {
                memcpy(nng_msg_body(to), rep_message_bytes(message), base->n_answer_bytes);
                nng_aio_set_msg(context->aio, to);
                nng_aio_set_timeout(context->aio,
                                    (nng_duration)endpoint->base.options.send_timeout_ms);
                nng_ctx_send(context->ctx, context->aio);
        } else {
                context_sent(context, false);
        }
        rep_message_free(message);
        atomic_fetch_sub(&endpoint->base.n_taken, 1);
}

/* --- pipes --------------------------------------------------------------- */

static void pipe_callback(nng_pipe pipe, nng_pipe_ev event, void *argument)
{
        const struct rep_pipe_identity identity = {.transport = REP_TRANSPORT_INPROC};
        struct nng_endpoint *endpoint = argument;
        uint32_t id = (uint32_t)nng_pipe_id(pipe);

        if (event == NNG_PIPE_EV_REM_POST)
                endpoint->base.handlers->pipe_removed(endpoint->base.self, id);
        else if (atomic_load(&endpoint->base.is_shut) ||
                 !endpoint->base.handlers->pipe_added(
                         endpoint->base.self, &endpoint->base, id, &identity))
                nng_pipe_close(pipe);
}

void rep_pipe_close(uint32_t pipe)
{
        nng_pipe_close((nng_pipe){.id = pipe});
}

/* --- endpoint ------------------------------------------------------------ */

struct rep_endpoint *nng_endpoint_new(void)
{
        struct nng_endpoint *endpoint = calloc(1, sizeof(*endpoint));

        if (!endpoint)
                return NULL;
        pthread_mutex_init(&endpoint->mutex, NULL);

        return &endpoint->base;
}

static void endpoint_free(struct rep_endpoint *base)
{
        struct nng_endpoint *endpoint = endpoint_of(base);

        pthread_mutex_destroy(&endpoint->mutex);
        free(base->url);
        free(endpoint);
}

static int socket_set_up(struct nng_endpoint *endpoint)
{
        int result;

        result = nng_socket_set_size(
                endpoint->socket, NNG_OPT_RECVMAXSZ, endpoint->base.options.receive_bytes_max);
        if (result == 0)
                result = nng_pipe_notify(
                        endpoint->socket, NNG_PIPE_EV_ADD_PRE, pipe_callback, endpoint);
        if (result == 0)
                result = nng_pipe_notify(
                        endpoint->socket, NNG_PIPE_EV_REM_POST, pipe_callback, endpoint);

        return result;
}

static enum pipit_status error_of_nng(int result, struct pipit_error *ret_error)
{
        struct pipit_error error = pipit_error_make(
                PIPIT_UNAVAILABLE, PIPIT_NOT_RUN, "LISTEN_FAILED", nng_strerror(result));

        if (result == 0)
                return PIPIT_OK;
        if (result == NNG_EADDRINUSE)
                error.reason = "ADDRESS_IN_USE";
        if (result == NNG_ENOMEM) {
                error.status = PIPIT_RESOURCE_EXHAUSTED;
                error.reason = "OUT_OF_MEMORY";
        }
        if (ret_error)
                *ret_error = error;

        return error.status;
}

static enum pipit_status endpoint_listen(struct rep_endpoint *base,
                                         struct rep_loop *loop,
                                         struct pipit_error *ret_error)
{
        struct nng_endpoint *endpoint = endpoint_of(base);
        int result = nng_rep0_open(&endpoint->socket);

        (void)loop;
        if (result != 0)
                return error_of_nng(result, ret_error);

        endpoint->open = true;
        result = socket_set_up(endpoint);
        if (result == 0 && !endpoint_grow(endpoint))
                result = NNG_ENOMEM;
        for (unsigned i = 1; result == 0 && i < CONTEXTS_RECEIVING_MIN; ++i)
                (void)endpoint_grow(endpoint);
        if (result == 0)
                result = nng_listen(endpoint->socket, base->url, NULL, 0);

        return error_of_nng(result, ret_error);
}

static void endpoint_unlink(struct nng_endpoint *endpoint, struct context *context)
{
        if (context->all_prev)
                context->all_prev->all_next = context->all_next;
        else
                endpoint->all = context->all_next;
        if (context->all_next)
                context->all_next->all_prev = context->all_prev;
}

/* Unlinked under the mutex, freed without it: freeing an aio waits for its callback. */
static struct context *context_take_parked(struct nng_endpoint *endpoint, unsigned n_keep)
{
        struct context *context = NULL;

        pthread_mutex_lock(&endpoint->mutex);
        if (endpoint->n_parked > n_keep) {
                context = endpoint->parked;
                endpoint->parked = context->parked_next;
                --endpoint->n_parked;
                endpoint_unlink(endpoint, context);
        }
        pthread_mutex_unlock(&endpoint->mutex);

        return context;
}

/* Frees contexts that are parked for long; keeps some receiving. */
static enum rep_state endpoint_look_after(struct rep_endpoint *base)
{
        struct nng_endpoint *endpoint = endpoint_of(base);
        struct context *context;
        unsigned n_keep;

        pthread_mutex_lock(&endpoint->mutex);
        n_keep = endpoint->n_parked / 2;
        pthread_mutex_unlock(&endpoint->mutex);

        while ((context = context_take_parked(endpoint, n_keep))) {
                context_free(context);
                atomic_fetch_sub(base->options.n_contexts, 1);
        }
        while (!atomic_load(&base->is_shut) &&
               atomic_load(&endpoint->n_receiving) < CONTEXTS_RECEIVING_MIN &&
               endpoint_grow(endpoint))
                ;

        return REP_LISTENS;
}

/* A callback may still add one: what it added is there when its own context has been freed. */
static struct context *context_take(struct nng_endpoint *endpoint)
{
        struct context *context;

        pthread_mutex_lock(&endpoint->mutex);
        context = endpoint->all;
        if (context)
                endpoint_unlink(endpoint, context);
        pthread_mutex_unlock(&endpoint->mutex);

        return context;
}

static void endpoint_close(struct rep_endpoint *base)
{
        struct nng_endpoint *endpoint = endpoint_of(base);
        struct context *context;

        if (!endpoint->open)
                return;
        nng_close(endpoint->socket);
        endpoint->open = false;

        while ((context = context_take(endpoint))) {
                context_free(context);
                atomic_fetch_sub(base->options.n_contexts, 1);
        }
        endpoint->parked = NULL;
        endpoint->n_parked = 0;
}

const struct rep_endpoint_operations nng_endpoint_operations = {
        .free = endpoint_free,
        .listen = endpoint_listen,
        .look_after = endpoint_look_after,
        .close = endpoint_close,
};
