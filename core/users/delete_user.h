/*
 * Use case: delete a user
 */

#ifndef CORE_USERS_DELETE_USER_H
#define CORE_USERS_DELETE_USER_H

#include "core/users/ports.h"
#include "core/users/rules.h"

struct delete_user;

typedef void (*delete_user_done_fn)(struct delete_user *op);

/* As struct create_user: the caller's, zero-initialised, strings borrowed until done(). */
struct delete_user {
        /* in */
        const char *id;
        const char *etag; /* "" and NULL: no guard */
        const char *request_id;
        struct users_write write; /* principal and request_hash */
        int64_t deadline_us;
        const atomic_bool *cancelled;
        delete_user_done_fn done;

        /* out, valid inside done() */
        struct pipit_error error;

        /* private */
        struct users_request request;
        struct users_violations violations;
        struct pipit_uuid key_id;
        uint64_t want_version;
};

/*
 * PIPIT_INVALID_ARGUMENT    FIELD_INVALID, REQUEST_ID_REUSED
 * PIPIT_NOT_FOUND           USER_NOT_FOUND
 * PIPIT_ABORTED             ETAG_MISMATCH
 */
void delete_user_start(struct delete_user *op, const struct users_ports *ports);

#endif
