/*
 * How calls are made: closed, blocking or open, for one span of time
 */

#ifndef TESTS_BENCH_LOAD_H
#define TESTS_BENCH_LOAD_H

#include <stddef.h>
#include <stdint.h>

#include "tests/bench/bench.h"
#include "tests/harness/windows.h"

enum load_kind {
        LOAD_CLOSED,
        LOAD_BLOCKING,
        LOAD_OPEN,
};

struct load {
        enum load_kind kind;
        const struct bench_contestant *contestant;
        size_t n;                /* calls in flight or threads; open: at most */
        size_t n_connections;    /* open: which of them a call goes over is drawn, too */
        double rate;             /* open: calls a second, over all */
        uint64_t seed;           /* open: of the arrivals */
        struct windows *windows; /* what is counted is added there, too; or NULL */
        int64_t from_ns;         /* calls are counted from here ... */
        int64_t to_ns;           /* ... to here. CLOCK_MONOTONIC */
};

/* How calls ended; latencies are in the tally. */
struct load_result {
        uint64_t n_failed;
        uint64_t n_dropped; /* open: arrivals that found all n slots taken; it gave up then */
};

/* Begins to make calls. There is one load at a time; @load lives until load_finish(). */
void load_start(const struct load *load);

/* Waits until the span is over and all calls have ended. */
struct load_result load_finish(void);

/* CLOCK_MONOTONIC */
int64_t load_now_ns(void);
void load_sleep_until(int64_t ns);

#endif
