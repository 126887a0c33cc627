/*
 * Keys as text
 *
 *      pipit-pk1_ 58 characters   a public key
 *      pipit-sk1_ 58 characters   a secret one
 *
 * The characters are base32 (RFC 4648, in lower case, no padding) of 36 bytes: the X25519
 * key, then the first 4 of SHA-256(prefix, key). So the type is told by the text, a
 * typing error is found before anything is sent, and a double click selects the
 * whole word. There is one text for each key. docs/security.md.
 */

#ifndef CORE_ACCESS_KEY_H
#define CORE_ACCESS_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/macros.h"

#define PIPIT_KEY_BYTES      32
#define PIPIT_KEY_TEXT_BYTES 68
#define PIPIT_KEY_TEXT_SIZE  (PIPIT_KEY_TEXT_BYTES + 1)

enum pipit_key_type {
        PIPIT_KEY_PUBLIC,
        PIPIT_KEY_SECRET,
};

void pipit_key_format(enum pipit_key_type type,
                      const uint8_t key[PIPIT_KEY_BYTES],
                      char ret_text[PIPIT_KEY_TEXT_SIZE]);

/*
 * Reads exactly @n_text characters. NULL: *ret_key is the key. Else what is wrong, as
 * "is a secret key where a public one belongs"; ret_offset (may be NULL) is where, and
 * *ret_key is untouched.
 */
PIPIT_MUST_CHECK const char *pipit_key_parse(enum pipit_key_type type,
                                             const char *text,
                                             size_t n_text,
                                             uint8_t ret_key[PIPIT_KEY_BYTES],
                                             size_t *ret_offset);

#endif
