/*
 * nng's REQ sockets: the one file of the client that knows nng
 *
 * A req_socket has at most one pipe, to one address, made by req_socket_dial().
 * It never redials by itself, and nng never sends a request twice. A req_lane is
 * one request at a time on a socket:
 *
 *      send -> on_sent(error) -> receive -> on_received(error, message)
 *
 * Each on_*() runs exactly once for its send or receive, on a thread of nng,
 * never inside send or receive, under no lock; on_received() may run for several
 * lanes at once. A failed send has sent nothing.
 */

#ifndef CLIENT_NNG_REQ_H
#define CLIENT_NNG_REQ_H

#include <nng/nng.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct req_lane;

enum req_pipe {
        REQ_PIPE_NONE,
        REQ_PIPE_UP,
        REQ_PIPE_LOST, /* it was up, or was refused or closed on the way up */
};

struct req_socket {
        /* in: set before open */
        void (*on_pipe)(void *context); /* the pipe's state changed; any thread, and brief */
        void *context;
        size_t receive_bytes_max;

        /* private */
        nng_socket socket;
        pthread_mutex_t mutex;
        nng_dialer dialer; /* id 0: none */
        int pipe_id;       /* 0: none yet */
        enum req_pipe pipe;
};

typedef void (*req_sent_fn)(struct req_lane *lane, int error);
typedef void (*req_received_fn)(struct req_lane *lane, int error, nng_msg *message);

struct req_lane {
        /* in: set before open */
        req_sent_fn on_sent;
        req_received_fn on_received; /* @message is its own from there on, NULL if @error */

        /* private */
        nng_ctx context;
        nng_aio *aio;
        bool is_receiving;
};

/* Zero, or an error for req_strerror(). */
int req_socket_open(struct req_socket *socket);

/*
 * All lanes are closed. Waits until no on_pipe() can run any more. False: nng is
 * stuck, and @socket and what its context points to must never be freed.
 */
bool req_socket_close(struct req_socket *socket);

/*
 * Starts one attempt to connect; the last pipe is hung up. on_pipe() tells how
 * it went, unless nothing ever comes of it: the caller keeps a limit. inproc
 * addresses answer at once. Not thread-safe against itself and hangup.
 */
int req_socket_dial(struct req_socket *socket, const char *url);

/* Closes the pipe and gives up the attempt. Requests under way fail. */
void req_socket_hangup(struct req_socket *socket);

enum req_pipe req_socket_pipe(struct req_socket *socket);

int req_lane_open(struct req_lane *lane, struct req_socket *socket);

/* Cancels what is under way and waits for its on_*(); nothing may be sent after. Not from an on_*(). */
void req_lane_stop(struct req_lane *lane);

/* After every lane of the socket was stopped. A lane that never opened (all zero) is fine. */
void req_lane_close(struct req_lane *lane);

/* Takes @message. */
void req_lane_send(struct req_lane *lane, nng_msg *message);
void req_lane_receive(struct req_lane *lane);

/* Ends what is under way with an error, soon; nothing if nothing is. Any thread. */
void req_lane_abort(struct req_lane *lane);

/* A message of @n_bytes, uninitialised. NULL: out of memory. */
nng_msg *req_message_new(size_t n_bytes);
uint8_t *req_message_body(nng_msg *message, size_t *ret_n_bytes);
void req_message_free(nng_msg *message);

const char *req_strerror(int error);

#endif
