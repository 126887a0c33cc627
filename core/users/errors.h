/*
 * The errors of the users domain: one table, so that three stores and two
 * deliveries say the same
 */

#ifndef CORE_USERS_ERRORS_H
#define CORE_USERS_ERRORS_H

#include "core/base/status.h"

#define USERS_ERROR_DOMAIN "users.v1"

/* X(name, status, reason, message) */
#define USERS_ERROR_MAP(X)                                                                         \
        X(FIELD_INVALID,                                                                           \
          INVALID_ARGUMENT,                                                                        \
          "FIELD_INVALID",                                                                         \
          "the request breaks the rules of its fields")                                            \
        X(MASK_INVALID,                                                                            \
          INVALID_ARGUMENT,                                                                        \
          "MASK_INVALID",                                                                          \
          "update_mask must name email, name or age, or be \"*\"")                                 \
        X(PAGE_TOKEN_INVALID,                                                                      \
          INVALID_ARGUMENT,                                                                        \
          "PAGE_TOKEN_INVALID",                                                                    \
          "page_token is not one that this service gave")                                          \
        X(REQUEST_ID_REUSED,                                                                       \
          INVALID_ARGUMENT,                                                                        \
          "REQUEST_ID_REUSED",                                                                     \
          "request_id was used for another request within 24 hours")                               \
        X(EMAIL_TAKEN, ALREADY_EXISTS, "EMAIL_TAKEN", "another user has this email")               \
        X(USER_NOT_FOUND, NOT_FOUND, "USER_NOT_FOUND", "there is no such user")                    \
        X(ETAG_MISMATCH,                                                                           \
          ABORTED,                                                                                 \
          "ETAG_MISMATCH",                                                                         \
          "the user was changed since it was read: read it again")                                 \
        X(STORE_BUSY, RESOURCE_EXHAUSTED, "STORE_BUSY", "the store has too many requests waiting") \
        X(STORE_UNAVAILABLE, UNAVAILABLE, "STORE_UNAVAILABLE", "the store cannot be reached")      \
        X(STORE_CONFLICT,                                                                          \
          ABORTED,                                                                                 \
          "STORE_CONFLICT",                                                                        \
          "the store could not decide between writes at once: try again")                          \
        X(STORE_FULL, RESOURCE_EXHAUSTED, "STORE_FULL", "the store has no room left")              \
        X(STORE_FAILED, INTERNAL, "STORE_FAILED", "the store failed; the server's log tells why")  \
        X(DEADLINE,                                                                                \
          DEADLINE_EXCEEDED,                                                                       \
          "DEADLINE",                                                                              \
          "the deadline passed before the store answered")                                         \
        X(CANCELLED, CANCELLED, "CANCELLED", "the caller cancelled")

enum users_error {
#define USERS_ERROR_ENUM(name, status, reason, message) USERS_ERROR_##name,
        USERS_ERROR_MAP(USERS_ERROR_ENUM)
#undef USERS_ERROR_ENUM
};

/* The error as a value, of domain users.v1, with static strings. */
struct pipit_error users_error_make(enum users_error error, enum pipit_ran ran);

#endif
