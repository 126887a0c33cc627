/*
 * Keyring: what a channel knows of keys
 *
 * Its own secret one, and the public ones of the servers that it trusts, from the
 * files of <pipit/client.h>. Read once, when the channel is made; guarded memory,
 * zeroed when it is freed. Read-only once made: any thread.
 */

#ifndef CLIENT_KEYRING_H
#define CLIENT_KEYRING_H

#include <pipit/client.h>
#include <stdint.h>

#include "client/errors.h"
#include "core/access/known_servers.h"
#include "core/access/words.h"
#include "core/base/arena.h"
#include "core/rpc/noise.h"
#include "core/rpc/secret_pool.h"

struct keyring {
        struct pipit_noise_keys *keys;
        struct pipit_secret_pool *secrets; /* for the sessions' keys */
        const struct pipit_clock *clock;   /* by which sessions age */
        const char *denied;                /* what it may mean that a server wants no session */

        /* private */
        struct pipit_arena arena;
        const char *servers_path;
        bool servers_path_is_given;
        struct pipit_known_servers *servers; /* NULL: there is no such file */
};

/* NULL: *ret_problem and *ret_reason tell why. */
struct keyring *keyring_new(const struct pipit_channel_options *options,
                            enum client_reason *ret_reason,
                            struct pipit_access_problem *ret_problem);

/* NULL is a no-op. Returns NULL. */
struct keyring *keyring_free(struct keyring *keyring);

/* The public key of the server at @url. NULL: it is not known, and *ret_problem tells what to do about it. */
const uint8_t *keyring_find(const struct keyring *keyring,
                            const char *url,
                            struct pipit_access_problem *ret_problem);

#endif
