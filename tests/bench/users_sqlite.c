/*
 * Users, SQLite alone: a plain loop in one process that commits each write
 *
 * --url sqlite:PATH of a file that usersd has set up; --work get, create, update.
 * What usersd promises of a commit holds here, too: WAL, synchronous=FULL. One
 * thread is its best: SQLite has one writer.
 */

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/uuid.h"
#include "tests/bench/bench.h"
#include "tests/bench/users.h"
#include "tests/harness/harness.h"

#define SCHEME  "sqlite:"
#define COLUMNS "id, email, email_key, name, age, create_time_us, update_time_us, version"

static const char get_sql[] = "select " COLUMNS " from users where id = ?1";
static const char create_sql[] =
        "insert into users (" COLUMNS ") values (?1, ?2, ?2, ?3, 36, ?4, ?4, 1)";
static const char update_sql[] =
        "update users set name = ?3, update_time_us = ?4, version = version + 1 where id = ?1"
        " returning " COLUMNS;

static sqlite3 *database;
static sqlite3_stmt *statement;
static bool creates;
static size_t n_users;
static uint64_t n_calls;

static void must(int rc, const char *what)
{
        if (rc != SQLITE_OK)
                die("%s: %s", what, sqlite3_errmsg(database));
}

static const char *sql_of(const char *work)
{
        if (strcmp(work, "get") == 0)
                return get_sql;
        if (strcmp(work, "create") == 0)
                return create_sql;
        if (strcmp(work, "update") == 0)
                return update_sql;
        die("--work: '%s' is not get, create or update", work);
}

static void file_open(const struct bench_options *options)
{
        if (strncmp(options->url, SCHEME, strlen(SCHEME)) != 0 || options->n > 1)
                die("wants --url sqlite:PATH and one thread");
        must(sqlite3_open(options->url + strlen(SCHEME), &database), options->url);
        must(sqlite3_exec(database,
                          "pragma journal_mode = wal; pragma synchronous = full",
                          NULL,
                          NULL,
                          NULL),
             "pragma");
        must(sqlite3_prepare_v2(database, sql_of(options->work), -1, &statement, NULL), "prepare");
        creates = strcmp(options->work, "create") == 0;
        n_users = options->n_users ? options->n_users : 1;
        srandom((unsigned int)pipit_clock_wall_us());
}

static void file_close(void)
{
        (void)sqlite3_finalize(statement);
        (void)sqlite3_close(database);
}

static struct pipit_uuid user_id(int64_t now_us)
{
        struct pipit_uuid uuid = {0};
        char text[PIPIT_UUID_TEXT_SIZE];

        if (creates)
                return pipit_uuid_v7(now_us);
        (void)snprintf(text,
                       sizeof(text),
                       BENCH_USER_ID_FORMAT,
                       (unsigned int)((size_t)random() % n_users + 1));
        (void)pipit_uuid_parse(text, &uuid);

        return uuid;
}

static bool call(struct bench_slot *slot)
{
        int64_t now_us = pipit_clock_wall_us();
        struct pipit_uuid uuid = user_id(now_us);
        char text[64];
        int n_rows = 0;
        int rc;

        (void)slot;
        (void)snprintf(text,
                       sizeof(text),
                       "s%llx-%llu@example.com",
                       (unsigned long long)now_us,
                       (unsigned long long)n_calls++);
        must(sqlite3_bind_blob(statement, 1, uuid.bytes, sizeof(uuid.bytes), SQLITE_STATIC), "id");
        if (sqlite3_bind_parameter_count(statement) > 1) {
                (void)sqlite3_bind_text(statement, 2, text, -1, SQLITE_STATIC);
                (void)sqlite3_bind_text(statement, 3, "Grace Hopper", -1, SQLITE_STATIC);
                (void)sqlite3_bind_int64(statement, 4, now_us);
        }
        while ((rc = sqlite3_step(statement)) == SQLITE_ROW)
                n_rows++;
        must(sqlite3_reset(statement), "step");

        return rc == SQLITE_DONE && n_rows == (creates ? 0 : 1);
}

static void *slot_new(struct bench_slot *slot)
{
        return slot;
}

static void slot_free(struct bench_slot *slot)
{
        (void)slot;
}

int main(int argc, char **argv)
{
        static const struct bench_contestant contestant = {
                .name = "sqlite",
                .open = file_open,
                .slot_new = slot_new,
                .call = call,
                .slot_free = slot_free,
                .close = file_close,
        };

        return bench_main(&contestant, argc, argv);
}
