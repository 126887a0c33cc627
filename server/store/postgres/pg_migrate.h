/*
 * The schema: its steps, and what there is
 */

#ifndef SERVER_STORE_POSTGRES_PG_MIGRATE_H
#define SERVER_STORE_POSTGRES_PG_MIGRATE_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/macros.h"
#include "core/base/status.h"

#define PG_PAGE_TOKEN_KEY_BYTES 32

struct pg_migration {
        const char *name; /* 0001_users.sql */
        const char *sql;
};

/* In order; the version of a schema is how many of them it has had. */
extern const struct pg_migration pg_migrations[];
extern const uint32_t pg_n_migrations;

/*
 * An error of this thread's: its text lives until the next. Passwords are in no
 * text that libpq makes.
 */
PIPIT_PRINTF(4, 5)
enum pipit_status pg_fail(struct pipit_error *ret_error,
                          enum pipit_status status,
                          const char *reason,
                          const char *format,
                          ...);

/* Connects, waiting. NULL: UNAVAILABLE, with host and cause. */
PGconn *pg_connect(const char *conninfo, struct pipit_error *ret_error);

/* Starts to connect, as pg_connect() does. NULL: out of memory. */
PGconn *pg_connect_start(const char *conninfo);

/*
 * What users_postgres_new() checks. FAILED_PRECONDITION: SCHEMA_MISSING, SCHEMA_OLD,
 * SCHEMA_UNKNOWN, NOT_DURABLE (unless @allow_data_loss), ISOLATION (only with
 * @sessions_shared: sessions of our own are set up).
 */
PIPIT_MUST_CHECK enum pipit_status pg_check(PGconn *connection,
                                            bool allow_data_loss,
                                            bool sessions_shared,
                                            uint8_t ret_key[PG_PAGE_TOKEN_KEY_BYTES],
                                            struct pipit_error *ret_error);

#endif
