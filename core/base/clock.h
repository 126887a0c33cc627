/*
 * Time
 *
 * Two clocks: the monotonic one for deadlines and durations, the wall clock for
 * what people read. Both in microseconds, as int64_t. What a test is to move
 * takes a struct pipit_clock (<pipit/clock.h>) instead.
 */

#ifndef CORE_BASE_CLOCK_H
#define CORE_BASE_CLOCK_H

#include <pipit/clock.h>
#include <stdint.h>

#define PIPIT_US_PER_MS INT64_C(1000)
#define PIPIT_US_PER_S  INT64_C(1000000)

/* A deadline that never comes. */
#define PIPIT_NEVER_US INT64_MAX

/* CLOCK_MONOTONIC. */
int64_t pipit_clock_now_us(void);

/* CLOCK_REALTIME, since 1970-01-01T00:00:00Z. */
int64_t pipit_clock_wall_us(void);

#endif
