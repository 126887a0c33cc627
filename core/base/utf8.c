#include "core/base/utf8.h"

#include <string.h>

/*
 * What a lead byte says of the sequence: its length, and the range of its
 * second byte, which alone rules out overlong forms, surrogates and what lies
 * past U+10FFFF (Unicode, table 3-7).
 */
struct lead {
        uint8_t n_bytes; /* 0: no lead byte */
        uint8_t second_min;
        uint8_t second_max;
};

static inline struct lead lead_of(uint8_t byte)
{
        if (byte < 0x80)
                return (struct lead){1, 0, 0};
        if (byte < 0xc2)
                return (struct lead){0, 0, 0};
        if (byte < 0xe0)
                return (struct lead){2, 0x80, 0xbf};
        if (byte < 0xf0)
                return (struct lead){3, byte == 0xe0 ? 0xa0 : 0x80, byte == 0xed ? 0x9f : 0xbf};
        if (byte < 0xf5)
                return (struct lead){4, byte == 0xf0 ? 0x90 : 0x80, byte == 0xf4 ? 0x8f : 0xbf};

        return (struct lead){0, 0, 0};
}

size_t pipit_utf8_decode(const uint8_t *bytes, size_t n_bytes, uint32_t *ret_code_point)
{
        static const uint8_t lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
        struct lead lead;
        uint32_t code_point;

        if (n_bytes == 0)
                return 0;

        lead = lead_of(bytes[0]);
        if (lead.n_bytes == 0 || lead.n_bytes > n_bytes)
                return 0;

        code_point = bytes[0] & lead_bits[lead.n_bytes];
        if (lead.n_bytes > 1 && (bytes[1] < lead.second_min || bytes[1] > lead.second_max))
                return 0;
        for (size_t i = 1; i < lead.n_bytes; i++) {
                if ((bytes[i] & 0xc0) != 0x80)
                        return 0;
                code_point = code_point << 6 | (bytes[i] & 0x3f);
        }

        *ret_code_point = code_point;

        return lead.n_bytes;
}

/* How many of the first bytes are ASCII, counted in whole words. */
bool pipit_utf8_is_control(uint32_t code_point)
{
        return code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0);
}

static size_t ascii_words(const uint8_t *bytes, size_t n_bytes)
{
        size_t n = 0;
        uint64_t word;

        while (n_bytes - n >= sizeof(word)) {
                memcpy(&word, bytes + n, sizeof(word));
                if (word & UINT64_C(0x8080808080808080))
                        break;
                n += sizeof(word);
        }

        return n;
}

bool pipit_utf8_check(const uint8_t *bytes, size_t n_bytes, size_t *ret_n_code_points)
{
        size_t n_code_points = 0;
        size_t at = 0;

        while (at < n_bytes) {
                size_t n = ascii_words(bytes + at, n_bytes - at);
                uint32_t code_point;

                if (n > 0) {
                        at += n;
                        n_code_points += n;
                        continue;
                }

                n = pipit_utf8_decode(bytes + at, n_bytes - at, &code_point);
                if (n == 0)
                        return false;
                at += n;
                n_code_points++;
        }

        if (ret_n_code_points)
                *ret_n_code_points = n_code_points;

        return true;
}
