/*
 * The calls that are on the wire, by id
 *
 * Chained by pointers in the calls themselves: inserting cannot fail. Where a
 * larger array cannot be had the chains get longer. Not thread-safe.
 */

#ifndef CLIENT_TABLE_H
#define CLIENT_TABLE_H

#include "client/call.h"

struct table {
        /* private */
        struct pipit_call_state **buckets;
        size_t n_buckets; /* a power of two */
        size_t n_calls;
};

/* False: out of memory. */
bool table_init(struct table *table);
void table_deinit(struct table *table);

void table_insert(struct table *table, struct pipit_call_state *state);

/* NULL: no such id. */
struct pipit_call_state *table_find(const struct table *table, uint64_t id);

/* It is there. */
void table_remove(struct table *table, struct pipit_call_state *state);

#endif
