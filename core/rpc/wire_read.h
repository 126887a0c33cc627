/*
 * Reading the protobuf wire format: tags, numbers, lengths
 *
 * Each reads at *at, never at or past @end, and moves *at behind what it read.
 * They return NULL, or a problem in static text; *at is then where it lies, and
 * the outputs are untouched. All but wire_check.c reads through protobuf-c.
 */

#ifndef CORE_RPC_WIRE_READ_H
#define CORE_RPC_WIRE_READ_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/macros.h"

/* A field number from 1 to 2^29-1, and a wire type that is no group. */
const char *pipit_wire_read_tag(const uint8_t **at,
                                const uint8_t *end,
                                uint32_t *ret_number,
                                uint8_t *ret_wire_type);

/* The length of what follows, which lies before @end. */
const char *pipit_wire_read_length(const uint8_t **at, const uint8_t *end, size_t *ret_length);

/* A value of @wire_type, as pipit_wire_read_tag() gave it. */
const char *pipit_wire_skip_value(const uint8_t **at, const uint8_t *end, uint8_t wire_type);

/* At most ten bytes; bits past the 64th are dropped. */
const char *pipit_wire_read_long_varint(const uint8_t **at,
                                        const uint8_t *end,
                                        uint64_t *ret_value);

static inline const char *pipit_wire_read_varint(const uint8_t **at,
                                                 const uint8_t *end,
                                                 uint64_t *ret_value)
{
        if (PIPIT_LIKELY(*at < end && **at < 0x80)) {
                *ret_value = *(*at)++;
                return NULL;
        }

        return pipit_wire_read_long_varint(at, end, ret_value);
}

#endif
