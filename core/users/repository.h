/*
 * Users repository port
 *
 * The one door between the use cases and storage. Implementations live in
 * server/store/ and must pass tests/contract/.
 *
 * Rules that hold for every operation:
 *
 *   1. Submitting cannot fail. Each submitted request completes exactly once,
 *      through done(), with its outcome in request->error.
 *   2. done() may run before the submitting call returns, and on any thread. So
 *      submit as the last thing a function does, and hold no lock.
 *   3. The request, and every pointer submitted with it, is borrowed until
 *      done(). Inside done() the request may be reused or its memory released.
 *   4. request->error.ran says what is known: NOT_RUN, MAY_HAVE_RUN or RAN. What
 *      the store decided on its data (EMAIL_TAKEN, USER_NOT_FOUND, ETAG_MISMATCH,
 *      REQUEST_ID_REUSED) is RAN. A success is all zero: complete, and as durable
 *      as the store can make it.
 *   5. Expired or cancelled while it waited in a queue: DEADLINE_EXCEEDED or
 *      CANCELLED, NOT_RUN. At its deadline a request in flight completes as
 *      DEADLINE_EXCEEDED, MAY_HAVE_RUN (a read: NOT_RUN), whatever the database
 *      does: the implementation has copied what it sent and keeps no pointer
 *      into the request.
 *   6. *ret_user is written on success only.
 *   7. A full queue: RESOURCE_EXHAUSTED (STORE_BUSY), NOT_RUN. A store that
 *      cannot be reached: UNAVAILABLE (STORE_UNAVAILABLE). Anything that should
 *      not be: INTERNAL (STORE_FAILED), the cause logged once, not shown.
 *
 * Writes that carry a request_id go through the request log in the same
 * transaction: claim the log row; if it was there, compare the operation and the
 * hash and give back the user that the first one left, or REQUEST_ID_REUSED (the
 * same bytes can be a create and an update); else do the effect, and drop the claim if the effect failed (so a failed write may be
 * repeated under the same request_id and is decided anew).
 */

#ifndef CORE_USERS_REPOSITORY_H
#define CORE_USERS_REPOSITORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/macros.h"
#include "core/base/status.h"
#include "core/users/user.h"

struct users_repository;
struct users_request;

typedef void (*users_request_done_fn)(struct users_request *request);

/*
 * struct users_request - one storage operation in flight
 *
 * Embed it in whatever waits for it and get back with pipit_container_of().
 */
struct users_request {
        /* in */
        users_request_done_fn done;
        int64_t deadline_us;          /* CLOCK_MONOTONIC; PIPIT_NEVER_US: none */
        const atomic_bool *cancelled; /* polled when taken from the queue; may be NULL */

        /* out, valid inside done() */
        struct pipit_error error;
        size_t n_users; /* entries written by users_repository_list() */

        /* private to the repository while in flight */
        struct users_request *next;
        void *state;
};

/*
 * struct users_write - who writes, and under which request_id
 *
 * A repeat of a stored write by the same principal within 24 hours does nothing
 * and yields the user that the first one left; another hash under the same id
 * is PIPIT_INVALID_ARGUMENT (REQUEST_ID_REUSED).
 */
struct users_write {
        const char *principal; /* who; at most USERS_PRINCIPAL_BYTES_MAX */
        bool has_request_id;
        uint8_t request_id[16];
        uint8_t request_hash[32]; /* SHA-256 of the request without its request_id */
};

#define USERS_PRINCIPAL_BYTES_MAX 255
#define USERS_REQUEST_LOG_TTL_US  (24LL * 3600 * 1000000)

/* Which fields of a user an update changes. */
struct users_changes {
        bool email; /* user->email and user->email_key */
        bool name;
        bool age;
};

/*
 * Inserts *user as it is: id, times and version are the caller's. All of *user
 * comes back in *ret_user (of the first write, for a repeat).
 *
 * PIPIT_ALREADY_EXISTS (EMAIL_TAKEN): the email_key is in use.
 */
void users_repository_insert(struct users_repository *repository,
                             struct users_request *request,
                             const struct users_write *write,
                             const struct user *user,
                             struct user *ret_user);

/* PIPIT_NOT_FOUND (USER_NOT_FOUND). */
void users_repository_find_by_id(struct users_repository *repository,
                                 struct users_request *request,
                                 const struct pipit_uuid *id,
                                 struct user *ret_user);

/* PIPIT_NOT_FOUND (USER_NOT_FOUND). */
void users_repository_find_by_email(struct users_repository *repository,
                                    struct users_request *request,
                                    const char *email_key,
                                    struct user *ret_user);

/*
 * Changes the fields of user->id that *changes names to those of *user, sets
 * update_time_us to the later of user->update_time_us and what is stored, and
 * raises the version by one. *ret_user is the user after it.
 *
 * @want_version 0: whatever is there.
 *
 * PIPIT_NOT_FOUND (USER_NOT_FOUND)
 * PIPIT_ABORTED (ETAG_MISMATCH)        the version is another; goes before EMAIL_TAKEN
 * PIPIT_ALREADY_EXISTS (EMAIL_TAKEN)   another user has that email_key
 */
void users_repository_update(struct users_repository *repository,
                             struct users_request *request,
                             const struct users_write *write,
                             const struct user *user,
                             const struct users_changes *changes,
                             uint64_t want_version,
                             struct user *ret_user);

/*
 * Deletes the user. With a request_id a repeat succeeds, too.
 *
 * PIPIT_NOT_FOUND (USER_NOT_FOUND)
 * PIPIT_ABORTED (ETAG_MISMATCH)
 */
void users_repository_delete(struct users_repository *repository,
                             struct users_request *request,
                             const struct users_write *write,
                             const struct pipit_uuid *id,
                             uint64_t want_version);

/*
 * Up to @max_users users with an id above @after (NULL: from the start), in
 * order of id, into @ret_users; request->n_users says how many, on success.
 */
void users_repository_list(struct users_repository *repository,
                           struct users_request *request,
                           const struct pipit_uuid *after,
                           size_t max_users,
                           struct user *ret_users);

/*
 * The store's 32 random bytes for page tokens: made when the store was set up,
 * the same for every server on it. Read when the store is opened: no waiting.
 */
const uint8_t *users_repository_page_token_key(const struct users_repository *repository);

/* All requests must have completed. NULL is a no-op. Always returns NULL. */
struct users_repository *users_repository_free(struct users_repository *repository);

PIPIT_DEFINE_CLEANUP(struct users_repository, users_repository_free);

/*
 * struct users_burst - told around the completions that a store has at once
 *
 * A store with a thread of its own calls begin() before the first done() of a
 * burst and end() after the last, on that thread, so that the delivery can send
 * what became ready together. Both may be NULL.
 */
struct users_burst {
        void (*begin)(void);
        void (*end)(void);
};

/* --- for implementations --------------------------------------------------- */

/*
 * Whether a request that has not been run is past its deadline or cancelled:
 * then *ret_error is DEADLINE or CANCELLED, NOT_RUN.
 */
bool users_request_is_over(const struct users_request *request,
                           int64_t now_us,
                           struct pipit_error *ret_error);

/* Sets the outcome and calls done(). The request is gone when this returns. */
void users_request_complete(struct users_request *request, struct pipit_error error);

struct users_repository_operations {
        void (*insert)(struct users_repository *repository,
                       struct users_request *request,
                       const struct users_write *write,
                       const struct user *user,
                       struct user *ret_user);
        void (*find_by_id)(struct users_repository *repository,
                           struct users_request *request,
                           const struct pipit_uuid *id,
                           struct user *ret_user);
        void (*find_by_email)(struct users_repository *repository,
                              struct users_request *request,
                              const char *email_key,
                              struct user *ret_user);
        void (*update)(struct users_repository *repository,
                       struct users_request *request,
                       const struct users_write *write,
                       const struct user *user,
                       const struct users_changes *changes,
                       uint64_t want_version,
                       struct user *ret_user);
        /* delete is a word of C++ */
        void (*remove)(struct users_repository *repository,
                       struct users_request *request,
                       const struct users_write *write,
                       const struct pipit_uuid *id,
                       uint64_t want_version);
        void (*list)(struct users_repository *repository,
                     struct users_request *request,
                     const struct pipit_uuid *after,
                     size_t max_users,
                     struct user *ret_users);
        const uint8_t *(*page_token_key)(const struct users_repository *repository);
        struct users_repository *(*free)(struct users_repository *repository);
};

/*
 * First member of every implementation. The public functions above have checked
 * that principals fit and that a list wants a user at least.
 */
struct users_repository {
        const struct users_repository_operations *operations;
};

#endif
