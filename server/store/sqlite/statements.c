#include "server/store/sqlite/statements.h"

#include <stdlib.h>
#include <string.h>

#include "core/users/errors.h"

#define USER_COLUMNS "email, email_key, name, age, create_time_us, update_time_us, version"

static const char *const sql[STATEMENTS] = {
        [STATEMENT_BEGIN_READ] = "begin",
        [STATEMENT_BEGIN_WRITE] = "begin immediate",
        [STATEMENT_COMMIT] = "commit",
        [STATEMENT_ROLLBACK] = "rollback",
        [STATEMENT_FIND_BY_ID] = "select id, " USER_COLUMNS " from users where id = ?1",
        [STATEMENT_FIND_BY_EMAIL] = "select id, " USER_COLUMNS " from users where email_key = ?1",
        [STATEMENT_LIST] =
                "select id, " USER_COLUMNS " from users where id > ?1 order by id limit ?2",
        [STATEMENT_INSERT] =
                "insert into users (id, " USER_COLUMNS ") values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        [STATEMENT_UPDATE] = "update users set email = ?2, email_key = ?3, name = ?4, age = ?5,"
                             " create_time_us = ?6, update_time_us = ?7, version = ?8"
                             " where id = ?1",
        [STATEMENT_DELETE] = "delete from users where id = ?1",
        [STATEMENT_LOG_FIND] = "select user_id, " USER_COLUMNS ", kind, request_hash"
                               " from request_log"
                               " where principal = ?1 and request_id = ?2 and created_us > ?3",
        [STATEMENT_LOG_ADD] = "insert or replace into request_log (user_id, " USER_COLUMNS
                              ", principal, request_id, request_hash, kind, created_us)"
                              " values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        [STATEMENT_LOG_PURGE] = "delete from request_log where (principal, request_id) in"
                                " (select principal, request_id from request_log"
                                " where created_us <= ?1 order by created_us limit ?2)",
};

int statements_init(struct statements *statements, sqlite3 *db)
{
        *statements = (struct statements){.db = db};
        for (size_t i = 0; i < STATEMENTS; i++) {
                int rc = sqlite3_prepare_v3(
                        db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &statements->prepared[i], NULL);

                if (rc != SQLITE_OK)
                        return rc;
        }
        return SQLITE_OK;
}

void statements_deinit(struct statements *statements)
{
        for (size_t i = 0; i < STATEMENTS; i++)
                (void)sqlite3_finalize(statements->prepared[i]);
        (void)sqlite3_close(statements->db);
        *statements = (struct statements){0};
}

/* --- values in and out ------------------------------------------------------- */

/* What is bound lives until the statement is reset, so nothing is copied. */
static void bind_text(sqlite3_stmt *statement, int column, const char *text)
{
        (void)sqlite3_bind_text(statement, column, text, -1, SQLITE_STATIC);
}

static void bind_blob(sqlite3_stmt *statement, int column, const void *bytes, int n_bytes)
{
        (void)sqlite3_bind_blob(statement, column, bytes, n_bytes, SQLITE_STATIC);
}

static void bind_id(sqlite3_stmt *statement, int column, const struct pipit_uuid *id)
{
        bind_blob(statement, column, id->bytes, sizeof(id->bytes));
}

/* As ?1 to ?8, in the order of USER_COLUMNS. */
static void bind_user(sqlite3_stmt *statement, const struct user *user)
{
        bind_id(statement, 1, &user->id);
        bind_text(statement, 2, user->email);
        bind_text(statement, 3, user->email_key);
        bind_text(statement, 4, user->name);
        (void)sqlite3_bind_int64(statement, 5, user->age);
        (void)sqlite3_bind_int64(statement, 6, user->create_time_us);
        (void)sqlite3_bind_int64(statement, 7, user->update_time_us);
        (void)sqlite3_bind_int64(statement, 8, (int64_t)user->version);
}

/* Rows are as long as the rules allow unless somebody else wrote them. */
static bool copy_text(sqlite3_stmt *statement, int column, char *ret_text, size_t size)
{
        const unsigned char *text = sqlite3_column_text(statement, column);
        size_t n = (size_t)sqlite3_column_bytes(statement, column);

        if (!text || n >= size)
                return false;
        memcpy(ret_text, text, n);
        ret_text[n] = '\0';
        return true;
}

static bool copy_blob(sqlite3_stmt *statement, int column, void *ret_bytes, size_t n_bytes)
{
        const void *bytes = sqlite3_column_blob(statement, column);

        if (!bytes || (size_t)sqlite3_column_bytes(statement, column) != n_bytes)
                return false;
        memcpy(ret_bytes, bytes, n_bytes);
        return true;
}

static int unreadable(sqlite3_stmt *statement)
{
        int rc = sqlite3_errcode(sqlite3_db_handle(statement));

        return (rc & 0xff) == SQLITE_NOMEM ? SQLITE_NOMEM : SQLITE_CORRUPT;
}

static int read_user(sqlite3_stmt *statement, struct user *ret_user)
{
        if (!copy_blob(statement, 0, ret_user->id.bytes, sizeof(ret_user->id.bytes)) ||
            !copy_text(statement, 1, ret_user->email, sizeof(ret_user->email)) ||
            !copy_text(statement, 2, ret_user->email_key, sizeof(ret_user->email_key)) ||
            !copy_text(statement, 3, ret_user->name, sizeof(ret_user->name)))
                return unreadable(statement);

        ret_user->age = (uint32_t)sqlite3_column_int64(statement, 4);
        ret_user->create_time_us = sqlite3_column_int64(statement, 5);
        ret_user->update_time_us = sqlite3_column_int64(statement, 6);
        ret_user->version = (uint64_t)sqlite3_column_int64(statement, 7);
        return SQLITE_OK;
}

/* Ends a statement, which also ends its hold on what was bound. */
static int end(sqlite3_stmt *statement, int rc)
{
        (void)sqlite3_reset(statement);
        return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

static int run(sqlite3_stmt *statement)
{
        return end(statement, sqlite3_step(statement));
}

int statements_run(struct statements *statements, enum statement which)
{
        return run(statements->prepared[which]);
}

/* A row at most; none is *ret_found false. */
static int run_find(sqlite3_stmt *statement, bool *ret_found, struct user *ret_user)
{
        int rc = sqlite3_step(statement);

        *ret_found = rc == SQLITE_ROW;
        if (rc == SQLITE_ROW)
                rc = read_user(statement, ret_user);
        return end(statement, rc);
}

static int find_by_id(struct statements *statements,
                      const struct pipit_uuid *id,
                      bool *ret_found,
                      struct user *ret_user)
{
        sqlite3_stmt *statement = statements->prepared[STATEMENT_FIND_BY_ID];

        bind_id(statement, 1, id);
        return run_find(statement, ret_found, ret_user);
}

/* --- reads ------------------------------------------------------------------- */

static int make_room(struct job *job, size_t *room)
{
        size_t want = *room ? *room * 2 : 64;
        struct user *rows;

        if (want > job->max_users)
                want = job->max_users;
        rows = reallocarray(job->rows, want, sizeof(*rows));
        if (!rows)
                return SQLITE_NOMEM;
        job->rows = rows;
        *room = want;
        return SQLITE_OK;
}

static int list(struct statements *statements, struct job *job)
{
        sqlite3_stmt *statement = statements->prepared[STATEMENT_LIST];
        size_t room = 0;
        int rc;

        free(job->rows);
        job->rows = NULL;
        job->n_rows = 0;
        bind_blob(statement, 1, job->user.id.bytes, job->has_after ? PIPIT_UUID_BYTES : 0);
        (void)sqlite3_bind_int64(
                statement, 2, job->max_users > INT32_MAX ? INT32_MAX : (int64_t)job->max_users);
        while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
                rc = job->n_rows == room ? make_room(job, &room) : SQLITE_OK;
                if (rc == SQLITE_OK)
                        rc = read_user(statement, &job->rows[job->n_rows]);
                if (rc != SQLITE_OK)
                        break;
                job->n_rows++;
        }
        return end(statement, rc);
}

int statements_read(struct statements *statements, struct job *job)
{
        bool is_found = true;
        int rc;

        job->error = (struct pipit_error){0};
        if (job->kind == JOB_LIST) {
                rc = list(statements, job);
        } else if (job->kind == JOB_FIND_BY_ID) {
                rc = find_by_id(statements, &job->user.id, &is_found, &job->result);
        } else {
                sqlite3_stmt *statement = statements->prepared[STATEMENT_FIND_BY_EMAIL];

                bind_text(statement, 1, job->user.email_key);
                rc = run_find(statement, &is_found, &job->result);
        }
        if (rc == SQLITE_OK && !is_found)
                job->error = users_error_make(USERS_ERROR_USER_NOT_FOUND, PIPIT_RAN);
        return rc;
}

/* --- writes: the transaction is the only one that writes --------------------- */

static int decide(struct job *job, enum users_error error)
{
        job->error = users_error_make(error, PIPIT_RAN);
        return SQLITE_OK;
}

/* Whether the log has the job: then its outcome is set. */
static int find_in_log(struct statements *statements,
                       struct job *job,
                       int64_t wall_us,
                       bool *ret_known)
{
        sqlite3_stmt *statement = statements->prepared[STATEMENT_LOG_FIND];
        uint8_t request_hash[sizeof(job->request_hash)];
        int rc;

        bind_text(statement, 1, job->principal);
        bind_blob(statement, 2, job->request_id, sizeof(job->request_id));
        (void)sqlite3_bind_int64(statement, 3, wall_us - USERS_REQUEST_LOG_TTL_US);
        rc = sqlite3_step(statement);
        *ret_known = rc == SQLITE_ROW;
        if (rc != SQLITE_ROW)
                return end(statement, rc);

        if (!copy_blob(statement, 9, request_hash, sizeof(request_hash)))
                rc = unreadable(statement);
        else if (sqlite3_column_int(statement, 8) != (int)job->kind ||
                 memcmp(request_hash, job->request_hash, sizeof(request_hash)) != 0)
                rc = decide(job, USERS_ERROR_REQUEST_ID_REUSED);
        else if (job->kind != JOB_DELETE)
                rc = read_user(statement, &job->result);
        job->depends_on_commit = true;
        return end(statement, rc);
}

static int add_to_log(struct statements *statements, const struct job *job, int64_t wall_us)
{
        sqlite3_stmt *statement = statements->prepared[STATEMENT_LOG_ADD];

        if (job->kind == JOB_DELETE)
                (void)sqlite3_clear_bindings(statement);
        else
                bind_user(statement, &job->result);
        bind_text(statement, 9, job->principal);
        bind_blob(statement, 10, job->request_id, sizeof(job->request_id));
        bind_blob(statement, 11, job->request_hash, sizeof(job->request_hash));
        (void)sqlite3_bind_int(statement, 12, (int)job->kind);
        (void)sqlite3_bind_int64(statement, 13, wall_us);
        return run(statement);
}

/* A broken constraint undoes its statement only; the transaction goes on. */
static int run_effect(sqlite3_stmt *statement, struct job *job)
{
        int rc = run(statement);

        if (rc == SQLITE_CONSTRAINT_UNIQUE)
                return decide(job, USERS_ERROR_EMAIL_TAKEN);
        if ((rc & 0xff) == SQLITE_CONSTRAINT) {
                job->error = users_error_make(USERS_ERROR_STORE_FAILED, PIPIT_NOT_RUN);
                return SQLITE_OK;
        }
        if (rc == SQLITE_OK)
                job->depends_on_commit = true;
        return rc;
}

static int insert(struct statements *statements, struct job *job)
{
        sqlite3_stmt *statement = statements->prepared[STATEMENT_INSERT];

        job->result = job->user;
        bind_user(statement, &job->result);
        return run_effect(statement, job);
}

/* The stored user into job->result, if it is there and of the wanted version. */
static int find_wanted(struct statements *statements, struct job *job)
{
        bool is_found;
        int rc = find_by_id(statements, &job->user.id, &is_found, &job->result);

        if (rc != SQLITE_OK)
                return rc;
        if (!is_found)
                return decide(job, USERS_ERROR_USER_NOT_FOUND);
        if (job->want_version != 0 && job->want_version != job->result.version)
                return decide(job, USERS_ERROR_ETAG_MISMATCH);
        return SQLITE_OK;
}

static void apply(const struct user *user, const struct users_changes *changes, struct user *stored)
{
        if (changes->email) {
                strcpy(stored->email, user->email);
                strcpy(stored->email_key, user->email_key);
        }
        if (changes->name)
                strcpy(stored->name, user->name);
        if (changes->age)
                stored->age = user->age;
        if (stored->update_time_us < user->update_time_us)
                stored->update_time_us = user->update_time_us;
        stored->version++;
}

static int update(struct statements *statements, struct job *job)
{
        sqlite3_stmt *statement = statements->prepared[STATEMENT_UPDATE];
        int rc = find_wanted(statements, job);

        if (rc != SQLITE_OK || job->error.status != PIPIT_OK)
                return rc;
        apply(&job->user, &job->changes, &job->result);
        bind_user(statement, &job->result);
        return run_effect(statement, job);
}

static int remove_user(struct statements *statements, struct job *job)
{
        sqlite3_stmt *statement = statements->prepared[STATEMENT_DELETE];
        int rc = find_wanted(statements, job);

        if (rc != SQLITE_OK || job->error.status != PIPIT_OK)
                return rc;
        bind_id(statement, 1, &job->user.id);
        return run_effect(statement, job);
}

int statements_write(struct statements *statements, struct job *job, int64_t wall_us)
{
        bool is_known = false;
        int rc = SQLITE_OK;

        job->error = (struct pipit_error){0};
        job->depends_on_commit = false;
        if (job->has_request_id)
                rc = find_in_log(statements, job, wall_us, &is_known);
        if (rc != SQLITE_OK || is_known)
                return rc;

        if (job->kind == JOB_INSERT)
                rc = insert(statements, job);
        else if (job->kind == JOB_UPDATE)
                rc = update(statements, job);
        else
                rc = remove_user(statements, job);
        /* Only now, so a write that failed leaves no claim behind. */
        if (rc == SQLITE_OK && job->error.status == PIPIT_OK && job->has_request_id)
                rc = add_to_log(statements, job, wall_us);
        return rc;
}

int statements_purge(struct statements *statements, int64_t wall_us, size_t max)
{
        sqlite3_stmt *statement = statements->prepared[STATEMENT_LOG_PURGE];

        (void)sqlite3_bind_int64(statement, 1, wall_us - USERS_REQUEST_LOG_TTL_US);
        (void)sqlite3_bind_int64(statement, 2, (int64_t)max);
        return run(statement);
}
