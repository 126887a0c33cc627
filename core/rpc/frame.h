/*
 * Frames: the four bytes before every message body, and rejects
 *
 * docs/wire.md, "Frames". Knows nothing of sockets.
 */

#ifndef CORE_RPC_FRAME_H
#define CORE_RPC_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PIPIT_FRAME_HEADER_BYTES 4
#define PIPIT_FRAME_VERSION      1

enum pipit_frame_kind {
        PIPIT_FRAME_HELLO = 0x01,
        PIPIT_FRAME_WELCOME = 0x02,
        PIPIT_FRAME_SEALED_REQUEST = 0x03,
        PIPIT_FRAME_SEALED_RESPONSE = 0x04,
        PIPIT_FRAME_REJECT = 0x05,
        PIPIT_FRAME_REQUEST = 0x10,
        PIPIT_FRAME_RESPONSE = 0x11,
};

/* X(name, number) */
#define PIPIT_REJECT_MAP(X)                                                                        \
        X(BAD_FRAME, 1)                                                                            \
        X(VERSION, 2)                                                                              \
        X(TOO_LARGE, 3)                                                                            \
        X(NO_SESSION, 4)                                                                           \
        X(DENIED, 5)                                                                               \
        X(BUSY, 6)

enum pipit_reject_code {
#define PIPIT_REJECT_ENUM(name, number) PIPIT_REJECT_##name = number,
        PIPIT_REJECT_MAP(PIPIT_REJECT_ENUM)
#undef PIPIT_REJECT_ENUM
};

struct pipit_reject {
        enum pipit_reject_code code;
        uint32_t retry_ms;
        uint32_t detail; /* VERSION: the highest we speak; TOO_LARGE: the limit */
};

#define PIPIT_REJECT_FRAME_BYTES 14 /* header and body */

void pipit_frame_header_write(enum pipit_frame_kind kind, uint8_t ret_header[4]);

enum pipit_frame_check {
        PIPIT_FRAME_OK,
        PIPIT_FRAME_NO_MAGIC,    /* shorter than the header, or not 'P' 'I' */
        PIPIT_FRAME_BAD_VERSION, /* ours, of another version */
        PIPIT_FRAME_BAD_KIND,    /* a kind that docs/wire.md does not list */
};

/* What the first bytes say. *ret_kind is set when PIPIT_FRAME_OK. */
enum pipit_frame_check pipit_frame_header_read(const uint8_t *bytes,
                                               size_t n_bytes,
                                               enum pipit_frame_kind *ret_kind);

/* A whole reject frame. */
void pipit_reject_write(const struct pipit_reject *reject,
                        uint8_t ret_frame[PIPIT_REJECT_FRAME_BYTES]);

/* Reads a reject's body (behind the header). False: wrong length; a code we do not know is kept as it is. */
bool pipit_reject_read(const uint8_t *body, size_t n_bytes, struct pipit_reject *ret_reject);

/* "BAD_FRAME"; "UNKNOWN" for others. */
const char *pipit_reject_name(enum pipit_reject_code code);

#endif
