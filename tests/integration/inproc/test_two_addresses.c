/* One server on two addresses, and one channel to both. */

#include <stdio.h>

#include "tests/integration/inproc/way.h"

#include "core/base/macros.h"

#define N_CALLS 200

static void listen_here_too(struct pipit_server *server)
{
        assert_int_equal(pipit_server_listen(server, "tcp://127.0.0.1:0", NULL), PIPIT_OK);
}

static void slow_calls_by_one_address_keep_no_answer_from_the_other(void **state)
{
        const struct pipit_channel_options options = {.insecure_plaintext = true};
        struct fixture fixture;
        struct pipit_channel *channel;
        struct pipit_call call = {0};
        struct waited slow[3];
        char urls[256];

        (void)state;
        fixture_start_with(&fixture, FIXTURE_TCP, NULL, listen_here_too);
        (void)snprintf(urls,
                       sizeof(urls),
                       "%s,%s",
                       pipit_server_url(fixture.server, 0),
                       pipit_server_url(fixture.server, 1));
        channel = pipit_channel_new(urls, &options, NULL);
        assert_non_null(channel);

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(slow); i++) {
                waited_init(&slow[i]);
                start_sleep(channel, &slow[i]);
                fixture_wait_parked(&fixture, i + 1);
        }
        for (size_t i = 0; i < N_CALLS; i++) {
                assert_int_equal(call_echo(channel, &call, "fast"), PIPIT_OK);
                pipit_call_reset(&call);
        }
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(slow); i++) {
                fixture_answer(&fixture, i);
                waited_wait(&slow[i]);
                assert_int_equal(pipit_call_error(&slow[i].call)->status, PIPIT_OK);
                waited_deinit(&slow[i]);
        }
        pipit_call_deinit(&call);
        assert_null(pipit_channel_free(channel));
        fixture_stop(&fixture);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(slow_calls_by_one_address_keep_no_answer_from_the_other),
        };

        return cmocka_run_group_tests_name("two_addresses", tests, NULL, NULL);
}
