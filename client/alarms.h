/*
 * Alarms: what is due at some time, soonest first
 *
 * A binary heap over alarms that are embedded elsewhere. Not thread-safe.
 */

#ifndef CLIENT_ALARMS_H
#define CLIENT_ALARMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed: it is not set. */
struct alarm {
        int64_t at_us;
        size_t place; /* private: from 1; 0: not set */
};

/* All zero: empty. */
struct alarms {
        struct alarm **heap;
        size_t n_set;
        size_t n_places;
        size_t n_users;
};

void alarms_deinit(struct alarms *alarms);

/* Room for one more, which alarms_set() never lacks then. False: out of memory. */
bool alarms_enter(struct alarms *alarms);
void alarms_leave(struct alarms *alarms);

/* Sets it anew; PIPIT_NEVER_US: it is not set. Of one who has entered. */
void alarms_set(struct alarms *alarms, struct alarm *alarm, int64_t at_us);

/* PIPIT_NEVER_US: none is set. */
int64_t alarms_next_us(const struct alarms *alarms);

/* Takes one that is due, which is not set then; NULL: none is. */
struct alarm *alarms_take(struct alarms *alarms, int64_t now_us);

#endif
