#include "core/users/rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/ascii.h"
#include "core/base/macros.h"
#include "core/base/utf8.h"
#include "core/users/errors.h"

#define EMAIL_LABEL_BYTES_MAX 63 /* RFC 1034, 3.5 */

void users_violations_add(struct users_violations *violations,
                          const char *field,
                          const char *description)
{
        if (violations->n == PIPIT_N_ELEMENTS(violations->entries))
                return;
        violations->entries[violations->n++] = (struct pipit_violation){
                .field = field,
                .description = description,
        };
}

struct pipit_error users_violations_error(const struct users_violations *violations)
{
        struct pipit_error error = users_error_make(USERS_ERROR_FIELD_INVALID, PIPIT_NOT_RUN);

        error.violations = violations->entries;
        error.n_violations = violations->n;
        return error;
}

/* isalnum() and tolower() ask the locale; the rules do not. */
static bool is_letter_or_digit(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_email_local(char c)
{
        return is_letter_or_digit(c) || (c != '\0' && strchr(".!#$%&'*+/=?^_`{|}~-", c));
}

/* The length of the domain label at the start of @text; 0: there is none. */
static size_t email_label_length(const char *text)
{
        size_t n = 0;

        while (is_letter_or_digit(text[n]) || text[n] == '-')
                n++;
        if (n == 0 || n > EMAIL_LABEL_BYTES_MAX || text[0] == '-' || text[n - 1] == '-')
                return 0;
        return n;
}

static bool is_email(const char *email)
{
        const char *at = email;

        while (is_email_local(*at))
                at++;
        if (at == email || *at != '@')
                return false;

        for (const char *label = at + 1;; label++) {
                size_t n = email_label_length(label);

                if (n == 0)
                        return false;
                label += n;
                if (*label == '\0')
                        return true;
                if (*label != '.')
                        return false;
        }
}

void users_email_key(const char *email, char ret_key[USER_EMAIL_BYTES_MAX + 1])
{
        size_t n;

        for (n = 0; n < USER_EMAIL_BYTES_MAX && email[n] != '\0'; n++)
                ret_key[n] = pipit_ascii_lower(email[n]);
        ret_key[n] = '\0';
}

bool users_rule_email(const char *email,
                      const char *field,
                      struct users_violations *violations,
                      struct user *ret_user)
{
        size_t before = violations->n;

        if (!email || email[0] == '\0') {
                users_violations_add(violations, field, "is required");
                return false;
        }
        if (strlen(email) > USER_EMAIL_BYTES_MAX)
                users_violations_add(violations, field, "must be at most 254 bytes");
        if (!is_email(email))
                users_violations_add(violations, field, "must be a valid email address");
        if (violations->n != before)
                return false;

        strcpy(ret_user->email, email);
        users_email_key(email, ret_user->email_key);
        return true;
}

static bool has_control(const uint8_t *bytes, size_t n_bytes)
{
        uint32_t code_point = 0;

        for (size_t i = 0; i < n_bytes;) {
                size_t n = pipit_utf8_decode(bytes + i, n_bytes - i, &code_point);

                if (n == 0)
                        return false;
                if (pipit_utf8_is_control(code_point))
                        return true;
                i += n;
        }
        return false;
}

bool users_rule_name(const char *name,
                     const char *field,
                     struct users_violations *violations,
                     struct user *ret_user)
{
        size_t before = violations->n, n_bytes, n_code_points = 0;

        if (!name || name[0] == '\0') {
                users_violations_add(violations, field, "is required");
                return false;
        }

        n_bytes = strlen(name);
        if (!pipit_utf8_check((const uint8_t *)name, n_bytes, &n_code_points)) {
                users_violations_add(violations, field, "must be valid UTF-8");
                return false;
        }
        if (n_code_points > USER_NAME_CODE_POINTS_MAX)
                users_violations_add(violations, field, "must be at most 50 characters");
        if (has_control((const uint8_t *)name, n_bytes))
                users_violations_add(violations, field, "must not hold control characters");
        if (violations->n != before)
                return false;

        strcpy(ret_user->name, name);
        return true;
}

bool users_rule_age(bool has_age,
                    uint32_t age,
                    const char *field,
                    struct users_violations *violations,
                    struct user *ret_user)
{
        if (!has_age) {
                users_violations_add(violations, field, "is required");
                return false;
        }
        if (age > USER_AGE_MAX) {
                users_violations_add(violations, field, "must be 0 to 130");
                return false;
        }

        ret_user->age = age;
        return true;
}

bool users_rule_id(const char *id,
                   const char *field,
                   struct users_violations *violations,
                   struct pipit_uuid *ret_id)
{
        if (!id || id[0] == '\0') {
                users_violations_add(violations, field, "is required");
                return false;
        }
        if (!pipit_uuid_parse(id, ret_id)) {
                users_violations_add(violations, field, "must be a UUID");
                return false;
        }
        return true;
}

/* Only what users_etag_format() writes: no sign, no leading zero, no overflow. */
static bool parse_etag(const char *etag, uint64_t *ret_version)
{
        uint64_t version = 0;
        const char *c = etag;

        if (*c++ != '"' || *c < '1' || *c > '9')
                return false;
        for (; *c >= '0' && *c <= '9'; c++) {
                if (__builtin_mul_overflow(version, UINT64_C(10), &version) ||
                    __builtin_add_overflow(version, (uint64_t)(*c - '0'), &version))
                        return false;
        }
        if (strcmp(c, "\"") != 0)
                return false;

        *ret_version = version;
        return true;
}

bool users_rule_etag(const char *etag,
                     const char *field,
                     struct users_violations *violations,
                     uint64_t *ret_version)
{
        if (!etag || etag[0] == '\0') {
                *ret_version = 0;
                return true;
        }
        if (!parse_etag(etag, ret_version)) {
                users_violations_add(violations, field, "must be an etag that this service gave");
                return false;
        }
        return true;
}

void users_etag_format(uint64_t version, char ret_etag[USERS_ETAG_SIZE])
{
        (void)snprintf(ret_etag, USERS_ETAG_SIZE, "\"%" PRIu64 "\"", version);
}

bool users_rule_request_id(const char *request_id,
                           const char *field,
                           struct users_violations *violations,
                           bool *ret_has,
                           uint8_t ret_request_id[16])
{
        struct pipit_uuid uuid;

        if (!request_id || request_id[0] == '\0') {
                *ret_has = false;
                return true;
        }
        if (!pipit_uuid_parse(request_id, &uuid)) {
                users_violations_add(violations, field, "must be a UUID");
                return false;
        }

        *ret_has = true;
        memcpy(ret_request_id, uuid.bytes, sizeof(uuid.bytes));
        return true;
}
