/*
 * Alarms: what is due at some time, soonest first
 *
 * A binary heap over alarms that are embedded elsewhere. Not thread-safe.
 */

#ifndef CORE_BASE_ALARMS_H
#define CORE_BASE_ALARMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/macros.h"

/* Zeroed: it is not set. */
struct pipit_alarm {
        int64_t at_us; /* while it is set */
        size_t place;  /* private: from 1; 0: not set */
};

/* All zero: empty. */
struct pipit_alarms {
        /* private */
        struct pipit_alarm **heap;
        size_t n_set;
        size_t n_users;
        size_t n_places; /* no fewer than n_users */
};

void pipit_alarms_deinit(struct pipit_alarms *alarms);

/* Room for @n more, which pipit_alarms_set() never lacks then. False: out of memory. */
PIPIT_MUST_CHECK bool pipit_alarms_enter(struct pipit_alarms *alarms, size_t n);

/* One of them is set no more. */
void pipit_alarms_leave(struct pipit_alarms *alarms);

/* Sets it, or sets it anew; PIPIT_NEVER_US: it is not set. Of one who has entered. */
void pipit_alarms_set(struct pipit_alarms *alarms, struct pipit_alarm *alarm, int64_t at_us);

/* PIPIT_NEVER_US: none is set. */
int64_t pipit_alarms_next_us(const struct pipit_alarms *alarms);

/* Takes one that is due, which is not set then; NULL: none is. */
struct pipit_alarm *pipit_alarms_take(struct pipit_alarms *alarms, int64_t now_us);

#endif
