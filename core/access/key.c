#include "core/access/key.h"

#include <sodium.h>
#include <string.h>

#define PREFIX_BYTES   10
#define CHECKSUM_BYTES 4
#define PACKED_BYTES   (PIPIT_KEY_BYTES + CHECKSUM_BYTES)
#define DIGITS         (PIPIT_KEY_TEXT_BYTES - PREFIX_BYTES)

_Static_assert(DIGITS == (PACKED_BYTES * 8 + 4) / 5, "base32 without padding");

static const char *const prefixes[] = {
        [PIPIT_KEY_PUBLIC] = "pipit-pk1_",
        [PIPIT_KEY_SECRET] = "pipit-sk1_",
};

static void make_checksum(enum pipit_key_type type,
                          const uint8_t key[PIPIT_KEY_BYTES],
                          uint8_t ret_checksum[CHECKSUM_BYTES])
{
        crypto_hash_sha256_state state;
        uint8_t hash[crypto_hash_sha256_BYTES];

        (void)crypto_hash_sha256_init(&state);
        (void)crypto_hash_sha256_update(&state, (const uint8_t *)prefixes[type], PREFIX_BYTES);
        (void)crypto_hash_sha256_update(&state, key, PIPIT_KEY_BYTES);
        (void)crypto_hash_sha256_final(&state, hash);
        memcpy(ret_checksum, hash, CHECKSUM_BYTES);
        sodium_memzero(&state, sizeof(state));
        sodium_memzero(hash, sizeof(hash));
}

/* Digits of secrets choose neither a place in memory nor a branch. */
static char to_digit(unsigned int value)
{
        unsigned int is_number = (25 - value) >> 8 & 1;

        return (char)('a' + value - is_number * ('a' + 26 - '2'));
}

/* 32 or more: it is none. */
static unsigned int from_digit(char c)
{
        unsigned int letter = (unsigned int)(unsigned char)c - 'a';
        unsigned int number = (unsigned int)(unsigned char)c - '2';
        unsigned int is_letter = (letter - 26) >> 31 & ~(letter >> 31);
        unsigned int is_number = (number - 6) >> 31 & ~(number >> 31);

        return is_letter * letter + is_number * (number + 26) + (1 - is_letter - is_number) * 32;
}

void pipit_key_format(enum pipit_key_type type,
                      const uint8_t key[PIPIT_KEY_BYTES],
                      char ret_text[PIPIT_KEY_TEXT_SIZE])
{
        uint8_t packed[PACKED_BYTES + 1] = {0}; /* and what the last digit reaches past the end */

        memcpy(packed, key, PIPIT_KEY_BYTES);
        make_checksum(type, key, packed + PIPIT_KEY_BYTES);
        memcpy(ret_text, prefixes[type], PREFIX_BYTES);
        for (size_t i = 0; i < DIGITS; i++) {
                unsigned int pair = (unsigned int)packed[i * 5 / 8] << 8 | packed[i * 5 / 8 + 1];

                ret_text[PREFIX_BYTES + i] = to_digit(pair >> (11 - i * 5 % 8) & 31);
        }
        ret_text[PIPIT_KEY_TEXT_BYTES] = '\0';
        sodium_memzero(packed, sizeof(packed));
}

/* NULL: its first characters are those of @type, and there are as many as a key has. */
static const char *check_shape(enum pipit_key_type type,
                               const char *text,
                               size_t n_text,
                               size_t *ret_offset)
{
        enum pipit_key_type other = type == PIPIT_KEY_PUBLIC ? PIPIT_KEY_SECRET : PIPIT_KEY_PUBLIC;

        *ret_offset = 0;
        if (n_text >= PREFIX_BYTES && memcmp(text, prefixes[other], PREFIX_BYTES) == 0)
                return type == PIPIT_KEY_PUBLIC ? "is a secret key where a public one belongs"
                                                : "is a public key where a secret one belongs";
        if (n_text < PREFIX_BYTES || memcmp(text, prefixes[type], PREFIX_BYTES) != 0)
                return type == PIPIT_KEY_PUBLIC ? "is no public key: one begins with pipit-pk1_"
                                                : "is no secret key: one begins with pipit-sk1_";
        if (n_text == PIPIT_KEY_TEXT_BYTES)
                return NULL;

        *ret_offset = n_text < PIPIT_KEY_TEXT_BYTES ? n_text : PIPIT_KEY_TEXT_BYTES;
        return n_text < PIPIT_KEY_TEXT_BYTES ? "is a key that was cut: one has 68 characters"
                                             : "is longer than a key: one has 68 characters";
}

/* Returns how many digits are good: all, or those before the first that is none. */
static size_t unpack(const char *digits, uint8_t ret_packed[PACKED_BYTES + 1])
{
        memset(ret_packed, 0, PACKED_BYTES + 1);
        for (size_t i = 0; i < DIGITS; i++) {
                unsigned int value = from_digit(digits[i]);
                unsigned int pair = (value & 31) << (11 - i * 5 % 8);

                if (value > 31)
                        return i;
                ret_packed[i * 5 / 8] |= (uint8_t)(pair >> 8);
                ret_packed[i * 5 / 8 + 1] |= (uint8_t)pair;
        }

        return DIGITS;
}

const char *pipit_key_parse(enum pipit_key_type type,
                            const char *text,
                            size_t n_text,
                            uint8_t ret_key[PIPIT_KEY_BYTES],
                            size_t *ret_offset)
{
        uint8_t packed[PACKED_BYTES + 1], checksum[CHECKSUM_BYTES];
        size_t offset, n_good;
        const char *problem = check_shape(type, text, n_text, &offset);

        if (!problem) {
                n_good = unpack(text + PREFIX_BYTES, packed);
                make_checksum(type, packed, checksum);
                if (n_good < DIGITS) {
                        offset = PREFIX_BYTES + n_good;
                        problem = "has a character that no key has: they are a to z and 2 to 7";
                } else if (packed[PACKED_BYTES] != 0 ||
                           sodium_memcmp(checksum, packed + PIPIT_KEY_BYTES, CHECKSUM_BYTES) != 0) {
                        problem = "has a typing error: its checksum is wrong";
                } else {
                        memcpy(ret_key, packed, PIPIT_KEY_BYTES);
                }
                sodium_memzero(packed, sizeof(packed));
        }
        if (problem && ret_offset)
                *ret_offset = offset;

        return problem;
}
