#include "core/rpc/frame.h"

#include "core/rpc/little_endian.h"

void pipit_frame_header_write(enum pipit_frame_kind kind, uint8_t ret_header[4])
{
        ret_header[0] = 'P';
        ret_header[1] = 'I';
        ret_header[2] = PIPIT_FRAME_VERSION;
        ret_header[3] = (uint8_t)kind;
}

static bool kind_is_known(uint8_t kind)
{
        switch ((enum pipit_frame_kind)kind) {
        case PIPIT_FRAME_HELLO:
        case PIPIT_FRAME_WELCOME:
        case PIPIT_FRAME_SEALED_REQUEST:
        case PIPIT_FRAME_SEALED_RESPONSE:
        case PIPIT_FRAME_REJECT:
        case PIPIT_FRAME_REQUEST:
        case PIPIT_FRAME_RESPONSE:
                return true;
        }

        return false;
}

enum pipit_frame_check pipit_frame_header_read(const uint8_t *bytes,
                                               size_t n_bytes,
                                               enum pipit_frame_kind *ret_kind)
{
        if (n_bytes < PIPIT_FRAME_HEADER_BYTES || bytes[0] != 'P' || bytes[1] != 'I')
                return PIPIT_FRAME_NO_MAGIC;
        if (bytes[2] != PIPIT_FRAME_VERSION)
                return PIPIT_FRAME_BAD_VERSION;
        if (!kind_is_known(bytes[3]))
                return PIPIT_FRAME_BAD_KIND;

        *ret_kind = (enum pipit_frame_kind)bytes[3];

        return PIPIT_FRAME_OK;
}

void pipit_reject_write(const struct pipit_reject *reject,
                        uint8_t ret_frame[PIPIT_REJECT_FRAME_BYTES])
{
        uint8_t *body = ret_frame + PIPIT_FRAME_HEADER_BYTES;

        pipit_frame_header_write(PIPIT_FRAME_REJECT, ret_frame);
        pipit_write_u16(body, (uint16_t)reject->code);
        pipit_write_u32(body + 2, reject->retry_ms);
        pipit_write_u32(body + 6, reject->detail);
}

bool pipit_reject_read(const uint8_t *body, size_t n_bytes, struct pipit_reject *ret_reject)
{
        if (n_bytes != PIPIT_REJECT_FRAME_BYTES - PIPIT_FRAME_HEADER_BYTES)
                return false;

        ret_reject->code = (enum pipit_reject_code)pipit_read_u16(body);
        ret_reject->retry_ms = pipit_read_u32(body + 2);
        ret_reject->detail = pipit_read_u32(body + 6);

        return true;
}

const char *pipit_reject_name(enum pipit_reject_code code)
{
        switch (code) {
#define REJECT_CASE(name, number)                                                                  \
        case PIPIT_REJECT_##name:                                                                  \
                return #name;
                PIPIT_REJECT_MAP(REJECT_CASE)
#undef REJECT_CASE
        }

        return "UNKNOWN";
}
