#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pipit/test_clock.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/rpc/wire_limits.h"
#include "server/runtime/runtime.h"
#include "tests/integration/runtime/keyed.h"

/* So many of one source are answered one by one. */
#define HELLOS_PER_SOURCE 40

struct victim {
        struct keyed keyed;
        struct sealed_peer honest;
        struct pipit_session *session;
};

/* @clock: by what its sessions age, and its limits refill; NULL: the system's. */
static void victim_start_by(struct victim *victim, const struct pipit_clock *clock)
{
        keyed_start(&victim->keyed, NULL);
        if (clock)
                sealed_set_clock(victim->keyed.fixture.server->sealed, clock);
        victim->session = keyed_connect(&victim->keyed, &victim->honest, &victim->keyed.alice);
        sealed_peer_assert_echoes(&victim->honest, victim->session);
}

static void victim_start(struct victim *victim)
{
        victim_start_by(victim, NULL);
}

/* The honest session goes on, and nothing has run but its own two calls and @n_more. */
static void victim_stop(struct victim *victim, size_t n_more)
{
        sealed_peer_assert_echoes(&victim->honest, victim->session);
        assert_int_equal(2 + n_more, fixture_n_ran(&victim->keyed.fixture));
        keyed_leave(&victim->honest, victim->session);
        keyed_stop(&victim->keyed);
}

static struct sealed_frame echo_frame(struct victim *victim)
{
        const struct client simple = {.full = false};
        struct request request;

        request_init(&request, &simple);
        request_echo(&request, 3, "once", 3);

        return sealed_request(victim->session, &request);
}

static enum pipit_reject_code try_frame(struct sealed_peer *peer,
                                        const uint8_t *bytes,
                                        size_t n_bytes)
{
        struct sealed_frame back = sealed_peer_exchange(peer, bytes, n_bytes);
        enum pipit_reject_code code;

        assert_non_null(back.bytes);
        code = sealed_frame_reject(&back);
        sealed_frame_free(&back);

        return code;
}

/* --- hello ----------------------------------------------------------------- */

/* A stranger who comes from another address now and then. */
struct wanderer {
        const char *url;
        struct sealed_peer peer;
        unsigned n_sent;
};

static enum pipit_reject_code wanderer_try(struct wanderer *wanderer,
                                           const uint8_t *bytes,
                                           size_t n_bytes)
{
        if (wanderer->n_sent % HELLOS_PER_SOURCE == 0) {
                if (wanderer->n_sent > 0)
                        sealed_peer_close(&wanderer->peer);
                sealed_peer_connect_from(&wanderer->peer,
                                         wanderer->url,
                                         (uint8_t)(1 + wanderer->n_sent / HELLOS_PER_SOURCE));
        }
        ++wanderer->n_sent;

        return try_frame(&wanderer->peer, bytes, n_bytes);
}

static void make_hello(const struct victim *victim, uint8_t ret_hello[PIPIT_HELLO_FRAME_BYTES])
{
        struct pipit_noise noise;

        sealed_hello(&noise,
                     &victim->keyed.bob,
                     victim->keyed.server.public,
                     &sealed_hello_default,
                     ret_hello);
        pipit_noise_deinit(&noise);
}

static void every_bit_of_a_hello_counts(void **state)
{
        uint8_t hello[PIPIT_HELLO_FRAME_BYTES];
        struct victim victim;
        struct wanderer wanderer = {.url = victim.keyed.fixture.url};

        (void)state;
        victim_start(&victim);
        make_hello(&victim, hello);
        for (size_t bit = 0; bit < sizeof(hello) * 8; ++bit) {
                enum pipit_reject_code code;

                hello[bit / 8] ^= (uint8_t)(1U << bit % 8);
                code = wanderer_try(&wanderer, hello, sizeof(hello));
                hello[bit / 8] ^= (uint8_t)(1U << bit % 8);
                assert_int_not_equal(0, code);
                if (bit / 8 >= PIPIT_FRAME_HEADER_BYTES)
                        assert_int_equal(PIPIT_REJECT_DENIED, code);
        }
        keyed_wait_sessions(&victim.keyed, 1);
        assert_int_equal(0, wanderer_try(&wanderer, hello, sizeof(hello)));
        sealed_peer_close(&wanderer.peer);
        victim_stop(&victim, 0);
}

static void a_hello_has_one_length(void **state)
{
        uint8_t hello[PIPIT_HELLO_FRAME_BYTES + 1] = {0};
        struct victim victim;
        struct wanderer wanderer = {.url = victim.keyed.fixture.url};

        (void)state;
        victim_start(&victim);
        make_hello(&victim, hello);
        for (size_t n = 0; n <= sizeof(hello); ++n) {
                if (n == PIPIT_HELLO_FRAME_BYTES)
                        continue;
                assert_int_equal(n < PIPIT_FRAME_HEADER_BYTES ? PIPIT_REJECT_BAD_FRAME
                                                              : PIPIT_REJECT_DENIED,
                                 wanderer_try(&wanderer, hello, n));
        }
        sealed_peer_close(&wanderer.peer);
        victim_stop(&victim, 0);
}

static void a_flood_of_strangers_is_told_busy_and_a_listed_key_gets_in(void **state)
{
        struct pipit_test_clock clock;
        struct victim victim;
        struct sealed_peer peer;
        struct pipit_session *session;
        size_t n_denied = 0;

        (void)state;
        pipit_test_clock_init(&clock, 0);
        victim_start_by(&victim, &clock.clock);
        sealed_peer_connect_from(&peer, victim.keyed.fixture.url, 1);
        for (size_t i = 0; i < PIPIT_HANDSHAKE_SOURCE_BURST + 10; ++i) {
                enum pipit_reject_code code;
                struct sealed_frame closed;

                assert_null(sealed_peer_shake(
                        &peer, &victim.keyed.stranger, victim.keyed.server.public, &code));
                if (code == PIPIT_REJECT_DENIED) {
                        ++n_denied;
                        continue;
                }
                assert_int_equal(PIPIT_REJECT_BUSY, code);
                closed = keyed_receive(&peer);
                assert_null(closed.bytes);
                sealed_peer_close(&peer);
                sealed_peer_connect_from(&peer, victim.keyed.fixture.url, 1);
        }
        assert_int_equal(PIPIT_HANDSHAKE_SOURCE_BURST, n_denied);

        session = sealed_peer_session(&peer, &victim.keyed.bob, victim.keyed.server.public);
        sealed_peer_assert_echoes(&peer, session);
        keyed_leave(&peer, session);
        victim_stop(&victim, 1);
        pipit_test_clock_deinit(&clock);
}

static void who_goes_on_without_keys_is_hung_up_on(void **state)
{
        static const uint8_t plain[PIPIT_FRAME_HEADER_BYTES] = {'P', 'I', 1, PIPIT_FRAME_REQUEST};
        enum pipit_reject_code code = PIPIT_REJECT_DENIED;
        struct victim victim;
        struct sealed_peer peer;
        size_t n_denied = 0;

        (void)state;
        victim_start(&victim);
        sealed_peer_connect_from(&peer, victim.keyed.fixture.url, 1);
        for (; code == PIPIT_REJECT_DENIED; ++n_denied) {
                struct sealed_frame back = sealed_peer_exchange(&peer, plain, sizeof(plain));

                code = sealed_frame_reject(&back);
                sealed_frame_free(&back);
        }
        assert_true(n_denied >= PIPIT_DENIED_PER_PIPE_MAX);
        sealed_peer_close(&peer);
        victim_stop(&victim, 0);
}

/* As if so many handshakes of sources elsewhere had failed. */
static void fail_elsewhere(struct victim *victim, unsigned n)
{
        struct sealed *sealed = victim->keyed.fixture.server->sealed;

        for (uint64_t i = 0; i < n; ++i)
                (void)pipit_handshake_limiter_fail(
                        sealed->limiter, (UINT64_C(1) << 40) + i, sealed_now_us(sealed));
}

static enum pipit_reject_code shake_from(struct victim *victim,
                                         uint8_t source,
                                         const struct pipit_noise_keys *keys)
{
        struct sealed_peer peer;
        enum pipit_reject_code code;

        sealed_peer_connect_from(&peer, victim->keyed.fixture.url, source);
        pipit_session_unref(sealed_peer_shake(&peer, keys, victim->keyed.server.public, &code));
        sealed_peer_close(&peer);

        return code;
}

static void a_flood_from_everywhere_is_not_looked_at(void **state)
{
        struct pipit_test_clock clock;
        struct victim victim;
        const struct pipit_noise_keys *bob = &victim.keyed.bob;

        (void)state;
        pipit_test_clock_init(&clock, 0);
        victim_start_by(&victim, &clock.clock);
        for (unsigned i = 0; i <= PIPIT_HANDSHAKE_SOURCE_BURST; ++i)
                (void)shake_from(&victim, 1, &victim.keyed.stranger);
        assert_int_equal(0, shake_from(&victim, 1, bob));

        /* Half of what all have is for those who are within their own. */
        fail_elsewhere(&victim, PIPIT_HANDSHAKE_ALL_FOR_INNOCENT);
        assert_int_equal(PIPIT_REJECT_BUSY, shake_from(&victim, 1, bob));
        assert_int_equal(0, shake_from(&victim, 2, bob));
        fail_elsewhere(&victim, PIPIT_HANDSHAKE_ALL_BURST);
        assert_int_equal(PIPIT_REJECT_BUSY, shake_from(&victim, 2, bob));

        pipit_test_clock_advance(&clock, PIPIT_US_PER_S);
        assert_int_equal(0, shake_from(&victim, 2, bob));
        victim_stop(&victim, 0);
        pipit_test_clock_deinit(&clock);
}

static void hellos_that_nobody_waits_for_leave_no_session(void **state)
{
        uint8_t hello[PIPIT_HELLO_FRAME_BYTES];
        struct victim victim;

        (void)state;
        victim_start(&victim);
        for (size_t i = 0; i < 40; ++i) {
                struct sealed_peer peer;

                make_hello(&victim, hello);
                sealed_peer_connect(&peer, victim.keyed.fixture.url);
                assert_int_not_equal(0, sealed_peer_send(&peer, hello, sizeof(hello)));
                sealed_peer_close(&peer);
        }
        keyed_wait_sessions(&victim.keyed, 1);
        victim_stop(&victim, 0);
}

static void a_pipe_has_one_hello_waiting(void **state)
{
        enum { N_HELLOS = 64 };
        struct victim victim;
        struct sealed_peer peer;
        size_t n_welcome = 0;
        const int together = 1, at_once = 0;

        (void)state;
        victim_start(&victim);
        sealed_peer_connect(&peer, victim.keyed.fixture.url);
        assert_int_equal(0,
                         setsockopt(peer.fd, IPPROTO_TCP, TCP_CORK, &together, sizeof(together)));
        for (size_t i = 0; i < N_HELLOS; ++i) {
                uint8_t hello[PIPIT_HELLO_FRAME_BYTES];

                make_hello(&victim, hello);
                assert_int_not_equal(0, sealed_peer_send(&peer, hello, sizeof(hello)));
        }
        assert_int_equal(0, setsockopt(peer.fd, IPPROTO_TCP, TCP_CORK, &at_once, sizeof(at_once)));
        for (size_t i = 0; i < N_HELLOS; ++i) {
                struct sealed_frame back = keyed_receive(&peer);
                enum pipit_reject_code code = sealed_frame_reject(&back);

                assert_non_null(back.bytes);
                assert_true(code == 0 || code == PIPIT_REJECT_BUSY);
                n_welcome += code == 0;
                sealed_frame_free(&back);
        }
        /* They are read at once, and a handshake takes much longer. */
        assert_in_range(n_welcome, 1, N_HELLOS - 1);
        sealed_peer_close(&peer);
        victim_stop(&victim, 0);
}

static void a_server_stops_while_hellos_wait(void **state)
{
        struct sealed_peer peers[50];
        struct victim victim;

        (void)state;
        victim_start(&victim);
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(peers); ++i) {
                uint8_t hello[PIPIT_HELLO_FRAME_BYTES];

                make_hello(&victim, hello);
                sealed_peer_connect(&peers[i], victim.keyed.fixture.url);
                assert_int_not_equal(0, sealed_peer_send(&peers[i], hello, sizeof(hello)));
        }
        victim_stop(&victim, 0);
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(peers); ++i)
                sealed_peer_close(&peers[i]);
}

/* --- sealed frames ----------------------------------------------------------- */

static void every_bit_of_a_sealed_request_counts(void **state)
{
        struct victim victim;
        struct sealed_frame frame;

        (void)state;
        victim_start(&victim);
        frame = echo_frame(&victim);
        for (size_t bit = 0; bit < frame.n_bytes * 8; ++bit) {
                enum pipit_reject_code code;

                frame.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
                code = try_frame(&victim.honest, frame.bytes, frame.n_bytes);
                frame.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
                assert_int_not_equal(0, code);
                if (bit / 8 >= PIPIT_FRAME_HEADER_BYTES)
                        assert_int_equal(PIPIT_REJECT_NO_SESSION, code);
        }
        assert_int_equal(1, fixture_n_ran(&victim.keyed.fixture));

        /* What was refused has not used up its counter. */
        assert_int_equal(0, try_frame(&victim.honest, frame.bytes, frame.n_bytes));
        sealed_frame_free(&frame);
        victim_stop(&victim, 1);
}

static void a_sealed_request_that_was_cut_or_lengthened_runs_nothing(void **state)
{
        struct victim victim;
        struct sealed_frame frame;
        uint8_t longer[512] = {0};

        (void)state;
        victim_start(&victim);
        frame = echo_frame(&victim);
        assert_true(frame.n_bytes < sizeof(longer));
        memcpy(longer, frame.bytes, frame.n_bytes);
        for (size_t n = 0; n <= frame.n_bytes + 1; ++n) {
                if (n == frame.n_bytes)
                        continue;
                assert_int_equal(n < PIPIT_FRAME_HEADER_BYTES ? PIPIT_REJECT_BAD_FRAME
                                                              : PIPIT_REJECT_NO_SESSION,
                                 try_frame(&victim.honest, longer, n));
        }
        sealed_frame_free(&frame);
        victim_stop(&victim, 0);
}

static void a_sealed_request_runs_once_however_often_it_comes(void **state)
{
        struct victim victim;
        struct sealed_frame frame;

        (void)state;
        victim_start(&victim);
        frame = echo_frame(&victim);
        assert_int_equal(0, try_frame(&victim.honest, frame.bytes, frame.n_bytes));
        for (size_t i = 0; i < 20; ++i)
                assert_int_equal(PIPIT_REJECT_NO_SESSION,
                                 try_frame(&victim.honest, frame.bytes, frame.n_bytes));
        sealed_frame_free(&frame);
        victim_stop(&victim, 1);
}

static void copies_that_come_at_once_run_once(void **state)
{
        enum { N_COPIES = 32 };
        struct victim victim;
        struct sealed_frame frame;
        size_t n_answered = 0;

        (void)state;
        victim_start(&victim);
        frame = echo_frame(&victim);
        for (size_t i = 0; i < N_COPIES; ++i)
                assert_int_not_equal(0,
                                     sealed_peer_send(&victim.honest, frame.bytes, frame.n_bytes));
        for (size_t i = 0; i < N_COPIES; ++i) {
                struct sealed_frame back = keyed_receive(&victim.honest);

                assert_non_null(back.bytes);
                n_answered += sealed_frame_reject(&back) == 0;
                sealed_frame_free(&back);
        }
        assert_int_equal(1, n_answered);
        sealed_frame_free(&frame);
        victim_stop(&victim, 1);
}

static void a_response_sent_back_is_refused(void **state)
{
        struct victim victim;
        struct sealed_frame frame, back;

        (void)state;
        victim_start(&victim);
        frame = echo_frame(&victim);
        back = sealed_peer_exchange(&victim.honest, frame.bytes, frame.n_bytes);
        assert_int_equal(0, sealed_frame_reject(&back));
        assert_int_equal(PIPIT_REJECT_BAD_FRAME,
                         try_frame(&victim.honest, back.bytes, back.n_bytes));
        back.bytes[3] = PIPIT_FRAME_SEALED_REQUEST;
        assert_int_equal(PIPIT_REJECT_NO_SESSION,
                         try_frame(&victim.honest, back.bytes, back.n_bytes));
        sealed_frame_free(&frame);
        sealed_frame_free(&back);
        victim_stop(&victim, 1);
}

static void responses_that_were_swapped_are_not_taken(void **state)
{
        struct victim victim;
        struct sealed_frame first, second, to_first;
        struct pipit_opened opened;
        struct answer answer;

        (void)state;
        victim_start(&victim);
        first = echo_frame(&victim);
        second = echo_frame(&victim);
        to_first = sealed_peer_exchange(&victim.honest, first.bytes, first.n_bytes);
        {
                uint8_t copy[512];

                assert_true(to_first.n_bytes <= sizeof(copy));
                memcpy(copy, to_first.bytes, to_first.n_bytes);
                assert_int_equal(PIPIT_SESSION_MISPLACED,
                                 pipit_session_open_response(victim.session,
                                                             0,
                                                             second.counter,
                                                             copy,
                                                             to_first.n_bytes,
                                                             &opened));
        }
        sealed_answer(victim.session, first.counter, &to_first, &answer);
        assert_ok(&answer, 3);
        answer_deinit(&answer);
        sealed_frame_free(&first);
        sealed_frame_free(&second);
        sealed_frame_free(&to_first);
        victim_stop(&victim, 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_bit_of_a_hello_counts),
                cmocka_unit_test(a_hello_has_one_length),
                cmocka_unit_test(a_flood_of_strangers_is_told_busy_and_a_listed_key_gets_in),
                cmocka_unit_test(who_goes_on_without_keys_is_hung_up_on),
                cmocka_unit_test(a_flood_from_everywhere_is_not_looked_at),
                cmocka_unit_test(hellos_that_nobody_waits_for_leave_no_session),
                cmocka_unit_test(a_pipe_has_one_hello_waiting),
                cmocka_unit_test(a_server_stops_while_hellos_wait),
                cmocka_unit_test(every_bit_of_a_sealed_request_counts),
                cmocka_unit_test(a_sealed_request_that_was_cut_or_lengthened_runs_nothing),
                cmocka_unit_test(a_sealed_request_runs_once_however_often_it_comes),
                cmocka_unit_test(copies_that_come_at_once_run_once),
                cmocka_unit_test(a_response_sent_back_is_refused),
                cmocka_unit_test(responses_that_were_swapped_are_not_taken),
        };

        return cmocka_run_group_tests_name("sealed_hostile", tests, NULL, NULL);
}
