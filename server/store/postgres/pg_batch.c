#include <string.h>

#include "core/base/uuid.h"
#include "server/store/postgres/pg_store.h"

struct key {
        const void *bytes;
        size_t n_bytes;
};

/* FNV-1a: the keys are short, and a bad day costs one slow batch. */
static uint32_t hash_bytes(uint32_t hash, const void *bytes, size_t n_bytes)
{
        const uint8_t *at = bytes;

        for (size_t i = 0; i < n_bytes; i++)
                hash = (hash ^ at[i]) * 16777619U;
        return hash;
}

#define HASH_START 2166136261U

static struct key key_of(const struct pg_op *op)
{
        if (op->kind == PG_FIND_BY_EMAIL)
                return (struct key){op->text + op->email_key.start, op->email_key.n_bytes};
        return (struct key){&op->id, sizeof(op->id)};
}

static bool keys_equal(struct key left, struct key right)
{
        return left.n_bytes == right.n_bytes && memcmp(left.bytes, right.bytes, left.n_bytes) == 0;
}

/* The slot of @key: that which holds it, or the free one where it belongs. */
static uint16_t *find_slot(const struct pg_store *store,
                           const struct pg_batch *batch,
                           struct key key)
{
        uint32_t mask = (uint32_t)store->n_slots - 1;
        uint32_t at = hash_bytes(HASH_START, key.bytes, key.n_bytes) & mask;

        while (batch->slots[at] && !keys_equal(key_of(batch->ops[batch->slots[at] - 1]), key))
                at = (at + 1) & mask;
        return &batch->slots[at];
}

static bool same_request(const struct pg_op *left, const struct pg_op *right)
{
        struct key a = {left->text + left->principal.start, left->principal.n_bytes};
        struct key b = {right->text + right->principal.start, right->principal.n_bytes};

        return memcmp(left->request_id, right->request_id, sizeof(left->request_id)) == 0 &&
               keys_equal(a, b);
}

static uint16_t *find_request_slot(const struct pg_store *store,
                                   const struct pg_batch *batch,
                                   const struct pg_op *op)
{
        uint32_t mask = (uint32_t)store->n_slots - 1;
        uint32_t at = hash_bytes(HASH_START, op->request_id, sizeof(op->request_id)) & mask;

        while (batch->request_slots[at] &&
               !same_request(batch->ops[batch->request_slots[at] - 1], op))
                at = (at + 1) & mask;
        return &batch->request_slots[at];
}

struct pg_op *pg_batch_find(const struct pg_store *store,
                            const struct pg_batch *batch,
                            const void *key,
                            size_t n_bytes)
{
        uint16_t slot = *find_slot(store, batch, (struct key){key, n_bytes});

        return slot ? batch->ops[slot - 1] : NULL;
}

struct pg_batch *pg_batch_new(struct pg_store *store, enum pg_kind kind)
{
        struct pg_batch *batch = store->batches;

        if (!batch)
                return NULL;

        store->batches = batch->next;
        batch->next = NULL;
        batch->kind = kind;
        batch->failed = false;
        batch->email_taken = false;
        batch->rows = NULL;
        batch->n_rows = 0;
        batch->n = 0;
        memset(batch->slots, 0, store->n_slots * sizeof(*batch->slots));
        memset(batch->request_slots, 0, store->n_slots * sizeof(*batch->request_slots));
        return batch;
}

void pg_batch_free(struct pg_store *store, struct pg_batch *batch)
{
        PQclear(batch->rows);
        batch->rows = NULL;
        batch->next = store->batches;
        store->batches = batch;
}

/* False: what it is about is in the batch already, so it has to wait for the next. */
static bool add(struct pg_store *store, struct pg_batch *batch, struct pg_op *op)
{
        uint16_t *slot = NULL, *request_slot = NULL;

        if (op->kind != PG_LIST) {
                slot = find_slot(store, batch, key_of(op));
                if (*slot && pg_kind_is_write(op->kind))
                        return false;
        }
        if (pg_kind_is_logged(op->kind)) {
                request_slot = find_request_slot(store, batch, op);
                if (*request_slot)
                        return false;
        }

        op->twin = NULL;
        if (slot && *slot) {
                struct pg_op *first = batch->ops[*slot - 1];

                op->twin = first->twin;
                first->twin = op;
                return true;
        }

        batch->ops[batch->n++] = op;
        if (slot)
                *slot = (uint16_t)batch->n;
        if (request_slot)
                *request_slot = (uint16_t)batch->n;
        return true;
}

/* Whether somebody still waits for it. If not, it is gone. */
static bool is_alive(struct pg_store *store, struct pg_op *op, int64_t now_us)
{
        struct pipit_error error;

        if (op->request && !users_request_is_over(op->request, now_us, &error))
                return true;
        if (op->request)
                pg_complete(store, op, error);
        pg_op_retire(store, op);
        return false;
}

static struct pg_op *pop(struct pg_op_list *list)
{
        struct pg_op *op = list->first;

        list->first = op->next;
        if (!list->first)
                list->last = NULL;
        list->n--;
        return op;
}

static void push_front(struct pg_op_list *list, struct pg_op *op)
{
        op->next = list->first;
        list->first = op;
        if (!list->last)
                list->last = op;
        list->n++;
}

static void fill(struct pg_store *store, struct pg_batch *batch)
{
        struct pg_op_list *waiting = &store->waiting[batch->kind];
        int64_t now_us = store->clock.now_us(store->clock.context);
        struct pg_op *put_off = NULL;
        size_t n_put_off = 0;

        while (waiting->first && batch->n < store->batch_max && n_put_off < store->batch_max) {
                struct pg_op *op = pop(waiting);
                bool alone = op->alone || op->kind == PG_LIST;

                if (!is_alive(store, op, now_us))
                        continue;
                if (alone && batch->n > 0) {
                        push_front(waiting, op);
                        break;
                }
                if (!add(store, batch, op)) {
                        op->next = put_off;
                        put_off = op;
                        n_put_off++;
                        continue;
                }
                op->sent = true;
                op->outcome = PG_OUTCOME_NONE;
                atomic_fetch_sub_explicit(&store->n_waiting, 1, memory_order_relaxed);
                if (alone)
                        break;
        }

        /* The latest first: so they end up in front in their old order. */
        while (put_off) {
                struct pg_op *next = put_off->next;

                push_front(waiting, put_off);
                put_off = next;
        }
}

struct pg_batch *pg_batch_form(struct pg_store *store, enum pg_kind kind)
{
        struct pg_batch *batch = pg_batch_new(store, kind);

        if (!batch)
                return NULL;

        fill(store, batch);
        if (batch->n == 0) {
                pg_batch_free(store, batch);
                return NULL;
        }
        return batch;
}

/* --- parameters ------------------------------------------------------------ */

static void put_text(struct pg_parameters *parameters, const struct pg_op *op, struct pg_text text)
{
        if (text.set)
                pg_put_element_bytes(parameters, op->text + text.start, text.n_bytes);
        else
                pg_put_element_null(parameters);
}

#define PUT_ARRAY(parameters, batch, type, put)                                                    \
        do {                                                                                       \
                pg_put_array((parameters), (type), (uint32_t)(batch)->n);                          \
                for (size_t i_ = 0; i_ < (batch)->n; i_++) {                                       \
                        const struct pg_op *op = (batch)->ops[i_];                                 \
                        put;                                                                       \
                }                                                                                  \
        } while (0)

#define PUT_INT8S(p, batch, number)                                                                \
        PUT_ARRAY(p, batch, PG_TYPE_INT8, pg_put_element_int8(p, (int64_t)op->number))

static void put_ids(struct pg_parameters *p, const struct pg_batch *batch)
{
        PUT_ARRAY(p, batch, PG_TYPE_UUID, pg_put_element_bytes(p, &op->id, sizeof(op->id)));
}

static void put_ages(struct pg_parameters *p, const struct pg_batch *batch)
{
        PUT_ARRAY(p,
                  batch,
                  PG_TYPE_INT4,
                  op->has_age ? pg_put_element_int4(p, (int32_t)op->age) : pg_put_element_null(p));
}

static void put_emails(struct pg_parameters *p, const struct pg_batch *batch)
{
        PUT_ARRAY(p, batch, PG_TYPE_TEXT, put_text(p, op, op->email));
}

static void put_names(struct pg_parameters *p, const struct pg_batch *batch)
{
        PUT_ARRAY(p, batch, PG_TYPE_TEXT, put_text(p, op, op->name));
}

static void put_email_keys(struct pg_parameters *p, const struct pg_batch *batch)
{
        PUT_ARRAY(p, batch, PG_TYPE_TEXT, put_text(p, op, op->email_key));
}

static void put_user(struct pg_parameters *p, const struct pg_batch *batch)
{
        put_ids(p, batch);
        put_emails(p, batch);
        put_email_keys(p, batch);
        put_names(p, batch);
        put_ages(p, batch);
        PUT_INT8S(p, batch, create_time_us);
        PUT_INT8S(p, batch, update_time_us);
        PUT_INT8S(p, batch, version);
}

static void put_changes(struct pg_parameters *p, const struct pg_batch *batch)
{
        put_ids(p, batch);
        PUT_INT8S(p, batch, version);
        put_emails(p, batch);
        put_email_keys(p, batch);
        put_names(p, batch);
        put_ages(p, batch);
        PUT_INT8S(p, batch, update_time_us);
}

static void put_deletes(struct pg_parameters *p, const struct pg_batch *batch)
{
        put_ids(p, batch);
        PUT_INT8S(p, batch, version);
}

static enum pg_log_kind log_kind(enum pg_kind kind)
{
        return kind == PG_LOGGED_INSERT   ? PG_LOG_INSERT
               : kind == PG_LOGGED_UPDATE ? PG_LOG_UPDATE
                                          : PG_LOG_DELETE;
}

static void put_log_keys(struct pg_parameters *p, const struct pg_batch *batch, int64_t claim)
{
        PUT_ARRAY(p, batch, PG_TYPE_TEXT, put_text(p, op, op->principal));
        PUT_ARRAY(p, batch, PG_TYPE_UUID, pg_put_element_bytes(p, op->request_id, 16));
        PUT_ARRAY(p, batch, PG_TYPE_BYTEA, pg_put_element_bytes(p, op->request_hash, 32));
        pg_put_int8(p, claim);
        pg_put_int8(p, (int64_t)log_kind(batch->kind));
}

/* --- statements ------------------------------------------------------------ */

static bool send_statement(struct pg_store *store, PGconn *pq, enum pg_statement statement)
{
        struct pg_parameters *p = &store->parameters;

        if (!pg_parameters_seal(p))
                return false;
        if (store->named && statement != PG_STATEMENT_SESSION)
                return PQsendQueryPrepared(pq,
                                           pg_statements[statement].name,
                                           p->n,
                                           p->values,
                                           p->lengths,
                                           p->formats,
                                           1);
        return PQsendQueryParams(
                pq, pg_statements[statement].sql, p->n, NULL, p->values, p->lengths, p->formats, 1);
}

static bool send_setup(struct pg_store *store, PGconn *pq)
{
        pg_parameters_reset(&store->parameters);
        if (!send_statement(store, pq, PG_STATEMENT_SESSION))
                return false;
        for (int i = 0; i < PG_N_STATEMENTS; i++)
                if (i != PG_STATEMENT_SESSION &&
                    !PQsendPrepare(pq, pg_statements[i].name, pg_statements[i].sql, 0, NULL))
                        return false;
        return true;
}

static bool send_purge(struct pg_store *store, PGconn *pq)
{
        struct pg_parameters *p = &store->parameters;

        pg_parameters_reset(p);
        pg_put_int8(p, store->clock.wall_us(store->clock.context) - USERS_REQUEST_LOG_TTL_US);
        pg_put_int8(p, PG_PURGE_ROWS_MAX);
        return send_statement(store, pq, PG_STATEMENT_PURGE);
}

static bool send_list(struct pg_store *store, const struct pg_batch *batch, PGconn *pq)
{
        const struct pg_op *op = batch->ops[0];

        pg_put_int8(&store->parameters, (int64_t)op->max_users);
        if (!op->has_after)
                return send_statement(store, pq, PG_STATEMENT_LIST_FIRST);
        pg_put_uuid(&store->parameters, op->id.bytes);
        return send_statement(store, pq, PG_STATEMENT_LIST_AFTER);
}

static bool send_claims(struct pg_store *store,
                        const struct pg_batch *batch,
                        PGconn *pq,
                        int64_t claim)
{
        struct pg_parameters *p = &store->parameters;
        int64_t wall_us = store->clock.wall_us(store->clock.context);

        put_log_keys(p, batch, claim);
        pg_put_int8(p, wall_us);
        pg_put_int8(p, wall_us - USERS_REQUEST_LOG_TTL_US);
        if (batch->kind != PG_LOGGED_INSERT)
                return send_statement(store, pq, PG_STATEMENT_CLAIM);
        put_user(p, batch);
        return send_statement(store, pq, PG_STATEMENT_CLAIM_INSERT);
}

static bool send_logged(struct pg_store *store, const struct pg_batch *batch, PGconn *pq)
{
        int64_t claim = (int64_t)pipit_random_u64();

        if (!send_claims(store, batch, pq, claim))
                return false;

        pg_parameters_reset(&store->parameters);
        put_log_keys(&store->parameters, batch, claim);
        if (batch->kind == PG_LOGGED_INSERT)
                return send_statement(store, pq, PG_STATEMENT_CLAIMED_INSERT);
        if (batch->kind == PG_LOGGED_UPDATE) {
                put_changes(&store->parameters, batch);
                return send_statement(store, pq, PG_STATEMENT_CLAIMED_UPDATE);
        }
        put_deletes(&store->parameters, batch);
        return send_statement(store, pq, PG_STATEMENT_CLAIMED_DELETE);
}

static bool send_statements(struct pg_store *store, const struct pg_batch *batch, PGconn *pq)
{
        struct pg_parameters *p = &store->parameters;

        pg_parameters_reset(p);
        switch (batch->kind) {
        case PG_FIND_BY_ID:
                put_ids(p, batch);
                return send_statement(store, pq, PG_STATEMENT_FIND_BY_ID);
        case PG_FIND_BY_EMAIL:
                put_email_keys(p, batch);
                return send_statement(store, pq, PG_STATEMENT_FIND_BY_EMAIL);
        case PG_LIST:
                return send_list(store, batch, pq);
        case PG_INSERT:
                put_user(p, batch);
                return send_statement(store, pq, PG_STATEMENT_INSERT);
        case PG_UPDATE:
                put_changes(p, batch);
                return send_statement(store, pq, PG_STATEMENT_UPDATE);
        case PG_DELETE:
                put_deletes(p, batch);
                return send_statement(store, pq, PG_STATEMENT_DELETE);
        case PG_LOGGED_INSERT:
        case PG_LOGGED_UPDATE:
        case PG_LOGGED_DELETE:
                return send_logged(store, batch, pq);
        case PG_SETUP:
                return send_setup(store, pq);
        case PG_PURGE:
                return send_purge(store, pq);
        }
        return false;
}

bool pg_batch_send(struct pg_store *store, struct pg_batch *batch, PGconn *pq)
{
        return send_statements(store, batch, pq) && PQpipelineSync(pq);
}
