/*
 * Use case: find one user, by id or by email
 */

#ifndef CORE_USERS_GET_USER_H
#define CORE_USERS_GET_USER_H

#include "core/users/ports.h"
#include "core/users/rules.h"

struct get_user;

typedef void (*get_user_done_fn)(struct get_user *op);

/* As struct create_user: the caller's, zero-initialised, strings borrowed until done(). */
struct get_user {
        /* in: one of the two, the other NULL */
        const char *id;
        const char *email;
        int64_t deadline_us;
        const atomic_bool *cancelled;
        get_user_done_fn done;

        /* out, valid inside done() */
        struct pipit_error error;
        struct user user;

        /* private */
        struct users_request request;
        struct users_violations violations;
        struct pipit_uuid key_id;
        char key_email[USER_EMAIL_BYTES_MAX + 1];
};

/*
 * PIPIT_INVALID_ARGUMENT    FIELD_INVALID: neither key ("key"), or one that is malformed
 * PIPIT_NOT_FOUND           USER_NOT_FOUND
 */
void get_user_start(struct get_user *op, const struct users_ports *ports);

#endif
