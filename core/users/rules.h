/*
 * The rules of a user's fields: one place, for every use case
 *
 * Email: the "valid e-mail address" of the HTML Standard (4.10.5.1.5), ASCII,
 * 1 to 254 bytes. Name: 1 to 50 code points of valid UTF-8, no control
 * characters (Unicode category Cc: U+0000-001F, U+007F-009F). Age: 0 to 130.
 * Every violation is reported, not only the first.
 */

#ifndef CORE_USERS_RULES_H
#define CORE_USERS_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"
#include "core/users/user.h"

#define USERS_VIOLATIONS_MAX 12 /* more than one request can break */

struct users_violations {
        struct pipit_violation entries[USERS_VIOLATIONS_MAX];
        size_t n;
};

/* Adds one; both strings are static. */
void users_violations_add(struct users_violations *violations,
                          const char *field,
                          const char *description);

/* FIELD_INVALID, NOT_RUN, with the violations borrowed from *violations. */
struct pipit_error users_violations_error(const struct users_violations *violations);

/*
 * Each checks one value and adds to @violations under @field what it breaks. A
 * NULL string is an absent one. True: it holds, and the value was copied.
 */
bool users_rule_email(const char *email,
                      const char *field,
                      struct users_violations *violations,
                      struct user *ret_user); /* email and email_key */
bool users_rule_name(const char *name,
                     const char *field,
                     struct users_violations *violations,
                     struct user *ret_user);
bool users_rule_age(bool has_age,
                    uint32_t age,
                    const char *field,
                    struct users_violations *violations,
                    struct user *ret_user);
bool users_rule_id(const char *id,
                   const char *field,
                   struct users_violations *violations,
                   struct pipit_uuid *ret_id);

/* An etag: the version in decimal between double quotes, as "\"12\"". "" and NULL: 0, any. */
bool users_rule_etag(const char *etag,
                     const char *field,
                     struct users_violations *violations,
                     uint64_t *ret_version);
#define USERS_ETAG_SIZE 24
void users_etag_format(uint64_t version, char ret_etag[USERS_ETAG_SIZE]);

/* A request_id: empty or NULL (none), or a UUID. */
bool users_rule_request_id(const char *request_id,
                           const char *field,
                           struct users_violations *violations,
                           bool *ret_has,
                           uint8_t ret_request_id[16]);

/* ASCII lower case, to look an email up. */
void users_email_key(const char *email, char ret_key[USER_EMAIL_BYTES_MAX + 1]);

#endif
