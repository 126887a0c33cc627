#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/integration/client/fixture.h"

#include "core/base/macros.h"

struct setting {
        struct place place;
        struct peer *peer;
        struct pipit_channel *channel;
};

static int set_up(void **state)
{
        struct setting *setting = calloc(1, sizeof(*setting));

        place_init(&setting->place);
        setting->peer = peer_new(setting->place.url, 7, PEER_ECHO);
        setting->channel = channel_to(setting->place.url);
        *state = setting;

        return 0;
}

static int tear_down(void **state)
{
        struct setting *setting = *state;

        setting->channel = pipit_channel_free(setting->channel);
        setting->peer = peer_free(setting->peer);
        place_deinit(&setting->place);
        free(setting);

        return 0;
}

static void a_blocking_call_returns_the_response(void **state)
{
        struct setting *setting = *state;
        struct pipit_call call = {0};

        assert_int_equal(blocking_echo(setting->channel, &call, "hello"), PIPIT_OK);
        assert_int_equal(pipit_call_error(&call)->status, PIPIT_OK);
        assert_string_equal(pipit_call_peer(&call), setting->place.url);
        pipit_call_reset(&call);
        assert_null(pipit_call_peer(&call));
        assert_int_equal(blocking_echo(setting->channel, &call, "again"), PIPIT_OK);
        pipit_call_deinit(&call);
}

static void an_asynchronous_call_completes_once(void **state)
{
        struct setting *setting = *state;
        struct waited_call waited;

        waited_init(&waited);
        waited_start(&waited, setting->channel, "hello");
        assert_true(waited_wait(&waited));
        assert_true(waited_is(&waited, "hello"));
        assert_int_equal(atomic_load(&waited.n_done), 1);
        assert_null(pipit_call_response(&waited.call, &test_other));
        waited_deinit(&waited);
}

static void ten_thousand_calls_at_once_all_succeed(void **state)
{
        enum { N_CALLS = 10000 };
        struct setting *setting = *state;
        struct waited_call *calls = calloc(N_CALLS, sizeof(*calls));

        for (size_t i = 0; i < N_CALLS; i++) {
                waited_init(&calls[i]);
                waited_start(&calls[i], setting->channel, "x");
        }
        for (size_t i = 0; i < N_CALLS; i++) {
                assert_true(waited_wait(&calls[i]));
                assert_true(waited_is(&calls[i], "x"));
                waited_deinit(&calls[i]);
        }
        assert_int_equal(peer_n_calls(setting->peer), N_CALLS);
        assert_true(peer_n_frames(setting->peer) < N_CALLS);
        free(calls);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(
                        a_blocking_call_returns_the_response, set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        an_asynchronous_call_completes_once, set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        ten_thousand_calls_at_once_all_succeed, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
