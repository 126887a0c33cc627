/*
 * Use case: create a user
 *
 *      check the input -> give it an id -> insert it
 *
 * Knows nothing of protobuf, nng or SQL.
 */

#ifndef CORE_USERS_CREATE_USER_H
#define CORE_USERS_CREATE_USER_H

#include "core/users/ports.h"
#include "core/users/rules.h"

struct create_user;

typedef void (*create_user_done_fn)(struct create_user *op);

/*
 * struct create_user - one run of the use case
 *
 * Owned by the caller, zero-initialised, not reusable while in flight. Embed it
 * next to what done() will need. The strings are NUL-terminated, unchecked, and
 * borrowed until done(); NULL is absent.
 */
struct create_user {
        /* in */
        const char *email;
        const char *name;
        bool has_age;
        uint32_t age;
        const char *request_id; /* unchecked: sets write.has_request_id and write.request_id */
        bool validate_only;
        struct users_write write; /* principal and request_hash */
        int64_t deadline_us;      /* CLOCK_MONOTONIC */
        const atomic_bool *cancelled;
        create_user_done_fn done;

        /* out, valid inside done() */
        struct pipit_error error;
        struct user
                user; /* as stored, if error.status is PIPIT_OK; validate_only: id, times and version are zero */

        /* private */
        struct users_request request;
        struct users_violations violations;
        struct user draft;
        const struct users_ports *ports;
};

/*
 * Start the use case. op->done() runs exactly once, possibly before this
 * returns, on any thread. @ports outlives the operation.
 *
 * validate_only makes every check that needs no write, email in use included.
 *
 * PIPIT_INVALID_ARGUMENT    FIELD_INVALID, with every violation; REQUEST_ID_REUSED
 * PIPIT_ALREADY_EXISTS      EMAIL_TAKEN
 * PIPIT_DEADLINE_EXCEEDED, PIPIT_UNAVAILABLE, PIPIT_RESOURCE_EXHAUSTED
 *                           op->error.ran tells whether it may have been stored
 */
void create_user_start(struct create_user *op, const struct users_ports *ports);

#endif
