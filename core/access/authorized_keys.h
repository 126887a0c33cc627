/*
 * authorized_keys: which keys a server knows, by what names
 *
 *      KEY NAME [roles=ROLE,ROLE...] [expires=YYYY-MM-DD]
 *
 * A line a key; a key once, and a name once. What may be done under a name is the
 * policy's to say (core/access/policy.h); `roles=` says it here. From the day named by
 * `expires` on, 0:00 UTC, the key is as good as not listed.
 *
 * Read-only once made: any thread.
 */

#ifndef CORE_ACCESS_AUTHORIZED_KEYS_H
#define CORE_ACCESS_AUTHORIZED_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/access/key.h"
#include "core/access/words.h"
#include "core/base/macros.h"

#define PIPIT_AUTHORIZED_KEYS_MAX  10000
#define PIPIT_AUTHORIZED_ROLES_MAX 16 /* of one key */

struct pipit_authorized_key {
        uint8_t key[PIPIT_KEY_BYTES];
        const char *name;
        const char *const *roles;
        size_t n_roles;
        int64_t expires_us; /* of the wall clock; INT64_MAX: never */
        unsigned int line;
};

struct pipit_authorized_keys;

/* @path is for errors. NULL: it says why. */
PIPIT_MUST_CHECK struct pipit_authorized_keys *pipit_authorized_keys_parse(
        const char *path,
        const char *text,
        size_t n_bytes,
        struct pipit_access_problem *ret_problem);

/* The same from the file at @path. */
PIPIT_MUST_CHECK struct pipit_authorized_keys *pipit_authorized_keys_load(
        const char *path, struct pipit_access_problem *ret_problem);

/* NULL is a no-op. Returns NULL. */
struct pipit_authorized_keys *pipit_authorized_keys_free(struct pipit_authorized_keys *keys);

size_t pipit_authorized_keys_count(const struct pipit_authorized_keys *keys);

/* In the order of the file. */
const struct pipit_authorized_key *pipit_authorized_keys_get(
        const struct pipit_authorized_keys *keys, size_t i);

/* Listed, perhaps expired; or NULL. Takes the same time for any number of keys. */
const struct pipit_authorized_key *pipit_authorized_keys_find(
        const struct pipit_authorized_keys *keys, const uint8_t key[PIPIT_KEY_BYTES]);

/* By its name, or NULL. */
const struct pipit_authorized_key *pipit_authorized_keys_find_name(
        const struct pipit_authorized_keys *keys, const char *name);

static inline bool pipit_authorized_key_has_expired(const struct pipit_authorized_key *key,
                                                    int64_t wall_us)
{
        return wall_us >= key->expires_us;
}

/* "2027-01-01" as the microsecond with which that day begins, UTC. False: there is no such day. */
bool pipit_access_date_parse(const char *text, size_t n_bytes, int64_t *ret_wall_us);

#endif
