#include "tests/integration/runtime/keyed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/access/key.h"
#include "core/base/clock.h"
#include "server/runtime/runtime.h"

static void write_file(const char *path, const char *text)
{
        FILE *file = fopen(path, "w");

        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(0, fclose(file));
        assert_int_equal(0, chmod(path, 0600));
}

static void authorize(const struct keyed *keyed, bool alice_too)
{
        char alice[PIPIT_KEY_TEXT_SIZE], bob[PIPIT_KEY_TEXT_SIZE], text[512];

        pipit_key_format(PIPIT_KEY_PUBLIC, keyed->alice.public, alice);
        pipit_key_format(PIPIT_KEY_PUBLIC, keyed->bob.public, bob);
        (void)snprintf(text,
                       sizeof(text),
                       "%s%s alice roles=admin\n%s bob roles=admin\n",
                       alice_too ? "" : "# ",
                       alice,
                       bob);
        write_file(keyed->authorized_keys_path, text);
}

static void make_files(struct keyed *keyed)
{
        const char *temporary = getenv("TMPDIR");
        char secret[PIPIT_KEY_TEXT_SIZE];

        (void)snprintf(keyed->directory,
                       sizeof(keyed->directory),
                       "%.40s/pipit-XXXXXX",
                       temporary ? temporary : "/tmp");
        assert_non_null(mkdtemp(keyed->directory));
        (void)snprintf(keyed->key_path, sizeof(keyed->key_path), "%s/server.key", keyed->directory);
        (void)snprintf(keyed->authorized_keys_path,
                       sizeof(keyed->authorized_keys_path),
                       "%s/authorized_keys",
                       keyed->directory);

        pipit_key_format(PIPIT_KEY_SECRET, keyed->server.secret, secret);
        write_file(keyed->key_path, secret);
        authorize(keyed, true);
}

void keyed_start(struct keyed *keyed, const struct pipit_server_options *options)
{
        struct pipit_server_options all = options ? *options : (struct pipit_server_options){};

        memset(keyed, 0, sizeof(*keyed));
        pipit_noise_keys_generate(&keyed->server);
        pipit_noise_keys_generate(&keyed->alice);
        pipit_noise_keys_generate(&keyed->bob);
        pipit_noise_keys_generate(&keyed->stranger);
        make_files(keyed);
        all.key_path = keyed->key_path;
        all.authorized_keys_path = keyed->authorized_keys_path;
        fixture_start(&keyed->fixture, FIXTURE_TCP, &all);
}

void keyed_stop(struct keyed *keyed)
{
        fixture_stop(&keyed->fixture);
        sealed_secrets_free();
        (void)unlink(keyed->key_path);
        (void)unlink(keyed->authorized_keys_path);
        (void)rmdir(keyed->directory);
}

void keyed_revoke_alice(struct keyed *keyed)
{
        authorize(keyed, false);
        assert_int_equal(PIPIT_OK, pipit_server_reload(keyed->fixture.server, NULL));
}

void keyed_list_alice(struct keyed *keyed)
{
        authorize(keyed, true);
        assert_int_equal(PIPIT_OK, pipit_server_reload(keyed->fixture.server, NULL));
}

struct pipit_session *keyed_connect(struct keyed *keyed,
                                    struct sealed_peer *peer,
                                    const struct pipit_noise_keys *keys)
{
        sealed_peer_connect(peer, keyed->fixture.url);

        return sealed_peer_session(peer, keys, keyed->server.public);
}

void keyed_leave(struct sealed_peer *peer, struct pipit_session *session)
{
        pipit_session_unref(session);
        sealed_peer_close(peer);
}

struct sealed_frame keyed_receive(struct sealed_peer *peer)
{
        uint32_t id;

        return sealed_peer_receive(peer, &id);
}

/* Waits for an event that nobody tells of. */
static void look_again_before(int64_t until_us)
{
        const struct timespec turn = {.tv_nsec = 1000000};

        assert_true(pipit_clock_now_us() < until_us);
        nanosleep(&turn, NULL);
}

void keyed_wait_cancelled(struct keyed *keyed, size_t index)
{
        const struct pipit_server_call *call = fixture_parked(&keyed->fixture, index);
        int64_t until_us = pipit_clock_now_us() + WAIT_MS * PIPIT_US_PER_MS;

        while (!pipit_server_call_cancelled(call))
                look_again_before(until_us);
}

void keyed_wait_sessions(struct keyed *keyed, size_t n_sessions)
{
        struct pipit_session_table *table = keyed->fixture.server->sealed->table;
        int64_t until_us = pipit_clock_now_us() + WAIT_MS * PIPIT_US_PER_MS;

        while (pipit_session_table_count(table).n_sessions != n_sessions)
                look_again_before(until_us);
}
