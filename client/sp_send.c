#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "client/sp_stream.h"

/* How many frames leave with one system call. */
#define N_PARTS 64

void sp_push(struct sp_socket *socket, struct sp_message *message)
{
        message->next = NULL;
        *socket->last = message;
        socket->last = &message->next;
}

static void pop(struct sp_socket *socket)
{
        struct sp_message *message = socket->first;

        socket->first = message->next;
        if (!socket->first)
                socket->last = &socket->first;
        free(message);
}

static size_t gather(const struct sp_socket *socket, struct iovec *parts)
{
        size_t n_parts = 0;

        for (struct sp_message *message = socket->first; message && n_parts < N_PARTS;
             message = message->next)
                parts[n_parts++] = (struct iovec){
                        message->bytes + message->at,
                        message->end - message->at,
                };

        return n_parts;
}

/* @n_bytes of what is first have left. */
static void consume(struct sp_socket *socket, size_t n_bytes)
{
        while (n_bytes > 0) {
                struct sp_message *message = socket->first;
                size_t n_left = message->end - message->at;

                if (n_bytes < n_left) {
                        message->at += n_bytes;
                        message->is_begun = true;
                        return;
                }
                n_bytes -= n_left;
                pop(socket);
        }
}

/*
 * The peer takes nothing any more, but may have answered before: what is there
 * is read up to the end, which shutting down brings about, and which is the loss.
 * Until then what comes is queued.
 */
static void write_failed(struct sp_socket *socket, int error)
{
        if (!socket->problem)
                socket->problem = sp_problem_of(error);
        (void)shutdown(socket->fd, SHUT_RDWR);
}

/* For one part send() asks the kernel for less work. */
static ssize_t write_parts(int fd, struct iovec *parts, size_t n_parts)
{
        const struct msghdr header = {.msg_iov = parts, .msg_iovlen = n_parts};
        const int flags = MSG_DONTWAIT | MSG_NOSIGNAL;

        return n_parts == 1 ? send(fd, parts->iov_base, parts->iov_len, flags)
                            : sendmsg(fd, &header, flags);
}

static int write_some(struct sp_socket *socket)
{
        struct iovec parts[N_PARTS];
        size_t n_parts = gather(socket, parts);
        int fd = socket->fd;
        ssize_t n_bytes;
        int error;

        pthread_mutex_unlock(&socket->mutex);
        n_bytes = write_parts(fd, parts, n_parts);
        error = n_bytes < 0 ? errno : 0;
        pthread_mutex_lock(&socket->mutex);
        if (n_bytes > 0)
                consume(socket, (size_t)n_bytes);

        return error;
}

static bool is_connected(const struct sp_socket *socket)
{
        return socket->phase == SP_GREETING || socket->phase == SP_OPEN;
}

static void go_on(struct sp_socket *socket)
{
        int error = 0;

        while (is_connected(socket) && socket->first && (!error || error == EINTR))
                error = write_some(socket);
        if (is_connected(socket) && (error == EAGAIN || error == EWOULDBLOCK)) {
                socket->is_full = true;
                sp_watch(socket);
                return;
        }
        if (is_connected(socket) && error) {
                write_failed(socket, error);
                socket->is_full = true;
                return;
        }

        socket->is_writing = false;
        if (!is_connected(socket))
                loop_ask(socket->loop, &socket->source);
}

void sp_write(struct sp_socket *socket)
{
        if (socket->is_writing)
                return;
        socket->is_writing = true;
        go_on(socket);
}

void sp_write_on(struct sp_socket *socket)
{
        if (!socket->is_full || !is_connected(socket))
                return;
        socket->is_full = false;
        sp_watch(socket);
        go_on(socket);
}

void sp_drop_queue(struct sp_socket *socket)
{
        while (socket->first) {
                const struct sp_message *message = socket->first;
                /* By the id, which no lane flies with if it is a greeting's: the lane may be closed. */
                struct sp_lane *lane = socket->lanes[message->id % SP_LANES_MAX];

                if (lane && lane->is_flying && lane->request_id == message->id &&
                    !message->is_begun)
                        lane->is_unsent = true;
                pop(socket);
        }
        socket->is_writing = false;
        socket->is_full = false;
}
