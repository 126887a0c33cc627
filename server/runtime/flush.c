/*
 * Which held frame is answered, when, and with what: docs/wire.md, "When a frame is answered"
 */

#include <string.h>

#include "core/base/clock.h"
#include "core/rpc/frame.h"
#include "server/runtime/box.h"
#include "server/runtime/call.h"
#include "server/runtime/reply.h"
#include "server/runtime/runtime.h"

/* How late a deadline may be noticed. */
#define TICK_US PIPIT_US_PER_MS

#define TAG_RESPONSE_INSTANCE 0x11
#define TAG_RESPONSE_DRAINING 0x18

/* --- held frames ----------------------------------------------------------- */

void box_hold(struct box *box, struct rep_context *context)
{
        struct rep_context *before = context->answer_now ? NULL : box->newest;
        struct rep_context *after = context->answer_now ? box->oldest : NULL;

        context->prev = before;
        context->next = after;
        if (before)
                before->next = context;
        else
                box->oldest = context;
        if (after)
                after->prev = context;
        else
                box->newest = context;

        atomic_store_explicit(&context->holder, box, memory_order_relaxed);
        ++box->n_held;
        if (context->answer_now)
                ++box->n_answer_now;
        if (!box->simple)
                atomic_fetch_add(&context->peer->n_held, 1);
}

void box_unhold(struct box *box, struct rep_context *context)
{
        if (context->prev)
                context->prev->next = context->next;
        else
                box->oldest = context->next;
        if (context->next)
                context->next->prev = context->prev;
        else
                box->newest = context->prev;

        atomic_store_explicit(&context->holder, NULL, memory_order_relaxed);
        --box->n_held;
        if (context->answer_now)
                --box->n_answer_now;
        if (!box->simple)
                atomic_fetch_sub(&context->peer->n_held, 1);
}

static void answer_now(struct box *box, struct rep_context *context)
{
        if (!context->answer_now) {
                context->answer_now = true;
                ++box->n_answer_now;
        }
}

bool box_has_left(const struct box *box, const struct peer *peer)
{
        return peer->serial < box->home_serial;
}

/* Late awaits of an older pipe change nothing. */
void box_move_home(struct box *box, const struct peer *peer)
{
        if (box_has_left(box, peer))
                return;

        box->home_serial = peer->serial;
        for (struct rep_context *held = box->oldest; held; held = held->next)
                if (box_has_left(box, held->peer))
                        answer_now(box, held);
}

void box_answer_oldest_of(struct box *box, const struct peer *peer)
{
        for (struct rep_context *held = box->oldest; held; held = held->next) {
                if (held->peer == peer) {
                        answer_now(box, held);
                        return;
                }
        }
}

void box_answer_all(struct box *box)
{
        pthread_mutex_lock(&box->mutex);
        for (struct rep_context *held = box->oldest; held; held = held->next)
                answer_now(box, held);
        pthread_mutex_unlock(&box->mutex);
}

void held_drop(struct rep_context *context)
{
        struct peer *peer = context->peer;

        sealed_let_go(context);
        rep_context_drop(context);
        peer_unref(peer);
}

void held_answer(struct rep_context *context, struct rep_message *message)
{
        struct peer *peer = context->peer;

        sealed_let_go(context);
        if (message && peer_sends(peer, rep_message_n_bytes(message))) {
                rep_context_answer(context, message);
                return;
        }

        if (message)
                peer_close_stuck(peer);
        else
                peer_close(peer);
        rep_message_free(message);
        held_drop(context);
}

void held_reject(struct rep_context *context, const struct pipit_reject *reject)
{
        struct rep_message *message = rep_message_new(PIPIT_REJECT_FRAME_BYTES);

        if (message)
                pipit_reject_write(reject, rep_message_bytes(message));
        held_answer(context, message);
}

/* --- responses ------------------------------------------------------------- */

/* How many of the oldest replies fit into @n_room bytes. */
static size_t count_fitting(const struct ready *ready, size_t n_room, size_t *ret_n_bytes)
{
        size_t n_bytes = 0;
        size_t n_replies = 0;

        for (size_t i = 0; i < ready_n_entries(ready); ++i) {
                const struct ready_entry *entry = ready_entry(ready, i);

                if (entry->dropped)
                        continue;
                if (n_bytes + entry->n_bytes > n_room)
                        break;
                n_bytes += entry->n_bytes;
                ++n_replies;
        }
        *ret_n_bytes = n_bytes;

        return n_replies;
}

static void replace_with_too_large(struct ready *ready, size_t index)
{
        uint8_t record[REPLY_ERROR_BYTES_MAX];
        const struct ready_entry *entry = ready_entry(ready, index);
        size_t n_bytes = reply_pack_error(entry->id, RUNTIME_ERROR_RESPONSE_TOO_LARGE, record);

        if (n_bytes > 0 && n_bytes < entry->n_bytes)
                ready_replace(ready, index, record, n_bytes);
}

/* One reply that does not fit by itself would hold up all behind it. */
static void shrink_first(struct ready *ready, size_t n_room)
{
        const uint8_t *bytes;
        uint64_t id;
        size_t n_bytes;

        if (ready_first(ready, &id, &bytes, &n_bytes) && n_bytes > n_room)
                replace_with_too_large(ready, 0);
}

/* A simple client's replies must fit together. */
static void shrink_last(struct ready *ready, size_t n_room)
{
        size_t n_all = 0;

        for (size_t i = 0; i < ready_n_entries(ready); ++i)
                n_all += ready_entry(ready, i)->n_bytes;

        for (size_t i = ready_n_entries(ready); i > 0 && n_all > n_room; --i) {
                n_all -= ready_entry(ready, i - 1)->n_bytes;
                replace_with_too_large(ready, i - 1);
                n_all += ready_entry(ready, i - 1)->n_bytes;
        }
}

static uint8_t *head_write(const struct pipit_server *server, bool draining, uint8_t *to)
{
        *to++ = TAG_RESPONSE_INSTANCE;
        for (unsigned i = 0; i < 8; ++i)
                *to++ = (uint8_t)(server->instance >> (8 * i));
        if (draining) {
                *to++ = TAG_RESPONSE_DRAINING;
                *to++ = 1;
        }

        return to;
}

/* With the mutex. How many replies the response to @held takes. */
static size_t choose(struct box *box,
                     const struct rep_context *held,
                     size_t n_room,
                     size_t *ret_n_bytes)
{
        *ret_n_bytes = 0;
        if (box_has_left(box, held->peer))
                return 0;

        if (box->simple)
                shrink_last(&box->ready, n_room);
        else
                shrink_first(&box->ready, n_room);

        return count_fitting(&box->ready, n_room, ret_n_bytes);
}

/* With the mutex. Moves what fits from ready into a response, which is to be closed. NULL: out of memory, and nothing has moved. */
static struct rep_message *response_make(struct box *box, const struct rep_context *held)
{
        bool draining = atomic_load(&box->server->draining);
        size_t n_before = sealed_n_before(held);
        size_t n_around =
                n_before + sealed_n_behind(held) + RESPONSE_HEAD_BYTES - (draining ? 0 : 2);
        struct rep_message *message;
        size_t n_replies;
        size_t n_bytes;
        uint8_t *to;

        n_replies = choose(box, held, held->response_bytes_max - n_around, &n_bytes);
        message = rep_message_new(n_around + n_bytes);
        if (!message)
                return NULL;
        to = head_write(box->server, draining, rep_message_bytes(message) + n_before);
        for (; n_replies > 0; --n_replies) {
                const uint8_t *record;
                uint64_t id;
                size_t n_record;

                (void)ready_first(&box->ready, &id, &record, &n_record);
                memcpy(to, record, n_record);
                to += n_record;
                ready_pop(&box->ready);
                (void)pipit_mailbox_apply(box->states, id, PIPIT_CALL_EVENT_SEND, NULL, NULL);
        }

        return message;
}

/* --- flush --------------------------------------------------------------- */

static bool answers_oldest(const struct box *box)
{
        if (box->simple)
                return box->n_open == 0;

        return box->ready.n_live > 0 || (box->held_max > 0 && box->n_held > box->held_max) ||
               (atomic_load(&box->server->draining) && pipit_mailbox_n_calls(box->states) == 0);
}

/* With the mutex. The frame whose sender waits on this very thread, or else the oldest. */
static struct rep_context *nearest(struct box *box, const struct rep_context *except)
{
        struct rep_context *own = inproc_frame_of_this_thread();

        if (own && own != except && box->ready.n_live > 0 &&
            atomic_load_explicit(&own->holder, memory_order_relaxed) == box)
                return own;

        return box->oldest;
}

/* With the mutex. */
static struct rep_context *first_to_answer_now(struct box *box, const struct rep_context *except)
{
        struct rep_context *held = box->n_answer_now > 0 ? box->oldest : NULL;

        while (held && (!held->answer_now || held == except))
                held = held->next;

        return held;
}

/* With the mutex. The frame to be answered, taken out, or NULL. Frames of a closed pipe consume nothing. */
static struct rep_context *pick(struct box *box, const struct rep_context *except)
{
        struct rep_context *held = first_to_answer_now(box, except);

        if (!held && box->n_held > 0 && answers_oldest(box))
                held = nearest(box, except);
        if (held == except)
                held = NULL;
        if (held)
                box_unhold(box, held);

        return held;
}

/* What is given to a pipe that goes is lost. */
static bool peer_leaves(const struct peer *peer)
{
        return atomic_load(&peer->gone) || atomic_load(&peer->closes);
}

/* A frame and its response, or only the frame, or nothing. */
static struct rep_context *next_answer(struct box *box,
                                       const struct rep_context *except,
                                       struct rep_message **ret_message)
{
        struct rep_context *held;

        *ret_message = NULL;

        pthread_mutex_lock(&box->mutex);
        held = pick(box, except);
        if (held && !peer_leaves(held->peer) && sealed_can_close(held))
                *ret_message = response_make(box, held);
        pthread_mutex_unlock(&box->mutex);

        return held;
}

void box_flush_but(struct box *box, const struct rep_context *except)
{
        struct rep_context *held;
        struct rep_message *message;

        while ((held = next_answer(box, except, &message))) {
                if (box->simple)
                        box_leave(box, held->peer);
                held_answer(held, message ? sealed_close(held, message) : NULL);
        }
}

void box_flush(struct box *box)
{
        box_flush_but(box, NULL);
}

/* --- time ---------------------------------------------------------------- */

struct tick {
        struct box *box;
        int64_t now_us;
        int64_t next_us;
        struct pipit_server_call *ended;
};

/* Nothing more can be said of a call that ends here: its handler may still come, late. */
static void call_expire(struct tick *tick, struct pipit_server_call *call, bool running)
{
        enum runtime_error error =
                running ? RUNTIME_ERROR_DEADLINE_RUNNING : RUNTIME_ERROR_DEADLINE;
        enum call_ending ending = running ? CALL_ENDING_DEADLINE_RUNNING : CALL_ENDING_DEADLINE;
        struct box *box = tick->box;

        call->finished = true;
        atomic_store(&call->cancelled, true);
        if (pipit_mailbox_apply(box->states, call->id, PIPIT_CALL_EVENT_FINISH, NULL, NULL) !=
            PIPIT_CALL_ACTION_KEEP_REPLY)
                ending = CALL_ENDING_CANCELLED;
        else if (!reply_append_error(box, call->id, error))
                (void)pipit_mailbox_apply(box->states, call->id, PIPIT_CALL_EVENT_SEND, NULL, NULL);
        if (box->simple)
                --box->n_open;

        call_ending_without_answer(call, ending, &tick->ended);
}

static bool tick_call(void *context, uint64_t id, enum pipit_mailbox_state state, void *value)
{
        struct tick *tick = context;
        struct pipit_server_call *call = value;

        (void)id;
        if (state != PIPIT_CALL_QUEUED && state != PIPIT_CALL_RUNNING)
                return true;

        if (call->deadline_us <= tick->now_us)
                call_expire(tick, call, state == PIPIT_CALL_RUNNING);
        else if (call->deadline_us < tick->next_us)
                tick->next_us = call->deadline_us;

        return true;
}

static void tick_held(struct tick *tick)
{
        if (tick->box->simple)
                return;

        for (struct rep_context *held = tick->box->oldest; held; held = held->next) {
                if (held->hold_until_us <= tick->now_us)
                        answer_now(tick->box, held);
                else if (held->hold_until_us < tick->next_us)
                        tick->next_us = held->hold_until_us;
        }
}

int64_t box_tick(struct box *box, int64_t now_us)
{
        struct tick tick = {.box = box, .now_us = now_us, .next_us = PIPIT_NEVER_US};

        pthread_mutex_lock(&box->mutex);
        if (!box->dead) {
                pipit_mailbox_each(box->states, tick_call, &tick);
                tick_held(&tick);
                if (box->linger_until_us > 0 && box->linger_until_us < tick.next_us)
                        tick.next_us = box->linger_until_us;
        }
        pthread_mutex_unlock(&box->mutex);

        interceptors_after_all(tick.ended);
        box_flush(box);

        /* What is due closely after is taken together: a look goes over all calls. */
        return tick.next_us < now_us + TICK_US ? now_us + TICK_US : tick.next_us;
}
