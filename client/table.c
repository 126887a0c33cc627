#include "client/table.h"

#include <stdlib.h>

#define BUCKETS_MIN 256

/* Ids ascend by one: their low bits spread them evenly. */
static struct pipit_call_state **bucket_of(const struct table *table, uint64_t id)
{
        return &table->buckets[id & (table->n_buckets - 1)];
}

bool table_init(struct table *table)
{
        table->buckets = calloc(BUCKETS_MIN, sizeof(struct pipit_call_state *));
        table->n_buckets = BUCKETS_MIN;
        table->n_calls = 0;

        return table->buckets != NULL;
}

void table_deinit(struct table *table)
{
        free(table->buckets);
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
        struct table larger = {.n_buckets = table->n_buckets * 4, .n_calls = table->n_calls};

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
        free(table->buckets);
        *table = larger;
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
