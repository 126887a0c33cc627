#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "tests/unit/rpc/session_pair.h"
#include "tests/unit/rpc/vectors.h"

#define S PIPIT_US_PER_S

/* --- what goes well -------------------------------------------------------------------- */

static void what_is_sealed_is_opened_at_the_other_end(void **state)
{
        struct sealed_frame request, response;
        struct session_pair pair;

        (void)state;
        session_pair_init(&pair);
        for (uint64_t i = 0; i < 3; i++) {
                request = session_pair_request(&pair, 0, i == 1 ? "" : "a request");
                assert_true(request.counter == i);
                assert_int_equal(
                        session_pair_take_request(&pair, 0, &request, i == 1 ? "" : "a request"),
                        PIPIT_SESSION_OK);
                response = session_pair_response(&pair, 0, request.counter, "its response");
                assert_int_equal(session_pair_take_response(&pair, 0, i, &response, "its response"),
                                 PIPIT_SESSION_OK);
        }
        session_pair_deinit(&pair);
}

static void nothing_of_the_body_is_to_be_seen(void **state)
{
        struct session_pair pair;
        struct sealed_frame frame;

        (void)state;
        session_pair_init(&pair);
        frame = session_pair_request(&pair, 0, "the body of a request");
        assert_null(memmem(frame.bytes, frame.n_bytes, "body", 4));
        assert_memory_equal(frame.bytes, "PI\x01\x03", 4);
        assert_ptr_equal(pipit_sealed_session_id(frame.bytes, frame.n_bytes), frame.bytes + 4);
        assert_memory_equal(frame.bytes + 4, pair.client->id, 16);
        assert_null(pipit_sealed_session_id(frame.bytes, PIPIT_SEALED_OVERHEAD_BYTES - 1));
        session_pair_deinit(&pair);
}

static void a_session_is_confirmed_by_its_first_valid_request_only(void **state)
{
        struct sealed_frame frame, forged;
        struct pipit_opened opened;
        struct session_pair pair;

        (void)state;
        session_pair_init(&pair);
        assert_true(atomic_load(&pair.client->is_confirmed));
        assert_false(atomic_load(&pair.server->is_confirmed));
        frame = session_pair_request(&pair, 0, "first");
        forged = frame;
        forged.bytes[40] ^= 1;
        assert_int_equal(session_pair_take_request(&pair, 0, &forged, NULL), PIPIT_SESSION_FORGED);
        assert_false(atomic_load(&pair.server->is_confirmed));
        assert_int_equal(
                pipit_session_open_request(pair.server, 0, frame.bytes, frame.n_bytes, &opened),
                PIPIT_SESSION_OK);
        assert_true(opened.is_first);
        assert_true(atomic_load(&pair.server->is_confirmed));
        frame = session_pair_request(&pair, 0, "second");
        assert_int_equal(
                pipit_session_open_request(pair.server, 0, frame.bytes, frame.n_bytes, &opened),
                PIPIT_SESSION_OK);
        assert_false(opened.is_first);
        session_pair_deinit(&pair);
}

/* --- what a man in the middle may try ----------------------------------------------------- */

static void every_flipped_bit_is_refused_and_the_honest_frame_goes_on(void **state)
{
        struct sealed_frame request, response;
        struct session_pair pair;

        (void)state;
        session_pair_init(&pair);
        request = session_pair_request(&pair, 0, "a request");
        for (size_t bit = 0; bit < request.n_bytes * 8; bit++) {
                request.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
                assert_int_not_equal(session_pair_take_request(&pair, 0, &request, NULL),
                                     PIPIT_SESSION_OK);
                request.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        assert_int_equal(session_pair_take_request(&pair, 0, &request, "a request"),
                         PIPIT_SESSION_OK);

        response = session_pair_response(&pair, 0, 0, "a response");
        for (size_t bit = 0; bit < response.n_bytes * 8; bit++) {
                response.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
                assert_int_not_equal(session_pair_take_response(&pair, 0, 0, &response, NULL),
                                     PIPIT_SESSION_OK);
                response.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        assert_int_equal(session_pair_take_response(&pair, 0, 0, &response, "a response"),
                         PIPIT_SESSION_OK);
        session_pair_deinit(&pair);
}

static void every_truncation_and_every_addition_is_refused(void **state)
{
        struct sealed_frame frame, cut;
        struct session_pair pair;

        (void)state;
        session_pair_init(&pair);
        frame = session_pair_request(&pair, 0, "a request");
        for (size_t n = 0; n <= frame.n_bytes + 40; n++) {
                cut = frame;
                cut.n_bytes = n;
                if (n != frame.n_bytes)
                        assert_int_not_equal(session_pair_take_request(&pair, 0, &cut, NULL),
                                             PIPIT_SESSION_OK);
        }
        assert_int_equal(session_pair_take_request(&pair, 0, &frame, "a request"),
                         PIPIT_SESSION_OK);
        session_pair_deinit(&pair);
}

static void a_frame_is_taken_once(void **state)
{
        struct sealed_frame request, response;
        struct session_pair pair;

        (void)state;
        session_pair_init(&pair);
        request = session_pair_request(&pair, 0, "once");
        assert_int_equal(session_pair_take_request(&pair, 0, &request, NULL), PIPIT_SESSION_OK);
        assert_int_equal(session_pair_take_request(&pair, 0, &request, NULL),
                         PIPIT_SESSION_REPLAYED);
        response = session_pair_response(&pair, 0, 0, "once");
        assert_int_equal(session_pair_take_response(&pair, 0, 0, &response, NULL),
                         PIPIT_SESSION_OK);
        assert_int_equal(session_pair_take_response(&pair, 0, 0, &response, NULL),
                         PIPIT_SESSION_REPLAYED);
        session_pair_deinit(&pair);
}

static void a_frame_sent_back_to_its_sender_is_refused(void **state)
{
        struct sealed_frame request, response;
        struct session_pair pair;

        (void)state;
        session_pair_init(&pair);
        request = session_pair_request(&pair, 0, "a request");
        assert_int_equal(session_pair_take_response(&pair, 0, 0, &request, NULL),
                         PIPIT_SESSION_MALFORMED);
        request.bytes[3] = 4;
        assert_int_equal(session_pair_take_response(&pair, 0, 0, &request, NULL),
                         PIPIT_SESSION_FORGED);
        response = session_pair_response(&pair, 0, 0, "a response");
        assert_int_equal(session_pair_take_request(&pair, 0, &response, NULL),
                         PIPIT_SESSION_MALFORMED);
        response.bytes[3] = 3;
        assert_int_equal(session_pair_take_request(&pair, 0, &response, NULL),
                         PIPIT_SESSION_FORGED);
        session_pair_deinit(&pair);
}

/* As a server that is wrong would: another kind, a flag, an in_reply_to of a request. */
static void what_is_inside_must_be_right_even_when_the_tag_is(void **state)
{
        static const struct {
                uint8_t head[10];
                enum pipit_session_result result;
        } cases[] = {
                {{3, 0, 0}, PIPIT_SESSION_OK},
                {{4, 0, 0}, PIPIT_SESSION_MALFORMED},
                {{3, 1, 0}, PIPIT_SESSION_MALFORMED},
                {{3, 0x80, 0}, PIPIT_SESSION_MALFORMED},
                {{3, 0, 1}, PIPIT_SESSION_MISPLACED},
                {{3, 0, 0, 0, 0, 0, 0, 0, 0, 1}, PIPIT_SESSION_MISPLACED},
        };
        struct session_pair pair;

        (void)state;
        session_pair_init(&pair);
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(cases); i++) {
                struct sealed_frame frame = session_pair_request(&pair, 0, "");

                memcpy(frame.bytes + 28, cases[i].head, 10);
                pipit_noise_encrypt(pair.client->secret.bytes,
                                    frame.counter,
                                    frame.bytes,
                                    28,
                                    frame.bytes + 28,
                                    10,
                                    frame.bytes + 38);
                assert_int_equal(session_pair_take_request(&pair, 0, &frame, NULL),
                                 cases[i].result);
        }
        session_pair_deinit(&pair);
}

static void swapped_responses_are_refused_and_still_good_where_they_belong(void **state)
{
        struct sealed_frame first, second;
        struct session_pair pair;

        (void)state;
        session_pair_init(&pair);
        (void)session_pair_request(&pair, 0, "first");
        (void)session_pair_request(&pair, 0, "second");
        first = session_pair_response(&pair, 0, 0, "to the first");
        second = session_pair_response(&pair, 0, 1, "to the second");
        assert_int_equal(session_pair_take_response(&pair, 0, 1, &first, NULL),
                         PIPIT_SESSION_MISPLACED);
        assert_int_equal(session_pair_take_response(&pair, 0, 0, &second, NULL),
                         PIPIT_SESSION_MISPLACED);
        assert_int_equal(session_pair_take_response(&pair, 0, 0, &first, "to the first"),
                         PIPIT_SESSION_OK);
        assert_int_equal(session_pair_take_response(&pair, 0, 1, &second, "to the second"),
                         PIPIT_SESSION_OK);
        session_pair_deinit(&pair);
}

static void a_frame_of_another_session_is_refused(void **state)
{
        struct session_pair pair, other;
        struct sealed_frame frame;

        (void)state;
        session_pair_init(&pair);
        session_pair_init(&other);
        frame = session_pair_request(&other, 0, "of another");
        assert_int_equal(session_pair_take_request(&pair, 0, &frame, NULL), PIPIT_SESSION_FORGED);
        frame.bytes[4] ^= 1;
        assert_int_equal(session_pair_take_request(&other, 0, &frame, NULL),
                         PIPIT_SESSION_MALFORMED);
        session_pair_deinit(&pair);
        session_pair_deinit(&other);
}

static void either_end_refuses_the_part_of_the_other(void **state)
{
        uint8_t frame[128] = {0};
        struct pipit_opened opened;
        struct session_pair pair;
        uint64_t counter;

        (void)state;
        session_pair_init(&pair);
        assert_int_equal(pipit_session_seal_request(pair.server, 0, frame, 0, &counter),
                         PIPIT_SESSION_MALFORMED);
        assert_int_equal(pipit_session_seal_response(pair.client, 0, 0, frame, 0),
                         PIPIT_SESSION_MALFORMED);
        assert_int_equal(pipit_session_open_request(pair.client, 0, frame, 54, &opened),
                         PIPIT_SESSION_MALFORMED);
        assert_int_equal(pipit_session_open_response(pair.server, 0, 0, frame, 54, &opened),
                         PIPIT_SESSION_MALFORMED);
        session_pair_deinit(&pair);
}

/* --- the window ----------------------------------------------------------------------------- */

static enum pipit_session_result take_numbered(struct session_pair *pair, uint64_t counter)
{
        struct sealed_frame frame;

        atomic_store(&pair->client->next_counter, counter);
        frame = session_pair_request(pair, 0, "numbered");
        assert_true(frame.counter == counter);
        return session_pair_take_request(pair, 0, &frame, "numbered");
}

static void the_window_is_8128_wide_at_every_offset_of_a_word(void **state)
{
        (void)state;
        assert_int_equal(PIPIT_REPLAY_WINDOW, 8128);
        for (uint64_t highest = 20000; highest < 20000 + 130; highest++) {
                struct session_pair pair;

                session_pair_init(&pair);
                assert_int_equal(take_numbered(&pair, highest), PIPIT_SESSION_OK);
                assert_int_equal(take_numbered(&pair, highest - 8128), PIPIT_SESSION_REPLAYED);
                assert_int_equal(take_numbered(&pair, highest - 8127), PIPIT_SESSION_OK);
                assert_int_equal(take_numbered(&pair, highest - 8127), PIPIT_SESSION_REPLAYED);
                assert_int_equal(take_numbered(&pair, highest - 1), PIPIT_SESSION_OK);
                assert_int_equal(take_numbered(&pair, highest), PIPIT_SESSION_REPLAYED);
                assert_int_equal(take_numbered(&pair, 0), PIPIT_SESSION_REPLAYED);
                session_pair_deinit(&pair);
        }
}

static void counters_in_any_order_are_each_taken_once(void **state)
{
        struct pipit_replay_window window = {0};
        uint32_t random = 1;

        (void)state;
        /* Backwards from the top, then all of them again. */
        for (uint64_t i = 0; i < PIPIT_REPLAY_WINDOW; i++) {
                assert_true(pipit_replay_window_check(&window, 10000 - i));
                pipit_replay_window_mark(&window, 10000 - i);
        }
        for (uint64_t i = 0; i <= 10000; i++)
                assert_false(pipit_replay_window_check(&window, i));

        /* Leaps of any size, against a plain memory of what was taken. */
        static uint8_t taken[200000];
        uint64_t highest = 0;

        memset(&window, 0, sizeof(window));
        for (size_t n = 0; n < 100000; n++) {
                uint64_t counter, reach = n % 100 == 0 ? 20000 : 300;
                bool may;

                random = random * 1664525 + 1013904223;
                counter = highest / 2 + (random >> 8) % (highest / 2 + reach);
                if (counter >= sizeof(taken))
                        break;
                may = !taken[counter] &&
                      (counter > highest || highest - counter < PIPIT_REPLAY_WINDOW);
                assert_int_equal(pipit_replay_window_check(&window, counter), may);
                if (may) {
                        pipit_replay_window_mark(&window, counter);
                        taken[counter] = 1;
                        highest = counter > highest ? counter : highest;
                }
        }
        assert_true(highest > 20000);
}

static void a_forged_counter_does_not_move_the_window(void **state)
{
        struct session_pair pair;
        struct sealed_frame frame, forged;

        (void)state;
        session_pair_init(&pair);
        frame = session_pair_request(&pair, 0, "honest");
        forged = frame;
        memset(forged.bytes + 20, 0xff, 7);
        forged.bytes[27] = 0x7f;
        assert_int_equal(session_pair_take_request(&pair, 0, &forged, NULL), PIPIT_SESSION_FORGED);
        assert_int_equal(session_pair_take_request(&pair, 0, &frame, "honest"), PIPIT_SESSION_OK);
        session_pair_deinit(&pair);
}

static void counters_end_before_they_wrap(void **state)
{
        uint8_t bytes[PIPIT_SEALED_OVERHEAD_BYTES];
        struct sealed_frame frame;
        struct session_pair pair;
        uint64_t counter;

        (void)state;
        session_pair_init(&pair);
        assert_int_equal(take_numbered(&pair, PIPIT_SESSION_COUNTERS - 1), PIPIT_SESSION_OK);
        for (size_t i = 0; i < 3; i++)
                assert_int_equal(pipit_session_seal_request(pair.client, 0, bytes, 0, &counter),
                                 PIPIT_SESSION_EXHAUSTED);

        /* A peer that does not stop is stopped. */
        atomic_store(&pair.client->next_counter, 0);
        frame = session_pair_request(&pair, 0, "");
        memset(frame.bytes + 20, 0xff, 8);
        assert_int_equal(session_pair_take_request(&pair, 0, &frame, NULL),
                         PIPIT_SESSION_MALFORMED);
        session_pair_deinit(&pair);
}

/* --- age ------------------------------------------------------------------------------------ */

static void a_session_is_due_at_120_s_and_over_at_180_s(void **state)
{
        uint8_t bytes[PIPIT_SEALED_OVERHEAD_BYTES];
        struct sealed_frame request, response;
        struct session_pair pair;
        uint64_t counter;

        (void)state;
        session_pair_init(&pair);
        assert_int_equal(pipit_session_age(pair.client, 120 * S - 1), PIPIT_SESSION_FRESH);
        assert_int_equal(pipit_session_age(pair.client, 120 * S), PIPIT_SESSION_REKEY_DUE);
        assert_int_equal(pipit_session_age(pair.client, 180 * S - 1), PIPIT_SESSION_REKEY_DUE);
        assert_int_equal(pipit_session_age(pair.client, 180 * S), PIPIT_SESSION_TOO_OLD);

        request = session_pair_request(&pair, 180 * S - 1, "just so");
        response = session_pair_response(&pair, 180 * S - 1, 0, "just so");
        assert_int_equal(session_pair_take_request(&pair, 180 * S, &request, NULL),
                         PIPIT_SESSION_EXPIRED);
        assert_int_equal(session_pair_take_response(&pair, 180 * S, 0, &response, NULL),
                         PIPIT_SESSION_EXPIRED);
        assert_int_equal(pipit_session_seal_request(pair.client, 180 * S, bytes, 0, &counter),
                         PIPIT_SESSION_EXPIRED);
        assert_int_equal(pipit_session_seal_response(pair.server, 180 * S, 0, bytes, 0),
                         PIPIT_SESSION_EXPIRED);
        assert_int_equal(session_pair_take_request(&pair, 180 * S - 1, &request, "just so"),
                         PIPIT_SESSION_OK);
        session_pair_deinit(&pair);
}

static void the_old_session_answers_while_the_new_one_is_in_use(void **state)
{
        struct session_pair old, new;
        struct sealed_frame request, response;

        (void)state;
        session_pair_init(&old);
        request = session_pair_request(&old, 119 * S, "long call");
        assert_int_equal(session_pair_take_request(&old, 119 * S, &request, NULL),
                         PIPIT_SESSION_OK);
        session_pair_init(&new); /* at 120 s */
        (void)session_pair_request(&new, 1 * S, "short call");
        response = session_pair_response(&old, 179 * S, 0, "its late answer");
        assert_int_equal(session_pair_take_response(&old, 179 * S, 0, &response, "its late answer"),
                         PIPIT_SESSION_OK);
        session_pair_deinit(&old);
        session_pair_deinit(&new);
}

static struct pipit_session *with_ages(struct session_pair *pair,
                                       uint32_t rekey_s,
                                       uint32_t reject_s)
{
        struct pipit_noise_transport transport = {{0}, {0}, {0}};
        struct pipit_session *session = calloc(1, sizeof(*session));

        assert_non_null(session);
        assert_true(pipit_session_init(session,
                                       &(struct pipit_session_options){
                                               .transport = &transport,
                                               .id = pair->client->id,
                                               .peer_key = pair->client->peer_key,
                                               .begun_us = 5 * S,
                                               .rekey_s = rekey_s,
                                               .reject_s = reject_s,
                                               .secrets = pair->secrets,
                                       }));
        return session;
}

static void a_server_may_ask_for_shorter_lives_but_not_for_longer_ones(void **state)
{
        struct pipit_session *session;
        struct session_pair pair;

        (void)state;
        session_pair_init(&pair);
        session = with_ages(&pair, 10, 20);
        assert_int_equal(pipit_session_age(session, 15 * S), PIPIT_SESSION_REKEY_DUE);
        assert_int_equal(pipit_session_age(session, 25 * S), PIPIT_SESSION_TOO_OLD);
        pipit_session_unref(session);
        session = with_ages(&pair, 1000, UINT32_MAX);
        assert_int_equal(pipit_session_age(session, 124 * S), PIPIT_SESSION_FRESH);
        assert_int_equal(pipit_session_age(session, 125 * S), PIPIT_SESSION_REKEY_DUE);
        assert_int_equal(pipit_session_age(session, 185 * S), PIPIT_SESSION_TOO_OLD);
        pipit_session_unref(session);
        session_pair_deinit(&pair);
}

static void an_ended_session_takes_and_gives_nothing(void **state)
{
        uint8_t bytes[PIPIT_SEALED_OVERHEAD_BYTES];
        struct sealed_frame frame;
        struct session_pair pair;

        (void)state;
        session_pair_init(&pair);
        frame = session_pair_request(&pair, 0, "too late");
        pipit_session_end(pair.server);
        assert_int_equal(session_pair_take_request(&pair, 0, &frame, NULL), PIPIT_SESSION_ENDED);
        assert_int_equal(pipit_session_seal_response(pair.server, 0, 0, bytes, 0),
                         PIPIT_SESSION_ENDED);
        session_pair_deinit(&pair);
}

/* --- threads --------------------------------------------------------------------------------- */

#define N_THREADS 4
#define N_FRAMES  500

struct crowd {
        struct session_pair pair;
        struct sealed_frame frames[N_FRAMES];
        atomic_uint n_taken;
};

static void *take_all(void *argument)
{
        struct crowd *crowd = argument;

        for (size_t i = 0; i < N_FRAMES; i++) {
                struct sealed_frame copy = crowd->frames[i];
                struct pipit_opened opened;

                if (pipit_session_open_request(
                            crowd->pair.server, 0, copy.bytes, copy.n_bytes, &opened) ==
                    PIPIT_SESSION_OK)
                        atomic_fetch_add(&crowd->n_taken, 1);
        }

        return NULL;
}

static void threads_take_each_frame_once_between_them(void **state)
{
        struct crowd *crowd = calloc(1, sizeof(*crowd));
        pthread_t threads[N_THREADS];

        (void)state;
        assert_non_null(crowd);
        session_pair_init(&crowd->pair);
        for (size_t i = 0; i < N_FRAMES; i++)
                crowd->frames[i] = session_pair_request(&crowd->pair, 0, "for one of you");
        for (size_t i = 0; i < N_THREADS; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, take_all, crowd), 0);
        for (size_t i = 0; i < N_THREADS; i++)
                assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(atomic_load(&crowd->n_taken), N_FRAMES);
        session_pair_deinit(&crowd->pair);
        free(crowd);
}

/* --- another implementation's ------------------------------------------------------------------ */

static void check_sealed(struct session_pair *pair, const json_t *sealed)
{
        const bool by_client =
                strcmp(json_string_value(json_object_get(sealed, "by")), "client") == 0;
        struct pipit_session *sender = by_client ? pair->client : pair->server;
        const uint64_t counter = vectors_number(sealed, "counter");
        const uint64_t in_reply_to = vectors_number(sealed, "in_reply_to");
        uint8_t expected[1024], frame[1024];
        size_t n_frame = vectors_bytes(sealed, "frame", expected, sizeof(expected));
        size_t n_body = vectors_bytes(sealed,
                                      "body",
                                      frame + PIPIT_SEALED_HEAD_BYTES,
                                      1024 - PIPIT_SEALED_OVERHEAD_BYTES);
        struct pipit_opened opened;
        uint64_t given = counter;

        assert_int_equal(n_frame, n_body + PIPIT_SEALED_OVERHEAD_BYTES);
        atomic_store(&sender->next_counter, counter);
        if (by_client) {
                assert_int_equal(pipit_session_seal_request(sender, 0, frame, n_body, &given),
                                 PIPIT_SESSION_OK);
                assert_memory_equal(frame, expected, n_frame);
                assert_int_equal(
                        pipit_session_open_request(pair->server, 0, frame, n_frame, &opened),
                        PIPIT_SESSION_OK);
        } else {
                assert_int_equal(pipit_session_seal_response(sender, 0, in_reply_to, frame, n_body),
                                 PIPIT_SESSION_OK);
                assert_memory_equal(frame, expected, n_frame);
                assert_int_equal(pipit_session_open_response(
                                         pair->client, 0, in_reply_to, frame, n_frame, &opened),
                                 PIPIT_SESSION_OK);
        }
        assert_true(given == counter && opened.counter == counter);
        assert_int_equal(opened.n_body, n_body);
        (void)vectors_bytes(sealed, "body", expected, sizeof(expected));
        assert_memory_equal(opened.body, expected, n_body);
}

static void another_implementation_seals_the_same_frames(void **state)
{
        json_t *vectors =
                vectors_load(PIPIT_SOURCE_ROOT "/tests/vectors/sessions.json", "sessions");
        size_t i, j, n_checked = 0;
        json_t *vector, *sealed;

        (void)state;
        assert_non_null(vectors);
        json_array_foreach(vectors, i, vector)
        {
                struct session_pair pair;

                session_pair_init(&pair);
                vectors_exactly(vector, "session_id", pair.client->id, 16);
                vectors_exactly(vector, "session_id", pair.server->id, 16);
                vectors_exactly(vector, "client_key", pair.client->secret.bytes, 32);
                vectors_exactly(vector, "client_key", pair.server->secret.bytes + 32, 32);
                vectors_exactly(vector, "server_key", pair.server->secret.bytes, 32);
                vectors_exactly(vector, "server_key", pair.client->secret.bytes + 32, 32);
                json_array_foreach(json_object_get(vector, "sealed"), j, sealed)
                {
                        check_sealed(&pair, sealed);
                        n_checked++;
                }
                session_pair_deinit(&pair);
        }
        assert_true(n_checked >= 40);
        json_decref(vectors);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_sealed_is_opened_at_the_other_end),
                cmocka_unit_test(nothing_of_the_body_is_to_be_seen),
                cmocka_unit_test(a_session_is_confirmed_by_its_first_valid_request_only),
                cmocka_unit_test(every_flipped_bit_is_refused_and_the_honest_frame_goes_on),
                cmocka_unit_test(every_truncation_and_every_addition_is_refused),
                cmocka_unit_test(a_frame_is_taken_once),
                cmocka_unit_test(a_frame_sent_back_to_its_sender_is_refused),
                cmocka_unit_test(what_is_inside_must_be_right_even_when_the_tag_is),
                cmocka_unit_test(swapped_responses_are_refused_and_still_good_where_they_belong),
                cmocka_unit_test(a_frame_of_another_session_is_refused),
                cmocka_unit_test(either_end_refuses_the_part_of_the_other),
                cmocka_unit_test(the_window_is_8128_wide_at_every_offset_of_a_word),
                cmocka_unit_test(counters_in_any_order_are_each_taken_once),
                cmocka_unit_test(a_forged_counter_does_not_move_the_window),
                cmocka_unit_test(counters_end_before_they_wrap),
                cmocka_unit_test(a_session_is_due_at_120_s_and_over_at_180_s),
                cmocka_unit_test(the_old_session_answers_while_the_new_one_is_in_use),
                cmocka_unit_test(a_server_may_ask_for_shorter_lives_but_not_for_longer_ones),
                cmocka_unit_test(an_ended_session_takes_and_gives_nothing),
                cmocka_unit_test(threads_take_each_frame_once_between_them),
                cmocka_unit_test(another_implementation_seals_the_same_frames),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
