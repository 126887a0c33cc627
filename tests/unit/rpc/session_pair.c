#include "tests/unit/rpc/session_pair.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/uuid.h"

static struct pipit_session *make(struct session_pair *pair,
                                  bool is_server,
                                  const struct pipit_noise_transport *transport)
{
        static const uint8_t id[PIPIT_SESSION_ID_BYTES] = "a session's id!", key[32] = {7};
        struct pipit_session *session = calloc(1, sizeof(*session));

        assert_non_null(session);
        assert_true(pipit_session_init(session,
                                       &(struct pipit_session_options){
                                               .is_server = is_server,
                                               .transport = transport,
                                               .id = id,
                                               .peer_key = key,
                                               .secrets = pair->secrets,
                                       }));
        return session;
}

void session_pair_init(struct session_pair *pair)
{
        struct pipit_noise_transport transport, crossed;

        pair->secrets = pipit_secret_pool_new();
        assert_non_null(pair->secrets);
        pipit_random_bytes(&transport, sizeof(transport));
        memcpy(crossed.send, transport.receive, 32);
        memcpy(crossed.receive, transport.send, 32);
        pair->client = make(pair, false, &transport);
        pair->server = make(pair, true, &crossed);
}

void session_pair_deinit(struct session_pair *pair)
{
        pipit_session_unref(pair->client);
        pipit_session_unref(pair->server);
        pair->secrets = pipit_secret_pool_free(pair->secrets);
}

static struct sealed_frame frame_with(const char *body)
{
        struct sealed_frame frame = {.n_bytes = strlen(body) + PIPIT_SEALED_OVERHEAD_BYTES};

        assert_true(frame.n_bytes <= sizeof(frame.bytes));
        memcpy(frame.bytes + PIPIT_SEALED_HEAD_BYTES, body, strlen(body));
        return frame;
}

struct sealed_frame session_pair_request(struct session_pair *pair,
                                         int64_t now_us,
                                         const char *body)
{
        struct sealed_frame frame = frame_with(body);

        assert_int_equal(pipit_session_seal_request(
                                 pair->client, now_us, frame.bytes, strlen(body), &frame.counter),
                         PIPIT_SESSION_OK);
        return frame;
}

struct sealed_frame session_pair_response(struct session_pair *pair,
                                          int64_t now_us,
                                          uint64_t request_counter,
                                          const char *body)
{
        struct sealed_frame frame = frame_with(body);

        assert_int_equal(pipit_session_seal_response(
                                 pair->server, now_us, request_counter, frame.bytes, strlen(body)),
                         PIPIT_SESSION_OK);
        return frame;
}

static void check_body(const struct pipit_opened *opened, const char *expected)
{
        if (!expected)
                return;
        assert_int_equal(opened->n_body, strlen(expected));
        assert_memory_equal(opened->body, expected, opened->n_body);
}

enum pipit_session_result session_pair_take_request(struct session_pair *pair,
                                                    int64_t now_us,
                                                    const struct sealed_frame *frame,
                                                    const char *expected)
{
        struct sealed_frame copy = *frame;
        struct pipit_opened opened;
        enum pipit_session_result result =
                pipit_session_open_request(pair->server, now_us, copy.bytes, copy.n_bytes, &opened);

        if (result == PIPIT_SESSION_OK)
                check_body(&opened, expected);
        return result;
}

enum pipit_session_result session_pair_take_response(struct session_pair *pair,
                                                     int64_t now_us,
                                                     uint64_t request_counter,
                                                     const struct sealed_frame *frame,
                                                     const char *expected)
{
        struct sealed_frame copy = *frame;
        struct pipit_opened opened;
        enum pipit_session_result result = pipit_session_open_response(
                pair->client, now_us, request_counter, copy.bytes, copy.n_bytes, &opened);

        if (result == PIPIT_SESSION_OK)
                check_body(&opened, expected);
        return result;
}
