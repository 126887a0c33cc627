/*
 * Hello and welcome, changed by the input
 *
 * The keys are always the same, and so are the frames before they are changed. A frame
 * that was not changed is taken; any other is refused and changes nothing. The input
 * also stands for a frame as a whole, which is refused.
 */

#include <string.h>

#include "core/rpc/handshake.h"
#include "tests/fuzz/fuzz.h"

static const uint8_t client_secret[32] = {1}, server_secret[32] = {2};
static const uint8_t client_ephemeral[32] = {3}, server_ephemeral[32] = {4};
static const struct pipit_hello hello = {.max_frame = 1 << 20, .proto_min = 1, .proto_max = 1};
static const struct pipit_welcome welcome = {
        .session_id = {5}, .max_frame = 1 << 20, .proto = 1, .rekey_s = 120, .reject_s = 180};

struct sides {
        struct pipit_noise_keys client_keys, server_keys;
        struct pipit_noise client, server;
};

static void begin(struct sides *sides)
{
        pipit_noise_keys_derive(client_secret, &sides->client_keys);
        pipit_noise_keys_derive(server_secret, &sides->server_keys);
        pipit_handshake_init(&sides->client, &sides->client_keys, sides->server_keys.public);
        pipit_handshake_init(&sides->server, &sides->server_keys, NULL);
        pipit_noise_set_ephemeral(&sides->client, client_ephemeral);
        pipit_noise_set_ephemeral(&sides->server, server_ephemeral);
}

static bool read_hello(struct pipit_noise *server, const uint8_t *frame, size_t n_frame)
{
        struct pipit_hello read;
        uint8_t key[32];

        return pipit_hello_read_key(server, frame, n_frame, key) &&
               pipit_hello_read(server, frame, n_frame, &read);
}

/* Places and bits of the frame, as the input has them. False: nothing has changed. */
static bool change(struct fuzz_input *input, uint8_t *frame, size_t n_frame)
{
        uint8_t before[PIPIT_HELLO_FRAME_BYTES];

        memcpy(before, frame, n_frame);
        for (uint8_t n = fuzz_byte(input) % 8; n > 0; n--) {
                size_t at = fuzz_byte(input) % n_frame;

                frame[at] ^= fuzz_byte(input);
        }

        return memcmp(before, frame, n_frame) != 0;
}

static void check_hello(struct sides *sides, struct fuzz_input *input, uint8_t *frame)
{
        uint8_t changed[PIPIT_HELLO_FRAME_BYTES];
        struct pipit_noise fresh = sides->server;
        bool is_changed;

        memcpy(changed, frame, sizeof(changed));
        is_changed = change(input, changed, sizeof(changed));
        FUZZ_CHECK(read_hello(&sides->server, changed, sizeof(changed)) == !is_changed);
        sides->server = fresh;
        FUZZ_CHECK(!read_hello(&sides->server, input->at, input->n_left));
        sides->server = fresh;
        FUZZ_CHECK(read_hello(&sides->server, frame, PIPIT_HELLO_FRAME_BYTES));
}

static void check_welcome(struct sides *sides, struct fuzz_input *input, const uint8_t *frame)
{
        uint8_t changed[PIPIT_WELCOME_FRAME_BYTES];
        struct pipit_noise_transport transport;
        struct pipit_welcome read;
        bool is_changed;

        FUZZ_CHECK(!pipit_welcome_read(
                &sides->client, &hello, input->at, input->n_left, &read, &transport));
        memcpy(changed, frame, sizeof(changed));
        is_changed = change(input, changed, sizeof(changed));
        if (is_changed)
                FUZZ_CHECK(!pipit_welcome_read(
                        &sides->client, &hello, changed, sizeof(changed), &read, &transport));
        FUZZ_CHECK(pipit_welcome_read(
                &sides->client, &hello, frame, PIPIT_WELCOME_FRAME_BYTES, &read, &transport));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
        struct fuzz_input input = {.at = bytes, .n_left = n_bytes};
        uint8_t hello_frame[PIPIT_HELLO_FRAME_BYTES], welcome_frame[PIPIT_WELCOME_FRAME_BYTES];
        struct pipit_noise_transport transport;
        struct sides sides;

        begin(&sides);
        FUZZ_CHECK(pipit_hello_write(&sides.client, &hello, hello_frame));
        check_hello(&sides, &input, hello_frame);
        FUZZ_CHECK(pipit_welcome_write(&sides.server, &welcome, welcome_frame, &transport));
        check_welcome(&sides, &input, welcome_frame);

        return 0;
}
