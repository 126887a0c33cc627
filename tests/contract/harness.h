/*
 * What the battery's tests share: a store under test, calls to it, and waiting
 */

#ifndef TESTS_CONTRACT_HARNESS_H
#define TESTS_CONTRACT_HARNESS_H

/* cmocka.h wants these four before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>

#include "tests/contract/battery.h"

/* struct fixture - what each test gets as *state: an empty store, opened */
struct fixture {
        const struct battery_store *store;
        void *place;
        struct users_repository *repository;
        struct pipit_clock clock;
        atomic_llong skew_us; /* how far the wall clock is ahead of the real one */
};

struct test_table {
        const struct CMUnitTest *tests;
        size_t n;
};

extern const struct test_table crud_tests;
extern const struct test_table text_tests;
extern const struct test_table list_tests;
extern const struct test_table request_log_tests;
extern const struct test_table lifetime_tests;
extern const struct test_table concurrency_tests;

/* struct waiter - counts completions */
struct waiter {
        pthread_mutex_t lock;
        pthread_cond_t changed;
        size_t n_done;
};

void waiter_init(struct waiter *waiter);
void waiter_deinit(struct waiter *waiter);
/* Until @n completions; a minute without means that one was lost, and fails the test. */
void waiter_wait(struct waiter *waiter, size_t n);

/* struct call - one request and what it needs to live; zeroed, then call_init() */
struct call {
        struct users_request request;
        struct users_write write;
        struct users_changes changes;
        struct user in;
        struct user out; /* 0xa5 all over until it is written */
        uint64_t want_version;
        struct waiter *waiter;
        atomic_int n_done;
};

void call_init(struct call *call, struct waiter *waiter);
void call_insert(struct users_repository *repository, struct call *call);
void call_find_by_id(struct users_repository *repository, struct call *call);
void call_find_by_email(struct users_repository *repository, struct call *call);
void call_update(struct users_repository *repository, struct call *call);
void call_delete(struct users_repository *repository, struct call *call);

typedef void (*call_fn)(struct users_repository *repository, struct call *call);

/* Runs @function and waits; the outcome is in call->request.error. */
void call_wait(struct users_repository *repository, call_fn function, struct call *call);

/* A user of his own id and the given email, at its first version. */
struct user sample_user(const char *email);
/* The same, with an email of its own. */
struct user sample_user_number(unsigned number);

/* With one principal and no request_id, until done. What fails comes back as the error. */
struct pipit_error do_insert(struct fixture *fixture,
                             const struct user *user,
                             struct user *ret_user);
struct pipit_error do_find_by_id(struct fixture *fixture,
                                 const struct pipit_uuid *id,
                                 struct user *ret_user);
struct pipit_error do_find_by_email(struct fixture *fixture,
                                    const char *email_key,
                                    struct user *ret_user);
struct pipit_error do_update(struct fixture *fixture,
                             const struct user *user,
                             struct users_changes changes,
                             uint64_t want_version,
                             struct user *ret_user);
struct pipit_error do_delete(struct fixture *fixture,
                             const struct pipit_uuid *id,
                             uint64_t want_version);
size_t do_list(struct fixture *fixture,
               const struct pipit_uuid *after,
               size_t max_users,
               struct user *ret_users);
size_t count_users(struct fixture *fixture);

/* Closes and opens; only for durable stores. */
void fixture_reopen(struct fixture *fixture);

/* A write under request_id number @number, its hash made of @body. */
struct users_write logged_write(const char *principal, uint8_t number, uint8_t body);

#define assert_ok(error)                                                                           \
        assert_error_is_((error), PIPIT_OK, NULL, PIPIT_NOT_RUN, __FILE__, __LINE__)
#define assert_error(error, status, reason, ran)                                                   \
        assert_error_is_((error), (status), (reason), (ran), __FILE__, __LINE__)
#define assert_users_equal(a, b) assert_users_equal_((a), (b), __FILE__, __LINE__)
#define assert_same_id(a, b)     assert_memory_equal(&(a), &(b), sizeof(struct pipit_uuid))

void assert_error_is_(struct pipit_error error,
                      enum pipit_status status,
                      const char *reason,
                      enum pipit_ran ran,
                      const char *file,
                      int line);
void assert_users_equal_(const struct user *a, const struct user *b, const char *file, int line);

#endif
