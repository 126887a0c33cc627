#include "server/delivery/users_v1/operation.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/macros.h"
#include "core/users/create_user.h"
#include "core/users/delete_user.h"
#include "core/users/errors.h"
#include "core/users/get_user.h"
#include "core/users/list_users.h"
#include "core/users/update_user.h"
#include "server/delivery/users_v1/page_token.h"
#include "server/delivery/users_v1/request_hash.h"

/* --- plain values -> messages ---------------------------------------------- */

/* A User message and the memory that its pointers need. */
struct user_view {
        Users__V1__User message;
        Google__Protobuf__Timestamp create_time;
        Google__Protobuf__Timestamp update_time;
        char id[PIPIT_UUID_TEXT_SIZE];
        char etag[USERS_ETAG_SIZE];
};

static void timestamp_set(Google__Protobuf__Timestamp *timestamp, int64_t time_us)
{
        int64_t rest_us = time_us % PIPIT_US_PER_S;

        google__protobuf__timestamp__init(timestamp);
        timestamp->seconds = time_us / PIPIT_US_PER_S - (rest_us < 0 ? 1 : 0);
        timestamp->nanos = (int32_t)((rest_us < 0 ? rest_us + PIPIT_US_PER_S : rest_us) * 1000);
}

/* Borrows the strings of *user. A user that is not stored (validate_only) has no id, times and etag. */
static void user_view_set(struct user_view *view, const struct user *user)
{
        users__v1__user__init(&view->message);
        view->message.email = (char *)user->email;
        view->message.name = (char *)user->name;
        view->message._age_case = USERS__V1__USER___AGE_AGE;
        view->message.age = user->age;
        if (user->version == 0)
                return;

        pipit_uuid_format(&user->id, view->id);
        users_etag_format(user->version, view->etag);
        timestamp_set(&view->create_time, user->create_time_us);
        timestamp_set(&view->update_time, user->update_time_us);
        view->message.id = view->id;
        view->message.etag = view->etag;
        view->message.create_time = &view->create_time;
        view->message.update_time = &view->update_time;
}

static void operation_fail(struct users_v1_operation *operation, const struct pipit_error *error)
{
        operation->done(operation, NULL, error);
}

static void operation_finish_user(struct users_v1_operation *operation,
                                  const struct pipit_error *error,
                                  const struct user *user)
{
        struct user_view view;

        if (error->status != PIPIT_OK) {
                operation_fail(operation, error);
                return;
        }

        user_view_set(&view, user);
        operation->done(operation, &view.message.base, error);
}

static void operation_fail_memory(struct users_v1_operation *operation)
{
        struct pipit_error error = pipit_error_make(PIPIT_RESOURCE_EXHAUSTED,
                                                    PIPIT_NOT_RUN,
                                                    "OUT_OF_MEMORY",
                                                    "the server is out of memory for this call");

        operation_fail(operation, &error);
}

/* NULL: out of memory, and the operation has failed. */
static void *memory_for(struct users_v1_operation *operation, size_t n_bytes)
{
        void *memory = operation->alloc(operation, n_bytes);

        if (!memory)
                operation_fail_memory(operation);

        return memory;
}

static bool is_set(const char *string)
{
        return string && string[0] != '\0';
}

/* --- CreateUser -------------------------------------------------------------- */

struct create_run {
        struct users_v1_operation *operation;
        struct create_user use_case;
};

static void create_user_done(struct create_user *op)
{
        struct users_v1_operation *operation =
                pipit_container_of(op, struct create_run, use_case)->operation;

        operation_finish_user(operation, &op->error, &op->user);
}

void users_v1_create_user_run(struct users_v1_operation *operation,
                              const Users__V1__CreateUserRequest *request)
{
        struct create_run *run = memory_for(operation, sizeof(*run));
        struct create_user *op;

        if (!run)
                return;
        run->operation = operation;
        op = &run->use_case;
        if (request->user) {
                op->email = request->user->email;
                op->name = request->user->name;
                op->has_age = request->user->_age_case == USERS__V1__USER___AGE_AGE;
                op->age = op->has_age ? request->user->age : 0;
        }
        op->request_id = request->request_id;
        op->validate_only = request->validate_only;
        op->write.principal = operation->principal;
        if (is_set(request->request_id))
                users_v1_hash_create_user(request, op->write.request_hash);
        op->deadline_us = operation->deadline_us;
        op->cancelled = operation->cancelled;
        op->done = create_user_done;
        create_user_start(op, operation->ports);
}

/* --- GetUser ----------------------------------------------------------------- */

struct get_run {
        struct users_v1_operation *operation;
        struct get_user use_case;
};

static void get_user_done(struct get_user *op)
{
        struct users_v1_operation *operation =
                pipit_container_of(op, struct get_run, use_case)->operation;

        operation_finish_user(operation, &op->error, &op->user);
}

void users_v1_get_user_run(struct users_v1_operation *operation,
                           const Users__V1__GetUserRequest *request)
{
        struct get_run *run = memory_for(operation, sizeof(*run));
        struct get_user *op;

        if (!run)
                return;
        run->operation = operation;
        op = &run->use_case;
        if (request->key_case == USERS__V1__GET_USER_REQUEST__KEY_ID)
                op->id = request->id;
        else if (request->key_case == USERS__V1__GET_USER_REQUEST__KEY_EMAIL)
                op->email = request->email;
        op->deadline_us = operation->deadline_us;
        op->cancelled = operation->cancelled;
        op->done = get_user_done;
        get_user_start(op, operation->ports);
}

/* --- UpdateUser -------------------------------------------------------------- */

struct update_run {
        struct users_v1_operation *operation;
        struct update_user use_case;
};

static void update_user_done(struct update_user *op)
{
        struct users_v1_operation *operation =
                pipit_container_of(op, struct update_run, use_case)->operation;

        operation_finish_user(operation, &op->error, &op->user);
}

void users_v1_update_user_run(struct users_v1_operation *operation,
                              const Users__V1__UpdateUserRequest *request)
{
        struct update_run *run = memory_for(operation, sizeof(*run));
        struct update_user *op;

        if (!run)
                return;
        run->operation = operation;
        op = &run->use_case;
        if (request->user) {
                op->id = request->user->id;
                op->email = request->user->email;
                op->name = request->user->name;
                op->etag = request->user->etag;
                op->has_age = request->user->_age_case == USERS__V1__USER___AGE_AGE;
                op->age = op->has_age ? request->user->age : 0;
        }
        if (request->update_mask) {
                op->mask_paths = (const char *const *)request->update_mask->paths;
                op->n_mask_paths = request->update_mask->n_paths;
        }
        op->request_id = request->request_id;
        op->validate_only = request->validate_only;
        op->write.principal = operation->principal;
        if (is_set(request->request_id))
                users_v1_hash_update_user(request, op->write.request_hash);
        op->deadline_us = operation->deadline_us;
        op->cancelled = operation->cancelled;
        op->done = update_user_done;
        update_user_start(op, operation->ports);
}

/* --- DeleteUser -------------------------------------------------------------- */

struct delete_run {
        struct users_v1_operation *operation;
        struct delete_user use_case;
};

static void delete_user_done(struct delete_user *op)
{
        struct users_v1_operation *operation =
                pipit_container_of(op, struct delete_run, use_case)->operation;
        Google__Protobuf__Empty empty = GOOGLE__PROTOBUF__EMPTY__INIT;

        if (op->error.status != PIPIT_OK)
                operation_fail(operation, &op->error);
        else
                operation->done(operation, &empty.base, &op->error);
}

void users_v1_delete_user_run(struct users_v1_operation *operation,
                              const Users__V1__DeleteUserRequest *request)
{
        struct delete_run *run = memory_for(operation, sizeof(*run));
        struct delete_user *op;

        if (!run)
                return;
        run->operation = operation;
        op = &run->use_case;
        op->id = request->id;
        op->etag = request->etag;
        op->request_id = request->request_id;
        op->write.principal = operation->principal;
        if (is_set(request->request_id))
                users_v1_hash_delete_user(request, op->write.request_hash);
        op->deadline_us = operation->deadline_us;
        op->cancelled = operation->cancelled;
        op->done = delete_user_done;
        delete_user_start(op, operation->ports);
}

/* --- ListUsers --------------------------------------------------------------- */

static const uint8_t *page_token_key(const struct users_v1_operation *operation)
{
        return users_repository_page_token_key(operation->ports->repository);
}

/* NULL: out of memory. The messages that view the page's users, with the pointers to them. */
static struct user_view *views_new(const struct list_users *op, Users__V1__User ***ret_users)
{
        struct user_view *views = calloc(op->n_users + 1, sizeof(*views) + sizeof(**ret_users));

        if (!views)
                return NULL;

        *ret_users = (Users__V1__User **)(void *)(views + op->n_users + 1);
        for (size_t i = 0; i < op->n_users; i++) {
                user_view_set(&views[i], &op->users[i]);
                (*ret_users)[i] = &views[i].message;
        }

        return views;
}

static void operation_finish_list(struct users_v1_operation *operation, const struct list_users *op)
{
        Users__V1__ListUsersResponse response = USERS__V1__LIST_USERS_RESPONSE__INIT;
        char token[USERS_V1_PAGE_TOKEN_SIZE];
        struct user_view *views;

        if (op->error.status != PIPIT_OK) {
                operation_fail(operation, &op->error);
                return;
        }
        views = views_new(op, &response.users);
        if (!views) {
                operation_fail_memory(operation);
                return;
        }

        response.n_users = op->n_users;
        if (op->has_more) {
                users_v1_page_token_write(
                        page_token_key(operation), &op->users[op->n_users - 1].id, token);
                response.next_page_token = token;
        }
        operation->done(operation, &response.base, &op->error);
        free(views);
}

struct list_run {
        struct users_v1_operation *operation;
        struct list_users use_case;
};

static void list_users_done(struct list_users *op)
{
        struct list_run *run = pipit_container_of(op, struct list_run, use_case);
        struct user *users = op->users;

        operation_finish_list(run->operation, op);
        free(users);
}

void users_v1_list_users_run(struct users_v1_operation *operation,
                             const Users__V1__ListUsersRequest *request)
{
        struct list_run *run = memory_for(operation, sizeof(*run));
        struct list_users *op;

        if (!run)
                return;
        run->operation = operation;
        op = &run->use_case;
        if (is_set(request->page_token)) {
                op->has_after = users_v1_page_token_read(
                        page_token_key(operation), request->page_token, &op->after);
                if (!op->has_after) {
                        struct pipit_error error =
                                users_error_make(USERS_ERROR_PAGE_TOKEN_INVALID, PIPIT_NOT_RUN);

                        operation_fail(operation, &error);
                        return;
                }
        }
        op->page_size = request->page_size;
        /*
         * Neither the call's memory nor zeroed: room for the largest page is 0.8 MB,
         * of which nothing is touched while the list waits for its turn, and which
         * is not to outlive it in a frame that has slower calls.
         */
        op->users = malloc(list_users_room(op->page_size) * sizeof(*op->users));
        if (!op->users) {
                operation_fail_memory(operation);
                return;
        }
        op->deadline_us = operation->deadline_us;
        op->cancelled = operation->cancelled;
        op->done = list_users_done;
        list_users_start(op, operation->ports);
}
