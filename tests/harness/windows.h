/*
 * Latencies by when they were: a span cut into windows of the same length
 *
 * Of a machine that stands still for some ms now and then, a percentile over the whole
 * span tells how often it did. The median of the windows' percentiles tells what
 * is in between, as long as most of the windows are spared.
 */

#ifndef TESTS_HARNESS_WINDOWS_H
#define TESTS_HARNESS_WINDOWS_H

#include <stdint.h>

struct windows;

/* As many whole windows, each @width_ns > 0, as fit; what is after the last one is not counted. */
struct windows *windows_new(int64_t from_ns, int64_t to_ns, int64_t width_ns);

/* From any thread, without a lock. */
void windows_add(struct windows *windows, int64_t at_ns, int64_t latency_ns);

/*
 * The median, over the windows that have values, of what @share of their values do not
 * pass; of an even number of windows the upper one. 0 without values. These two while
 * none adds.
 */
int64_t windows_percentile_ns(const struct windows *windows, double share);
void windows_free(struct windows *windows);

#endif
