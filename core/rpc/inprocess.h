/*
 * In-process: how frames reach a server object without a socket
 *
 * The seam between the two: a server hands out a door, a client comes in by it
 * and gets a pipe. What passes are the frames of docs/wire.md, byte for byte, so
 * that all that holds for sockets holds here: mailboxes, deadlines, cancels,
 * limits, drain. Neither side knows more of the other than this header.
 *
 * An exchange is one frame and its answer:
 *
 *      submit -> answered(message), once, on any thread, perhaps inside submit
 *             -> abandon: it will not be answered
 *
 * Inside submit it comes only after all handlers that submit runs, so that who
 * takes it in behind submit keeps nobody waiting.
 *
 * The door is counted; it outlives its server for those who hold it, and then
 * lets nobody in. Every function may be called on any thread.
 */

#ifndef CORE_RPC_INPROCESS_H
#define CORE_RPC_INPROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pipit_inprocess;
struct pipit_inprocess_pipe;
struct pipit_inprocess_message;

struct pipit_inprocess_client;

struct pipit_inprocess_exchange {
        /* in: set before submit */
        struct pipit_inprocess_client *client;
        struct pipit_inprocess_pipe *pipe;

        /* the server's, under a lock of the pipe */
        void *context;
        bool is_away;
};

/* What the server calls; must not block, nor call back. */
struct pipit_inprocess_client {
        /* The exchange is over; @message is the client's. */
        void (*answered)(struct pipit_inprocess_exchange *exchange,
                         struct pipit_inprocess_message *message);

        /* The server has hung up: nothing more will be answered. Never after hang_up() has returned. */
        void (*hung_up)(struct pipit_inprocess_client *client);
};

struct pipit_inprocess_operations {
        void (*ref)(struct pipit_inprocess *door);
        void (*unref)(struct pipit_inprocess *door);

        /* NULL: connected, as *ret_pipe, which is to be released. Else why not. */
        const char *(*connect)(struct pipit_inprocess *door,
                               struct pipit_inprocess_client *client,
                               struct pipit_inprocess_pipe **ret_pipe);

        /* Ends the connection, for the server; once or more. */
        void (*hang_up)(struct pipit_inprocess_pipe *pipe);

        /* After hang_up, when no exchange is away. */
        void (*release)(struct pipit_inprocess_pipe *pipe);

        /* A frame to be filled. NULL: out of memory. */
        struct pipit_inprocess_message *(*message_new)(size_t n_bytes);
        uint8_t *(*message_bytes)(struct pipit_inprocess_message *message, size_t *ret_n_bytes);
        void (*message_free)(struct pipit_inprocess_message *message);

        /*
         * Hands a frame over; what need not wait runs in here, handlers that do
         * not block included. Takes @message. NULL: handed over. Else why not:
         * nothing of it has run, or will.
         */
        const char *(*submit)(struct pipit_inprocess_exchange *exchange,
                              struct pipit_inprocess_message *message);

        /*
         * True: it was away and is not any more. False: it never went, or
         * answered() runs or has run. Its pipe is not released yet.
         */
        bool (*abandon)(struct pipit_inprocess_exchange *exchange);
};

struct pipit_inprocess {
        const struct pipit_inprocess_operations *operations;
};

#endif
