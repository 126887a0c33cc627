/*
 * A source of time that a test can replace
 *
 * What depends on time takes a struct pipit_clock: pipit_clock_system in a
 * program, a struct pipit_test_clock (<pipit/test_clock.h>) in a test.
 *
 * Public: installed, compiles alone, in C and C++.
 */

#ifndef PIPIT_CLOCK_H
#define PIPIT_CLOCK_H

#include <pipit/macros.h>
#include <stdint.h>

PIPIT_BEGIN_DECLS

/* All functions may be called from any thread. @context is theirs. */
struct pipit_clock {
        int64_t (*now_us)(void *context);  /* monotonic, for deadlines and durations */
        int64_t (*wall_us)(void *context); /* since 1970-01-01T00:00:00Z, for people */
        void *context;
};

/* CLOCK_MONOTONIC and CLOCK_REALTIME. */
PIPIT_PUBLIC extern const struct pipit_clock pipit_clock_system;

PIPIT_END_DECLS

#endif
