#include "core/json/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

#define PADDING 64 /* in the alphabet */

void pipit_base64_encode(const uint8_t *bytes, size_t n_bytes, char *ret_text)
{
        for (size_t i = 0; i < n_bytes; i += 3) {
                size_t n = n_bytes - i < 3 ? n_bytes - i : 3;
                uint32_t group = (uint32_t)bytes[i] << 16;

                if (n > 1)
                        group |= (uint32_t)bytes[i + 1] << 8;
                if (n > 2)
                        group |= bytes[i + 2];

                *ret_text++ = alphabet[group >> 18];
                *ret_text++ = alphabet[(group >> 12) & 63];
                *ret_text++ = alphabet[n > 1 ? (group >> 6) & 63 : PADDING];
                *ret_text++ = alphabet[n > 2 ? group & 63 : PADDING];
        }
}

static int digit_value(char c)
{
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        if (c == '+' || c == '-')
                return 62;
        if (c == '/' || c == '_')
                return 63;

        return -1;
}

bool pipit_base64_decode(const char *text, size_t n_text, uint8_t *ret_bytes, size_t *ret_n_bytes)
{
        size_t n_padding = 0, n_bytes = 0;
        uint32_t group = 0;
        unsigned n_bits = 0;

        while (n_padding < 2 && n_padding < n_text && text[n_text - 1 - n_padding] == '=')
                n_padding++;
        if (n_padding > 0 && n_text % 4 != 0)
                return false;

        n_text -= n_padding;
        if (n_text % 4 == 1)
                return false;

        for (size_t i = 0; i < n_text; i++) {
                int value = digit_value(text[i]);

                if (value < 0)
                        return false;

                group = group << 6 | (uint32_t)value;
                n_bits += 6;
                if (n_bits >= 8) {
                        n_bits -= 8;
                        ret_bytes[n_bytes++] = (uint8_t)(group >> n_bits);
                }
        }

        *ret_n_bytes = n_bytes;
        return true;
}
