#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/macros.h"
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"

/* From the definition: the shortest form of a scalar value, no other. */
static size_t encode(uint32_t code_point, uint8_t *to)
{
        if (code_point < 0x80) {
                to[0] = (uint8_t)code_point;
                return 1;
        }
        if (code_point < 0x800) {
                to[0] = (uint8_t)(0xc0 | code_point >> 6);
                to[1] = (uint8_t)(0x80 | (code_point & 0x3f));
                return 2;
        }
        if (code_point < 0x10000) {
                to[0] = (uint8_t)(0xe0 | code_point >> 12);
                to[1] = (uint8_t)(0x80 | (code_point >> 6 & 0x3f));
                to[2] = (uint8_t)(0x80 | (code_point & 0x3f));
                return 3;
        }
        to[0] = (uint8_t)(0xf0 | code_point >> 18);
        to[1] = (uint8_t)(0x80 | (code_point >> 12 & 0x3f));
        to[2] = (uint8_t)(0x80 | (code_point >> 6 & 0x3f));
        to[3] = (uint8_t)(0x80 | (code_point & 0x3f));

        return 4;
}

static bool is_scalar(uint32_t code_point)
{
        return code_point < 0x110000 && (code_point < 0xd800 || code_point > 0xdfff);
}

static void every_scalar_value_decodes_and_nothing_else(void **state)
{
        (void)state;
        for (uint32_t code_point = 0; code_point < 0x120000; code_point++) {
                uint8_t bytes[4];
                size_t n = encode(code_point, bytes);
                uint32_t decoded = 0xffffffff;

                if (!is_scalar(code_point)) {
                        assert_int_equal(pipit_utf8_decode(bytes, n, &decoded), 0);
                        assert_int_equal(decoded, 0xffffffff);
                        continue;
                }
                if (pipit_utf8_decode(bytes, n, &decoded) != n || decoded != code_point)
                        fail_msg("U+%04X", code_point);
                assert_int_equal(pipit_utf8_decode(bytes, n - 1, &decoded), 0);
        }
}

/* Every pair of bytes, followed by good continuations: valid only if the encoder makes it. */
static void every_start_of_two_bytes_is_valid_only_in_its_shortest_form(void **state)
{
        (void)state;
        for (uint32_t pair = 0; pair < 0x10000; pair++) {
                uint8_t bytes[4] = {(uint8_t)(pair >> 8), (uint8_t)pair, 0xbf, 0x80};
                uint32_t code_point = 0;
                size_t n = pipit_utf8_decode(bytes, sizeof(bytes), &code_point);
                uint8_t encoded[4];

                if (n == 0)
                        continue;
                assert_true(is_scalar(code_point));
                assert_int_equal(encode(code_point, encoded), n);
                assert_memory_equal(encoded, bytes, n);
        }
}

static void no_bytes_decode_to_nothing(void **state)
{
        uint32_t code_point;
        size_t n_code_points = 7;

        (void)state;
        assert_int_equal(pipit_utf8_decode((const uint8_t *)"a", 0, &code_point), 0);
        assert_true(pipit_utf8_check(NULL, 0, &n_code_points));
        assert_int_equal(n_code_points, 0);
}

struct text {
        const char *bytes;
        size_t n_code_points;
};

static void check_counts_code_points(void **state)
{
        static const struct text texts[] = {
                {"", 0},
                {"a", 1},
                {"12345678", 8},
                {"123456789", 9},
                {"é", 1},
                {"1234567é", 8},
                {"12345678é12345678€", 18},
                {"€𝄞é", 3},
                {"\xf4\x8f\xbf\xbf", 1},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                size_t n_bytes = strlen(texts[i].bytes);
                size_t n_code_points = SIZE_MAX;

                assert_true(
                        pipit_utf8_check((const uint8_t *)texts[i].bytes, n_bytes, &n_code_points));
                assert_int_equal(n_code_points, texts[i].n_code_points);
                assert_true(pipit_utf8_check((const uint8_t *)texts[i].bytes, n_bytes, NULL));
        }
}

static void check_finds_a_bad_byte_wherever_it_is(void **state)
{
        static const char *const bad[] = {"\x80",
                                          "\xbf",
                                          "\xc0\x80",
                                          "\xc1\xbf",
                                          "\xe0\x9f\xbf",
                                          "\xed\xa0\x80",
                                          "\xed\xbf\xbf",
                                          "\xf0\x8f\xbf\xbf",
                                          "\xf4\x90\x80\x80",
                                          "\xf5\x80\x80\x80",
                                          "\xff",
                                          "\xe2\x82",
                                          "\xf0\x9d\x84"};

        (void)state;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                size_t n_bad = strlen(bad[i]);

                for (size_t before = 0; before < 20; before++) {
                        for (size_t after = 0; after < 20; after++) {
                                size_t n_bytes = before + n_bad + after;
                                uint8_t *bytes = malloc(n_bytes);
                                size_t n_code_points = 7;

                                memset(bytes, 'a', n_bytes);
                                memcpy(bytes + before, bad[i], n_bad);
                                assert_false(pipit_utf8_check(bytes, n_bytes, &n_code_points));
                                assert_int_equal(n_code_points, 7);
                                free(bytes);
                        }
                }
        }
}

static void what_a_terminal_obeys_is_a_control_character(void **state)
{
        static const uint32_t controls[] = {0, '\n', '\x1b', 0x1f, 0x7f, 0x80, 0x9b, 0x9f};
        static const uint32_t others[] = {' ', '~', 0xa0, 0xe9, 0x20ac, 0x10ffff};

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(controls); i++)
                assert_true(pipit_utf8_is_control(controls[i]));
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(others); i++)
                assert_false(pipit_utf8_is_control(others[i]));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_scalar_value_decodes_and_nothing_else),
                cmocka_unit_test(every_start_of_two_bytes_is_valid_only_in_its_shortest_form),
                cmocka_unit_test(no_bytes_decode_to_nothing),
                cmocka_unit_test(check_counts_code_points),
                cmocka_unit_test(check_finds_a_bad_byte_wherever_it_is),
                cmocka_unit_test(what_a_terminal_obeys_is_a_control_character),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
