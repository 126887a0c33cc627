#include "server/runtime/handshakes.h"
#include "core/base/thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/access/key.h"
#include "core/base/clock.h"
#include "core/base/uuid.h"
#include "core/rpc/wire_limits.h"
#include "server/runtime/box.h"
#include "server/runtime/peer.h"
#include "server/runtime/principal.h"
#include "server/runtime/runtime.h"

/* A second of a processor; a thousand clients come back at once when a server was restarted. */
#define HELLOS_MAX 4096

/* When a source that failed too often may come again. */
#define LIMITED_RETRY_MS 1000
#define BUSY_RETRY_MS    50

struct hello {
        struct rep_context *context;
        struct rep_message *message;
        int64_t came_us;
};

struct handshakes {
        struct sealed *sealed;
        const struct pipit_noise_keys *keys;
        pthread_t thread;

        pthread_mutex_t mutex;
        pthread_cond_t changed;

        /* mutex */
        struct hello hellos[HELLOS_MAX]; /* a ring */
        size_t first;
        size_t n_hellos;
        bool ending;
};

/* One hello under way, on the thread. */
struct handshake {
        struct handshakes *all;
        struct hello hello;
        struct peer *peer; /* a reference */
        uint64_t source;
        int64_t now_us;
        struct pipit_noise noise;
        uint8_t key[PIPIT_NOISE_KEY_BYTES]; /* that the hello shows; all 0: none */
        char name[PRINCIPAL_NAME_SIZE];     /* that it has or had; for logs */
        struct principal *principal;        /* a reference; NULL: not known yet */
        struct pipit_hello said;
        const char *why; /* it failed; for logs */
        struct pipit_reject reject;
};

/* --- what comes of one ------------------------------------------------------- */

static bool fail(struct handshake *shake, enum pipit_reject_code code, const char *why)
{
        shake->why = why;
        shake->reject = (struct pipit_reject){
                .code = code,
                .detail = code == PIPIT_REJECT_VERSION ? PIPIT_PROTO_VERSION : 0,
        };

        return false;
}

/* Nobody's fault: it does not count, and the client comes again. */
static bool be_busy(struct handshake *shake, uint32_t retry_ms)
{
        shake->why = NULL;
        shake->reject = (struct pipit_reject){.code = PIPIT_REJECT_BUSY, .retry_ms = retry_ms};

        return false;
}

/* Whose hello it is, and that he had the key. */
static bool identify(struct handshake *shake)
{
        const uint8_t *bytes = rep_message_bytes(shake->hello.message);
        size_t n_bytes = rep_message_n_bytes(shake->hello.message);
        struct sealed *sealed = shake->all->sealed;

        /* Those before it may have failed since it came. */
        if (!pipit_handshake_limiter_admit(sealed->limiter, shake->source, shake->now_us)) {
                sealed_count_unlogged(sealed);
                return be_busy(shake, LIMITED_RETRY_MS);
        }
        if (!pipit_hello_read_key(&shake->noise, bytes, n_bytes, shake->key))
                return fail(shake, PIPIT_REJECT_DENIED, "no hello to this server's key");

        switch (principal_of_key(sealed->server,
                                 shake->key,
                                 pipit_clock_wall_us(),
                                 shake->name,
                                 &shake->principal)) {
        case PRINCIPAL_HOLDS:
                break;
        case PRINCIPAL_REVOKED:
                return fail(shake,
                            PIPIT_REJECT_DENIED,
                            shake->name[0] ? "the key has expired" : "the key is not listed");
        case PRINCIPAL_BUSY:
                return be_busy(shake, BUSY_RETRY_MS);
        }
        if (!pipit_hello_read(&shake->noise, bytes, n_bytes, &shake->said))
                return fail(shake,
                            PIPIT_REJECT_DENIED,
                            "the sender does not have the key, or a field is wrong");
        if (pipit_hello_proto(&shake->said) == 0)
                return fail(shake, PIPIT_REJECT_VERSION, "no version in common");

        return true;
}

static struct pipit_welcome welcome_make(const struct handshake *shake)
{
        const struct pipit_server_options *options = &shake->all->sealed->server->options;
        uint32_t max_inflight = options->held_frames_per_pipe_max;
        struct pipit_welcome welcome = {
                .max_frame = options->frame_bytes_max,
                .proto = pipit_hello_proto(&shake->said),
                .max_inflight = (uint16_t)(max_inflight < UINT16_MAX ? max_inflight : UINT16_MAX),
                .rekey_s = PIPIT_SESSION_REKEY_S,
                .reject_s = PIPIT_SESSION_REJECT_S,
        };

        pipit_random_bytes(welcome.session_id, sizeof(welcome.session_id));

        return welcome;
}

static bool make_session(struct handshake *shake, uint8_t ret_frame[PIPIT_WELCOME_FRAME_BYTES])
{
        const struct pipit_welcome welcome = welcome_make(shake);
        struct pipit_noise_transport transport = {};
        const struct pipit_session_options options = {
                .transport = &transport,
                .id = welcome.session_id,
                .peer_key = shake->key,
                .begun_us = shake->hello.came_us,
        };
        bool added;

        if (!pipit_welcome_write(&shake->noise, &welcome, ret_frame, &transport))
                return fail(shake, PIPIT_REJECT_DENIED, "a key that one cannot agree with");

        added = sealed_add(
                shake->all->sealed, shake->peer, shake->principal, shake->said.max_frame, &options);
        pipit_noise_transport_deinit(&transport);

        return added ? true : be_busy(shake, BUSY_RETRY_MS);
}

static void log_failure(const struct handshake *shake)
{
        static const uint8_t none[PIPIT_NOISE_KEY_BYTES] = {0};
        char key[PIPIT_KEY_TEXT_SIZE] = "";
        char source[SOURCE_TEXT_SIZE];
        bool is_known = memcmp(shake->key, none, sizeof(none)) != 0;

        if (is_known)
                pipit_key_format(PIPIT_KEY_PUBLIC, shake->key, key);
        source_format(&shake->peer->source, source);
        pipit_log_line(shake->all->sealed->server->log,
                       PIPIT_LOG_WARNING,
                       "handshake denied",
                       PIPIT_LOG_STRING("reason", shake->why),
                       PIPIT_LOG_STRING("source", source),
                       PIPIT_LOG_STRING("key", is_known ? key : NULL),
                       PIPIT_LOG_STRING("principal", shake->name[0] ? shake->name : NULL));
}

static void log_success(const struct handshake *shake)
{
        char source[SOURCE_TEXT_SIZE];

        source_format(&shake->peer->source, source);
        pipit_log_line(shake->all->sealed->server->log,
                       PIPIT_LOG_DEBUG,
                       "session begun",
                       PIPIT_LOG_STRING("principal", shake->principal->name),
                       PIPIT_LOG_STRING("source", source),
                       PIPIT_LOG_INT("client_time_us", shake->said.client_time_us));
}

/* A source over its limit is told so, and loses its pipe. */
static void turn_away(struct handshake *shake)
{
        struct sealed *sealed = shake->all->sealed;
        bool within = true;

        if (shake->why)
                within =
                        pipit_handshake_limiter_fail(sealed->limiter, shake->source, shake->now_us);
        if (shake->why && within)
                log_failure(shake);
        if (!within) {
                sealed_count_unlogged(sealed);
                (void)be_busy(shake, LIMITED_RETRY_MS);
        }

        held_reject(shake->hello.context, &shake->reject);
        if (!within)
                peer_close(shake->peer);
}

static void answer(struct handshake *shake)
{
        struct rep_message *welcome = rep_message_new(PIPIT_WELCOME_FRAME_BYTES);

        if (identify(shake) && welcome && make_session(shake, rep_message_bytes(welcome))) {
                log_success(shake);
                held_answer(shake->hello.context, welcome);
                return;
        }

        if (!shake->reject.code)
                (void)be_busy(shake, BUSY_RETRY_MS);
        rep_message_free(welcome);
        turn_away(shake);
}

static void run(struct handshakes *handshakes, const struct hello *hello)
{
        struct pipit_server *server = handshakes->sealed->server;
        struct handshake shake = {
                .all = handshakes,
                .hello = *hello,
                .peer = peer_ref(hello->context->peer),
                .source = source_number(&hello->context->peer->source),
                .now_us = sealed_now_us(handshakes->sealed),
        };

        /* From here on the next may come. */
        atomic_store(&shake.peer->shakes_hands, false);
        if (atomic_load(&server->closing) || atomic_load(&shake.peer->gone)) {
                held_drop(shake.hello.context);
        } else {
                pipit_handshake_init(&shake.noise, handshakes->keys, NULL);
                answer(&shake);
                pipit_noise_deinit(&shake.noise);
        }
        if (shake.principal)
                principal_unref(server, shake.principal);
        rep_message_free(shake.hello.message);
        peer_unref(shake.peer);
}

/* --- thread ---------------------------------------------------------------- */

static void *handshakes_main(void *argument)
{
        struct handshakes *handshakes = argument;

        pthread_mutex_lock(&handshakes->mutex);
        while (!handshakes->ending || handshakes->n_hellos > 0) {
                struct hello hello = handshakes->hellos[handshakes->first];

                if (handshakes->n_hellos == 0) {
                        pthread_cond_wait(&handshakes->changed, &handshakes->mutex);
                        continue;
                }
                handshakes->first = (handshakes->first + 1) % HELLOS_MAX;
                --handshakes->n_hellos;
                pthread_mutex_unlock(&handshakes->mutex);
                run(handshakes, &hello);
                pthread_mutex_lock(&handshakes->mutex);
        }
        pthread_mutex_unlock(&handshakes->mutex);

        return NULL;
}

struct handshakes *handshakes_new(struct sealed *sealed, const struct pipit_noise_keys *keys)
{
        struct handshakes *handshakes = calloc(1, sizeof(*handshakes));

        if (!handshakes)
                return NULL;

        handshakes->sealed = sealed;
        handshakes->keys = keys;
        pthread_mutex_init(&handshakes->mutex, NULL);
        pthread_cond_init(&handshakes->changed, NULL);
        if (pipit_thread_start(&handshakes->thread, handshakes_main, handshakes) != 0) {
                pthread_cond_destroy(&handshakes->changed);
                pthread_mutex_destroy(&handshakes->mutex);
                free(handshakes);
                return NULL;
        }

        return handshakes;
}

struct handshakes *handshakes_free(struct handshakes *handshakes)
{
        if (!handshakes)
                return NULL;

        pthread_mutex_lock(&handshakes->mutex);
        handshakes->ending = true;
        pthread_cond_signal(&handshakes->changed);
        pthread_mutex_unlock(&handshakes->mutex);
        pthread_join(handshakes->thread, NULL);
        pthread_cond_destroy(&handshakes->changed);
        pthread_mutex_destroy(&handshakes->mutex);
        free(handshakes);

        return NULL;
}

/* False: too many wait, or another of its pipe does. */
static bool enqueue(struct handshakes *handshakes,
                    struct rep_context *context,
                    struct rep_message *hello)
{
        atomic_bool *shakes_hands = &context->peer->shakes_hands;
        bool taken;

        if (atomic_exchange(shakes_hands, true))
                return false;

        pthread_mutex_lock(&handshakes->mutex);
        taken = handshakes->n_hellos < HELLOS_MAX && !handshakes->ending;
        if (taken) {
                size_t last = (handshakes->first + handshakes->n_hellos++) % HELLOS_MAX;

                handshakes->hellos[last] = (struct hello){
                        .context = context,
                        .message = hello,
                        .came_us = sealed_now_us(handshakes->sealed),
                };
                pthread_cond_signal(&handshakes->changed);
        }
        pthread_mutex_unlock(&handshakes->mutex);
        if (!taken)
                atomic_store(shakes_hands, false);

        return taken;
}

void handshakes_submit(struct handshakes *handshakes,
                       struct rep_context *context,
                       struct rep_message *hello)
{
        struct sealed *sealed = handshakes->sealed;
        struct pipit_reject busy = {.code = PIPIT_REJECT_BUSY, .retry_ms = BUSY_RETRY_MS};
        bool admitted = pipit_handshake_limiter_admit(
                sealed->limiter, source_number(&context->peer->source), sealed_now_us(sealed));

        if (admitted && enqueue(handshakes, context, hello))
                return;

        if (!admitted) {
                busy.retry_ms = LIMITED_RETRY_MS;
                sealed_count_unlogged(sealed);
        }
        rep_message_free(hello);
        held_reject(context, &busy);
}
