#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/macros.h"
#include "core/rpc/message.h"
#include "core/rpc/wire_check.h"
#include "core/rpc/wire_limits.h"
#include "pipit/v1/frame.pb-c.h"
#include "tests/unit/rpc/random_message.h"
#include "tests/unit/rpc/required.pb-c.h"
#include "tests/unit/rpc/samples.pb-c.h"
#include "tests/unit/rpc/wire_check_property.h"

static struct pipit_wire_report check(const ProtobufCMessageDescriptor *descriptor,
                                      const void *bytes,
                                      size_t n_bytes)
{
        struct pipit_wire_report report;
        bool passed =
                pipit_wire_check(descriptor, bytes, n_bytes, &pipit_wire_limits_default, &report);

        assert_int_equal(passed, !report.problem);

        return report;
}

static void assert_property(const ProtobufCMessageDescriptor *descriptor,
                            const uint8_t *bytes,
                            size_t n_bytes,
                            bool *ret_passed)
{
        struct wire_check_property property = wire_check_property(descriptor, bytes, n_bytes);

        if (property.broken) {
                for (size_t i = 0; i < n_bytes; i++)
                        print_error("%02x", bytes[i]);
                fail_msg(" as %s: %s", descriptor->name, property.broken);
        }
        *ret_passed = property.passed;
}

/* --- single cases: what is refused, and why ---------------------------------------- */

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

struct bad_case {
        const ProtobufCMessageDescriptor *descriptor;
        const uint8_t *bytes;
        size_t n_bytes;
        const char *problem; /* NULL: it passes */
        size_t offset;
        const char *field;
};

static void check_cases(const struct bad_case *cases, size_t n_cases)
{
        for (size_t i = 0; i < n_cases; i++) {
                const struct bad_case *bad = &cases[i];
                struct pipit_wire_report report = check(bad->descriptor, bad->bytes, bad->n_bytes);
                bool passed;

                if (!bad->problem && report.problem)
                        fail_msg("case %zu: %s", i, report.problem);
                if (bad->problem && !report.problem)
                        fail_msg("case %zu passed, not %s", i, bad->problem);
                assert_property(bad->descriptor, bad->bytes, bad->n_bytes, &passed);
                if (!bad->problem)
                        continue;
                assert_string_equal(report.problem, bad->problem);
                assert_int_equal(report.offset, bad->offset);
                if (bad->field)
                        assert_string_equal(report.field->name, bad->field);
                else
                        assert_null(report.field);
        }
}

static void tags_are_checked(void **state)
{
        const ProtobufCMessageDescriptor *scalars = &samples__scalars__descriptor;
        const struct bad_case cases[] = {
                {scalars, BYTES(0x00), "field number 0", 0, NULL},
                {scalars, BYTES(0x02, 0x00), "field number 0", 0, NULL},
                {scalars, BYTES(0x80, 0x00, 0x00), "field number 0", 0, NULL},
                {scalars, BYTES(0x08, 0x01, 0x00, 0x01), "field number 0", 2, NULL},
                {scalars, BYTES(0x80), "truncated varint", 0, NULL},
                {scalars, BYTES(0xf8, 0xff, 0xff, 0xff, 0x0f, 0x01), NULL, 0, NULL},
                {scalars,
                 BYTES(0xf8, 0xff, 0xff, 0xff, 0x1f, 0x01),
                 "field number over 2^29-1",
                 0,
                 NULL},
                {scalars, BYTES(0x88, 0x80, 0x80, 0x80, 0x00, 0x01), NULL, 0, NULL},
                {scalars,
                 BYTES(0x88, 0x80, 0x80, 0x80, 0x80, 0x00, 0x01),
                 "over-long tag",
                 0,
                 NULL},
                {scalars, BYTES(0x0b), "group", 0, NULL},
                {scalars, BYTES(0x0c), "group", 0, NULL},
                {scalars, BYTES(0x0e, 0x00), "unknown wire type", 0, NULL},
                {scalars, BYTES(0x0f, 0x00), "unknown wire type", 0, NULL},
                {scalars, BYTES(0xfb, 0x07), "group", 0, NULL},
                {scalars, BYTES(0xfe, 0x07), "unknown wire type", 0, NULL},
        };

        (void)state;
        check_cases(cases, PIPIT_N_ELEMENTS(cases));
}

static void values_are_checked(void **state)
{
        const ProtobufCMessageDescriptor *scalars = &samples__scalars__descriptor;
        const struct bad_case cases[] = {
                {scalars, BYTES(0x08), "truncated varint", 1, "a_int32"},
                {scalars, BYTES(0x08, 0x80), "truncated varint", 1, "a_int32"},
                {scalars,
                 BYTES(0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01),
                 NULL,
                 0,
                 NULL},
                {scalars,
                 BYTES(0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81, 0x00),
                 "over-long varint",
                 1,
                 "a_int32"},
                {scalars, BYTES(0x25, 1, 2, 3), "truncated value", 1, "a_sfixed32"},
                {scalars, BYTES(0x25, 1, 2, 3, 4), NULL, 0, NULL},
                {scalars, BYTES(0x51, 1, 2, 3, 4, 5, 6, 7), "truncated value", 1, "a_sfixed64"},
                {scalars, BYTES(0x51, 1, 2, 3, 4, 5, 6, 7, 8), NULL, 0, NULL},
                {scalars, BYTES(0x7a), "truncated varint", 1, "a_string"},
                {scalars, BYTES(0x7a, 2, 'a'), "length past the end", 1, "a_string"},
                {scalars,
                 BYTES(0x7a, 0xff, 0xff, 0xff, 0xff, 0x0f),
                 "length past the end",
                 1,
                 "a_string"},
                {scalars, BYTES(0x7a, 0x81, 0x80, 0x80, 0x80, 0x00, 'a'), NULL, 0, NULL},
                {scalars,
                 BYTES(0x7a, 0x81, 0x80, 0x80, 0x80, 0x80, 0x00, 'a'),
                 "over-long length",
                 1,
                 "a_string"},
                {scalars, BYTES(0x7a, 1, 'a', 0x7a, 1, 'b'), NULL, 0, NULL},
                {scalars, BYTES(0x7a, 1, 0), "NUL in a string", 2, "a_string"},
                {scalars, BYTES(0x7a, 3, 'a', 0, 'b'), "NUL in a string", 2, "a_string"},
                {scalars, BYTES(0x7a, 1, 0xff), "string that is not UTF-8", 2, "a_string"},
                {scalars,
                 BYTES(0x7a, 3, 0xed, 0xa0, 0x80),
                 "string that is not UTF-8",
                 2,
                 "a_string"},
                {scalars, BYTES(0x82, 0x01, 2, 0xff, 0x00), NULL, 0, NULL},
                {scalars, BYTES(0x82, 0x01, 0), NULL, 0, NULL},
        };

        (void)state;
        check_cases(cases, PIPIT_N_ELEMENTS(cases));
}

static void a_known_field_of_another_wire_type_is_refused(void **state)
{
        const ProtobufCMessageDescriptor *descriptor = &samples__scalars__descriptor;
        static const unsigned int right[] = {0, 0, 0, 5, 5, 5, 0, 0, 0, 1, 1, 1, 0, 0, 2, 2};

        (void)state;
        assert_int_equal(descriptor->n_fields, PIPIT_N_ELEMENTS(right));
        for (unsigned int i = 0; i < descriptor->n_fields; i++) {
                for (unsigned int wire_type = 0; wire_type <= 5; wire_type++) {
                        uint32_t tag = descriptor->fields[i].id << 3 | wire_type;
                        uint8_t bytes[11] = {(uint8_t)(tag | 0x80), (uint8_t)(tag >> 7)};
                        size_t n_bytes = wire_type == 1 ? 10 : wire_type == 5 ? 6 : 3;
                        struct wire_check_property property =
                                wire_check_property(descriptor, bytes, n_bytes);

                        assert_null(property.broken);
                        if (wire_type == right[i])
                                assert_true(property.passed);
                        else if (wire_type == 3 || wire_type == 4)
                                assert_string_equal(property.problem, "group");
                        else
                                assert_string_equal(property.problem, "wrong wire type");
                }
        }
}

static void lists_are_taken_packed_and_unpacked(void **state)
{
        const ProtobufCMessageDescriptor *lists = &samples__lists__descriptor;
        const struct bad_case cases[] = {
                {lists, BYTES(0x08, 1, 0x08, 2), NULL, 0, NULL},
                {lists, BYTES(0x0a, 2, 1, 2), NULL, 0, NULL},
                {lists, BYTES(0x0a, 0), NULL, 0, NULL},
                {lists, BYTES(0x0a, 1, 1, 0x08, 1, 0x0a, 1, 2), NULL, 0, NULL},
                {lists, BYTES(0x52, 2, 1, 2, 0x50, 1), NULL, 0, NULL},
                {lists, BYTES(0x0a, 2, 1, 0x80), "truncated varint", 3, "int32s"},
                {lists, BYTES(0x0a, 2, 1, 0x80, 0x01), "truncated varint", 3, "int32s"},
                {lists, BYTES(0x0a, 4, 1), "length past the end", 1, "int32s"},
                {lists, BYTES(0x1a, 4, 1, 2, 3, 4), NULL, 0, NULL},
                {lists,
                 BYTES(0x1a, 3, 1, 2, 3),
                 "packed length that is no multiple of its elements",
                 2,
                 "fixed32s"},
                {lists,
                 BYTES(0x22, 4, 1, 2, 3, 4),
                 "packed length that is no multiple of its elements",
                 2,
                 "doubles"},
                {lists, BYTES(0x2a, 3, 0x81, 0x80, 0x00), NULL, 0, NULL},
                {lists,
                 BYTES(0x2a,
                       20,
                       0x81,
                       0x80,
                       0x80,
                       0x80,
                       0x80,
                       0x80,
                       0x80,
                       0x80,
                       0x80,
                       0x00,
                       0x81,
                       0x80,
                       0x80,
                       0x80,
                       0x80,
                       0x80,
                       0x80,
                       0x80,
                       0x80,
                       0x00),
                 NULL,
                 0,
                 NULL},
                {lists, BYTES(0x0d, 1, 2, 3, 4), "wrong wire type", 1, "int32s"},
                {lists, BYTES(0x38, 1), "wrong wire type", 1, "strings"},
                {lists,
                 BYTES(0x3a, 1, 'a', 0x3a, 1, 0x80),
                 "string that is not UTF-8",
                 5,
                 "strings"},
                {lists, BYTES(0x5a, 3, 0x0a, 1, 0), "NUL in a string", 4, "key"},
                {lists, BYTES(0x5a, 4, 0x12, 0, 0x12, 0), "singular sub-message twice", 5, "value"},
        };

        (void)state;
        check_cases(cases, PIPIT_N_ELEMENTS(cases));
}

static void a_singular_sub_message_comes_once(void **state)
{
        const ProtobufCMessageDescriptor *tree = &samples__tree__descriptor;
        const struct bad_case cases[] = {
                {tree, BYTES(0x0a, 0, 0x12, 0), NULL, 0, NULL},
                {tree, BYTES(0x0a, 0, 0x0a, 0), "singular sub-message twice", 3, "left"},
                {tree, BYTES(0x0a, 0, 0x12, 0, 0x0a, 0), "singular sub-message twice", 5, "left"},
                {tree, BYTES(0x0a, 4, 0x0a, 0, 0x12, 0, 0x12, 0), NULL, 0, NULL},
                {tree, BYTES(0x0a, 4, 0x0a, 0, 0x0a, 0), "singular sub-message twice", 5, "left"},
                {tree, BYTES(0xaa, 0x1f, 4, 0x4a, 0, 0x4a, 0), NULL, 0, NULL},
        };

        (void)state;
        check_cases(cases, PIPIT_N_ELEMENTS(cases));
}

static void a_oneof_is_set_twice_only_without_messages(void **state)
{
        const ProtobufCMessageDescriptor *choice = &samples__choice__descriptor;
        const struct bad_case cases[] = {
                {choice, BYTES(0x08, 1, 0x12, 1, 'a', 0x1a, 0, 0x08, 2), NULL, 0, NULL},
                {choice, BYTES(0x22, 0, 0x30, 1), NULL, 0, NULL},
                {choice, BYTES(0x22, 0, 0x3a, 0), NULL, 0, NULL},
                {choice, BYTES(0x22, 0, 0x22, 0), "singular sub-message twice", 3, "scalars"},
                {choice, BYTES(0x22, 0, 0x2a, 0), "singular sub-message twice", 3, "tree"},
                {choice, BYTES(0x08, 1, 0x22, 0), "singular sub-message twice", 3, "scalars"},
                {choice, BYTES(0x22, 0, 0x08, 1), "singular sub-message twice", 3, "number"},
                {choice, BYTES(0x3a, 0, 0x30, 1), "singular sub-message twice", 3, "flag"},
        };

        (void)state;
        check_cases(cases, PIPIT_N_ELEMENTS(cases));
}

static void required_fields_must_be_there(void **state)
{
        const ProtobufCMessageDescriptor *path = &required__path__descriptor;
        const struct bad_case cases[] = {
                {path, BYTES(0x0a, 0, 0x12, 4, 0x08, 1, 0x10, 2), NULL, 0, NULL},
                {path, BYTES(0x12, 4, 0x08, 1, 0x10, 2), "required field missing", 6, "name"},
                {path, BYTES(0x0a, 0), "required field missing", 2, "from"},
                {path, BYTES(0x0a, 0, 0x12, 2, 0x08, 1), "required field missing", 6, "y"},
                {path,
                 BYTES(0x0a, 0, 0x12, 4, 0x08, 1, 0x10, 2, 0x1a, 2, 0x10, 2),
                 "required field missing",
                 12,
                 "x"},
        };
        struct pipit_wire_report report = check(path, NULL, 0);

        (void)state;
        assert_string_equal(report.problem, "required field missing");
        check_cases(cases, PIPIT_N_ELEMENTS(cases));
}

static void no_bytes_are_a_message(void **state)
{
        struct pipit_wire_report report = check(&samples__tree__descriptor, NULL, 0);

        (void)state;
        assert_null(report.problem);
        assert_true(report.decoded_bytes >= sizeof(Samples__Tree));
        assert_null(check(&samples__empty__descriptor, "", 0).problem);
        assert_null(check(&samples__empty__descriptor, "\x08\x01", 2).problem);
}

/* --- limits, at and over ----------------------------------------------------------- */

/* A Tree of @n_levels, each the left one of the one around it. Bytes are the caller's. */
static uint8_t *nested(size_t n_levels, size_t *ret_n_bytes)
{
        size_t n_bytes_max = n_levels * 6 + 1;
        uint8_t *bytes = malloc(n_bytes_max);
        uint8_t *at = bytes + n_bytes_max;

        for (size_t i = 1; i < n_levels; i++) {
                size_t length = (size_t)(bytes + n_bytes_max - at);
                uint8_t varint[5];
                size_t n = 0;

                do {
                        varint[n++] = (uint8_t)((length & 0x7f) | (length > 0x7f ? 0x80 : 0));
                        length >>= 7;
                } while (length > 0);
                at -= n;
                memcpy(at, varint, n);
                *--at = 0x0a;
        }
        *ret_n_bytes = (size_t)(bytes + n_bytes_max - at);
        memmove(bytes, at, *ret_n_bytes);

        return bytes;
}

static struct pipit_wire_report check_nested(size_t n_levels)
{
        size_t n_bytes;
        uint8_t *bytes = nested(n_levels, &n_bytes);
        struct pipit_wire_report report = check(&samples__tree__descriptor, bytes, n_bytes);

        free(bytes);

        return report;
}

static void nesting_is_bounded(void **state)
{
        const struct pipit_wire_limits two_levels = {
                .decoded_bytes_max = 1000000, .nesting_max = 2, .unknown_fields_max = 0};
        struct pipit_wire_report report;

        (void)state;
        assert_null(check_nested(PIPIT_NESTING_MAX).problem);
        assert_string_equal(check_nested(PIPIT_NESTING_MAX + 1).problem, "nested too deep");
        assert_true(pipit_wire_check(
                &samples__tree__descriptor, (const uint8_t *)"\x0a\0", 2, &two_levels, &report));
        assert_false(pipit_wire_check(&samples__tree__descriptor,
                                      (const uint8_t *)"\x0a\2\x0a\0",
                                      4,
                                      &two_levels,
                                      &report));
        assert_string_equal(report.problem, "nested too deep");
}

static void a_nesting_limit_past_our_own_is_our_own(void **state)
{
        const struct pipit_wire_limits limits = {
                .decoded_bytes_max = 1000000, .nesting_max = 1000, .unknown_fields_max = 0};
        struct pipit_wire_report report;
        size_t n_bytes;
        uint8_t *bytes = nested(PIPIT_NESTING_MAX + 1, &n_bytes);

        (void)state;
        assert_false(
                pipit_wire_check(&samples__tree__descriptor, bytes, n_bytes, &limits, &report));
        free(bytes);
}

/* Stopping where the limit is passed is what keeps it cheap. */
static void ten_thousand_levels_are_refused_at_the_thirty_third(void **state)
{
        struct pipit_wire_report report = check_nested(10000);

        (void)state;
        assert_string_equal(report.problem, "nested too deep");
        assert_true(report.offset <= 4 * (PIPIT_NESTING_MAX + 1));
        assert_true(report.decoded_bytes <= PIPIT_NESTING_MAX * (sizeof(Samples__Tree) + 15));
}

static void a_million_empty_sub_messages_are_refused_where_they_become_too_large(void **state)
{
        size_t n_bytes = 2 * 1000000;
        uint8_t *bytes = malloc(n_bytes);
        struct pipit_wire_report report;

        (void)state;
        for (size_t i = 0; i < n_bytes; i += 2) {
                bytes[i] = 0x4a;
                bytes[i + 1] = 0;
        }
        report = check(&samples__lists__descriptor, bytes, n_bytes);
        free(bytes);

        assert_string_equal(report.problem, "too large when decoded");
        assert_true(report.offset <= 2 * (PIPIT_DECODED_BYTES_MAX / sizeof(Samples__Scalars) + 1));
        assert_true(report.decoded_bytes <= PIPIT_DECODED_BYTES_MAX);
}

static void merging_a_sub_message_again_and_again_is_refused_at_the_second(void **state)
{
        enum { N = 1000 };
        uint8_t bytes[N * 6];
        struct pipit_wire_report report;

        (void)state;
        for (size_t i = 0; i < N; i++)
                memcpy(bytes + i * 6, "\xaa\x1f\x03\x3a\x01x", 6);
        report = check(&samples__tree__descriptor, bytes, sizeof(bytes));
        assert_string_equal(report.problem, "singular sub-message twice");
        assert_int_equal(report.offset, 8);
}

static void unknown_fields_are_bounded_in_each_message(void **state)
{
        uint8_t bytes[2 * (PIPIT_UNKNOWN_FIELDS_MAX * 2 + 8)];
        size_t n_bytes = 0;
        bool passed;

        (void)state;
        bytes[n_bytes++] = 0x0a;
        bytes[n_bytes++] = 0x80;
        bytes[n_bytes++] = 0x01;
        for (size_t i = 0; i < 2 * (size_t)PIPIT_UNKNOWN_FIELDS_MAX; i++) {
                bytes[n_bytes++] = 0x18;
                bytes[n_bytes++] = (uint8_t)(i & 0x7f);
        }
        assert_int_equal(PIPIT_UNKNOWN_FIELDS_MAX * 2, 0x80);
        assert_property(&samples__tree__descriptor, bytes, n_bytes, &passed);
        assert_true(passed);

        bytes[n_bytes++] = 0x18;
        bytes[n_bytes++] = 1;
        assert_string_equal(check(&samples__tree__descriptor, bytes, n_bytes).problem,
                            "too many unknown fields");
}

static void a_flood_of_unknown_fields_is_refused_at_the_limit(void **state)
{
        enum { N = 500000 };
        uint8_t *bytes = malloc(2 * N);
        struct pipit_wire_report report;

        (void)state;
        for (size_t i = 0; i < N; i++)
                memcpy(bytes + 2 * i, "\x18\x01", 2);
        report = check(&samples__tree__descriptor, bytes, 2 * N);
        free(bytes);
        assert_string_equal(report.problem, "too many unknown fields");
        assert_int_equal(report.offset, 2 * PIPIT_UNKNOWN_FIELDS_MAX + 1);
}

static void the_decoded_size_is_bounded_to_the_byte(void **state)
{
        struct random_source source = {.state = 11};
        struct pipit_arena arena = {0};
        ProtobufCMessage *message = random_message(&source, &arena, &samples__lists__descriptor, 2);
        size_t n_bytes = protobuf_c_message_get_packed_size(message);
        uint8_t *bytes = pipit_arena_alloc(&arena, n_bytes);
        struct pipit_wire_limits limits = pipit_wire_limits_default;
        struct pipit_wire_report report;

        (void)state;
        protobuf_c_message_pack(message, bytes);
        limits.decoded_bytes_max = check(message->descriptor, bytes, n_bytes).decoded_bytes;
        assert_true(pipit_wire_check(message->descriptor, bytes, n_bytes, &limits, &report));
        assert_int_equal(report.decoded_bytes, limits.decoded_bytes_max);
        limits.decoded_bytes_max--;
        assert_false(pipit_wire_check(message->descriptor, bytes, n_bytes, &limits, &report));
        assert_string_equal(report.problem, "too large when decoded");
        pipit_arena_deinit(&arena);
}

/* --- structs of any size ------------------------------------------------------------ */

#define N_WIDE 700

/* Of many fields by turns an optional sub-message, a required number and members of a oneof. */
struct wide {
        ProtobufCMessageDescriptor descriptor;
        ProtobufCFieldDescriptor fields[N_WIDE];
        ProtobufCIntRange ranges[2];
};

static void wide_init(struct wide *wide)
{
        size_t offset = sizeof(ProtobufCMessage);

        *wide = (struct wide){
                .descriptor = {.magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
                               .name = "wide",
                               .n_fields = N_WIDE,
                               .fields = wide->fields,
                               .n_field_ranges = 1,
                               .field_ranges = wide->ranges},
                .ranges = {{1, 0}, {0, N_WIDE}},
        };
        for (uint32_t i = 0; i < N_WIDE; i++) {
                bool is_number = i % 2 == 1;

                wide->fields[i] = (ProtobufCFieldDescriptor){
                        .name = "field",
                        .id = i + 1,
                        .label = is_number ? PROTOBUF_C_LABEL_REQUIRED : PROTOBUF_C_LABEL_OPTIONAL,
                        .type = is_number ? PROTOBUF_C_TYPE_UINT64 : PROTOBUF_C_TYPE_MESSAGE,
                        .offset = (unsigned int)offset,
                        .descriptor = is_number ? NULL : &samples__empty__descriptor,
                };
                offset += 8;
        }
        wide->descriptor.sizeof_message = offset;
}

/* All numbers but @without, and the sub-messages @first and @second, by index. */
static size_t wide_pack(uint8_t *bytes, size_t without, size_t first, size_t second)
{
        size_t n_bytes = 0;

        for (size_t i = 1; i < N_WIDE; i += 2) {
                if (i == without)
                        continue;
                bytes[n_bytes++] = (uint8_t)(((i + 1) << 3 | 0x80) & 0xff);
                bytes[n_bytes++] = (uint8_t)((i + 1) >> 4);
                bytes[n_bytes++] = 1;
        }
        for (size_t n = 0; n < 2; n++) {
                size_t i = n == 0 ? first : second;

                bytes[n_bytes++] = (uint8_t)(((i + 1) << 3 | 2 | 0x80) & 0xff);
                bytes[n_bytes++] = (uint8_t)((i + 1) >> 4);
                bytes[n_bytes++] = 0;
        }

        return n_bytes;
}

static void a_struct_of_any_size_is_checked_in_all_its_fields(void **state)
{
        uint8_t bytes[N_WIDE * 3 + 6];
        struct wide wide;
        bool passed;

        (void)state;
        wide_init(&wide);
        for (size_t i = 0; i < N_WIDE; i += 2) {
                size_t other = (i + 2) % N_WIDE;
                size_t n_bytes = wide_pack(bytes, N_WIDE, i, other);
                struct pipit_wire_report report;

                assert_property(&wide.descriptor, bytes, n_bytes, &passed);
                assert_true(passed);

                n_bytes = wide_pack(bytes, N_WIDE, i, i);
                report = check(&wide.descriptor, bytes, n_bytes);
                assert_string_equal(report.problem, "singular sub-message twice");
                assert_int_equal(report.field->id, i + 1);

                n_bytes = wide_pack(bytes, i + 1, i, other);
                report = check(&wide.descriptor, bytes, n_bytes);
                assert_string_equal(report.problem, "required field missing");
                assert_int_equal(report.field->id, i + 2);
        }
}

/* --- properties --------------------------------------------------------------------- */

static const ProtobufCMessageDescriptor *const descriptors[] = {
        &samples__scalars__descriptor,
        &samples__lists__descriptor,
        &samples__tree__descriptor,
        &samples__choice__descriptor,
        &samples__maps__descriptor,
        &required__path__descriptor,
        &pipit__v1__request__descriptor,
        &pipit__v1__response__descriptor,
};

#define N_MESSAGES 3000
#define N_DAMAGES  20
#define DEPTH      3

static void whatever_protobuf_c_packs_passes(void **state)
{
        struct random_source source = {.state = 1};
        struct pipit_arena arena = {0};

        (void)state;
        for (size_t i = 0; i < N_MESSAGES; i++) {
                const ProtobufCMessageDescriptor *descriptor =
                        descriptors[i % PIPIT_N_ELEMENTS(descriptors)];
                ProtobufCMessage *message = random_message(&source, &arena, descriptor, DEPTH);
                size_t n_bytes = protobuf_c_message_get_packed_size(message);
                uint8_t *bytes = pipit_arena_alloc(&arena, n_bytes);
                bool passed;

                protobuf_c_message_pack(message, bytes);
                assert_property(descriptor, bytes, n_bytes, &passed);
                if (!passed)
                        fail_msg("%zu, a %s, was refused", i, descriptor->name);
                pipit_arena_reset(&arena);
        }
        pipit_arena_deinit(&arena);
}

static void what_passes_unpacks_in_the_memory_promised(void **state)
{
        struct random_source source = {.state = 2};
        struct pipit_arena arena = {0};
        size_t n_passed = 0;
        size_t n_refused = 0;

        (void)state;
        for (size_t i = 0; i < N_MESSAGES; i++) {
                const ProtobufCMessageDescriptor *descriptor =
                        descriptors[i % PIPIT_N_ELEMENTS(descriptors)];
                ProtobufCMessage *message = random_message(&source, &arena, descriptor, DEPTH);
                size_t n_bytes = protobuf_c_message_get_packed_size(message);
                uint8_t *bytes = pipit_arena_alloc(&arena, n_bytes);
                uint8_t *damaged = pipit_arena_alloc(&arena, 2 * n_bytes);

                protobuf_c_message_pack(message, bytes);
                for (size_t n = 0; n < N_DAMAGES && n_bytes > 0; n++) {
                        size_t n_damaged;
                        bool passed;

                        memcpy(damaged, bytes, n_bytes);
                        n_damaged = random_damage(&source, damaged, n_bytes, 2 * n_bytes);
                        assert_property(descriptor, damaged, n_damaged, &passed);
                        *(passed ? &n_passed : &n_refused) += 1;
                }
                pipit_arena_reset(&arena);
        }
        pipit_arena_deinit(&arena);

        /* Both sides of the property were met. */
        assert_true(n_passed > N_MESSAGES);
        assert_true(n_refused > N_MESSAGES);
}

static void a_message_cut_anywhere_keeps_the_property(void **state)
{
        struct random_source source = {.state = 3};
        struct pipit_arena arena = {0};

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(descriptors); i++) {
                ProtobufCMessage *message = random_message(&source, &arena, descriptors[i], DEPTH);
                size_t n_bytes = protobuf_c_message_get_packed_size(message);
                uint8_t *bytes = pipit_arena_alloc(&arena, n_bytes);
                bool passed;

                protobuf_c_message_pack(message, bytes);
                if (n_bytes > 3000)
                        n_bytes = 3000;
                for (size_t n = 0; n <= n_bytes; n++)
                        assert_property(descriptors[i], bytes, n, &passed);
                pipit_arena_reset(&arena);
        }
        pipit_arena_deinit(&arena);
}

static void random_bytes_keep_the_property(void **state)
{
        struct random_source source = {.state = 4};

        (void)state;
        for (size_t i = 0; i < 10 * N_MESSAGES; i++) {
                uint8_t bytes[24];
                size_t n_bytes = random_below(&source, sizeof(bytes) + 1);
                bool passed;

                for (size_t n = 0; n < n_bytes; n++)
                        bytes[n] = (uint8_t)(random_next(&source) >> random_below(&source, 6));
                assert_property(
                        descriptors[i % PIPIT_N_ELEMENTS(descriptors)], bytes, n_bytes, &passed);
        }
}

/* Without lists and unknown fields nothing is guessed. */
static void the_promise_is_exact_where_no_array_is(void **state)
{
        struct random_source source = {.state = 5};
        struct pipit_arena arena = {0};

        (void)state;
        for (size_t i = 0; i < 200; i++) {
                ProtobufCMessage *message =
                        random_message(&source, &arena, &samples__scalars__descriptor, 0);
                size_t n_bytes = protobuf_c_message_get_packed_size(message);
                uint8_t *bytes = pipit_arena_alloc(&arena, n_bytes);
                struct wire_check_property property;

                protobuf_c_message_pack(message, bytes);
                property = wire_check_property(message->descriptor, bytes, n_bytes);
                assert_int_equal(property.promised, property.used_bytes);
                pipit_arena_reset(&arena);
        }
        pipit_arena_deinit(&arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(tags_are_checked),
                cmocka_unit_test(values_are_checked),
                cmocka_unit_test(a_known_field_of_another_wire_type_is_refused),
                cmocka_unit_test(lists_are_taken_packed_and_unpacked),
                cmocka_unit_test(a_singular_sub_message_comes_once),
                cmocka_unit_test(a_oneof_is_set_twice_only_without_messages),
                cmocka_unit_test(required_fields_must_be_there),
                cmocka_unit_test(no_bytes_are_a_message),
                cmocka_unit_test(nesting_is_bounded),
                cmocka_unit_test(a_nesting_limit_past_our_own_is_our_own),
                cmocka_unit_test(ten_thousand_levels_are_refused_at_the_thirty_third),
                cmocka_unit_test(
                        a_million_empty_sub_messages_are_refused_where_they_become_too_large),
                cmocka_unit_test(merging_a_sub_message_again_and_again_is_refused_at_the_second),
                cmocka_unit_test(unknown_fields_are_bounded_in_each_message),
                cmocka_unit_test(a_flood_of_unknown_fields_is_refused_at_the_limit),
                cmocka_unit_test(the_decoded_size_is_bounded_to_the_byte),
                cmocka_unit_test(a_struct_of_any_size_is_checked_in_all_its_fields),
                cmocka_unit_test(whatever_protobuf_c_packs_passes),
                cmocka_unit_test(what_passes_unpacks_in_the_memory_promised),
                cmocka_unit_test(a_message_cut_anywhere_keeps_the_property),
                cmocka_unit_test(random_bytes_keep_the_property),
                cmocka_unit_test(the_promise_is_exact_where_no_array_is),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
