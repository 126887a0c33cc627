/*
 * What PostgreSQL's SQLSTATEs mean to us: the one table
 */

#ifndef SERVER_STORE_POSTGRES_PG_ERROR_H
#define SERVER_STORE_POSTGRES_PG_ERROR_H

#include <stdbool.h>

#include "core/users/errors.h"

/* What to do with a batch that failed. The transaction has been rolled back, unless it is LOST. */
enum pg_reaction {
        PG_REACTION_FAIL,    /* all of it, with the error */
        PG_REACTION_DIVIDE,  /* one by one: the error is some request's own */
        PG_REACTION_RETRY,   /* the same again, a few times */
        PG_REACTION_WAIT,    /* one by one, until the deadline: a row is locked by somebody */
        PG_REACTION_REPLACE, /* again, on a new connection: this one is no good any more */
        PG_REACTION_LOST,    /* the connection is ending: the outcome is unknown */
};

struct pg_verdict {
        enum pg_reaction reaction;
        enum users_error error; /* when nothing helps */
        bool logged;            /* it should not have happened: the log gets the cause */
};

/* @sqlstate: five characters, or NULL (libpq's own failures carry none). */
const struct pg_verdict *pg_error_verdict(const char *sqlstate);

#endif
