#include "server/store/postgres/pg_error.h"

#include <string.h>

/* The first whose prefix fits. */
static const struct {
        const char *prefix;
        struct pg_verdict verdict;
} table[] = {
        /* a unique violation: of email_key, as statements are; whose it is shows alone */
        {"23505", {PG_REACTION_DIVIDE, USERS_ERROR_EMAIL_TAKEN, false}},
        {"40001", {PG_REACTION_RETRY, USERS_ERROR_STORE_CONFLICT, false}},
        {"40P01", {PG_REACTION_RETRY, USERS_ERROR_STORE_CONFLICT, false}},
        {"55P03", {PG_REACTION_WAIT, USERS_ERROR_STORE_CONFLICT, false}},
        {"57014", {PG_REACTION_FAIL, USERS_ERROR_DEADLINE, false}},
        {"53100", {PG_REACTION_FAIL, USERS_ERROR_STORE_FULL, true}},
        {"53", {PG_REACTION_FAIL, USERS_ERROR_STORE_BUSY, true}},
        /* a prepared statement that was dropped, or no longer fits its tables */
        {"26000", {PG_REACTION_REPLACE, USERS_ERROR_STORE_FAILED, true}},
        {"0A000", {PG_REACTION_REPLACE, USERS_ERROR_STORE_FAILED, true}},
        /* read only: the primary has moved elsewhere */
        {"25006", {PG_REACTION_REPLACE, USERS_ERROR_STORE_UNAVAILABLE, true}},
        {"08", {PG_REACTION_LOST, USERS_ERROR_STORE_UNAVAILABLE, true}},
        {"57P", {PG_REACTION_LOST, USERS_ERROR_STORE_UNAVAILABLE, true}},
        {"", {PG_REACTION_DIVIDE, USERS_ERROR_STORE_FAILED, true}},
};

static const struct pg_verdict lost = {PG_REACTION_LOST, USERS_ERROR_STORE_UNAVAILABLE, true};

const struct pg_verdict *pg_error_verdict(const char *sqlstate)
{
        size_t i = 0;

        if (!sqlstate)
                return &lost;

        while (strncmp(sqlstate, table[i].prefix, strlen(table[i].prefix)) != 0)
                i++;

        return &table[i].verdict;
}
