/*
 * The contract battery: what core/users/repository.h promises, as tests that
 * run over any store
 *
 * A store joins with a struct battery_store and a main() that calls
 * battery_run(). The battery knows nothing of where a store keeps its users.
 */

#ifndef TESTS_CONTRACT_BATTERY_H
#define TESTS_CONTRACT_BATTERY_H

#include <stdbool.h>

#include "core/base/clock.h"
#include "core/users/repository.h"

/*
 * struct battery_store - how the battery gets at one kind of store
 *
 * A place is where a store keeps what outlives its repository: a folder, a
 * database. Each test makes one, and frees it after the last repository.
 */
struct battery_store {
        const char *name; /* "sqlite" */
        bool is_durable;  /* a second open() of the same place shows the same users */
        bool takes_clock; /* the age of request log rows goes by the clock given to open() */

        /* An empty place; NULL fails the test. */
        void *(*place_new)(void);

        /*
         * A repository on @place. Durable stores are also opened twice at a time,
         * as two servers would. Options are the defaults. NULL fails the test.
         */
        struct users_repository *(*open)(void *place, const struct pipit_clock *clock);

        /* Removes the place and what is in it. */
        void (*place_free)(void *place);
};

/* Runs every test; returns main()'s exit code: 0, or how many failed. */
int battery_run(const struct battery_store *store);

#endif
