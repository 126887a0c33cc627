/*
 * A user, as the domain knows it
 *
 * Plain values: no protobuf, no SQL. Fixed size, so a user is copied by
 * assignment and needs no owner.
 */

#ifndef CORE_USERS_USER_H
#define CORE_USERS_USER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/uuid.h"

#define USER_EMAIL_BYTES_MAX      254 /* RFC 5321, 4.5.3.1.3: a path of 256 with its brackets */
#define USER_NAME_CODE_POINTS_MAX 50
#define USER_NAME_BYTES_MAX       (USER_NAME_CODE_POINTS_MAX * 4)
#define USER_AGE_MAX              130

struct user {
        struct pipit_uuid id;
        char email[USER_EMAIL_BYTES_MAX + 1];     /* as it was given */
        char email_key[USER_EMAIL_BYTES_MAX + 1]; /* ASCII lower case: unique */
        char name[USER_NAME_BYTES_MAX + 1];
        uint32_t age;
        int64_t create_time_us; /* since 1970-01-01T00:00:00Z */
        int64_t update_time_us;
        uint64_t version; /* 1 at create, one more at every update */
};

#endif
