#include <stdio.h>
#include <stdlib.h>

#include "client/seal.h"
#include "core/base/clock.h"
#include "core/base/macros.h"
#include "core/rpc/frame.h"
#include "core/rpc/wire_limits.h"

/* How soon a handshake on a pipe that has a session follows one that failed. */
#define REKEY_PAUSE_MS_MIN 1000
#define REKEY_PAUSE_MS_MAX 10000

/* What a handshake came to. */
struct outcome {
        struct pipit_session *session; /* NULL: none, because of */
        size_t frame_bytes;
        enum client_reason reason;
        const char *problem;
        uint32_t retry_ms;
        uint32_t version; /* VERSION_MISMATCH: the highest that the server speaks */
        bool is_line;     /* the connection failed, which the inner transport tells */
};

static struct outcome failed(enum client_reason reason, const char *problem)
{
        return (struct outcome){.reason = reason, .problem = problem};
}

/* --- its end ---------------------------------------------------------------------- */

static uint32_t rekey_pause_ms(const struct outcome *outcome)
{
        if (outcome->retry_ms < REKEY_PAUSE_MS_MIN)
                return REKEY_PAUSE_MS_MIN;

        return outcome->retry_ms < REKEY_PAUSE_MS_MAX ? outcome->retry_ms : REKEY_PAUSE_MS_MAX;
}

/* Mutex held. */
static void refuse(struct seal_socket *socket, const struct outcome *outcome)
{
        socket->problem = outcome->problem;
        if (outcome->reason == CLIENT_REASON_VERSION_MISMATCH) {
                (void)snprintf(socket->text,
                               sizeof(socket->text),
                               "the server speaks version %u at most, this client %d",
                               outcome->version,
                               PIPIT_PROTO_VERSION);
                socket->problem = socket->text;
        }
        seal_refused(socket, outcome->reason, outcome->retry_ms);
        socket->phase = SEAL_REFUSED;
}

/* The session that was there before is of those lanes that wait for answers to it. Mutex held. */
static void install(struct seal_socket *socket, struct outcome *outcome)
{
        struct pipit_session *before = socket->session;

        socket->session = outcome->session;
        outcome->session = before;
        socket->phase = SEAL_OPEN;
        socket->frame_bytes = outcome->frame_bytes;
        socket->rekey_us = 0;
}

/* Mutex held. Whether the state of the pipe changed. */
static bool settle_here(struct seal_socket *socket, struct outcome *outcome)
{
        bool is_first = socket->phase == SEAL_WANTED;

        if (outcome->is_line || (!is_first && socket->phase != SEAL_OPEN))
                return false;
        if (outcome->session)
                install(socket, outcome);
        else if (is_first)
                refuse(socket, outcome);
        else
                socket->rekey_us =
                        seal_now_us(socket) + (int64_t)rekey_pause_ms(outcome) * PIPIT_US_PER_MS;

        return is_first;
}

/* What it was for may be gone: then the next pipe may wait for one. */
static void settle(struct seal_socket *socket, struct outcome outcome)
{
        bool is_of_pipe, changes;

        pthread_mutex_lock(&socket->mutex);
        is_of_pipe = socket->shake.epoch == socket->epoch;
        pipit_noise_deinit(socket->shake.noise);
        socket->is_shaking = false;
        changes = is_of_pipe && settle_here(socket, &outcome);
        pthread_mutex_unlock(&socket->mutex);

        pipit_session_unref(outcome.session);
        if (changes)
                socket->options.on_pipe(socket->options.context);
        if (!is_of_pipe)
                seal_shake_first(socket);
}

/* --- welcome ------------------------------------------------------------------------ */

static struct outcome rejected(struct seal_socket *socket, const uint8_t *body, size_t n_body)
{
        struct pipit_reject reject;
        struct outcome outcome;

        if (!pipit_reject_read(body, n_body, &reject))
                return failed(CLIENT_REASON_NOT_CONNECTED, "a reject of the wrong length");

        switch (reject.code) {
        case PIPIT_REJECT_DENIED:
                return failed(CLIENT_REASON_SESSION_DENIED, socket->options.keyring->denied);
        case PIPIT_REJECT_VERSION:
                outcome = failed(CLIENT_REASON_VERSION_MISMATCH, NULL);
                outcome.version = reject.detail;
                return outcome;
        case PIPIT_REJECT_BUSY:
                outcome = failed(CLIENT_REASON_SERVER_BUSY,
                                 "the server is too busy for one more session");
                outcome.retry_ms = reject.retry_ms;
                return outcome;
        default:
                return failed(CLIENT_REASON_NOT_CONNECTED, "the server rejects the handshake");
        }
}

static size_t least(size_t one, size_t other)
{
        return one < other ? one : other;
}

static struct pipit_session *make_session(struct seal_socket *socket,
                                          const struct pipit_welcome *welcome,
                                          const struct pipit_noise_transport *keys)
{
        struct pipit_session *session = calloc(1, sizeof(*session));
        const struct pipit_session_options options = {
                .transport = keys,
                .id = welcome->session_id,
                .peer_key = socket->options.server_key,
                .begun_us = socket->shake.begun_us,
                .rekey_s = welcome->rekey_s,
                .reject_s = welcome->reject_s,
                .secrets = socket->options.keyring->secrets,
        };

        if (session && !pipit_session_init(session, &options)) {
                free(session);
                session = NULL;
        }

        return session;
}

static struct outcome welcomed(struct seal_socket *socket, const uint8_t *frame, size_t n_frame)
{
        struct seal_shake *shake = &socket->shake;
        struct pipit_noise_transport keys;
        struct pipit_welcome welcome;
        struct outcome outcome;

        if (!pipit_welcome_read(shake->noise, &shake->hello, frame, n_frame, &welcome, &keys))
                return failed(CLIENT_REASON_NOT_CONNECTED,
                              "a welcome came that the server did not make for this handshake");

        outcome = failed(CLIENT_REASON_OUT_OF_MEMORY, "out of memory");
        outcome.session = make_session(socket, &welcome, &keys);
        outcome.frame_bytes = least(welcome.max_frame, socket->options.frame_bytes_max);
        pipit_noise_transport_deinit(&keys);

        return outcome;
}

static struct outcome read_answer(struct seal_socket *socket, const uint8_t *frame, size_t n_frame)
{
        enum pipit_frame_kind kind;

        if (pipit_frame_header_read(frame, n_frame, &kind) != PIPIT_FRAME_OK)
                return failed(CLIENT_REASON_NOT_CONNECTED,
                              "the answer to the handshake is no Pipit frame");
        if (kind == PIPIT_FRAME_REJECT)
                return rejected(socket,
                                frame + PIPIT_FRAME_HEADER_BYTES,
                                n_frame - PIPIT_FRAME_HEADER_BYTES);

        return welcomed(socket, frame, n_frame);
}

static void on_answer(void *context, struct transport_message *message)
{
        struct seal_socket *socket = context;
        struct transport_lane *lane = socket->shake_lane;
        size_t n_bytes;
        const uint8_t *bytes = lane->transport->message_bytes(lane, message, &n_bytes);
        struct outcome outcome = read_answer(socket, bytes, n_bytes);

        lane->transport->message_free(lane, message);
        settle(socket, outcome);
}

static void on_unsent(void *context, const char *problem)
{
        (void)problem;
        settle(context, (struct outcome){.is_line = true});
}

static void on_received(void *context, const char *problem, struct transport_message *message)
{
        if (problem)
                on_unsent(context, problem);
        else
                on_answer(context, message);
}

/* --- hello -------------------------------------------------------------------------- */

static uint32_t frame_bytes_taken(const struct seal_socket *socket)
{
        const uint32_t frame_bytes_least = PIPIT_FRAME_BYTES_DEFAULT;
        size_t n_bytes = socket->options.frame_bytes_max;

        return n_bytes > frame_bytes_least ? (uint32_t)n_bytes : frame_bytes_least;
}

static bool write_hello(struct seal_socket *socket, uint8_t *ret_frame)
{
        const struct keyring *keyring = socket->options.keyring;
        struct seal_shake *shake = &socket->shake;

        shake->begun_us = seal_now_us(socket);
        shake->hello = (struct pipit_hello){
                .client_time_us = (uint64_t)keyring->clock->wall_us(keyring->clock->context),
                .max_frame = frame_bytes_taken(socket),
                .proto_min = PIPIT_PROTO_VERSION,
                .proto_max = PIPIT_PROTO_VERSION,
        };
        pipit_handshake_init(shake->noise, keyring->keys, socket->options.server_key);

        return pipit_hello_write(shake->noise, &shake->hello, ret_frame);
}

static void send_hello(struct seal_socket *socket)
{
        struct transport_lane *lane = socket->shake_lane;
        struct transport_message *message =
                lane->transport->message_new(lane, PIPIT_HELLO_FRAME_BYTES);
        size_t n_bytes;

        if (!message) {
                settle(socket, failed(CLIENT_REASON_OUT_OF_MEMORY, "out of memory"));
                return;
        }
        if (write_hello(socket, lane->transport->message_bytes(lane, message, &n_bytes))) {
                lane->transport->send(lane, message, false);
                return;
        }
        lane->transport->message_free(lane, message);
        settle(socket,
               failed(CLIENT_REASON_NOT_CONNECTED,
                      "the key that known_servers has for it is none that one can agree with"));
}

bool seal_claim(struct seal_socket *socket)
{
        if (socket->is_shaking)
                return false;
        socket->is_shaking = true;
        socket->n_senders++;
        socket->shake.epoch = socket->epoch;

        return true;
}

void seal_shake(struct seal_socket *socket)
{
        send_hello(socket);

        pthread_mutex_lock(&socket->mutex);
        if (--socket->n_senders == 0)
                pthread_cond_signal(&socket->sent);
        pthread_mutex_unlock(&socket->mutex);
}

void seal_shake_first(struct seal_socket *socket)
{
        const char *problem;
        bool is_claimed;

        pthread_mutex_lock(&socket->mutex);
        is_claimed = socket->phase == SEAL_WANTED &&
                     socket->inner->transport->pipe(socket->inner, &problem) == TRANSPORT_PIPE_UP &&
                     seal_claim(socket);
        pthread_mutex_unlock(&socket->mutex);

        if (is_claimed)
                seal_shake(socket);
}

/* --- life --------------------------------------------------------------------------- */

bool seal_handshake_init(struct seal_socket *socket, const char **ret_problem)
{
        const struct transport_lane_options options = {
                .on_unsent = on_unsent,
                .on_received = on_received,
                .on_answer = on_answer,
                .context = socket,
        };

        socket->shake_lane =
                socket->inner->transport->lane_open(socket->inner, &options, ret_problem);
        if (!socket->shake_lane)
                return false;

        *ret_problem = "out of memory";
        socket->shake.noise = pipit_noise_new();

        return socket->shake.noise != NULL;
}

/* The inner transport may tell of a pipe until it is closed: so no new claims, and none that is at work. */
void seal_handshake_deinit(struct seal_socket *socket)
{
        pthread_mutex_lock(&socket->mutex);
        socket->phase = SEAL_CLOSED;
        while (socket->n_senders > 0)
                pthread_cond_wait(&socket->sent, &socket->mutex);
        pthread_mutex_unlock(&socket->mutex);

        if (socket->shake_lane) {
                socket->shake_lane->transport->lane_stop(socket->shake_lane);
                socket->shake_lane->transport->lane_close(socket->shake_lane);
        }
        (void)pipit_noise_free(socket->shake.noise);
}
