/*
 * The calls that are on the wire, by id
 *
 * Chained by pointers in the calls themselves: inserting cannot fail. Where a
 * larger array cannot be had the chains get longer. A few calls need none, and no
 * memory far from the channel's: one of thousands of channels is looked at when
 * the cache has forgotten it. Not thread-safe; not to be moved.
 */

#ifndef CLIENT_TABLE_H
#define CLIENT_TABLE_H

#include "client/call.h"

#define TABLE_FEW 8

struct table {
        /* private */
        struct pipit_call_state **buckets;
        size_t n_buckets; /* a power of two */
        size_t n_calls;
        struct pipit_call_state *few[TABLE_FEW]; /* the buckets, at first */
};

void table_init(struct table *table);
void table_deinit(struct table *table);

void table_insert(struct table *table, struct pipit_call_state *state);

/* NULL: no such id. */
struct pipit_call_state *table_find(const struct table *table, uint64_t id);

/* It is there. */
void table_remove(struct table *table, struct pipit_call_state *state);

#endif
