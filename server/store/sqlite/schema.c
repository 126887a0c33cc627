#include "server/store/sqlite/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/macros.h"
#include "core/base/uuid.h"

#define APPLICATION_ID 0x50504955 /* "PPIU" */
#define OPEN_BUSY_US   (10 * PIPIT_US_PER_S)

/*
 * Migration n brings version n to n + 1. Only ever appended to: a file in the
 * field has run what is here.
 */
static const char *const migrations[] = {
        "create table users ("
        " id blob primary key check (length(id) = 16),"
        " email text not null,"
        " email_key text not null unique,"
        " name text not null,"
        " age integer not null,"
        " create_time_us integer not null,"
        " update_time_us integer not null,"
        " version integer not null"
        ") strict, without rowid;"
        "create table request_log ("
        " principal text not null,"
        " request_id blob not null check (length(request_id) = 16),"
        " request_hash blob not null,"
        " kind integer not null,"
        " created_us integer not null,"
        " user_id blob,"
        " email text,"
        " email_key text,"
        " name text,"
        " age integer,"
        " create_time_us integer,"
        " update_time_us integer,"
        " version integer,"
        " primary key (principal, request_id)"
        ") strict, without rowid;"
        "create index request_log_by_age on request_log (created_us);"
        "create table settings ("
        " name text primary key,"
        " value blob not null"
        ") strict, without rowid;",
};

#define VERSION ((int64_t)PIPIT_N_ELEMENTS(migrations))

/* The contract of users_sqlite_new() wants it to live on after the call. */
static _Thread_local char message[1024];

static enum pipit_status fail(struct pipit_error *ret_error,
                              enum pipit_status status,
                              const char *reason,
                              const char *path,
                              const char *what)
{
        (void)snprintf(message, sizeof(message), "%s: %s", path, what);
        *ret_error = pipit_error_make(status, PIPIT_NOT_RUN, reason, message);
        return status;
}

static enum pipit_status fail_db(struct pipit_error *ret_error,
                                 sqlite3 *db,
                                 int rc,
                                 const char *path)
{
        const char *what = db ? sqlite3_errmsg(db) : sqlite3_errstr(rc);

        switch (rc & 0xff) {
        case SQLITE_NOTADB:
                return fail(ret_error,
                            PIPIT_FAILED_PRECONDITION,
                            "STORE_UNUSABLE",
                            path,
                            "is not an SQLite database");
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
                return fail(ret_error,
                            PIPIT_UNAVAILABLE,
                            "STORE_UNAVAILABLE",
                            path,
                            "another process keeps the database locked");
        case SQLITE_FULL:
        case SQLITE_NOMEM:
                return fail(ret_error, PIPIT_RESOURCE_EXHAUSTED, "STORE_FULL", path, what);
        default:
                return fail(ret_error, PIPIT_FAILED_PRECONDITION, "STORE_UNUSABLE", path, what);
        }
}

/* Some locks are not waited for by sqlite's own busy handler: a switch to WAL, a recovery. */
static int exec_patiently(sqlite3 *db, const char *sql)
{
        int64_t until_us = pipit_clock_now_us() + OPEN_BUSY_US;
        int rc;

        do {
                rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
                if ((rc & 0xff) == SQLITE_BUSY)
                        (void)sqlite3_sleep(5);
        } while ((rc & 0xff) == SQLITE_BUSY && pipit_clock_now_us() < until_us);
        return rc;
}

static int read_number_once(sqlite3 *db, const char *sql, int64_t *ret_number)
{
        sqlite3_stmt *statement = NULL;
        int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

        if (rc != SQLITE_OK)
                return rc;
        rc = sqlite3_step(statement);
        if (rc == SQLITE_ROW) {
                *ret_number = sqlite3_column_int64(statement, 0);
                rc = SQLITE_OK;
        }
        (void)sqlite3_finalize(statement);
        return rc;
}

static int read_number(sqlite3 *db, const char *sql, int64_t *ret_number)
{
        int64_t until_us = pipit_clock_now_us() + OPEN_BUSY_US;
        int rc;

        do {
                rc = read_number_once(db, sql, ret_number);
                if ((rc & 0xff) == SQLITE_BUSY)
                        (void)sqlite3_sleep(5);
        } while ((rc & 0xff) == SQLITE_BUSY && pipit_clock_now_us() < until_us);
        return rc;
}

static enum pipit_status fail_errno(struct pipit_error *ret_error,
                                    const char *path,
                                    int error_number)
{
        return fail(ret_error,
                    PIPIT_FAILED_PRECONDITION,
                    "STORE_UNUSABLE",
                    path,
                    strerror(error_number));
}

/*
 * SQLite would make the file readable by all; in it are people, and the page
 * token key. A file that exists is not opened here: closing it would drop the
 * locks of every connection to it that this process has.
 */
static enum pipit_status make_file(const char *path, struct pipit_error *ret_error)
{
        struct stat about;
        int fd;

        if (path[0] == '\0' || path[0] == ':')
                return fail(ret_error,
                            PIPIT_FAILED_PRECONDITION,
                            "STORE_UNUSABLE",
                            path,
                            "is not a path to a file");
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd >= 0) {
                (void)close(fd);
                return PIPIT_OK;
        }

        if (errno != EEXIST || stat(path, &about) < 0)
                return fail_errno(ret_error, path, errno);
        if (!S_ISREG(about.st_mode))
                return fail(ret_error,
                            PIPIT_FAILED_PRECONDITION,
                            "STORE_UNUSABLE",
                            path,
                            "is not a regular file");
        if (access(path, R_OK | W_OK) < 0)
                return fail_errno(ret_error, path, errno);
        return PIPIT_OK;
}

sqlite3 *schema_open(const char *path, struct pipit_error *ret_error)
{
        sqlite3 *db = NULL;
        int64_t version;
        int rc;

        if (make_file(path, ret_error) != PIPIT_OK)
                return NULL;

        rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
        if (rc == SQLITE_OK)
                rc = sqlite3_extended_result_codes(db, 1);
        if (rc == SQLITE_OK)
                rc = sqlite3_busy_timeout(db, SCHEMA_BUSY_MS);
        /* Reads the header: a file that is no database shows here, before anything is changed. */
        if (rc == SQLITE_OK)
                rc = read_number(db, "pragma user_version", &version);
        if (rc == SQLITE_OK)
                return db;

        (void)fail_db(ret_error, db, rc, path);
        (void)sqlite3_close(db);
        return NULL;
}

/* Only once the file is known to be ours: the mode is kept in the file. */
static enum pipit_status make_durable(sqlite3 *db, const char *path, struct pipit_error *ret_error)
{
        int64_t is_wal = 0;
        int rc = exec_patiently(db,
                                "pragma journal_mode = wal;"
                                "pragma synchronous = full;"
                                "pragma journal_size_limit = 67108864");

        if (rc == SQLITE_OK)
                rc = read_number(
                        db, "select journal_mode = 'wal' from pragma_journal_mode", &is_wal);
        if (rc != SQLITE_OK)
                return fail_db(ret_error, db, rc, path);
        if (!is_wal)
                return fail(ret_error,
                            PIPIT_FAILED_PRECONDITION,
                            "STORE_UNUSABLE",
                            path,
                            "the file system cannot keep a write-ahead log (WAL)");
        return PIPIT_OK;
}

/* Whether the file is ours, and how far it got; -1: somebody else's. An empty one is at 0. */
static int read_version(sqlite3 *db, int64_t *ret_version)
{
        int64_t application_id = 0, version = 0, n_objects = 0;
        int rc = read_number(db, "pragma application_id", &application_id);

        if (rc == SQLITE_OK)
                rc = read_number(db, "pragma user_version", &version);
        if (rc == SQLITE_OK)
                rc = read_number(db, "select count(*) from sqlite_schema", &n_objects);
        if (rc != SQLITE_OK)
                return rc;

        if (application_id == APPLICATION_ID && version > 0)
                *ret_version = version;
        else
                *ret_version = application_id == 0 && version == 0 && n_objects == 0 ? 0 : -1;
        return SQLITE_OK;
}

static enum pipit_status check_version(int64_t version,
                                       const char *path,
                                       struct pipit_error *ret_error)
{
        char what[160];

        if (version == VERSION)
                return PIPIT_OK;
        if (version >= 0 && version < VERSION) {
                (void)snprintf(what,
                               sizeof(what),
                               "its schema is version %lld, this program needs %lld: run `usersd "
                               "migrate --store URL`, with the URL of this store",
                               (long long)version,
                               (long long)VERSION);
                return fail(ret_error, PIPIT_FAILED_PRECONDITION, "SCHEMA_OLD", path, what);
        }
        if (version < 0)
                (void)snprintf(what, sizeof(what), "is a database of another program");
        else
                (void)snprintf(what,
                               sizeof(what),
                               "its schema is version %lld, this program knows none after %lld",
                               (long long)version,
                               (long long)VERSION);
        return fail(ret_error, PIPIT_FAILED_PRECONDITION, "SCHEMA_UNKNOWN", path, what);
}

static int add_page_token_key(sqlite3 *db)
{
        uint8_t key[SCHEMA_PAGE_TOKEN_KEY_BYTES];
        sqlite3_stmt *statement = NULL;
        int rc = sqlite3_prepare_v2(
                db, "insert into settings values ('page_token_key', ?1)", -1, &statement, NULL);

        pipit_random_bytes(key, sizeof(key));
        if (rc == SQLITE_OK)
                rc = sqlite3_bind_blob(statement, 1, key, sizeof(key), SQLITE_TRANSIENT);
        if (rc == SQLITE_OK)
                rc = sqlite3_step(statement);
        (void)sqlite3_finalize(statement);
        return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int run_migrations(sqlite3 *db, int64_t from)
{
        char pragmas[96];
        int rc = SQLITE_OK;

        for (int64_t i = from; i < VERSION && rc == SQLITE_OK; i++)
                rc = sqlite3_exec(db, migrations[i], NULL, NULL, NULL);
        if (rc == SQLITE_OK && from == 0)
                rc = add_page_token_key(db);
        if (rc != SQLITE_OK)
                return rc;

        (void)snprintf(pragmas,
                       sizeof(pragmas),
                       "pragma application_id = %d; pragma user_version = %lld",
                       APPLICATION_ID,
                       (long long)VERSION);
        return sqlite3_exec(db, pragmas, NULL, NULL, NULL);
}

/*
 * In one transaction that starts as a writer: of two processes that find the
 * file empty one sets it up, and the other finds it done.
 */
static enum pipit_status bring_up(sqlite3 *db,
                                  const char *path,
                                  bool only_empty,
                                  int64_t *ret_from,
                                  struct pipit_error *ret_error)
{
        enum pipit_status status = PIPIT_OK;
        int rc = exec_patiently(db, "begin immediate");

        if (rc != SQLITE_OK)
                return fail_db(ret_error, db, rc, path);

        rc = read_version(db, ret_from);
        if (rc == SQLITE_OK &&
            (*ret_from < 0 || *ret_from > VERSION || (only_empty && *ret_from > 0)))
                status = check_version(*ret_from, path, ret_error);
        else if (rc == SQLITE_OK)
                rc = run_migrations(db, *ret_from);
        if (rc == SQLITE_OK && status == PIPIT_OK)
                rc = exec_patiently(db, "commit");

        if (rc != SQLITE_OK)
                status = fail_db(ret_error, db, rc, path);
        if (!sqlite3_get_autocommit(db))
                (void)sqlite3_exec(db, "rollback", NULL, NULL, NULL);
        return status;
}

/* In one transaction: another process may be setting the file up meanwhile. */
static enum pipit_status look_at(sqlite3 *db,
                                 const char *path,
                                 int64_t *ret_version,
                                 struct pipit_error *ret_error)
{
        enum pipit_status status = PIPIT_OK;
        int rc = exec_patiently(db, "begin");

        if (rc == SQLITE_OK)
                rc = read_version(db, ret_version);
        if (rc != SQLITE_OK)
                status = fail_db(ret_error, db, rc, path);
        if (!sqlite3_get_autocommit(db))
                (void)sqlite3_exec(db, "rollback", NULL, NULL, NULL);
        return status;
}

enum pipit_status schema_set_up(sqlite3 *db, const char *path, struct pipit_error *ret_error)
{
        int64_t version = 0;
        enum pipit_status status = look_at(db, path, &version, ret_error);

        if (status != PIPIT_OK)
                return status;
        if (version == 0)
                status = bring_up(db, path, true, &version, ret_error);
        else
                status = check_version(version, path, ret_error);
        return status == PIPIT_OK ? make_durable(db, path, ret_error) : status;
}

enum pipit_status schema_migrate(sqlite3 *db,
                                 const char *path,
                                 uint32_t *ret_from,
                                 uint32_t *ret_to,
                                 struct pipit_error *ret_error)
{
        int64_t from = 0;
        enum pipit_status status = bring_up(db, path, false, &from, ret_error);

        if (status == PIPIT_OK)
                status = make_durable(db, path, ret_error);
        if (status != PIPIT_OK)
                return status;

        *ret_from = (uint32_t)from;
        *ret_to = (uint32_t)VERSION;
        return PIPIT_OK;
}

enum pipit_status schema_read_page_token_key(sqlite3 *db,
                                             const char *path,
                                             uint8_t ret_key[SCHEMA_PAGE_TOKEN_KEY_BYTES],
                                             struct pipit_error *ret_error)
{
        sqlite3_stmt *statement = NULL;
        enum pipit_status status = PIPIT_OK;
        int rc = sqlite3_prepare_v2(db,
                                    "select value from settings where name = 'page_token_key'",
                                    -1,
                                    &statement,
                                    NULL);

        if (rc == SQLITE_OK)
                rc = sqlite3_step(statement);
        if (rc == SQLITE_ROW && sqlite3_column_bytes(statement, 0) == SCHEMA_PAGE_TOKEN_KEY_BYTES)
                memcpy(ret_key, sqlite3_column_blob(statement, 0), SCHEMA_PAGE_TOKEN_KEY_BYTES);
        else if (rc == SQLITE_ROW || rc == SQLITE_DONE)
                status = fail(ret_error,
                              PIPIT_FAILED_PRECONDITION,
                              "STORE_UNUSABLE",
                              path,
                              "its page token key is missing");
        else
                status = fail_db(ret_error, db, rc, path);
        (void)sqlite3_finalize(statement);
        return status;
}
