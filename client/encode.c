#include "client/encode.h"

#include <string.h>

#define WIRE_VARINT 0
#define WIRE_BYTES  2

size_t encode_varint_size(uint64_t number)
{
        size_t n_bits = 64 - (size_t)__builtin_clzll(number | 1);

        return (n_bits + 6) / 7;
}

uint8_t *encode_varint(uint8_t *to, uint64_t number)
{
        while (number >= 0x80) {
                *to++ = (uint8_t)(number | 0x80);
                number >>= 7;
        }
        *to++ = (uint8_t)number;

        return to;
}

size_t encode_number_size(uint64_t number)
{
        return 1 + encode_varint_size(number);
}

uint8_t *encode_number(uint8_t *to, uint32_t field, uint64_t number)
{
        *to++ = (uint8_t)(field << 3 | WIRE_VARINT);

        return encode_varint(to, number);
}

size_t encode_bytes_size(size_t n_bytes)
{
        return 1 + encode_varint_size(n_bytes) + n_bytes;
}

uint8_t *encode_bytes_head(uint8_t *to, uint32_t field, size_t n_bytes)
{
        *to++ = (uint8_t)(field << 3 | WIRE_BYTES);

        return encode_varint(to, n_bytes);
}

uint8_t *encode_bytes(uint8_t *to, uint32_t field, const void *bytes, size_t n_bytes)
{
        to = encode_bytes_head(to, field, n_bytes);
        if (n_bytes > 0)
                memcpy(to, bytes, n_bytes);

        return to + n_bytes;
}
