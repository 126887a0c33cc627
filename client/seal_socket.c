#include <stdlib.h>

#include "client/seal.h"
#include "client/sp_stream.h"
#include "core/base/clock.h"
#include "core/base/macros.h"

/* The pause after the first of several refusals, doubled for each that follows soon. */
#define PAUSE_MS_MIN 10

/* A connection that was made, and one that was not even: the latter costs others most. */
#define PAUSE_MS_MAX_OPEN    1000
#define PAUSE_MS_MAX_REFUSED 5000

/* A refusal this long after the last one has nothing to do with it. */
#define REFUSALS_APART_US (10 * PIPIT_US_PER_S)

struct seal_socket *seal_socket_of(struct transport_socket *base)
{
        return pipit_container_of(base, struct seal_socket, base);
}

int64_t seal_now_us(const struct seal_socket *socket)
{
        const struct pipit_clock *clock = socket->options.keyring->clock;

        return clock->now_us(clock->context);
}

void seal_refused(struct seal_socket *socket, enum client_reason reason, uint32_t retry_ms)
{
        uint32_t max_ms = socket->phase == SEAL_WANTED ? PAUSE_MS_MAX_REFUSED : PAUSE_MS_MAX_OPEN;
        uint32_t pause_ms = PAUSE_MS_MIN;
        int64_t now_us = pipit_clock_now_us();

        if (socket->is_refused)
                return;
        if (now_us - socket->refused_us > REFUSALS_APART_US)
                socket->n_refusals = 0;
        for (unsigned int i = 0; i < socket->n_refusals && pause_ms < max_ms; i++)
                pause_ms *= 2;
        if (pause_ms < retry_ms)
                pause_ms = retry_ms;

        socket->is_refused = true;
        socket->n_refusals++;
        socket->refused_us = now_us;
        socket->refusal = (struct transport_refusal){
                .reason = reason,
                .pause_ms = pause_ms < max_ms ? pause_ms : max_ms,
        };
}

/* --- the connection --------------------------------------------------------- */

static void on_inner_pipe(void *context)
{
        struct seal_socket *socket = context;

        seal_shake_first(socket);
        socket->options.on_pipe(socket->options.context);
}

/* Answers that have come before are opened still: their lanes hold it. Mutex held. */
static void forget_session(struct seal_socket *socket)
{
        pipit_session_unref(socket->session);
        socket->session = NULL;
}

static const char *socket_dial(struct transport_socket *base,
                               const struct target_address *target,
                               size_t endpoint)
{
        struct seal_socket *socket = seal_socket_of(base);

        pthread_mutex_lock(&socket->mutex);
        forget_session(socket);
        socket->phase = SEAL_WANTED;
        socket->epoch++;
        socket->is_refused = false;
        pthread_mutex_unlock(&socket->mutex);

        return socket->inner->transport->dial(socket->inner, target, endpoint);
}

static void socket_hangup(struct transport_socket *base)
{
        struct seal_socket *socket = seal_socket_of(base);

        pthread_mutex_lock(&socket->mutex);
        forget_session(socket);
        if (socket->phase != SEAL_REFUSED)
                socket->phase = SEAL_CLOSED;
        pthread_mutex_unlock(&socket->mutex);

        socket->inner->transport->hangup(socket->inner);
}

static enum transport_pipe socket_pipe(struct transport_socket *base, const char **ret_problem)
{
        struct seal_socket *socket = seal_socket_of(base);
        enum transport_pipe pipe = socket->inner->transport->pipe(socket->inner, ret_problem);

        pthread_mutex_lock(&socket->mutex);
        if (socket->phase == SEAL_REFUSED) {
                pipe = TRANSPORT_PIPE_LOST;
                *ret_problem = socket->problem;
        } else if (socket->phase == SEAL_WANTED && pipe == TRANSPORT_PIPE_UP) {
                pipe = TRANSPORT_PIPE_SHAKING;
        }
        pthread_mutex_unlock(&socket->mutex);

        return pipe;
}

static bool socket_refusal(struct transport_socket *base, struct transport_refusal *ret_refusal)
{
        struct seal_socket *socket = seal_socket_of(base);
        bool is_refused;

        pthread_mutex_lock(&socket->mutex);
        is_refused = socket->is_refused;
        *ret_refusal = socket->refusal;
        pthread_mutex_unlock(&socket->mutex);

        return is_refused;
}

static size_t socket_frame_bytes(struct transport_socket *base)
{
        struct seal_socket *socket = seal_socket_of(base);
        size_t n_bytes;

        pthread_mutex_lock(&socket->mutex);
        n_bytes = socket->frame_bytes;
        pthread_mutex_unlock(&socket->mutex);

        return n_bytes - SEAL_EXTRA;
}

/* --- struct transport ------------------------------------------------------- */

static void socket_free(struct seal_socket *socket)
{
        seal_handshake_deinit(socket);
        if (socket->inner)
                socket->inner->transport->socket_close(socket->inner);
        pipit_session_unref(socket->session);
        pthread_cond_destroy(&socket->sent);
        pthread_mutex_destroy(&socket->mutex);
        free(socket);
}

static void socket_close(struct transport_socket *base)
{
        socket_free(seal_socket_of(base));
}

static bool open_inner(struct seal_socket *socket, const char **ret_problem)
{
        struct transport_options options = socket->options;

        options.on_pipe = on_inner_pipe;
        options.context = socket;
        socket->inner = sp_transport.socket_open(&options, ret_problem);

        return socket->inner && seal_handshake_init(socket, ret_problem);
}

static struct transport_socket *socket_open(const struct transport_options *options,
                                            const char **ret_problem)
{
        struct seal_socket *socket = calloc(1, sizeof(*socket));

        *ret_problem = "out of memory";
        if (!socket)
                return NULL;

        socket->base.transport = &seal_transport;
        socket->options = *options;
        pthread_mutex_init(&socket->mutex, NULL);
        pthread_cond_init(&socket->sent, NULL);
        if (!open_inner(socket, ret_problem)) {
                socket_free(socket);
                return NULL;
        }

        return &socket->base;
}

/* The caller reads for the inner socket's waiters, and is one of them from then on. */
static void socket_enter(struct transport_socket *base, struct waiter *waiter)
{
        struct transport_socket *inner = seal_socket_of(base)->inner;

        inner->transport->enter(inner, waiter);
}

static void socket_wait(struct transport_socket *base, struct waiter *waiter)
{
        struct transport_socket *inner = seal_socket_of(base)->inner;

        inner->transport->wait(inner, waiter);
}

static void socket_rouse(struct transport_socket *base)
{
        struct transport_socket *inner = seal_socket_of(base)->inner;

        inner->transport->rouse(inner);
}

const struct transport seal_transport = {
        .socket_open = socket_open,
        .socket_close = socket_close,
        .dial = socket_dial,
        .hangup = socket_hangup,
        .pipe = socket_pipe,
        .refusal = socket_refusal,
        .frame_bytes = socket_frame_bytes,
        .lane_open = seal_lane_open,
        .lane_stop = seal_lane_stop,
        .lane_close = seal_lane_close,
        .send = seal_lane_send,
        .enter = socket_enter,
        .wait = socket_wait,
        .rouse = socket_rouse,
        .abort = seal_lane_abort,
        .message_new = seal_message_new,
        .message_bytes = seal_message_bytes,
        .message_free = seal_message_free,
};
