#include <stdlib.h>

#include "server/store/postgres/pg_store.h"

#define SLAB_OPS 64

struct pg_slab {
        struct pg_slab *next;
        struct pg_op ops[SLAB_OPS];
};

/* Under the lock. */
static bool grow(struct pg_store *store)
{
        struct pg_slab *slab = malloc(sizeof(*slab));

        if (!slab)
                return false;

        for (size_t i = 0; i < SLAB_OPS; i++) {
                slab->ops[i].next = store->pool;
                store->pool = &slab->ops[i];
        }
        slab->next = store->slabs;
        store->slabs = slab;
        return true;
}

struct pg_op *pg_op_new(struct pg_store *store)
{
        struct pg_op *op = NULL;

        pthread_mutex_lock(&store->pool_lock);
        if (store->pool || grow(store)) {
                op = store->pool;
                store->pool = op->next;
        }
        pthread_mutex_unlock(&store->pool_lock);
        return op;
}

void pg_op_retire(struct pg_store *store, struct pg_op *op)
{
        op->next = store->spent;
        store->spent = op;
}

void pg_pool_refill(struct pg_store *store)
{
        struct pg_op *last = store->spent;

        if (!last)
                return;
        while (last->next)
                last = last->next;

        pthread_mutex_lock(&store->pool_lock);
        last->next = store->pool;
        store->pool = store->spent;
        pthread_mutex_unlock(&store->pool_lock);
        store->spent = NULL;
}

void pg_pool_deinit(struct pg_store *store)
{
        struct pg_slab *slab;

        while ((slab = store->slabs)) {
                store->slabs = slab->next;
                free(slab);
        }
}
