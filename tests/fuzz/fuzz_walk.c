/*
 * The walk before the unpacker, with real descriptors
 *
 * The first byte chooses one. What the walk passes must unpack, in no more memory
 * than it said, and come back from its packed form.
 */

#include "core/base/macros.h"
#include "core/rpc/message.h"
#include "core/rpc/wire_check.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "pipit/v1/frame.pb-c.h"
#include "samples.pb-c.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/rpc/wire_check_property.h"
#include "users/v1/users.pb-c.h"

static const ProtobufCMessageDescriptor *const descriptors[] = {
        &users__v1__create_user_request__descriptor,
        &users__v1__update_user_request__descriptor,
        &users__v1__list_users_response__descriptor,
        &google__rpc__status__descriptor,
        &google__rpc__bad_request__descriptor,
        &pipit__v1__request__descriptor,
        &pipit__v1__response__descriptor,
        &samples__scalars__descriptor,
        &samples__tree__descriptor,
};

static void check_again(const ProtobufCMessage *message)
{
        const size_t n_packed = protobuf_c_message_get_packed_size(message);
        uint8_t *packed = malloc(n_packed + 1);
        struct pipit_wire_report report;

        FUZZ_CHECK(packed);
        FUZZ_CHECK(protobuf_c_message_pack(message, packed) == n_packed);
        FUZZ_CHECK(pipit_wire_check(
                message->descriptor, packed, n_packed, &pipit_wire_limits_default, &report));
        free(packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
        struct fuzz_input input = {.at = bytes, .n_left = n_bytes};
        const ProtobufCMessageDescriptor *descriptor =
                descriptors[fuzz_byte(&input) % PIPIT_N_ELEMENTS(descriptors)];
        struct wire_check_property property =
                wire_check_property(descriptor, input.at, input.n_left);
        struct pipit_arena arena = {0};
        const ProtobufCMessage *message;

        FUZZ_CHECK(!property.broken);
        if (!property.passed)
                return 0;

        message = pipit_message_unpack(descriptor, &arena, input.at, input.n_left);
        FUZZ_CHECK(message);
        check_again(message);
        pipit_arena_deinit(&arena);

        return 0;
}
