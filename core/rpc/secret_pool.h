/*
 * Guarded memory for many small secrets
 *
 * sodium_malloc() takes three pages and two mappings of their own for each
 * allocation: too much for the keys of ten thousand sessions. Here they share
 * pages that are locked (never swapped out), guarded on both sides and left out
 * of core dumps.
 *
 * Any thread.
 */

#ifndef CORE_RPC_SECRET_POOL_H
#define CORE_RPC_SECRET_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/macros.h"

#define PIPIT_SECRET_BYTES 64

struct pipit_secret_pool;

/* A place for one. */
struct pipit_secret {
        uint8_t *bytes; /* PIPIT_SECRET_BYTES */

        /* private */
        struct pipit_secret_slab *slab;
};

/* NULL: out of memory, or libsodium cannot be used. */
PIPIT_MUST_CHECK struct pipit_secret_pool *pipit_secret_pool_new(void);

/* All places have been given back. NULL is a no-op. Returns NULL. */
struct pipit_secret_pool *pipit_secret_pool_free(struct pipit_secret_pool *pool);

/* False: out of memory. What it holds is unspecified. */
PIPIT_MUST_CHECK bool pipit_secret_pool_take(struct pipit_secret_pool *pool,
                                             struct pipit_secret *ret_secret);

/* Zeroes it and takes it back. */
void pipit_secret_pool_give(struct pipit_secret_pool *pool, struct pipit_secret *secret);

#endif
