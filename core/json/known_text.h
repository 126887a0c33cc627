/*
 * The text forms of Timestamp, Duration and FieldMask in proto3 JSON
 *
 * Knows nothing of messages. Parsers return NULL, or what would be right;
 * nothing is written then.
 */

#ifndef CORE_JSON_KNOWN_TEXT_H
#define CORE_JSON_KNOWN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "9999-12-31T23:59:59.999999999Z", "-315576000000.999999999s" and a NUL. */
#define PIPIT_KNOWN_TEXT_SIZE 48

/* RFC 3339, years 0001 to 9999, with any offset; written in UTC with 0, 3, 6 or 9 digits of fraction. */
const char *pipit_timestamp_parse(const char *text, int64_t *ret_seconds, int32_t *ret_nanos);

/* False: out of range. */
bool pipit_timestamp_format(int64_t seconds, int32_t nanos, char ret_text[PIPIT_KNOWN_TEXT_SIZE]);

/* "-1.5s": at most 315,576,000,000 seconds either way; seconds and nanos have the same sign. */
const char *pipit_duration_parse(const char *text, int64_t *ret_seconds, int32_t *ret_nanos);

/* False: out of range, or signs that differ. */
bool pipit_duration_format(int64_t seconds, int32_t nanos, char ret_text[PIPIT_KNOWN_TEXT_SIZE]);

/* A path of a mask: "displayName.x" -> "display_name.x". @ret_path holds 2 * @n_bytes + 1. */
const char *pipit_mask_path_parse(const char *text, size_t n_bytes, char *ret_path);

/* The way back; false: it would not come back the same. @ret_text holds strlen(@path) + 1. */
bool pipit_mask_path_format(const char *path, char *ret_text);

#endif
