/*
 * Maps before they are unpacked: entries that no map of a language with maps would write
 *
 * On the wire a map is a repeated message of a key and a value, and to protobuf-c it is that in
 * memory, too.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/macros.h"
#include "core/rpc/wire_check.h"
#include "core/rpc/wire_limits.h"
#include "tests/unit/rpc/samples.pb-c.h"
#include "tests/unit/rpc/wire_check_property.h"

#define N_FLOOD 1000000

static const ProtobufCMessageDescriptor *const maps = &samples__maps__descriptor;

static struct pipit_wire_report check(const void *bytes, size_t n_bytes)
{
        struct pipit_wire_report report;
        bool passed = pipit_wire_check(maps, bytes, n_bytes, &pipit_wire_limits_default, &report);

        assert_int_equal(passed, !report.problem);

        return report;
}

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

struct entry_case {
        const uint8_t *bytes;
        size_t n_bytes;
        const char *problem; /* NULL: it passes, and unpacks in the memory promised */
        size_t offset;
        const char *field;
};

static void check_cases(const struct entry_case *cases, size_t n_cases)
{
        for (size_t i = 0; i < n_cases; i++) {
                const struct entry_case *entry = &cases[i];
                struct pipit_wire_report report = check(entry->bytes, entry->n_bytes);
                struct wire_check_property property =
                        wire_check_property(maps, entry->bytes, entry->n_bytes);

                if (property.broken)
                        fail_msg("case %zu: %s", i, property.broken);
                if (!entry->problem) {
                        assert_null(report.problem);
                        continue;
                }
                assert_non_null(report.problem);
                assert_string_equal(report.problem, entry->problem);
                assert_int_equal(report.offset, entry->offset);
                assert_string_equal(report.field->name, entry->field);
        }
}

/* protobuf: of a scalar that comes again the last counts, which costs nothing; messages would be merged. */
static void a_value_that_is_a_message_comes_once_in_an_entry(void **state)
{
        const struct entry_case cases[] = {
                {BYTES(0x0a, 2, 0x12, 0), NULL, 0, NULL},
                {BYTES(0x0a, 4, 0x12, 0, 0x12, 0), "singular sub-message twice", 5, "value"},
                {BYTES(0x0a, 7, 0x12, 0, 0x0a, 1, 'k', 0x12, 0),
                 "singular sub-message twice",
                 8,
                 "value"},
                {BYTES(0x0a, 6, 0x0a, 1, 'a', 0x0a, 1, 'b'), NULL, 0, NULL},
                {BYTES(0x1a, 6, 0x12, 1, 'a', 0x12, 1, 'b'), NULL, 0, NULL},
                {BYTES(0x12, 4, 0x08, 1, 0x08, 2), NULL, 0, NULL},
        };

        (void)state;
        check_cases(cases, PIPIT_N_ELEMENTS(cases));
}

static void a_key_and_a_value_are_of_their_types(void **state)
{
        const struct entry_case cases[] = {
                {BYTES(0x0a, 2, 0x08, 1), "wrong wire type", 3, "key"},
                {BYTES(0x12, 3, 0x0a, 1, 'k'), "wrong wire type", 3, "key"},
                {BYTES(0x0a, 2, 0x10, 1), "wrong wire type", 3, "value"},
                {BYTES(0x1a, 3, 0x0a, 1, 0xff), "string that is not UTF-8", 4, "key"},
                {BYTES(0x1a, 3, 0x12, 1, 0), "NUL in a string", 4, "value"},
                {BYTES(0x1a, 3, 0x12, 2, 'v'), "length past the end", 3, "value"},
                {BYTES(0x08, 1), "wrong wire type", 1, "trees"},
        };

        (void)state;
        check_cases(cases, PIPIT_N_ELEMENTS(cases));
}

static void a_oneof_in_an_entry_is_set_twice_only_without_messages(void **state)
{
        const struct entry_case cases[] = {
                {BYTES(0x12, 6, 0x12, 4, 0x08, 1, 0x08, 2), NULL, 0, NULL},
                {BYTES(0x12, 6, 0x12, 4, 0x22, 0, 0x22, 0),
                 "singular sub-message twice",
                 7,
                 "scalars"},
                {BYTES(0x12, 6, 0x12, 4, 0x22, 0, 0x2a, 0),
                 "singular sub-message twice",
                 7,
                 "tree"},
        };

        (void)state;
        check_cases(cases, PIPIT_N_ELEMENTS(cases));
}

/* An entry whose value holds so many trees, each in the one before, that there are @n_levels messages. */
static struct pipit_wire_report check_nested(size_t n_levels)
{
        uint8_t bytes[4 * PIPIT_NESTING_MAX + 8];
        uint8_t *at = bytes + sizeof(bytes);

        for (size_t i = 1; i < n_levels; i++) {
                size_t length = (size_t)(bytes + sizeof(bytes) - at);

                assert_true(length < 128);
                *--at = (uint8_t)length;
                *--at = i + 2 == n_levels ? 0x12 : 0x0a;
        }

        return check(at, (size_t)(bytes + sizeof(bytes) - at));
}

static void an_entry_counts_as_a_level(void **state)
{
        (void)state;
        assert_null(check_nested(2).problem);
        assert_null(check_nested(PIPIT_NESTING_MAX).problem);
        assert_string_equal(check_nested(PIPIT_NESTING_MAX + 1).problem, "nested too deep");
}

/* @n times @piece, behind @n_head bytes that are left free. */
static uint8_t *flood(
        size_t n_head, const void *piece, size_t n_piece, size_t n, size_t *ret_n_bytes)
{
        uint8_t *bytes = malloc(n_head + n * n_piece);

        assert_non_null(bytes);
        for (size_t i = 0; i < n; i++)
                memcpy(bytes + n_head + i * n_piece, piece, n_piece);
        *ret_n_bytes = n_head + n * n_piece;

        return bytes;
}

static void assert_too_large(uint8_t *bytes, size_t n_bytes, size_t offset_max)
{
        struct pipit_wire_report report = check(bytes, n_bytes);

        free(bytes);
        assert_string_equal(report.problem, "too large when decoded");
        assert_true(report.offset <= offset_max);
        assert_true(report.decoded_bytes <= PIPIT_DECODED_BYTES_MAX);
}

static void a_million_empty_entries_are_refused_where_they_become_too_large(void **state)
{
        size_t n_bytes;
        uint8_t *bytes = flood(0, "\x1a\0", 2, N_FLOOD, &n_bytes);

        (void)state;
        assert_too_large(bytes,
                         n_bytes,
                         2 * (PIPIT_DECODED_BYTES_MAX / sizeof(Samples__Maps__TextsEntry) + 1));
}

static void a_million_keys_of_one_entry_are_refused_where_they_become_too_large(void **state)
{
        /* an entry of texts, whose length takes four bytes */
        size_t n_bytes, n_entry = 3 * N_FLOOD;
        uint8_t *bytes = flood(5, "\x0a\x01k", 3, N_FLOOD, &n_bytes);

        (void)state;
        bytes[0] = 0x1a;
        for (size_t i = 0; i < 4; i++)
                bytes[1 + i] = (uint8_t)((n_entry >> (7 * i) & 0x7f) | (i < 3 ? 0x80 : 0));
        assert_too_large(bytes, n_bytes, n_bytes);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_value_that_is_a_message_comes_once_in_an_entry),
                cmocka_unit_test(a_key_and_a_value_are_of_their_types),
                cmocka_unit_test(a_oneof_in_an_entry_is_set_twice_only_without_messages),
                cmocka_unit_test(an_entry_counts_as_a_level),
                cmocka_unit_test(a_million_empty_entries_are_refused_where_they_become_too_large),
                cmocka_unit_test(
                        a_million_keys_of_one_entry_are_refused_where_they_become_too_large),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
