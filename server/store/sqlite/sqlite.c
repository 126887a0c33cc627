#include "server/store/sqlite/sqlite.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/thread.h"
#include "server/store/sqlite/jobs.h"
#include "server/store/sqlite/schema.h"
#include "server/store/sqlite/workers.h"

#define QUEUE_MAX 20000
#define BATCH_MAX 256

/*
 * Pages in the WAL: from the first on it is emptied as far as readers allow, from
 * the second on they are waited for, or it could grow for ever under steady reads.
 */
#define WAL_PAGES_PASSIVE 1000
#define WAL_PAGES_RESTART 16000

enum { THREADS = 3 };

struct sqlite_store {
        struct users_repository repository;
        uint8_t page_token_key[SCHEMA_PAGE_TOKEN_KEY_BYTES];
        struct jobs jobs;
        struct worker writer;
        struct worker reader;
        pthread_t threads[THREADS];
        size_t n_threads;
        bool has_jobs;
};

static struct sqlite_store *store_from(struct users_repository *repository)
{
        return pipit_container_of(repository, struct sqlite_store, repository);
}

/* --- the port: copy, and queue ----------------------------------------------- */

static struct job *new_write(struct users_repository *repository,
                             struct users_request *request,
                             enum job_kind kind,
                             const struct users_write *write,
                             struct user *ret_user)
{
        struct job *job = jobs_new(&store_from(repository)->jobs, request, kind, ret_user);

        if (!job || !write->has_request_id)
                return job;
        job->has_request_id = true;
        memcpy(job->request_id, write->request_id, sizeof(job->request_id));
        memcpy(job->request_hash, write->request_hash, sizeof(job->request_hash));
        strcpy(job->principal, write->principal);
        return job;
}

static void sqlite_insert(struct users_repository *repository,
                          struct users_request *request,
                          const struct users_write *write,
                          const struct user *user,
                          struct user *ret_user)
{
        struct job *job = new_write(repository, request, JOB_INSERT, write, ret_user);

        if (!job)
                return;
        job->user = *user;
        jobs_submit(&store_from(repository)->jobs, job);
}

static void sqlite_update(struct users_repository *repository,
                          struct users_request *request,
                          const struct users_write *write,
                          const struct user *user,
                          const struct users_changes *changes,
                          uint64_t want_version,
                          struct user *ret_user)
{
        struct job *job = new_write(repository, request, JOB_UPDATE, write, ret_user);

        if (!job)
                return;
        job->user = *user;
        job->changes = *changes;
        job->want_version = want_version;
        jobs_submit(&store_from(repository)->jobs, job);
}

static void sqlite_remove(struct users_repository *repository,
                          struct users_request *request,
                          const struct users_write *write,
                          const struct pipit_uuid *id,
                          uint64_t want_version)
{
        struct job *job = new_write(repository, request, JOB_DELETE, write, NULL);

        if (!job)
                return;
        job->user.id = *id;
        job->want_version = want_version;
        jobs_submit(&store_from(repository)->jobs, job);
}

static void sqlite_find_by_id(struct users_repository *repository,
                              struct users_request *request,
                              const struct pipit_uuid *id,
                              struct user *ret_user)
{
        struct jobs *jobs = &store_from(repository)->jobs;
        struct job *job = jobs_new(jobs, request, JOB_FIND_BY_ID, ret_user);

        if (!job)
                return;
        job->user.id = *id;
        jobs_submit(jobs, job);
}

static void sqlite_find_by_email(struct users_repository *repository,
                                 struct users_request *request,
                                 const char *email_key,
                                 struct user *ret_user)
{
        struct jobs *jobs = &store_from(repository)->jobs;
        struct job *job = jobs_new(jobs, request, JOB_FIND_BY_EMAIL, ret_user);

        if (!job)
                return;
        strcpy(job->user.email_key, email_key);
        jobs_submit(jobs, job);
}

static void sqlite_list(struct users_repository *repository,
                        struct users_request *request,
                        const struct pipit_uuid *after,
                        size_t max_users,
                        struct user *ret_users)
{
        struct jobs *jobs = &store_from(repository)->jobs;
        struct job *job = jobs_new(jobs, request, JOB_LIST, ret_users);

        if (!job)
                return;
        job->has_after = after;
        if (after)
                job->user.id = *after;
        job->max_users = max_users;
        jobs_submit(jobs, job);
}

static const uint8_t *sqlite_page_token_key(const struct users_repository *repository)
{
        return pipit_container_of(repository, const struct sqlite_store, repository)
                ->page_token_key;
}

/* --- life -------------------------------------------------------------------- */

static void worker_deinit(struct worker *worker)
{
        statements_deinit(&worker->statements);
        free(worker->batch);
}

static struct users_repository *sqlite_free(struct users_repository *repository)
{
        struct sqlite_store *store = store_from(repository);

        if (store->n_threads > 0)
                jobs_stop(&store->jobs);
        for (size_t i = 0; i < store->n_threads; i++)
                (void)pthread_join(store->threads[i], NULL);
        /* The writer's connection last: the last one that closes cleans up the WAL. */
        worker_deinit(&store->reader);
        worker_deinit(&store->writer);
        if (store->has_jobs)
                jobs_deinit(&store->jobs);
        free(store);
        return NULL;
}

static const struct users_repository_operations sqlite_operations = {
        .insert = sqlite_insert,
        .find_by_id = sqlite_find_by_id,
        .find_by_email = sqlite_find_by_email,
        .update = sqlite_update,
        .remove = sqlite_remove,
        .list = sqlite_list,
        .page_token_key = sqlite_page_token_key,
        .free = sqlite_free,
};

static void *writer_main(void *argument)
{
        workers_write(&((struct sqlite_store *)argument)->writer);
        return NULL;
}

static void *reader_main(void *argument)
{
        workers_read(&((struct sqlite_store *)argument)->reader);
        return NULL;
}

static void *watch_main(void *argument)
{
        jobs_watch(&((struct sqlite_store *)argument)->jobs);
        return NULL;
}

static bool start_threads(struct sqlite_store *store)
{
        static void *(*const mains[THREADS])(void *) = {writer_main, reader_main, watch_main};
        static const char *const names[THREADS] = {"users-writer", "users-reader", "users-watch"};

        while (store->n_threads < THREADS) {
                pthread_t *thread = &store->threads[store->n_threads];

                if (pipit_thread_start(thread, mains[store->n_threads], store) != 0)
                        break;
                (void)pthread_setname_np(*thread, names[store->n_threads]);
                store->n_threads++;
        }
        return store->n_threads == THREADS;
}

/* After each commit. The commit stands, whatever becomes of the checkpoint. */
static int checkpoint(void *unused, sqlite3 *db, const char *name, int n_pages)
{
        (void)unused;
        if (n_pages >= WAL_PAGES_PASSIVE)
                (void)sqlite3_wal_checkpoint_v2(db,
                                                name,
                                                n_pages >= WAL_PAGES_RESTART
                                                        ? SQLITE_CHECKPOINT_RESTART
                                                        : SQLITE_CHECKPOINT_PASSIVE,
                                                NULL,
                                                NULL);
        return SQLITE_OK;
}

static bool worker_init(struct worker *worker,
                        struct sqlite_store *store,
                        const struct users_sqlite_options *options,
                        struct pipit_error *ret_error)
{
        sqlite3 *db = schema_open(options->path, ret_error);

        if (!db)
                return false;
        worker->statements.db = db;
        worker->jobs = &store->jobs;
        worker->log = options->log;
        worker->batch_max = options->batch_max ? options->batch_max : BATCH_MAX;
        worker->batch = calloc(worker->batch_max, sizeof(struct job *));
        if (schema_set_up(db, options->path, ret_error) != PIPIT_OK)
                return false;
        if (worker->batch && statements_init(&worker->statements, db) == SQLITE_OK)
                return true;
        *ret_error = pipit_error_make(PIPIT_RESOURCE_EXHAUSTED,
                                      PIPIT_NOT_RUN,
                                      "STORE_FULL",
                                      "cannot prepare the store's statements");
        return false;
}

static bool store_init(struct sqlite_store *store,
                       const struct users_sqlite_options *options,
                       struct pipit_error *ret_error)
{
        size_t batch_max = options->batch_max ? options->batch_max : BATCH_MAX;

        if (!worker_init(&store->writer, store, options, ret_error) ||
            !worker_init(&store->reader, store, options, ret_error) ||
            schema_read_page_token_key(
                    store->writer.statements.db, options->path, store->page_token_key, ret_error) !=
                    PIPIT_OK)
                return false;

        (void)sqlite3_wal_hook(store->writer.statements.db, checkpoint, NULL);
        store->has_jobs = jobs_init(&store->jobs,
                                    options->clock,
                                    options->burst,
                                    options->queue_max ? options->queue_max : QUEUE_MAX,
                                    batch_max);
        if (store->has_jobs && start_threads(store))
                return true;
        *ret_error = pipit_error_make(PIPIT_RESOURCE_EXHAUSTED,
                                      PIPIT_NOT_RUN,
                                      "STORE_FULL",
                                      "not enough memory or threads for the store");
        return false;
}

struct users_repository *users_sqlite_new(const struct users_sqlite_options *options,
                                          struct pipit_error *ret_error)
{
        struct sqlite_store *store = calloc(1, sizeof(*store));

        if (!store) {
                *ret_error = pipit_error_make(
                        PIPIT_RESOURCE_EXHAUSTED, PIPIT_NOT_RUN, "STORE_FULL", "out of memory");
                return NULL;
        }
        store->repository.operations = &sqlite_operations;
        if (store_init(store, options, ret_error))
                return &store->repository;
        return sqlite_free(&store->repository);
}

enum pipit_status users_sqlite_migrate(const char *path,
                                       uint32_t *ret_from,
                                       uint32_t *ret_to,
                                       struct pipit_error *ret_error)
{
        sqlite3 *db = schema_open(path, ret_error);
        enum pipit_status status;

        if (!db)
                return ret_error->status;
        status = schema_migrate(db, path, ret_from, ret_to, ret_error);
        (void)sqlite3_close(db);
        return status;
}
