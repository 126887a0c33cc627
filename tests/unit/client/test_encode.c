#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/encode.h"

#include "core/base/macros.h"
#include "pipit/v1/frame.pb-c.h"

static const uint64_t numbers[] = {
        0,
        1,
        127,
        128,
        16383,
        16384,
        UINT32_MAX,
        (UINT64_C(1) << 56) - 1,
        UINT64_C(1) << 56,
        UINT64_C(1) << 63,
        UINT64_MAX,
};

static void sizes_say_what_is_written(void **state)
{
        uint8_t bytes[16];

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(numbers); i++) {
                assert_int_equal(encode_varint(bytes, numbers[i]) - bytes,
                                 encode_varint_size(numbers[i]));
                assert_int_equal(encode_number(bytes, 15, numbers[i]) - bytes,
                                 encode_number_size(numbers[i]));
        }
}

static void protobuf_reads_what_is_written(void **state)
{
        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(numbers); i++) {
                uint8_t bytes[64], *to = bytes;
                Pipit__V1__Call *call;

                to = encode_bytes(to, ENCODE_CALL_PAYLOAD, "p\0q", 3);
                to = encode_bytes(to, ENCODE_CALL_METHOD, "a.B/C", 5);
                to = encode_number(to, ENCODE_CALL_ID, numbers[i]);
                to = encode_number(to, ENCODE_CALL_TIMEOUT_MS, 5000);
                call = pipit__v1__call__unpack(NULL, (size_t)(to - bytes), bytes);
                assert_non_null(call);
                assert_true(call->id == numbers[i]);
                assert_int_equal(call->timeout_ms, 5000);
                assert_string_equal(call->method, "a.B/C");
                assert_int_equal(call->payload.len, 3);
                assert_memory_equal(call->payload.data, "p\0q", 3);
                pipit__v1__call__free_unpacked(call, NULL);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(sizes_say_what_is_written),
                cmocka_unit_test(protobuf_reads_what_is_written),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
