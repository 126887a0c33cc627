/*
 * Statements: one connection's prepared statements, and one job run with them
 *
 * For one thread. Every int is an SQLite result code.
 */

#ifndef SERVER_STORE_SQLITE_STATEMENTS_H
#define SERVER_STORE_SQLITE_STATEMENTS_H

#include <sqlite3.h>

#include "server/store/sqlite/jobs.h"

enum statement {
        STATEMENT_BEGIN_READ,
        STATEMENT_BEGIN_WRITE,
        STATEMENT_COMMIT,
        STATEMENT_ROLLBACK,
        STATEMENT_FIND_BY_ID,
        STATEMENT_FIND_BY_EMAIL,
        STATEMENT_LIST,
        STATEMENT_INSERT,
        STATEMENT_UPDATE,
        STATEMENT_DELETE,
        STATEMENT_LOG_FIND,
        STATEMENT_LOG_ADD,
        STATEMENT_LOG_PURGE,
        STATEMENTS,
};

struct statements {
        sqlite3 *db;
        sqlite3_stmt *prepared[STATEMENTS];
};

/* Takes @db, also when it fails: then deinit all the same. */
int statements_init(struct statements *statements, sqlite3 *db);
void statements_deinit(struct statements *statements);

/* One that returns no rows and takes nothing: begin, commit, rollback. */
int statements_run(struct statements *statements, enum statement which);

/*
 * Runs a job inside the open transaction. SQLITE_OK: job->error and the result
 * are the outcome, if the transaction commits. Else nothing is known of the
 * transaction: roll it back.
 */
int statements_read(struct statements *statements, struct job *job);
int statements_write(struct statements *statements, struct job *job, int64_t wall_us);

/* Deletes up to @max rows of the request log that are too old. */
int statements_purge(struct statements *statements, int64_t wall_us, size_t max);

#endif
