/*
 * One users.v1 call, from message to use case and back
 *
 *      request message -> plain values -> use case -> plain values -> response message
 *
 * What every door of the service shares: the RPC door and `usersd invoke` give
 * it a request and get back a response or an error. Knows the generated
 * messages and the use cases; nothing of sockets, servers, JSON or SQL.
 */

#ifndef SERVER_DELIVERY_USERS_V1_OPERATION_H
#define SERVER_DELIVERY_USERS_V1_OPERATION_H

#include <protobuf-c/protobuf-c.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"
#include "core/users/ports.h"
#include "users/v1/users.pb-c.h"

struct users_v1_operation;

/*
 * The end: @response or, where it failed, NULL and *error. Both are borrowed
 * while this runs; the operation may be released here.
 */
typedef void (*users_v1_done_fn)(struct users_v1_operation *operation,
                                 const ProtobufCMessage *response,
                                 const struct pipit_error *error);

/*
 * Zeroed memory for what this operation's method needs, a few kB at most. It lives as
 * long as the operation does: what done() is given lies in it, and nothing looks at it
 * after done(). NULL: there is none, and the operation fails. Called once at most, by
 * the starting function.
 */
typedef void *(*users_v1_alloc_fn)(struct users_v1_operation *operation, size_t n_bytes);

/*
 * struct users_v1_operation
 *
 * Zero-initialised, the caller's, embedded in what done() needs. done() runs
 * exactly once, possibly before the starting function returns, on any thread.
 */
struct users_v1_operation {
        /* in; all outlives the operation */
        const struct users_ports *ports;
        const char *principal;
        int64_t deadline_us;
        const atomic_bool *cancelled; /* may be NULL */
        users_v1_alloc_fn alloc;
        users_v1_done_fn done;
};

/* Each borrows @request until done(). Errors: those of the use case; see the .proto. */
void users_v1_create_user_run(struct users_v1_operation *operation,
                              const Users__V1__CreateUserRequest *request);
void users_v1_get_user_run(struct users_v1_operation *operation,
                           const Users__V1__GetUserRequest *request);
void users_v1_update_user_run(struct users_v1_operation *operation,
                              const Users__V1__UpdateUserRequest *request);
void users_v1_delete_user_run(struct users_v1_operation *operation,
                              const Users__V1__DeleteUserRequest *request);
void users_v1_list_users_run(struct users_v1_operation *operation,
                             const Users__V1__ListUsersRequest *request);

#endif
