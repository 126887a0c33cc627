#include "gen/nesting.h"

#include <stdbool.h>

#define VARINT_BITS 64

struct cursor {
        const uint8_t *at;
        const uint8_t *end;
};

static bool take_varint(struct cursor *cursor, uint64_t *ret_value)
{
        uint64_t value = 0;

        for (unsigned shift = 0; shift < VARINT_BITS && cursor->at < cursor->end; shift += 7) {
                uint8_t byte = *cursor->at++;

                value |= (uint64_t)(byte & 0x7f) << shift;
                if (byte < 0x80) {
                        *ret_value = value;
                        return true;
                }
        }

        return false;
}

/* The value of a member, whose bytes are in @ret_value if it has a length. */
static bool take_value(struct cursor *cursor, uint64_t wire_type, struct cursor *ret_value)
{
        size_t n_left;
        uint64_t n;

        switch (wire_type) {
        case PROTOBUF_C_WIRE_TYPE_VARINT:
                return take_varint(cursor, &n);
        case PROTOBUF_C_WIRE_TYPE_64BIT:
                n = 8;
                break;
        case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
                if (!take_varint(cursor, &n))
                        return false;
                break;
        case PROTOBUF_C_WIRE_TYPE_32BIT:
                n = 4;
                break;
        default:
                return false;
        }

        n_left = (size_t)(cursor->end - cursor->at);
        if (n > n_left)
                return false;
        *ret_value = (struct cursor){.at = cursor->at, .end = cursor->at + n};
        cursor->at += n;

        return true;
}

static const ProtobufCMessageDescriptor *message_of(const ProtobufCMessageDescriptor *descriptor,
                                                    uint64_t tag)
{
        const ProtobufCFieldDescriptor *field = NULL;

        if ((tag & 7) == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED && tag >> 3 <= UINT32_MAX)
                field = protobuf_c_message_descriptor_get_field(descriptor, (unsigned)(tag >> 3));

        return field && field->type == PROTOBUF_C_TYPE_MESSAGE ? field->descriptor : NULL;
}

/* It recurses itself, up to the limit. */
static enum nesting check_level(const ProtobufCMessageDescriptor *descriptor,
                                struct cursor cursor,
                                unsigned level)
{
        if (level > NESTING_MAX)
                return NESTING_TOO_DEEP;

        while (cursor.at < cursor.end) {
                const ProtobufCMessageDescriptor *inner;
                enum nesting nesting = NESTING_OK;
                struct cursor value = cursor;
                uint64_t tag;

                if (!take_varint(&cursor, &tag) || !take_value(&cursor, tag & 7, &value))
                        return NESTING_MALFORMED;

                inner = message_of(descriptor, tag);
                if (inner)
                        nesting = check_level(inner, value, level + 1);
                if (nesting != NESTING_OK)
                        return nesting;
        }

        return NESTING_OK;
}

enum nesting nesting_check(const ProtobufCMessageDescriptor *descriptor,
                           const uint8_t *bytes,
                           size_t n_bytes)
{
        struct cursor cursor = {.at = bytes, .end = bytes + n_bytes};

        return n_bytes == 0 ? NESTING_OK : check_level(descriptor, cursor, 1);
}
