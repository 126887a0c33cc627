#include "server/store/postgres/postgres.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base/thread.h"
#include "server/store/postgres/pg_store.h"

#define CONNECTIONS_DEFAULT 4
#define QUEUE_DEFAULT       20000
#define BATCH_DEFAULT       256

static struct pg_store *store_from(struct users_repository *repository)
{
        return pipit_container_of(repository, struct pg_store, repository);
}

/* --- submitting ------------------------------------------------------------ */

/* A record for @request, or NULL: then it has completed. */
static struct pg_op *op_start(struct pg_store *store,
                              struct users_request *request,
                              enum pg_kind kind,
                              struct user *ret_users)
{
        struct pg_op *op = NULL;
        struct pipit_error error;

        if (users_request_is_over(request, store->clock.now_us(store->clock.context), &error)) {
                users_request_complete(request, error);
                return NULL;
        }
        if (atomic_fetch_add_explicit(&store->n_waiting, 1, memory_order_relaxed) <
            store->queue_max)
                op = pg_op_new(store);
        if (!op) {
                atomic_fetch_sub_explicit(&store->n_waiting, 1, memory_order_relaxed);
                users_request_complete(request,
                                       users_error_make(USERS_ERROR_STORE_BUSY, PIPIT_NOT_RUN));
                return NULL;
        }

        /* All but the text, which is long and told by n_text_bytes. */
        memset(op, 0, offsetof(struct pg_op, text));
        op->request = request;
        op->deadline_us = request->deadline_us;
        op->kind = kind;
        op->ret_users = ret_users;
        return op;
}

static struct pg_text put_text(struct pg_op *op, const char *string)
{
        struct pg_text text = {.start = op->n_text_bytes, .set = true};

        text.n_bytes = (uint16_t)strlen(string);
        memcpy(op->text + text.start, string, text.n_bytes);
        op->n_text_bytes = (uint16_t)(op->n_text_bytes + text.n_bytes);
        return text;
}

/* Every write is in the kind's plain or logged form. */
static enum pg_kind write_kind(const struct users_write *write, enum pg_kind plain)
{
        return write->has_request_id ? (enum pg_kind)(plain + (PG_LOGGED_INSERT - PG_INSERT))
                                     : plain;
}

static void put_write(struct pg_op *op, const struct users_write *write)
{
        if (!write->has_request_id)
                return;
        op->principal = put_text(op, write->principal);
        memcpy(op->request_id, write->request_id, sizeof(op->request_id));
        memcpy(op->request_hash, write->request_hash, sizeof(op->request_hash));
}

static void postgres_insert(struct users_repository *repository,
                            struct users_request *request,
                            const struct users_write *write,
                            const struct user *user,
                            struct user *ret_user)
{
        struct pg_store *store = store_from(repository);
        struct pg_op *op = op_start(store, request, write_kind(write, PG_INSERT), ret_user);

        if (!op)
                return;
        put_write(op, write);
        op->id = user->id;
        op->email = put_text(op, user->email);
        op->email_key = put_text(op, user->email_key);
        op->name = put_text(op, user->name);
        op->has_age = true;
        op->age = user->age;
        op->create_time_us = user->create_time_us;
        op->update_time_us = user->update_time_us;
        op->version = user->version;
        pg_io_submit(store, op);
}

static void postgres_find_by_id(struct users_repository *repository,
                                struct users_request *request,
                                const struct pipit_uuid *id,
                                struct user *ret_user)
{
        struct pg_store *store = store_from(repository);
        struct pg_op *op = op_start(store, request, PG_FIND_BY_ID, ret_user);

        if (!op)
                return;
        op->id = *id;
        pg_io_submit(store, op);
}

static void postgres_find_by_email(struct users_repository *repository,
                                   struct users_request *request,
                                   const char *email_key,
                                   struct user *ret_user)
{
        struct pg_store *store = store_from(repository);
        struct pg_op *op = op_start(store, request, PG_FIND_BY_EMAIL, ret_user);

        if (!op)
                return;
        op->email_key = put_text(op, email_key);
        pg_io_submit(store, op);
}

static void postgres_update(struct users_repository *repository,
                            struct users_request *request,
                            const struct users_write *write,
                            const struct user *user,
                            const struct users_changes *changes,
                            uint64_t want_version,
                            struct user *ret_user)
{
        struct pg_store *store = store_from(repository);
        struct pg_op *op = op_start(store, request, write_kind(write, PG_UPDATE), ret_user);

        if (!op)
                return;
        put_write(op, write);
        op->id = user->id;
        if (changes->email) {
                op->email = put_text(op, user->email);
                op->email_key = put_text(op, user->email_key);
        }
        if (changes->name)
                op->name = put_text(op, user->name);
        op->has_age = changes->age;
        op->age = user->age;
        op->update_time_us = user->update_time_us;
        op->version = want_version;
        pg_io_submit(store, op);
}

static void postgres_remove(struct users_repository *repository,
                            struct users_request *request,
                            const struct users_write *write,
                            const struct pipit_uuid *id,
                            uint64_t want_version)
{
        struct pg_store *store = store_from(repository);
        struct pg_op *op = op_start(store, request, write_kind(write, PG_DELETE), NULL);

        if (!op)
                return;
        put_write(op, write);
        op->id = *id;
        op->version = want_version;
        pg_io_submit(store, op);
}

static void postgres_list(struct users_repository *repository,
                          struct users_request *request,
                          const struct pipit_uuid *after,
                          size_t max_users,
                          struct user *ret_users)
{
        struct pg_store *store = store_from(repository);
        struct pg_op *op = op_start(store, request, PG_LIST, ret_users);

        if (!op)
                return;
        op->has_after = after;
        if (after)
                op->id = *after;
        op->max_users = max_users;
        pg_io_submit(store, op);
}

static const uint8_t *postgres_page_token_key(const struct users_repository *repository)
{
        const struct pg_store *store =
                (const struct pg_store *)(const void *)((const char *)repository -
                                                        offsetof(struct pg_store, repository));

        return store->page_token_key;
}

/* --- lifecycle ------------------------------------------------------------- */

static struct pg_store *store_free(struct pg_store *store)
{
        if (!store)
                return NULL;

        if (store->connections)
                for (uint32_t i = 0; i < store->n_connections; i++)
                        pg_connection_deinit(store, &store->connections[i]);
        if (store->batch_memory)
                for (size_t i = 0; i < (size_t)store->n_connections * store->depth; i++) {
                        free(store->batch_memory[i].ops);
                        free(store->batch_memory[i].slots);
                        free(store->batch_memory[i].request_slots);
                }
        free(store->batch_memory);
        free(store->connections);
        free(store->conninfo);
        pg_parameters_deinit(&store->parameters);
        pg_pool_deinit(store);
        if (store->event_fd >= 0)
                close(store->event_fd);
        (void)pthread_mutex_destroy(&store->pool_lock);
        free(store);
        return NULL;
}

PIPIT_DEFINE_CLEANUP(struct pg_store, store_free);
PIPIT_DEFINE_CLEANUP(PGconn, PQfinish);

static struct users_repository *postgres_free(struct users_repository *repository)
{
        struct pg_store *store = store_from(repository);

        atomic_store(&store->stopping, true);
        (void)eventfd_write(store->event_fd, 1);
        (void)pthread_join(store->thread, NULL);
        (void)store_free(store);
        return NULL;
}

static const struct users_repository_operations operations = {
        .insert = postgres_insert,
        .find_by_id = postgres_find_by_id,
        .find_by_email = postgres_find_by_email,
        .update = postgres_update,
        .remove = postgres_remove,
        .list = postgres_list,
        .page_token_key = postgres_page_token_key,
        .free = postgres_free,
};

static uint32_t bounded(uint32_t wanted, uint32_t otherwise, uint32_t most)
{
        if (wanted == 0)
                return otherwise;
        return wanted < most ? wanted : most;
}

static bool batches_init(struct pg_store *store)
{
        size_t n = (size_t)store->n_connections * store->depth;

        store->n_slots = 16;
        while (store->n_slots < 2 * (size_t)store->batch_max)
                store->n_slots *= 2;

        store->batch_memory = calloc(n, sizeof(*store->batch_memory));
        if (!store->batch_memory)
                return false;

        for (size_t i = 0; i < n; i++) {
                struct pg_batch *batch = &store->batch_memory[i];

                batch->ops = calloc(store->batch_max, sizeof(*batch->ops));
                batch->slots = calloc(store->n_slots, sizeof(*batch->slots));
                batch->request_slots = calloc(store->n_slots, sizeof(*batch->request_slots));
                if (!batch->ops || !batch->slots || !batch->request_slots)
                        return false;
                pg_batch_free(store, batch);
        }
        return true;
}

/* NULL: out of memory or file descriptors. */
static struct pg_store *store_new(const struct users_postgres_options *options)
{
        PIPIT_CLEANUP(store_free_cleanup) struct pg_store *store = calloc(1, sizeof(*store));
        struct pg_store *made;

        if (!store)
                return NULL;

        (void)pthread_mutex_init(&store->pool_lock, NULL);
        store->repository.operations = &operations;
        store->clock = options->clock ? *options->clock : pipit_clock_system;
        store->log = options->log;
        store->burst = options->burst;
        store->n_connections =
                bounded(options->n_connections, CONNECTIONS_DEFAULT, PG_CONNECTIONS_MAX);
        store->queue_max = bounded(options->queue_max, QUEUE_DEFAULT, UINT32_MAX);
        store->batch_max = bounded(options->batch_max, BATCH_DEFAULT, PG_BATCH_MAX);
        store->named = !options->no_named_statements;
        store->depth = store->named ? PG_DEPTH : PG_DEPTH_POOLED;
        store->live.live_next = &store->live;
        store->live.live_previous = &store->live;
        store->expiry_us = PIPIT_NEVER_US;
        store->down_us = PIPIT_NEVER_US;
        store->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        store->conninfo = strdup(options->conninfo);
        store->connections = calloc(store->n_connections, sizeof(*store->connections));
        if (store->event_fd < 0 || !store->conninfo || !store->connections || !batches_init(store))
                return NULL;

        made = store;
        store = NULL;
        return made;
}

static bool thread_start(struct pg_store *store)
{
        if (pipit_thread_start(&store->thread, pg_io_run, store) != 0)
                return false;
        (void)pthread_setname_np(store->thread, "users-postgres");
        return true;
}

struct users_repository *users_postgres_new(const struct users_postgres_options *options,
                                            struct pipit_error *ret_error)
{
        PIPIT_CLEANUP(store_free_cleanup) struct pg_store *store = store_new(options);
        PIPIT_CLEANUP(PQfinish_cleanup) PGconn *pq = NULL;
        struct users_repository *repository;

        if (!store) {
                (void)pg_fail(ret_error, PIPIT_RESOURCE_EXHAUSTED, "STORE_BUSY", "out of memory");
                return NULL;
        }

        pq = pg_connect(options->conninfo, ret_error);
        if (!pq)
                return NULL;
        if (pg_check(pq,
                     options->allow_data_loss,
                     options->no_named_statements,
                     store->page_token_key,
                     ret_error) != PIPIT_OK)
                return NULL;

        /* The I/O thread makes the other connections. */
        pg_connection_adopt(store, &store->connections[0], pq);
        pq = NULL;
        if (!thread_start(store)) {
                (void)pg_fail(ret_error, PIPIT_RESOURCE_EXHAUSTED, "STORE_BUSY", "out of threads");
                return NULL;
        }

        repository = &store->repository;
        store = NULL;
        return repository;
}
