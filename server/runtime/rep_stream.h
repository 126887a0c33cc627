/*
 * Stream: one connection of an ipc or tcp endpoint, and the endpoint itself
 *
 * What nng's REP does, on the wire byte for byte (core/rpc/sp.h), but with as few
 * threads and system calls between a frame and its answer as there can be:
 *
 *      rep_loop     threads that wait in one epoll; each connection is with one of
 *                   them, or with none (EPOLLONESHOT)
 *      rep_stream   who has it reads all there is, hands over frame by frame, and
 *                   takes the answers that are ready along (a burst)
 *      rep_output   who answers writes, and takes along what others answer meanwhile
 *      rep_keeper   one thread that accepts, and writes on where a socket was full
 *      rep_listener the endpoint: opens and closes
 *
 * Who may do what:
 *
 *      read, and take down     the thread that epoll gave the stream to, until it
 *                              arms it again. So a stream is taken down where
 *                              nobody else can be reading, and by one thread
 *      write                   who has set is_writing; the keeper, if is_full
 *      end                     anybody, any time, by shutting the connection down:
 *                              epoll gives it to a thread that reads the end
 *
 * The descriptor is closed with the last reference: of epoll or the thread that has
 * the stream, of the keeper, of the peer, of the contexts that owe an answer.
 */

#ifndef SERVER_RUNTIME_REP_STREAM_H
#define SERVER_RUNTIME_REP_STREAM_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "core/base/list.h"
#include "core/base/macros.h"
#include "core/rpc/sp.h"
#include "server/runtime/rep.h"
#include "server/runtime/rep_keeper.h"
#include "server/runtime/rep_loop.h"

struct rep_stream {
        atomic_uint refs;
        struct rep_source source;
        int fd;
        uint32_t pipe;
        enum sp_framing framing;
        struct stream_endpoint *endpoint; /* until it is taken down */
        struct list of_endpoint;          /* the endpoint's mutex */

        /* of the thread that has it */
        bool is_greeted;
        unsigned int n_head;
        uint8_t head[SP_HEAD_BYTES_MAX]; /* of a message, or the greeting */
        struct rep_message *partial;     /* its head is read, and some of the rest */
        size_t n_partial_room;

        /* written by the thread that has it, read by who looks after the endpoint */
        _Atomic int64_t
                stall_us; /* when a message that has begun will have stalled; 0: none has begun */

        /* mutex */
        pthread_mutex_t mutex;
        struct rep_message *first;
        struct rep_message **last;
        bool is_down;     /* nothing is written any more */
        bool is_writing;  /* somebody is at it */
        bool is_full;     /* the keeper is */
        bool is_stuck;    /* its peer did not read for too long */
        int64_t stuck_us; /* when it will have been too long; 0: something has just left */

        /* the keeper's */
        struct rep_kept output; /* is_full */
        struct list greeting;   /* not greeted; the keeper's mutex */
        int64_t greet_until_us;
};

struct stream_endpoint {
        struct rep_endpoint base;
        struct rep_loop *loop; /* NULL: never listened */
        enum sp_framing framing;
        int fd; /* -1: it does not listen */
        struct rep_kept listener;
        dev_t file_device; /* of its ipc socket */
        ino_t file_inode;

        pthread_mutex_t mutex;
        struct list streams; /* mutex */
};

extern const struct rep_endpoint_operations stream_endpoint_operations;

/* Zeroed but for what is a stream's. NULL: out of memory. */
struct rep_endpoint *stream_endpoint_new(void);

struct rep_stream *rep_stream_ref(struct rep_stream *stream);
void rep_stream_unref(struct rep_stream *stream);

/* Ends the connection, as if the peer had; once or many times. Any thread, under any lock. */
void rep_stream_shut_down(struct rep_stream *stream);

/* --- rep_stream.c -------------------------------------------------------- */

/* Takes over @fd, a new connection. One that is refused is closed. The keeper's. */
void rep_stream_start(struct stream_endpoint *endpoint, int fd);

/* Shuts it down if its peer has begun a message, and nothing more of it came for too long. */
void rep_stream_end_stalled(struct rep_stream *stream, int64_t now_us);

/* --- rep_output.c -------------------------------------------------------- */

/* Gives @message to the stream, and its peer to sent(). */
void rep_output_give(struct rep_stream *stream, struct rep_message *message);

/*
 * What this thread gives to @stream from now on leaves together: when there is
 * much of it, or at the uncork. What others give leaves at once, as ever, and
 * takes it along. The stream stays until then.
 */
void rep_output_cork(struct rep_stream *stream);

/* Nothing if it is not corked. */
void rep_output_uncork(struct rep_stream *stream);

/* Of struct rep_kept, for stream->output. */
bool rep_output_write_on(struct rep_kept *kept, int64_t now_us);
void rep_output_let_go(struct rep_kept *kept);

/* Whoever takes it down: what has not left is dropped, now or by who writes. */
void rep_output_drop(struct rep_stream *stream);

/* --- rep_listener.c ------------------------------------------------------ */

/* An answer was told of by sent(): the last thing done with the endpoint. */
void stream_endpoint_sent(struct stream_endpoint *endpoint);

/* @stream was taken down: the same. */
void stream_endpoint_remove(struct stream_endpoint *endpoint, struct rep_stream *stream);

#endif
