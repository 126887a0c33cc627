#include "tests/integration/client/keyed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/access/key.h"
#include "core/access/key_file.h"
#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/base/uuid.h"
#include "core/rpc/status_codec.h"
#include "core/rpc/wire_limits.h"

#define INSTANCE 7

static void must(bool holds)
{
        if (!holds)
                abort();
}

static int64_t now_us(const struct keyed *keyed)
{
        return keyed->clock->now_us(keyed->clock->context);
}

/* --- files -------------------------------------------------------------------------- */

static void write_file(const char *path, const char *text)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
        close(fd);
}

void keyed_trust(const struct keyed *keyed, const char *url, const uint8_t *key)
{
        char text[PIPIT_KEY_TEXT_SIZE], line[256];

        pipit_key_format(PIPIT_KEY_PUBLIC, key, text);
        snprintf(line, sizeof(line), "%s %s\n", url, text);
        write_file(keyed->known_servers, line);
}

void keyed_init(struct keyed *keyed)
{
        const char *tmp = getenv("TMPDIR");
        struct pipit_access_problem problem;

        memset(keyed, 0, sizeof(*keyed));
        keyed->clock = &pipit_clock_system;
        keyed->max_frame = PIPIT_FRAME_BYTES_DEFAULT;
        snprintf(keyed->folder,
                 sizeof(keyed->folder),
                 "%s/keyed-XXXXXX",
                 tmp && strlen(tmp) < 40 ? tmp : "/tmp");
        must(mkdtemp(keyed->folder) != NULL);
        snprintf(keyed->key_file, sizeof(keyed->key_file), "%s/id.key", keyed->folder);
        snprintf(keyed->known_servers,
                 sizeof(keyed->known_servers),
                 "%s/known_servers",
                 keyed->folder);
        keyed->secrets = pipit_secret_pool_new();
        must(keyed->secrets != NULL);
        pipit_noise_keys_generate(&keyed->server);
        pipit_noise_keys_generate(&keyed->client);
        must(pipit_key_pair_save(&keyed->client, keyed->key_file, &problem));
        raw_listen_tcp(&keyed->raw, keyed->url, sizeof(keyed->url));
        keyed_trust(keyed, keyed->url, keyed->server.public);
}

struct pipit_channel *keyed_channel(struct keyed *keyed,
                                    const struct pipit_channel_options *options)
{
        struct pipit_channel_options full = {.timeout_ms = 60000};
        struct pipit_channel *channel;
        struct pipit_error error = {.status = PIPIT_OK};

        if (options)
                full = *options;
        full.key_file = keyed->key_file;
        full.known_servers_file = keyed->known_servers;
        channel = pipit_channel_new(keyed->url, &full, &error);
        if (!channel)
                fprintf(stderr, "%s\n", error.message);
        must(channel != NULL);

        return channel;
}

/* --- handshake ------------------------------------------------------------------------ */

static void forget_sessions(struct keyed *keyed)
{
        for (size_t i = 0; i < KEYED_SESSIONS; i++) {
                pipit_session_unref(keyed->sessions[i]);
                keyed->sessions[i] = NULL;
        }
}

static void add_session(struct keyed *keyed,
                        const struct pipit_welcome *welcome,
                        const struct pipit_noise_transport *transport)
{
        struct pipit_session *session = calloc(1, sizeof(*session));
        const struct pipit_session_options options = {
                .is_server = true,
                .transport = transport,
                .id = welcome->session_id,
                .peer_key = keyed->client.public,
                .begun_us = now_us(keyed),
                .rekey_s = welcome->rekey_s,
                .reject_s = welcome->reject_s,
                .secrets = keyed->secrets,
        };

        must(session && pipit_session_init(session, &options));
        pipit_session_unref(keyed->sessions[KEYED_SESSIONS - 1]);
        memmove(keyed->sessions + 1,
                keyed->sessions,
                (KEYED_SESSIONS - 1) * sizeof(*keyed->sessions));
        keyed->sessions[0] = session;
}

static void answer(struct keyed *keyed, struct raw_frame *frame)
{
        if (!keyed->on_answer || keyed->on_answer(keyed, frame))
                (void)raw_write_frame(&keyed->raw, frame);
        else
                atomic_fetch_add(&keyed->n_kept, 1);
}

static void answer_hello(struct keyed *keyed, const struct raw_frame *frame)
{
        struct pipit_noise_transport transport;
        struct pipit_welcome welcome = {
                .max_frame = keyed->max_frame,
                .proto = PIPIT_PROTO_VERSION,
                .max_inflight = 64,
                .rekey_s = PIPIT_SESSION_REKEY_S,
                .reject_s = PIPIT_SESSION_REJECT_S,
        };
        uint8_t key[PIPIT_NOISE_KEY_BYTES], bytes[PIPIT_WELCOME_FRAME_BYTES];
        struct raw_frame out = {.id = frame->id, .bytes = bytes, .n_bytes = sizeof(bytes)};
        struct pipit_noise noise;
        struct pipit_hello hello;

        atomic_fetch_add(&keyed->n_hellos, 1);
        pipit_handshake_init(&noise, &keyed->server, NULL);
        if (!pipit_hello_read_key(&noise, frame->bytes, frame->n_bytes, key) ||
            memcmp(key, keyed->client.public, sizeof(key)) != 0 ||
            !pipit_hello_read(&noise, frame->bytes, frame->n_bytes, &hello)) {
                pipit_noise_deinit(&noise);
                (void)keyed_reject(keyed, frame, PIPIT_REJECT_DENIED);
                return;
        }
        pipit_random_bytes(welcome.session_id, sizeof(welcome.session_id));
        must(pipit_welcome_write(&noise, &welcome, bytes, &transport));
        add_session(keyed, &welcome, &transport);
        answer(keyed, &out);
}

/* --- calls ------------------------------------------------------------------------------ */

static struct keyed_call *find(struct keyed *keyed, uint64_t id)
{
        for (size_t i = 0; i < keyed->n_calls; i++)
                if (keyed->calls[i].id == id)
                        return &keyed->calls[i];

        return NULL;
}

static bool has_run(const struct keyed *keyed, const char *text)
{
        for (size_t i = 0; i < keyed->n_calls; i++)
                if (!keyed->calls[i].is_tombstone && strcmp(keyed->calls[i].text, text) == 0)
                        return true;

        return false;
}

/* The text of a BytesValue: tag, length, bytes. */
static void read_text(const ProtobufCBinaryData *payload, char *ret_text, size_t n_text)
{
        size_t n_bytes = payload->len > 2 ? payload->len - 2 : 0;

        if (n_bytes >= n_text)
                n_bytes = n_text - 1;
        if (n_bytes > 0)
                memcpy(ret_text, payload->data + 2, n_bytes);
        ret_text[n_bytes] = '\0';
}

/* Texts that begin with '*' may run as often as they like. */
static void run(struct keyed *keyed, uint64_t id, const ProtobufCBinaryData *payload)
{
        struct keyed_call call = {.id = id};

        if (find(keyed, id))
                return; /* a tombstone, or a copy */
        read_text(payload, call.text, sizeof(call.text));
        if (call.text[0] != '*' && has_run(keyed, call.text))
                atomic_store(&keyed->ran_twice, true);
        must(keyed->n_calls < KEYED_CALLS);
        keyed->calls[keyed->n_calls++] = call;
        atomic_fetch_add(&keyed->n_runs, 1);
}

static Pipit__V1__Reply *reply_to(struct keyed *keyed, uint64_t id, struct pipit_arena *arena)
{
        const struct pipit_error not_received = {
                .status = PIPIT_UNAVAILABLE,
                .ran = PIPIT_NOT_RUN,
                .reason = "CALL_NOT_RECEIVED",
        };
        const struct keyed_call *call = find(keyed, id);
        Pipit__V1__Reply *reply = pipit_arena_alloc(arena, sizeof(*reply));
        size_t n_text;

        pipit__v1__reply__init(reply);
        reply->id = id;
        if (!call) {
                must(keyed->n_calls < KEYED_CALLS);
                keyed->calls[keyed->n_calls++] =
                        (struct keyed_call){.id = id, .is_tombstone = true};
        }
        if (!call || call->is_tombstone) {
                reply->status = pipit_status_encode(&not_received, arena);
                return reply;
        }
        n_text = strlen(call->text);
        reply->payload.len = 2 + n_text;
        reply->payload.data = pipit_arena_alloc(arena, 2 + n_text);
        reply->payload.data[0] = 0x0a;
        reply->payload.data[1] = (uint8_t)n_text;
        memcpy(reply->payload.data + 2, call->text, n_text);

        return reply;
}

static void seal(struct keyed *keyed,
                 struct pipit_session *session,
                 uint64_t counter,
                 const Pipit__V1__Response *response,
                 uint32_t id)
{
        size_t n_body = pipit__v1__response__get_packed_size(response);
        struct raw_frame out = {.id = id, .n_bytes = n_body + PIPIT_SEALED_OVERHEAD_BYTES};

        /* With room for a meddler. */
        out.bytes = calloc(1, out.n_bytes + 64);
        must(out.bytes != NULL);
        pipit__v1__response__pack(response, out.bytes + PIPIT_SEALED_HEAD_BYTES);
        if (pipit_session_seal_response(session, now_us(keyed), counter, out.bytes, n_body) ==
            PIPIT_SESSION_OK)
                answer(keyed, &out);
        free(out.bytes);
}

static void take_request(struct keyed *keyed,
                         struct pipit_session *session,
                         uint64_t counter,
                         const Pipit__V1__Request *request,
                         uint32_t id)
{
        Pipit__V1__Response response = PIPIT__V1__RESPONSE__INIT;
        struct pipit_arena arena = {0};

        for (size_t i = 0; i < request->n_calls; i++)
                run(keyed, request->calls[i]->id, &request->calls[i]->payload);
        response.instance = INSTANCE;
        response.replies = pipit_arena_alloc(
                &arena, (request->n_calls + request->n_awaits + 1) * sizeof(void *));
        for (size_t i = 0; i < request->n_calls; i++)
                response.replies[response.n_replies++] =
                        reply_to(keyed, request->calls[i]->id, &arena);
        for (size_t i = 0; i < request->n_awaits; i++)
                response.replies[response.n_replies++] =
                        reply_to(keyed, request->awaits[i], &arena);
        seal(keyed, session, counter, &response, id);
        pipit_arena_deinit(&arena);
}

static struct pipit_session *session_of(struct keyed *keyed, const struct raw_frame *frame)
{
        const uint8_t *id = pipit_sealed_session_id(frame->bytes, frame->n_bytes);

        for (size_t i = 0; id && i < KEYED_SESSIONS; i++)
                if (keyed->sessions[i] &&
                    memcmp(keyed->sessions[i]->id, id, PIPIT_SESSION_ID_BYTES) == 0)
                        return keyed->sessions[i];

        return NULL;
}

static void answer_sealed(struct keyed *keyed, const struct raw_frame *frame)
{
        struct pipit_session *session = session_of(keyed, frame);
        Pipit__V1__Request *request;
        struct pipit_opened opened;

        if (!session || pipit_session_open_request(
                                session, now_us(keyed), frame->bytes, frame->n_bytes, &opened) !=
                                PIPIT_SESSION_OK) {
                atomic_fetch_add(&keyed->n_sealed_badly, 1);
                (void)keyed_reject(keyed, frame, PIPIT_REJECT_NO_SESSION);
                return;
        }
        atomic_fetch_add(&keyed->n_frames, 1);
        if (frame->n_bytes > atomic_load(&keyed->n_bytes_longest))
                atomic_store(&keyed->n_bytes_longest, (unsigned int)frame->n_bytes);
        atomic_store(&keyed->is_newest, session == keyed->sessions[0]);
        request = pipit__v1__request__unpack(NULL, opened.n_body, opened.body);
        must(request != NULL);
        take_request(keyed, session, opened.counter, request, frame->id);
        pipit__v1__request__free_unpacked(request, NULL);
}

/* --- the line ----------------------------------------------------------------------------- */

enum pipit_frame_kind keyed_kind(const struct raw_frame *frame)
{
        return (enum pipit_frame_kind)frame->bytes[3];
}

bool keyed_reply_bytes(struct keyed *keyed,
                       const struct raw_frame *frame,
                       const void *bytes,
                       size_t n_bytes)
{
        struct raw_frame out = {.id = frame->id, .n_bytes = n_bytes};

        out.bytes = malloc(n_bytes + 1);
        must(out.bytes != NULL);
        memcpy(out.bytes, bytes, n_bytes);
        (void)raw_write_frame(&keyed->raw, &out);
        free(out.bytes);

        return false;
}

bool keyed_reject(struct keyed *keyed, const struct raw_frame *frame, unsigned int code)
{
        const struct pipit_reject reject = {.code = (enum pipit_reject_code)code, .detail = 9};
        uint8_t bytes[PIPIT_REJECT_FRAME_BYTES];

        pipit_reject_write(&reject, bytes);

        return keyed_reply_bytes(keyed, frame, bytes, sizeof(bytes));
}

bool keyed_hang_up(struct keyed *keyed)
{
        (void)shutdown(keyed->raw.fd, SHUT_RDWR);

        return false;
}

static bool keep(struct keyed *keyed, struct raw_frame *frame)
{
        (void)keyed;
        (void)frame;

        return false;
}

static void take(struct keyed *keyed, const struct raw_frame *frame)
{
        switch (keyed_kind(frame)) {
        case PIPIT_FRAME_HELLO:
                answer_hello(keyed, frame);
                break;
        case PIPIT_FRAME_SEALED_REQUEST:
                answer_sealed(keyed, frame);
                break;
        default:
                atomic_fetch_add(&keyed->n_sealed_badly, 1);
                (void)keyed_reject(keyed, frame, PIPIT_REJECT_DENIED);
                break;
        }
}

void keyed_take_silently(struct keyed *keyed, const struct raw_frame *frame)
{
        keyed_meddle_fn before = keyed->on_answer;

        keyed->on_answer = keep;
        take(keyed, frame);
        keyed->on_answer = before;
}

static void serve_one(struct keyed *keyed)
{
        struct raw_frame frame;

        while (raw_read_frame(&keyed->raw, &frame)) {
                if (!keyed->on_frame || keyed->on_frame(keyed, &frame))
                        take(keyed, &frame);
                free(frame.bytes);
        }
}

/* False: it is to end, or the client left in the greeting. */
static bool greet(struct keyed *keyed)
{
        uint8_t greeting[RAW_GREETING_BYTES];

        raw_write(&keyed->raw, raw_greeting, sizeof(raw_greeting));

        return raw_read(&keyed->raw, greeting, sizeof(greeting));
}

static void *serve(void *context)
{
        struct keyed *keyed = context;

        for (;;) {
                raw_accept_only(&keyed->raw);
                if (atomic_load(&keyed->is_stopping))
                        break;
                atomic_fetch_add(&keyed->n_accepts, 1);
                if (greet(keyed))
                        serve_one(keyed);
                raw_hang_up(&keyed->raw);
                forget_sessions(keyed);
        }

        return NULL;
}

void keyed_start(struct keyed *keyed)
{
        must(pthread_create(&keyed->thread, NULL, serve, keyed) == 0);
}

/* A connection that says no word ends the wait for one. */
static void knock(const struct keyed *keyed)
{
        struct sockaddr_storage address;
        socklen_t n_bytes = sizeof(address);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        must(getsockname(keyed->raw.listener, (struct sockaddr *)&address, &n_bytes) == 0);
        must(fd >= 0 && connect(fd, (struct sockaddr *)&address, n_bytes) == 0);
        close(fd);
}

void keyed_deinit(struct keyed *keyed)
{
        atomic_store(&keyed->is_stopping, true);
        if (keyed->thread) {
                knock(keyed);
                pthread_join(keyed->thread, NULL);
        }
        raw_close(&keyed->raw);
        forget_sessions(keyed);
        (void)pipit_secret_pool_free(keyed->secrets);
        (void)unlink(keyed->key_file);
        (void)unlink(keyed->known_servers);
        (void)rmdir(keyed->folder);
}
