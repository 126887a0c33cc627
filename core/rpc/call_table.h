/*
 * Calls by their id: a hash table that grows and shrinks
 *
 * Holds for each id a state and the caller's value. Small ones live in the
 * struct itself. Not thread-safe.
 */

#ifndef CORE_RPC_CALL_TABLE_H
#define CORE_RPC_CALL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/macros.h"

#define PIPIT_CALL_TABLE_SLOTS_MIN 16

struct pipit_call_entry {
        uint64_t id; /* 0: a free slot */
        void *value;
        uint32_t state;
};

/* Stays where it is once initialised. */
struct pipit_call_table {
        /* out */
        size_t n_entries;

        /* private */
        uint64_t seed;
        bool visiting;     /* the slots stay where they are */
        size_t n_reserved; /* adds that are still promised room */
        size_t n_slots;    /* a power of two */
        struct pipit_call_entry *slots;
        struct pipit_call_entry small[PIPIT_CALL_TABLE_SLOTS_MIN];
};

/* @seed is random: see id_hash.h. */
void pipit_call_table_init(struct pipit_call_table *table, uint64_t seed);
void pipit_call_table_deinit(struct pipit_call_table *table);

/* NULL: not there. Valid until the next add or remove. */
struct pipit_call_entry *pipit_call_table_find(const struct pipit_call_table *table, uint64_t id);

/* The next @n adds cannot fail; an earlier promise is forgotten. False: memory is out, nothing is promised. */
PIPIT_MUST_CHECK bool pipit_call_table_reserve(struct pipit_call_table *table, size_t n);

/* @id is non-zero and not in the table. False: memory is out. */
PIPIT_MUST_CHECK bool pipit_call_table_add(struct pipit_call_table *table,
                                           uint64_t id,
                                           uint32_t state,
                                           void *value);

/* @entry is in the table. */
void pipit_call_table_remove(struct pipit_call_table *table, struct pipit_call_entry *entry);

/*
 * Visits each entry once, until @visit returns false. @visit gets a copy; it may
 * remove the entry itself, and add or remove no other.
 */
typedef bool (*pipit_call_table_visit_fn)(void *context, const struct pipit_call_entry *entry);
void pipit_call_table_each(struct pipit_call_table *table,
                           pipit_call_table_visit_fn visit,
                           void *context);

#endif
