#include "tests/unit/users/fixture.h"

#include <string.h>

static void answer(struct users_repository *repository,
                   struct users_request *request,
                   enum asked asked,
                   struct user *ret_user)
{
        struct fake *fake = pipit_container_of(repository, struct fake, repository);
        const struct answer *given = &fake->answers[fake->n_asked];

        assert_true(fake->n_asked < PIPIT_N_ELEMENTS(fake->answers));
        fake->asked[fake->n_asked++] = asked;
        fake->deadline_us = request->deadline_us;
        fake->cancelled = request->cancelled;
        request->n_users = given->n_users;
        if (ret_user && given->error.status == PIPIT_OK)
                *ret_user = given->user;
        users_request_complete(request, given->error);
}

static struct fake *fake_from(struct users_repository *repository)
{
        return pipit_container_of(repository, struct fake, repository);
}

static void fake_insert(struct users_repository *repository,
                        struct users_request *request,
                        const struct users_write *write,
                        const struct user *user,
                        struct user *ret_user)
{
        fake_from(repository)->user = *user;
        fake_from(repository)->write = *write;
        fake_from(repository)->answers[0].user = *user;
        answer(repository, request, ASKED_INSERT, ret_user);
}

static void fake_find_by_id(struct users_repository *repository,
                            struct users_request *request,
                            const struct pipit_uuid *id,
                            struct user *ret_user)
{
        fake_from(repository)->id = *id;
        answer(repository, request, ASKED_FIND_BY_ID, ret_user);
}

static void fake_find_by_email(struct users_repository *repository,
                               struct users_request *request,
                               const char *email_key,
                               struct user *ret_user)
{
        strcpy(fake_from(repository)->email_key, email_key);
        answer(repository, request, ASKED_FIND_BY_EMAIL, ret_user);
}

static void fake_update(struct users_repository *repository,
                        struct users_request *request,
                        const struct users_write *write,
                        const struct user *user,
                        const struct users_changes *changes,
                        uint64_t want_version,
                        struct user *ret_user)
{
        struct fake *fake = fake_from(repository);

        fake->user = *user;
        fake->write = *write;
        fake->changes = *changes;
        fake->want_version = want_version;
        answer(repository, request, ASKED_UPDATE, ret_user);
}

static void fake_remove(struct users_repository *repository,
                        struct users_request *request,
                        const struct users_write *write,
                        const struct pipit_uuid *id,
                        uint64_t want_version)
{
        struct fake *fake = fake_from(repository);

        fake->write = *write;
        fake->id = *id;
        fake->want_version = want_version;
        answer(repository, request, ASKED_DELETE, NULL);
}

static void fake_list(struct users_repository *repository,
                      struct users_request *request,
                      const struct pipit_uuid *after,
                      size_t max_users,
                      struct user *ret_users)
{
        struct fake *fake = fake_from(repository);

        (void)ret_users;
        fake->has_after = after;
        if (after)
                fake->id = *after;
        fake->max_users = max_users;
        answer(repository, request, ASKED_LIST, NULL);
}

static const struct users_repository_operations fake_operations = {
        .insert = fake_insert,
        .find_by_id = fake_find_by_id,
        .find_by_email = fake_find_by_email,
        .update = fake_update,
        .remove = fake_remove,
        .list = fake_list,
};

static int64_t fake_wall_us(void *context)
{
        (void)context;
        return NOW_US;
}

static struct pipit_uuid fake_new_id(int64_t wall_us)
{
        struct pipit_uuid id = {{1, 2, 3}};

        assert_int_equal(wall_us, NOW_US);
        return id;
}

static const struct pipit_clock fake_clock = {fake_wall_us, fake_wall_us, NULL};

void fixture_init(struct fixture *fixture)
{
        *fixture = (struct fixture){.fake.repository.operations = &fake_operations};
        fixture->ports = (struct users_ports){&fixture->fake.repository, &fake_clock, fake_new_id};
}

static unsigned n_done;

static void create_done(struct create_user *op)
{
        (void)op;
        n_done++;
}

static void get_done(struct get_user *op)
{
        (void)op;
        n_done++;
}

static void update_done(struct update_user *op)
{
        (void)op;
        n_done++;
}

static void delete_done(struct delete_user *op)
{
        (void)op;
        n_done++;
}

static void list_done(struct list_users *op)
{
        (void)op;
        n_done++;
}

void run_create(struct fixture *fixture, struct create_user *op)
{
        n_done = 0;
        op->done = create_done;
        op->write.principal = "self";
        create_user_start(op, &fixture->ports);
        assert_int_equal(n_done, 1);
}

void run_get(struct fixture *fixture, struct get_user *op)
{
        n_done = 0;
        op->done = get_done;
        get_user_start(op, &fixture->ports);
        assert_int_equal(n_done, 1);
}

void run_update(struct fixture *fixture, struct update_user *op)
{
        n_done = 0;
        op->done = update_done;
        op->write.principal = "self";
        update_user_start(op, &fixture->ports);
        assert_int_equal(n_done, 1);
}

void run_delete(struct fixture *fixture, struct delete_user *op)
{
        n_done = 0;
        op->done = delete_done;
        op->write.principal = "self";
        delete_user_start(op, &fixture->ports);
        assert_int_equal(n_done, 1);
}

void run_list(struct fixture *fixture, struct list_users *op)
{
        n_done = 0;
        op->done = list_done;
        list_users_start(op, &fixture->ports);
        assert_int_equal(n_done, 1);
}

void assert_reason(const struct pipit_error *error, const char *reason)
{
        assert_non_null(error->reason);
        assert_string_equal(error->reason, reason);
}

void assert_fields(const struct pipit_error *error, const char *fields)
{
        char got[512] = "";

        for (size_t i = 0; i < error->n_violations; i++) {
                if (i > 0)
                        strcat(got, " ");
                strcat(got, error->violations[i].field);
        }
        assert_string_equal(got, fields);
        assert_int_equal(error->status, PIPIT_INVALID_ARGUMENT);
        assert_int_equal(error->ran, PIPIT_NOT_RUN);
}
