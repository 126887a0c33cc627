#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/rpc/handshake.h"
#include "tests/unit/rpc/vectors.h"

static const struct pipit_hello plain_hello = {
        .client_time_us = 1800000000000000, .max_frame = 1 << 20, .proto_min = 1, .proto_max = 1};

static const struct pipit_welcome plain_welcome = {.session_id = "0123456789abcde",
                                                   .max_frame = 1 << 20,
                                                   .proto = 1,
                                                   .max_inflight = 64,
                                                   .rekey_s = 120,
                                                   .reject_s = 180};

struct exchange {
        struct pipit_noise_keys client_keys, server_keys;
        struct pipit_noise client, server;
        struct pipit_hello hello;
        uint8_t hello_frame[PIPIT_HELLO_FRAME_BYTES + 1]; /* room for a byte too many */
        uint8_t welcome_frame[PIPIT_WELCOME_FRAME_BYTES + 1];
        struct pipit_noise_transport client_transport, server_transport;
};

/* As far as a written hello. */
static void begin(struct exchange *exchange, const struct pipit_hello *hello)
{
        memset(exchange, 0, sizeof(*exchange));
        pipit_noise_keys_generate(&exchange->client_keys);
        pipit_noise_keys_generate(&exchange->server_keys);
        pipit_handshake_init(
                &exchange->client, &exchange->client_keys, exchange->server_keys.public);
        pipit_handshake_init(&exchange->server, &exchange->server_keys, NULL);
        exchange->hello = *hello;
        assert_true(pipit_hello_write(&exchange->client, hello, exchange->hello_frame));
}

/* The server's half. False: it refused. */
static bool greet(struct exchange *exchange, size_t n_hello, struct pipit_hello *ret_hello)
{
        uint8_t key[32];

        if (!pipit_hello_read_key(&exchange->server, exchange->hello_frame, n_hello, key))
                return false;
        assert_memory_equal(key, exchange->client_keys.public, 32);
        return pipit_hello_read(&exchange->server, exchange->hello_frame, n_hello, ret_hello);
}

static void welcome_with(struct exchange *exchange, const struct pipit_welcome *welcome)
{
        struct pipit_hello hello;

        assert_true(greet(exchange, PIPIT_HELLO_FRAME_BYTES, &hello));
        assert_true(pipit_welcome_write(
                &exchange->server, welcome, exchange->welcome_frame, &exchange->server_transport));
}

static bool conclude(struct exchange *exchange, size_t n_welcome, struct pipit_welcome *ret_welcome)
{
        return pipit_welcome_read(&exchange->client,
                                  &exchange->hello,
                                  exchange->welcome_frame,
                                  n_welcome,
                                  ret_welcome,
                                  &exchange->client_transport);
}

static void every_field_arrives(void **state)
{
        const struct pipit_hello hello = {.client_time_us = UINT64_C(0x8877665544332211),
                                          .max_frame = UINT32_MAX,
                                          .proto_min = 1,
                                          .proto_max = UINT16_MAX,
                                          .features = UINT64_C(0xfedcba9876543210)};
        struct pipit_welcome welcome = plain_welcome, read_welcome;
        struct pipit_hello read_hello;
        struct exchange exchange;

        (void)state;
        welcome.features = UINT64_C(0x00dc009800540010);
        welcome.max_inflight = 0x1234;
        begin(&exchange, &hello);
        assert_true(greet(&exchange, PIPIT_HELLO_FRAME_BYTES, &read_hello));
        assert_memory_equal(&read_hello, &hello, sizeof(hello));
        assert_true(pipit_welcome_write(
                &exchange.server, &welcome, exchange.welcome_frame, &exchange.server_transport));
        assert_true(conclude(&exchange, PIPIT_WELCOME_FRAME_BYTES, &read_welcome));
        assert_memory_equal(read_welcome.session_id, welcome.session_id, 16);
        assert_int_equal(read_welcome.max_frame, welcome.max_frame);
        assert_int_equal(read_welcome.proto, 1);
        assert_int_equal(read_welcome.max_inflight, 0x1234);
        assert_int_equal(read_welcome.rekey_s, 120);
        assert_int_equal(read_welcome.reject_s, 180);
        assert_true(read_welcome.features == welcome.features);
        assert_memory_equal(exchange.client_transport.send, exchange.server_transport.receive, 32);
        assert_memory_equal(exchange.client_transport.receive, exchange.server_transport.send, 32);
}

static void every_flipped_bit_of_a_hello_is_refused_and_the_honest_one_goes_on(void **state)
{
        struct pipit_hello hello;
        struct exchange exchange;

        (void)state;
        begin(&exchange, &plain_hello);
        for (size_t bit = 0; bit < (size_t)PIPIT_HELLO_FRAME_BYTES * 8; bit++) {
                struct pipit_noise fresh = exchange.server;

                exchange.hello_frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
                assert_false(greet(&exchange, PIPIT_HELLO_FRAME_BYTES, &hello));
                exchange.hello_frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
                exchange.server = fresh;
        }
        for (size_t n = 0; n <= PIPIT_HELLO_FRAME_BYTES + 1; n++) {
                if (n != PIPIT_HELLO_FRAME_BYTES)
                        assert_false(greet(&exchange, n, &hello));
        }
        assert_true(greet(&exchange, PIPIT_HELLO_FRAME_BYTES, &hello));
}

static void every_flipped_bit_of_a_welcome_is_refused_and_the_honest_one_goes_on(void **state)
{
        struct pipit_welcome welcome;
        struct exchange exchange;

        (void)state;
        begin(&exchange, &plain_hello);
        welcome_with(&exchange, &plain_welcome);
        for (size_t bit = 0; bit < (size_t)PIPIT_WELCOME_FRAME_BYTES * 8; bit++) {
                exchange.welcome_frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
                assert_false(conclude(&exchange, PIPIT_WELCOME_FRAME_BYTES, &welcome));
                exchange.welcome_frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        for (size_t n = 0; n <= PIPIT_WELCOME_FRAME_BYTES + 1; n++) {
                if (n != PIPIT_WELCOME_FRAME_BYTES)
                        assert_false(conclude(&exchange, n, &welcome));
        }
        assert_true(conclude(&exchange, PIPIT_WELCOME_FRAME_BYTES, &welcome));
}

static void a_welcome_answers_its_own_hello_only(void **state)
{
        struct exchange one, other;
        struct pipit_welcome welcome;

        (void)state;
        begin(&one, &plain_hello);
        begin(&other, &plain_hello);
        welcome_with(&one, &plain_welcome);

        /* the same two keys, another hello */
        pipit_handshake_init(&other.client, &one.client_keys, one.server_keys.public);
        assert_true(pipit_hello_write(&other.client, &plain_hello, other.hello_frame));
        memcpy(other.welcome_frame, one.welcome_frame, sizeof(one.welcome_frame));
        assert_false(conclude(&other, PIPIT_WELCOME_FRAME_BYTES, &welcome));
        assert_true(conclude(&one, PIPIT_WELCOME_FRAME_BYTES, &welcome));
}

static void a_hello_sent_back_is_no_welcome(void **state)
{
        struct pipit_noise_transport transport;
        struct pipit_welcome welcome;
        struct exchange exchange;

        (void)state;
        begin(&exchange, &plain_hello);
        exchange.hello_frame[3] = 2;
        assert_false(pipit_welcome_read(&exchange.client,
                                        &exchange.hello,
                                        exchange.hello_frame,
                                        PIPIT_HELLO_FRAME_BYTES,
                                        &welcome,
                                        &transport));
        assert_false(pipit_welcome_read(&exchange.client,
                                        &exchange.hello,
                                        exchange.hello_frame,
                                        PIPIT_WELCOME_FRAME_BYTES,
                                        &welcome,
                                        &transport));
}

static bool is_taken_hello(const struct pipit_hello *hello)
{
        struct pipit_hello read_hello;
        struct exchange exchange;

        begin(&exchange, hello);
        return greet(&exchange, PIPIT_HELLO_FRAME_BYTES, &read_hello);
}

static void a_hello_with_a_field_out_of_bounds_is_refused(void **state)
{
        struct pipit_hello hello = plain_hello;

        (void)state;
        assert_true(is_taken_hello(&hello));
        hello.max_frame = (1 << 20) - 1;
        assert_false(is_taken_hello(&hello));
        hello = plain_hello;
        hello.proto_min = 0;
        assert_false(is_taken_hello(&hello));
        hello.proto_min = 2;
        assert_false(is_taken_hello(&hello));
        hello.proto_max = 2;
        assert_true(is_taken_hello(&hello));
        assert_int_equal(pipit_hello_proto(&hello), 0);
        hello.proto_min = 1;
        assert_int_equal(pipit_hello_proto(&hello), 1);
}

static bool is_taken_welcome(const struct pipit_welcome *welcome)
{
        struct pipit_welcome read_welcome;
        struct exchange exchange;

        begin(&exchange, &plain_hello);
        welcome_with(&exchange, welcome);
        return conclude(&exchange, PIPIT_WELCOME_FRAME_BYTES, &read_welcome);
}

static void a_welcome_with_a_field_out_of_bounds_is_refused(void **state)
{
        struct pipit_welcome welcome = plain_welcome;

        (void)state;
        assert_true(is_taken_welcome(&welcome));
        welcome.max_frame = (1 << 20) - 1;
        assert_false(is_taken_welcome(&welcome));
        welcome = plain_welcome;
        welcome.proto = 2;
        assert_false(is_taken_welcome(&welcome));
        welcome.proto = 0;
        assert_false(is_taken_welcome(&welcome));
        welcome = plain_welcome;
        welcome.features = 1; /* not asked for */
        assert_false(is_taken_welcome(&welcome));
        welcome = plain_welcome;
        welcome.rekey_s = 0;
        assert_false(is_taken_welcome(&welcome));
        welcome.rekey_s = 180;
        assert_false(is_taken_welcome(&welcome));
}

/* --- another implementation's ------------------------------------------------------------ */

static void read_hello_of(const json_t *vector, struct pipit_hello *ret_hello)
{
        const json_t *hello = json_object_get(vector, "hello");

        *ret_hello = (struct pipit_hello){
                .client_time_us = vectors_number(hello, "time_us"),
                .max_frame = (uint32_t)vectors_number(hello, "max_frame"),
                .proto_min = (uint16_t)vectors_number(hello, "proto_min"),
                .proto_max = (uint16_t)vectors_number(hello, "proto_max"),
                .features = vectors_number(hello, "features"),
        };
}

static void read_welcome_of(const json_t *vector, struct pipit_welcome *ret_welcome)
{
        const json_t *welcome = json_object_get(vector, "welcome");

        *ret_welcome = (struct pipit_welcome){
                .max_frame = (uint32_t)vectors_number(welcome, "max_frame"),
                .proto = (uint16_t)vectors_number(welcome, "proto"),
                .max_inflight = (uint16_t)vectors_number(welcome, "max_inflight"),
                .rekey_s = (uint32_t)vectors_number(welcome, "rekey_s"),
                .reject_s = (uint32_t)vectors_number(welcome, "reject_s"),
                .features = vectors_number(welcome, "features"),
        };
        vectors_exactly(vector, "session_id", ret_welcome->session_id, 16);
}

static void give(const json_t *vector, const char *member, struct pipit_noise *noise)
{
        uint8_t ephemeral[32];

        vectors_exactly(vector, member, ephemeral, 32);
        pipit_noise_set_ephemeral(noise, ephemeral);
}

static void check_vector(const json_t *vector)
{
        uint8_t expected[PIPIT_HELLO_FRAME_BYTES], secret[32];
        struct pipit_welcome welcome, read_welcome;
        struct exchange exchange = {0};

        vectors_exactly(vector, "client_static", secret, 32);
        pipit_noise_keys_derive(secret, &exchange.client_keys);
        vectors_exactly(vector, "server_static", secret, 32);
        pipit_noise_keys_derive(secret, &exchange.server_keys);
        pipit_handshake_init(&exchange.client, &exchange.client_keys, exchange.server_keys.public);
        pipit_handshake_init(&exchange.server, &exchange.server_keys, NULL);
        give(vector, "client_ephemeral", &exchange.client);
        give(vector, "server_ephemeral", &exchange.server);
        read_hello_of(vector, &exchange.hello);
        read_welcome_of(vector, &welcome);

        assert_true(pipit_hello_write(&exchange.client, &exchange.hello, exchange.hello_frame));
        vectors_exactly(vector, "hello_frame", expected, PIPIT_HELLO_FRAME_BYTES);
        assert_memory_equal(exchange.hello_frame, expected, PIPIT_HELLO_FRAME_BYTES);
        welcome_with(&exchange, &welcome);
        vectors_exactly(vector, "welcome_frame", expected, PIPIT_WELCOME_FRAME_BYTES);
        assert_memory_equal(exchange.welcome_frame, expected, PIPIT_WELCOME_FRAME_BYTES);
        assert_true(conclude(&exchange, PIPIT_WELCOME_FRAME_BYTES, &read_welcome));

        vectors_exactly(vector, "client_key", expected, 32);
        assert_memory_equal(exchange.client_transport.send, expected, 32);
        vectors_exactly(vector, "server_key", expected, 32);
        assert_memory_equal(exchange.client_transport.receive, expected, 32);
        vectors_exactly(vector, "handshake_hash", expected, 32);
        assert_memory_equal(exchange.client_transport.hash, expected, 32);
}

static void another_implementation_writes_the_same_frames(void **state)
{
        json_t *vectors =
                vectors_load(PIPIT_SOURCE_ROOT "/tests/vectors/sessions.json", "sessions");
        json_t *vector;
        size_t i;

        (void)state;
        assert_non_null(vectors);
        json_array_foreach(vectors, i, vector) check_vector(vector);
        json_decref(vectors);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_field_arrives),
                cmocka_unit_test(
                        every_flipped_bit_of_a_hello_is_refused_and_the_honest_one_goes_on),
                cmocka_unit_test(
                        every_flipped_bit_of_a_welcome_is_refused_and_the_honest_one_goes_on),
                cmocka_unit_test(a_welcome_answers_its_own_hello_only),
                cmocka_unit_test(a_hello_sent_back_is_no_welcome),
                cmocka_unit_test(a_hello_with_a_field_out_of_bounds_is_refused),
                cmocka_unit_test(a_welcome_with_a_field_out_of_bounds_is_refused),
                cmocka_unit_test(another_implementation_writes_the_same_frames),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
