/* What fails before anything is sent. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/integration/client/fixture.h"

#include "core/base/macros.h"
#include "google/protobuf/wrappers.pb-c.h"

static const struct {
        const char *target;
        const char *says;
} bad_targets[] = {
        {"", "empty"},
        {"ipc:///a,,ipc:///b", "empty"},
        {"http://localhost", "scheme"},
        {"tls+tcp://127.0.0.1:1", "scheme"},
        {"srv://_users._tcp.x", "scheme"},
        {"/run/x.sock", "scheme"},
        {"ipc://", "path"},
        {"inproc://", "name"},
        {"tcp://db1:7000", "numeric"},
};

static void a_target_that_is_not_understood_is_refused_by_name(void **state)
{
        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(bad_targets); i++) {
                struct pipit_error error;

                assert_null(pipit_channel_new(bad_targets[i].target, NULL, &error));
                assert_int_equal(error.status, PIPIT_INVALID_ARGUMENT);
                assert_int_equal(error.origin, PIPIT_ORIGIN_LOCAL);
                assert_string_equal(error.reason, "INVALID_TARGET");
                assert_non_null(strstr(error.message, bad_targets[i].says));
        }
}

static void plain_tcp_goes_to_loopback_addresses_only(void **state)
{
        const struct pipit_channel_options options = {.insecure_plaintext = true};
        const char *good[] = {"tcp://127.0.0.1:1", "tcp://[::1]:1", "tcp://localhost:65535"};
        const char *bad[] = {
                "tcp://10.0.0.1:1",
                "tcp://[2001:db8::1]:1",
                "tcp://example.org:1",
                "tcp://0.0.0.0:1",
                "tcp://127.0.0.1",
                "tcp://127.0.0.1:0",
                "tcp://127.0.0.1:65536",
                "tcp://127.0.0.1:7x",
                "tcp://:7000",
        };

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(good); i++) {
                struct pipit_channel *channel = pipit_channel_new(good[i], &options, NULL);

                assert_non_null(channel);
                assert_null(pipit_channel_free(channel));
        }
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(bad); i++)
                assert_null(pipit_channel_new(bad[i], &options, NULL));
        assert_null(pipit_channel_free(NULL));
}

static void start_bytes(struct setting *setting, struct waited_call *waited, size_t n_bytes)
{
        Google__Protobuf__BytesValue value;

        google__protobuf__bytes_value__init(&value);
        value.value.data = calloc(1, n_bytes);
        value.value.len = n_bytes;
        pipit_channel_start(setting->channel, &waited->call, &test_echo, &value.base);
        free(value.value.data);
}

static void a_request_over_the_frame_limit_fails_here_and_one_below_goes(void **state)
{
        struct setting *setting = *state;
        struct waited_call waited;

        waited_init(&waited);
        start_bytes(setting, &waited, 1024 * 1024);
        assert_true(waited_wait(&waited));
        assert_int_equal(pipit_call_error(&waited.call)->status, PIPIT_RESOURCE_EXHAUSTED);
        assert_string_equal(pipit_call_error(&waited.call)->reason, "REQUEST_TOO_LARGE");
        assert_non_null(strstr(pipit_call_error(&waited.call)->message, "it takes 10486"));
        assert_non_null(strstr(pipit_call_error(&waited.call)->message, " bytes, and 1048"));
        assert_int_equal(pipit_call_error(&waited.call)->ran, PIPIT_NOT_RUN);
        assert_int_equal(pipit_call_error(&waited.call)->origin, PIPIT_ORIGIN_LOCAL);
        pipit_call_reset(&waited.call);
        start_bytes(setting, &waited, 1024 * 1024 - 200);
        assert_true(waited_wait(&waited));
        assert_int_equal(pipit_call_error(&waited.call)->status, PIPIT_OK);
        waited_deinit(&waited);
}

static void a_string_that_is_not_utf8_fails_here(void **state)
{
        struct setting *setting = *state;
        Google__Protobuf__StringValue value;
        struct pipit_call call = {0};
        char text[] = "\xc3\x28";

        google__protobuf__string_value__init(&value);
        value.value = text;
        assert_int_equal(
                pipit_channel_call(setting->channel, &call, &test_other, &value.base, NULL),
                PIPIT_INVALID_ARGUMENT);
        assert_string_equal(pipit_call_error(&call)->reason, "REQUEST_MALFORMED");
        assert_non_null(strstr(pipit_call_error(&call)->message, "value"));
        pipit_call_deinit(&call);
        assert_int_equal(peer_n_calls(setting->peer), 0);
}

static void metadata_is_checked_when_it_is_added(void **state)
{
        char long_key[66] = {0};
        struct pipit_call call = {0};
        char *large = calloc(1, 8193);

        (void)state;
        memset(long_key, 'a', 65);
        assert_int_equal(pipit_call_add_metadata(&call, "", "v", 1), PIPIT_INVALID_ARGUMENT);
        assert_int_equal(pipit_call_add_metadata(&call, "Upper", "v", 1), PIPIT_INVALID_ARGUMENT);
        assert_int_equal(pipit_call_add_metadata(&call, "a b", "v", 1), PIPIT_INVALID_ARGUMENT);
        assert_int_equal(pipit_call_add_metadata(&call, long_key, "v", 1), PIPIT_INVALID_ARGUMENT);
        long_key[64] = '\0';
        assert_int_equal(pipit_call_add_metadata(&call, long_key, "v", 1), PIPIT_OK);
        assert_int_equal(pipit_call_add_metadata(&call, "k", large, 8192 - 65),
                         PIPIT_INVALID_ARGUMENT);
        assert_int_equal(pipit_call_add_metadata(&call, "k", large, 8192 - 66), PIPIT_OK);
        pipit_call_reset(&call);
        for (int i = 0; i < 64; i++)
                assert_int_equal(pipit_call_add_metadata(&call, "k", NULL, 0), PIPIT_OK);
        assert_int_equal(pipit_call_add_metadata(&call, "k", NULL, 0), PIPIT_INVALID_ARGUMENT);
        pipit_call_deinit(&call);
        free(large);
}

static void a_call_in_flight_is_left_alone(void **state)
{
        struct setting *setting = *state;
        struct waited_call waited;
        struct peer_frame *frame;

        waited_init(&waited);
        waited_start(&waited, setting->channel, "q");
        frame = peer_wait(setting->peer);
        assert_int_equal(blocking_echo(setting->channel, &waited.call, "x"),
                         PIPIT_FAILED_PRECONDITION);
        waited_start(&waited, setting->channel, "x");
        pipit_call_reset(&waited.call);
        pipit_call_deinit(&waited.call);
        assert_int_equal(pipit_call_add_metadata(&waited.call, "k", "v", 1),
                         PIPIT_FAILED_PRECONDITION);
        peer_answer_text(frame, frame->request->calls[0]->id, "r");
        assert_true(waited_wait(&waited));
        assert_true(waited_is(&waited, "r"));
        waited_deinit(&waited);
}

static int in_child(struct setting *setting)
{
        struct pipit_call call = {0};
        struct waited_call waited;
        struct pipit_channel *own;

        if (blocking_echo(setting->channel, &call, "x") != PIPIT_FAILED_PRECONDITION)
                return 1;
        if (strcmp(pipit_call_error(&call)->reason, "FORKED") != 0)
                return 2;
        pipit_channel_free(setting->channel);
#ifdef __SANITIZE_THREAD__
        /* TSan knows no threads after a fork(), and done() wants one, and so does a channel. */
        (void)waited;
        (void)own;
        return 0;
#endif
        own = pipit_channel_new(setting->place.url, NULL, NULL);
        if (!own || blocking_echo(own, &call, "x") != PIPIT_OK)
                return 5;
        if (blocking_echo(setting->channel, &call, "x") != PIPIT_FAILED_PRECONDITION)
                return 6;
        pipit_channel_free(own);
        waited_init(&waited);
        waited_start(&waited, setting->channel, "x");
        if (!waited_wait(&waited))
                return 3;
        if (pipit_call_error(&waited.call)->status != PIPIT_FAILED_PRECONDITION)
                return 4;

        return 0;
}

static void in_a_child_of_fork_every_call_fails(void **state)
{
        struct setting *setting = *state;
        int status;
        pid_t pid;

        warm_up(setting->channel);
        pid = fork();
        if (pid == 0)
                _exit(in_child(setting));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        warm_up(setting->channel);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_target_that_is_not_understood_is_refused_by_name),
                cmocka_unit_test(plain_tcp_goes_to_loopback_addresses_only),
                echo_test(a_request_over_the_frame_limit_fails_here_and_one_below_goes),
                echo_test(a_string_that_is_not_utf8_fails_here),
                cmocka_unit_test(metadata_is_checked_when_it_is_added),
                manual_test(a_call_in_flight_is_left_alone),
                echo_test(in_a_child_of_fork_every_call_fails),
        };

        if (argc > 1)
                cmocka_set_test_filter(argv[1]);

        return cmocka_run_group_tests(tests, NULL, NULL);
}
