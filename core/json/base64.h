/*
 * base64 (RFC 4648), as proto3 JSON wants it for bytes
 */

#ifndef CORE_JSON_BASE64_H
#define CORE_JSON_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Characters that @n_bytes become, without a NUL. */
#define PIPIT_BASE64_TEXT_BYTES(n_bytes) (((n_bytes) + 2) / 3 * 4)

/* The bytes that @n_text characters hold at most. */
#define PIPIT_BASE64_BYTES_MAX(n_text) ((n_text) / 4 * 3 + 3)

/* The standard alphabet, padded. Writes PIPIT_BASE64_TEXT_BYTES(n_bytes) characters and no NUL. */
void pipit_base64_encode(const uint8_t *bytes, size_t n_bytes, char *ret_text);

/*
 * Takes the standard and the URL-safe alphabet, with or without padding. False:
 * no base64. @ret_bytes holds PIPIT_BASE64_BYTES_MAX(n_text).
 */
bool pipit_base64_decode(const char *text, size_t n_text, uint8_t *ret_bytes, size_t *ret_n_bytes);

#endif
