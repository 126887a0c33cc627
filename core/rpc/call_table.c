#include "core/rpc/call_table.h"

#include <stdlib.h>

#include "core/rpc/id_hash.h"

void pipit_call_table_init(struct pipit_call_table *table, uint64_t seed)
{
        *table = (struct pipit_call_table){.seed = seed, .n_slots = PIPIT_CALL_TABLE_SLOTS_MIN};
        table->slots = table->small;
}

void pipit_call_table_deinit(struct pipit_call_table *table)
{
        if (table->slots != table->small)
                free(table->slots);
        pipit_call_table_init(table, table->seed);
}

static size_t next_slot(const struct pipit_call_table *table, size_t slot)
{
        return (slot + 1) & (table->n_slots - 1);
}

/* The entry of @id, or the free one where it would go: there is always one. */
static struct pipit_call_entry *probe(const struct pipit_call_table *table, uint64_t id)
{
        size_t slot = pipit_id_hash(id, table->seed, table->n_slots);

        while (table->slots[slot].id != 0 && table->slots[slot].id != id)
                slot = next_slot(table, slot);

        return &table->slots[slot];
}

struct pipit_call_entry *pipit_call_table_find(const struct pipit_call_table *table, uint64_t id)
{
        struct pipit_call_entry *entry = probe(table, id);

        return entry->id == id ? entry : NULL;
}

static bool resize(struct pipit_call_table *table, size_t n_slots)
{
        struct pipit_call_entry *old_slots = table->slots;
        size_t n_old_slots = table->n_slots;
        struct pipit_call_entry *slots = table->small;

        if (n_slots > PIPIT_CALL_TABLE_SLOTS_MIN)
                slots = calloc(n_slots, sizeof(*slots));
        if (!slots)
                return false;

        table->slots = slots;
        table->n_slots = n_slots;
        for (size_t i = 0; i < n_old_slots; i++) {
                if (old_slots[i].id != 0)
                        *probe(table, old_slots[i].id) = old_slots[i];
        }

        if (old_slots != table->small)
                free(old_slots);
        else
                for (size_t i = 0; i < PIPIT_CALL_TABLE_SLOTS_MIN; i++)
                        old_slots[i] = (struct pipit_call_entry){0};

        return true;
}

bool pipit_call_table_reserve(struct pipit_call_table *table, size_t n)
{
        size_t n_slots = table->n_slots;

        table->n_reserved = 0;
        while ((table->n_entries + n) * 4 > n_slots * 3)
                n_slots *= 2;
        if (n_slots > table->n_slots && !resize(table, n_slots))
                return false;
        table->n_reserved = n;

        return true;
}

bool pipit_call_table_add(struct pipit_call_table *table, uint64_t id, uint32_t state, void *value)
{
        if ((table->n_entries + 1) * 4 > table->n_slots * 3 && !resize(table, table->n_slots * 2))
                return false;

        if (table->n_reserved > 0)
                table->n_reserved--;
        *probe(table, id) = (struct pipit_call_entry){.id = id, .value = value, .state = state};
        table->n_entries++;

        return true;
}

/* Out of memory for a smaller table: the larger one stays. */
static void shrink(struct pipit_call_table *table)
{
        bool shrunk = true;

        while (shrunk && table->n_slots > PIPIT_CALL_TABLE_SLOTS_MIN &&
               (table->n_entries + table->n_reserved) * 8 < table->n_slots)
                shrunk = resize(table, table->n_slots / 2);
}

/* Moves what lies behind the hole down into it, so that no search stops short. */
static void close_hole(struct pipit_call_table *table, size_t hole)
{
        size_t at = hole;

        for (;;) {
                size_t home;

                at = next_slot(table, at);
                if (table->slots[at].id == 0)
                        break;
                home = pipit_id_hash(table->slots[at].id, table->seed, table->n_slots);
                if (pipit_id_hash_may_move(home, at, hole, table->n_slots)) {
                        table->slots[hole] = table->slots[at];
                        hole = at;
                }
        }
        table->slots[hole] = (struct pipit_call_entry){0};
}

void pipit_call_table_remove(struct pipit_call_table *table, struct pipit_call_entry *entry)
{
        close_hole(table, (size_t)(entry - table->slots));
        table->n_entries--;
        if (!table->visiting)
                shrink(table);
}

void pipit_call_table_each(struct pipit_call_table *table,
                           pipit_call_table_visit_fn visit,
                           void *context)
{
        size_t start = 0;
        size_t n_left = table->n_entries;
        bool more = true;

        /* From behind a free slot no entry moves across the start, so none is met twice. */
        while (table->slots[start].id != 0)
                start = next_slot(table, start);

        table->visiting = true;
        for (size_t slot = start; more && n_left > 0;) {
                struct pipit_call_entry entry = table->slots[slot];

                if (entry.id != 0) {
                        more = visit(context, &entry);
                        n_left--;
                }
                /* Another may have moved down here. */
                if (table->slots[slot].id == entry.id)
                        slot = next_slot(table, slot);
        }
        table->visiting = false;
        shrink(table);
}
