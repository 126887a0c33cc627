#include "core/rpc/handshake.h"

#include <sodium.h>
#include <string.h>

#include "core/rpc/frame.h"
#include "core/rpc/little_endian.h"
#include "core/rpc/wire_limits.h"

/* The protocol's name, and the clear bytes of hello and welcome. */
static const uint8_t prologue[] = {'p', 'i', 'p', 'i', 't', '.', 'v', '1', '.', 's', 'e', 's',
                                   's', 'i', 'o', 'n', 'P', 'I', 1,   1,   'P', 'I', 1,   2};

#define HELLO_BYTES   24
#define WELCOME_BYTES 40

_Static_assert(PIPIT_HELLO_FRAME_BYTES ==
                       PIPIT_FRAME_HEADER_BYTES + PIPIT_NOISE_FIRST_BYTES + HELLO_BYTES,
               "docs/wire.md: hello");
_Static_assert(PIPIT_WELCOME_FRAME_BYTES ==
                       PIPIT_FRAME_HEADER_BYTES + PIPIT_NOISE_SECOND_BYTES + WELCOME_BYTES,
               "docs/wire.md: welcome");

void pipit_handshake_init(struct pipit_noise *noise,
                          const struct pipit_noise_keys *keys,
                          const uint8_t server_key[PIPIT_NOISE_KEY_BYTES])
{
        pipit_noise_init(noise, keys, server_key, prologue, sizeof(prologue));
}

/* Whether it is a frame of @kind and of the only length that one has. */
static bool is_frame(const uint8_t *frame,
                     size_t n_frame,
                     enum pipit_frame_kind kind,
                     size_t n_expected)
{
        enum pipit_frame_kind read_kind;

        return n_frame == n_expected &&
               pipit_frame_header_read(frame, n_frame, &read_kind) == PIPIT_FRAME_OK &&
               read_kind == kind;
}

/* --- hello ------------------------------------------------------------------- */

bool pipit_hello_write(struct pipit_noise *noise,
                       const struct pipit_hello *hello,
                       uint8_t ret_frame[PIPIT_HELLO_FRAME_BYTES])
{
        uint8_t payload[HELLO_BYTES];

        pipit_write_u64(payload, hello->client_time_us);
        pipit_write_u32(payload + 8, hello->max_frame);
        pipit_write_u16(payload + 12, hello->proto_min);
        pipit_write_u16(payload + 14, hello->proto_max);
        pipit_write_u64(payload + 16, hello->features);
        pipit_frame_header_write(PIPIT_FRAME_HELLO, ret_frame);

        return pipit_noise_write_first(
                noise, payload, sizeof(payload), ret_frame + PIPIT_FRAME_HEADER_BYTES);
}

bool pipit_hello_read_key(struct pipit_noise *noise,
                          const uint8_t *frame,
                          size_t n_frame,
                          uint8_t ret_client_key[PIPIT_NOISE_KEY_BYTES])
{
        return is_frame(frame, n_frame, PIPIT_FRAME_HELLO, PIPIT_HELLO_FRAME_BYTES) &&
               pipit_noise_read_first_static(noise,
                                             frame + PIPIT_FRAME_HEADER_BYTES,
                                             n_frame - PIPIT_FRAME_HEADER_BYTES,
                                             ret_client_key);
}

bool pipit_hello_read(struct pipit_noise *noise,
                      const uint8_t *frame,
                      size_t n_frame,
                      struct pipit_hello *ret_hello)
{
        uint8_t payload[HELLO_BYTES];
        struct pipit_hello hello;

        if (!is_frame(frame, n_frame, PIPIT_FRAME_HELLO, PIPIT_HELLO_FRAME_BYTES) ||
            !pipit_noise_read_first_payload(noise,
                                            frame + PIPIT_FRAME_HEADER_BYTES,
                                            n_frame - PIPIT_FRAME_HEADER_BYTES,
                                            payload))
                return false;

        hello.client_time_us = pipit_read_u64(payload);
        hello.max_frame = pipit_read_u32(payload + 8);
        hello.proto_min = pipit_read_u16(payload + 12);
        hello.proto_max = pipit_read_u16(payload + 14);
        hello.features = pipit_read_u64(payload + 16);
        if (hello.max_frame < PIPIT_FRAME_BYTES_DEFAULT || hello.proto_min == 0 ||
            hello.proto_min > hello.proto_max)
                return false;

        *ret_hello = hello;
        return true;
}

uint16_t pipit_hello_proto(const struct pipit_hello *hello)
{
        bool common =
                hello->proto_min <= PIPIT_PROTO_VERSION && hello->proto_max >= PIPIT_PROTO_VERSION;

        return common ? PIPIT_PROTO_VERSION : 0;
}

/* --- welcome ----------------------------------------------------------------- */

bool pipit_welcome_write(struct pipit_noise *noise,
                         const struct pipit_welcome *welcome,
                         uint8_t ret_frame[PIPIT_WELCOME_FRAME_BYTES],
                         struct pipit_noise_transport *ret_transport)
{
        uint8_t payload[WELCOME_BYTES];

        memcpy(payload, welcome->session_id, PIPIT_SESSION_ID_BYTES);
        pipit_write_u32(payload + 16, welcome->max_frame);
        pipit_write_u16(payload + 20, welcome->proto);
        pipit_write_u16(payload + 22, welcome->max_inflight);
        pipit_write_u32(payload + 24, welcome->rekey_s);
        pipit_write_u32(payload + 28, welcome->reject_s);
        pipit_write_u64(payload + 32, welcome->features);
        pipit_frame_header_write(PIPIT_FRAME_WELCOME, ret_frame);

        return pipit_noise_write_second(
                       noise, payload, sizeof(payload), ret_frame + PIPIT_FRAME_HEADER_BYTES) &&
               pipit_noise_split(noise, ret_transport);
}

static void decode_welcome(const uint8_t payload[WELCOME_BYTES], struct pipit_welcome *ret_welcome)
{
        memcpy(ret_welcome->session_id, payload, PIPIT_SESSION_ID_BYTES);
        ret_welcome->max_frame = pipit_read_u32(payload + 16);
        ret_welcome->proto = pipit_read_u16(payload + 20);
        ret_welcome->max_inflight = pipit_read_u16(payload + 22);
        ret_welcome->rekey_s = pipit_read_u32(payload + 24);
        ret_welcome->reject_s = pipit_read_u32(payload + 28);
        ret_welcome->features = pipit_read_u64(payload + 32);
}

static bool answers(const struct pipit_welcome *welcome, const struct pipit_hello *hello)
{
        return welcome->max_frame >= PIPIT_FRAME_BYTES_DEFAULT &&
               welcome->proto >= hello->proto_min && welcome->proto <= hello->proto_max &&
               welcome->rekey_s > 0 && welcome->rekey_s < welcome->reject_s &&
               (welcome->features & ~hello->features) == 0;
}

bool pipit_welcome_read(struct pipit_noise *noise,
                        const struct pipit_hello *hello,
                        const uint8_t *frame,
                        size_t n_frame,
                        struct pipit_welcome *ret_welcome,
                        struct pipit_noise_transport *ret_transport)
{
        uint8_t payload[WELCOME_BYTES];
        struct pipit_welcome welcome;

        if (!is_frame(frame, n_frame, PIPIT_FRAME_WELCOME, PIPIT_WELCOME_FRAME_BYTES) ||
            !pipit_noise_read_second(noise,
                                     frame + PIPIT_FRAME_HEADER_BYTES,
                                     n_frame - PIPIT_FRAME_HEADER_BYTES,
                                     payload))
                return false;

        decode_welcome(payload, &welcome);
        sodium_memzero(payload, sizeof(payload));
        if (!answers(&welcome, hello) || !pipit_noise_split(noise, ret_transport))
                return false;

        *ret_welcome = welcome;
        return true;
}
