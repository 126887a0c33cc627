#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "core/base/clock.h"
#include "server/runtime/rep_message.h"
#include "server/runtime/rep_stream.h"

/* How many answers leave with one system call. */
#define N_PARTS 64

/* The stream whose answers this thread keeps for a while, and how many it has. */
static _Thread_local const struct rep_stream *corked;
static _Thread_local unsigned int n_corked;

/* Answers that have left, or never will. */
struct done {
        struct rep_message *first;
        bool is_stuck;
};

static struct rep_message *pop(struct rep_stream *stream)
{
        struct rep_message *message = stream->first;

        stream->first = message->next;
        if (!stream->first)
                stream->last = &stream->first;

        return message;
}

static void done_add(struct done *done, struct rep_message *message)
{
        message->next = done->first;
        done->first = message;
}

/* Without the mutex: the callee does not know of it. */
static void done_tell(struct rep_stream *stream, struct done *done)
{
        struct rep_endpoint *endpoint = &stream->endpoint->base;
        bool is_stuck = done->is_stuck;

        while (done->first) {
                struct rep_message *message = done->first;

                done->first = message->next;
                endpoint->handlers->sent(endpoint->self, message->peer, message->n_frame, is_stuck);
                is_stuck = false;
                rep_message_free(message);
                stream_endpoint_sent(stream->endpoint);
        }
}

/* --- writing, with the mutex ------------------------------------------------- */

static size_t gather(const struct rep_stream *stream, struct iovec *parts)
{
        size_t n_parts = 0;

        for (struct rep_message *message = stream->first; message && n_parts < N_PARTS;
             message = message->next)
                parts[n_parts++] = (struct iovec){
                        message->bytes + message->at,
                        message->end - message->at,
                };

        return n_parts;
}

/* @n_bytes of what is first have left. */
static void consume(struct rep_stream *stream, size_t n_bytes, struct done *done)
{
        while (n_bytes > 0) {
                struct rep_message *message = stream->first;
                size_t n_left = message->end - message->at;

                if (n_bytes < n_left) {
                        message->at += n_bytes;
                        return;
                }
                n_bytes -= n_left;
                done_add(done, pop(stream));
        }
}

static ssize_t transmit(const struct rep_stream *stream, struct iovec *parts, size_t n_parts)
{
        struct msghdr header = {.msg_iov = parts, .msg_iovlen = n_parts};
        int flags = MSG_DONTWAIT | MSG_NOSIGNAL;

        /* Of one part send() asks the kernel for less work. */
        return n_parts == 1 ? send(stream->fd, parts->iov_base, parts->iov_len, flags)
                            : sendmsg(stream->fd, &header, flags);
}

/* errno, or 0. Lets go of the mutex meanwhile: nobody else takes from the queue. */
static int write_some(struct rep_stream *stream, struct done *done)
{
        struct iovec parts[N_PARTS];
        size_t n_parts = gather(stream, parts);
        ssize_t n_bytes;
        int error;

        pthread_mutex_unlock(&stream->mutex);
        do
                n_bytes = transmit(stream, parts, n_parts);
        while (n_bytes < 0 && errno == EINTR);
        error = n_bytes < 0 ? errno : 0;
        pthread_mutex_lock(&stream->mutex);

        if (n_bytes > 0) {
                consume(stream, (size_t)n_bytes, done);
                stream->stuck_us = 0;
        }

        return error;
}

static void drop_all(struct rep_stream *stream, struct done *done)
{
        done->is_stuck = stream->is_stuck && stream->first;
        while (stream->first)
                done_add(done, pop(stream));
}

/* False: the socket is full. */
static bool write_all(struct rep_stream *stream, struct done *done)
{
        int error = 0;

        while (!error && !stream->is_down && stream->first)
                error = write_some(stream, done);
        if (error == EAGAIN || error == EWOULDBLOCK)
                return stream->is_down;

        /* The peer takes nothing any more; what it sent before is read up to the end. */
        if (error) {
                stream->is_down = true;
                rep_stream_shut_down(stream);
        }

        return true;
}

/* --- */

/* Writes what is there, unless somebody is at it or waits for the socket. Mutex held. */
static void write_out(struct rep_stream *stream, struct done *done)
{
        if (!stream->is_writing && !stream->is_full) {
                stream->is_writing = true;
                stream->is_full = !write_all(stream, done);
                stream->is_writing = false;
                if (stream->is_full)
                        rep_keeper_keep(rep_loop_keeper(stream->endpoint->loop),
                                        &rep_stream_ref(stream)->output);
        }
        if (stream->is_down && !stream->is_writing && !stream->is_full)
                drop_all(stream, done);
}

void rep_output_give(struct rep_stream *stream, struct rep_message *message)
{
        bool is_kept = corked == stream && ++n_corked < N_PARTS;
        struct done done = {0};

        message->next = NULL;
        pthread_mutex_lock(&stream->mutex);
        *stream->last = message;
        stream->last = &message->next;
        if (!is_kept)
                write_out(stream, &done);
        pthread_mutex_unlock(&stream->mutex);
        if (!is_kept && corked == stream)
                n_corked = 0;
        done_tell(stream, &done);
}

void rep_output_cork(struct rep_stream *stream)
{
        corked = stream;
        n_corked = 0;
}

void rep_output_uncork(struct rep_stream *stream)
{
        struct done done = {0};

        if (corked != stream)
                return;

        corked = NULL;
        if (n_corked == 0)
                return;
        pthread_mutex_lock(&stream->mutex);
        write_out(stream, &done);
        pthread_mutex_unlock(&stream->mutex);
        done_tell(stream, &done);
}

bool rep_output_write_on(struct rep_kept *kept, int64_t now_us)
{
        struct rep_stream *stream = pipit_container_of(kept, struct rep_stream, output);
        int64_t patience_us = stream->endpoint->base.options.send_timeout_ms * PIPIT_US_PER_MS;
        struct done done = {0};
        bool is_written;

        pthread_mutex_lock(&stream->mutex);
        is_written = write_all(stream, &done);
        if (!is_written && !stream->stuck_us)
                stream->stuck_us = now_us + patience_us;
        if (!is_written && now_us >= stream->stuck_us) {
                stream->is_stuck = true;
                stream->is_down = true;
                rep_stream_shut_down(stream);
        }
        is_written = is_written || stream->is_down;
        pthread_mutex_unlock(&stream->mutex);
        done_tell(stream, &done);

        return is_written;
}

/* What was given meanwhile waits for it. */
void rep_output_let_go(struct rep_kept *kept)
{
        struct rep_stream *stream = pipit_container_of(kept, struct rep_stream, output);
        struct done done = {0};
        bool is_full;

        pthread_mutex_lock(&stream->mutex);
        is_full = !write_all(stream, &done);
        stream->is_full = is_full;
        if (is_full)
                rep_keeper_keep(rep_loop_keeper(stream->endpoint->loop), kept);
        else if (stream->is_down)
                drop_all(stream, &done);
        pthread_mutex_unlock(&stream->mutex);
        done_tell(stream, &done);
        if (!is_full)
                rep_stream_unref(stream);
}

void rep_output_drop(struct rep_stream *stream)
{
        struct done done = {0};

        pthread_mutex_lock(&stream->mutex);
        stream->is_down = true;
        if (!stream->is_writing && !stream->is_full)
                drop_all(stream, &done);
        pthread_mutex_unlock(&stream->mutex);
        done_tell(stream, &done);
}
