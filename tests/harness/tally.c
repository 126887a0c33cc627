#include "tests/harness/tally.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/harness.h"

#define SUB_BITS  6 /* 64 buckets from each power of two to the next: 1.6% */
#define N_SUB     (1u << SUB_BITS)
#define VALUE_MAX ((INT64_C(1) << 40) - 1) /* 18 minutes: longer than any call may take */
#define N_BUCKETS ((40 - SUB_BITS + 1) * N_SUB)

struct tally {
        struct tally *next;
        uint64_t n;
        uint64_t buckets[N_BUCKETS];
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct tally *all;
static _Thread_local struct tally *own;

struct tally *tally_new(void)
{
        struct tally *tally = calloc(1, sizeof(*tally));

        if (!tally)
                die("out of memory");

        return tally;
}

static struct tally *own_new(void)
{
        struct tally *tally = tally_new();

        (void)pthread_mutex_lock(&mutex);
        tally->next = all;
        all = tally;
        (void)pthread_mutex_unlock(&mutex);

        return tally;
}

/* Values below N_SUB have a bucket each; above, the top bits of a value name its bucket. */
static size_t bucket_of(uint64_t value)
{
        unsigned int shift;

        if (value < N_SUB)
                return (size_t)value;
        shift = 63 - (unsigned int)__builtin_clzll(value) - SUB_BITS;

        return shift * N_SUB + (size_t)(value >> shift);
}

static int64_t bucket_middle(size_t bucket)
{
        size_t shift = bucket / N_SUB;

        if (shift < 2)
                return (int64_t)bucket;
        shift--;

        return ((int64_t)(bucket - shift * N_SUB) << shift) + (INT64_C(1) << shift) / 2;
}

static size_t bucket_of_ns(int64_t ns)
{
        int64_t value = ns < 0 ? 0 : ns;

        return bucket_of((uint64_t)(value > VALUE_MAX ? VALUE_MAX : value));
}

void tally_add(int64_t ns)
{
        if (!own)
                own = own_new();
        own->buckets[bucket_of_ns(ns)]++;
        own->n++;
}

void tally_add_to(struct tally *tally, int64_t ns)
{
        (void)__atomic_fetch_add(&tally->buckets[bucket_of_ns(ns)], 1, __ATOMIC_RELAXED);
        (void)__atomic_fetch_add(&tally->n, 1, __ATOMIC_RELAXED);
}

struct tally *tally_take(void)
{
        struct tally *sum = tally_new();

        (void)pthread_mutex_lock(&mutex);
        for (struct tally *tally = all; tally; tally = tally->next) {
                sum->n += tally->n;
                tally->n = 0;
                for (size_t i = 0; i < N_BUCKETS; i++)
                        sum->buckets[i] += tally->buckets[i];
                (void)memset(tally->buckets, 0, sizeof(tally->buckets));
        }
        (void)pthread_mutex_unlock(&mutex);

        return sum;
}

void tally_free(struct tally *tally)
{
        free(tally);
}

uint64_t tally_n(const struct tally *tally)
{
        return tally->n;
}

int64_t tally_percentile_ns(const struct tally *tally, double share)
{
        uint64_t wanted = (uint64_t)((double)tally->n * share);
        uint64_t n = 0;

        for (size_t i = 0; i < N_BUCKETS && tally->n > 0; i++) {
                n += tally->buckets[i];
                if (n > wanted || n == tally->n)
                        return bucket_middle(i);
        }

        return 0;
}
