#include "core/rpc/wire_read.h"

#include <protobuf-c/protobuf-c.h>

#define FIELD_NUMBER_MAX ((UINT64_C(1) << 29) - 1)
#define VARINT_BYTES_MAX 10
#define TAG_BYTES_MAX    5
#define LENGTH_BYTES_MAX 5
#define WIRE_TYPE_START  3
#define WIRE_TYPE_END    4

const char *pipit_wire_read_long_varint(const uint8_t **at, const uint8_t *end, uint64_t *ret_value)
{
        uint64_t value = 0;

        for (size_t i = 0; i < VARINT_BYTES_MAX; i++) {
                if ((size_t)(end - *at) <= i)
                        return "truncated varint";
                value |= (uint64_t)((*at)[i] & 0x7f) << (7 * i);
                if ((*at)[i] & 0x80)
                        continue;
                *at += i + 1;
                *ret_value = value;
                return NULL;
        }

        return "over-long varint";
}

const char *pipit_wire_read_tag(const uint8_t **at,
                                const uint8_t *end,
                                uint32_t *ret_number,
                                uint8_t *ret_wire_type)
{
        const uint8_t *start = *at;
        const char *problem;
        uint64_t tag = 0;

        problem = pipit_wire_read_varint(at, end, &tag);
        if (!problem && *at - start > TAG_BYTES_MAX)
                problem = "over-long tag";
        if (!problem && tag >> 3 == 0)
                problem = "field number 0";
        if (!problem && tag >> 3 > FIELD_NUMBER_MAX)
                problem = "field number over 2^29-1";
        if (!problem && ((tag & 7) == WIRE_TYPE_START || (tag & 7) == WIRE_TYPE_END))
                problem = "group";
        if (!problem && (tag & 7) > PROTOBUF_C_WIRE_TYPE_32BIT)
                problem = "unknown wire type";
        if (problem) {
                *at = start;
                return problem;
        }

        *ret_number = (uint32_t)(tag >> 3);
        *ret_wire_type = (uint8_t)(tag & 7);

        return NULL;
}

const char *pipit_wire_read_length(const uint8_t **at, const uint8_t *end, size_t *ret_length)
{
        const uint8_t *start = *at;
        const char *problem;
        uint64_t length = 0;

        problem = pipit_wire_read_varint(at, end, &length);
        if (!problem && *at - start > LENGTH_BYTES_MAX)
                problem = "over-long length";
        if (!problem && length > (size_t)(end - *at))
                problem = "length past the end";
        if (problem) {
                *at = start;
                return problem;
        }

        *ret_length = (size_t)length;

        return NULL;
}

static const char *skip_fixed(const uint8_t **at, const uint8_t *end, size_t n_bytes)
{
        if ((size_t)(end - *at) < n_bytes)
                return "truncated value";

        *at += n_bytes;

        return NULL;
}

const char *pipit_wire_skip_value(const uint8_t **at, const uint8_t *end, uint8_t wire_type)
{
        const char *problem;
        uint64_t number;
        size_t length;

        switch (wire_type) {
        case PROTOBUF_C_WIRE_TYPE_VARINT:
                return pipit_wire_read_varint(at, end, &number);
        case PROTOBUF_C_WIRE_TYPE_64BIT:
                return skip_fixed(at, end, 8);
        case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
                problem = pipit_wire_read_length(at, end, &length);
                if (!problem)
                        *at += length;
                return problem;
        default: /* 32BIT: the others are refused with the tag */
                return skip_fixed(at, end, 4);
        }
}
