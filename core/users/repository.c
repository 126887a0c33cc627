#include "core/users/repository.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/users/errors.h"

bool users_request_is_over(const struct users_request *request,
                           int64_t now_us,
                           struct pipit_error *ret_error)
{
        if (request->cancelled && atomic_load_explicit(request->cancelled, memory_order_acquire)) {
                *ret_error = users_error_make(USERS_ERROR_CANCELLED, PIPIT_NOT_RUN);
                return true;
        }
        if (request->deadline_us != PIPIT_NEVER_US && request->deadline_us <= now_us) {
                *ret_error = users_error_make(USERS_ERROR_DEADLINE, PIPIT_NOT_RUN);
                return true;
        }
        return false;
}

void users_request_complete(struct users_request *request, struct pipit_error error)
{
        request->error = error;
        request->done(request);
}

/* Stores keep the principal in fixed room, so one that does not fit is refused before them. */
static bool write_fits(const struct users_write *write)
{
        return strnlen(write->principal, USERS_PRINCIPAL_BYTES_MAX + 1) <=
               USERS_PRINCIPAL_BYTES_MAX;
}

static void refuse(struct users_request *request)
{
        users_request_complete(request, users_error_make(USERS_ERROR_STORE_FAILED, PIPIT_NOT_RUN));
}

void users_repository_insert(struct users_repository *repository,
                             struct users_request *request,
                             const struct users_write *write,
                             const struct user *user,
                             struct user *ret_user)
{
        if (!write_fits(write)) {
                refuse(request);
                return;
        }
        repository->operations->insert(repository, request, write, user, ret_user);
}

void users_repository_find_by_id(struct users_repository *repository,
                                 struct users_request *request,
                                 const struct pipit_uuid *id,
                                 struct user *ret_user)
{
        repository->operations->find_by_id(repository, request, id, ret_user);
}

void users_repository_find_by_email(struct users_repository *repository,
                                    struct users_request *request,
                                    const char *email_key,
                                    struct user *ret_user)
{
        if (strnlen(email_key, USER_EMAIL_BYTES_MAX + 1) > USER_EMAIL_BYTES_MAX) {
                refuse(request);
                return;
        }
        repository->operations->find_by_email(repository, request, email_key, ret_user);
}

void users_repository_update(struct users_repository *repository,
                             struct users_request *request,
                             const struct users_write *write,
                             const struct user *user,
                             const struct users_changes *changes,
                             uint64_t want_version,
                             struct user *ret_user)
{
        if (!write_fits(write)) {
                refuse(request);
                return;
        }
        repository->operations->update(
                repository, request, write, user, changes, want_version, ret_user);
}

void users_repository_delete(struct users_repository *repository,
                             struct users_request *request,
                             const struct users_write *write,
                             const struct pipit_uuid *id,
                             uint64_t want_version)
{
        if (!write_fits(write)) {
                refuse(request);
                return;
        }
        repository->operations->remove(repository, request, write, id, want_version);
}

void users_repository_list(struct users_repository *repository,
                           struct users_request *request,
                           const struct pipit_uuid *after,
                           size_t max_users,
                           struct user *ret_users)
{
        request->n_users = 0;
        if (max_users == 0) {
                users_request_complete(request, (struct pipit_error){0});
                return;
        }
        repository->operations->list(repository, request, after, max_users, ret_users);
}

const uint8_t *users_repository_page_token_key(const struct users_repository *repository)
{
        return repository->operations->page_token_key(repository);
}

struct users_repository *users_repository_free(struct users_repository *repository)
{
        if (!repository)
                return NULL;
        return repository->operations->free(repository);
}
