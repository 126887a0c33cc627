/*
 * Channel: what its files share
 *
 *      channel.c       new, free, and the calls' way in
 *      dispatch.c      which address a call goes to; how it ends
 *      send.c          queue -> frame -> lane
 *      response.c      frame -> replies -> calls
 *      address.c       connecting, and what a lost connection means
 *      housekeeping.c  deadlines, addresses, local ends
 *
 * It has no thread of its own, unless it is in-process (client/inproc.c): two loops
 * of the process (client/loops.h) serve it, one its sockets, and one its
 * housekeeping: "the channel's thread", below.
 *
 * One short mutex guards it all; requests are packed, responses unpacked and
 * done() runs outside it. Calls move between addresses, so a mutex an address
 * would have to be taken in pairs, and most channels have one address.
 *
 * Locks: state->mutex before channel->mutex before the transport's own. No
 * transport calls back under its locks.
 */

#ifndef CLIENT_CHANNEL_H
#define CLIENT_CHANNEL_H

#include <pthread.h>
#include <stdatomic.h>

#include "client/address.h"
#include "client/call.h"
#include "client/errors.h"
#include "client/keyring.h"
#include "client/loop.h"
#include "client/table.h"

/* What a frame holds beside its calls, at most: header, client_id, three numbers. */
#define CHANNEL_FRAME_OVERHEAD_BYTES 64

/* The longest that id, timeout and heads of one call take. */
#define CHANNEL_CALL_OVERHEAD_BYTES 32

/* What the record of a call may take, so that it fits a frame of @frame_bytes_max alone. */
static inline size_t channel_record_bytes_max(size_t frame_bytes_max)
{
        const size_t overhead = CHANNEL_FRAME_OVERHEAD_BYTES + CHANNEL_CALL_OVERHEAD_BYTES;

        return frame_bytes_max > overhead ? frame_bytes_max - overhead : 0;
}

/* How often a call that the server did not receive is sent anew. */
#define CHANNEL_RESENDS_MAX 3

/* How long calls whose connection broke wait for a new one. */
#define CHANNEL_LIMBO_MS 2000

/* Calls that have ended and whose done() is to run. */
struct endings {
        struct pipit_call_state *first;
        struct pipit_call_state *last;
};

struct pipit_channel {
        /* set once; most of what each call looks at comes first (docs/performance.md) */
        uint32_t fork_mark;
        uint32_t held_max;
        struct address *addresses;
        size_t n_addresses;
        atomic_bool is_used; /* a call was started: no more interceptors */

        /* under the mutex */
        bool is_closing;  /* free has begun: nothing new */
        bool is_stopping; /* no more housekeeping, and nothing is sent */
        pthread_mutex_t mutex;
        uint64_t next_id;
        size_t n_active;   /* calls whose done() has not returned, and threads that submit one */
        int64_t wake_us;   /* when the channel's thread looks by itself */
        int64_t expiry_us; /* no call's time is over before */
        struct endings endings; /* for the channel's thread to finish */
        struct list waiting;
        struct table table;
        struct pipit_call *out_of_memory; /* as endings, but without a state; by call->next */
        pthread_cond_t idle; /* n_active fell to 0 while closing, or channel_part() may go on */

        /* set once */
        struct pipit_channel_options options; /* defaults filled in */
        size_t n_interceptors;
        struct pipit_interceptor *interceptors[PIPIT_INTERCEPTORS_MAX];
        struct pipit_inprocess *door; /* NULL: sockets */
        struct keyring *keyring;   /* for its tcp addresses; NULL: it has none, or they are plain */
        struct loop *loop;         /* the channel's thread */
        struct loop *sockets_loop; /* of ipc and tcp; NULL: it has none */
        struct loop_source source;
};

/* In a child of fork(): nothing here works any more. */
bool channel_is_forked(const struct pipit_channel *channel);

/* --- dispatch.c: mutex held, unless told --- */

/*
 * Gives a call a place: an address, the waiting list, or its end in @endings.
 * The address whose queue it is in now, or NULL.
 */
struct address *channel_dispatch(struct pipit_channel *channel,
                                 struct pipit_call_state *state,
                                 struct endings *endings);

/* The same for all that wait, after something changed. */
void channel_dispatch_waiting(struct pipit_channel *channel, struct endings *endings);

/* Takes a call out of wherever it is. */
void channel_take_out(struct pipit_channel *channel, struct pipit_call_state *state);

/* Takes it out and ends it with @error. */
void channel_end(struct pipit_channel *channel,
                 struct pipit_call_state *state,
                 const struct pipit_error *error,
                 struct endings *endings);

/* The same; whether it has run follows from whether it was sent, and the server is told to forget it. */
void channel_abandon(struct pipit_channel *channel,
                     struct pipit_call_state *state,
                     enum client_reason reason,
                     struct endings *endings);

/* Ends what is still under way, and lets the channel's thread run its done(). Takes the mutex; state->mutex held. */
void channel_cancel(struct pipit_channel *channel, struct pipit_call_state *state);

void endings_append(struct endings *endings, struct pipit_call_state *state);
void endings_append_all(struct endings *endings, struct endings *from);

/*
 * Runs what has ended, then sends what their done() started. Not under the
 * mutex. Calls that are started meanwhile, on this thread, leave together after.
 */
void channel_finish(struct pipit_channel *channel, struct endings *endings);

/* @n_left of n_active are so no more; where one was this thread, the channel may be gone once the mutex is let go. Mutex held. */
void channel_leave(struct pipit_channel *channel, size_t n_left);

/* Whether this thread is in channel_finish() of @channel. */
bool channel_is_corked(const struct pipit_channel *channel);

/*
 * The same on the thread of a caller that waits: other threads' done() is left
 * to the channel's thread.
 */
void channel_finish_waiting(struct pipit_channel *channel, struct endings *endings);

/* --- send.c: mutex held, and let go around the transport --- */

/*
 * Sends what can be sent now, unless somebody is at it for @address, who takes
 * along what has come meanwhile. Calls that no frame can hold end in @endings.
 */
void channel_flush_address(struct address *address, struct endings *endings);
void channel_flush(struct pipit_channel *channel, struct endings *endings);

/*
 * The same for the call of @state, whose caller is this thread and waits: if it
 * can leave alone, and the transport knows such a way, its answer may be taken
 * in here, and the handler have run here, too.
 */
void channel_flush_caller(struct address *address,
                          struct pipit_call_state *state,
                          struct endings *endings);

/* Of transport_lane_options; @context is the lane. */
void lane_on_unsent(void *context, const char *problem);

/* --- response.c --- */

/* Of transport_lane_options; @context is the lane. */
void lane_on_received(void *context, const char *problem, struct transport_message *message);

/* The same for an answer, on the thread of a caller that waits. */
void lane_take_answer(void *context, struct transport_message *message);

/* --- housekeeping.c --- */

/*
 * The end of housekeeping, after the last call. Lets what is under way arrive
 * before the sockets close, for the sake of servers on nng 1.5: one never frees a
 * pipe that is hung up on while a message comes in, and may go deaf when a peer
 * leaves in the middle of the handshake. What such a server has read and holds
 * back is not waited for. Takes the mutex; not the channel's thread.
 */
void channel_part(struct pipit_channel *channel);

/* Of struct loop_source. */
void channel_keep(struct loop_source *source);

/* Any thread, with or without the mutex. */
void channel_wake(struct pipit_channel *channel);

/* The thread will look at @at_us, or before. Mutex held. */
void channel_wake_at(struct pipit_channel *channel, int64_t at_us);

#endif
