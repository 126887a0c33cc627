#include "core/rpc/id_ring.h"

#include <stdlib.h>

#include "core/rpc/id_hash.h"

#define N_IDS_MIN ((size_t)16)

_Static_assert(PIPIT_ID_RING_MAX < UINT16_MAX, "a position and the free mark fit the index");

static size_t home_of(const struct pipit_id_ring *ring, uint64_t id)
{
        return pipit_id_hash(id, ring->seed, ring->n_index);
}

/* The slot of @id, or the free one where it would go. */
static size_t find(const struct pipit_id_ring *ring, uint64_t id)
{
        size_t slot = home_of(ring, id);

        while (ring->index[slot] != 0 && ring->ids[ring->index[slot] - 1] != id)
                slot = (slot + 1) & (ring->n_index - 1);

        return slot;
}

/* Moves what lies behind the hole down into it, so that no search stops short. */
static void index_remove(struct pipit_id_ring *ring, size_t hole)
{
        size_t at = hole;

        for (;;) {
                size_t home;

                at = (at + 1) & (ring->n_index - 1);
                if (ring->index[at] == 0)
                        break;
                home = home_of(ring, ring->ids[ring->index[at] - 1]);
                if (pipit_id_hash_may_move(home, at, hole, ring->n_index)) {
                        ring->index[hole] = ring->index[at];
                        hole = at;
                }
        }
        ring->index[hole] = 0;
}

/* Only before the first drop: the ring starts at its first position still. */
static bool grow(struct pipit_id_ring *ring)
{
        size_t n_ids_max = ring->n_ids_max > 0 ? ring->n_ids_max * 2 : N_IDS_MIN;
        size_t n_index = N_IDS_MIN * 2;
        uint16_t *index;
        uint64_t *ids;

        if (n_ids_max > PIPIT_ID_RING_MAX)
                n_ids_max = PIPIT_ID_RING_MAX;
        while (n_index * 3 < n_ids_max * 4)
                n_index *= 2;

        index = calloc(n_index, sizeof(*index));
        ids = index ? realloc(ring->ids, n_ids_max * sizeof(*ids)) : NULL;
        if (!ids) {
                free(index);
                return false;
        }

        free(ring->index);
        ring->ids = ids;
        ring->n_ids_max = n_ids_max;
        ring->index = index;
        ring->n_index = n_index;
        for (size_t i = 0; i < ring->n_ids; i++)
                ring->index[find(ring, ring->ids[i])] = (uint16_t)(i + 1);

        return true;
}

bool pipit_id_ring_add(struct pipit_id_ring *ring, uint64_t id, uint64_t *ret_dropped)
{
        uint64_t dropped = 0;
        size_t position;

        if (ring->n_ids == ring->n_ids_max && ring->oldest == 0 &&
            ring->n_ids_max < PIPIT_ID_RING_MAX && !grow(ring) && ring->n_ids == 0)
                return false;

        if (ring->n_ids < ring->n_ids_max) {
                position = ring->n_ids++;
        } else {
                position = ring->oldest;
                ring->oldest = (ring->oldest + 1) % ring->n_ids_max;
                dropped = ring->ids[position];
                index_remove(ring, find(ring, dropped));
        }
        ring->ids[position] = id;
        ring->index[find(ring, id)] = (uint16_t)(position + 1);
        *ret_dropped = dropped;

        return true;
}

bool pipit_id_ring_has(const struct pipit_id_ring *ring, uint64_t id)
{
        return ring->n_ids > 0 && ring->index[find(ring, id)] != 0;
}

size_t pipit_id_ring_n_ids(const struct pipit_id_ring *ring)
{
        return ring->n_ids;
}

void pipit_id_ring_deinit(struct pipit_id_ring *ring)
{
        free(ring->ids);
        free(ring->index);
        *ring = (struct pipit_id_ring){.seed = ring->seed};
}
