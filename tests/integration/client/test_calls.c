#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/integration/client/fixture.h"

#include "core/base/macros.h"

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

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                echo_test(a_blocking_call_returns_the_response),
                echo_test(an_asynchronous_call_completes_once),
                echo_test(ten_thousand_calls_at_once_all_succeed),
        };

        if (argc > 1)
                cmocka_set_test_filter(argv[1]);

        return cmocka_run_group_tests(tests, NULL, NULL);
}
