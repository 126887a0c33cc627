#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "server/store/postgres/pg_error.h"
#include "server/store/postgres/pg_store.h"

/* Lost races and lost connections are tried again this often. */
#define ATTEMPTS_MAX      6
#define ATTEMPTS_TOGETHER 2

#define EMAIL_CONSTRAINT "users_email_key_unique"

static void copy_field(char *to, size_t size, const PGresult *result, int field)
{
        const char *text = PQresultErrorField(result, field);

        (void)snprintf(to, size, "%s", text ? text : "");
}

static void take_error(struct pg_batch *batch, const PGresult *result)
{
        char constraint[sizeof(EMAIL_CONSTRAINT) + 1];

        /* What follows the first is its consequence. */
        if (batch->failed)
                return;

        batch->failed = true;
        copy_field(batch->sqlstate, sizeof(batch->sqlstate), result, PG_DIAG_SQLSTATE);
        copy_field(batch->cause, sizeof(batch->cause), result, PG_DIAG_MESSAGE_PRIMARY);
        copy_field(constraint, sizeof(constraint), result, PG_DIAG_CONSTRAINT_NAME);
        batch->email_taken = strcmp(constraint, EMAIL_CONSTRAINT) == 0;
}

void pg_result_take(struct pg_batch *batch, PGresult *result)
{
        switch (PQresultStatus(result)) {
        case PGRES_TUPLES_OK:
                PQclear(batch->rows);
                batch->rows = result;
                return;
        case PGRES_COMMAND_OK:
                batch->n_rows = strtoull(PQcmdTuples(result), NULL, 10);
                break;
        case PGRES_PIPELINE_ABORTED:
                break;
        default:
                take_error(batch, result);
        }
        PQclear(result);
}

/* --- users ----------------------------------------------------------------- */

static bool get_text(const PGresult *rows, int row, int column, char *to, size_t size)
{
        int length = PQgetlength(rows, row, column);

        if ((size_t)length >= size)
                return false;
        memcpy(to, PQgetvalue(rows, row, column), (size_t)length);
        to[length] = '\0';
        return true;
}

/* False: what is stored is no user that we could have stored; *ret_user is untouched. */
static bool get_user(const PGresult *rows, int row, int first, struct user *ret_user)
{
        struct user user;

        if (PQgetlength(rows, row, first + PG_USER_ID) != (int)sizeof(user.id) ||
            !get_text(rows, row, first + PG_USER_EMAIL, user.email, sizeof(user.email)) ||
            !get_text(
                    rows, row, first + PG_USER_EMAIL_KEY, user.email_key, sizeof(user.email_key)) ||
            !get_text(rows, row, first + PG_USER_NAME, user.name, sizeof(user.name)))
                return false;

        memcpy(&user.id, PQgetvalue(rows, row, first + PG_USER_ID), sizeof(user.id));
        user.age = (uint32_t)pg_get_int4(PQgetvalue(rows, row, first + PG_USER_AGE));
        user.create_time_us = pg_get_int8(PQgetvalue(rows, row, first + PG_USER_CREATE_TIME));
        user.update_time_us = pg_get_int8(PQgetvalue(rows, row, first + PG_USER_UPDATE_TIME));
        user.version = (uint64_t)pg_get_int8(PQgetvalue(rows, row, first + PG_USER_VERSION));
        *ret_user = user;
        return true;
}

static void copy_text(const struct pg_op *op, struct pg_text text, char *to)
{
        memcpy(to, op->text + text.start, text.n_bytes);
        to[text.n_bytes] = '\0';
}

static void inserted_user(const struct pg_op *op, struct user *ret_user)
{
        ret_user->id = op->id;
        copy_text(op, op->email, ret_user->email);
        copy_text(op, op->email_key, ret_user->email_key);
        copy_text(op, op->name, ret_user->name);
        ret_user->age = op->age;
        ret_user->create_time_us = op->create_time_us;
        ret_user->update_time_us = op->update_time_us;
        ret_user->version = op->version;
}

static struct pipit_error malformed(struct pg_store *store)
{
        pipit_log_line(store->log,
                       PIPIT_LOG_ERROR,
                       "a stored user breaks the rules of its fields",
                       PIPIT_LOG_STRING("store", "postgres"));
        return users_error_make(USERS_ERROR_STORE_FAILED, PIPIT_RAN);
}

/* --- success --------------------------------------------------------------- */

static struct pipit_error list_outcome(struct pg_store *store,
                                       const struct pg_batch *batch,
                                       struct pg_op *op)
{
        int n_rows = PQntuples(batch->rows);

        for (int row = 0; row < n_rows && (size_t)row < op->max_users; row++)
                if (!get_user(batch->rows, row, 0, &op->ret_users[row]))
                        return malformed(store);
        op->request->n_users = (size_t)n_rows;
        return (struct pipit_error){0};
}

static struct pipit_error find_outcome(struct pg_store *store,
                                       const struct pg_batch *batch,
                                       struct pg_op *op,
                                       int row)
{
        if (row < 0)
                return users_error_make(USERS_ERROR_USER_NOT_FOUND, PIPIT_RAN);
        if (!get_user(batch->rows, row, 0, op->ret_users))
                return malformed(store);
        return (struct pipit_error){0};
}

static bool is_insert(enum pg_kind kind)
{
        return kind == PG_INSERT || kind == PG_LOGGED_INSERT;
}

static struct pipit_error write_outcome(struct pg_store *store,
                                        const struct pg_batch *batch,
                                        struct pg_op *op)
{
        switch (op->outcome) {
        case PG_OUTCOME_REUSED:
                return users_error_make(USERS_ERROR_REQUEST_ID_REUSED, PIPIT_RAN);
        case PG_OUTCOME_MISMATCH:
                return users_error_make(USERS_ERROR_ETAG_MISMATCH, PIPIT_RAN);
        case PG_OUTCOME_TAKEN:
                return users_error_make(USERS_ERROR_EMAIL_TAKEN, PIPIT_RAN);
        case PG_OUTCOME_NONE:
                return users_error_make(is_insert(op->kind) ? USERS_ERROR_EMAIL_TAKEN
                                                            : USERS_ERROR_USER_NOT_FOUND,
                                        PIPIT_RAN);
        default:
                break;
        }

        if (!op->ret_users)
                return (struct pipit_error){0};
        if (op->outcome == PG_OUTCOME_DONE && is_insert(op->kind))
                inserted_user(op, op->ret_users);
        else if (!get_user(batch->rows, op->row, PG_OUTCOME_USER, op->ret_users))
                return malformed(store);
        return (struct pipit_error){0};
}

/* Every row finds its operation; one without has no request any more to be told. */
static struct pg_op *op_of_row(const struct pg_store *store, const struct pg_batch *batch, int row)
{
        const PGresult *rows = batch->rows;
        int key = batch->kind == PG_FIND_BY_EMAIL ? PG_USER_EMAIL_KEY : PG_USER_ID;
        int64_t n;

        if (pg_kind_is_write(batch->kind)) {
                if (!PQgetisnull(rows, row, PG_OUTCOME_N)) {
                        n = pg_get_int8(PQgetvalue(rows, row, PG_OUTCOME_N));
                        return n >= 1 && (size_t)n <= batch->n ? batch->ops[n - 1] : NULL;
                }
                key += PG_OUTCOME_USER;
        }
        return pg_batch_find(
                store, batch, PQgetvalue(rows, row, key), (size_t)PQgetlength(rows, row, key));
}

static void match_rows(const struct pg_store *store, const struct pg_batch *batch)
{
        int n_rows = PQntuples(batch->rows);

        for (int row = 0; row < n_rows; row++) {
                struct pg_op *op = op_of_row(store, batch, row);
                uint8_t outcome = PG_OUTCOME_DONE;

                if (pg_kind_is_write(batch->kind))
                        outcome =
                                (uint8_t)pg_get_int4(PQgetvalue(batch->rows, row, PG_OUTCOME_KIND));
                if (op && outcome < op->outcome) {
                        op->outcome = outcome;
                        op->row = row;
                }
        }
}

static struct pipit_error outcome_of(struct pg_store *store,
                                     const struct pg_batch *batch,
                                     struct pg_op *op,
                                     const struct pg_op *first)
{
        if (op->kind == PG_LIST)
                return list_outcome(store, batch, op);
        if (!pg_kind_is_write(op->kind))
                return find_outcome(
                        store, batch, op, first->outcome == PG_OUTCOME_NONE ? -1 : first->row);
        return write_outcome(store, batch, op);
}

/* The operations of a batch, one after the other; the one at hand may be retired. */
struct cursor {
        const struct pg_batch *batch;
        size_t n_begun;      /* of batch->ops */
        struct pg_op *first; /* of the twins at hand */
        struct pg_op *next;
};

/* NULL: there are no more. */
static struct pg_op *cursor_take(struct cursor *cursor)
{
        struct pg_op *op = cursor->next;

        if (!op) {
                if (cursor->n_begun == cursor->batch->n)
                        return NULL;
                op = cursor->first = cursor->batch->ops[cursor->n_begun++];
        }
        cursor->next = op->twin;

        return op;
}

static void succeed(struct pg_store *store, struct pg_batch *batch)
{
        struct cursor completing = {.batch = batch}, retiring = {.batch = batch};
        struct pg_op *op;

        if (batch->kind != PG_LIST)
                match_rows(store, batch);

        while ((op = cursor_take(&completing))) {
                if (op->request)
                        pg_complete(store, op, outcome_of(store, batch, op, completing.first));
        }
        while ((op = cursor_take(&retiring)))
                pg_op_retire(store, op);
}

/* --- failure --------------------------------------------------------------- */

static void fail_op(struct pg_store *store,
                    struct pg_op *op,
                    enum users_error error,
                    enum pipit_ran ran)
{
        if (op->request)
                pg_complete(store, op, users_error_make(error, ran));
        pg_op_retire(store, op);
}

static void log_failure(struct pg_store *store, const struct pg_batch *batch)
{
        pipit_log_line(store->log,
                       PIPIT_LOG_ERROR,
                       "the database refused a statement",
                       PIPIT_LOG_STRING("sqlstate", batch->sqlstate),
                       PIPIT_LOG_STRING("cause", batch->cause),
                       PIPIT_LOG_INT("requests", batch->n));
}

static void fail_all(struct pg_store *store,
                     struct pg_batch *batch,
                     enum users_error error,
                     enum pipit_ran ran)
{
        struct cursor cursor = {.batch = batch};
        struct pg_op *op;

        while ((op = cursor_take(&cursor)))
                fail_op(store, op, error, ran);
}

static void refuse_all(struct pg_store *store, struct pg_batch *batch, enum users_error error)
{
        enum pipit_ran ran = error == USERS_ERROR_EMAIL_TAKEN ? PIPIT_RAN : PIPIT_NOT_RUN;

        fail_all(store, batch, error, ran);
}

/* Nothing of it was done. */
static void retry_all(struct pg_store *store,
                      struct pg_batch *batch,
                      enum users_error error,
                      bool alone)
{
        struct cursor cursor = {.batch = batch};
        struct pg_op *op;

        while ((op = cursor_take(&cursor))) {
                op->n_attempts++;
                op->alone = alone || op->n_attempts >= ATTEMPTS_TOGETHER;
                if (op->n_attempts < ATTEMPTS_MAX)
                        pg_requeue(store, op);
                else
                        fail_op(store, op, error, PIPIT_NOT_RUN);
        }
}

static void wait_all(struct pg_store *store, struct pg_batch *batch)
{
        struct cursor cursor = {.batch = batch};
        struct pg_op *op;

        while ((op = cursor_take(&cursor))) {
                op->alone = true;
                pg_requeue(store, op);
        }
}

static void divide(struct pg_store *store, struct pg_batch *batch, const struct pg_verdict *verdict)
{
        enum users_error error = verdict->error;

        if (batch->n > 1 || (batch->n == 1 && batch->ops[0]->twin)) {
                wait_all(store, batch);
                return;
        }
        if (error == USERS_ERROR_EMAIL_TAKEN && !batch->email_taken)
                error = USERS_ERROR_STORE_FAILED;
        if (error == USERS_ERROR_STORE_FAILED)
                log_failure(store, batch);
        refuse_all(store, batch, error);
}

static bool fail(struct pg_store *store, struct pg_batch *batch)
{
        const struct pg_verdict *verdict =
                pg_error_verdict(batch->sqlstate[0] ? batch->sqlstate : NULL);

        if (verdict->logged && verdict->reaction != PG_REACTION_DIVIDE)
                log_failure(store, batch);

        switch (verdict->reaction) {
        case PG_REACTION_FAIL:
                refuse_all(store, batch, verdict->error);
                return true;
        case PG_REACTION_DIVIDE:
                divide(store, batch, verdict);
                return true;
        case PG_REACTION_RETRY:
                retry_all(store, batch, verdict->error, false);
                return true;
        case PG_REACTION_WAIT:
                wait_all(store, batch);
                return true;
        case PG_REACTION_REPLACE:
                retry_all(store, batch, verdict->error, false);
                return false;
        case PG_REACTION_LOST:
                break;
        }
        pg_result_lost(store, batch);
        return false;
}

bool pg_result_finish(struct pg_store *store, struct pg_batch *batch)
{
        if (batch->failed)
                return fail(store, batch);
        if (batch->n > 0)
                succeed(store, batch);
        return true;
}

void pg_result_lost(struct pg_store *store, struct pg_batch *batch)
{
        if (pg_kind_is_write(batch->kind)) {
                fail_all(store, batch, USERS_ERROR_STORE_UNAVAILABLE, PIPIT_MAY_HAVE_RUN);
                return;
        }
        retry_all(store, batch, USERS_ERROR_STORE_UNAVAILABLE, false);
}
