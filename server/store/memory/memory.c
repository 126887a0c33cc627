#include "server/store/memory/memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/users/errors.h"
#include "server/store/memory/request_log.h"
#include "server/store/memory/treap.h"

struct row {
        struct treap_node by_id;
        struct treap_node by_email;
        struct user user;
};

struct memory {
        struct users_repository repository;
        const struct pipit_clock *clock;
        uint8_t page_token_key[32];

        pthread_mutex_t lock; /* guards the rest; never held over done() */
        struct treap by_id;
        struct treap by_email;
        struct request_log log;
};

/*
 * One write under way: its request log record is made before the lock is taken,
 * and freed after it if it did not go into the log.
 */
struct write {
        struct request_log_record *record; /* NULL: no request_id */
        int64_t now_us;
};

static struct memory *memory_from(struct users_repository *repository)
{
        return pipit_container_of(repository, struct memory, repository);
}

static int compare_ids(const void *key, const struct treap_node *node)
{
        return memcmp(key,
                      &pipit_container_of(node, struct row, by_id)->user.id,
                      sizeof(struct pipit_uuid));
}

static int compare_emails(const void *key, const struct treap_node *node)
{
        return strcmp(key, pipit_container_of(node, struct row, by_email)->user.email_key);
}

static struct row *find_row(struct memory *memory, const struct pipit_uuid *id)
{
        struct treap_node *node = treap_find(&memory->by_id, id);

        return node ? pipit_container_of(node, struct row, by_id) : NULL;
}

static struct row *find_row_by_email(struct memory *memory, const char *email_key)
{
        struct treap_node *node = treap_find(&memory->by_email, email_key);

        return node ? pipit_container_of(node, struct row, by_email) : NULL;
}

static bool is_over(struct memory *memory, struct users_request *request)
{
        struct pipit_error error;

        if (!users_request_is_over(request, memory->clock->now_us(memory->clock->context), &error))
                return false;
        users_request_complete(request, error);
        return true;
}

static struct pipit_error out_of_memory(void)
{
        return users_error_make(USERS_ERROR_STORE_FULL, PIPIT_NOT_RUN);
}

static bool write_init(struct write *write,
                       struct memory *memory,
                       const struct users_write *in,
                       enum write_kind kind)
{
        *write = (struct write){.now_us = memory->clock->wall_us(memory->clock->context)};
        if (!in->has_request_id)
                return true;
        write->record = request_log_record_new(in, kind);
        return write->record;
}

/* Whether the log already knows this write: then *ret_error and *ret_user are its outcome. */
static bool replay(struct memory *memory,
                   const struct write *write,
                   struct pipit_error *ret_error,
                   struct user *ret_user)
{
        const struct request_log_record *first;

        if (!write->record)
                return false;
        first = request_log_find(&memory->log, write->record, write->now_us);
        if (!first)
                return false;

        if (first->kind != write->record->kind ||
            memcmp(first->request_hash, write->record->request_hash, sizeof(first->request_hash)) !=
                    0) {
                *ret_error = users_error_make(USERS_ERROR_REQUEST_ID_REUSED, PIPIT_RAN);
                return true;
        }
        *ret_error = (struct pipit_error){0};
        if (ret_user)
                *ret_user = first->user;
        return true;
}

/* The effect is done: from now on the log knows it. */
static void remember(struct memory *memory, struct write *write, const struct user *user)
{
        if (!write->record)
                return;
        if (user)
                write->record->user = *user;
        request_log_add(&memory->log, write->record, write->now_us);
        write->record = NULL;
}

static struct pipit_error insert_locked(struct memory *memory,
                                        struct write *write,
                                        struct row **row,
                                        struct user *ret_user)
{
        struct row *fresh = *row;
        struct pipit_error error = {0};

        if (replay(memory, write, &error, ret_user))
                return error;
        if (find_row_by_email(memory, fresh->user.email_key))
                return users_error_make(USERS_ERROR_EMAIL_TAKEN, PIPIT_RAN);
        if (find_row(memory, &fresh->user.id))
                return users_error_make(USERS_ERROR_STORE_FAILED, PIPIT_NOT_RUN);

        treap_insert(&memory->by_id, &fresh->user.id, &fresh->by_id);
        treap_insert(&memory->by_email, fresh->user.email_key, &fresh->by_email);
        remember(memory, write, &fresh->user);
        *ret_user = fresh->user;
        *row = NULL;
        return error;
}

static void memory_insert(struct users_repository *repository,
                          struct users_request *request,
                          const struct users_write *in,
                          const struct user *user,
                          struct user *ret_user)
{
        struct memory *memory = memory_from(repository);
        struct pipit_error error = out_of_memory();
        struct write write;
        struct row *row;

        if (is_over(memory, request))
                return;

        row = calloc(1, sizeof(*row));
        if (write_init(&write, memory, in, WRITE_INSERT) && row) {
                row->user = *user;
                pthread_mutex_lock(&memory->lock);
                error = insert_locked(memory, &write, &row, ret_user);
                pthread_mutex_unlock(&memory->lock);
        }
        free(row);
        free(write.record);
        users_request_complete(request, error);
}

static void find_done(struct memory *memory,
                      struct users_request *request,
                      const struct row *row,
                      struct user *ret_user)
{
        struct pipit_error error = {0};

        if (row)
                *ret_user = row->user;
        else
                error = users_error_make(USERS_ERROR_USER_NOT_FOUND, PIPIT_RAN);
        pthread_mutex_unlock(&memory->lock);
        users_request_complete(request, error);
}

static void memory_find_by_id(struct users_repository *repository,
                              struct users_request *request,
                              const struct pipit_uuid *id,
                              struct user *ret_user)
{
        struct memory *memory = memory_from(repository);

        if (is_over(memory, request))
                return;
        pthread_mutex_lock(&memory->lock);
        find_done(memory, request, find_row(memory, id), ret_user);
}

static void memory_find_by_email(struct users_repository *repository,
                                 struct users_request *request,
                                 const char *email_key,
                                 struct user *ret_user)
{
        struct memory *memory = memory_from(repository);

        if (is_over(memory, request))
                return;
        pthread_mutex_lock(&memory->lock);
        find_done(memory, request, find_row_by_email(memory, email_key), ret_user);
}

static void change(struct memory *memory,
                   struct row *row,
                   const struct user *user,
                   const struct users_changes *changes)
{
        struct user *stored = &row->user;

        if (changes->email) {
                treap_remove(&memory->by_email, stored->email_key);
                strcpy(stored->email, user->email);
                strcpy(stored->email_key, user->email_key);
                treap_insert(&memory->by_email, stored->email_key, &row->by_email);
        }
        if (changes->name)
                strcpy(stored->name, user->name);
        if (changes->age)
                stored->age = user->age;
        if (stored->update_time_us < user->update_time_us)
                stored->update_time_us = user->update_time_us;
        stored->version++;
}

static struct pipit_error update_locked(struct memory *memory,
                                        struct write *write,
                                        const struct user *user,
                                        const struct users_changes *changes,
                                        uint64_t want_version,
                                        struct user *ret_user)
{
        struct pipit_error error = {0};
        struct row *row, *holder;

        if (replay(memory, write, &error, ret_user))
                return error;
        row = find_row(memory, &user->id);
        if (!row)
                return users_error_make(USERS_ERROR_USER_NOT_FOUND, PIPIT_RAN);
        if (want_version != 0 && want_version != row->user.version)
                return users_error_make(USERS_ERROR_ETAG_MISMATCH, PIPIT_RAN);
        holder = changes->email ? find_row_by_email(memory, user->email_key) : NULL;
        if (holder && holder != row)
                return users_error_make(USERS_ERROR_EMAIL_TAKEN, PIPIT_RAN);

        change(memory, row, user, changes);
        remember(memory, write, &row->user);
        *ret_user = row->user;
        return error;
}

static void memory_update(struct users_repository *repository,
                          struct users_request *request,
                          const struct users_write *in,
                          const struct user *user,
                          const struct users_changes *changes,
                          uint64_t want_version,
                          struct user *ret_user)
{
        struct memory *memory = memory_from(repository);
        struct pipit_error error = out_of_memory();
        struct write write;

        if (is_over(memory, request))
                return;

        if (write_init(&write, memory, in, WRITE_UPDATE)) {
                pthread_mutex_lock(&memory->lock);
                error = update_locked(memory, &write, user, changes, want_version, ret_user);
                pthread_mutex_unlock(&memory->lock);
        }
        free(write.record);
        users_request_complete(request, error);
}

static struct pipit_error remove_locked(struct memory *memory,
                                        struct write *write,
                                        const struct pipit_uuid *id,
                                        uint64_t want_version)
{
        struct pipit_error error = {0};
        struct row *row;

        if (replay(memory, write, &error, NULL))
                return error;
        row = find_row(memory, id);
        if (!row)
                return users_error_make(USERS_ERROR_USER_NOT_FOUND, PIPIT_RAN);
        if (want_version != 0 && want_version != row->user.version)
                return users_error_make(USERS_ERROR_ETAG_MISMATCH, PIPIT_RAN);

        treap_remove(&memory->by_id, id);
        treap_remove(&memory->by_email, row->user.email_key);
        free(row);
        remember(memory, write, NULL);
        return error;
}

static void memory_remove(struct users_repository *repository,
                          struct users_request *request,
                          const struct users_write *in,
                          const struct pipit_uuid *id,
                          uint64_t want_version)
{
        struct memory *memory = memory_from(repository);
        struct pipit_error error = out_of_memory();
        struct write write;

        if (is_over(memory, request))
                return;

        if (write_init(&write, memory, in, WRITE_DELETE)) {
                pthread_mutex_lock(&memory->lock);
                error = remove_locked(memory, &write, id, want_version);
                pthread_mutex_unlock(&memory->lock);
        }
        free(write.record);
        users_request_complete(request, error);
}

static void memory_list(struct users_repository *repository,
                        struct users_request *request,
                        const struct pipit_uuid *after,
                        size_t max_users,
                        struct user *ret_users)
{
        struct memory *memory = memory_from(repository);
        struct treap_node *node;
        size_t n = 0;

        if (is_over(memory, request))
                return;

        pthread_mutex_lock(&memory->lock);
        node = after ? treap_after(&memory->by_id, after) : treap_first(&memory->by_id);
        while (node && n < max_users) {
                ret_users[n] = pipit_container_of(node, struct row, by_id)->user;
                node = treap_after(&memory->by_id, &ret_users[n].id);
                n++;
        }
        pthread_mutex_unlock(&memory->lock);

        request->n_users = n;
        users_request_complete(request, (struct pipit_error){0});
}

static const uint8_t *memory_page_token_key(const struct users_repository *repository)
{
        return pipit_container_of(repository, const struct memory, repository)->page_token_key;
}

static struct users_repository *memory_free(struct users_repository *repository)
{
        struct memory *memory = memory_from(repository);

        while (memory->by_id.root) {
                struct row *row = pipit_container_of(memory->by_id.root, struct row, by_id);

                treap_remove(&memory->by_id, &row->user.id);
                free(row);
        }
        request_log_deinit(&memory->log);
        pthread_mutex_destroy(&memory->lock);
        free(memory);
        return NULL;
}

static const struct users_repository_operations memory_operations = {
        .insert = memory_insert,
        .find_by_id = memory_find_by_id,
        .find_by_email = memory_find_by_email,
        .update = memory_update,
        .remove = memory_remove,
        .list = memory_list,
        .page_token_key = memory_page_token_key,
        .free = memory_free,
};

struct users_repository *users_memory_new(const struct pipit_clock *clock)
{
        struct memory *memory = calloc(1, sizeof(*memory));

        if (!memory)
                return NULL;

        memory->repository.operations = &memory_operations;
        memory->clock = clock;
        memory->by_id.compare = compare_ids;
        memory->by_email.compare = compare_emails;
        request_log_init(&memory->log);
        pthread_mutex_init(&memory->lock, NULL);
        pipit_random_bytes(memory->page_token_key, sizeof(memory->page_token_key));
        return &memory->repository;
}
