#include "server/runtime/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/rpc/wire_limits.h"
#include "server/runtime/reply.h"
#include "server/runtime/runtime.h"

/* --- frames -------------------------------------------------------------- */

void frame_pool_init(struct frame_pool *pool)
{
        for (size_t i = 0; i < FRAME_SHARDS; ++i)
                pthread_mutex_init(&pool->shards[i].mutex, NULL);
}

static void frame_destroy(struct frame *frame)
{
        pipit_arena_deinit(&frame->arena);
        pthread_mutex_destroy(&frame->mutex);
        free(frame);
}

void frame_pool_deinit(struct frame_pool *pool)
{
        for (size_t i = 0; i < FRAME_SHARDS; ++i) {
                struct frame *frame;

                while ((frame = pool->shards[i].first)) {
                        pool->shards[i].first = frame->next;
                        frame_destroy(frame);
                }
                pthread_mutex_destroy(&pool->shards[i].mutex);
        }
}

static struct frame *frame_take(struct frame_pool *pool)
{
        struct frame_shard *shard = &pool->shards[atomic_fetch_add(&pool->turn, 1) % FRAME_SHARDS];
        struct frame *frame;

        pthread_mutex_lock(&shard->mutex);
        frame = shard->first;
        if (frame) {
                shard->first = frame->next;
                --shard->n;
        }
        pthread_mutex_unlock(&shard->mutex);
        if (frame)
                return frame;

        frame = calloc(1, sizeof(*frame));
        if (frame)
                pthread_mutex_init(&frame->mutex, NULL);

        return frame;
}

static void frame_give(struct frame_pool *pool, struct frame *frame)
{
        struct frame_shard *shard = &pool->shards[atomic_fetch_add(&pool->turn, 1) % FRAME_SHARDS];
        bool kept;

        pipit_arena_reset(&frame->arena);

        pthread_mutex_lock(&shard->mutex);
        kept = shard->n < FRAMES_PER_SHARD;
        if (kept) {
                frame->next = shard->first;
                shard->first = frame;
                ++shard->n;
        }
        pthread_mutex_unlock(&shard->mutex);

        if (!kept)
                frame_destroy(frame);
}

struct frame *frame_new(struct pipit_server *server)
{
        struct frame *frame = frame_take(&server->frames);

        if (!frame)
                return NULL;

        atomic_fetch_add(&server->refs, 1);
        frame->server = server;
        frame->box = NULL;
        frame->principal = NULL;
        frame->standing = NULL;
        frame->session_begun_us = 0;
        frame->calls = NULL;
        frame->n_calls = 0;
        frame->decoded_bytes = 0;
        frame->arena.cap_bytes = server->wire_limits.decoded_bytes_max * 3;
        atomic_store(&frame->refs, 1);

        return frame;
}

void frame_ref(struct frame *frame)
{
        atomic_fetch_add(&frame->refs, 1);
}

void frame_unref(struct frame *frame)
{
        struct pipit_server *server = frame->server;

        if (atomic_fetch_sub(&frame->refs, 1) != 1)
                return;

        if (frame->decoded_bytes > 0) {
                atomic_fetch_sub(&server->decoded_bytes, frame->decoded_bytes);
                atomic_fetch_sub(&frame->principal->decoded_bytes, frame->decoded_bytes);
        }
        if (frame->box)
                box_unref(frame->box);
        standing_unref(frame->standing);
        if (frame->principal)
                principal_unref(server, frame->principal);
        frame_give(&server->frames, frame);
        server_unref(server);
}

enum principal_state frame_set_principal(struct frame *frame, struct principal *principal)
{
        enum principal_state state = principal_stand(frame->server, principal, &frame->standing);

        if (state == PRINCIPAL_HOLDS)
                frame->principal = principal_ref(principal);

        return state;
}

static bool add_within(atomic_size_t *count, size_t n, size_t max)
{
        if (atomic_fetch_add(count, n) + n <= max)
                return true;

        atomic_fetch_sub(count, n);

        return false;
}

bool frame_charge(struct frame *frame, size_t n_bytes)
{
        struct pipit_server *server = frame->server;

        if (!add_within(&server->decoded_bytes, n_bytes, server->options.decoded_bytes_all_max))
                return false;
        if (!add_within(&frame->principal->decoded_bytes,
                        n_bytes,
                        server->options.decoded_bytes_peer_max)) {
                atomic_fetch_sub(&server->decoded_bytes, n_bytes);
                return false;
        }
        frame->decoded_bytes += n_bytes;

        return true;
}

/* Unsigned all the way: a difference below zero is added as well. */
void frame_settle(struct frame *frame)
{
        size_t difference = frame->arena.used_bytes - frame->decoded_bytes;

        atomic_fetch_add(&frame->server->decoded_bytes, difference);
        atomic_fetch_add(&frame->principal->decoded_bytes, difference);
        frame->decoded_bytes += difference;
}

/* --- calls --------------------------------------------------------------- */

void call_release(struct pipit_server_call *call)
{
        struct frame *frame = call->frame;

        if (call->counted)
                atomic_fetch_sub(&frame->server->n_calls, 1);
        frame_unref(frame);
}

bool call_start(struct pipit_server_call *call)
{
        struct box *box = call->frame->box;
        bool starts;

        pthread_mutex_lock(&box->mutex);
        starts = !call->finished && !box->dead &&
                 pipit_mailbox_apply(box->states, call->id, PIPIT_CALL_EVENT_START, call, NULL) ==
                         PIPIT_CALL_ACTION_NONE;
        pthread_mutex_unlock(&box->mutex);

        if (!starts)
                call_release(call);

        return starts;
}

void call_run(struct pipit_server_call *call)
{
        const struct route *route = call->route;

        atomic_store_explicit(&call->handled, true, memory_order_relaxed);
        if (!route->dispatch || !route->dispatch(route->handlers, route->self, call, call->request))
                call_fail_with(call, RUNTIME_ERROR_METHOD_NOT_IMPLEMENTED);
}

void call_fail_with(struct pipit_server_call *call, enum runtime_error error)
{
        struct pipit_error made = runtime_error_make(error);
        char text[PIPIT_METHOD_BYTES_MAX + 64];

        if (error == RUNTIME_ERROR_METHOD_NOT_FOUND ||
            error == RUNTIME_ERROR_METHOD_NOT_IMPLEMENTED) {
                (void)snprintf(text,
                               sizeof(text),
                               "%s: %.*s",
                               made.message,
                               PIPIT_METHOD_BYTES_MAX,
                               call->method_name);
                made.message = text;
        }
        pipit_server_call_fail(call, &made);
}

bool metadata_key_is_valid(const char *key)
{
        size_t n = strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789._-");

        return n > 0 && n <= PIPIT_METADATA_KEY_BYTES_MAX && key[n] == '\0';
}

/* --- public -------------------------------------------------------------- */

void pipit_server_call_reply(struct pipit_server_call *call, const ProtobufCMessage *response)
{
        reply_give(call, response, NULL);
        call_release(call);
}

void pipit_server_call_fail(struct pipit_server_call *call, const struct pipit_error *error)
{
        reply_give(call, NULL, error);
        call_release(call);
}

bool pipit_server_call_cancelled(const struct pipit_server_call *call)
{
        return atomic_load_explicit(&call->cancelled, memory_order_relaxed);
}

const atomic_bool *pipit_server_call_cancelled_flag(const struct pipit_server_call *call)
{
        return &call->cancelled;
}

int64_t pipit_server_call_deadline_us(const struct pipit_server_call *call)
{
        return call->deadline_us;
}

const char *pipit_server_call_principal(const struct pipit_server_call *call)
{
        return call->frame->principal->name;
}

const struct pipit_method *pipit_server_call_method(const struct pipit_server_call *call)
{
        return call->route ? call->route->method : NULL;
}

size_t pipit_server_call_n_metadata(const struct pipit_server_call *call)
{
        return call->n_metadata;
}

const struct pipit_metadata *pipit_server_call_metadata(const struct pipit_server_call *call,
                                                        size_t index)
{
        return index < call->n_metadata ? &call->metadata[index] : NULL;
}

/* With the frame's mutex. */
static struct call_metadata *metadata_copy(struct pipit_arena *arena,
                                           const char *key,
                                           const void *value,
                                           size_t n_value_bytes)
{
        struct call_metadata *entry = pipit_arena_alloc(arena, sizeof(*entry));

        if (!entry)
                return NULL;

        entry->next = NULL;
        entry->key = pipit_arena_strdup(arena, key);
        entry->value = pipit_arena_memdup(arena, value, n_value_bytes);
        entry->n_value_bytes = n_value_bytes;

        return entry->key && entry->value ? entry : NULL;
}

void pipit_server_call_add_metadata(struct pipit_server_call *call,
                                    const char *key,
                                    const void *value,
                                    size_t n_value_bytes)
{
        struct frame *frame = call->frame;
        size_t n_bytes = strlen(key) + n_value_bytes;
        struct call_metadata *entry = NULL;

        if (!metadata_key_is_valid(key) || n_value_bytes > PIPIT_METADATA_BYTES_MAX)
                return;

        pthread_mutex_lock(&frame->mutex);
        if (call->n_reply_metadata < PIPIT_METADATA_ENTRIES_MAX &&
            call->n_reply_metadata_bytes + n_bytes <= PIPIT_METADATA_BYTES_MAX)
                entry = metadata_copy(&frame->arena, key, value, n_value_bytes);
        if (entry) {
                if (call->reply_metadata_last)
                        call->reply_metadata_last->next = entry;
                else
                        call->reply_metadata = entry;
                call->reply_metadata_last = entry;
                ++call->n_reply_metadata;
                call->n_reply_metadata_bytes += n_bytes;
        }
        pthread_mutex_unlock(&frame->mutex);
}

void *pipit_server_call_alloc(struct pipit_server_call *call, size_t n_bytes)
{
        struct frame *frame = call->frame;
        void *memory;

        pthread_mutex_lock(&frame->mutex);
        memory = pipit_arena_zalloc(&frame->arena, n_bytes);
        pthread_mutex_unlock(&frame->mutex);

        return memory;
}
