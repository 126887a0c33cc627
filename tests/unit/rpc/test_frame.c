#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/rpc/frame.h"

static bool kind_is_listed(int kind)
{
        return (kind >= 0x01 && kind <= 0x05) || kind == 0x10 || kind == 0x11;
}

static void every_kind_is_read_as_docs_wire_lists_it(void **state)
{
        (void)state;
        for (int kind = 0; kind < 256; kind++) {
                uint8_t header[4] = {'P', 'I', 1, (uint8_t)kind};
                enum pipit_frame_kind read_kind = PIPIT_FRAME_REJECT;

                if (!kind_is_listed(kind)) {
                        assert_int_equal(pipit_frame_header_read(header, 4, &read_kind),
                                         PIPIT_FRAME_BAD_KIND);
                        assert_int_equal(read_kind, PIPIT_FRAME_REJECT);
                        continue;
                }
                assert_int_equal(pipit_frame_header_read(header, 4, &read_kind), PIPIT_FRAME_OK);
                assert_int_equal(read_kind, kind);
        }
}

static void a_header_is_four_bytes(void **state)
{
        uint8_t header[4];
        enum pipit_frame_kind kind;

        (void)state;
        pipit_frame_header_write(PIPIT_FRAME_REQUEST, header);
        assert_memory_equal(header, "PI\x01\x10", 4);
        for (size_t n = 0; n < 4; n++)
                assert_int_equal(pipit_frame_header_read(header, n, &kind), PIPIT_FRAME_NO_MAGIC);
        assert_int_equal(pipit_frame_header_read(NULL, 0, &kind), PIPIT_FRAME_NO_MAGIC);
}

static void magic_comes_before_version_and_version_before_kind(void **state)
{
        enum pipit_frame_kind kind;

        (void)state;
        assert_int_equal(pipit_frame_header_read((const uint8_t *)"pI\x01\x10", 4, &kind),
                         PIPIT_FRAME_NO_MAGIC);
        assert_int_equal(pipit_frame_header_read((const uint8_t *)"Pi\x02\x99", 4, &kind),
                         PIPIT_FRAME_NO_MAGIC);
        for (int version = 0; version < 256; version++) {
                uint8_t header[4] = {'P', 'I', (uint8_t)version, 0x99};

                assert_int_equal(pipit_frame_header_read(header, 4, &kind),
                                 version == 1 ? PIPIT_FRAME_BAD_KIND : PIPIT_FRAME_BAD_VERSION);
        }
}

static void a_reject_is_fourteen_bytes_little_endian(void **state)
{
        const struct pipit_reject reject = {
                .code = PIPIT_REJECT_TOO_LARGE, .retry_ms = 0x01020304, .detail = 0xa0b0c0d0};
        static const uint8_t expected[] = {
                'P', 'I', 1, 5, 3, 0, 4, 3, 2, 1, 0xd0, 0xc0, 0xb0, 0xa0};
        uint8_t frame[PIPIT_REJECT_FRAME_BYTES];
        struct pipit_reject read;

        (void)state;
        pipit_reject_write(&reject, frame);
        assert_int_equal(sizeof(expected), sizeof(frame));
        assert_memory_equal(frame, expected, sizeof(expected));
        assert_true(pipit_reject_read(frame + 4, 10, &read));
        assert_int_equal(read.code, PIPIT_REJECT_TOO_LARGE);
        assert_int_equal(read.retry_ms, 0x01020304);
        assert_int_equal(read.detail, 0xa0b0c0d0);
}

static void a_reject_of_another_length_is_none(void **state)
{
        uint8_t body[20] = {0};
        struct pipit_reject reject = {.code = PIPIT_REJECT_BUSY};

        (void)state;
        for (size_t n = 0; n < sizeof(body); n++)
                assert_int_equal(pipit_reject_read(body, n, &reject), n == 10);
}

static void a_code_that_is_not_known_is_kept(void **state)
{
        static const uint8_t body[10] = {0x34, 0x12};
        struct pipit_reject reject;

        (void)state;
        assert_true(pipit_reject_read(body, sizeof(body), &reject));
        assert_int_equal(reject.code, 0x1234);
        assert_string_equal(pipit_reject_name(reject.code), "UNKNOWN");
}

static void rejects_have_the_names_and_numbers_of_docs_wire(void **state)
{
        static const char *const names[] = {
                "UNKNOWN", "BAD_FRAME", "VERSION", "TOO_LARGE", "NO_SESSION", "DENIED", "BUSY"};

        (void)state;
        for (int code = 0; code < 7; code++)
                assert_string_equal(pipit_reject_name((enum pipit_reject_code)code), names[code]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_kind_is_read_as_docs_wire_lists_it),
                cmocka_unit_test(a_header_is_four_bytes),
                cmocka_unit_test(magic_comes_before_version_and_version_before_kind),
                cmocka_unit_test(a_reject_is_fourteen_bytes_little_endian),
                cmocka_unit_test(a_reject_of_another_length_is_none),
                cmocka_unit_test(a_code_that_is_not_known_is_kept),
                cmocka_unit_test(rejects_have_the_names_and_numbers_of_docs_wire),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
