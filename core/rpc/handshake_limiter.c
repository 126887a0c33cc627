#include "core/rpc/handshake_limiter.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/uuid.h"
#include "core/rpc/id_hash.h"

#define WAYS   4
#define N_SETS ((size_t)PIPIT_HANDSHAKE_SOURCES / WAYS)

/*
 * A bucket, told by when it will be full again: what is taken puts that off by
 * the time in which it flows back.
 */
struct bucket {
        int64_t full_us;
};

struct rate {
        int64_t each_us; /* in which one flows back */
        int64_t burst;
};

static const struct rate source_rate = {PIPIT_US_PER_S / PIPIT_HANDSHAKE_SOURCE_PER_S,
                                        PIPIT_HANDSHAKE_SOURCE_BURST};
static const struct rate all_rate = {PIPIT_US_PER_S / PIPIT_HANDSHAKE_ALL_PER_S,
                                     PIPIT_HANDSHAKE_ALL_BURST};

struct place {
        uint64_t source;
        struct bucket bucket;
};

struct pipit_handshake_limiter {
        pthread_mutex_t mutex;
        uint64_t seed; /* peers choose their addresses; they must not choose where they meet */
        struct bucket all;
        struct place places[N_SETS][WAYS];
};

/* Whether more than @n are left. */
static bool has_more_than(const struct bucket *bucket,
                          const struct rate *rate,
                          int64_t n,
                          int64_t now_us)
{
        return bucket->full_us - now_us <= (rate->burst - n - 1) * rate->each_us;
}

/* Takes one; from an empty bucket nothing, and it stays empty. */
static bool take(struct bucket *bucket, const struct rate *rate, int64_t now_us)
{
        if (!has_more_than(bucket, rate, 0, now_us))
                return false;

        if (bucket->full_us < now_us)
                bucket->full_us = now_us;
        bucket->full_us += rate->each_us;

        return true;
}

struct pipit_handshake_limiter *pipit_handshake_limiter_new(void)
{
        struct pipit_handshake_limiter *limiter = calloc(1, sizeof(*limiter));

        if (!limiter)
                return NULL;
        if (pthread_mutex_init(&limiter->mutex, NULL) != 0) {
                free(limiter);
                return NULL;
        }
        pipit_random_bytes(&limiter->seed, sizeof(limiter->seed));
        /* A clock may begin anywhere: all are full. */
        limiter->all.full_us = INT64_MIN / 2;
        for (size_t i = 0; i < N_SETS * WAYS; i++)
                limiter->places[i / WAYS][i % WAYS].bucket.full_us = INT64_MIN / 2;

        return limiter;
}

struct pipit_handshake_limiter *pipit_handshake_limiter_free(
        struct pipit_handshake_limiter *limiter)
{
        if (limiter) {
                (void)pthread_mutex_destroy(&limiter->mutex);
                free(limiter);
        }

        return NULL;
}

/* Where @source is, or the place that it may have: *ret_found says which. */
static struct place *find(struct pipit_handshake_limiter *limiter, uint64_t source, bool *ret_found)
{
        struct place *set = limiter->places[pipit_id_hash(source, limiter->seed, N_SETS)];
        struct place *best = set;

        for (size_t i = 0; i < WAYS; i++) {
                if (set[i].source == source) {
                        *ret_found = true;
                        return &set[i];
                }
                if (set[i].bucket.full_us < best->bucket.full_us)
                        best = &set[i];
        }

        *ret_found = false;
        return best;
}

bool pipit_handshake_limiter_admit(struct pipit_handshake_limiter *limiter,
                                   uint64_t source,
                                   int64_t now_us)
{
        const struct place *place;
        bool found, innocent, ok;

        (void)pthread_mutex_lock(&limiter->mutex);
        place = find(limiter, source, &found);
        innocent = !found || has_more_than(&place->bucket, &source_rate, 0, now_us);
        ok = has_more_than(
                &limiter->all, &all_rate, innocent ? 0 : PIPIT_HANDSHAKE_ALL_FOR_INNOCENT, now_us);
        (void)pthread_mutex_unlock(&limiter->mutex);

        return ok;
}

bool pipit_handshake_limiter_fail(struct pipit_handshake_limiter *limiter,
                                  uint64_t source,
                                  int64_t now_us)
{
        struct place *place;
        bool found, within;

        (void)pthread_mutex_lock(&limiter->mutex);
        place = find(limiter, source, &found);
        if (!found)
                *place = (struct place){.source = source, .bucket.full_us = now_us};
        within = take(&place->bucket, &source_rate, now_us);
        (void)take(&limiter->all, &all_rate, now_us);
        (void)pthread_mutex_unlock(&limiter->mutex);

        return within;
}
