/*
 * Frames, as far as a relay must know them
 *
 * Written from docs/wire.md alone: a relay that used the code it stands beside
 * would not notice that code's errors.
 */

#ifndef TESTKIT_WIRE_H
#define TESTKIT_WIRE_H

#include <pipit/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_REQUEST      0x10
#define WIRE_RESPONSE     0x11
#define WIRE_FRAME_BYTES  4  /* before the body */
#define WIRE_WORDS_MAX    32 /* bytes of words before a frame */
#define WIRE_CLIENT_BYTES 16

/* Fields of pipit.v1 */
#define WIRE_REQUEST_CLIENT_ID 1
#define WIRE_REQUEST_CALLS     2
#define WIRE_RESPONSE_REPLIES  1
#define WIRE_RESPONSE_INSTANCE 2
#define WIRE_CALL_ID           1
#define WIRE_CALL_METHOD       2
#define WIRE_REPLY_ID          1

/* Bytes that grow. When memory is out, has_failed stays set and nothing more is added. */
struct bytes {
        uint8_t *data;
        size_t n;
        size_t capacity;
        bool has_failed;
};

void bytes_add(struct bytes *bytes, const void *data, size_t n);
void bytes_take(struct bytes *bytes, size_t n); /* from the front */
void bytes_deinit(struct bytes *bytes);

/* --- reading ------------------------------------------------------------- */

struct wire_field {
        uint32_t number;
        uint64_t value; /* of a varint, or fixed */
        const uint8_t *data;
        size_t n_data;         /* of a length-delimited one */
        const uint8_t *record; /* tag and all */
        size_t n_record;
};

struct wire_reader {
        const uint8_t *at;
        const uint8_t *end;
        bool is_malformed;
};

/* False: at the end, or malformed. */
bool wire_next(struct wire_reader *reader, struct wire_field *ret_field);

/* What precedes a frame: words up to the one with the top bit. 0: there is none. */
size_t wire_words(const uint8_t *message, size_t n_message);

/* 0: no frame of ours. */
uint8_t wire_frame_kind(const uint8_t *frame, size_t n_frame);

/* --- writing ------------------------------------------------------------- */

void wire_add_frame_header(struct bytes *bytes, uint8_t kind);
void wire_add_number(struct bytes *bytes, uint32_t field, uint64_t number);
void wire_add_fixed64(struct bytes *bytes, uint32_t field, uint64_t number);
void wire_add_data(struct bytes *bytes, uint32_t field, const void *data, size_t n);

/* Response.replies: the call @id failed with @error. */
void wire_add_failure(struct bytes *bytes, uint64_t id, const struct pipit_error *error);

#endif
