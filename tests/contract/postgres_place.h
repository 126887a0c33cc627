/*
 * A schema of its own for a test, on the server of tools/with-postgres
 *
 * Every session there has search_path and application_name set to its name. A
 * database each would do as well, but takes a checkpoint to drop.
 */

#ifndef TESTS_CONTRACT_POSTGRES_PLACE_H
#define TESTS_CONTRACT_POSTGRES_PLACE_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "server/store/postgres/postgres.h"

struct postgres_place {
        char name[64];
        char conninfo[512];
};

/* Says so, loudly, and exits with 77 where there is no server to test against. */
void postgres_place_require_server(void);

/* A new one, empty; NULL: no server, or it refuses. */
struct postgres_place *postgres_place_new(void);

/* The same, migrated. */
struct postgres_place *postgres_place_new_migrated(void);

/* Drops it. NULL is a no-op. */
void postgres_place_free(struct postgres_place *place);

/* A session to look from the side. The caller finishes it. */
PGconn *postgres_place_connect(const struct postgres_place *place);

/* Runs @sql; the first value of its first row, copied to @ret_value if that is not NULL. False: it failed. */
bool postgres_place_query(PGconn *session, const char *sql, char ret_value[128]);

/* A store with the defaults; NULL prints why. */
struct users_repository *postgres_place_open(const struct postgres_place *place,
                                             const struct pipit_clock *clock,
                                             bool no_named_statements);

#endif
