/*
 * FNV-1a, 64 bits: for tables whose keys peers do not choose, or with a secret seed
 *
 * As in draft-eastlake-fnv. The low bits of short strings are alike: fold
 * or multiply what comes out where only a few bits are used.
 */

#ifndef CORE_BASE_HASH_H
#define CORE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Where a hash without a seed of its own begins. */
#define PIPIT_HASH_BEGIN UINT64_C(0xcbf29ce484222325)

/* Of @hash and one more byte. */
static inline uint64_t pipit_hash_byte(uint64_t hash, uint8_t byte)
{
        return (hash ^ byte) * UINT64_C(0x100000001b3);
}

static inline uint64_t pipit_hash_string(uint64_t hash, const char *string)
{
        for (; *string; string++)
                hash = pipit_hash_byte(hash, (uint8_t)*string);

        return hash;
}

#endif
