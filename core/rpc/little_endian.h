/*
 * Integers as they travel: little endian, at any alignment
 */

#ifndef CORE_RPC_LITTLE_ENDIAN_H
#define CORE_RPC_LITTLE_ENDIAN_H

#include <stdint.h>

static inline void pipit_write_u16(uint8_t *to, uint16_t number)
{
        to[0] = (uint8_t)number;
        to[1] = (uint8_t)(number >> 8);
}

static inline void pipit_write_u32(uint8_t *to, uint32_t number)
{
        pipit_write_u16(to, (uint16_t)number);
        pipit_write_u16(to + 2, (uint16_t)(number >> 16));
}

static inline void pipit_write_u64(uint8_t *to, uint64_t number)
{
        pipit_write_u32(to, (uint32_t)number);
        pipit_write_u32(to + 4, (uint32_t)(number >> 32));
}

static inline uint16_t pipit_read_u16(const uint8_t *from)
{
        return (uint16_t)(from[0] | from[1] << 8);
}

static inline uint32_t pipit_read_u32(const uint8_t *from)
{
        return (uint32_t)pipit_read_u16(from) | (uint32_t)pipit_read_u16(from + 2) << 16;
}

static inline uint64_t pipit_read_u64(const uint8_t *from)
{
        return (uint64_t)pipit_read_u32(from) | (uint64_t)pipit_read_u32(from + 4) << 32;
}

#endif
