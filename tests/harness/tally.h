/*
 * Latencies of many threads, counted without a lock
 *
 * A histogram has buckets that grow with the value, so that a percentile is right to
 * 1.6%, whatever its size. Each thread that adds has one of its own, and they are summed
 * when the threads have stopped adding.
 */

#ifndef TESTS_HARNESS_TALLY_H
#define TESTS_HARNESS_TALLY_H

#include <stdint.h>

struct tally;

/* Adds one value to the calling thread's histogram. Negative ones count as 0. */
void tally_add(int64_t ns);

/* A histogram of no thread's: any of them may add to it, at once. tally_free() frees it. */
struct tally *tally_new(void);
void tally_add_to(struct tally *tally, int64_t ns);

/* What all threads added since the last take, while none adds; tally_free() frees it. */
struct tally *tally_take(void);
void tally_free(struct tally *tally);

uint64_t tally_n(const struct tally *tally);

/* The value that @share of the values (0.99) do not pass; 0 without values. */
int64_t tally_percentile_ns(const struct tally *tally, double share);

#endif
