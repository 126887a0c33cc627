#include <pipit/test_clock.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/rpc/wire_limits.h"
#include "server/runtime/runtime.h"
#include "tests/integration/runtime/keyed.h"

#define S           PIPIT_US_PER_S
#define FRAME_BYTES ((size_t)PIPIT_FRAME_BYTES_DEFAULT)

/* Sends a call of Sleep, the first of all, and returns its frame when it runs. */
static struct sealed_frame start_sleep(struct keyed *keyed,
                                       struct sealed_peer *peer,
                                       struct pipit_session *session,
                                       const struct client *client,
                                       uint64_t id)
{
        struct request request;
        struct sealed_frame frame;

        request_init(&request, client);
        request_call(&request, id, SLEEP)->timeout_ms = PIPIT_TIMEOUT_MS_MAX;
        frame = sealed_request(session, &request);
        assert_int_not_equal(0, sealed_peer_send(peer, frame.bytes, frame.n_bytes));
        fixture_wait_parked(&keyed->fixture, 1);

        return frame;
}

/* The next answer is to @frame, and has a reply of @id, which is good. Frees @frame. */
static void assert_answered(struct sealed_peer *peer,
                            struct pipit_session *session,
                            struct sealed_frame *frame,
                            uint64_t id)
{
        struct sealed_frame back = keyed_receive(peer);
        struct answer answer;

        sealed_answer(session, frame->counter, &back, &answer);
        assert_ok(&answer, id);
        answer_deinit(&answer);
        sealed_frame_free(&back);
        sealed_frame_free(frame);
}

/* --- calls ----------------------------------------------------------------- */

static void a_sealed_call_runs_as_the_name_of_its_key(void **state)
{
        const struct client simple = {.full = false};
        struct keyed keyed;
        struct sealed_peer peer;
        struct pipit_session *session;
        struct sealed_frame frame;

        (void)state;
        keyed_start(&keyed, NULL);
        session = keyed_connect(&keyed, &peer, &keyed.alice);
        sealed_peer_assert_echoes(&peer, session);
        frame = start_sleep(&keyed, &peer, session, &simple, 7);
        assert_string_equal("key:alice",
                            pipit_server_call_principal(fixture_parked(&keyed.fixture, 0)));
        fixture_answer(&keyed.fixture, 0);
        assert_answered(&peer, session, &frame, 7);
        keyed_leave(&peer, session);
        keyed_stop(&keyed);
}

/* The same client_id, the same ids, the same pipe, another key. */
static void assert_sees_nothing_of_call_5(struct sealed_peer *peer,
                                          struct pipit_session *session,
                                          const struct client *client)
{
        struct request request;
        struct answer answer;

        request_init(&request, client);
        request_cancel(&request, 5);
        sealed_peer_run(peer, session, &request, &answer);
        answer_deinit(&answer);
        request_init(&request, client);
        request_await(&request, 5);
        sealed_peer_run(peer, session, &request, &answer);
        assert_failed(&answer, 5, PIPIT_UNAVAILABLE, PIPIT_NOT_RUN, "CALL_NOT_RECEIVED");
        answer_deinit(&answer);
        request_init(&request, client);
        request_echo(&request, 8, "mine", 0);
        sealed_peer_run(peer, session, &request, &answer);
        assert_int_equal(1, answer.response->n_replies);
        assert_ok(&answer, 8);
        answer_deinit(&answer);
}

static void a_mailbox_is_the_keys_and_no_other_of_its_pipe_sees_it(void **state)
{
        const struct client full = {.full = true, .id = {1, 2, 3}};
        struct keyed keyed;
        struct sealed_peer peer;
        struct pipit_session *alice, *bob;
        struct sealed_frame frame;

        (void)state;
        keyed_start(&keyed, NULL);
        alice = keyed_connect(&keyed, &peer, &keyed.alice);
        bob = sealed_peer_session(&peer, &keyed.bob, keyed.server.public);
        frame = start_sleep(&keyed, &peer, alice, &full, 5);
        assert_sees_nothing_of_call_5(&peer, bob, &full);
        assert_false(pipit_server_call_cancelled(fixture_parked(&keyed.fixture, 0)));
        fixture_answer(&keyed.fixture, 0);
        assert_answered(&peer, alice, &frame, 5);
        pipit_session_unref(bob);
        keyed_leave(&peer, alice);
        keyed_stop(&keyed);
}

static void a_mailbox_outlives_its_sessions_and_their_pipe(void **state)
{
        const struct client full = {.full = true, .id = {9}};
        struct keyed keyed;
        struct sealed_peer peer;
        struct pipit_session *session;
        struct request request;
        struct sealed_frame frame;

        (void)state;
        keyed_start(&keyed, NULL);
        session = keyed_connect(&keyed, &peer, &keyed.alice);
        frame = start_sleep(&keyed, &peer, session, &full, 1);
        sealed_frame_free(&frame);
        keyed_leave(&peer, session);
        keyed_wait_sessions(&keyed, 0);

        session = keyed_connect(&keyed, &peer, &keyed.alice);
        request_init(&request, &full);
        request_await(&request, 1);
        frame = sealed_request(session, &request);
        assert_int_not_equal(0, sealed_peer_send(&peer, frame.bytes, frame.n_bytes));
        fixture_answer(&keyed.fixture, 0);
        assert_answered(&peer, session, &frame, 1);
        keyed_leave(&peer, session);
        keyed_stop(&keyed);
}

/* --- sessions -------------------------------------------------------------- */

static enum pipit_reject_code run_echo(struct sealed_peer *peer, struct pipit_session *session)
{
        const struct client simple = {.full = false};
        struct request request;
        struct answer answer;
        enum pipit_reject_code code;

        request_init(&request, &simple);
        request_echo(&request, 1, "hello", 7);
        sealed_peer_run(peer, session, &request, &answer);
        code = answer.kind == PIPIT_FRAME_REJECT ? answer.reject.code : 0;
        answer_deinit(&answer);

        return code;
}

static void the_next_session_of_a_pipe_leaves_the_last_one_usable(void **state)
{
        struct keyed keyed;
        struct sealed_peer peer;
        struct pipit_session *sessions[PIPIT_SESSIONS_PER_PIPE + 1];

        (void)state;
        keyed_start(&keyed, NULL);
        sessions[0] = keyed_connect(&keyed, &peer, &keyed.alice);
        for (int i = 1; i < PIPIT_SESSIONS_PER_PIPE; ++i) {
                sessions[i] = sealed_peer_session(&peer, &keyed.alice, keyed.server.public);
                for (int k = 0; k <= i; ++k)
                        assert_int_equal(0, run_echo(&peer, sessions[k]));
        }

        sessions[PIPIT_SESSIONS_PER_PIPE] =
                sealed_peer_session(&peer, &keyed.alice, keyed.server.public);
        assert_int_equal(PIPIT_REJECT_NO_SESSION, run_echo(&peer, sessions[0]));
        for (size_t i = 1; i <= PIPIT_SESSIONS_PER_PIPE; ++i) {
                assert_int_equal(0, run_echo(&peer, sessions[i]));
                pipit_session_unref(sessions[i]);
        }
        keyed_leave(&peer, sessions[0]);
        keyed_stop(&keyed);
}

static void a_session_is_of_the_pipe_that_it_was_made_on(void **state)
{
        struct keyed keyed;
        struct sealed_peer peer, other;
        struct pipit_session *session, *others;

        (void)state;
        keyed_start(&keyed, NULL);
        session = keyed_connect(&keyed, &peer, &keyed.alice);
        others = keyed_connect(&keyed, &other, &keyed.alice);
        assert_int_equal(PIPIT_REJECT_NO_SESSION, run_echo(&other, session));
        assert_int_equal(0, fixture_n_ran(&keyed.fixture));
        assert_int_equal(0, run_echo(&other, others));
        assert_int_equal(0, run_echo(&peer, session));
        keyed_leave(&peer, session);
        keyed_leave(&other, others);
        keyed_stop(&keyed);
}

static void sessions_end_with_their_pipe(void **state)
{
        struct keyed keyed;
        struct sealed_peer peer;
        struct pipit_session *session;

        (void)state;
        keyed_start(&keyed, NULL);
        session = keyed_connect(&keyed, &peer, &keyed.alice);
        pipit_session_unref(sealed_peer_session(&peer, &keyed.alice, keyed.server.public));
        keyed_wait_sessions(&keyed, 2);
        keyed_leave(&peer, session);
        keyed_wait_sessions(&keyed, 0);
        keyed_stop(&keyed);
}

static void a_session_that_is_too_old_is_none_and_its_held_frames_close_the_pipe(void **state)
{
        const struct client full = {.full = true, .id = {4}};
        struct pipit_test_clock clock;
        struct keyed keyed;
        struct sealed_peer peer;
        struct pipit_session *session;
        struct request request;
        struct sealed_frame frame, back;
        struct answer answer;

        (void)state;
        pipit_test_clock_init(&clock, 0);
        keyed_start(&keyed, NULL);
        sealed_set_clock(keyed.fixture.server->sealed, &clock.clock);
        session = keyed_connect(&keyed, &peer, &keyed.alice);
        pipit_test_clock_advance(&clock, PIPIT_SESSION_REJECT_S * S - 1);
        frame = start_sleep(&keyed, &peer, session, &full, 1);

        pipit_test_clock_advance(&clock, 1);
        assert_int_equal(PIPIT_REJECT_NO_SESSION, run_echo(&peer, session));
        fixture_answer(&keyed.fixture, 0);
        back = keyed_receive(&peer);
        assert_null(back.bytes);
        assert_int_equal(1, fixture_n_ran(&keyed.fixture));
        sealed_frame_free(&frame);
        keyed_leave(&peer, session);

        /* The reply is still there. */
        session = keyed_connect(&keyed, &peer, &keyed.alice);
        request_init(&request, &full);
        request_await(&request, 1);
        sealed_peer_run(&peer, session, &request, &answer);
        assert_ok(&answer, 1);
        answer_deinit(&answer);
        keyed_leave(&peer, session);
        keyed_stop(&keyed);
        pipit_test_clock_deinit(&clock);
}

static void sessions_that_are_too_old_go(void **state)
{
        struct pipit_test_clock clock;
        struct keyed keyed;
        struct sealed_peer peer;
        struct pipit_session *session;

        (void)state;
        pipit_test_clock_init(&clock, 0);
        keyed_start(&keyed, NULL);
        sealed_set_clock(keyed.fixture.server->sealed, &clock.clock);
        session = keyed_connect(&keyed, &peer, &keyed.alice);
        assert_int_equal(0, run_echo(&peer, session));
        pipit_test_clock_advance(&clock, PIPIT_SESSION_REJECT_S * S);
        keyed_wait_sessions(&keyed, 0);
        keyed_leave(&peer, session);
        keyed_stop(&keyed);
        pipit_test_clock_deinit(&clock);
}

static void unconfirmed_sessions_of_a_key_are_few(void **state)
{
        struct sealed_peer peers[PIPIT_UNCONFIRMED_PER_KEY + 4];
        struct pipit_session *sessions[PIPIT_N_ELEMENTS(peers)];
        struct sealed_peer confirmed_peer;
        struct pipit_session *confirmed;
        struct keyed keyed;

        (void)state;
        keyed_start(&keyed, NULL);
        confirmed = keyed_connect(&keyed, &confirmed_peer, &keyed.alice);
        assert_int_equal(0, run_echo(&confirmed_peer, confirmed));
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(peers); ++i)
                sessions[i] = keyed_connect(&keyed, &peers[i], &keyed.alice);
        keyed_wait_sessions(&keyed, 1 + PIPIT_UNCONFIRMED_PER_KEY);
        assert_int_equal(0, run_echo(&confirmed_peer, confirmed));
        assert_int_equal(PIPIT_REJECT_NO_SESSION, run_echo(&peers[0], sessions[0]));
        for (size_t i = 4; i < PIPIT_N_ELEMENTS(peers); ++i)
                assert_int_equal(0, run_echo(&peers[i], sessions[i]));
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(peers); ++i)
                keyed_leave(&peers[i], sessions[i]);
        keyed_leave(&confirmed_peer, confirmed);
        keyed_stop(&keyed);
}

/* --- limits ---------------------------------------------------------------- */

static void a_frame_is_as_large_as_a_plain_one_with_what_seals_it(void **state)
{
        const struct client simple = {.full = false};
        struct keyed keyed;
        struct sealed_peer peer;
        struct pipit_session *session;

        (void)state;
        keyed_start(&keyed, NULL);
        session = keyed_connect(&keyed, &peer, &keyed.alice);
        for (size_t over = 0; over < 2; ++over) {
                struct request request;
                struct answer answer;
                Pipit__V1__Call *call;
                size_t n_bytes;

                request_init(&request, &simple);
                call = request_call(&request, 1, HEALTH);
                call->payload.len = FRAME_BYTES - 1000;
                call->payload.data = pipit_arena_zalloc(&request.arena, FRAME_BYTES);
                n_bytes = pipit__v1__request__get_packed_size(&request.message);
                call->payload.len += FRAME_BYTES + over - PIPIT_SEALED_OVERHEAD_BYTES - n_bytes;
                sealed_peer_run(&peer, session, &request, &answer);
                if (over)
                        assert_rejected(&answer, PIPIT_REJECT_TOO_LARGE, FRAME_BYTES);
                else
                        assert_failed(
                                &answer, 1, PIPIT_INVALID_ARGUMENT, PIPIT_NOT_RUN, "MALFORMED");
                answer_deinit(&answer);
        }
        keyed_leave(&peer, session);
        keyed_stop(&keyed);
}

static void a_response_is_never_longer_than_a_frame(void **state)
{
        const struct client simple = {.full = false};
        struct keyed keyed;
        struct sealed_peer peer;
        struct pipit_session *session;
        bool fits = true;
        size_t n_fitting = 0;

        (void)state;
        keyed_start(&keyed, NULL);
        session = keyed_connect(&keyed, &peer, &keyed.alice);
        for (size_t n_bytes = FRAME_BYTES - 150; n_bytes < FRAME_BYTES; ++n_bytes) {
                struct request request;
                struct answer answer;

                request_init(&request, &simple);
                request_echo(&request, 1, "grow", n_bytes);
                sealed_peer_run(&peer, session, &request, &answer);
                assert_true(answer.n_bytes <= FRAME_BYTES);
                if (fits && answer_reply(&answer, 1)->status)
                        fits = false;
                if (fits)
                        n_fitting = answer.n_bytes;
                else
                        assert_failed(&answer,
                                      1,
                                      PIPIT_RESOURCE_EXHAUSTED,
                                      PIPIT_RAN,
                                      "RESPONSE_TOO_LARGE");
                answer_deinit(&answer);
        }
        assert_int_equal(FRAME_BYTES, n_fitting);
        keyed_leave(&peer, session);
        keyed_stop(&keyed);
}

static void a_response_is_never_longer_than_its_client_takes(void **state)
{
        const struct pipit_server_options options = {.frame_bytes_max = 4 * FRAME_BYTES};
        const struct client simple = {.full = false};
        struct keyed keyed;
        struct sealed_peer peer;
        struct pipit_session *session;
        struct request request;
        struct answer answer;

        (void)state;
        keyed_start(&keyed, &options);
        session = keyed_connect(&keyed, &peer, &keyed.alice);
        request_init(&request, &simple);
        request_echo(&request, 1, "grow", sealed_hello_default.max_frame);
        sealed_peer_run(&peer, session, &request, &answer);
        assert_failed(&answer, 1, PIPIT_RESOURCE_EXHAUSTED, PIPIT_RAN, "RESPONSE_TOO_LARGE");
        answer_deinit(&answer);
        keyed_leave(&peer, session);
        keyed_stop(&keyed);
}

/* --- who may --------------------------------------------------------------- */

static void an_unlisted_key_runs_nothing(void **state)
{
        struct keyed keyed;
        struct sealed_peer peer;
        enum pipit_reject_code code;

        (void)state;
        keyed_start(&keyed, NULL);
        sealed_peer_connect(&peer, keyed.fixture.url);
        assert_null(sealed_peer_shake(&peer, &keyed.stranger, keyed.server.public, &code));
        assert_int_equal(PIPIT_REJECT_DENIED, code);
        assert_null(sealed_peer_shake(&peer, &keyed.alice, keyed.bob.public, &code));
        assert_int_equal(PIPIT_REJECT_DENIED, code);
        assert_int_equal(0, fixture_n_ran(&keyed.fixture));
        sealed_peer_close(&peer);
        keyed_stop(&keyed);
}

static void a_plain_request_is_denied_and_runs_nothing(void **state)
{
        const struct client simple = {.full = false};
        struct keyed keyed;
        struct sealed_peer peer;
        struct pipit_session *session;
        struct request request;
        uint8_t frame[256];
        size_t n_frame = PIPIT_FRAME_HEADER_BYTES;
        struct sealed_frame back;

        (void)state;
        keyed_start(&keyed, NULL);
        session = keyed_connect(&keyed, &peer, &keyed.alice);
        request_init(&request, &simple);
        request_echo(&request, 1, "plain", 1);
        pipit_frame_header_write(PIPIT_FRAME_REQUEST, frame);
        n_frame += pipit__v1__request__pack(&request.message, frame + PIPIT_FRAME_HEADER_BYTES);
        request_deinit(&request);
        back = sealed_peer_exchange(&peer, frame, n_frame);
        assert_int_equal(PIPIT_REJECT_DENIED, sealed_frame_reject(&back));
        assert_int_equal(0, fixture_n_ran(&keyed.fixture));
        sealed_frame_free(&back);
        assert_int_equal(0, run_echo(&peer, session));
        keyed_leave(&peer, session);
        keyed_stop(&keyed);
}

static void a_revoked_key_fails_at_its_next_request(void **state)
{
        struct keyed keyed;
        struct sealed_peer peer, other;
        struct pipit_session *alice, *bob;
        enum pipit_reject_code code;

        (void)state;
        keyed_start(&keyed, NULL);
        alice = keyed_connect(&keyed, &peer, &keyed.alice);
        bob = keyed_connect(&keyed, &other, &keyed.bob);
        assert_int_equal(0, run_echo(&peer, alice));
        keyed_revoke_alice(&keyed);
        assert_int_equal(PIPIT_REJECT_DENIED, run_echo(&peer, alice));
        assert_int_equal(PIPIT_REJECT_NO_SESSION, run_echo(&peer, alice));
        assert_null(sealed_peer_shake(&peer, &keyed.alice, keyed.server.public, &code));
        assert_int_equal(PIPIT_REJECT_DENIED, code);
        assert_int_equal(1, fixture_n_ran(&keyed.fixture));
        assert_int_equal(0, run_echo(&other, bob));
        keyed_leave(&peer, alice);
        keyed_leave(&other, bob);
        keyed_stop(&keyed);
}

static void a_revoked_keys_mailboxes_go_and_with_them_their_calls(void **state)
{
        const struct client full = {.full = true, .id = {7}};
        struct keyed keyed;
        struct sealed_peer peer, other;
        struct pipit_session *alice, *bob;
        struct sealed_frame frame, back;

        (void)state;
        keyed_start(&keyed, NULL);
        alice = keyed_connect(&keyed, &peer, &keyed.alice);
        bob = keyed_connect(&keyed, &other, &keyed.bob);
        frame = start_sleep(&keyed, &peer, alice, &full, 1);
        keyed_revoke_alice(&keyed);
        back = keyed_receive(&peer);
        assert_null(back.bytes);
        assert_true(pipit_server_call_cancelled(fixture_parked(&keyed.fixture, 0)));
        assert_int_equal(0, run_echo(&other, bob));
        sealed_frame_free(&frame);
        keyed_leave(&peer, alice);
        keyed_leave(&other, bob);
        keyed_stop(&keyed);
}

/* The pipe holds no frame of alice's, and so it stays. */
static void a_key_that_is_listed_again_has_a_new_mailbox_on_its_old_pipe(void **state)
{
        const struct client full = {.full = true, .id = {7}};
        struct keyed keyed;
        struct sealed_peer peer;
        struct pipit_session *before, *after;
        struct request request;
        struct sealed_frame frame, back;
        struct answer answer;

        (void)state;
        keyed_start(&keyed, NULL);
        before = keyed_connect(&keyed, &peer, &keyed.alice);
        request_init(&request, &full);
        request_call(&request, 1, SLEEP)->timeout_ms = PIPIT_TIMEOUT_MS_MAX;
        request.message.hold_ms = 1;
        frame = sealed_request(before, &request);
        assert_int_not_equal(0, sealed_peer_send(&peer, frame.bytes, frame.n_bytes));
        fixture_wait_parked(&keyed.fixture, 1);
        back = keyed_receive(&peer);
        keyed_revoke_alice(&keyed);
        keyed_wait_cancelled(&keyed, 0);

        keyed_list_alice(&keyed);
        after = sealed_peer_session(&peer, &keyed.alice, keyed.server.public);
        request_init(&request, &full);
        request_echo(&request, 2, "again", 0);
        sealed_peer_run(&peer, after, &request, &answer);
        assert_ok(&answer, 2);
        answer_deinit(&answer);
        sealed_frame_free(&back);
        sealed_frame_free(&frame);
        pipit_session_unref(before);
        keyed_leave(&peer, after);
        keyed_stop(&keyed);
}

static void versions_with_nothing_in_common_are_told(void **state)
{
        struct pipit_hello hello = sealed_hello_default;
        uint8_t frame[PIPIT_HELLO_FRAME_BYTES];
        struct keyed keyed;
        struct sealed_peer peer;
        struct pipit_noise noise;
        struct sealed_frame back;
        struct pipit_reject reject;

        (void)state;
        hello.proto_min = 2;
        hello.proto_max = 3;
        keyed_start(&keyed, NULL);
        sealed_peer_connect(&peer, keyed.fixture.url);
        sealed_hello(&noise, &keyed.alice, keyed.server.public, &hello, frame);
        back = sealed_peer_exchange(&peer, frame, sizeof(frame));
        assert_int_equal(PIPIT_REJECT_VERSION, sealed_frame_reject(&back));
        assert_true(pipit_reject_read(back.bytes + PIPIT_FRAME_HEADER_BYTES,
                                      back.n_bytes - PIPIT_FRAME_HEADER_BYTES,
                                      &reject));
        assert_int_equal(PIPIT_PROTO_VERSION, reject.detail);
        sealed_frame_free(&back);
        pipit_noise_deinit(&noise);
        sealed_peer_close(&peer);
        keyed_stop(&keyed);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_sealed_call_runs_as_the_name_of_its_key),
                cmocka_unit_test(a_mailbox_is_the_keys_and_no_other_of_its_pipe_sees_it),
                cmocka_unit_test(a_mailbox_outlives_its_sessions_and_their_pipe),
                cmocka_unit_test(the_next_session_of_a_pipe_leaves_the_last_one_usable),
                cmocka_unit_test(a_session_is_of_the_pipe_that_it_was_made_on),
                cmocka_unit_test(sessions_end_with_their_pipe),
                cmocka_unit_test(
                        a_session_that_is_too_old_is_none_and_its_held_frames_close_the_pipe),
                cmocka_unit_test(sessions_that_are_too_old_go),
                cmocka_unit_test(unconfirmed_sessions_of_a_key_are_few),
                cmocka_unit_test(a_frame_is_as_large_as_a_plain_one_with_what_seals_it),
                cmocka_unit_test(a_response_is_never_longer_than_a_frame),
                cmocka_unit_test(a_response_is_never_longer_than_its_client_takes),
                cmocka_unit_test(an_unlisted_key_runs_nothing),
                cmocka_unit_test(a_plain_request_is_denied_and_runs_nothing),
                cmocka_unit_test(a_revoked_key_fails_at_its_next_request),
                cmocka_unit_test(a_revoked_keys_mailboxes_go_and_with_them_their_calls),
                cmocka_unit_test(a_key_that_is_listed_again_has_a_new_mailbox_on_its_old_pipe),
                cmocka_unit_test(versions_with_nothing_in_common_are_told),
        };

        return cmocka_run_group_tests_name("sealed", tests, NULL, NULL);
}
