#include "tests/contract/postgres_place.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SERVER_VARIABLE "PIPIT_TEST_POSTGRES"
#define POOLER_VARIABLE "PIPIT_TEST_PGBOUNCER"

static atomic_uint n_places;

static const char *server(void)
{
        return getenv(SERVER_VARIABLE);
}

void postgres_place_require_server(void)
{
        if (server())
                return;
        fprintf(stderr,
                "SKIPPED: " SERVER_VARIABLE " is not set: run this under tools/with-postgres\n");
        exit(77);
}

bool postgres_place_query(PGconn *session, const char *sql, char ret_value[128])
{
        PGresult *result = PQexec(session, sql);
        ExecStatusType status = PQresultStatus(result);
        bool good = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;

        if (!good)
                fprintf(stderr, "%s: %s", sql, PQerrorMessage(session));
        else if (ret_value)
                (void)snprintf(ret_value,
                               128,
                               "%s",
                               PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
        PQclear(result);
        return good;
}

static void ignore_notice(void *context, const char *message)
{
        (void)context;
        (void)message;
}

static PGconn *connect_to(const char *conninfo)
{
        PGconn *session = PQconnectdb(conninfo);

        (void)PQsetNoticeProcessor(session, ignore_notice, NULL);

        if (PQstatus(session) == CONNECTION_OK)
                return session;
        fprintf(stderr, "%s", PQerrorMessage(session));
        PQfinish(session);
        return NULL;
}

/* A pooler's sessions have no search_path of their own, so there it is a database. */
static const char *kind(void)
{
        return getenv(POOLER_VARIABLE) ? "database" : "schema";
}

static bool administer(const char *sql)
{
        PGconn *session = connect_to(server());
        bool good = session && postgres_place_query(session, sql, NULL);

        PQfinish(session);
        return good;
}

struct postgres_place *postgres_place_new(void)
{
        struct postgres_place *place = calloc(1, sizeof(*place));
        const char *pooler = getenv(POOLER_VARIABLE);
        char sql[128];

        if (!place)
                return NULL;
        (void)snprintf(place->name,
                       sizeof(place->name),
                       "pipit_%d_%u",
                       (int)getpid(),
                       atomic_fetch_add(&n_places, 1));
        if (pooler)
                (void)snprintf(place->conninfo,
                               sizeof(place->conninfo),
                               "%s dbname=%s",
                               pooler,
                               place->name);
        else
                (void)snprintf(place->conninfo,
                               sizeof(place->conninfo),
                               "%s application_name=%s options=-csearch_path=%s",
                               server(),
                               place->name,
                               place->name);
        (void)snprintf(sql, sizeof(sql), "create %s %s", kind(), place->name);
        if (administer(sql))
                return place;
        free(place);
        return NULL;
}

struct postgres_place *postgres_place_new_migrated(void)
{
        struct postgres_place *place = postgres_place_new();
        struct pipit_error error;
        uint32_t from, to;

        if (!place || users_postgres_migrate(place->conninfo, &from, &to, &error) == PIPIT_OK)
                return place;
        fprintf(stderr, "migrate: %s\n", error.message);
        postgres_place_free(place);
        return NULL;
}

void postgres_place_free(struct postgres_place *place)
{
        char sql[128];

        if (!place)
                return;
        (void)snprintf(sql,
                       sizeof(sql),
                       "drop %s %s %s",
                       kind(),
                       place->name,
                       getenv(POOLER_VARIABLE) ? "with (force)" : "cascade");
        (void)administer(sql);
        free(place);
}

PGconn *postgres_place_connect(const struct postgres_place *place)
{
        return connect_to(place->conninfo);
}

struct users_repository *postgres_place_open(const struct postgres_place *place,
                                             const struct pipit_clock *clock,
                                             bool no_named_statements)
{
        const struct users_postgres_options options = {
                .conninfo = place->conninfo,
                .clock = clock,
                .no_named_statements = no_named_statements,
        };
        struct users_repository *repository;
        struct pipit_error error;

        repository = users_postgres_new(&options, &error);
        if (!repository)
                fprintf(stderr, "users_postgres_new: %s: %s\n", error.reason, error.message);
        return repository;
}
