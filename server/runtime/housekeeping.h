/*
 * Housekeeping: one thread for what must happen later, or elsewhere
 *
 * Timers: whoever has deadlines embeds one timer and arms it with a lower bound
 * of them; when it fires, its owner looks for what is due and arms it anew. So
 * no call has a timer of its own, and arming takes the lock only when the bound
 * falls. Jobs: what a callback of an endpoint may not do itself.
 *
 * Owners are counted: a timer or job in the queue does not keep its owner
 * alive, a firing one does.
 */

#ifndef SERVER_RUNTIME_HOUSEKEEPING_H
#define SERVER_RUNTIME_HOUSEKEEPING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/alarms.h"
#include "core/base/macros.h"

struct housekeeping;
struct timer;
struct job;

/* On the housekeeping thread, with a reference to the owner that it gives back. */
typedef void (*timer_fire_fn)(struct timer *timer, int64_t now_us);

struct timer {
        /* in */
        timer_fire_fn fire;
        atomic_uint *refs; /* of the owner */

        /* private */
        struct pipit_alarm alarm;
        _Atomic int64_t due_us; /* alarm.at_us, for who has not the mutex */
};

/* On the housekeeping thread, once for each submit. */
typedef void (*job_run_fn)(struct job *job);

struct job {
        /* in */
        job_run_fn run;

        /* private */
        struct job *next;
};

/* NULL: out of memory or threads. */
struct housekeeping *housekeeping_new(void);

/* Runs the jobs that wait, then ends the thread; timers fire no more. Once. */
void housekeeping_stop(struct housekeeping *housekeeping);

/* After stop. NULL is a no-op. Returns NULL. */
struct housekeeping *housekeeping_free(struct housekeeping *housekeeping);

/* Room for @timer, of the owner that @refs counts. False: out of memory. */
PIPIT_MUST_CHECK bool housekeeping_add(struct housekeeping *housekeeping,
                                       struct timer *timer,
                                       timer_fire_fn fire,
                                       atomic_uint *refs);

/* When the owner's count has come to 0, before it is freed. */
void housekeeping_remove(struct housekeeping *housekeeping, struct timer *timer);

/* Fires at @due_us or before. Cannot fail. */
void housekeeping_arm(struct housekeeping *housekeeping, struct timer *timer, int64_t due_us);

/* @job is in the queue once at a time; it may free itself when it runs. */
void housekeeping_submit(struct housekeeping *housekeeping, struct job *job);

#endif
