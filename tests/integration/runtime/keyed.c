#include "tests/integration/runtime/keyed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "server/runtime/runtime.h"

/* Alice's line comes first. */
static size_t write_lines(const struct keyed *keyed, char *text, size_t n_text)
{
        char alice[PIPIT_KEY_TEXT_SIZE], bob[PIPIT_KEY_TEXT_SIZE];

        pipit_key_format(PIPIT_KEY_PUBLIC, keyed->alice.public, alice);
        pipit_key_format(PIPIT_KEY_PUBLIC, keyed->bob.public, bob);

        return (size_t)snprintf(
                text, n_text, "%s alice roles=admin\n%s bob roles=admin\n", alice, bob);
}

static struct pipit_rules *rules_of(const char *text)
{
        struct pipit_access_problem problem;
        struct pipit_authorized_keys *listed =
                pipit_authorized_keys_parse("authorized_keys", text, strlen(text), &problem);
        struct pipit_policy *policy = pipit_policy_new_default(geteuid(), false);
        struct pipit_rules *rules;

        assert_non_null(listed);
        assert_non_null(policy);
        rules = pipit_rules_new(policy, listed, "authorized_keys", &problem);
        assert_non_null(rules);

        return rules;
}

/* prepare() of the fixture has no context. */
static struct keyed *preparing;

static void prepare(struct pipit_server *server)
{
        char text[512];

        (void)write_lines(preparing, text, sizeof(text));
        pipit_rules_holder_swap(&server->rules, rules_of(text));
        server->keys = &preparing->server;
}

void keyed_start(struct keyed *keyed, const struct pipit_server_options *options)
{
        memset(keyed, 0, sizeof(*keyed));
        pipit_noise_keys_generate(&keyed->server);
        pipit_noise_keys_generate(&keyed->alice);
        pipit_noise_keys_generate(&keyed->bob);
        pipit_noise_keys_generate(&keyed->stranger);
        preparing = keyed;
        fixture_start_with(&keyed->fixture, FIXTURE_TCP, options, prepare);
}

void keyed_stop(struct keyed *keyed)
{
        fixture_stop(&keyed->fixture);
        sealed_secrets_free();
}

void keyed_revoke_alice(struct keyed *keyed)
{
        char text[512];

        (void)write_lines(keyed, text, sizeof(text));
        pipit_rules_holder_swap(&keyed->fixture.server->rules, rules_of(strchr(text, '\n') + 1));
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

void keyed_wait_sessions(struct keyed *keyed, size_t n_sessions)
{
        struct pipit_session_table *table = keyed->fixture.server->sealed->table;
        int64_t until_us = pipit_clock_now_us() + WAIT_MS * PIPIT_US_PER_MS;

        while (pipit_session_table_count(table).n_sessions != n_sessions) {
                const struct timespec turn = {.tv_nsec = 1000000};

                assert_true(pipit_clock_now_us() < until_us);
                nanosleep(&turn, NULL);
        }
}
