/*
 * What use cases are tried with: a repository that says what it is told and remembers
 * what it was asked, a clock that stands still, and ids that are known
 */

#ifndef TESTS_UNIT_USERS_FIXTURE_H
#define TESTS_UNIT_USERS_FIXTURE_H

/* cmocka.h wants these four before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/users/create_user.h"
#include "core/users/delete_user.h"
#include "core/users/errors.h"
#include "core/users/get_user.h"
#include "core/users/list_users.h"
#include "core/users/update_user.h"

#define NOW_US INT64_C(1767323045678901)
#define ID     "0190a5b8-7c3e-7abc-8def-0123456789ab"

enum asked {
        ASKED_NOTHING,
        ASKED_INSERT,
        ASKED_FIND_BY_ID,
        ASKED_FIND_BY_EMAIL,
        ASKED_UPDATE,
        ASKED_DELETE,
        ASKED_LIST,
};

struct answer {
        struct pipit_error error;
        struct user user;
        size_t n_users;
};

/* The n-th question gets the n-th answer; an insert's first one is the user it stores. */
struct fake {
        struct users_repository repository;
        struct answer answers[2];
        enum asked asked[3];
        size_t n_asked;

        struct user user;
        struct users_write write;
        struct users_changes changes;
        uint64_t want_version;
        struct pipit_uuid id;
        char email_key[USER_EMAIL_BYTES_MAX + 1];
        size_t max_users;
        bool has_after;
        int64_t deadline_us;
        const atomic_bool *cancelled;
};

struct fixture {
        struct fake fake;
        struct users_ports ports;
};

void fixture_init(struct fixture *fixture);

/* Each runs the use case, and fails the test unless done() ran once. */
void run_create(struct fixture *fixture, struct create_user *op);
void run_get(struct fixture *fixture, struct get_user *op);
void run_update(struct fixture *fixture, struct update_user *op);
void run_delete(struct fixture *fixture, struct delete_user *op);
void run_list(struct fixture *fixture, struct list_users *op);

void assert_reason(const struct pipit_error *error, const char *reason);

/* An INVALID_ARGUMENT that violates @fields, space-separated, in the order they were checked. */
void assert_fields(const struct pipit_error *error, const char *fields);

#endif
