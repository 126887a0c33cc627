/*
 * Protobuf records of pipit.v1, written by hand
 *
 * A frame is a concatenation of records, so a call is packed once, when it is
 * started, and only its id and its remaining time are put before it when its
 * frame leaves. Writing functions advance and return the position behind what
 * they wrote; room is the caller's care, by the size functions.
 */

#ifndef CLIENT_ENCODE_H
#define CLIENT_ENCODE_H

#include <stddef.h>
#include <stdint.h>

/* pipit.v1.Request */
#define ENCODE_REQUEST_CLIENT_ID          1
#define ENCODE_REQUEST_CALLS              2
#define ENCODE_REQUEST_AWAITS             3
#define ENCODE_REQUEST_CANCELS            4
#define ENCODE_REQUEST_HOLD_MS            5
#define ENCODE_REQUEST_HELD_MAX           6
#define ENCODE_REQUEST_MAX_RESPONSE_BYTES 7

/* pipit.v1.Call */
#define ENCODE_CALL_ID         1
#define ENCODE_CALL_METHOD     2
#define ENCODE_CALL_PAYLOAD    3
#define ENCODE_CALL_TIMEOUT_MS 4
#define ENCODE_CALL_METADATA   5

/* pipit.v1.Metadata */
#define ENCODE_METADATA_KEY   1
#define ENCODE_METADATA_VALUE 2

size_t encode_varint_size(uint64_t number);
uint8_t *encode_varint(uint8_t *to, uint64_t number);

/* A varint field, tag and all. Fields up to 15 only: one byte of tag. */
size_t encode_number_size(uint64_t number);
uint8_t *encode_number(uint8_t *to, uint32_t field, uint64_t number);

/* A length-delimited field: all of it, or tag and length only. */
size_t encode_bytes_size(size_t n_bytes);
uint8_t *encode_bytes_head(uint8_t *to, uint32_t field, size_t n_bytes);
uint8_t *encode_bytes(uint8_t *to, uint32_t field, const void *bytes, size_t n_bytes);

#endif
