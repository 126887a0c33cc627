/*
 * What stands behind a struct pipit_call
 *
 *      IDLE -> WAITING -> QUEUED -> SENT -> ENDING -> DONE (-> IDLE by reset)
 *
 * While a call is under way it belongs to its channel, which guards it with its
 * mutex; in IDLE and DONE it is the caller's. Whoever takes it to ENDING, under
 * that mutex, owns it alone until call_finish(), which runs done() or wakes the
 * caller. Buffers and arena are kept from use to use.
 */

#ifndef CLIENT_CALL_H
#define CLIENT_CALL_H

#include <pipit/client.h>
#include <pipit/interceptor.h>
#include <pthread.h>

#include "client/waiter.h"
#include "core/base/arena.h"
#include "core/base/list.h"
#include "pipit/v1/frame.pb-c.h"

struct address;

enum call_phase {
        CALL_IDLE,
        CALL_WAITING, /* for an address that is connected */
        CALL_QUEUED,  /* for a lane of its address */
        CALL_SENT,    /* in a frame; perhaps its connection is gone since */
        CALL_ENDING,
        CALL_DONE,
};

/* Bytes that grow; freed by call_state_free(). */
struct call_buffer {
        uint8_t *bytes;
        size_t n_bytes;
        size_t capacity;
};

struct pipit_call_state {
        /* of the call, set at start */
        struct pipit_call *call;
        const struct pipit_method *method;
        int64_t deadline_us;
        bool is_blocking;
        bool wait_for_ready;
        struct call_buffer record;   /* pipit.v1.Call but for id and timeout */
        struct call_buffer metadata; /* the same, of the next start's metadata */
        size_t n_metadata;
        size_t n_metadata_bytes; /* of keys and values, as the limit counts */
        struct pipit_queue *queue;
        size_t n_intercepted; /* interceptors whose after() is to run, from the first */
        int64_t start_us;     /* with interceptors only */
        void *intercept_data[PIPIT_INTERCEPTORS_MAX];

        /* of the channel, under its mutex */
        enum call_phase phase;
        struct list node; /* in exactly one list while WAITING, QUEUED or SENT */
        struct address *address;
        uint64_t id;                             /* SENT: its id on the wire, anew for each frame */
        struct pipit_call_state *next_in_bucket; /* SENT: in the table of ids */
        uint64_t epoch;                          /* SENT: the connection that took it */
        uint64_t instance; /* SENT, connection gone: the server behind it; 0: unknown */
        uint32_t n_resends;
        bool is_cancelled; /* before it had a place */
        struct pipit_call_state *next_ending;

        /* of the queue, under its mutex */
        struct list queue_node; /* until it has ended */

        /* of whoever ends it */
        const Pipit__V1__Reply *reply; /* until it is unpacked */
        struct pipit_arena arena;
        struct pipit_error error;
        const ProtobufCMessage *response;
        struct pipit_metadata *response_metadata;
        size_t n_response_metadata;
        const char *peer;

        /* guards channel against a cancel that races with the end */
        pthread_mutex_t mutex;
        struct pipit_channel *channel; /* NULL: not under way */
        bool is_on_queue;              /* it has ended, and done() has not begun */
        struct waiter waiter;          /* the blocking caller */
};

/* Makes call->state if there is none. False: out of memory. */
bool call_prepare(struct pipit_call *call);

/* Between start and the end. Any thread. */
bool call_is_under_way(struct pipit_call_state *state);

/*
 * Packs @method, @request and the metadata into the call's record, and forgets
 * the metadata. PIPIT_OK, or the outcome is in state->error:
 *
 * PIPIT_INVALID_ARGUMENT    REQUEST_MALFORMED
 * PIPIT_RESOURCE_EXHAUSTED  REQUEST_TOO_LARGE: over @n_bytes_max; OUT_OF_MEMORY
 */
enum pipit_status call_pack(struct pipit_call_state *state,
                            const struct pipit_method *method,
                            const ProtobufCMessage *request,
                            size_t n_bytes_max);

/*
 * The last act on a call in ENDING, and the only place where after() and done()
 * begin: it is the caller's again, or its queue's, and perhaps gone, when this
 * returns.
 */
void call_finish(struct pipit_call_state *state);

/* The same for a call that found no memory for its state; asynchronous ones only. */
void call_finish_out_of_memory(struct pipit_call *call);

/* Waits for call_finish() of a blocking call. */
void call_wait(struct pipit_call_state *state);

/* done() is about to run on a thread that is not ours: from here on the caller may start it anew. */
void call_leave_queue(struct pipit_call *call);

/* Whether this thread is inside a done() or after() that the library's threads run. */
bool call_is_in_done(void);
void call_enter_done(void);
void call_leave_done(void);

/* Takes over state->reply: outcome, response and metadata, copied into the call's arena. */
void call_take_reply(struct pipit_call_state *state, size_t decoded_bytes_max);

/* Forgets the last outcome. */
void call_forget(struct pipit_call_state *state);

/* Forgets what was added for a start that failed. */
void call_forget_metadata(struct pipit_call_state *state);

#endif
