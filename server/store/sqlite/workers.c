#include "server/store/sqlite/workers.h"

#include "core/users/errors.h"
#include "server/store/sqlite/schema.h"

/* How long those without a deadline wait for another process to let the database go. */
#define BUSY_MAX_US (10 * PIPIT_US_PER_S)

/* One line a second at most: on a full disk every write fails. */
#define LOG_EVERY_US PIPIT_US_PER_S

/* Rows of lists that were read and not yet handed over: with one page more, about 4 MB. */
#define ROWS_HELD_MAX 4096

static int64_t now_us(const struct worker *worker)
{
        return worker->jobs->clock->now_us(worker->jobs->clock->context);
}

static int64_t wall_us(const struct worker *worker)
{
        return worker->jobs->clock->wall_us(worker->jobs->clock->context);
}

static bool is_busy(int rc)
{
        return (rc & 0xff) == SQLITE_BUSY || (rc & 0xff) == SQLITE_LOCKED;
}

/* SQLite's codes in the domain's words, in one place. */
static enum users_error error_of(int rc)
{
        switch (rc & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_INTERRUPT:
        case SQLITE_CANTOPEN:
        case SQLITE_READONLY:
        case SQLITE_PERM:
                return USERS_ERROR_STORE_UNAVAILABLE;
        case SQLITE_FULL:
        case SQLITE_NOMEM:
                return USERS_ERROR_STORE_FULL;
        default:
                return USERS_ERROR_STORE_FAILED;
        }
}

static void report(struct worker *worker, const char *what, int rc)
{
        int64_t now = now_us(worker);

        if (now < worker->log_after_us)
                return;
        worker->log_after_us = now + LOG_EVERY_US;
        pipit_log_line(worker->log,
                       PIPIT_LOG_ERROR,
                       what,
                       PIPIT_LOG_STRING("cause", sqlite3_errstr(rc)),
                       PIPIT_LOG_STRING("detail", sqlite3_errmsg(worker->statements.db)),
                       PIPIT_LOG_INT("sqlite_code", rc));
}

static void fail_all(struct job *const *batch, size_t n, int rc)
{
        for (size_t i = 0; i < n; i++)
                batch[i]->error = users_error_make(error_of(rc), PIPIT_NOT_RUN);
}

/* --- the writer -------------------------------------------------------------- */

/* Waits for other processes as long as anybody waits for us. */
static int begin(struct worker *worker, struct job *const *batch, size_t n)
{
        int64_t until_us = now_us(worker) + BUSY_MAX_US;
        int rc;

        do
                rc = statements_run(&worker->statements, STATEMENT_BEGIN_WRITE);
        while (is_busy(rc) && now_us(worker) < until_us && jobs_are_wanted(worker->jobs, batch, n));
        return rc;
}

static void roll_back(struct worker *worker)
{
        int rc;

        /* Some errors have rolled back already. */
        if (sqlite3_get_autocommit(worker->statements.db))
                return;
        rc = statements_run(&worker->statements, STATEMENT_ROLLBACK);
        if (rc != SQLITE_OK)
                report(worker, "cannot roll back", rc);
}

static int write_all(struct worker *worker, struct job *const *batch, size_t n)
{
        int64_t wall = wall_us(worker);
        int rc = SQLITE_OK;

        for (size_t i = 0; i < n && rc == SQLITE_OK; i++) {
                if (jobs_start(worker->jobs, batch[i]))
                        rc = statements_write(&worker->statements, batch[i], wall);
                else
                        batch[i]->depends_on_commit = false;
        }
        /* More than a batch can add, so the log shrinks when it may. */
        if (rc == SQLITE_OK)
                rc = statements_purge(&worker->statements, wall, 2 * n);
        return rc;
}

/*
 * A commit that failed may still be found in the log of writes after a crash. So
 * what had an effect, or is told from one, is in doubt; the rest is not.
 */
static void doubt_all(struct job *const *batch, size_t n, int rc)
{
        for (size_t i = 0; i < n; i++)
                batch[i]->error = users_error_make(error_of(rc),
                                                   batch[i]->depends_on_commit ? PIPIT_MAY_HAVE_RUN
                                                                               : PIPIT_NOT_RUN);
}

/*
 * One transaction. Not SQLITE_OK: it was rolled back before anything was
 * committed, and a part of the batch may well succeed.
 */
static int commit_batch(struct worker *worker, struct job *const *batch, size_t n)
{
        int rc = write_all(worker, batch, n);

        if (rc != SQLITE_OK) {
                report(worker, "a write failed", rc);
                roll_back(worker);
                return rc;
        }
        rc = statements_run(&worker->statements, STATEMENT_COMMIT);
        if (rc != SQLITE_OK) {
                report(worker, "a commit failed", rc);
                roll_back(worker);
                doubt_all(batch, n, rc);
        }
        return SQLITE_OK;
}

static int write_batch(struct worker *worker, struct job *const *batch, size_t n)
{
        int rc = begin(worker, batch, n);

        if (rc != SQLITE_OK) {
                report(worker, "cannot begin to write", rc);
                fail_all(batch, n, rc);
                return SQLITE_OK;
        }
        rc = commit_batch(worker, batch, n);
        if (rc != SQLITE_OK)
                fail_all(batch, n, rc);
        return rc;
}

void workers_write(struct worker *worker)
{
        size_t n;

        while ((n = jobs_take(worker->jobs, JOB_QUEUE_WRITES, worker->batch_max, worker->batch)) >
               0) {
                /* One that fails so takes the others with it: each gets a transaction of its own. */
                if (write_batch(worker, worker->batch, n) != SQLITE_OK && n > 1) {
                        for (size_t i = 0; i < n; i++)
                                (void)write_batch(worker, worker->batch + i, 1);
                }
                jobs_finish(worker->jobs, worker->batch, n);
        }
}

/* --- the reader -------------------------------------------------------------- */

static int read_patiently(struct worker *worker, struct job *job)
{
        int64_t until_us = now_us(worker) + BUSY_MAX_US;
        int rc;

        do
                rc = statements_read(&worker->statements, job);
        while (is_busy(rc) && now_us(worker) < until_us && jobs_start(worker->jobs, job));
        return rc;
}

static void read_one(struct worker *worker, struct job *job)
{
        int rc;

        if (!jobs_start(worker->jobs, job))
                return;
        rc = read_patiently(worker, job);
        if (rc != SQLITE_OK) {
                report(worker, "a read failed", rc);
                fail_all(&job, 1, rc);
        }
}

/* Pages are heavy, so a batch of lists is not kept until the last of them was read. */
static void read_batch(struct worker *worker, struct job **batch, size_t n)
{
        size_t first = 0, n_rows = 0;

        for (size_t i = 0; i < n; i++) {
                read_one(worker, batch[i]);
                n_rows += batch[i]->n_rows;
                if (n_rows < ROWS_HELD_MAX)
                        continue;
                jobs_finish(worker->jobs, batch + first, i + 1 - first);
                first = i + 1;
                n_rows = 0;
        }
        jobs_finish(worker->jobs, batch + first, n - first);
}

void workers_read(struct worker *worker)
{
        size_t n;

        while ((n = jobs_take(worker->jobs, JOB_QUEUE_READS, worker->batch_max, worker->batch)) >
               0) {
                /* It only spares each its locks: without it they read as well. */
                (void)statements_run(&worker->statements, STATEMENT_BEGIN_READ);
                read_batch(worker, worker->batch, n);
                if (!sqlite3_get_autocommit(worker->statements.db))
                        (void)statements_run(&worker->statements, STATEMENT_COMMIT);
        }
}
