/*
 * The statements, and the shapes of what they take and give
 *
 * Statements of reads give the columns of a user (enum pg_user_column), a row a
 * user. Statements of writes give rows of enum pg_outcome_column: what became of
 * the n-th request, and where there is one, its user. A request without a row
 * was not effective at all: its kind says why (a taken email, no such user).
 *
 * What holds for each of them:
 *
 *   - Rows of several users are locked first, in order of id, by one
 *     materialized CTE; emails and log rows are taken in their order. The order
 *     of the input means nothing to the plan.
 *   - A write sees the version after it has the lock, not that of its snapshot.
 *   - Nothing joins two lists row by row: that would be quadratic in a batch
 *     wherever the plan is a nested loop, which the sessions ask for, so that a
 *     plan made on an empty table is still good on a full one.
 *   - They run in one implicit transaction with the statement before, up to the
 *     sync: no BEGIN and COMMIT to wait for.
 */

#ifndef SERVER_STORE_POSTGRES_PG_STATEMENT_H
#define SERVER_STORE_POSTGRES_PG_STATEMENT_H

enum pg_statement {
        PG_STATEMENT_FIND_BY_ID,    /* ids */
        PG_STATEMENT_FIND_BY_EMAIL, /* email_keys */
        PG_STATEMENT_LIST_FIRST,    /* max */
        PG_STATEMENT_LIST_AFTER,    /* max, id */
        PG_STATEMENT_INSERT,        /* a user's columns */
        PG_STATEMENT_UPDATE,        /* ids, wanted versions, the columns that change or NULL */
        PG_STATEMENT_DELETE,        /* ids, wanted versions */
        PG_STATEMENT_CLAIM_INSERT,  /* as CLAIM, then a user's columns */
        PG_STATEMENT_CLAIM,         /* principals, request ids, hashes, claim, kind, now, expired */
        PG_STATEMENT_CLAIMED_INSERT, /* principals, request ids, hashes, claim, kind */
        PG_STATEMENT_CLAIMED_UPDATE, /* the same, then as UPDATE */
        PG_STATEMENT_CLAIMED_DELETE, /* the same, then as DELETE */
        PG_STATEMENT_PURGE,          /* created before, at most */
        PG_STATEMENT_SESSION,
        PG_N_STATEMENTS,
};

enum pg_user_column {
        PG_USER_ID,
        PG_USER_EMAIL,
        PG_USER_EMAIL_KEY,
        PG_USER_NAME,
        PG_USER_AGE,
        PG_USER_CREATE_TIME,
        PG_USER_UPDATE_TIME,
        PG_USER_VERSION,
        PG_N_USER_COLUMNS,
};

enum pg_outcome_column {
        PG_OUTCOME_N,    /* from 1; NULL: the request of the user's id */
        PG_OUTCOME_KIND, /* enum pg_outcome */
        PG_OUTCOME_USER, /* the first of a user's columns; NULL, or all but id NULL: no user */
};

/* Where a request has several rows the lowest counts. */
enum pg_outcome {
        PG_OUTCOME_DONE = 0,
        PG_OUTCOME_REPEAT = 1, /* done, by an earlier request */
        PG_OUTCOME_REUSED = 2,
        PG_OUTCOME_MISMATCH = 3,
        PG_OUTCOME_TAKEN = 4,
};

/* In users_request_log.kind: never renumber. */
enum pg_log_kind {
        PG_LOG_INSERT = 1,
        PG_LOG_UPDATE = 2,
        PG_LOG_DELETE = 3,
};

struct pg_statement_text {
        const char *name; /* as it is prepared */
        const char *sql;
};

extern const struct pg_statement_text pg_statements[PG_N_STATEMENTS];

#endif
