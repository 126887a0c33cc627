#include "server/runtime/nng_rep.h"

#include <arpa/inet.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* So many receive at any time, unless the cap is reached. */
#define CONTEXTS_RECEIVING_MIN 4

/* How long nng may take to close a socket. */
#define CLOSE_WAIT_S 3

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

struct rep_endpoint {
        char *url;
        enum rep_transport transport;
        struct rep_options options;
        const struct rep_handlers *handlers;
        void *self;

        bool open;
        nng_socket socket;
        nng_listener listener;

        atomic_bool shut;
        atomic_uint n_receiving;
        atomic_uint n_taken;
        atomic_uint n_sending;
        _Atomic uint64_t n_added;

        pthread_mutex_t mutex;
        struct context *all;    /* mutex */
        struct context *parked; /* mutex */
        unsigned n_parked;      /* mutex */
};

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

static bool contexts_reserve(struct rep_endpoint *endpoint)
{
        if (atomic_fetch_add(endpoint->options.n_contexts, 1) < endpoint->options.contexts_max)
                return true;

        atomic_fetch_sub(endpoint->options.n_contexts, 1);

        return false;
}

static struct context *context_new(struct rep_endpoint *endpoint)
{
        struct context *context;

        if (!contexts_reserve(endpoint))
                return NULL;

        context = calloc(1, sizeof(*context));
        if (!context)
                goto failed;
        context->base.operations = &context_operations;
        context->base.endpoint = endpoint;

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
        atomic_fetch_sub(endpoint->options.n_contexts, 1);

        return NULL;
}

static struct context *context_unpark(struct rep_endpoint *endpoint)
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
        struct rep_endpoint *endpoint = context->base.endpoint;

        pthread_mutex_lock(&endpoint->mutex);
        context->state = CONTEXT_PARKED;
        context->parked_next = endpoint->parked;
        endpoint->parked = context;
        ++endpoint->n_parked;
        pthread_mutex_unlock(&endpoint->mutex);
}

static void context_receive(struct context *context)
{
        struct rep_endpoint *endpoint = context->base.endpoint;

        if (atomic_load(&endpoint->shut) ||
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
static bool endpoint_grow(struct rep_endpoint *endpoint)
{
        struct context *context;

        if (atomic_load(&endpoint->shut))
                return false;

        context = context_unpark(endpoint);
        if (!context)
                context = context_new(endpoint);
        if (!context)
                return false;

        context_receive(context);

        return true;
}

static void context_received(struct context *context)
{
        struct rep_endpoint *endpoint = context->base.endpoint;
        unsigned n_receiving = atomic_fetch_sub(&endpoint->n_receiving, 1) - 1;
        bool last = false;
        uint32_t pipe;
        nng_msg *message;

        if (nng_aio_result(context->aio) != 0) {
                context_park(context);
                return;
        }

        message = nng_aio_get_msg(context->aio);
        nng_aio_set_msg(context->aio, NULL);
        context->state = CONTEXT_TAKEN;
        atomic_fetch_add(&endpoint->n_taken, 1);

        if (n_receiving < CONTEXTS_RECEIVING_MIN && !endpoint_grow(endpoint))
                last = atomic_load(&endpoint->n_receiving) == 0;

        pipe = (uint32_t)nng_pipe_id(nng_msg_get_pipe(message));
        endpoint->handlers->received(
                endpoint->self, &context->base, (struct rep_message *)(void *)message, pipe, last);
}

static void context_sent(struct context *context)
{
        struct rep_endpoint *endpoint = context->base.endpoint;
        int result = nng_aio_result(context->aio);

        if (result != 0) {
                nng_msg *message = nng_aio_get_msg(context->aio);

                nng_aio_set_msg(context->aio, NULL);
                if (message)
                        nng_msg_free(message);
        }
        endpoint->handlers->sent(endpoint->self,
                                 context->base.peer,
                                 context->base.n_answer_bytes,
                                 result == NNG_ETIMEDOUT);
        context->base.peer = NULL;

        context_receive(context);
        atomic_fetch_sub(&endpoint->n_sending, 1);
}

static void context_callback(void *argument)
{
        struct context *context = argument;

        if (context->state == CONTEXT_SENDING)
                context_sent(context);
        else
                context_received(context);
}

static void context_drop(struct rep_context *base)
{
        struct context *context = pipit_container_of(base, struct context, base);
        struct rep_endpoint *endpoint = base->endpoint;

        base->peer = NULL;
        context_receive(context);
        atomic_fetch_sub(&endpoint->n_taken, 1);
}

static void context_answer(struct rep_context *base, struct rep_message *message)
{
        struct context *context = pipit_container_of(base, struct context, base);
        struct rep_endpoint *endpoint = base->endpoint;

        context->state = CONTEXT_SENDING;
        base->n_answer_bytes = rep_message_n_bytes(message);
        atomic_fetch_add(&endpoint->n_sending, 1);
        nng_aio_set_msg(context->aio, (nng_msg *)(void *)message);
        nng_aio_set_timeout(context->aio, (nng_duration)endpoint->options.send_timeout_ms);
        nng_ctx_send(context->ctx, context->aio);
        atomic_fetch_sub(&endpoint->n_taken, 1);
}

void rep_context_answer(struct rep_context *context, struct rep_message *message)
{
        context->operations->answer(context, message);
}

void rep_context_drop(struct rep_context *context)
{
        context->operations->drop(context);
}

/* --- messages ------------------------------------------------------------ */

struct rep_message *rep_message_new(size_t n_bytes)
{
        nng_msg *message;

        if (nng_msg_alloc(&message, n_bytes) != 0)
                return NULL;

        return (struct rep_message *)(void *)message;
}

struct rep_message *rep_message_free(struct rep_message *message)
{
        if (message)
                nng_msg_free((nng_msg *)(void *)message);

        return NULL;
}

uint8_t *rep_message_bytes(struct rep_message *message)
{
        return nng_msg_body((nng_msg *)(void *)message);
}

size_t rep_message_n_bytes(struct rep_message *message)
{
        return nng_msg_len((nng_msg *)(void *)message);
}

/* --- pipes --------------------------------------------------------------- */

/* All 0 if nng does not tell. */
static void pipe_locate(nng_pipe pipe, struct source *ret_source)
{
        nng_sockaddr address;

        if (nng_pipe_get_addr(pipe, NNG_OPT_REMADDR, &address) != 0)
                return;

        if (address.s_family == NNG_AF_INET) {
                source_of_ipv4((const uint8_t *)&address.s_in.sa_addr,
                               ntohs(address.s_in.sa_port),
                               ret_source);
        } else if (address.s_family == NNG_AF_INET6) {
                memcpy(ret_source->address, address.s_in6.sa_addr, sizeof(ret_source->address));
                ret_source->port = ntohs(address.s_in6.sa_port);
        }
}

static void pipe_identify(const struct rep_endpoint *endpoint,
                          nng_pipe pipe,
                          struct rep_pipe_identity *ret_identity)
{
        uint64_t number;

        *ret_identity = (struct rep_pipe_identity){.transport = endpoint->transport};
        if (endpoint->transport == REP_TRANSPORT_TCP)
                pipe_locate(pipe, &ret_identity->source);
        if (endpoint->transport != REP_TRANSPORT_IPC)
                return;

        if (nng_pipe_get_uint64(pipe, NNG_OPT_IPC_PEER_UID, &number) == 0) {
                ret_identity->has_uid = true;
                ret_identity->uid = (uid_t)number;
        }
        if (nng_pipe_get_uint64(pipe, NNG_OPT_IPC_PEER_PID, &number) == 0)
                ret_identity->pid = (pid_t)number;
}

static void pipe_callback(nng_pipe pipe, nng_pipe_ev event, void *argument)
{
        struct rep_endpoint *endpoint = argument;
        uint32_t id = (uint32_t)nng_pipe_id(pipe);
        struct rep_pipe_identity identity;

        if (event == NNG_PIPE_EV_REM_POST) {
                endpoint->handlers->pipe_removed(endpoint->self, id);
                return;
        }

        atomic_fetch_add(&endpoint->n_added, 1);
        pipe_identify(endpoint, pipe, &identity);
        if (atomic_load(&endpoint->shut) ||
            !endpoint->handlers->pipe_added(endpoint->self, endpoint, id, &identity))
                nng_pipe_close(pipe);
}

void rep_pipe_close(uint32_t pipe)
{
        nng_pipe_close((nng_pipe){.id = pipe});
}

/* --- endpoint ------------------------------------------------------------ */

struct rep_endpoint *rep_endpoint_new(const char *url,
                                      enum rep_transport transport,
                                      const struct rep_options *options,
                                      const struct rep_handlers *handlers,
                                      void *self)
{
        struct rep_endpoint *endpoint = calloc(1, sizeof(*endpoint));

        if (!endpoint)
                return NULL;

        endpoint->url = strdup(url);
        if (!endpoint->url) {
                free(endpoint);
                return NULL;
        }
        endpoint->transport = transport;
        endpoint->options = *options;
        endpoint->handlers = handlers;
        endpoint->self = self;
        pthread_mutex_init(&endpoint->mutex, NULL);

        return endpoint;
}

struct rep_endpoint *rep_endpoint_free(struct rep_endpoint *endpoint)
{
        if (!endpoint || endpoint->open)
                return NULL;

        pthread_mutex_destroy(&endpoint->mutex);
        free(endpoint->url);
        free(endpoint);

        return NULL;
}

static int socket_set_up(struct rep_endpoint *endpoint)
{
        int result;

        result = nng_socket_set_size(
                endpoint->socket, NNG_OPT_RECVMAXSZ, endpoint->options.receive_bytes_max);
        if (result == 0)
                result = nng_pipe_notify(
                        endpoint->socket, NNG_PIPE_EV_ADD_PRE, pipe_callback, endpoint);
        if (result == 0)
                result = nng_pipe_notify(
                        endpoint->socket, NNG_PIPE_EV_REM_POST, pipe_callback, endpoint);

        return result;
}

static int listener_set_up(struct rep_endpoint *endpoint)
{
        int result = 0;

        if (endpoint->transport == REP_TRANSPORT_IPC)
                result = nng_listener_set_int(endpoint->listener, NNG_OPT_IPC_PERMISSIONS, 0660);
        if (endpoint->transport == REP_TRANSPORT_TCP) {
                result = nng_listener_set_bool(endpoint->listener, NNG_OPT_TCP_NODELAY, true);
                if (result == 0)
                        result = nng_listener_set_bool(
                                endpoint->listener, NNG_OPT_TCP_KEEPALIVE, true);
        }

        return result;
}

/* tcp://127.0.0.1:0 becomes what it was given. */
static int url_resolve(struct rep_endpoint *endpoint)
{
        char *colon = strrchr(endpoint->url, ':');
        char *url;
        int port;
        int result;

        if (endpoint->transport != REP_TRANSPORT_TCP || !colon || atoi(colon + 1) != 0)
                return 0;

        result = nng_listener_get_int(endpoint->listener, NNG_OPT_TCP_BOUND_PORT, &port);
        if (result != 0)
                return result;
        if (asprintf(&url, "%.*s:%d", (int)(colon - endpoint->url), endpoint->url, port) < 0)
                return NNG_ENOMEM;

        free(endpoint->url);
        endpoint->url = url;

        return 0;
}

static int listener_open(struct rep_endpoint *endpoint)
{
        int result = nng_listener_create(&endpoint->listener, endpoint->socket, endpoint->url);

        if (result != 0)
                return result;

        result = listener_set_up(endpoint);
        if (result == 0)
                result = nng_listener_start(endpoint->listener, 0);
        if (result == 0)
                result = url_resolve(endpoint);
        if (result != 0)
                nng_listener_close(endpoint->listener);

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

enum pipit_status rep_endpoint_listen(struct rep_endpoint *endpoint, struct pipit_error *ret_error)
{
        int result = nng_rep0_open(&endpoint->socket);

        if (result != 0)
                return error_of_nng(result, ret_error);

        result = socket_set_up(endpoint);
        if (result == 0 && !endpoint_grow(endpoint))
                result = NNG_ENOMEM;
        for (unsigned i = 1; result == 0 && i < CONTEXTS_RECEIVING_MIN; ++i)
                (void)endpoint_grow(endpoint);
        if (result == 0)
                result = listener_open(endpoint);
        endpoint->open = true;

        return error_of_nng(result, ret_error);
}

enum pipit_status rep_endpoint_listen_again(struct rep_endpoint *endpoint)
{
        nng_listener_close(endpoint->listener);

        return error_of_nng(listener_open(endpoint), NULL);
}

const char *rep_endpoint_url(const struct rep_endpoint *endpoint)
{
        return endpoint->url;
}

enum rep_transport rep_endpoint_transport(const struct rep_endpoint *endpoint)
{
        return endpoint->transport;
}

uint64_t rep_endpoint_n_added(const struct rep_endpoint *endpoint)
{
        return atomic_load(&endpoint->n_added);
}

/* Without a callback an aio would not go by nng's threads. */
static void turn_callback(void *argument)
{
        (void)argument;
}

bool rep_turns_pass(unsigned n)
{
        nng_aio *aio;

        if (nng_aio_alloc(&aio, turn_callback, NULL) != 0)
                return false;

        for (; n > 0; --n) {
                nng_sleep_aio(1, aio);
                nng_aio_wait(aio);
        }
        nng_aio_free(aio);

        return true;
}

unsigned rep_endpoint_n_taken(const struct rep_endpoint *endpoint)
{
        return atomic_load(&endpoint->n_taken);
}

unsigned rep_endpoint_n_sending(const struct rep_endpoint *endpoint)
{
        return atomic_load(&endpoint->n_sending);
}

static void endpoint_unlink(struct rep_endpoint *endpoint, struct context *context)
{
        if (context->all_prev)
                context->all_prev->all_next = context->all_next;
        else
                endpoint->all = context->all_next;
        if (context->all_next)
                context->all_next->all_prev = context->all_prev;
}

/* Unlinked under the mutex, freed without it: freeing an aio waits for its callback. */
static struct context *context_take_parked(struct rep_endpoint *endpoint, unsigned n_keep)
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

void rep_endpoint_trim(struct rep_endpoint *endpoint)
{
        struct context *context;
        unsigned n_keep;

        pthread_mutex_lock(&endpoint->mutex);
        n_keep = endpoint->n_parked / 2;
        pthread_mutex_unlock(&endpoint->mutex);

        while ((context = context_take_parked(endpoint, n_keep))) {
                context_free(context);
                atomic_fetch_sub(endpoint->options.n_contexts, 1);
        }
        while (!atomic_load(&endpoint->shut) &&
               atomic_load(&endpoint->n_receiving) < CONTEXTS_RECEIVING_MIN &&
               endpoint_grow(endpoint))
                ;
}

void rep_endpoint_shut(struct rep_endpoint *endpoint)
{
        atomic_store(&endpoint->shut, true);
}

/* A callback may still add one: what it added is there when its own context has been freed. */
static struct context *context_take(struct rep_endpoint *endpoint)
{
        struct context *context;

        pthread_mutex_lock(&endpoint->mutex);
        context = endpoint->all;
        if (context)
                endpoint_unlink(endpoint, context);
        pthread_mutex_unlock(&endpoint->mutex);

        return context;
}

static void *close_main(void *argument)
{
        struct rep_endpoint *endpoint = argument;

        nng_close(endpoint->socket);

        return NULL;
}

/*
 * nng 1.5 waits for ever for a pipe that was closed between the head and the
 * body of a message that it was receiving: a thread of its own does the waiting.
 */
static bool socket_close(struct rep_endpoint *endpoint)
{
        struct timespec until;
        pthread_t thread;

        if (pthread_create(&thread, NULL, close_main, endpoint) != 0) {
                (void)close_main(endpoint);
                return true;
        }

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += CLOSE_WAIT_S;
        if (pthread_timedjoin_np(thread, NULL, &until) == 0)
                return true;
        pthread_detach(thread);

        return false;
}

bool rep_endpoint_close(struct rep_endpoint *endpoint)
{
        struct context *context;

        if (!endpoint->open)
                return true;
        if (!socket_close(endpoint))
                return false;
        endpoint->open = false;

        while ((context = context_take(endpoint))) {
                context_free(context);
                atomic_fetch_sub(endpoint->options.n_contexts, 1);
        }
        endpoint->parked = NULL;
        endpoint->n_parked = 0;

        return true;
}
