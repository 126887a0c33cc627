/*
 * Intake: from the bytes of a frame to calls that run
 *
 * Nothing of a frame has an effect before all of it has passed. What can be
 * decided without the mailbox is decided before its mutex is taken; handlers
 * run after it was given back.
 */

#include <string.h>

#include "core/base/clock.h"
#include "core/rpc/frame.h"
#include "core/rpc/message.h"
#include "core/rpc/wire_limits.h"
#include "pipit/v1/frame.pb-c.h"
#include "server/runtime/burst.h"
#include "server/runtime/reply.h"
#include "server/runtime/runtime.h"

/* When a rejected peer may come again. */
#define BUSY_RETRY_MS 50

/* The least that a client can ask for as the size of a response. */
#define RESPONSE_BYTES_MIN 65536

/* A mailbox that keeps failing calls waiting for their replies to be fetched is turned away at this many times its limit. */
#define MAILBOX_OVERLOAD 2

struct intake {
        struct pipit_server *server;
        struct peer *peer;
        struct rep_context *context;
        struct rep_message *message;
        const uint8_t *body; /* in the message */
        size_t n_body;
        struct principal *principal; /* its session's, or its pipe's */
        struct frame *frame;
        Pipit__V1__Request *request;
        struct box *box;
        int64_t now_us;
        int64_t hold_until_us;
        enum pipit_frame_kind kind;
        bool full;                       /* a full client */
        bool too_many;                   /* mailboxes: all its calls fail */
        bool over_bytes;                 /* all its calls fail */
        bool crowded;                    /* more frames are held than the client wants */
        size_t n_answered;               /* awaits */
        struct pipit_server_call *ended; /* by cancels */
        struct pipit_reject reject;
};

static bool reject(struct intake *in, enum pipit_reject_code code, uint32_t detail)
{
        in->reject = (struct pipit_reject){
                .code = code,
                .retry_ms = code == PIPIT_REJECT_BUSY ? BUSY_RETRY_MS : 0,
                .detail = detail,
        };
        if (code == PIPIT_REJECT_DENIED)
                peer_denied(in->peer);

        return false;
}

/* --- frame --------------------------------------------------------------- */

/* What is not for this endpoint, with keys or without them. */
static bool check_kind(struct intake *in)
{
        if (in->kind == PIPIT_FRAME_HELLO)
                return in->peer->is_keyed || reject(in, PIPIT_REJECT_DENIED, 0);
        if (in->kind == PIPIT_FRAME_SEALED_REQUEST)
                return in->peer->is_keyed || reject(in, PIPIT_REJECT_NO_SESSION, 0);
        if (in->kind == PIPIT_FRAME_REQUEST)
                return !in->peer->is_keyed || reject(in, PIPIT_REJECT_DENIED, 0);

        return reject(in, PIPIT_REJECT_BAD_FRAME, 0);
}

static bool check_header(struct intake *in, bool last)
{
        size_t n_bytes = rep_message_n_bytes(in->message);

        switch (pipit_frame_header_read(rep_message_bytes(in->message), n_bytes, &in->kind)) {
        case PIPIT_FRAME_OK:
                break;
        case PIPIT_FRAME_BAD_VERSION:
                return reject(in, PIPIT_REJECT_VERSION, PIPIT_FRAME_VERSION);
        case PIPIT_FRAME_NO_MAGIC:
        case PIPIT_FRAME_BAD_KIND:
                return reject(in, PIPIT_REJECT_BAD_FRAME, 0);
        }

        if (!check_kind(in))
                return false;
        if (n_bytes > in->server->options.frame_bytes_max)
                return reject(in, PIPIT_REJECT_TOO_LARGE, in->server->options.frame_bytes_max);
        if (last)
                return reject(in, PIPIT_REJECT_BUSY, 0);

        return true;
}

/* The body of a request, and whose it is. */
static bool open_request(struct intake *in)
{
        if (in->kind == PIPIT_FRAME_SEALED_REQUEST) {
                if (!sealed_open(
                            in->server->sealed, in->context, in->message, &in->body, &in->n_body))
                        return reject(in, PIPIT_REJECT_NO_SESSION, 0);
                in->principal = in->context->session->principal;
                return true;
        }

        in->principal = in->peer->principal;
        in->body = rep_message_bytes(in->message) + PIPIT_FRAME_HEADER_BYTES;
        in->n_body = rep_message_n_bytes(in->message) - PIPIT_FRAME_HEADER_BYTES;

        return true;
}

/* On another thread; what was rejected before it came to that has been answered, too. */
static void shake_hands(struct intake *in)
{
        handshakes_submit(in->server->handshakes, in->context, in->message);
        in->message = NULL;
        in->context = NULL;
}

static bool set_principal(struct intake *in)
{
        switch (frame_set_principal(in->frame, in->principal)) {
        case PRINCIPAL_HOLDS:
                if (in->context->session)
                        in->frame->session_begun_us = in->context->session->base.begun_us;
                return true;
        case PRINCIPAL_REVOKED:
                sealed_revoke(in->context);
                return reject(in, PIPIT_REJECT_DENIED, 0);
        case PRINCIPAL_BUSY:
                break;
        }

        return reject(in, PIPIT_REJECT_BUSY, 0);
}

static bool unpack(struct intake *in)
{
        struct pipit_wire_report report;

        if (!pipit_wire_check(&pipit__v1__request__descriptor,
                              in->body,
                              in->n_body,
                              &in->server->wire_limits,
                              &report))
                return reject(in, PIPIT_REJECT_BAD_FRAME, 0);

        in->frame = frame_new(in->server);
        if (!in->frame)
                return reject(in, PIPIT_REJECT_BUSY, 0);
        if (!set_principal(in))
                return false;
        in->frame->pid = in->peer->pid;

        /* Over the limit it is unpacked all the same, for as long as it takes to refuse its calls. */
        in->over_bytes = !frame_charge(in->frame, report.decoded_bytes);
        in->request = (Pipit__V1__Request *)(void *)pipit_message_unpack(
                &pipit__v1__request__descriptor, &in->frame->arena, in->body, in->n_body);
        if (!in->request)
                return reject(in, PIPIT_REJECT_BUSY, 0);
        in->message = rep_message_free(in->message);
        if (!in->over_bytes)
                frame_settle(in->frame);

        return true;
}

/* Open addressing over at most PIPIT_CALLS_PER_FRAME_MAX ids. */
static bool ids_are_distinct(Pipit__V1__Call **calls, size_t n_calls)
{
        enum { N_SLOTS = PIPIT_CALLS_PER_FRAME_MAX * 2 };
        uint64_t slots[N_SLOTS];
        size_t n_slots = 2;

        while (n_slots < n_calls * 2)
                n_slots *= 2;
        memset(slots, 0, n_slots * sizeof(slots[0]));

        for (size_t i = 0; i < n_calls; ++i) {
                uint64_t id = calls[i]->id;
                size_t slot = (size_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (n_slots - 1);

                if (id == 0)
                        return false;
                for (; slots[slot] != 0; slot = (slot + 1) & (n_slots - 1)) {
                        if (slots[slot] == id)
                                return false;
                }
                slots[slot] = id;
        }

        return true;
}

static bool ids_are_valid(const struct intake *in, const uint64_t *ids, size_t n_ids)
{
        if (n_ids > 0 && (!in->full || n_ids > in->server->options.calls_per_mailbox_max))
                return false;

        for (size_t i = 0; i < n_ids; ++i) {
                if (ids[i] == 0)
                        return false;
        }

        return true;
}

static bool check_request(struct intake *in)
{
        const Pipit__V1__Request *request = in->request;

        in->full = request->client_id.len > 0;
        if ((in->full && request->client_id.len != BOX_CLIENT_ID_BYTES) ||
            request->n_calls > PIPIT_CALLS_PER_FRAME_MAX ||
            !ids_are_distinct(request->calls, request->n_calls) ||
            !ids_are_valid(in, request->awaits, request->n_awaits) ||
            !ids_are_valid(in, request->cancels, request->n_cancels))
                return reject(in, PIPIT_REJECT_BAD_FRAME, 0);

        return true;
}

static bool find_box(struct intake *in)
{
        enum box_failure failure = BOX_FAILURE_NONE;

        if (in->full)
                in->box = box_of_client(
                        in->peer, in->principal, in->request->client_id.data, &failure);
        in->too_many = failure == BOX_FAILURE_TOO_MANY;
        if (!in->full || in->too_many)
                in->box = box_of_frame(in->peer, in->principal);
        if (!in->box)
                return reject(in, PIPIT_REJECT_BUSY, 0);
        in->frame->box = in->box;

        return true;
}

/* --- calls --------------------------------------------------------------- */

/* False: it breaks docs/wire.md, "Metadata", or memory is out. */
static bool read_metadata(struct intake *in,
                          struct pipit_server_call *call,
                          const Pipit__V1__Call *from)
{
        struct pipit_metadata *metadata;
        size_t n_bytes = 0;

        if (from->n_metadata == 0)
                return true;
        if (from->n_metadata > PIPIT_METADATA_ENTRIES_MAX)
                return false;

        metadata = pipit_arena_alloc(&in->frame->arena, from->n_metadata * sizeof(*metadata));
        if (!metadata)
                return false;
        for (size_t i = 0; i < from->n_metadata; ++i) {
                const Pipit__V1__Metadata *entry = from->metadata[i];

                n_bytes += strlen(entry->key) + entry->value.len;
                if (!metadata_key_is_valid(entry->key) || n_bytes > PIPIT_METADATA_BYTES_MAX)
                        return false;
                metadata[i] = (struct pipit_metadata){
                        .key = entry->key,
                        .value = entry->value.data,
                        .n_value_bytes = entry->value.len,
                };
        }
        call->metadata = metadata;
        call->n_metadata = from->n_metadata;

        return true;
}

static void fail(struct pipit_server_call *call, enum call_intake how, enum runtime_error error)
{
        call->intake = how;
        call->failure = error;
}

/* docs/wire.md, "What makes a call fail alone", as far as it needs no mailbox. */
static void check_call(struct intake *in,
                       struct pipit_server_call *call,
                       const Pipit__V1__Call *from)
{
        bool metadata_is_valid = read_metadata(in, call, from);

        if (strlen(call->method_name) <= PIPIT_METHOD_BYTES_MAX)
                call->route = registry_find(&in->server->registry, call->method_name);

        if (atomic_load(&in->server->draining) && !(call->route && call->route->while_draining))
                fail(call, CALL_UNSERVED, RUNTIME_ERROR_DRAINING);
        else if (!call->route)
                fail(call, CALL_UNSERVED, RUNTIME_ERROR_METHOD_NOT_FOUND);
        else if (!call->route->dispatch)
                fail(call, CALL_UNSERVED, RUNTIME_ERROR_METHOD_NOT_IMPLEMENTED);
        else if (!metadata_is_valid)
                fail(call, CALL_FAILS, RUNTIME_ERROR_METADATA_INVALID);
        else if (in->too_many)
                fail(call, CALL_FAILS, RUNTIME_ERROR_TOO_MANY_MAILBOXES);
        else if (in->over_bytes)
                fail(call, CALL_FAILS, RUNTIME_ERROR_TOO_MANY_BYTES);
}

static void call_init(struct intake *in,
                      struct pipit_server_call *call,
                      const Pipit__V1__Call *from)
{
        const struct pipit_server_options *options = &in->server->options;
        uint32_t timeout_ms = from->timeout_ms ? from->timeout_ms : options->timeout_ms_default;

        if (timeout_ms > options->timeout_ms_max)
                timeout_ms = options->timeout_ms_max;

        call->frame = in->frame;
        call->id = from->id;
        call->method_name = from->method;
        call->payload = from->payload.data;
        call->n_payload_bytes = from->payload.len;
        call->start_us = in->now_us;
        call->deadline_us = in->now_us + timeout_ms * PIPIT_US_PER_MS;
        check_call(in, call, from);
}

static bool make_calls(struct intake *in)
{
        struct frame *frame = in->frame;
        size_t n_calls = in->request->n_calls;

        frame->calls = pipit_arena_zalloc(&frame->arena, n_calls * sizeof(*frame->calls));
        if (!frame->calls)
                return reject(in, PIPIT_REJECT_BUSY, 0);
        frame->n_calls = n_calls;
        if (!interceptors_prepare(&in->server->interceptors, frame))
                return reject(in, PIPIT_REJECT_BUSY, 0);
        for (size_t i = 0; i < n_calls; ++i)
                call_init(in, &frame->calls[i], in->request->calls[i]);

        return true;
}

/* --- mailbox, with its mutex ----------------------------------------------- */

/* Polls and cancels always come in: they are what empties it. */
static bool box_has_room(struct intake *in)
{
        const struct box *box = in->box;
        size_t n_calls = pipit_mailbox_n_calls(box->states) + in->frame->n_calls;
        size_t max = in->server->options.calls_per_mailbox_max + PIPIT_CALLS_PER_FRAME_MAX;

        if (in->frame->n_calls == 0 && in->request->n_awaits == 0)
                return true;

        return n_calls <= max * MAILBOX_OVERLOAD &&
               ready_n_bytes(&box->ready) <= BOX_READY_BYTES_MAX;
}

static bool box_admits(struct intake *in)
{
        struct box *box = in->box;

        if (box->dead || !box_has_room(in) ||
            !pipit_mailbox_reserve(box->states, in->frame->n_calls))
                return reject(in, PIPIT_REJECT_BUSY, 0);

        for (size_t i = 0; in->full && i < in->frame->n_calls; ++i) {
                enum pipit_mailbox_state state =
                        pipit_mailbox_state(box->states, in->frame->calls[i].id);

                if (state != PIPIT_CALL_ABSENT && state != PIPIT_CALL_TOMBSTONE)
                        return reject(in, PIPIT_REJECT_BAD_FRAME, 0);
        }

        return true;
}

static void cancel(struct intake *in, uint64_t id)
{
        struct box *box = in->box;
        void *value;

        switch (pipit_mailbox_apply(box->states, id, PIPIT_CALL_EVENT_CANCEL, NULL, &value)) {
        case PIPIT_CALL_ACTION_TAKE_OUT:
                ((struct pipit_server_call *)value)->finished = true;
                call_ending_without_answer(value, CALL_ENDING_CANCELLED, &in->ended);
                PIPIT_FALLTHROUGH;
        case PIPIT_CALL_ACTION_SET_FLAG:
                atomic_store(&((struct pipit_server_call *)value)->cancelled, true);
                break;
        case PIPIT_CALL_ACTION_DROP_REPLY:
                ready_drop(&box->ready, id);
                break;
        default:
                break;
        }
}

static void await(struct intake *in, uint64_t id)
{
        struct box *box = in->box;
        enum pipit_call_action action =
                pipit_mailbox_apply(box->states, id, PIPIT_CALL_EVENT_AWAIT, NULL, NULL);
        enum runtime_error error = RUNTIME_ERROR_CALL_FORGOTTEN;

        if (action != PIPIT_CALL_ACTION_NOT_RECEIVED && action != PIPIT_CALL_ACTION_FORGOTTEN)
                return;

        if (action == PIPIT_CALL_ACTION_NOT_RECEIVED && box->amnesia_until_us <= in->now_us &&
            !in->too_many)
                error = RUNTIME_ERROR_CALL_NOT_RECEIVED;
        if (reply_append_error(box, id, error))
                ++in->n_answered;
}

static void arrive(struct intake *in)
{
        struct box *box = in->box;

        for (size_t i = 0; i < in->frame->n_calls; ++i) {
                struct pipit_server_call *call = &in->frame->calls[i];

                if (call->intake == CALL_NEW &&
                    pipit_mailbox_n_calls(box->states) >= in->server->options.calls_per_mailbox_max)
                        fail(call, CALL_FAILS, RUNTIME_ERROR_TOO_MANY_CALLS);

                /* Duplicates and memory were seen to before anything took effect: else it is a late copy. */
                if (pipit_mailbox_apply(
                            box->states, call->id, PIPIT_CALL_EVENT_ARRIVE, call, NULL) !=
                    PIPIT_CALL_ACTION_RUN)
                        call->intake = CALL_DROPPED;
        }
}

/* Inline calls are started here, all under one lock: this thread runs them next. */
static void start_inline(struct intake *in)
{
        for (size_t i = 0; i < in->frame->n_calls; ++i) {
                struct pipit_server_call *call = &in->frame->calls[i];

                if (call->intake == CALL_DROPPED)
                        continue;
                frame_ref(in->frame);
                if (in->box->simple)
                        ++in->box->n_open;
                if (call->intake == CALL_NEW && !call->route->blocks)
                        call->started = pipit_mailbox_apply(in->box->states,
                                                            call->id,
                                                            PIPIT_CALL_EVENT_START,
                                                            NULL,
                                                            NULL) == PIPIT_CALL_ACTION_NONE;
        }
}

static void hold(struct intake *in)
{
        const struct pipit_server_options *options = &in->server->options;
        const Pipit__V1__Request *request = in->request;
        struct rep_context *context = in->context;
        uint32_t hold_ms = request->hold_ms ? request->hold_ms : PIPIT_HOLD_MS_DEFAULT;
        uint32_t response_bytes = request->max_response_bytes;
        uint32_t response_bytes_max = sealed_response_bytes_max(context, options);

        if (hold_ms > options->hold_ms_max)
                hold_ms = options->hold_ms_max;
        if (response_bytes == 0 || response_bytes > response_bytes_max)
                response_bytes = response_bytes_max;
        if (response_bytes < RESPONSE_BYTES_MIN)
                response_bytes = RESPONSE_BYTES_MIN;

        in->hold_until_us = in->now_us + hold_ms * PIPIT_US_PER_MS;
        context->hold_until_us = in->hold_until_us;
        context->response_bytes_max = response_bytes;
        context->answer_now =
                box_has_left(in->box, in->peer) ||
                (request->n_calls == 0 && request->n_cancels + request->n_awaits > 0 &&
                 in->n_answered == request->n_awaits);
        box_hold(in->box, context);
        in->context = NULL;

        if (!in->box->simple) {
                in->box->held_max = request->held_max;
                in->crowded = request->held_max > 0 && in->box->n_held > request->held_max;
                if (atomic_load(&context->peer->n_held) > options->held_frames_per_pipe_max)
                        box_answer_oldest_of(in->box, context->peer);
        }
}

static bool enter(struct intake *in)
{
        struct box *box = in->box;
        bool entered;

        pthread_mutex_lock(&box->mutex);
        entered = box_admits(in);
        if (entered && !in->too_many) {
                for (size_t i = 0; i < in->request->n_cancels; ++i)
                        cancel(in, in->request->cancels[i]);
        }
        if (entered) {
                if (in->request->n_awaits > 0)
                        box_move_home(box, in->peer);
                for (size_t i = 0; i < in->request->n_awaits; ++i)
                        await(in, in->request->awaits[i]);
                arrive(in);
                start_inline(in);
                hold(in);
        }
        pthread_mutex_unlock(&box->mutex);

        interceptors_after_all(in->ended);

        return entered;
}

/* A lower bound of what was added: the shortest timeout, or the frame's hold. */
static int64_t first_due(const struct intake *in)
{
        int64_t due_us = in->box->simple ? PIPIT_NEVER_US : in->hold_until_us;

        for (size_t i = 0; i < in->frame->n_calls; ++i) {
                if (in->frame->calls[i].deadline_us < due_us)
                        due_us = in->frame->calls[i].deadline_us;
        }

        return due_us;
}

/* False: reject tells, and in->context is still to be answered. */
static bool take_in(struct intake *in, bool last)
{
        const struct rep_context *context = in->context;

        if (!check_header(in, last))
                return false;
        if (in->kind == PIPIT_FRAME_HELLO) {
                shake_hands(in);
                return true;
        }
        if (!open_request(in) || !unpack(in) || !check_request(in) || !find_box(in) ||
            !make_calls(in) || !enter(in))
                return false;

        box_arm(in->box, in->peer, first_due(in));
        /* A handler in its caller's thread may call in its turn, which needs a frame that the client has back. */
        if (in->crowded && inproc_is_pipe(in->peer->pipe))
                box_flush_but(in->box, context);
        frame_dispatch(in->frame);
        burst_mark(in->box);

        return true;
}

void intake_received(void *self,
                     struct rep_context *context,
                     struct rep_message *message,
                     uint32_t pipe,
                     bool last)
{
        struct pipit_server *server = self;
        struct intake in = {
                .server = server,
                .peer = peer_find(server, pipe),
                .context = context,
                .message = message,
                .now_us = pipit_clock_now_us(),
        };

        if (!in.peer || atomic_load(&server->closing)) {
                rep_message_free(message);
                rep_context_drop(context);
                if (in.peer)
                        peer_unref(in.peer);
                return;
        }
        context->peer = peer_ref(in.peer);
        context->session = NULL;
        context->answer_now = false;

        pipit_server_cork();
        if (!take_in(&in, last))
                held_reject(in.context, &in.reject);
        if (in.box && in.box->simple && in.context)
                box_leave(in.box, in.peer);
        if (in.frame)
                frame_unref(in.frame);
        rep_message_free(in.message);
        pipit_server_uncork();
        peer_unref(in.peer);
}
