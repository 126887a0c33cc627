/*
 * Frame and call: what came in one message, and each call of it
 *
 * A frame's calls, requests and what handlers allocate lie in its arena, which
 * is free again when the intake is over and every call has been let go of: by
 * its handler's answer, or because it will not run. Frames are pooled.
 *
 * A call is `finished` when its outcome is decided, by whoever comes first:
 * its handler, its deadline, a cancel, the end of its mailbox. Under the
 * mailbox's mutex, once.
 */

#ifndef SERVER_RUNTIME_CALL_H
#define SERVER_RUNTIME_CALL_H

#include <pipit/server.h>
#include <pthread.h>
#include <stdatomic.h>

#include "core/base/arena.h"
#include "server/runtime/errors.h"
#include "server/runtime/interceptors.h"
#include "server/runtime/registry.h"

struct box;
struct frame;
struct peer;

struct call_metadata {
        struct call_metadata *next;
        const char *key;
        const uint8_t *value;
        size_t n_value_bytes;
};

struct pipit_server_call {
        /* fixed */
        struct frame *frame; /* a reference, until it is let go of */
        uint64_t id;
        const struct route *route; /* NULL: there is no such method */
        const char *method_name;
        const uint8_t *payload; /* in the arena */
        size_t n_payload_bytes;
        const struct pipit_metadata *metadata;
        size_t n_metadata;
        int64_t start_us;
        int64_t deadline_us;
        const ProtobufCMessage *request;

        atomic_bool cancelled;
        atomic_bool handled; /* its handler has been called */

        /* the box's mutex */
        bool finished;
        enum call_ending ending; /* if it finished without an answer, and hooks want to know */

        /* the frame's mutex */
        struct call_metadata *reply_metadata;
        struct call_metadata *reply_metadata_last;
        size_t n_reply_metadata;
        size_t n_reply_metadata_bytes;

        /* private */
        enum call_intake {
                CALL_NEW,
                CALL_UNSERVED, /* fails with .failure, when the mailbox knows it; not for hooks */
                CALL_FAILS,    /* the same, unless the access check has another reason */
                CALL_DROPPED,  /* a late copy */
        } intake;
        enum runtime_error failure;
        bool started; /* when it arrived, to run inline */
        bool counted; /* among the calls in flight */
        struct pipit_server_call *next_queued;
        struct pipit_server_call *next_ended;
        atomic_uint hook_state;
        size_t n_hooks; /* whose before() let it go on */
        void **hook_data;
};

struct frame {
        struct pipit_server *server;
        struct box *box;             /* a reference */
        struct principal *principal; /* a reference */
        struct standing *standing;   /* a reference: what its calls are decided by */
        pid_t pid;
        int64_t session_begun_us; /* by sealed_now_us(); 0: it came in none */
        struct pipit_server_call *calls;
        size_t n_calls;
        size_t decoded_bytes; /* charged */

        pthread_mutex_t mutex; /* of the arena, while handlers may use it */
        struct pipit_arena arena;

        /* private */
        atomic_uint refs;
        struct frame *next;
};

#define FRAME_SHARDS     8
#define FRAMES_PER_SHARD 64

struct frame_shard {
        pthread_mutex_t mutex;
        struct frame *first;
        unsigned n;
};

struct frame_pool {
        struct frame_shard shards[FRAME_SHARDS];
        atomic_uint turn;
};

void frame_pool_init(struct frame_pool *pool);
void frame_pool_deinit(struct frame_pool *pool);

/* NULL: out of memory. */
struct frame *frame_new(struct pipit_server *server);
void frame_ref(struct frame *frame);
void frame_unref(struct frame *frame);

/* Whose it is: takes references to @principal and its standing, or tells why not. */
PIPIT_MUST_CHECK enum principal_state frame_set_principal(struct frame *frame,
                                                          struct principal *principal);

/*
 * Counts @n_bytes, which are about to be unpacked, against the limits on bytes
 * in flight. False: over one of them, and not counted. Once they are unpacked,
 * settle counts what the arena really holds. Both with the frame's mutex where
 * handlers may already run.
 */
bool frame_charge(struct frame *frame, size_t n_bytes);
void frame_settle(struct frame *frame);

/* 1 to 64 of a-z 0-9 . _ - */
bool metadata_key_is_valid(const char *key);

/* Answers with what the runtime says, and lets go of it. */
void call_fail_with(struct pipit_server_call *call, enum runtime_error error);

/* Its handler will not run, or has answered: the call is let go of. */
void call_release(struct pipit_server_call *call);

/* Runs the handler, which owes the answer from here on. */
void call_run(struct pipit_server_call *call);

/* dispatch.c: runs, queues or fails each call of a frame that its mailbox has taken in. The caller has a reference. */
void frame_dispatch(struct frame *frame);

/* START: false if it is not to run any more; then it has been let go of. */
bool call_start(struct pipit_server_call *call);

#endif
