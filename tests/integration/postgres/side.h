/*
 * What the tests of the PostgreSQL store share: a place, a store on it, and
 * sessions beside it that lock, kill and look
 */

#ifndef TESTS_INTEGRATION_POSTGRES_SIDE_H
#define TESTS_INTEGRATION_POSTGRES_SIDE_H

#include "tests/contract/harness.h"
#include "tests/contract/postgres_place.h"

struct side_fixture {
        struct postgres_place *place;
        struct users_repository *repository;
        PGconn *side;  /* a session of the test's own: it locks and changes */
        PGconn *watch; /* another, never in a transaction: one sees pg_stat_activity frozen */
        struct waiter waiter;
};

/* cmocka's; *state becomes the fixture. */
int side_set_up(void **state);
int side_tear_down(void **state);

/* A prepared call that has not been started. */
struct call side_call(struct side_fixture *fixture, const struct user *in);

/* Inserts @user through the store, and waits. */
void side_insert(struct side_fixture *fixture, const struct user *user);

/* Runs SQL in the side session; a failure fails the test. */
PIPIT_PRINTF(2, 3) void side_run(struct side_fixture *fixture, const char *format, ...);

/* The first value of what the watching session is told, as a number. */
PIPIT_PRINTF(2, 3) long side_ask(struct side_fixture *fixture, const char *format, ...);

/* Asks until the answer is at least @least; a minute without fails the test. */
PIPIT_PRINTF(3, 4)
void side_ask_until(struct side_fixture *fixture, long least, const char *format, ...);

/* Waits until a session of the store waits for a lock. */
void side_wait_for_lock_waiter(struct side_fixture *fixture);

/* The id as SQL text, in a buffer of this thread's. */
const char *side_id(const struct user *user);

#endif
