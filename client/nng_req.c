#include "client/nng_req.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <pthread.h>
#include <stdlib.h>

#include "client/target.h"
#include "core/base/macros.h"

/*
 * A dialer connects once and is then replaced: nng's own redialling stops for
 * good after some failures of the handshake, and knows no reason to tell. Its
 * pause is drawn from [0, RECONNMINT) with a sign that may be wrong, so half the
 * time it does not wait at all, whatever it is set to. Hence a dialer is closed
 * in the very event that its pipe is gone, before nng dials again; and where a
 * pipe comes up that nobody wants, it is turned away.
 */
#define REDIAL_NEVER_MS (24 * 60 * 60 * 1000)

struct req_socket {
        struct transport_socket base;
        struct transport_options options;
        nng_socket socket;
        pthread_mutex_t mutex;
        nng_dialer dialer; /* id 0: none */
        int pipe_id;       /* 0: none yet */
        enum transport_pipe pipe;
};

struct req_lane {
        struct transport_lane base;
        struct transport_lane_options options;
        nng_ctx context;
        nng_aio *aio;
        bool is_receiving;
};

static struct req_socket *socket_of(struct transport_socket *socket)
{
        return pipit_container_of(socket, struct req_socket, base);
}

static struct req_lane *lane_of(struct transport_lane *lane)
{
        return pipit_container_of(lane, struct req_lane, base);
}

/* nng knows no number that it has no text for. */
static const char *problem_of(int error)
{
        return error ? nng_strerror(error) : NULL;
}

static void close_dialer(nng_dialer dialer)
{
        if (nng_dialer_id(dialer) > 0)
                nng_dialer_close(dialer);
}

static void pipe_arrives(struct req_socket *socket, nng_pipe pipe)
{
        int dialer_id = nng_dialer_id(nng_pipe_dialer(pipe));
        bool is_ours;

        pthread_mutex_lock(&socket->mutex);
        is_ours = socket->pipe == TRANSPORT_PIPE_NONE && socket->pipe_id == 0 &&
                  nng_dialer_id(socket->dialer) == dialer_id;
        if (is_ours)
                socket->pipe_id = nng_pipe_id(pipe);
        pthread_mutex_unlock(&socket->mutex);

        if (!is_ours)
                nng_pipe_close(pipe);
}

/* Events of one pipe may overtake each other: lost is for good. */
static void pipe_changes(struct req_socket *socket, nng_pipe pipe, enum transport_pipe to)
{
        nng_dialer dialer = NNG_DIALER_INITIALIZER;
        bool changes;

        pthread_mutex_lock(&socket->mutex);
        changes = socket->pipe_id == nng_pipe_id(pipe) && socket->pipe < to;
        if (changes)
                socket->pipe = to;
        if (changes && to == TRANSPORT_PIPE_LOST) {
                dialer = socket->dialer;
                socket->dialer = (nng_dialer)NNG_DIALER_INITIALIZER;
        }
        pthread_mutex_unlock(&socket->mutex);

        close_dialer(dialer);

        if (changes)
                socket->options.on_pipe(socket->options.context);
}

/* Closing a pipe in its callback breaks later events, but in ADD_PRE, which is made for it. */
static void pipe_event(nng_pipe pipe, nng_pipe_ev event, void *context)
{
        struct req_socket *socket = context;

        switch (event) {
        case NNG_PIPE_EV_ADD_PRE:
                pipe_arrives(socket, pipe);
                break;
        case NNG_PIPE_EV_ADD_POST:
                pipe_changes(socket, pipe, TRANSPORT_PIPE_UP);
                break;
        case NNG_PIPE_EV_REM_POST:
                pipe_changes(socket, pipe, TRANSPORT_PIPE_LOST);
                break;
        default:
                break;
        }
}

/* The resend time must be there before contexts are: they copy it. */
static int configure(struct req_socket *socket)
{
        int error;

        error = nng_socket_set_ms(socket->socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE);
        if (!error)
                error = nng_socket_set_size(
                        socket->socket, NNG_OPT_RECVMAXSZ, socket->options.receive_bytes_max);
        for (int event = NNG_PIPE_EV_ADD_PRE; !error && event <= NNG_PIPE_EV_REM_POST; event++)
                error = nng_pipe_notify(socket->socket, (nng_pipe_ev)event, pipe_event, socket);

        return error;
}

static void req_socket_close(struct transport_socket *base)
{
        struct req_socket *socket = socket_of(base);

        nng_close(socket->socket);
        pthread_mutex_destroy(&socket->mutex);
        free(socket);
}

static struct transport_socket *req_socket_open(const struct transport_options *options,
                                                const char **ret_problem)
{
        struct req_socket *socket = calloc(1, sizeof(*socket));
        int error = socket ? nng_req0_open(&socket->socket) : NNG_ENOMEM;

        if (error) {
                *ret_problem = problem_of(error);
                free(socket);
                return NULL;
        }

        socket->base.transport = &req_transport;
        socket->options = *options;
        pthread_mutex_init(&socket->mutex, NULL);
        error = configure(socket);
        if (error) {
                *ret_problem = problem_of(error);
                req_socket_close(&socket->base);
                return NULL;
        }

        return &socket->base;
}

static void req_socket_hangup(struct transport_socket *base)
{
        struct req_socket *socket = socket_of(base);
        nng_dialer dialer;

        pthread_mutex_lock(&socket->mutex);
        dialer = socket->dialer;
        socket->dialer = (nng_dialer)NNG_DIALER_INITIALIZER;
        socket->pipe = TRANSPORT_PIPE_LOST;
        pthread_mutex_unlock(&socket->mutex);

        close_dialer(dialer);
}

/* It answers at once. */
static const char *req_socket_dial(struct transport_socket *base,
                                   const struct target_address *target,
                                   size_t endpoint)
{
        struct req_socket *socket = socket_of(base);
        nng_dialer dialer;
        int error;

        (void)endpoint;
        req_socket_hangup(base);
        error = nng_dialer_create(&dialer, socket->socket, target->text);
        if (error)
                return problem_of(error);

        (void)nng_dialer_set_ms(dialer, NNG_OPT_RECONNMINT, REDIAL_NEVER_MS);
        (void)nng_dialer_set_ms(dialer, NNG_OPT_RECONNMAXT, 0);

        pthread_mutex_lock(&socket->mutex);
        socket->dialer = dialer;
        socket->pipe_id = 0;
        socket->pipe = TRANSPORT_PIPE_NONE;
        pthread_mutex_unlock(&socket->mutex);

        error = nng_dialer_start(dialer, 0);
        if (error)
                req_socket_hangup(base);

        return error == NNG_ECONNREFUSED ? "Connection refused; is the server running?"
                                         : problem_of(error);
}

static enum transport_pipe req_socket_pipe(struct transport_socket *base, const char **ret_problem)
{
        struct req_socket *socket = socket_of(base);
        enum transport_pipe pipe;

        *ret_problem = "the connection was closed";

        pthread_mutex_lock(&socket->mutex);
        pipe = socket->pipe;
        pthread_mutex_unlock(&socket->mutex);

        return pipe;
}

static nng_msg *nng_of(struct transport_message *message)
{
        return (nng_msg *)(void *)message;
}

static void req_message_free(struct transport_lane *lane, struct transport_message *message)
{
        (void)lane;
        if (message)
                nng_msg_free(nng_of(message));
}

/* A message that nng has received, or gives back unsent. */
static struct transport_message *take_message(nng_aio *aio)
{
        nng_msg *message = nng_aio_get_msg(aio);

        nng_aio_set_msg(aio, NULL);

        return (struct transport_message *)(void *)message;
}

static void receive(struct req_lane *lane)
{
        lane->is_receiving = true;
        nng_ctx_recv(lane->context, lane->aio);
}

/* nng 1.5 takes a receive only after the send is through, and drops the answer if it comes later. */
static void lane_event(void *context)
{
        struct req_lane *lane = context;
        int error = nng_aio_result(lane->aio);

        if (!lane->is_receiving && !error) {
                receive(lane);
                return;
        }
        if (!lane->is_receiving) {
                req_message_free(&lane->base, take_message(lane->aio));
                lane->options.on_unsent(lane->options.context, problem_of(error));
                return;
        }
        lane->options.on_received(
                lane->options.context, problem_of(error), error ? NULL : take_message(lane->aio));
}

static void req_lane_close(struct transport_lane *base)
{
        struct req_lane *lane = lane_of(base);

        /* A send that came after the stop left its message here. */
        req_message_free(base, take_message(lane->aio));
        if (nng_ctx_id(lane->context) > 0)
                nng_ctx_close(lane->context);
        nng_aio_free(lane->aio);
        free(lane);
}

static struct transport_lane *req_lane_open(struct transport_socket *socket,
                                            const struct transport_lane_options *options,
                                            const char **ret_problem)
{
        struct req_lane *lane = calloc(1, sizeof(*lane));
        int error = lane ? nng_aio_alloc(&lane->aio, lane_event, lane) : NNG_ENOMEM;

        if (error) {
                *ret_problem = problem_of(error);
                free(lane);
                return NULL;
        }
        lane->base.transport = &req_transport;
        lane->options = *options;
        nng_aio_set_timeout(lane->aio, NNG_DURATION_INFINITE);

        error = nng_ctx_open(&lane->context, socket_of(socket)->socket);
        if (error) {
                *ret_problem = problem_of(error);
                req_lane_close(&lane->base);
                return NULL;
        }

        return &lane->base;
}

static void req_lane_stop(struct transport_lane *lane)
{
        nng_aio_stop(lane_of(lane)->aio);
}

static void req_lane_send(struct transport_lane *base,
                          struct transport_message *message,
                          bool has_calls)
{
        struct req_lane *lane = lane_of(base);

        (void)has_calls;
        lane->is_receiving = false;
        nng_aio_set_msg(lane->aio, nng_of(message));
        nng_ctx_send(lane->context, lane->aio);
}

static void req_lane_abort(struct transport_lane *lane)
{
        nng_aio_abort(lane_of(lane)->aio, NNG_ECANCELED);
}

static struct transport_message *req_message_new(struct transport_lane *lane, size_t n_bytes)
{
        nng_msg *message;

        (void)lane;
        if (nng_msg_alloc(&message, n_bytes) != 0)
                return NULL;

        return (struct transport_message *)(void *)message;
}

static uint8_t *req_message_bytes(struct transport_lane *lane,
                                  struct transport_message *message,
                                  size_t *ret_n_bytes)
{
        (void)lane;
        *ret_n_bytes = nng_msg_len(nng_of(message));

        return nng_msg_body(nng_of(message));
}

const struct transport req_transport = {
        .socket_open = req_socket_open,
        .socket_close = req_socket_close,
        .dial = req_socket_dial,
        .hangup = req_socket_hangup,
        .pipe = req_socket_pipe,
        .lane_open = req_lane_open,
        .lane_stop = req_lane_stop,
        .lane_close = req_lane_close,
        .send = req_lane_send,
        .abort = req_lane_abort,
        .message_new = req_message_new,
        .message_bytes = req_message_bytes,
        .message_free = req_message_free,
};
