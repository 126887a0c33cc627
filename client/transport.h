/*
 * Transport: how frames get to one address and back
 *
 * A socket has at most one connection, made by dial(); it never redials by
 * itself, and sends nothing twice. A lane is one frame at a time on a socket:
 *
 *      send -> on_unsent(problem)             nothing of it has left
 *           \-> on_received(problem, message)  the answer, or that none will come
 *
 * One of the two runs exactly once for a send, on a thread of the transport,
 * never inside send, under no lock; they may run for several lanes at once. A
 * @problem is a static string.
 *
 * sp_stream.c (ipc and tcp), inproc.c (in-process) and nng_req.c (inproc) are
 * transports, and seal_socket.c, which has sp_stream.c carry what it seals. Each
 * embeds socket and lane in its own.
 */

#ifndef CLIENT_TRANSPORT_H
#define CLIENT_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/errors.h"

struct keyring;
struct loop;
struct target_address;
struct transport_lane;
struct transport_message;
struct transport_socket;
struct waiter;

enum transport_pipe {
        TRANSPORT_PIPE_NONE,
        TRANSPORT_PIPE_SHAKING, /* it is up, and the handshake is under way */
        TRANSPORT_PIPE_UP,
        TRANSPORT_PIPE_LOST, /* it was up, or was refused or closed on the way up */
};

/* Bases to be embedded; what they hold is the transport's. */
struct transport_socket {
        const struct transport *transport;
};

struct transport_lane {
        const struct transport *transport;
};

struct transport_options {
        void (*on_pipe)(void *context); /* the pipe's state changed; any thread, and brief */
        void *context;
        size_t receive_bytes_max;
        void *door;        /* in-process: of core/rpc/inprocess.h; else NULL */
        struct loop *loop; /* ipc and tcp; else NULL */

        /* sealed: whose keys these are lives as long as the channel; else NULL */
        const struct keyring *keyring;
        const uint8_t *server_key;
        size_t frame_bytes_max;

        /* ipc: who may listen there; none: anybody */
        const uint32_t *server_uids;
        size_t n_server_uids;
};

/* A server that is there, and with which there is no going on. */
struct transport_refusal {
        enum client_reason reason; /* if there was no connection yet */
        uint32_t pause_ms;         /* how long it is to be left alone, at least */
};

struct transport_lane_options {
        void (*on_unsent)(void *context, const char *problem);
        /* @message is the callee's, NULL if @problem */
        void (*on_received)(void *context, const char *problem, struct transport_message *message);
        /* instead of on_received() for an answer, on the thread of a waiter */
        void (*on_answer)(void *context, struct transport_message *message);
        void *context;
};

struct transport {
        /* NULL: *ret_problem tells. */
        struct transport_socket *(*socket_open)(const struct transport_options *options,
                                                const char **ret_problem);

        /*
         * All lanes are closed, and all waiters have ended. Waits until they have
         * left and no on_pipe() can run any more, and frees.
         */
        void (*socket_close)(struct transport_socket *socket);

        /*
         * Starts one attempt to connect to target->endpoints[endpoint]; the last pipe is hung up. NULL, and
         * on_pipe() tells how it went, unless nothing ever comes of it: the
         * caller keeps a limit. Else why it failed at once. Not thread-safe
         * against itself and hangup.
         */
        const char *(*dial)(struct transport_socket *socket,
                            const struct target_address *target,
                            size_t endpoint);

        /* Closes the pipe and gives up the attempt. Frames under way fail, now or when aborted. */
        void (*hangup)(struct transport_socket *socket);

        /* LOST: *ret_problem tells why. */
        enum transport_pipe (*pipe)(struct transport_socket *socket, const char **ret_problem);

        /*
         * Whether the last pipe or attempt ended by what the server said or is, and
         * not by its line: until the next dial(). No such function: it never does.
         */
        bool (*refusal)(struct transport_socket *socket, struct transport_refusal *ret_refusal);

        /* What the server takes in a frame, as message_new() counts, once the pipe is up. No such function: it does not say. */
        size_t (*frame_bytes)(struct transport_socket *socket);

        /* NULL: *ret_problem tells. */
        struct transport_lane *(*lane_open)(struct transport_socket *socket,
                                            const struct transport_lane_options *options,
                                            const char **ret_problem);

        /* Cancels what is under way and waits for its on_*(); nothing may be sent after. Not from an on_*(). */
        void (*lane_stop)(struct transport_lane *lane);

        /* Frees, after every lane of the socket was stopped. */
        void (*lane_close)(struct transport_lane *lane);

        /* Takes @message. @has_calls: a frame that handlers run for; others wait for no handler. */
        void (*send)(struct transport_lane *lane,
                     struct transport_message *message,
                     bool has_calls);

        /*
         * Takes @message, and sends nothing: on_unsent(@problem) will run. No such
         * function: nobody asks for it.
         */
        void (*refuse)(struct transport_lane *lane,
                       struct transport_message *message,
                       const char *problem);

        /*
         * The same as send on a thread that does nothing but wait for the answer: where
         * the answer comes before this returns, it is returned, and none of the
         * on_*() runs. NULL: as send. No such function: there is no such way.
         */
        struct transport_message *(*exchange)(struct transport_lane *lane,
                                              struct transport_message *message);

        /*
         * Waits until no handler that send() started runs on a thread of the
         * transport, or is to. No such function: there are no such threads.
         */
        void (*wait_for_handlers)(struct transport_socket *socket);

        /*
         * For threads that do nothing but wait for their calls: between enter()
         * and wait() such a thread sends its frame, and in wait() it reads for
         * all of them until it has ended. It runs on_answer() for others, too.
         * Where the socket is not up, enter() does nothing, and waiter->socket
         * stays NULL. rouse() is for waiter_end(). No such functions: there is no
         * such way.
         */
        void (*enter)(struct transport_socket *socket, struct waiter *waiter);
        void (*wait)(struct transport_socket *socket, struct waiter *waiter);
        void (*rouse)(struct transport_socket *socket);

        /* Ends what is under way with a problem, soon; nothing if nothing is. Any thread. */
        void (*abort)(struct transport_lane *lane);

        /* A message of @n_bytes, uninitialised. NULL: out of memory. */
        struct transport_message *(*message_new)(struct transport_lane *lane, size_t n_bytes);
        uint8_t *(*message_bytes)(struct transport_lane *lane,
                                  struct transport_message *message,
                                  size_t *ret_n_bytes);
        void (*message_free)(struct transport_lane *lane, struct transport_message *message);
};

#endif
