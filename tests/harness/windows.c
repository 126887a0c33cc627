#include "tests/harness/windows.h"

#include <stdlib.h>

#include "tests/harness/harness.h"
#include "tests/harness/tally.h"

struct windows {
        int64_t from_ns;
        int64_t width_ns;
        int64_t n;
        struct tally *tallies[];
};

struct windows *windows_new(int64_t from_ns, int64_t to_ns, int64_t width_ns)
{
        int64_t n = to_ns > from_ns ? (to_ns - from_ns) / width_ns : 0;
        struct windows *windows =
                calloc(1, sizeof(*windows) + (size_t)n * sizeof(*windows->tallies));

        if (!windows)
                die("out of memory");
        *windows = (struct windows){.from_ns = from_ns, .width_ns = width_ns, .n = n};
        for (int64_t i = 0; i < n; i++)
                windows->tallies[i] = tally_new();

        return windows;
}

void windows_free(struct windows *windows)
{
        for (int64_t i = 0; i < windows->n; i++)
                tally_free(windows->tallies[i]);
        free(windows);
}

void windows_add(struct windows *windows, int64_t at_ns, int64_t latency_ns)
{
        int64_t since_ns = at_ns - windows->from_ns;

        if (since_ns >= 0 && since_ns / windows->width_ns < windows->n)
                tally_add_to(windows->tallies[since_ns / windows->width_ns], latency_ns);
}

int64_t windows_percentile_ns(const struct windows *windows, double share)
{
        int64_t *found = calloc((size_t)windows->n + 1, sizeof(*found));
        int64_t median_ns;
        size_t n = 0;

        if (!found)
                die("out of memory");
        for (int64_t i = 0; i < windows->n; i++)
                if (tally_n(windows->tallies[i]) > 0)
                        found[n++] = tally_percentile_ns(windows->tallies[i], share);
        median_ns = median(found, n);
        free(found);

        return median_ns;
}
