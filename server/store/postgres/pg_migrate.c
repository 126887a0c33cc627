#include "server/store/postgres/pg_migrate.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/uuid.h"
#include "server/store/postgres/postgres.h"

#define CONNECT_WAIT_US (10 * PIPIT_US_PER_S)

/* Of advisory locks: ours is this number, for ever. */
#define MIGRATE_LOCK "7021867219467136371"

#define REASON_FAILED "STORE_FAILED"

static _Thread_local char message_text[512];

PIPIT_DEFINE_CLEANUP(PGconn, PQfinish);
PIPIT_DEFINE_CLEANUP(PGresult, PQclear);

enum pipit_status pg_fail(struct pipit_error *ret_error,
                          enum pipit_status status,
                          const char *reason,
                          const char *format,
                          ...)
{
        va_list arguments;
        size_t length;

        va_start(arguments, format);
        (void)vsnprintf(message_text, sizeof(message_text), format, arguments);
        va_end(arguments);

        /* libpq ends its lines */
        length = strlen(message_text);
        while (length > 0 && message_text[length - 1] == '\n')
                message_text[--length] = '\0';

        *ret_error = pipit_error_make(status, PIPIT_NOT_RUN, reason, message_text);
        return status;
}

static void ignore_notice(void *context, const char *message)
{
        (void)context;
        (void)message;
}

/* Later ones override: the conninfo may have its own of what stands before it. */
static const char *const connect_keywords[] = {
        "connect_timeout", "fallback_application_name", "dbname", "client_encoding", NULL};

static void connect_values(const char *conninfo, const char *values[5])
{
        values[0] = "10";
        values[1] = "usersd";
        values[2] = conninfo;
        values[3] = "UTF8";
        values[4] = NULL;
}

PGconn *pg_connect_start(const char *conninfo)
{
        const char *values[5];
        PGconn *connection;

        connect_values(conninfo, values);
        connection = PQconnectStartParams(connect_keywords, values, 1);
        if (connection)
                (void)PQsetNoticeProcessor(connection, ignore_notice, NULL);
        return connection;
}

PGconn *pg_connect(const char *conninfo, struct pipit_error *ret_error)
{
        const struct timespec pause = {.tv_nsec = 100L * 1000 * 1000};
        int64_t give_up_us = pipit_clock_now_us() + CONNECT_WAIT_US;
        const char *values[5];
        PGconn *connection;

        connect_values(conninfo, values);
        for (;;) {
                connection = PQconnectdbParams(connect_keywords, values, 1);
                if (PQstatus(connection) == CONNECTION_OK)
                        break;

                /* It is there, and starting: as after a boot. */
                if (pipit_clock_now_us() >= give_up_us ||
                    PQpingParams(connect_keywords, values, 1) != PQPING_REJECT) {
                        (void)pg_fail(ret_error,
                                      PIPIT_UNAVAILABLE,
                                      "STORE_UNAVAILABLE",
                                      "%s",
                                      PQerrorMessage(connection));
                        PQfinish(connection);
                        return NULL;
                }
                PQfinish(connection);
                (void)nanosleep(&pause, NULL);
        }

        (void)PQsetNoticeProcessor(connection, ignore_notice, NULL);
        return connection;
}

static enum pipit_status fail_query(PGconn *connection,
                                    const PGresult *result,
                                    struct pipit_error *ret_error)
{
        const char *text = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
        bool lost = PQstatus(connection) != CONNECTION_OK;
        enum pipit_status status = lost ? PIPIT_UNAVAILABLE : PIPIT_INTERNAL;

        (void)pg_fail(ret_error,
                      status,
                      lost ? "STORE_UNAVAILABLE" : REASON_FAILED,
                      "%s",
                      text ? text : PQerrorMessage(connection));
        return status;
}

/* Without parameters: several statements in one string run as one transaction. */
static enum pipit_status run(PGconn *connection, const char *sql, struct pipit_error *ret_error)
{
        PIPIT_CLEANUP(PQclear_cleanup) PGresult *result = PQexec(connection, sql);
        ExecStatusType status = PQresultStatus(result);

        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
                return fail_query(connection, result, ret_error);
        return PIPIT_OK;
}

/* One row of text; its first @n_values are copied. */
static enum pipit_status ask(PGconn *connection,
                             const char *sql,
                             char (*ret_values)[96],
                             int n_values,
                             struct pipit_error *ret_error)
{
        PIPIT_CLEANUP(PQclear_cleanup) PGresult *result = PQexec(connection, sql);

        if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
                return fail_query(connection, result, ret_error);

        for (int i = 0; i < n_values; i++)
                (void)snprintf(
                        ret_values[i], sizeof(ret_values[i]), "%s", PQgetvalue(result, 0, i));
        return PIPIT_OK;
}

/* 0: there is no schema. */
static enum pipit_status read_version(PGconn *connection,
                                      uint32_t *ret_version,
                                      struct pipit_error *ret_error)
{
        char values[1][96] = {""};
        enum pipit_status status;

        *ret_version = 0;
        status = ask(connection,
                     "select coalesce(to_regclass('users_schema')::text, '')",
                     values,
                     1,
                     ret_error);
        if (status != PIPIT_OK || values[0][0] == '\0')
                return status;

        status = ask(connection,
                     "select coalesce(max(version), 0) from users_schema",
                     values,
                     1,
                     ret_error);
        if (status == PIPIT_OK)
                *ret_version = (uint32_t)strtoul(values[0], NULL, 10);
        return status;
}

/* Without the flag another store is migrated; the URL itself may hold a password. */
#define MIGRATE_FORMAT "run `usersd migrate --store URL`, with the URL of this store"

static enum pipit_status check_version(PGconn *connection, struct pipit_error *ret_error)
{
        enum pipit_status status;
        uint32_t version;

        status = read_version(connection, &version, ret_error);
        if (status != PIPIT_OK)
                return status;
        if (version == 0)
                return pg_fail(ret_error,
                               PIPIT_FAILED_PRECONDITION,
                               "SCHEMA_MISSING",
                               "database %s has no users schema: " MIGRATE_FORMAT,
                               PQdb(connection));
        if (version < pg_n_migrations)
                return pg_fail(ret_error,
                               PIPIT_FAILED_PRECONDITION,
                               "SCHEMA_OLD",
                               "database %s has schema %u, this usersd needs %u: " MIGRATE_FORMAT,
                               PQdb(connection),
                               version,
                               pg_n_migrations);
        if (version > pg_n_migrations)
                return pg_fail(ret_error,
                               PIPIT_FAILED_PRECONDITION,
                               "SCHEMA_UNKNOWN",
                               "database %s has schema %u, this usersd knows none after %u: use a "
                               "newer one",
                               PQdb(connection),
                               version,
                               pg_n_migrations);
        return PIPIT_OK;
}

static enum pipit_status read_key(PGconn *connection,
                                  uint8_t ret_key[PG_PAGE_TOKEN_KEY_BYTES],
                                  struct pipit_error *ret_error)
{
        PIPIT_CLEANUP(PQclear_cleanup)
        PGresult *result = PQexecParams(connection,
                                        "select value from users_settings"
                                        " where name = 'page_token_key'",
                                        0,
                                        NULL,
                                        NULL,
                                        NULL,
                                        NULL,
                                        1);

        if (PQresultStatus(result) != PGRES_TUPLES_OK)
                return fail_query(connection, result, ret_error);
        if (PQntuples(result) != 1 || PQgetlength(result, 0, 0) != PG_PAGE_TOKEN_KEY_BYTES)
                return pg_fail(ret_error,
                               PIPIT_FAILED_PRECONDITION,
                               "SCHEMA_UNKNOWN",
                               "database %s has no usable page_token_key in users_settings",
                               PQdb(connection));

        memcpy(ret_key, PQgetvalue(result, 0, 0), PG_PAGE_TOKEN_KEY_BYTES);
        return PIPIT_OK;
}

enum pipit_status pg_check(PGconn *connection,
                           bool allow_data_loss,
                           bool sessions_shared,
                           uint8_t ret_key[PG_PAGE_TOKEN_KEY_BYTES],
                           struct pipit_error *ret_error)
{
        char values[3][96];
        enum pipit_status status;

        status = check_version(connection, ret_error);
        if (status == PIPIT_OK)
                status = ask(
                        connection,
                        "select current_setting('fsync'), current_setting('synchronous_commit'),"
                        " current_setting('default_transaction_isolation')",
                        values,
                        3,
                        ret_error);
        if (status != PIPIT_OK)
                return status;

        if (!allow_data_loss && (strcmp(values[0], "off") == 0 || strcmp(values[1], "off") == 0))
                return pg_fail(ret_error,
                               PIPIT_FAILED_PRECONDITION,
                               "NOT_DURABLE",
                               "database %s may lose what it acknowledged: fsync is %s,"
                               " synchronous_commit is %s; turn both on, or serve from it all the"
                               " same with --allow-data-loss",
                               PQdb(connection),
                               values[0],
                               values[1]);
        if (sessions_shared && strcmp(values[2], "read committed") != 0)
                return pg_fail(
                        ret_error,
                        PIPIT_FAILED_PRECONDITION,
                        "ISOLATION",
                        "database %s has default_transaction_isolation %s: through a pooler it"
                        " must be read committed",
                        PQdb(connection),
                        values[2]);
        return read_key(connection, ret_key, ret_error);
}

static enum pipit_status make_key(PGconn *connection, struct pipit_error *ret_error)
{
        uint8_t key[PG_PAGE_TOKEN_KEY_BYTES];
        const char *values[1] = {(const char *)key};
        const int lengths[1] = {sizeof(key)};
        const int formats[1] = {1};

        pipit_random_bytes(key, sizeof(key));

        PIPIT_CLEANUP(PQclear_cleanup)
        PGresult *result = PQexecParams(connection,
                                        "insert into users_settings (name, value)"
                                        " values ('page_token_key', $1) on conflict do nothing",
                                        1,
                                        NULL,
                                        values,
                                        lengths,
                                        formats,
                                        0);

        if (PQresultStatus(result) != PGRES_COMMAND_OK)
                return fail_query(connection, result, ret_error);
        return PIPIT_OK;
}

static enum pipit_status apply(PGconn *connection, uint32_t number, struct pipit_error *ret_error)
{
        const struct pg_migration *migration = &pg_migrations[number - 1];
        enum pipit_status status;
        char sql[160];

        (void)snprintf(sql,
                       sizeof(sql),
                       "insert into users_schema (version, name) values (%u, '%s')",
                       number,
                       migration->name);

        status = run(connection, migration->sql, ret_error);
        if (status == PIPIT_OK && number == 1)
                status = make_key(connection, ret_error);
        if (status == PIPIT_OK)
                status = run(connection, sql, ret_error);
        return status;
}

/*
 * One transaction: looks how far the schema is, and takes it one further. Its
 * lock is the transaction's, not the session's, so a pooler may stand between.
 */
static enum pipit_status step(PGconn *connection,
                              uint32_t *ret_version,
                              struct pipit_error *ret_error)
{
        enum pipit_status status;
        uint32_t version = 0;

        status = run(connection,
                     "begin isolation level read committed;"
                     "select pg_advisory_xact_lock(" MIGRATE_LOCK ");"
                     "create table if not exists users_schema ("
                     " version integer primary key, name text not null,"
                     " applied_at timestamptz not null default now())",
                     ret_error);
        if (status == PIPIT_OK)
                status = read_version(connection, &version, ret_error);
        if (status == PIPIT_OK && version > pg_n_migrations)
                status = check_version(connection, ret_error);
        if (status == PIPIT_OK && version < pg_n_migrations)
                status = apply(connection, version + 1, ret_error);
        if (status == PIPIT_OK)
                status = run(connection, "commit", ret_error);
        if (status == PIPIT_OK)
                *ret_version = version;
        return status;
}

enum pipit_status users_postgres_migrate(const char *conninfo,
                                         uint32_t *ret_from,
                                         uint32_t *ret_to,
                                         struct pipit_error *ret_error)
{
        PIPIT_CLEANUP(PQfinish_cleanup) PGconn *connection = pg_connect(conninfo, ret_error);
        enum pipit_status status;
        uint32_t version;

        if (!connection)
                return ret_error->status;

        status = step(connection, &version, ret_error);
        if (status != PIPIT_OK)
                return status;

        *ret_from = version;
        while (version < pg_n_migrations) {
                status = step(connection, &version, ret_error);
                if (status != PIPIT_OK)
                        return status;
        }
        *ret_to = pg_n_migrations;
        return PIPIT_OK;
}
