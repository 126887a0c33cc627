#include "core/rpc/session.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/rpc/frame.h"
#include "core/rpc/little_endian.h"

#define ID_AT          PIPIT_FRAME_HEADER_BYTES
#define COUNTER_AT     (ID_AT + PIPIT_SESSION_ID_BYTES)
#define CLEAR_BYTES    (COUNTER_AT + 8)
#define KIND_AT        CLEAR_BYTES
#define FLAGS_AT       (KIND_AT + 1)
#define IN_REPLY_TO_AT (FLAGS_AT + 1)

_Static_assert(IN_REPLY_TO_AT + 8 == PIPIT_SEALED_HEAD_BYTES, "docs/wire.md: sealed frames");
_Static_assert(PIPIT_SECRET_BYTES == 2 * PIPIT_NOISE_KEY_BYTES, "both keys have a place");

/* --- life --------------------------------------------------------------------- */

static int64_t later(int64_t begun_us, uint32_t wanted_s, uint32_t max_s)
{
        return begun_us + PIPIT_US_PER_S * (wanted_s > 0 && wanted_s < max_s ? wanted_s : max_s);
}

bool pipit_session_init(struct pipit_session *session, const struct pipit_session_options *options)
{
        const struct pipit_noise_transport *transport = options->transport;

        if (!pipit_secret_pool_take(options->secrets, &session->secret))
                return false;
        if (pthread_mutex_init(&session->mutex, NULL) != 0) {
                pipit_secret_pool_give(options->secrets, &session->secret);
                return false;
        }

        memcpy(session->secret.bytes, transport->send, PIPIT_NOISE_KEY_BYTES);
        memcpy(session->secret.bytes + PIPIT_NOISE_KEY_BYTES,
               transport->receive,
               PIPIT_NOISE_KEY_BYTES);
        memcpy(session->id, options->id, sizeof(session->id));
        memcpy(session->peer_key, options->peer_key, sizeof(session->peer_key));
        session->is_server = options->is_server;
        session->begun_us = options->begun_us;
        session->rekey_due_us = later(options->begun_us, options->rekey_s, PIPIT_SESSION_REKEY_S);
        session->too_old_us = later(options->begun_us, options->reject_s, PIPIT_SESSION_REJECT_S);
        session->secrets = options->secrets;
        session->free = options->free;
        atomic_init(&session->generation, 0);
        atomic_init(&session->is_confirmed, !options->is_server);
        atomic_init(&session->is_ended, false);
        atomic_init(&session->next_counter, 0);
        atomic_init(&session->refs, 1);

        return true;
}

struct pipit_session *pipit_session_ref(struct pipit_session *session)
{
        atomic_fetch_add_explicit(&session->refs, 1, memory_order_relaxed);
        return session;
}

void pipit_session_unref(struct pipit_session *session)
{
        if (!session || atomic_fetch_sub(&session->refs, 1) > 1)
                return;

        pipit_secret_pool_give(session->secrets, &session->secret);
        (void)pthread_mutex_destroy(&session->mutex);
        if (session->free)
                session->free(session);
        else
                free(session);
}

void pipit_session_end(struct pipit_session *session)
{
        atomic_store(&session->is_ended, true);
}

enum pipit_session_age pipit_session_age(const struct pipit_session *session, int64_t now_us)
{
        if (now_us >= session->too_old_us)
                return PIPIT_SESSION_TOO_OLD;

        return now_us >= session->rekey_due_us ? PIPIT_SESSION_REKEY_DUE : PIPIT_SESSION_FRESH;
}

/* Whether anything may be done with it at all. */
static enum pipit_session_result check_life(const struct pipit_session *session, int64_t now_us)
{
        if (atomic_load(&session->is_ended))
                return PIPIT_SESSION_ENDED;
        if (pipit_session_age(session, now_us) == PIPIT_SESSION_TOO_OLD)
                return PIPIT_SESSION_EXPIRED;

        return PIPIT_SESSION_OK;
}

/* --- sealing -------------------------------------------------------------------- */

/* False: there is none left. */
static bool next_counter(struct pipit_session *session, uint64_t *ret_counter)
{
        uint64_t counter = atomic_load(&session->next_counter);

        do {
                if (counter >= PIPIT_SESSION_COUNTERS)
                        return false;
        } while (!atomic_compare_exchange_weak(&session->next_counter, &counter, counter + 1));

        *ret_counter = counter;
        return true;
}

static enum pipit_session_result seal(struct pipit_session *session,
                                      int64_t now_us,
                                      uint64_t in_reply_to,
                                      uint8_t *frame,
                                      size_t n_body,
                                      uint64_t *ret_counter)
{
        const enum pipit_frame_kind kind =
                session->is_server ? PIPIT_FRAME_SEALED_RESPONSE : PIPIT_FRAME_SEALED_REQUEST;
        const size_t n_plain = PIPIT_SEALED_HEAD_BYTES - CLEAR_BYTES + n_body;
        enum pipit_session_result result = check_life(session, now_us);
        uint64_t counter;

        if (result != PIPIT_SESSION_OK)
                return result;
        if (!next_counter(session, &counter))
                return PIPIT_SESSION_EXHAUSTED;

        pipit_frame_header_write(kind, frame);
        memcpy(frame + ID_AT, session->id, PIPIT_SESSION_ID_BYTES);
        pipit_write_u64(frame + COUNTER_AT, counter);
        frame[KIND_AT] = (uint8_t)kind;
        frame[FLAGS_AT] = 0;
        pipit_write_u64(frame + IN_REPLY_TO_AT, in_reply_to);
        pipit_noise_encrypt(session->secret.bytes,
                            counter,
                            frame,
                            CLEAR_BYTES,
                            frame + CLEAR_BYTES,
                            n_plain,
                            frame + CLEAR_BYTES + n_plain);
        *ret_counter = counter;

        return PIPIT_SESSION_OK;
}

enum pipit_session_result pipit_session_seal_request(struct pipit_session *session,
                                                     int64_t now_us,
                                                     uint8_t *frame,
                                                     size_t n_body,
                                                     uint64_t *ret_counter)
{
        if (session->is_server)
                return PIPIT_SESSION_MALFORMED;

        return seal(session, now_us, 0, frame, n_body, ret_counter);
}

enum pipit_session_result pipit_session_seal_response(struct pipit_session *session,
                                                      int64_t now_us,
                                                      uint64_t request_counter,
                                                      uint8_t *frame,
                                                      size_t n_body)
{
        uint64_t counter;

        if (!session->is_server)
                return PIPIT_SESSION_MALFORMED;

        return seal(session, now_us, request_counter, frame, n_body, &counter);
}

/* --- opening --------------------------------------------------------------------- */

const uint8_t *pipit_sealed_session_id(const uint8_t *frame, size_t n_frame)
{
        return n_frame >= PIPIT_SEALED_OVERHEAD_BYTES ? frame + ID_AT : NULL;
}

static bool check_window(struct pipit_session *session, uint64_t counter)
{
        bool ok;

        (void)pthread_mutex_lock(&session->mutex);
        ok = pipit_replay_window_check(&session->window, counter);
        (void)pthread_mutex_unlock(&session->mutex);

        return ok;
}

/* False: another thread has taken the same counter meanwhile. */
static bool mark_window(struct pipit_session *session, uint64_t counter)
{
        bool ok;

        (void)pthread_mutex_lock(&session->mutex);
        ok = pipit_replay_window_check(&session->window, counter);
        if (ok)
                pipit_replay_window_mark(&session->window, counter);
        (void)pthread_mutex_unlock(&session->mutex);

        return ok;
}

/* What can be said of a frame without a key. */
static enum pipit_session_result check_clear(struct pipit_session *session,
                                             enum pipit_frame_kind kind,
                                             const uint8_t *frame,
                                             size_t n_frame)
{
        enum pipit_frame_kind read_kind;
        uint64_t counter;

        if (n_frame < PIPIT_SEALED_OVERHEAD_BYTES ||
            pipit_frame_header_read(frame, n_frame, &read_kind) != PIPIT_FRAME_OK ||
            read_kind != kind || memcmp(frame + ID_AT, session->id, PIPIT_SESSION_ID_BYTES) != 0)
                return PIPIT_SESSION_MALFORMED;

        counter = pipit_read_u64(frame + COUNTER_AT);
        if (counter >= PIPIT_SESSION_COUNTERS)
                return PIPIT_SESSION_MALFORMED;

        return check_window(session, counter) ? PIPIT_SESSION_OK : PIPIT_SESSION_REPLAYED;
}

static enum pipit_session_result open_frame(struct pipit_session *session,
                                            enum pipit_frame_kind kind,
                                            uint64_t in_reply_to,
                                            uint8_t *frame,
                                            size_t n_frame)
{
        const size_t n_plain = n_frame - CLEAR_BYTES - PIPIT_NOISE_TAG_BYTES;
        const uint64_t counter = pipit_read_u64(frame + COUNTER_AT);

        if (!pipit_noise_decrypt(session->secret.bytes + PIPIT_NOISE_KEY_BYTES,
                                 counter,
                                 frame,
                                 CLEAR_BYTES,
                                 frame + CLEAR_BYTES,
                                 n_plain,
                                 frame + CLEAR_BYTES + n_plain))
                return PIPIT_SESSION_FORGED;
        if (frame[KIND_AT] != (uint8_t)kind || frame[FLAGS_AT] != 0)
                return PIPIT_SESSION_MALFORMED;
        if (pipit_read_u64(frame + IN_REPLY_TO_AT) != in_reply_to)
                return PIPIT_SESSION_MISPLACED;

        return mark_window(session, counter) ? PIPIT_SESSION_OK : PIPIT_SESSION_REPLAYED;
}

static enum pipit_session_result open_as(struct pipit_session *session,
                                         enum pipit_frame_kind kind,
                                         int64_t now_us,
                                         uint64_t in_reply_to,
                                         uint8_t *frame,
                                         size_t n_frame,
                                         struct pipit_opened *ret)
{
        const bool is_ours = session->is_server == (kind == PIPIT_FRAME_SEALED_REQUEST);
        enum pipit_session_result result = check_life(session, now_us);

        if (!is_ours)
                return PIPIT_SESSION_MALFORMED;
        if (result == PIPIT_SESSION_OK)
                result = check_clear(session, kind, frame, n_frame);
        if (result == PIPIT_SESSION_OK)
                result = open_frame(session, kind, in_reply_to, frame, n_frame);
        if (result != PIPIT_SESSION_OK)
                return result;

        *ret = (struct pipit_opened){
                .body = frame + PIPIT_SEALED_HEAD_BYTES,
                .n_body = n_frame - PIPIT_SEALED_OVERHEAD_BYTES,
                .counter = pipit_read_u64(frame + COUNTER_AT),
                .is_first = !atomic_exchange(&session->is_confirmed, true),
        };
        return PIPIT_SESSION_OK;
}

enum pipit_session_result pipit_session_open_request(struct pipit_session *session,
                                                     int64_t now_us,
                                                     uint8_t *frame,
                                                     size_t n_frame,
                                                     struct pipit_opened *ret)
{
        return open_as(session, PIPIT_FRAME_SEALED_REQUEST, now_us, 0, frame, n_frame, ret);
}

enum pipit_session_result pipit_session_open_response(struct pipit_session *session,
                                                      int64_t now_us,
                                                      uint64_t request_counter,
                                                      uint8_t *frame,
                                                      size_t n_frame,
                                                      struct pipit_opened *ret)
{
        return open_as(
                session, PIPIT_FRAME_SEALED_RESPONSE, now_us, request_counter, frame, n_frame, ret);
}

const char *pipit_session_result_text(enum pipit_session_result result)
{
        switch (result) {
#define RESULT_CASE(name, text)                                                                    \
        case PIPIT_SESSION_##name:                                                                 \
                return text;
                PIPIT_SESSION_RESULT_MAP(RESULT_CASE)
#undef RESULT_CASE
        }

        return "unknown";
}
