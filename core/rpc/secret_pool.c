#include "core/rpc/secret_pool.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

/* With libsodium's canary they fill a page. */
#define SECRETS_PER_SLAB 63

struct pipit_secret_slab {
        uint8_t *bytes;       /* guarded */
        uint64_t free_places; /* a bit a place: 1 is free */
        struct pipit_secret_slab *next, *previous;
};

struct pipit_secret_pool {
        pthread_mutex_t mutex;
        struct pipit_secret_slab *open; /* those with a free place */
};

#define ALL_FREE ((UINT64_C(1) << SECRETS_PER_SLAB) - 1)

struct pipit_secret_pool *pipit_secret_pool_new(void)
{
        struct pipit_secret_pool *pool;

        if (sodium_init() < 0)
                return NULL;
        pool = calloc(1, sizeof(*pool));
        if (pool && pthread_mutex_init(&pool->mutex, NULL) != 0) {
                free(pool);
                return NULL;
        }

        return pool;
}

static void slab_free(struct pipit_secret_slab *slab)
{
        sodium_free(slab->bytes);
        free(slab);
}

struct pipit_secret_pool *pipit_secret_pool_free(struct pipit_secret_pool *pool)
{
        if (!pool)
                return NULL;

        while (pool->open) {
                struct pipit_secret_slab *slab = pool->open;

                pool->open = slab->next;
                slab_free(slab);
        }
        (void)pthread_mutex_destroy(&pool->mutex);
        free(pool);

        return NULL;
}

static void open_slab(struct pipit_secret_pool *pool, struct pipit_secret_slab *slab)
{
        slab->previous = NULL;
        slab->next = pool->open;
        if (pool->open)
                pool->open->previous = slab;
        pool->open = slab;
}

static void close_slab(struct pipit_secret_pool *pool, struct pipit_secret_slab *slab)
{
        if (slab->next)
                slab->next->previous = slab->previous;
        if (slab->previous)
                slab->previous->next = slab->next;
        else
                pool->open = slab->next;
}

static struct pipit_secret_slab *slab_new(void)
{
        struct pipit_secret_slab *slab = calloc(1, sizeof(*slab));

        if (!slab)
                return NULL;
        slab->bytes = sodium_allocarray(SECRETS_PER_SLAB, PIPIT_SECRET_BYTES);
        if (!slab->bytes) {
                free(slab);
                return NULL;
        }
        slab->free_places = ALL_FREE;

        return slab;
}

static struct pipit_secret take(struct pipit_secret_slab *slab)
{
        size_t place = (size_t)__builtin_ctzll(slab->free_places);

        slab->free_places &= slab->free_places - 1;
        return (struct pipit_secret){.bytes = slab->bytes + place * PIPIT_SECRET_BYTES,
                                     .slab = slab};
}

bool pipit_secret_pool_take(struct pipit_secret_pool *pool, struct pipit_secret *ret_secret)
{
        struct pipit_secret_slab *slab;

        (void)pthread_mutex_lock(&pool->mutex);
        slab = pool->open;
        if (!slab) {
                slab = slab_new();
                if (slab)
                        open_slab(pool, slab);
        }
        if (slab) {
                *ret_secret = take(slab);
                if (slab->free_places == 0)
                        close_slab(pool, slab);
        }
        (void)pthread_mutex_unlock(&pool->mutex);

        return slab != NULL;
}

void pipit_secret_pool_give(struct pipit_secret_pool *pool, struct pipit_secret *secret)
{
        struct pipit_secret_slab *slab = secret->slab;
        size_t place = (size_t)(secret->bytes - slab->bytes) / PIPIT_SECRET_BYTES;

        sodium_memzero(secret->bytes, PIPIT_SECRET_BYTES);
        (void)pthread_mutex_lock(&pool->mutex);
        if (slab->free_places == 0)
                open_slab(pool, slab);
        slab->free_places |= UINT64_C(1) << place;
        /* One empty slab stays, so that a session that comes and goes maps no memory. */
        if (slab->free_places == ALL_FREE && (slab->next || slab->previous)) {
                close_slab(pool, slab);
                slab_free(slab);
        }
        (void)pthread_mutex_unlock(&pool->mutex);
        *secret = (struct pipit_secret){.bytes = NULL};
}
