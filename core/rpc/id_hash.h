/*
 * Where an id lies in a table: ids are chosen by the peer, so under a secret seed
 */

#ifndef CORE_RPC_ID_HASH_H
#define CORE_RPC_ID_HASH_H

#include <stddef.h>
#include <stdint.h>

/* A slot of a table of @n_slots, a power of two. */
static inline size_t pipit_id_hash(uint64_t id, uint64_t seed, size_t n_slots)
{
        uint64_t x = (id ^ seed) * (seed | 1);

        x = (x ^ (x >> 32)) * UINT64_C(0x9e3779b97f4a7c15);

        return (size_t)(x >> 32) & (n_slots - 1);
}

/* Whether an entry whose home is @home, and which lies at @at, may move down to the @hole. */
static inline int pipit_id_hash_may_move(size_t home, size_t at, size_t hole, size_t n_slots)
{
        return ((at - home) & (n_slots - 1)) >= ((at - hole) & (n_slots - 1));
}

#endif
