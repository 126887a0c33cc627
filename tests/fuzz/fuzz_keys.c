/*
 * Keys, authorized_keys and known_servers
 *
 * A fuzzer does not find a checksum, so `~` and a byte stand for a good key. Whatever
 * is read as a key is written the same way; each line of a list that was taken is found.
 */

#include <string.h>

#include "core/access/authorized_keys.h"
#include "core/access/known_servers.h"
#include "tests/fuzz/fuzz.h"

static void check_key(enum pipit_key_type type, const uint8_t *bytes, size_t n_bytes)
{
        uint8_t key[PIPIT_KEY_BYTES];
        char text[PIPIT_KEY_TEXT_SIZE];
        size_t offset = 0;

        if (pipit_key_parse(type, (const char *)bytes, n_bytes, key, &offset)) {
                FUZZ_CHECK(offset <= n_bytes);
                return;
        }
        pipit_key_format(type, key, text);
        FUZZ_CHECK(n_bytes == PIPIT_KEY_TEXT_BYTES && memcmp(text, bytes, n_bytes) == 0);
}

/* A good key with one character changed: it is none. */
static void check_changed(enum pipit_key_type type, const uint8_t *bytes, size_t n_bytes)
{
        struct fuzz_input input = {.at = bytes, .n_left = n_bytes};
        uint8_t key[PIPIT_KEY_BYTES] = {fuzz_byte(&input), fuzz_byte(&input)};
        char made[PIPIT_KEY_TEXT_SIZE], changed[PIPIT_KEY_TEXT_SIZE];

        pipit_key_format(type, key, made);
        memcpy(changed, made, sizeof(made));
        changed[fuzz_byte(&input) % PIPIT_KEY_TEXT_BYTES] = (char)fuzz_byte(&input);
        FUZZ_CHECK(!pipit_key_parse(type, changed, PIPIT_KEY_TEXT_BYTES, key, NULL) ==
                   (memcmp(made, changed, sizeof(made)) == 0));
}

/* Returns how many bytes the text has, of at most @n_max. */
static size_t expand(const uint8_t *bytes, size_t n_bytes, char *ret_text, size_t n_max)
{
        size_t n_text = 0;

        for (size_t i = 0; i < n_bytes && n_text + PIPIT_KEY_TEXT_SIZE < n_max; i++) {
                if (bytes[i] == '~' && i + 1 < n_bytes) {
                        uint8_t key[PIPIT_KEY_BYTES] = {bytes[++i]};

                        pipit_key_format(PIPIT_KEY_PUBLIC, key, ret_text + n_text);
                        n_text += PIPIT_KEY_TEXT_BYTES;
                } else {
                        ret_text[n_text++] = (char)bytes[i];
                }
        }

        return n_text;
}

static void check_authorized(const char *text, size_t n_text)
{
        struct pipit_access_problem problem = {""};
        struct pipit_authorized_keys *keys =
                pipit_authorized_keys_parse("keys", text, n_text, &problem);

        if (!keys) {
                FUZZ_CHECK(strncmp(problem.text, "keys:", 5) == 0);
                return;
        }
        for (size_t i = 0; i < pipit_authorized_keys_count(keys); i++) {
                const struct pipit_authorized_key *key = pipit_authorized_keys_get(keys, i);

                FUZZ_CHECK(pipit_authorized_keys_find(keys, key->key) == key);
                FUZZ_CHECK(pipit_authorized_keys_find_name(keys, key->name) == key);
                FUZZ_CHECK(pipit_access_name_is_valid(key->name, strlen(key->name)));
                FUZZ_CHECK(key->n_roles <= PIPIT_AUTHORIZED_ROLES_MAX);
        }
        (void)pipit_authorized_keys_free(keys);
}

static void check_known(const char *text, size_t n_text)
{
        struct pipit_access_problem problem = {""};
        struct pipit_known_servers *servers =
                pipit_known_servers_parse("servers", text, n_text, &problem);

        if (!servers) {
                FUZZ_CHECK(strncmp(problem.text, "servers:", 8) == 0);
                return;
        }
        for (size_t i = 0; i < pipit_known_servers_count(servers); i++) {
                const struct pipit_known_server *server = pipit_known_servers_get(servers, i);

                FUZZ_CHECK(pipit_known_servers_find(servers, server->url) == server);
        }
        (void)pipit_known_servers_free(servers);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
        const size_t n_max = n_bytes * (PIPIT_KEY_TEXT_SIZE / 2 + 1) + 2 * PIPIT_KEY_TEXT_SIZE;
        char *room = malloc(n_max), *text;
        size_t n_text;

        check_key(PIPIT_KEY_PUBLIC, bytes, n_bytes);
        check_key(PIPIT_KEY_SECRET, bytes, n_bytes);
        check_changed(PIPIT_KEY_PUBLIC, bytes, n_bytes);
        check_changed(PIPIT_KEY_SECRET, bytes, n_bytes);

        FUZZ_CHECK(room);
        n_text = expand(bytes, n_bytes, room, n_max);
        text = malloc(n_text + 1); /* so that a byte too far is seen */
        FUZZ_CHECK(text);
        memcpy(text, room, n_text);
        free(room);
        room = realloc(text, n_text > 0 ? n_text : 1);
        FUZZ_CHECK(room);
        check_authorized(room, n_text);
        check_known(room, n_text);
        free(room);

        return 0;
}
