#include "tests/contract/harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/users/rules.h"

#define HANG_S 60

void waiter_init(struct waiter *waiter)
{
        pthread_condattr_t attributes;

        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(&waiter->changed, &attributes);
        pthread_condattr_destroy(&attributes);
        pthread_mutex_init(&waiter->lock, NULL);
        waiter->n_done = 0;
}

void waiter_deinit(struct waiter *waiter)
{
        pthread_cond_destroy(&waiter->changed);
        pthread_mutex_destroy(&waiter->lock);
}

void waiter_wait(struct waiter *waiter, size_t n)
{
        struct timespec until;
        size_t n_done;
        int r = 0;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += HANG_S;

        pthread_mutex_lock(&waiter->lock);
        while (waiter->n_done < n && r != ETIMEDOUT)
                r = pthread_cond_timedwait(&waiter->changed, &waiter->lock, &until);
        n_done = waiter->n_done;
        pthread_mutex_unlock(&waiter->lock);

        assert_int_equal(n_done, n);
}

static void call_done(struct users_request *request)
{
        struct call *call = pipit_container_of(request, struct call, request);
        struct waiter *waiter = call->waiter;

        atomic_fetch_add(&call->n_done, 1);
        pthread_mutex_lock(&waiter->lock);
        waiter->n_done++;
        pthread_cond_signal(&waiter->changed);
        pthread_mutex_unlock(&waiter->lock);
}

void call_init(struct call *call, struct waiter *waiter)
{
        memset(&call->out, 0xa5, sizeof(call->out));
        call->request.done = call_done;
        call->request.deadline_us = PIPIT_NEVER_US;
        call->write.principal = "uid:1000";
        call->waiter = waiter;
}

void call_insert(struct users_repository *repository, struct call *call)
{
        users_repository_insert(repository, &call->request, &call->write, &call->in, &call->out);
}

void call_find_by_id(struct users_repository *repository, struct call *call)
{
        users_repository_find_by_id(repository, &call->request, &call->in.id, &call->out);
}

void call_find_by_email(struct users_repository *repository, struct call *call)
{
        users_repository_find_by_email(repository, &call->request, call->in.email_key, &call->out);
}

void call_update(struct users_repository *repository, struct call *call)
{
        users_repository_update(repository,
                                &call->request,
                                &call->write,
                                &call->in,
                                &call->changes,
                                call->want_version,
                                &call->out);
}

void call_delete(struct users_repository *repository, struct call *call)
{
        users_repository_delete(
                repository, &call->request, &call->write, &call->in.id, call->want_version);
}

void call_wait(struct users_repository *repository, call_fn function, struct call *call)
{
        struct waiter waiter;

        waiter_init(&waiter);
        call->waiter = &waiter;
        function(repository, call);
        waiter_wait(&waiter, 1);
        waiter_deinit(&waiter);
}

struct user sample_user(const char *email)
{
        struct user user = {
                .id = pipit_uuid_v7(pipit_clock_wall_us()),
                .name = "Ada Lovelace",
                .age = 36,
                .create_time_us = INT64_C(1767323045678901),
                .update_time_us = INT64_C(1767323045678901),
                .version = 1,
        };

        strcpy(user.email, email);
        users_email_key(email, user.email_key);
        return user;
}

struct user sample_user_number(unsigned number)
{
        char email[32];

        (void)snprintf(email, sizeof(email), "User%u@example.com", number);
        return sample_user(email);
}

static struct pipit_error run(struct fixture *fixture,
                              call_fn function,
                              struct call *call,
                              struct user *ret_user)
{
        call_wait(fixture->repository, function, call);
        if (ret_user && call->request.error.status == PIPIT_OK)
                *ret_user = call->out;
        return call->request.error;
}

struct pipit_error do_insert(struct fixture *fixture,
                             const struct user *user,
                             struct user *ret_user)
{
        struct call call = {.in = *user};

        call_init(&call, NULL);
        return run(fixture, call_insert, &call, ret_user);
}

struct pipit_error do_find_by_id(struct fixture *fixture,
                                 const struct pipit_uuid *id,
                                 struct user *ret_user)
{
        struct call call = {.in.id = *id};

        call_init(&call, NULL);
        return run(fixture, call_find_by_id, &call, ret_user);
}

struct pipit_error do_find_by_email(struct fixture *fixture,
                                    const char *email_key,
                                    struct user *ret_user)
{
        struct call call = {0};

        strcpy(call.in.email_key, email_key);
        call_init(&call, NULL);
        return run(fixture, call_find_by_email, &call, ret_user);
}

struct pipit_error do_update(struct fixture *fixture,
                             const struct user *user,
                             struct users_changes changes,
                             uint64_t want_version,
                             struct user *ret_user)
{
        struct call call = {.in = *user, .changes = changes, .want_version = want_version};

        call_init(&call, NULL);
        return run(fixture, call_update, &call, ret_user);
}

struct pipit_error do_delete(struct fixture *fixture,
                             const struct pipit_uuid *id,
                             uint64_t want_version)
{
        struct call call = {.in.id = *id, .want_version = want_version};

        call_init(&call, NULL);
        return run(fixture, call_delete, &call, NULL);
}

size_t do_list(struct fixture *fixture,
               const struct pipit_uuid *after,
               size_t max_users,
               struct user *ret_users)
{
        struct waiter waiter;
        struct call call = {0};

        waiter_init(&waiter);
        call_init(&call, &waiter);
        users_repository_list(fixture->repository, &call.request, after, max_users, ret_users);
        waiter_wait(&waiter, 1);
        waiter_deinit(&waiter);

        assert_ok(call.request.error);
        assert_true(call.request.n_users <= max_users);
        return call.request.n_users;
}

size_t count_users(struct fixture *fixture)
{
        enum { ROOM = 512 };
        struct user *users = calloc(ROOM, sizeof(*users));
        struct pipit_uuid after = {0};
        size_t n, total = 0;

        assert_non_null(users);
        do {
                n = do_list(fixture, total > 0 ? &after : NULL, ROOM, users);
                if (n > 0)
                        after = users[n - 1].id;
                total += n;
        } while (n == ROOM);
        free(users);
        return total;
}

void fixture_reopen(struct fixture *fixture)
{
        users_repository_free(fixture->repository);
        fixture->repository = fixture->store->open(fixture->place, &fixture->clock);
        assert_non_null(fixture->repository);
}

struct users_write logged_write(const char *principal, uint8_t number, uint8_t body)
{
        struct users_write write = {.principal = principal, .has_request_id = true};

        memset(write.request_id, number, sizeof(write.request_id));
        memset(write.request_hash, body, sizeof(write.request_hash));
        return write;
}

void assert_error_is_(struct pipit_error error,
                      enum pipit_status status,
                      const char *reason,
                      enum pipit_ran ran,
                      const char *file,
                      int line)
{
        const char *got = error.reason ? error.reason : "no reason";
        const char *want = reason ? reason : "no reason";

        if (error.status == status && error.ran == ran && strcmp(got, want) == 0)
                return;
        print_error("%s:%d: %s (%s, %s), expected %s (%s, %s)\n",
                    file,
                    line,
                    pipit_status_name(error.status),
                    got,
                    pipit_ran_name(error.ran),
                    pipit_status_name(status),
                    want,
                    pipit_ran_name(ran));
        _fail(file, line);
}

void assert_users_equal_(const struct user *a, const struct user *b, const char *file, int line)
{
        _assert_memory_equal(&a->id, &b->id, sizeof(a->id), file, line);
        _assert_string_equal(a->email, b->email, file, line);
        _assert_string_equal(a->email_key, b->email_key, file, line);
        _assert_string_equal(a->name, b->name, file, line);
        _assert_int_equal(a->age, b->age, file, line);
        _assert_int_equal((uint64_t)a->create_time_us, (uint64_t)b->create_time_us, file, line);
        _assert_int_equal((uint64_t)a->update_time_us, (uint64_t)b->update_time_us, file, line);
        _assert_int_equal(a->version, b->version, file, line);
}
