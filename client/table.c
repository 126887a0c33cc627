#include "client/table.h"

#include <stdlib.h>

#define GROWTH 4

/* Ids ascend by one: their low bits spread them evenly. */
static struct pipit_call_state **bucket_of(const struct table *table, uint64_t id)
{
        return &table->buckets[id & (table->n_buckets - 1)];
}

void table_init(struct table *table)
{
        *table = (struct table){.buckets = table->few, .n_buckets = TABLE_FEW};
}

static void free_buckets(struct table *table)
{
        if (table->buckets != table->few)
                free(table->buckets);
}

void table_deinit(struct table *table)
{
        free_buckets(table);
        table->buckets = NULL;
}

static void chain(struct table *table, struct pipit_call_state *state)
{
        struct pipit_call_state **bucket = bucket_of(table, state->id);

        state->next_in_bucket = *bucket;
        *bucket = state;
}

static void grow(struct table *table)
{
        struct table larger = {.n_buckets = table->n_buckets * GROWTH};

        larger.buckets = calloc(larger.n_buckets, sizeof(struct pipit_call_state *));
        if (!larger.buckets)
                return;

        for (size_t i = 0; i < table->n_buckets; i++) {
                struct pipit_call_state *state = table->buckets[i];

                while (state) {
                        struct pipit_call_state *next = state->next_in_bucket;

                        chain(&larger, state);
                        state = next;
                }
        }
        free_buckets(table);
        table->buckets = larger.buckets;
        table->n_buckets = larger.n_buckets;
}

void table_insert(struct table *table, struct pipit_call_state *state)
{
        if (table->n_calls >= table->n_buckets)
                grow(table);
        chain(table, state);
        table->n_calls++;
}

struct pipit_call_state *table_find(const struct table *table, uint64_t id)
{
        struct pipit_call_state *state = *bucket_of(table, id);

        while (state && state->id != id)
                state = state->next_in_bucket;

        return state;
}

void table_remove(struct table *table, struct pipit_call_state *state)
{
        struct pipit_call_state **link = bucket_of(table, state->id);

        while (*link != state)
                link = &(*link)->next_in_bucket;
        *link = state->next_in_bucket;
        table->n_calls--;
}
