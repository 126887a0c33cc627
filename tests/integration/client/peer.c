#include "tests/integration/client/peer.h"

#include <errno.h>
#include <nng/protocol/reqrep0/rep.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/arena.h"
#include "core/base/macros.h"
#include "core/rpc/status_codec.h"
#include "google/protobuf/wrappers.pb-c.h"
#include "tests/harness/nng_close.h"

#define N_CONTEXTS 64
#define WAIT_MS    10000

struct context {
        struct peer *peer;
        nng_ctx ctx;
        nng_aio *aio;
        bool is_sending;
};

struct peer {
        nng_socket socket;
        struct context contexts[N_CONTEXTS];
        pthread_mutex_t mutex;
        pthread_cond_t changed;
        enum peer_mode mode;
        bool is_draining;
        bool is_manual_hello;
        uint64_t instance;
        size_t n_calls;
        size_t n_frames;
        struct peer_frame *first;
        struct peer_frame **last;
};

static void must(bool holds)
{
        if (!holds)
                abort();
}

static void send_message(struct context *context, nng_msg *message)
{
        context->is_sending = true;
        nng_aio_set_msg(context->aio, message);
        nng_ctx_send(context->ctx, context->aio);
}

static void send_frame(struct context *context, const void *bytes, size_t n_bytes)
{
        nng_msg *message;

        must(nng_msg_alloc(&message, 0) == 0);
        must(nng_msg_append(message, bytes, n_bytes) == 0);
        send_message(context, message);
}

static void send_response(struct context *context, const Pipit__V1__Response *response)
{
        size_t n_bytes = pipit__v1__response__get_packed_size(response);
        nng_msg *message;
        uint8_t *bytes;

        must(nng_msg_alloc(&message, n_bytes + PIPIT_FRAME_HEADER_BYTES) == 0);
        bytes = nng_msg_body(message);
        pipit_frame_header_write(PIPIT_FRAME_RESPONSE, bytes);
        pipit__v1__response__pack(response, bytes + PIPIT_FRAME_HEADER_BYTES);
        send_message(context, message);
}

static void fill_response(struct peer *peer, Pipit__V1__Response *response)
{
        pipit__v1__response__init(response);
        pthread_mutex_lock(&peer->mutex);
        response->instance = peer->instance;
        response->draining = peer->is_draining;
        pthread_mutex_unlock(&peer->mutex);
}

/* Echoes every call; what is awaited is unknown here. */
static void echo(struct context *context, const Pipit__V1__Request *request)
{
        const struct pipit_error not_received = {
                .status = PIPIT_UNAVAILABLE,
                .ran = PIPIT_NOT_RUN,
                .reason = "CALL_NOT_RECEIVED",
        };
        size_t n_replies = request->n_calls + request->n_awaits;
        Pipit__V1__Reply *replies = calloc(n_replies + 1, sizeof(*replies));
        Pipit__V1__Reply **pointers = calloc(n_replies + 1, sizeof(void *));
        struct pipit_arena arena = {0};
        Pipit__V1__Response response;

        must(replies && pointers);
        fill_response(context->peer, &response);
        for (size_t i = 0; i < n_replies; i++) {
                pipit__v1__reply__init(&replies[i]);
                pointers[i] = &replies[i];
        }
        for (size_t i = 0; i < request->n_calls; i++) {
                replies[i].id = request->calls[i]->id;
                replies[i].payload = request->calls[i]->payload;
        }
        for (size_t i = 0; i < request->n_awaits; i++) {
                replies[request->n_calls + i].id = request->awaits[i];
                replies[request->n_calls + i].status = pipit_status_encode(&not_received, &arena);
        }
        response.n_replies = n_replies;
        response.replies = pointers;
        send_response(context, &response);
        free(replies);
        free(pointers);
        pipit_arena_deinit(&arena);
}

static bool is_hello(const Pipit__V1__Request *request)
{
        return request->n_calls == 0 && request->n_awaits == 0 && request->n_cancels == 0 &&
               request->hold_ms == 1;
}

static void enqueue(struct peer *peer, struct peer_frame *frame)
{
        *peer->last = frame;
        peer->last = &frame->next;
        pthread_cond_broadcast(&peer->changed);
}

static void take(struct context *context, nng_msg *message)
{
        struct peer *peer = context->peer;
        const uint8_t *bytes = nng_msg_body(message);
        size_t n_bytes = nng_msg_len(message);
        struct peer_frame *frame = calloc(1, sizeof(*frame));
        bool is_answered;

        must(frame && n_bytes >= PIPIT_FRAME_HEADER_BYTES && bytes[3] == PIPIT_FRAME_REQUEST);
        frame->peer = peer;
        frame->n_bytes = n_bytes;
        frame->context = (size_t)(context - peer->contexts);
        frame->pipe = nng_msg_get_pipe(message);
        frame->request = pipit__v1__request__unpack(
                NULL, n_bytes - PIPIT_FRAME_HEADER_BYTES, bytes + PIPIT_FRAME_HEADER_BYTES);
        must(frame->request != NULL);

        pthread_mutex_lock(&peer->mutex);
        peer->n_frames++;
        is_answered = is_hello(frame->request) && !peer->is_manual_hello;
        if (peer->mode == PEER_ECHO) {
                is_answered = true;
                peer->n_calls += frame->request->n_calls;
        }
        if (!is_answered)
                enqueue(peer, frame);
        pthread_mutex_unlock(&peer->mutex);

        if (!is_answered)
                return;
        echo(context, frame->request);
        pipit__v1__request__free_unpacked(frame->request, NULL);
        free(frame);
}

static void receive(struct context *context)
{
        context->is_sending = false;
        nng_ctx_recv(context->ctx, context->aio);
}

static void on_event(void *argument)
{
        struct context *context = argument;
        nng_msg *message = nng_aio_get_msg(context->aio);
        int error = nng_aio_result(context->aio);

        if (context->is_sending) {
                if (error && message)
                        nng_msg_free(message);
                nng_aio_set_msg(context->aio, NULL);
                if (error != NNG_ECLOSED && error != NNG_ECANCELED)
                        receive(context);
                return;
        }
        if (error)
                return;
        nng_aio_set_msg(context->aio, NULL);
        take(context, message);
        nng_msg_free(message);
}

/* A place that the last server has only just left may be taken for a moment. */
static void listen_on(struct peer *peer, const char *url)
{
        struct timespec pause = {.tv_nsec = 1000000};
        int error = NNG_EADDRINUSE;

        for (int i = 0; i < 5000 && error == NNG_EADDRINUSE; i++) {
                error = nng_listen(peer->socket, url, NULL, 0);
                if (error == NNG_EADDRINUSE)
                        nanosleep(&pause, NULL);
        }
        must(error == 0);
}

struct peer *peer_new(const char *url, uint64_t instance, enum peer_mode mode)
{
        struct peer *peer = calloc(1, sizeof(*peer));
        pthread_condattr_t attributes;

        must(peer && nng_rep0_open(&peer->socket) == 0);
        must(nng_socket_set_size(peer->socket, NNG_OPT_RECVMAXSZ, 0) == 0);
        pthread_mutex_init(&peer->mutex, NULL);
        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(&peer->changed, &attributes);
        peer->mode = mode;
        peer->instance = instance;
        peer->last = &peer->first;
        for (size_t i = 0; i < N_CONTEXTS; i++) {
                struct context *context = &peer->contexts[i];

                context->peer = peer;
                must(nng_ctx_open(&context->ctx, peer->socket) == 0);
                must(nng_aio_alloc(&context->aio, on_event, context) == 0);
                receive(context);
        }
        listen_on(peer, url);

        return peer;
}

static void frame_free(struct peer_frame *frame)
{
        pipit__v1__request__free_unpacked(frame->request, NULL);
        free(frame);
}

struct peer *peer_free(struct peer *peer)
{
        if (!peer)
                return NULL;
        if (!nng_close_within_bound(peer->socket))
                return NULL; /* nng holds on to the contexts: the peer is left to it */
        for (size_t i = 0; i < N_CONTEXTS; i++)
                nng_aio_stop(peer->contexts[i].aio);
        for (size_t i = 0; i < N_CONTEXTS; i++) {
                nng_msg *message = nng_aio_get_msg(peer->contexts[i].aio);

                if (message)
                        nng_msg_free(message);
                nng_aio_free(peer->contexts[i].aio);
        }
        while (peer->first) {
                struct peer_frame *next = peer->first->next;

                frame_free(peer->first);
                peer->first = next;
        }
        pthread_cond_destroy(&peer->changed);
        pthread_mutex_destroy(&peer->mutex);
        free(peer);

        return NULL;
}

void peer_set_mode(struct peer *peer, enum peer_mode mode)
{
        pthread_mutex_lock(&peer->mutex);
        peer->mode = mode;
        pthread_mutex_unlock(&peer->mutex);
}

void peer_set_draining(struct peer *peer, bool is_draining)
{
        pthread_mutex_lock(&peer->mutex);
        peer->is_draining = is_draining;
        pthread_mutex_unlock(&peer->mutex);
}

void peer_set_instance(struct peer *peer, uint64_t instance)
{
        pthread_mutex_lock(&peer->mutex);
        peer->instance = instance;
        pthread_mutex_unlock(&peer->mutex);
}

void peer_set_manual_hello(struct peer *peer)
{
        pthread_mutex_lock(&peer->mutex);
        peer->is_manual_hello = true;
        pthread_mutex_unlock(&peer->mutex);
}

size_t peer_n_calls(struct peer *peer)
{
        size_t n_calls;

        pthread_mutex_lock(&peer->mutex);
        n_calls = peer->n_calls;
        pthread_mutex_unlock(&peer->mutex);

        return n_calls;
}

size_t peer_n_frames(struct peer *peer)
{
        size_t n_frames;

        pthread_mutex_lock(&peer->mutex);
        n_frames = peer->n_frames;
        pthread_mutex_unlock(&peer->mutex);

        return n_frames;
}

struct peer_frame *peer_wait_for(struct peer *peer, int timeout_ms)
{
        struct peer_frame *frame;
        struct timespec until;
        int error = 0;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += timeout_ms / 1000;
        until.tv_nsec += timeout_ms % 1000 * 1000000L;
        if (until.tv_nsec >= 1000000000L) {
                until.tv_nsec -= 1000000000L;
                until.tv_sec++;
        }

        pthread_mutex_lock(&peer->mutex);
        while (!peer->first && error != ETIMEDOUT)
                error = pthread_cond_timedwait(&peer->changed, &peer->mutex, &until);
        frame = peer->first;
        if (frame) {
                peer->first = frame->next;
                if (!peer->first)
                        peer->last = &peer->first;
        }
        pthread_mutex_unlock(&peer->mutex);

        return frame;
}

struct peer_frame *peer_wait(struct peer *peer)
{
        return peer_wait_for(peer, WAIT_MS);
}

/* A google.protobuf.BytesValue. */
static ProtobufCBinaryData pack_text(struct pipit_arena *arena, const char *text)
{
        Google__Protobuf__BytesValue value;
        ProtobufCBinaryData data;

        google__protobuf__bytes_value__init(&value);
        value.value.data = (uint8_t *)(uintptr_t)text;
        value.value.len = strlen(text);
        data.len = google__protobuf__bytes_value__get_packed_size(&value);
        data.data = pipit_arena_alloc(arena, data.len);
        google__protobuf__bytes_value__pack(&value, data.data);

        return data;
}

static Pipit__V1__Reply *make_reply(struct pipit_arena *arena, const struct peer_reply *from)
{
        Pipit__V1__Reply *reply = pipit_arena_alloc(arena, sizeof(*reply));
        struct pipit_error error = {
                .status = from->status,
                .ran = from->ran,
                .reason = from->reason,
                .message = "says the peer",
        };

        pipit__v1__reply__init(reply);
        reply->id = from->id;
        if (from->status)
                reply->status = pipit_status_encode(&error, arena);
        if (from->text)
                reply->payload = pack_text(arena, from->text);
        if (from->raw) {
                reply->payload.data = (uint8_t *)(uintptr_t)from->raw;
                reply->payload.len = from->n_raw;
        }
        if (from->metadata_key) {
                Pipit__V1__Metadata *metadata = pipit_arena_alloc(arena, sizeof(*metadata));

                pipit__v1__metadata__init(metadata);
                metadata->key = pipit_arena_strdup(arena, from->metadata_key);
                metadata->value.data = pipit_arena_memdup(arena, "v\0v", 3);
                metadata->value.len = 3;
                reply->metadata = pipit_arena_memdup(arena, &metadata, sizeof(metadata));
                reply->n_metadata = 1;
        }

        return reply;
}

void peer_answer(struct peer_frame *frame, const struct peer_reply *replies, size_t n_replies)
{
        struct context *context = &frame->peer->contexts[frame->context];
        struct pipit_arena arena = {0};
        Pipit__V1__Response response;

        fill_response(frame->peer, &response);
        response.n_replies = n_replies;
        response.replies = pipit_arena_alloc(&arena, (n_replies + 1) * sizeof(void *));
        for (size_t i = 0; i < n_replies; i++)
                response.replies[i] = make_reply(&arena, &replies[i]);
        frame_free(frame);
        send_response(context, &response);
        pipit_arena_deinit(&arena);
}

void peer_answer_text(struct peer_frame *frame, uint64_t id, const char *text)
{
        struct peer_reply reply = {.id = id, .text = text};

        peer_answer(frame, &reply, 1);
}

void peer_answer_bytes(struct peer_frame *frame, const void *bytes, size_t n_bytes)
{
        struct context *context = &frame->peer->contexts[frame->context];

        frame_free(frame);
        send_frame(context, bytes, n_bytes);
}

void peer_reject(struct peer_frame *frame, const struct pipit_reject *reject)
{
        uint8_t bytes[PIPIT_REJECT_FRAME_BYTES];

        pipit_reject_write(reject, bytes);
        peer_answer_bytes(frame, bytes, sizeof(bytes));
}

void peer_ignore(struct peer_frame *frame)
{
        frame_free(frame);
}

void peer_hang_up(struct peer_frame *frame)
{
        struct context *context = &frame->peer->contexts[frame->context];
        nng_pipe pipe = frame->pipe;

        frame_free(frame);
        nng_pipe_close(pipe);
        receive(context);
}
