/*
 * UTF-8 as Unicode defines it: no overlong forms, no surrogates, nothing past
 * U+10FFFF
 */

#ifndef CORE_BASE_UTF8_H
#define CORE_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Decodes the code point at the start of @bytes. Returns how many bytes it
 * takes (1 to 4), or 0 if they are no valid UTF-8 or @n_bytes is 0.
 */
size_t pipit_utf8_decode(const uint8_t *bytes, size_t n_bytes, uint32_t *ret_code_point);

/* Whether a terminal would obey it rather than show it: C0, DEL and C1 control characters. */
bool pipit_utf8_is_control(uint32_t code_point);

/* Whether all of @bytes is valid UTF-8; if so *ret_n_code_points (may be NULL) is set. */
bool pipit_utf8_check(const uint8_t *bytes, size_t n_bytes, size_t *ret_n_code_points);

#endif
