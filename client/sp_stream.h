/*
 * SP stream: the transport for ipc and tcp, SP's request/reply on a socket of our own
 *
 * What nng's REQ does, on the wire byte for byte (docs/wire.md, section 1), but
 * without a thread between a caller and the socket:
 *
 *      who sends writes, and takes along what others have queued meanwhile;
 *      who waits reads, for all that wait; the channel's loop when nobody does.
 *
 * struct sp_socket is shared by sp_stream.c (connection), sp_send.c, sp_receive.c
 * and sp_lane.c. One mutex a socket guards all but the reader, which is of
 * whoever reads. The descriptor is used without it, by one who writes and one who
 * reads; the loop closes it when both have let go.
 *
 * Who reads, and how that changes, all under the mutex:
 *
 *      reader    event                                   then       why no answer is left lying
 *      NOBODY    a caller enters                         CALLER     it goes to poll() next, and poll() is level-triggered
 *      NOBODY    a frame is sent, nobody entered for it  LOOP       changing what epoll watches looks at the socket anew
 *      NOBODY    epoll: the peer hung up, or the loop    BUSY       it was watched for that all the time; for more it is from now on
 *                had asked itself to read on
 *      LOOP      epoll: readable                         BUSY       it is read once
 *      LOOP      a caller enters                         CALLER     epoll watches no more; what it has noticed the caller's poll() finds
 *      BUSY      a caller enters                         BUSY       it is a follower, see next line
 *      BUSY      it was, there are followers             CALLER     the first that has not ended is called
 *      BUSY      it was, and there is more               LOOP       the loop asks itself to read on, after others
 *      BUSY      it was                                  LOOP       an edge since then is the next event of epoll
 *      CALLER    a caller enters                         CALLER     it is a follower, and sleeps
 *      CALLER    a caller enters, and is one too many    LOOP       rouse() gets the reader out of poll(); what epoll watches changes, see above
 *      CALLER    its call ends, there are followers      CALLER     the first that has not ended is called
 *      CALLER    epoll: the peer hung up                 CALLER     remembered for the next line
 *      CALLER    its call ends, frames are under way,    LOOP       changing what epoll watches looks at the socket anew
 *                or the peer hung up
 *      CALLER    its call ends                           NOBODY     nothing is awaited
 *      CALLER    its call is ended by somebody else      (as above) rouse() gets it out of poll()
 *      any       the connection breaks                   NOBODY     the loop ends all frames under way; followers go on sleeping
 *
 * Where a crowd waits (sp_receive.c) none of it reads: BUSY and CALLER become LOOP,
 * which serves followers as well.
 *
 * A follower lies down, is called and leaves under the mutex, so it is called
 * asleep or not at all: no call is lost. The loop reads what it finds, lets go
 * (LOOP), and only then runs done(): a slow one keeps no caller from reading.
 */

#ifndef CLIENT_SP_STREAM_H
#define CLIENT_SP_STREAM_H

#include <pthread.h>

#include "client/loop.h"
#include "client/sp_reader.h"
#include "client/target.h"
#include "client/transport.h"
#include "core/base/list.h"

/* A power of two: the low bits of a request id. Twice what a channel has, for there is one more for handshakes. */
#define SP_LANES_MAX 512

enum sp_phase {
        SP_CLOSED,     /* no descriptor */
        SP_CONNECTING, /* these three: the loop watches it */
        SP_GREETING,
        SP_OPEN,
        SP_BROKEN, /* shut down; the loop closes it when nobody uses it any more */
};

enum sp_reads {
        SP_READS_NOBODY,
        SP_READS_LOOP,
        SP_READS_BUSY,
        SP_READS_CALLER,
};

struct sp_socket {
        /* most of what each frame looks at comes first, close together (docs/performance.md) */
        struct transport_socket base;
        struct loop *loop;
        struct loop_source source;

        pthread_mutex_t mutex;

        /* mutex: connection */
        enum sp_phase phase;
        enum transport_pipe pipe;
        int fd;           /* -1: none */
        uint32_t watched; /* by epoll */
        bool dial_is_due;
        bool is_closing;
        bool is_closed;
        bool is_strangers; /* somebody else than options.server_uids listens there */

        /* mutex: who reads */
        bool is_hung_up; /* epoll has said so */
        bool is_more;    /* the loop has read, and not all */
        enum sp_reads reads;
        struct waiter *caller; /* CALLER: which */
        struct list followers; /* waiters that have entered, but the caller */
        size_t n_inside;       /* waiters that have entered and not left */

        /* mutex: what is to be written */
        struct sp_message *first;
        struct sp_message **last;
        bool is_writing; /* somebody is at it, or the socket is full */
        bool is_full;    /* epoll tells when it goes on */

        /* mutex */
        size_t n_flying; /* lanes that do */

        struct sp_reader reader; /* of whoever reads */

        int rouse_fd; /* gets the caller that reads out of poll() */

        /* mutex */
        pthread_cond_t left;    /* the last waiter that had entered has left */
        pthread_cond_t changed; /* a lane has come back, or the loop is through */
        const char *problem;
        char text[96]; /* of a problem that has numbers */
        struct target_endpoint endpoint;
        struct sp_lane *lanes[SP_LANES_MAX];

        struct transport_options options;
};

struct sp_lane {
        struct transport_lane base;
        struct transport_lane_options options;
        struct sp_socket *socket;
        uint32_t index;

        /* the socket's mutex */
        uint32_t turn;       /* counts frames */
        uint32_t request_id; /* of the frame that flies */
        bool is_flying;
        bool is_failed; /* the loop is to end it, with */
        const char *problem;
        bool is_unsent; /* nothing of its frame has left */
        bool is_stopped;
        unsigned int n_calls; /* of on_*() that have not returned */
};

extern const struct transport sp_transport;

static inline struct sp_message *sp_message_of(struct transport_message *message)
{
        return (struct sp_message *)(void *)message;
}

struct sp_socket *sp_socket_of(struct transport_socket *base);

/* --- sp_stream.c: mutex held --- */

/* The connection is over. Only the first of many counts. */
void sp_break(struct sp_socket *socket, const char *problem);

/* Tells epoll what is wanted now. */
void sp_watch(struct sp_socket *socket);

/* The greeting of the peer has come. */
void sp_greeted(struct sp_socket *socket);

/* errno, for people; static. */
const char *sp_problem_of(int error);

/* --- sp_send.c: mutex held --- */

void sp_push(struct sp_socket *socket, struct sp_message *message);

/* Writes what is there, unless somebody is at it. Lets the mutex go around the system call. */
void sp_write(struct sp_socket *socket);

/* The socket can take more. The loop's. */
void sp_write_on(struct sp_socket *socket);

/* Frees what is queued; lanes whose frames lie there whole are marked unsent. */
void sp_drop_queue(struct sp_socket *socket);

/* --- sp_receive.c --- */

/* A frame was sent: somebody is to read its answer. Mutex held. */
void sp_expect(struct sp_socket *socket);

/*
 * Takes some of what is there, unless a caller does, and asks for another turn if
 * there is more; @is_hung_up: epoll says that the end is near. The loop's.
 */
void sp_receive(struct sp_socket *socket, bool is_hung_up);

/* Of struct transport. */
void sp_enter(struct transport_socket *base, struct waiter *waiter);
void sp_wait(struct transport_socket *base, struct waiter *waiter);
void sp_rouse(struct transport_socket *base);

/* --- sp_lane.c --- */

/* Of struct transport. */
struct transport_lane *sp_lane_open(struct transport_socket *base,
                                    const struct transport_lane_options *options,
                                    const char **ret_problem);
void sp_lane_stop(struct transport_lane *base);
void sp_lane_close(struct transport_lane *base);
void sp_lane_send(struct transport_lane *base, struct transport_message *message, bool has_calls);
void sp_lane_refuse(struct transport_lane *base,
                    struct transport_message *message,
                    const char *problem);
void sp_lane_abort(struct transport_lane *base);

/* @message answers a frame that flies: its lane, which has landed then; else NULL. Mutex held. */
struct sp_lane *sp_lane_land(struct sp_socket *socket, const struct sp_message *message);

/* An on_*() of the lane has returned. Without the mutex. */
void sp_lane_returned(struct sp_lane *lane);

/* All that flies will end with @problem. Mutex held. */
void sp_lanes_fail(struct sp_socket *socket, const char *problem);

/* Ends those that are to fail. The loop's. */
void sp_lanes_end_failed(struct sp_socket *socket);

#endif
