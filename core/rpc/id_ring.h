/*
 * The last so many ids, in the order in which they came
 *
 * A ring with an index over it: adding to a full one drops the oldest. It grows
 * with use up to PIPIT_ID_RING_MAX. Knows nothing of calls. Not thread-safe.
 */

#ifndef CORE_RPC_ID_RING_H
#define CORE_RPC_ID_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/macros.h"

#define PIPIT_ID_RING_MAX 10000

/* All zero but @seed, which is random, is an empty one. */
struct pipit_id_ring {
        /* in */
        uint64_t seed; /* the peer chooses the ids; it must not choose where they collide */

        /* private */
        uint64_t *ids;
        uint16_t *index; /* position in ids + 1, by hash; 0: free */
        size_t n_ids_max;
        size_t n_ids;
        size_t oldest;
        size_t n_index; /* a power of two */
};

/*
 * Adds @id, which is not in the ring. *ret_dropped is the id that made room for
 * it, or 0. False: memory is out, and the ring is unchanged.
 */
PIPIT_MUST_CHECK bool pipit_id_ring_add(struct pipit_id_ring *ring,
                                        uint64_t id,
                                        uint64_t *ret_dropped);

bool pipit_id_ring_has(const struct pipit_id_ring *ring, uint64_t id);

/* How many ids are in it. */
size_t pipit_id_ring_n_ids(const struct pipit_id_ring *ring);

/* The ring is empty and usable again, under the same seed. */
void pipit_id_ring_deinit(struct pipit_id_ring *ring);

#endif
