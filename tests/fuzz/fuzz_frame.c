/* Whatever comes on a pipe, as far as the unpacked frame: header, reject, walk, unpack. */

#include "core/rpc/frame.h"
#include "core/rpc/session.h"
#include "pipit/v1/frame.pb-c.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/rpc/wire_check_property.h"

static void unpack(const ProtobufCMessageDescriptor *descriptor, const uint8_t *body, size_t n_body)
{
        FUZZ_CHECK(!wire_check_property(descriptor, body, n_body).broken);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
        enum pipit_frame_kind kind;
        const uint8_t *body = bytes + PIPIT_FRAME_HEADER_BYTES;
        struct pipit_reject reject;
        size_t n_body;

        (void)pipit_sealed_session_id(bytes, n_bytes);
        if (pipit_frame_header_read(bytes, n_bytes, &kind) != PIPIT_FRAME_OK)
                return 0;

        n_body = n_bytes - PIPIT_FRAME_HEADER_BYTES;
        switch (kind) {
        case PIPIT_FRAME_REQUEST:
        case PIPIT_FRAME_SEALED_REQUEST: /* as if it had been opened */
                unpack(&pipit__v1__request__descriptor, body, n_body);
                break;
        case PIPIT_FRAME_RESPONSE:
        case PIPIT_FRAME_SEALED_RESPONSE:
                unpack(&pipit__v1__response__descriptor, body, n_body);
                break;
        case PIPIT_FRAME_REJECT:
                if (pipit_reject_read(body, n_body, &reject))
                        FUZZ_CHECK(pipit_reject_name(reject.code));
                break;
        case PIPIT_FRAME_HELLO:
        case PIPIT_FRAME_WELCOME:
                break;
        }

        return 0;
}
