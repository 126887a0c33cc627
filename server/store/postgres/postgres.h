/*
 * Users in PostgreSQL: for production
 *
 * One I/O thread owns a handful of connections; nobody ever waits on a
 * connection. What is waiting goes out as few statements, by kind, pipelined.
 * An error falls on the request that caused it.
 *
 * With more than one connection up, the first is kept for reads, so they never
 * wait behind a write that waits for a lock. A connection that is lost is replaced in
 * the background: writes under way on it are MAY_HAVE_RUN, reads go again on
 * another, and what waits is told UNAVAILABLE, NOT_RUN after a second without
 * any. Resolving a host name blocks the I/O thread while it lasts, deadlines
 * included: prefer addresses, a unix socket, or a resolver that is near.
 *
 * Sessions are set up with statement_timeout 70s and lock_timeout 2s (a batch
 * behind a row that others hold longer is divided). Not so with
 * no_named_statements, where sessions belong to the pooler: set both there. Then
 * each connection also waits for the answer to one batch before it sends the next.
 */

#ifndef SERVER_STORE_POSTGRES_POSTGRES_H
#define SERVER_STORE_POSTGRES_POSTGRES_H

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/users/repository.h"

struct users_postgres_options {
        const char *conninfo; /* URI or keywords, as libpq takes them */
        const struct pipit_clock *clock;
        struct pipit_log *log; /* may be NULL; passwords are never logged */
        struct users_burst burst;
        uint32_t n_connections;   /* 0: 4 */
        uint32_t queue_max;       /* requests that wait; 0: 20,000 */
        uint32_t batch_max;       /* requests a statement; 0: 256 */
        bool no_named_statements; /* for PgBouncer in transaction mode */
        bool allow_data_loss;     /* serve although fsync or synchronous_commit is off */
};

/*
 * Connects (waiting for at most 10 s for the first connection) and checks the
 * schema version and durability. FAILED_PRECONDITION: SCHEMA_MISSING, SCHEMA_OLD
 * (both name `usersd migrate`), SCHEMA_UNKNOWN, NOT_DURABLE. UNAVAILABLE: with
 * host and cause. NULL: *ret_error, whose message lives until this thread's next
 * call here. Later losses are mended in the background.
 */
struct users_repository *users_postgres_new(const struct users_postgres_options *options,
                                            struct pipit_error *ret_error);

/* Brings the schema up to date, one migration a transaction, under an advisory lock. */
enum pipit_status users_postgres_migrate(const char *conninfo,
                                         uint32_t *ret_from,
                                         uint32_t *ret_to,
                                         struct pipit_error *ret_error);

#endif
