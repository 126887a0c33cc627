#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/macros.h"
#include "core/rpc/noise.h"
#include "tests/unit/rpc/vectors.h"

#define MESSAGE_BYTES_MAX 512

struct pair {
        struct pipit_noise_keys initiator_keys, responder_keys;
        struct pipit_noise initiator, responder;
};

static void pair_init(struct pair *pair)
{
        pipit_noise_keys_generate(&pair->initiator_keys);
        pipit_noise_keys_generate(&pair->responder_keys);
        pipit_noise_init(
                &pair->initiator, &pair->initiator_keys, pair->responder_keys.public, "here", 4);
        pipit_noise_init(&pair->responder, &pair->responder_keys, NULL, "here", 4);
}

static void pair_deinit(struct pair *pair)
{
        pipit_noise_deinit(&pair->initiator);
        pipit_noise_deinit(&pair->responder);
}

/* --- vectors that are not ours ------------------------------------------------------- */

static void init_from(const json_t *vector, const char *side, struct pair *pair)
{
        bool initiates = strcmp(side, "init") == 0;
        struct pipit_noise_keys *keys = initiates ? &pair->initiator_keys : &pair->responder_keys;
        struct pipit_noise *noise = initiates ? &pair->initiator : &pair->responder;
        uint8_t secret[32], ephemeral[32], remote[32], prologue[64];
        char name[32];
        size_t n_prologue;

        (void)snprintf(name, sizeof(name), "%s_static", side);
        vectors_exactly(vector, name, secret, 32);
        (void)snprintf(name, sizeof(name), "%s_ephemeral", side);
        vectors_exactly(vector, name, ephemeral, 32);
        (void)snprintf(name, sizeof(name), "%s_prologue", side);
        n_prologue = vectors_bytes(vector, name, prologue, sizeof(prologue));
        if (initiates)
                vectors_exactly(vector, "init_remote_static", remote, 32);

        pipit_noise_keys_derive(secret, keys);
        pipit_noise_init(noise, keys, initiates ? remote : NULL, prologue, n_prologue);
        pipit_noise_set_ephemeral(noise, ephemeral);
}

/* What message @i of a vector says. */
struct expected {
        uint8_t payload[MESSAGE_BYTES_MAX], message[MESSAGE_BYTES_MAX];
        size_t n_payload, n_message;
};

static struct expected expect(const json_t *vector, size_t i)
{
        const json_t *message = json_array_get(json_object_get(vector, "messages"), i);
        struct expected expected;

        expected.n_payload = vectors_bytes(message, "payload", expected.payload, MESSAGE_BYTES_MAX);
        expected.n_message =
                vectors_bytes(message, "ciphertext", expected.message, MESSAGE_BYTES_MAX);
        return expected;
}

static void check_handshake(const json_t *vector, struct pair *pair)
{
        struct expected first = expect(vector, 0), second = expect(vector, 1);
        uint8_t message[MESSAGE_BYTES_MAX], payload[MESSAGE_BYTES_MAX], key[32];

        assert_true(
                pipit_noise_write_first(&pair->initiator, first.payload, first.n_payload, message));
        assert_int_equal(first.n_message, first.n_payload + PIPIT_NOISE_FIRST_BYTES);
        assert_memory_equal(message, first.message, first.n_message);
        assert_true(pipit_noise_read_first_static(&pair->responder, message, first.n_message, key));
        assert_memory_equal(key, pair->initiator_keys.public, 32);
        assert_true(pipit_noise_read_first_payload(
                &pair->responder, message, first.n_message, payload));
        assert_memory_equal(payload, first.payload, first.n_payload);

        assert_true(pipit_noise_write_second(
                &pair->responder, second.payload, second.n_payload, message));
        assert_int_equal(second.n_message, second.n_payload + PIPIT_NOISE_SECOND_BYTES);
        assert_memory_equal(message, second.message, second.n_message);
        assert_true(pipit_noise_read_second(&pair->initiator, message, second.n_message, payload));
        assert_memory_equal(payload, second.payload, second.n_payload);
}

static void check_transport(const json_t *vector,
                            const struct pipit_noise_transport *initiator,
                            const struct pipit_noise_transport *responder)
{
        size_t n_messages = json_array_size(json_object_get(vector, "messages"));

        for (size_t i = 2; i < n_messages; i++) {
                struct expected expected = expect(vector, i);
                const struct pipit_noise_transport *sender = i % 2 == 0 ? initiator : responder;
                const struct pipit_noise_transport *receiver = i % 2 == 0 ? responder : initiator;
                uint64_t counter = (i - 2) / 2;
                uint8_t *bytes = expected.payload, *tag = bytes + expected.n_payload;

                pipit_noise_encrypt(sender->send, counter, NULL, 0, bytes, expected.n_payload, tag);
                assert_memory_equal(bytes, expected.message, expected.n_message);
                assert_true(pipit_noise_decrypt(
                        receiver->receive, counter, NULL, 0, bytes, expected.n_payload, tag));
        }
}

static void the_public_vectors_come_out(void **state)
{
        const char *path = getenv("PIPIT_NOISE_VECTORS");
        json_t *vectors, *vector;
        size_t i, n_checked = 0;

        (void)state;
        if (!path)
                path = PIPIT_SOURCE_ROOT "/../shared/vectors/noise_ik_25519_chachapoly_sha256.json";
        vectors = vectors_load(path, "vectors");
        if (!vectors) {
                (void)fprintf(stderr,
                              "SKIPPED: %s is not there: the public vectors of "
                              "Noise_IK_25519_ChaChaPoly_SHA256 WERE NOT CHECKED "
                              "(PIPIT_NOISE_VECTORS names their file)\n",
                              path);
                skip();
        }

        json_array_foreach(vectors, i, vector)
        {
                struct pipit_noise_transport initiator, responder;
                uint8_t hash[32];
                struct pair pair;

                init_from(vector, "init", &pair);
                init_from(vector, "resp", &pair);
                check_handshake(vector, &pair);
                assert_true(pipit_noise_split(&pair.initiator, &initiator));
                assert_true(pipit_noise_split(&pair.responder, &responder));
                vectors_exactly(vector, "handshake_hash", hash, 32);
                assert_memory_equal(initiator.hash, hash, 32);
                assert_memory_equal(responder.hash, hash, 32);
                check_transport(vector, &initiator, &responder);
                n_checked++;
        }
        assert_true(n_checked > 0);
        json_decref(vectors);
}

/* --- the handshake --------------------------------------------------------------------- */

static void both_sides_have_the_same_keys_crosswise(void **state)
{
        struct pipit_noise_transport initiator, responder;
        uint8_t message[MESSAGE_BYTES_MAX], payload[MESSAGE_BYTES_MAX], key[32];
        struct pair pair;

        (void)state;
        for (size_t n = 0; n <= 64; n += 16) {
                pair_init(&pair);
                assert_true(pipit_noise_write_first(&pair.initiator, message + 256, n, message));
                assert_true(pipit_noise_read_first_static(
                        &pair.responder, message, n + PIPIT_NOISE_FIRST_BYTES, key));
                assert_true(pipit_noise_read_first_payload(
                        &pair.responder, message, n + PIPIT_NOISE_FIRST_BYTES, payload));
                assert_true(pipit_noise_write_second(&pair.responder, payload, n, message));
                assert_true(pipit_noise_read_second(
                        &pair.initiator, message, n + PIPIT_NOISE_SECOND_BYTES, payload));
                assert_true(pipit_noise_split(&pair.initiator, &initiator));
                assert_true(pipit_noise_split(&pair.responder, &responder));
                assert_memory_equal(initiator.send, responder.receive, 32);
                assert_memory_equal(initiator.receive, responder.send, 32);
                assert_memory_not_equal(initiator.send, initiator.receive, 32);
                pair_deinit(&pair);
        }
}

static void a_finished_or_ended_handshake_holds_no_secret(void **state)
{
        struct pipit_noise_transport transport;
        uint8_t message[MESSAGE_BYTES_MAX], key[32];
        struct pipit_noise zero;
        struct pair pair;

        (void)state;
        memset(&zero, 0, sizeof(zero));
        zero.step = PIPIT_NOISE_OVER;
        pair_init(&pair);
        assert_true(pipit_noise_write_first(&pair.initiator, "", 0, message));
        assert_true(pipit_noise_read_first_static(
                &pair.responder, message, PIPIT_NOISE_FIRST_BYTES, key));
        assert_true(pipit_noise_read_first_payload(
                &pair.responder, message, PIPIT_NOISE_FIRST_BYTES, message + 256));
        assert_true(pipit_noise_write_second(&pair.responder, "", 0, message));
        assert_true(pipit_noise_split(&pair.responder, &transport));
        pipit_noise_deinit(&pair.initiator);
        assert_memory_equal(&pair.responder, &zero, sizeof(zero));
        assert_memory_equal(&pair.initiator, &zero, sizeof(zero));
}

/* The points of order 1, 2, 4 and 8 of the curve and its twist, and their other spellings. */
static const uint8_t low_order[][32] = {
        {0},
        {1},
        {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
         0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
         0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
        {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
         0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
         0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
        {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
        {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
        {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
};

static void points_of_low_order_are_refused_wherever_they_come(void **state)
{
        uint8_t message[MESSAGE_BYTES_MAX], payload[MESSAGE_BYTES_MAX], key[32];

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(low_order); i++) {
                struct pair pair;

                /* as the responder's static key */
                pair_init(&pair);
                pipit_noise_init(&pair.initiator, &pair.initiator_keys, low_order[i], "here", 4);
                assert_false(pipit_noise_write_first(&pair.initiator, "", 0, message));

                /* as either ephemeral key */
                pair_init(&pair);
                assert_true(pipit_noise_write_first(&pair.initiator, "", 0, message));
                memcpy(message, low_order[i], 32);
                assert_false(pipit_noise_read_first_static(
                        &pair.responder, message, PIPIT_NOISE_FIRST_BYTES, key));
                memset(message + 32, 0, PIPIT_NOISE_SECOND_BYTES - 32);
                assert_false(pipit_noise_read_second(
                        &pair.initiator, message, PIPIT_NOISE_SECOND_BYTES, payload));
                pair_deinit(&pair);
        }
}

static void steps_out_of_turn_are_refused(void **state)
{
        struct pipit_noise_transport transport;
        uint8_t message[MESSAGE_BYTES_MAX] = {9}, payload[MESSAGE_BYTES_MAX], key[32];
        struct pair pair;

        (void)state;
        pair_init(&pair);
        assert_false(pipit_noise_split(&pair.initiator, &transport));
        assert_false(pipit_noise_read_second(&pair.initiator, message, 64, payload));
        assert_false(pipit_noise_write_second(&pair.initiator, "", 0, message));
        assert_false(pipit_noise_read_first_static(&pair.initiator, message, 96, key));
        assert_false(pipit_noise_write_first(&pair.responder, "", 0, message));
        assert_false(pipit_noise_read_first_payload(&pair.responder, message, 96, payload));
        assert_false(pipit_noise_write_second(&pair.responder, "", 0, message));
        assert_false(pipit_noise_split(&pair.responder, &transport));

        assert_true(pipit_noise_write_first(&pair.initiator, "", 0, message));
        assert_false(pipit_noise_write_first(&pair.initiator, "", 0, message));
        pair_deinit(&pair);
        assert_false(pipit_noise_write_first(&pair.initiator, "", 0, message));
        assert_false(pipit_noise_split(&pair.responder, &transport));
}

static void another_prologue_or_another_server_is_refused(void **state)
{
        uint8_t message[MESSAGE_BYTES_MAX], key[32];
        struct pair pair, other;

        (void)state;
        pair_init(&pair);
        pair_init(&other);
        pipit_noise_init(
                &other.initiator, &pair.initiator_keys, pair.responder_keys.public, "hers", 4);
        assert_true(pipit_noise_write_first(&other.initiator, "", 0, message));
        assert_false(pipit_noise_read_first_static(
                &pair.responder, message, PIPIT_NOISE_FIRST_BYTES, key));
        assert_true(pipit_noise_write_first(&pair.initiator, "", 0, message));
        assert_false(pipit_noise_read_first_static(
                &other.responder, message, PIPIT_NOISE_FIRST_BYTES, key));
        assert_true(pipit_noise_read_first_static(
                &pair.responder, message, PIPIT_NOISE_FIRST_BYTES, key));
}

/*
 * Whoever knows only public keys can show another's, and get no further: he is
 * found out by the payload.
 */
static void a_key_that_is_shown_but_not_held_is_found_out(void **state)
{
        uint8_t message[MESSAGE_BYTES_MAX], payload[MESSAGE_BYTES_MAX], key[32];
        struct pipit_noise_keys shown;
        struct pair pair;

        (void)state;
        pair_init(&pair);
        pipit_noise_keys_generate(&shown);
        memcpy(shown.public, pair.initiator_keys.public, 32);
        pipit_noise_init(&pair.initiator, &shown, pair.responder_keys.public, "here", 4);
        assert_true(pipit_noise_write_first(&pair.initiator, "pay", 3, message));
        assert_true(pipit_noise_read_first_static(
                &pair.responder, message, 3 + PIPIT_NOISE_FIRST_BYTES, key));
        assert_memory_equal(key, pair.initiator_keys.public, 32);
        assert_false(pipit_noise_read_first_payload(
                &pair.responder, message, 3 + PIPIT_NOISE_FIRST_BYTES, payload));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_public_vectors_come_out),
                cmocka_unit_test(both_sides_have_the_same_keys_crosswise),
                cmocka_unit_test(a_finished_or_ended_handshake_holds_no_secret),
                cmocka_unit_test(points_of_low_order_are_refused_wherever_they_come),
                cmocka_unit_test(steps_out_of_turn_are_refused),
                cmocka_unit_test(another_prologue_or_another_server_is_refused),
                cmocka_unit_test(a_key_that_is_shown_but_not_held_is_found_out),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
