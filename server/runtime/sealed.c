#include "server/runtime/sealed.h"

#include <stdlib.h>

#include "core/base/clock.h"
#include "server/runtime/peer.h"
#include "server/runtime/principal.h"
#include "server/runtime/runtime.h"

/* How often sessions that are too old go, and their keys with them. Only while there are sessions. */
#define SWEEP_US PIPIT_US_PER_S

/* --- life ---------------------------------------------------------------- */

int64_t sealed_now_us(const struct sealed *sealed)
{
        const struct pipit_clock *clock = atomic_load(&sealed->clock);

        return clock->now_us(clock->context);
}

void sealed_set_clock(struct sealed *sealed, const struct pipit_clock *clock)
{
        atomic_store(&sealed->clock, clock);
}

static void sweep_later(struct sealed *sealed)
{
        housekeeping_arm(
                sealed->server->housekeeping, &sealed->timer, pipit_clock_now_us() + SWEEP_US);
}

static void log_unlogged(struct sealed *sealed)
{
        unsigned n = atomic_exchange(&sealed->n_unlogged, 0);

        if (n > 0)
                pipit_log_line(sealed->server->log,
                               PIPIT_LOG_WARNING,
                               "more handshakes failed than are logged one by one",
                               PIPIT_LOG_INT("handshakes", n));
}

static void sweep(struct timer *timer, int64_t now_us)
{
        struct sealed *sealed = pipit_container_of(timer, struct sealed, timer);

        (void)now_us;
        log_unlogged(sealed);
        (void)pipit_session_table_expire(sealed->table, sealed_now_us(sealed));
        if (pipit_session_table_count(sealed->table).n_sessions > 0)
                sweep_later(sealed);
        atomic_fetch_sub(&sealed->refs, 1);
}

void sealed_count_unlogged(struct sealed *sealed)
{
        atomic_fetch_add(&sealed->n_unlogged, 1);
        sweep_later(sealed);
}

struct sealed *sealed_new(struct pipit_server *server)
{
        struct sealed *sealed = calloc(1, sizeof(*sealed));

        if (!sealed)
                return NULL;

        sealed->server = server;
        atomic_init(&sealed->clock, &pipit_clock_system);
        atomic_init(&sealed->refs, 1);
        sealed->secrets = pipit_secret_pool_new();
        sealed->limiter = pipit_handshake_limiter_new();
        sealed->table = pipit_session_table_new(0, sealed->limiter);
        if (!sealed->secrets || !sealed->limiter || !sealed->table ||
            !housekeeping_add(server->housekeeping, &sealed->timer, sweep, &sealed->refs)) {
                pipit_session_table_free(sealed->table);
                pipit_handshake_limiter_free(sealed->limiter);
                pipit_secret_pool_free(sealed->secrets);
                free(sealed);
                return NULL;
        }

        return sealed;
}

struct sealed *sealed_free(struct sealed *sealed)
{
        if (!sealed)
                return NULL;

        housekeeping_remove(sealed->server->housekeeping, &sealed->timer);
        log_unlogged(sealed);
        pipit_session_table_free(sealed->table);
        pipit_handshake_limiter_free(sealed->limiter);
        pipit_secret_pool_free(sealed->secrets);
        free(sealed);

        return NULL;
}

/* --- sessions -------------------------------------------------------------- */

static void session_free(struct pipit_session *base)
{
        struct sealed_session *session = pipit_container_of(base, struct sealed_session, base);

        principal_unref(session->sealed->server, session->principal);
        free(session);
}

bool sealed_add(struct sealed *sealed,
                struct peer *peer,
                struct principal *principal,
                uint32_t frame_bytes_max,
                const struct pipit_session_options *options)
{
        struct sealed_session *session = calloc(1, sizeof(*session));
        struct pipit_session_options all = *options;
        int64_t now_us = sealed_now_us(sealed);
        bool added;

        all.is_server = true;
        all.secrets = sealed->secrets;
        all.free = session_free;
        if (!session || !pipit_session_init(&session->base, &all)) {
                free(session);
                return false;
        }
        session->sealed = sealed;
        session->principal = principal_ref(principal);
        session->frame_bytes_max = frame_bytes_max;

        added = pipit_session_table_add(
                sealed->table, &session->base, peer->pipe, source_number(&peer->source), now_us);
        /* Whose pipe went meanwhile would not be missed by sealed_remove_pipe() any more. */
        if (added && atomic_load(&peer->gone))
                pipit_session_table_remove(sealed->table, &session->base, now_us);
        pipit_session_unref(&session->base);
        sweep_later(sealed);

        return added;
}

void sealed_remove_pipe(struct sealed *sealed, uint32_t pipe)
{
        pipit_session_table_remove_pipe(sealed->table, pipe, sealed_now_us(sealed));
}

/* --- requests -------------------------------------------------------------- */

bool sealed_open(struct sealed *sealed,
                 struct rep_context *context,
                 struct rep_message *frame,
                 const uint8_t **ret_body,
                 size_t *ret_n_body)
{
        uint8_t *bytes = rep_message_bytes(frame);
        size_t n_bytes = rep_message_n_bytes(frame);
        const uint8_t *id = pipit_sealed_session_id(bytes, n_bytes);
        struct pipit_session *session =
                id ? pipit_session_table_find(sealed->table, id, context->peer->pipe) : NULL;
        struct pipit_opened opened;

        if (!session)
                return false;
        if (pipit_session_open_request(session, sealed_now_us(sealed), bytes, n_bytes, &opened) !=
            PIPIT_SESSION_OK) {
                pipit_session_unref(session);
                return false;
        }
        if (opened.is_first)
                pipit_session_table_confirm(sealed->table, session);

        context->session = pipit_container_of(session, struct sealed_session, base);
        context->counter = opened.counter;
        *ret_body = opened.body;
        *ret_n_body = opened.n_body;

        return true;
}

void sealed_revoke(struct rep_context *context)
{
        struct sealed_session *session = context->session;

        if (!session)
                return;

        pipit_log_line(session->sealed->server->log,
                       PIPIT_LOG_WARNING,
                       "session ended: its key is not listed any more",
                       PIPIT_LOG_STRING("principal", session->principal->name));
        pipit_session_table_remove(
                session->sealed->table, &session->base, sealed_now_us(session->sealed));
}

/* --- responses ------------------------------------------------------------- */

uint32_t sealed_response_bytes_max(const struct rep_context *context,
                                   const struct pipit_server_options *options)
{
        const struct sealed_session *session = context->session;

        if (session && session->frame_bytes_max < options->frame_bytes_max)
                return session->frame_bytes_max;

        return options->frame_bytes_max;
}

size_t sealed_n_before(const struct rep_context *context)
{
        return context->session ? PIPIT_SEALED_HEAD_BYTES : PIPIT_FRAME_HEADER_BYTES;
}

size_t sealed_n_behind(const struct rep_context *context)
{
        return context->session ? PIPIT_NOISE_TAG_BYTES : 0;
}

bool sealed_can_close(const struct rep_context *context)
{
        const struct sealed_session *session = context->session;

        return !session || (!atomic_load(&session->base.is_ended) &&
                            pipit_session_age(&session->base, sealed_now_us(session->sealed)) !=
                                    PIPIT_SESSION_TOO_OLD);
}

struct rep_message *sealed_close(const struct rep_context *context, struct rep_message *message)
{
        struct sealed_session *session = context->session;
        uint8_t *bytes = rep_message_bytes(message);
        size_t n_around = sealed_n_before(context) + sealed_n_behind(context);

        if (!session) {
                pipit_frame_header_write(PIPIT_FRAME_RESPONSE, bytes);
                return message;
        }

        if (pipit_session_seal_response(&session->base,
                                        sealed_now_us(session->sealed),
                                        context->counter,
                                        bytes,
                                        rep_message_n_bytes(message) - n_around) ==
            PIPIT_SESSION_OK)
                return message;

        return rep_message_free(message);
}

void sealed_let_go(struct rep_context *context)
{
        if (!context->session)
                return;

        pipit_session_unref(&context->session->base);
        context->session = NULL;
}
