#include <stdlib.h>

#include "client/seal.h"
#include "core/base/macros.h"
#include "core/rpc/frame.h"

static struct seal_lane *lane_of(struct transport_lane *base)
{
        return pipit_container_of(base, struct seal_lane, base);
}

/* --- messages: the channel's view of a sealed frame ---------------------------- */

struct transport_message *seal_message_new(struct transport_lane *base, size_t n_bytes)
{
        struct transport_lane *inner = lane_of(base)->inner;

        return inner->transport->message_new(inner, n_bytes + SEAL_EXTRA);
}

static uint8_t *whole_frame(struct seal_lane *lane,
                            struct transport_message *message,
                            size_t *ret_n_bytes)
{
        return lane->inner->transport->message_bytes(lane->inner, message, ret_n_bytes);
}

/* Only frames that we made, or have opened, get here. */
uint8_t *seal_message_bytes(struct transport_lane *base,
                            struct transport_message *message,
                            size_t *ret_n_bytes)
{
        uint8_t *bytes = whole_frame(lane_of(base), message, ret_n_bytes);

        *ret_n_bytes -= SEAL_EXTRA;

        return bytes + SEAL_VIEW_AT;
}

void seal_message_free(struct transport_lane *base, struct transport_message *message)
{
        struct transport_lane *inner = lane_of(base)->inner;

        inner->transport->message_free(inner, message);
}

/* --- sending ------------------------------------------------------------------- */

/*
 * Has the lane hold the session of now, for its answer too. Whether this thread is
 * to make the next one.
 */
static bool take_session(struct seal_lane *lane, int64_t now_us)
{
        struct seal_socket *socket = lane->socket;
        struct pipit_session *before = NULL;
        bool is_due;

        pthread_mutex_lock(&socket->mutex);
        if (lane->session != socket->session) {
                before = lane->session;
                lane->session = socket->session ? pipit_session_ref(socket->session) : NULL;
        }
        is_due = socket->session && now_us >= socket->rekey_us &&
                 pipit_session_age(socket->session, now_us) == PIPIT_SESSION_REKEY_DUE &&
                 seal_claim(socket);
        pthread_mutex_unlock(&socket->mutex);
        pipit_session_unref(before);

        return is_due;
}

static bool seal(struct seal_lane *lane, struct transport_message *message, int64_t now_us)
{
        size_t n_bytes;
        uint8_t *bytes = whole_frame(lane, message, &n_bytes);

        return lane->session && pipit_session_seal_request(lane->session,
                                                           now_us,
                                                           bytes,
                                                           n_bytes - PIPIT_SEALED_OVERHEAD_BYTES,
                                                           &lane->counter) == PIPIT_SESSION_OK;
}

void seal_lane_send(struct transport_lane *base, struct transport_message *message, bool has_calls)
{
        struct seal_lane *lane = lane_of(base);
        struct seal_socket *socket = lane->socket;
        const struct transport *transport = lane->inner->transport;
        int64_t now_us = seal_now_us(socket);
        bool is_due = take_session(lane, now_us);

        if (seal(lane, message, now_us))
                transport->send(lane->inner, message, has_calls);
        else
                transport->refuse(lane->inner, message, "the session is too old");
        if (is_due)
                seal_shake(socket);
}

/* --- receiving ------------------------------------------------------------------- */

/* What is no answer, or a reject, which is not sealed: neither is believed. */
static const char *turn_down(struct seal_socket *socket, const char *problem, uint32_t retry_ms)
{
        pthread_mutex_lock(&socket->mutex);
        seal_refused(socket, CLIENT_REASON_CONNECTION_LOST, retry_ms);
        pthread_mutex_unlock(&socket->mutex);

        return problem;
}

static const char *rejected(struct seal_socket *socket, const uint8_t *bytes, size_t n_bytes)
{
        struct pipit_reject reject = {.retry_ms = 0};

        if (!pipit_reject_read(
                    bytes + PIPIT_FRAME_HEADER_BYTES, n_bytes - PIPIT_FRAME_HEADER_BYTES, &reject))
                return turn_down(socket, "a reject of the wrong length", 0);

        switch (reject.code) {
#define REJECT_CASE(name, number)                                                                  \
        case PIPIT_REJECT_##name:                                                                  \
                return turn_down(                                                                  \
                        socket, "the session's frame was rejected: " #name, reject.retry_ms);
                PIPIT_REJECT_MAP(REJECT_CASE)
#undef REJECT_CASE
        }

        return turn_down(socket, "the session's frame was rejected", reject.retry_ms);
}

/* NULL: it is open, and has the header of a response. Else what is wrong. */
static const char *open_answer(struct seal_lane *lane, struct transport_message *message)
{
        struct seal_socket *socket = lane->socket;
        enum pipit_frame_kind kind;
        struct pipit_opened opened;
        size_t n_bytes;
        uint8_t *bytes = whole_frame(lane, message, &n_bytes);

        if (pipit_frame_header_read(bytes, n_bytes, &kind) == PIPIT_FRAME_OK &&
            kind == PIPIT_FRAME_REJECT)
                return rejected(socket, bytes, n_bytes);
        if (pipit_session_open_response(
                    lane->session, seal_now_us(socket), lane->counter, bytes, n_bytes, &opened) !=
            PIPIT_SESSION_OK)
                return turn_down(
                        socket, "an answer came that the server did not seal for its request", 0);

        pipit_frame_header_write(PIPIT_FRAME_RESPONSE, bytes + SEAL_VIEW_AT);

        return NULL;
}

static void on_unsent(void *context, const char *problem)
{
        const struct seal_lane *lane = context;

        lane->options.on_unsent(lane->options.context, problem);
}

static void on_received(void *context, const char *problem, struct transport_message *message)
{
        struct seal_lane *lane = context;

        if (!problem)
                problem = open_answer(lane, message);
        if (problem && message) {
                seal_message_free(&lane->base, message);
                message = NULL;
        }
        lane->options.on_received(lane->options.context, problem, message);
}

static void on_answer(void *context, struct transport_message *message)
{
        struct seal_lane *lane = context;
        const char *problem = open_answer(lane, message);

        if (!problem) {
                lane->options.on_answer(lane->options.context, message);
                return;
        }
        seal_message_free(&lane->base, message);
        lane->options.on_received(lane->options.context, problem, NULL);
}

/* --- life ------------------------------------------------------------------------ */

struct transport_lane *seal_lane_open(struct transport_socket *base,
                                      const struct transport_lane_options *options,
                                      const char **ret_problem)
{
        struct seal_socket *socket = seal_socket_of(base);
        struct seal_lane *lane = calloc(1, sizeof(*lane));
        const struct transport_lane_options own = {
                .on_unsent = on_unsent,
                .on_received = on_received,
                .on_answer = on_answer,
                .context = lane,
        };

        *ret_problem = "out of memory";
        if (!lane)
                return NULL;

        lane->base.transport = &seal_transport;
        lane->options = *options;
        lane->socket = socket;
        lane->inner = socket->inner->transport->lane_open(socket->inner, &own, ret_problem);
        if (!lane->inner) {
                free(lane);
                return NULL;
        }

        return &lane->base;
}

void seal_lane_stop(struct transport_lane *base)
{
        struct transport_lane *inner = lane_of(base)->inner;

        inner->transport->lane_stop(inner);
}

void seal_lane_close(struct transport_lane *base)
{
        struct seal_lane *lane = lane_of(base);

        lane->inner->transport->lane_close(lane->inner);
        pipit_session_unref(lane->session);
        free(lane);
}

void seal_lane_abort(struct transport_lane *base)
{
        struct transport_lane *inner = lane_of(base)->inner;

        inner->transport->abort(inner);
}
