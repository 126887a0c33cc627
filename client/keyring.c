#include "client/keyring.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/access/key.h"
#include "core/access/key_file.h"
#include "core/access/places.h"
#include "core/base/clock.h"

static bool out_of_memory(enum client_reason *ret_reason, struct pipit_access_problem *ret_problem)
{
        *ret_reason = CLIENT_REASON_OUT_OF_MEMORY;

        return pipit_access_problem_set(ret_problem, "out of memory");
}

/* @given, or where @name lies. NULL: nobody knows. */
static const char *place_of(struct keyring *keyring,
                            const char *given,
                            const char *name,
                            struct pipit_access_problem *ret_problem)
{
        const char *path = given ? pipit_arena_strdup(&keyring->arena, given)
                                 : pipit_access_place(&keyring->arena, name);

        if (!path)
                (void)pipit_access_problem_set(ret_problem,
                                               "nobody says where %s lies: set HOME or "
                                               "PIPIT_CONFIG_DIR, or name the file",
                                               name);

        return path;
}

static bool read_key(struct keyring *keyring,
                     const char *given,
                     struct pipit_access_problem *ret_problem)
{
        const char *path = place_of(keyring, given, PIPIT_PLACE_ID_KEY, ret_problem);

        if (path)
                keyring->keys = pipit_key_pair_load(path, ret_problem);

        return keyring->keys != NULL;
}

/* A file that is not there knows no server: which one is missing is told when it is looked up. */
static bool read_servers(struct keyring *keyring,
                         const char *given,
                         struct pipit_access_problem *ret_problem)
{
        const char *path = place_of(keyring, given, PIPIT_PLACE_KNOWN_SERVERS, ret_problem);

        if (!path)
                return false;
        keyring->servers_path = path;
        keyring->servers_path_is_given = given != NULL;
        if (access(path, F_OK) < 0 && errno == ENOENT)
                return true;
        keyring->servers = pipit_known_servers_load(path, ret_problem);

        return keyring->servers != NULL;
}

/* Who has no session is told as little as a stranger: both ends of the mistake are named. */
static bool explain_denial(struct keyring *keyring)
{
        char text[PIPIT_KEY_TEXT_SIZE];

        pipit_key_format(PIPIT_KEY_PUBLIC, keyring->keys->public, text);
        keyring->denied = pipit_arena_printf(
                &keyring->arena,
                "the server refuses a session: it lists this client's key if there "
                "`pipit authorize NAME %s` is run and it then reads its keys again (usersd: at "
                "SIGHUP); or it is not the server whose key is in %s",
                text,
                keyring->servers_path);

        return keyring->denied != NULL;
}

static bool fill(struct keyring *keyring,
                 const struct pipit_channel_options *options,
                 enum client_reason *ret_reason,
                 struct pipit_access_problem *ret_problem)
{
        keyring->clock = options->clock ? options->clock : &pipit_clock_system;
        *ret_reason = CLIENT_REASON_KEY_UNUSABLE;
        if (!read_key(keyring, options->key_file, ret_problem))
                return false;
        *ret_reason = CLIENT_REASON_SERVER_UNKNOWN;
        if (!read_servers(keyring, options->known_servers_file, ret_problem))
                return false;
        keyring->secrets = pipit_secret_pool_new();
        if (!keyring->secrets || !explain_denial(keyring))
                return out_of_memory(ret_reason, ret_problem);

        return true;
}

struct keyring *keyring_new(const struct pipit_channel_options *options,
                            enum client_reason *ret_reason,
                            struct pipit_access_problem *ret_problem)
{
        struct keyring *keyring = calloc(1, sizeof(*keyring));

        if (!keyring)
                (void)out_of_memory(ret_reason, ret_problem);
        else if (!fill(keyring, options, ret_reason, ret_problem))
                keyring = keyring_free(keyring);

        return keyring;
}

struct keyring *keyring_free(struct keyring *keyring)
{
        if (!keyring)
                return NULL;
        (void)pipit_secret_pool_free(keyring->secrets);
        (void)pipit_known_servers_free(keyring->servers);
        (void)pipit_key_pair_free(keyring->keys);
        pipit_arena_deinit(&keyring->arena);
        free(keyring);

        return NULL;
}

const uint8_t *keyring_find(const struct keyring *keyring,
                            const char *url,
                            struct pipit_access_problem *ret_problem)
{
        const struct pipit_known_server *server =
                keyring->servers ? pipit_known_servers_find(keyring->servers, url) : NULL;

        if (server)
                return server->key;

        (void)pipit_access_problem_set(
                ret_problem,
                "%s is not in %s: `pipit trust%s%s %s KEY` adds it, with the KEY that `pipit "
                "pubkey FILE` prints on the server",
                url,
                keyring->servers_path,
                keyring->servers_path_is_given ? " --file " : "",
                keyring->servers_path_is_given ? keyring->servers_path : "",
                url);

        return NULL;
}
