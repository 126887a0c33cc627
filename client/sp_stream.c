#include "client/sp_stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/macros.h"

struct sp_socket *sp_socket_of(struct transport_socket *base)
{
        return pipit_container_of(base, struct sp_socket, base);
}

static struct sp_socket *socket_of_source(struct loop_source *source)
{
        return pipit_container_of(source, struct sp_socket, source);
}

/* EAGAIN of a unix socket's connect: its backlog is full, so somebody is there, but not now. */
const char *sp_problem_of(int error)
{
        switch (error) {
        case ENOENT:
                return "No such file or directory; is the server running?";
        case ECONNREFUSED:
                return "Connection refused; is the server running?";
        case EAGAIN:
                return strerrordesc_np(EBUSY);
        default:
                return strerrordesc_np(error) ? strerrordesc_np(error) : "the socket failed";
        }
}

/* --- connection: mutex held ------------------------------------------------ */

void sp_watch(struct sp_socket *socket)
{
        uint32_t events = EPOLLET | EPOLLRDHUP;

        if (socket->phase == SP_CLOSED || socket->phase == SP_BROKEN)
                return;
        if (socket->reads == SP_READS_LOOP || socket->reads == SP_READS_BUSY)
                events |= EPOLLIN;
        if (socket->phase == SP_CONNECTING || socket->is_full)
                events |= EPOLLOUT;
        if (events == socket->watched)
                return;
        socket->watched = events;
        loop_modify(socket->loop, &socket->source, socket->fd, events);
}

void sp_break(struct sp_socket *socket, const char *problem)
{
        if (socket->phase == SP_CLOSED || socket->phase == SP_BROKEN)
                return;
        if (!socket->problem)
                socket->problem = problem;
        socket->phase = SP_BROKEN;
        socket->pipe = TRANSPORT_PIPE_LOST;
        (void)shutdown(socket->fd, SHUT_RDWR);
        loop_ask(socket->loop, &socket->source);
}

void sp_greeted(struct sp_socket *socket)
{
        if (socket->phase != SP_GREETING)
                return;
        socket->phase = SP_OPEN;
        socket->pipe = TRANSPORT_PIPE_UP;
}

static void greet(struct sp_socket *socket)
{
        struct sp_message *greeting = sp_message_new_greeting();

        if (!greeting) {
                sp_break(socket, "out of memory");
                return;
        }
        socket->phase = SP_GREETING;
        socket->reads = SP_READS_LOOP;
        sp_watch(socket);
        sp_push(socket, greeting);
        sp_write(socket);
}

/* Best effort: a connection without them works, and pings its way by polls. */
static void set_if_tcp(const struct sp_socket *socket)
{
        int yes = 1;

        if (socket->reader.framing != SP_TCP)
                return;
        (void)setsockopt(socket->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
        (void)setsockopt(socket->fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes));
}

static int descriptor_open(const struct target_endpoint *endpoint)
{
        return socket(endpoint->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* Zero: connected, or on the way. */
static int connect_begin(struct sp_socket *socket)
{
        const struct target_endpoint *endpoint = &socket->endpoint;
        const struct sockaddr *address = (const struct sockaddr *)&endpoint->address;

        socket->fd = descriptor_open(endpoint);
        if (socket->fd < 0)
                return errno;
        set_if_tcp(socket);
        if (connect(socket->fd, address, endpoint->n_address_bytes) < 0 && errno != EINPROGRESS)
                return errno;

        socket->phase = SP_CONNECTING;
        socket->watched = EPOLLET | EPOLLRDHUP | EPOLLOUT;
        if (!loop_add(socket->loop, &socket->source, socket->fd, socket->watched))
                return errno;

        return 0;
}

static void close_descriptor(struct sp_socket *socket)
{
        if (socket->fd < 0)
                return;
        loop_remove(socket->loop, socket->fd);
        close(socket->fd);
        socket->fd = -1;
}

/* A connection that is made at once is seen by epoll as one that is made soon. */
static void dial_begin(struct sp_socket *socket)
{
        enum sp_framing framing = socket->endpoint.address.ss_family == AF_UNIX ? SP_IPC : SP_TCP;
        int error;

        socket->dial_is_due = false;
        socket->problem = NULL;
        socket->is_hung_up = false;
        socket->is_strangers = false;
        sp_reader_reset(&socket->reader, framing, socket->options.receive_bytes_max);
        error = connect_begin(socket);
        if (!error)
                return;

        close_descriptor(socket);
        socket->phase = SP_CLOSED;
        socket->pipe = TRANSPORT_PIPE_LOST;
        socket->problem = sp_problem_of(error);
}

static bool is_expected(const struct sp_socket *socket, uid_t uid)
{
        for (size_t i = 0; i < socket->options.n_server_uids; i++)
                if (socket->options.server_uids[i] == uid)
                        return true;

        return false;
}

/* Of a unix socket the kernel knows who listens there. NULL: he may. */
static const char *check_server(struct sp_socket *socket)
{
        struct ucred peer;
        socklen_t n_bytes = sizeof(peer);

        if (socket->options.n_server_uids == 0 || socket->reader.framing != SP_IPC)
                return NULL;
        if (getsockopt(socket->fd, SOL_SOCKET, SO_PEERCRED, &peer, &n_bytes) < 0)
                return sp_problem_of(errno);
        if (is_expected(socket, peer.uid))
                return NULL;

        socket->is_strangers = true;
        (void)snprintf(socket->text,
                       sizeof(socket->text),
                       "uid %u listens there, which is none that the server may have",
                       (unsigned int)peer.uid);

        return socket->text;
}

static void connect_end(struct sp_socket *socket)
{
        socklen_t n_bytes = sizeof(int);
        const char *problem;
        int error = 0;

        if (getsockopt(socket->fd, SOL_SOCKET, SO_ERROR, &error, &n_bytes) < 0)
                error = errno;
        problem = error ? sp_problem_of(error) : check_server(socket);
        if (problem)
                sp_break(socket, problem);
        else
                greet(socket);
}

/* Whether somebody is in a system call on the descriptor, or about to be. */
static bool is_in_use(const struct sp_socket *socket)
{
        return socket->reads == SP_READS_CALLER || (socket->is_writing && !socket->is_full);
}

static void break_end(struct sp_socket *socket)
{
        close_descriptor(socket);
        socket->phase = SP_CLOSED;
        socket->reads = SP_READS_NOBODY;
        socket->is_more = false;
        sp_drop_queue(socket);
        sp_lanes_fail(socket, socket->problem);
}

/* --- the loop -------------------------------------------------------------- */

static void on_event(struct loop_source *source, uint32_t events)
{
        struct sp_socket *socket = socket_of_source(source);
        bool is_hung_up = events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);

        pthread_mutex_lock(&socket->mutex);
        if (socket->phase == SP_CONNECTING)
                connect_end(socket);
        else if (events & EPOLLOUT)
                sp_write_on(socket);
        pthread_mutex_unlock(&socket->mutex);

        if (is_hung_up || (events & EPOLLIN))
                sp_receive(socket, is_hung_up);
}

/* In this order: what lies there is read on, what is over ends, and the next begins. */
static void on_asked(struct loop_source *source)
{
        struct sp_socket *socket = socket_of_source(source);
        bool changes = false;
        bool is_more;

        pthread_mutex_lock(&socket->mutex);
        is_more = socket->is_more;
        pthread_mutex_unlock(&socket->mutex);
        if (is_more)
                sp_receive(socket, false);

        pthread_mutex_lock(&socket->mutex);
        if (socket->phase == SP_BROKEN && !is_in_use(socket)) {
                break_end(socket);
                changes = true;
        }
        pthread_mutex_unlock(&socket->mutex);
        sp_lanes_end_failed(socket);

        pthread_mutex_lock(&socket->mutex);
        if (socket->phase == SP_CLOSED && socket->dial_is_due) {
                dial_begin(socket);
                changes = true;
        }
        pthread_mutex_unlock(&socket->mutex);
        if (changes)
                socket->options.on_pipe(socket->options.context);

        pthread_mutex_lock(&socket->mutex);
        if (socket->is_closing && socket->phase == SP_CLOSED) {
                loop_forget(socket->loop, source);
                socket->is_closed = true;
                pthread_cond_broadcast(&socket->changed);
        }
        pthread_mutex_unlock(&socket->mutex);
}

/* --- struct transport ------------------------------------------------------ */

static struct transport_socket *socket_open(const struct transport_options *options,
                                            const char **ret_problem)
{
        struct sp_socket *socket = calloc(1, sizeof(*socket));

        if (!socket || !sp_reader_init(&socket->reader)) {
                *ret_problem = "out of memory";
                free(socket);
                return NULL;
        }
        socket->rouse_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (socket->rouse_fd < 0) {
                *ret_problem = sp_problem_of(errno);
                sp_reader_deinit(&socket->reader);
                free(socket);
                return NULL;
        }

        socket->base.transport = &sp_transport;
        socket->options = *options;
        socket->loop = options->loop;
        socket->source.on_event = on_event;
        socket->source.on_asked = on_asked;
        socket->fd = -1;
        socket->last = &socket->first;
        list_init(&socket->followers);
        pthread_mutex_init(&socket->mutex, NULL);
        pthread_cond_init(&socket->changed, NULL);
        pthread_cond_init(&socket->left, NULL);

        return &socket->base;
}

static void socket_hangup(struct transport_socket *base)
{
        struct sp_socket *socket = sp_socket_of(base);

        pthread_mutex_lock(&socket->mutex);
        socket->dial_is_due = false;
        socket->pipe = TRANSPORT_PIPE_LOST;
        sp_break(socket, "the connection was closed");
        pthread_mutex_unlock(&socket->mutex);
}

static void socket_close(struct transport_socket *base)
{
        struct sp_socket *socket = sp_socket_of(base);

        socket_hangup(base);
        pthread_mutex_lock(&socket->mutex);
        while (socket->n_inside > 0)
                pthread_cond_wait(&socket->left, &socket->mutex);
        socket->is_closing = true;
        loop_ask(socket->loop, &socket->source);
        while (!socket->is_closed)
                pthread_cond_wait(&socket->changed, &socket->mutex);
        pthread_mutex_unlock(&socket->mutex);

        sp_reader_deinit(&socket->reader);
        close(socket->rouse_fd);
        pthread_cond_destroy(&socket->left);
        pthread_cond_destroy(&socket->changed);
        pthread_mutex_destroy(&socket->mutex);
        free(socket);
}

/* Where the last connection is not over yet, the loop dials when it is. */
static const char *socket_dial(struct transport_socket *base,
                               const struct target_address *target,
                               size_t endpoint)
{
        struct sp_socket *socket = sp_socket_of(base);
        const char *problem = NULL;

        socket_hangup(base);
        pthread_mutex_lock(&socket->mutex);
        socket->endpoint = target->endpoints[endpoint];
        socket->pipe = TRANSPORT_PIPE_NONE;
        socket->dial_is_due = true;
        if (socket->phase == SP_CLOSED)
                dial_begin(socket);
        else
                loop_ask(socket->loop, &socket->source);
        if (socket->pipe == TRANSPORT_PIPE_LOST)
                problem = socket->problem;
        pthread_mutex_unlock(&socket->mutex);

        return problem;
}

static enum transport_pipe socket_pipe(struct transport_socket *base, const char **ret_problem)
{
        struct sp_socket *socket = sp_socket_of(base);
        enum transport_pipe pipe;

        pthread_mutex_lock(&socket->mutex);
        pipe = socket->pipe;
        *ret_problem = socket->problem ? socket->problem : "the connection was closed";
        pthread_mutex_unlock(&socket->mutex);

        return pipe;
}

static bool socket_refusal(struct transport_socket *base, struct transport_refusal *ret_refusal)
{
        struct sp_socket *socket = sp_socket_of(base);
        bool is_strangers;

        pthread_mutex_lock(&socket->mutex);
        is_strangers = socket->is_strangers;
        pthread_mutex_unlock(&socket->mutex);
        *ret_refusal = (struct transport_refusal){.reason = CLIENT_REASON_SERVER_UNTRUSTED};

        return is_strangers;
}

static struct transport_message *message_new(struct transport_lane *lane, size_t n_bytes)
{
        (void)lane;

        return (struct transport_message *)(void *)sp_message_new(n_bytes);
}

static uint8_t *message_bytes(struct transport_lane *lane,
                              struct transport_message *message,
                              size_t *ret_n_bytes)
{
        (void)lane;
        *ret_n_bytes = sp_message_of(message)->n_bytes;

        return sp_message_of(message)->bytes + SP_FRAME_AT;
}

static void message_free(struct transport_lane *lane, struct transport_message *message)
{
        (void)lane;
        free(message);
}

const struct transport sp_transport = {
        .socket_open = socket_open,
        .socket_close = socket_close,
        .dial = socket_dial,
        .hangup = socket_hangup,
        .pipe = socket_pipe,
        .refusal = socket_refusal,
        .lane_open = sp_lane_open,
        .lane_stop = sp_lane_stop,
        .lane_close = sp_lane_close,
        .send = sp_lane_send,
        .refuse = sp_lane_refuse,
        .enter = sp_enter,
        .wait = sp_wait,
        .rouse = sp_rouse,
        .abort = sp_lane_abort,
        .message_new = message_new,
        .message_bytes = message_bytes,
        .message_free = message_free,
};
