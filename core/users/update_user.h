/*
 * Use case: change a user
 *
 *      read the mask -> check what it names -> update, guarded by the etag
 */

#ifndef CORE_USERS_UPDATE_USER_H
#define CORE_USERS_UPDATE_USER_H

#include "core/users/ports.h"
#include "core/users/rules.h"

struct update_user;

typedef void (*update_user_done_fn)(struct update_user *op);

/* As struct create_user: the caller's, zero-initialised, strings borrowed until done(). */
struct update_user {
        /* in */
        const char *id;
        const char *email; /* "" and NULL: not set */
        const char *name;
        bool has_age;
        uint32_t age;
        const char *etag; /* "" and NULL: no guard */
        const char *const *mask_paths;
        size_t n_mask_paths; /* 0: the fields that are set */
        const char *request_id;
        bool validate_only;
        struct users_write write; /* principal and request_hash */
        int64_t deadline_us;
        const atomic_bool *cancelled;
        update_user_done_fn done;

        /* out, valid inside done() */
        struct pipit_error error;
        struct user user; /* after the change */

        /* private */
        struct users_request request;
        struct users_violations violations;
        struct user draft;
        struct users_changes changes;
        uint64_t want_version;
        struct user found;
        const struct users_ports *ports;
};

/*
 * "*" is email, name and age: each must then be there and valid. A path that is
 * none of the three, or no path and no field set: MASK_INVALID. validate_only
 * reads the user and checks existence, etag and email without writing; the user
 * comes back as it would be, with id, times and version zero.
 *
 * PIPIT_INVALID_ARGUMENT    FIELD_INVALID, MASK_INVALID, REQUEST_ID_REUSED
 * PIPIT_NOT_FOUND           USER_NOT_FOUND
 * PIPIT_ABORTED             ETAG_MISMATCH
 * PIPIT_ALREADY_EXISTS      EMAIL_TAKEN
 */
void update_user_start(struct update_user *op, const struct users_ports *ports);

#endif
