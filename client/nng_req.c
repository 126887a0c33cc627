#include "client/nng_req.h"

#include <nng/protocol/reqrep0/req.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * A dialer connects once and is then replaced: nng's own redialling stops for
 * good after some failures of the handshake, and knows no reason to tell. Its
 * pause is drawn from [0, RECONNMINT) with a sign that may be wrong, so half the
 * time it does not wait at all, whatever it is set to. Hence a dialer is closed
 * in the very event that its pipe is gone, before nng dials again; and where a
 * pipe comes up that nobody wants, it is turned away.
 */
#define REDIAL_NEVER_MS (24 * 60 * 60 * 1000)

/* nng_close() takes milliseconds, or for ever. */
#define CLOSE_WAIT_S 3

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
        is_ours = socket->pipe == REQ_PIPE_NONE && socket->pipe_id == 0 &&
                  nng_dialer_id(socket->dialer) == dialer_id;
        if (is_ours)
                socket->pipe_id = nng_pipe_id(pipe);
        pthread_mutex_unlock(&socket->mutex);

        if (!is_ours)
                nng_pipe_close(pipe);
}

/* Events of one pipe may overtake each other: lost is for good. */
static void pipe_changes(struct req_socket *socket, nng_pipe pipe, enum req_pipe to)
{
        nng_dialer dialer = NNG_DIALER_INITIALIZER;
        bool changes;

        pthread_mutex_lock(&socket->mutex);
        changes = socket->pipe_id == nng_pipe_id(pipe) && socket->pipe < to;
        if (changes)
                socket->pipe = to;
        if (changes && to == REQ_PIPE_LOST) {
                dialer = socket->dialer;
                socket->dialer = (nng_dialer)NNG_DIALER_INITIALIZER;
        }
        pthread_mutex_unlock(&socket->mutex);

        close_dialer(dialer);

        if (changes)
                socket->on_pipe(socket->context);
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
                pipe_changes(socket, pipe, REQ_PIPE_UP);
                break;
        case NNG_PIPE_EV_REM_POST:
                pipe_changes(socket, pipe, REQ_PIPE_LOST);
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
                        socket->socket, NNG_OPT_RECVMAXSZ, socket->receive_bytes_max);
        for (int event = NNG_PIPE_EV_ADD_PRE; !error && event <= NNG_PIPE_EV_REM_POST; event++)
                error = nng_pipe_notify(socket->socket, (nng_pipe_ev)event, pipe_event, socket);

        return error;
}

int req_socket_open(struct req_socket *socket)
{
        int error;

        error = nng_req0_open(&socket->socket);
        if (error)
                return error;

        pthread_mutex_init(&socket->mutex, NULL);
        error = configure(socket);
        if (error)
                (void)req_socket_close(socket);

        return error;
}

/* Shared by who closes and who waits; the last one out frees it. */
struct closing {
        nng_socket socket;
        pthread_mutex_t mutex;
        pthread_cond_t changed;
        bool is_closed;
        unsigned int n_users;
};

static void closing_free(struct closing *closing)
{
        pthread_cond_destroy(&closing->changed);
        pthread_mutex_destroy(&closing->mutex);
        free(closing);
}

static void leave(struct closing *closing)
{
        bool is_last;

        pthread_mutex_lock(&closing->mutex);
        is_last = --closing->n_users == 0;
        pthread_mutex_unlock(&closing->mutex);
        if (is_last)
                closing_free(closing);
}

static void *close_socket(void *context)
{
        struct closing *closing = context;

        nng_close(closing->socket);
        pthread_mutex_lock(&closing->mutex);
        closing->is_closed = true;
        pthread_cond_signal(&closing->changed);
        pthread_mutex_unlock(&closing->mutex);
        leave(closing);

        return NULL;
}

static bool wait_closed(struct closing *closing)
{
        struct timespec until;
        bool is_closed;
        int error = 0;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += CLOSE_WAIT_S;
        pthread_mutex_lock(&closing->mutex);
        while (!closing->is_closed && !error)
                error = pthread_cond_timedwait(&closing->changed, &closing->mutex, &until);
        is_closed = closing->is_closed;
        pthread_mutex_unlock(&closing->mutex);

        return is_closed;
}

static bool spawn(struct closing *closing)
{
        sigset_t all, before;
        pthread_t thread;
        int error;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        error = pthread_create(&thread, NULL, close_socket, closing);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (!error)
                pthread_detach(thread);

        return error == 0;
}

/*
 * nng 1.5 waits for ever for a pipe that was closed between the head and the
 * body of a message that it was receiving. A thread of its own does the waiting,
 * so that one such pipe costs some memory, and not the caller's life.
 */
static bool close_or_give_up(nng_socket socket)
{
        struct closing *closing = calloc(1, sizeof(*closing));
        pthread_condattr_t attributes;
        bool is_closed;

        if (!closing) {
                nng_close(socket);
                return true;
        }
        closing->socket = socket;
        closing->n_users = 2;
        pthread_mutex_init(&closing->mutex, NULL);
        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(&closing->changed, &attributes);
        pthread_condattr_destroy(&attributes);
        if (!spawn(closing)) {
                nng_close(socket);
                closing_free(closing);
                return true;
        }
        is_closed = wait_closed(closing);
        leave(closing);

        return is_closed;
}

bool req_socket_close(struct req_socket *socket)
{
        if (!close_or_give_up(socket->socket))
                return false;
        pthread_mutex_destroy(&socket->mutex);

        return true;
}

static void set_if_tcp(nng_dialer dialer, const char *url)
{
        if (strncmp(url, "tcp://", 6) != 0)
                return;

        /* Best effort: a connection without them works, and pings its way by polls. */
        (void)nng_dialer_set_bool(dialer, NNG_OPT_TCP_NODELAY, true);
        (void)nng_dialer_set_bool(dialer, NNG_OPT_TCP_KEEPALIVE, true);
}

int req_socket_dial(struct req_socket *socket, const char *url)
{
        int flags = strncmp(url, "inproc://", 9) == 0 ? 0 : NNG_FLAG_NONBLOCK;
        nng_dialer dialer;
        int error;

        req_socket_hangup(socket);
        error = nng_dialer_create(&dialer, socket->socket, url);
        if (error)
                return error;

        (void)nng_dialer_set_ms(dialer, NNG_OPT_RECONNMINT, REDIAL_NEVER_MS);
        (void)nng_dialer_set_ms(dialer, NNG_OPT_RECONNMAXT, 0);
        set_if_tcp(dialer, url);

        pthread_mutex_lock(&socket->mutex);
        socket->dialer = dialer;
        socket->pipe_id = 0;
        socket->pipe = REQ_PIPE_NONE;
        pthread_mutex_unlock(&socket->mutex);

        error = nng_dialer_start(dialer, flags);
        if (error)
                req_socket_hangup(socket);

        return error;
}

void req_socket_hangup(struct req_socket *socket)
{
        nng_dialer dialer;

        pthread_mutex_lock(&socket->mutex);
        dialer = socket->dialer;
        socket->dialer = (nng_dialer)NNG_DIALER_INITIALIZER;
        socket->pipe = REQ_PIPE_LOST;
        pthread_mutex_unlock(&socket->mutex);

        close_dialer(dialer);
}

enum req_pipe req_socket_pipe(struct req_socket *socket)
{
        enum req_pipe pipe;

        pthread_mutex_lock(&socket->mutex);
        pipe = socket->pipe;
        pthread_mutex_unlock(&socket->mutex);

        return pipe;
}

/* nng gives an unsent message back on its aio. */
static void drop_message(nng_aio *aio)
{
        nng_msg *message = nng_aio_get_msg(aio);

        nng_aio_set_msg(aio, NULL);
        req_message_free(message);
}

static void lane_event(void *context)
{
        struct req_lane *lane = context;
        int error = nng_aio_result(lane->aio);
        nng_msg *message = NULL;

        if (!lane->is_receiving) {
                if (error)
                        drop_message(lane->aio);
                lane->on_sent(lane, error);
                return;
        }

        if (!error) {
                message = nng_aio_get_msg(lane->aio);
                nng_aio_set_msg(lane->aio, NULL);
        }
        lane->on_received(lane, error, message);
}

int req_lane_open(struct req_lane *lane, struct req_socket *socket)
{
        int error;

        error = nng_aio_alloc(&lane->aio, lane_event, lane);
        if (error) {
                lane->aio = NULL;
                return error;
        }
        nng_aio_set_timeout(lane->aio, NNG_DURATION_INFINITE);

        return nng_ctx_open(&lane->context, socket->socket);
}

void req_lane_stop(struct req_lane *lane)
{
        if (lane->aio)
                nng_aio_stop(lane->aio);
}

void req_lane_close(struct req_lane *lane)
{
        if (!lane->aio)
                return;

        /* A send that came after the stop left its message here. */
        drop_message(lane->aio);
        if (nng_ctx_id(lane->context) > 0)
                nng_ctx_close(lane->context);
        nng_aio_free(lane->aio);
        lane->aio = NULL;
}

void req_lane_send(struct req_lane *lane, nng_msg *message)
{
        lane->is_receiving = false;
        nng_aio_set_msg(lane->aio, message);
        nng_ctx_send(lane->context, lane->aio);
}

void req_lane_receive(struct req_lane *lane)
{
        lane->is_receiving = true;
        nng_ctx_recv(lane->context, lane->aio);
}

void req_lane_abort(struct req_lane *lane)
{
        nng_aio_abort(lane->aio, NNG_ECANCELED);
}

nng_msg *req_message_new(size_t n_bytes)
{
        nng_msg *message;

        return nng_msg_alloc(&message, n_bytes) == 0 ? message : NULL;
}

uint8_t *req_message_body(nng_msg *message, size_t *ret_n_bytes)
{
        *ret_n_bytes = nng_msg_len(message);

        return nng_msg_body(message);
}

void req_message_free(nng_msg *message)
{
        if (message)
                nng_msg_free(message);
}

const char *req_strerror(int error)
{
        return nng_strerror(error);
}
