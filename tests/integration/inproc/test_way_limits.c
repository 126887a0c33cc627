/* The limits, whichever way a call goes. */

#include <stdlib.h>
#include <string.h>

#include "tests/integration/inproc/way.h"

#define MIB (1024U * 1024)

static enum pipit_status call_with(struct pipit_channel *channel,
                                   struct pipit_call *call,
                                   const char *text,
                                   uint64_t number,
                                   size_t n_bytes,
                                   const Echo__V1__EchoResponse **ret_response)
{
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;
        enum pipit_status status;

        request.text = (char *)(uintptr_t)text;
        request.number = number;
        request.data.data = calloc(1, n_bytes + 1);
        request.data.len = n_bytes;
        status = echo_v1_echo(channel, call, &request, ret_response);
        free(request.data.data);

        return status;
}

static void almost_a_frame_fits(void **state)
{
        struct setting *setting = *state;
        const Echo__V1__EchoResponse *response = NULL;
        struct pipit_call call = {0};

        assert_int_equal(call_with(setting->channel, &call, "in", 1, MIB - 256, &response),
                         PIPIT_OK);
        pipit_call_reset(&call);
        assert_int_equal(call_with(setting->channel, &call, "grow", MIB - 256, 0, &response),
                         PIPIT_OK);
        assert_int_equal(response->data.len, MIB - 256);
        pipit_call_deinit(&call);
}

static void a_request_over_the_channels_frame_never_leaves(void **state)
{
        struct setting *setting = *state;
        struct pipit_call call = {0};

        assert_int_equal(call_with(setting->channel, &call, "in", 1, MIB, NULL),
                         PIPIT_RESOURCE_EXHAUSTED);
        assert_error(&call,
                     PIPIT_RESOURCE_EXHAUSTED,
                     PIPIT_NOT_RUN,
                     PIPIT_ORIGIN_LOCAL,
                     "REQUEST_TOO_LARGE");
        pipit_call_deinit(&call);
}

static void a_request_over_the_servers_frame_is_refused_there(void **state)
{
        const struct pipit_channel_options options = {.frame_bytes_max = 4 * MIB};
        struct setting *setting = setting_make(NULL, &options);
        struct pipit_call call = {0};

        *state = setting;
        assert_int_equal(call_with(setting->channel, &call, "in", 1, MIB, NULL),
                         PIPIT_RESOURCE_EXHAUSTED);
        assert_error(&call,
                     PIPIT_RESOURCE_EXHAUSTED,
                     PIPIT_NOT_RUN,
                     PIPIT_ORIGIN_SERVER,
                     "REQUEST_TOO_LARGE");
        assert_int_equal(fixture_n_ran(&setting->fixture), 0);
        pipit_call_deinit(&call);
}

static void a_response_over_a_frame_ran(void **state)
{
        struct setting *setting = *state;
        struct pipit_call call = {0};

        assert_int_equal(call_with(setting->channel, &call, "grow", MIB, 0, NULL),
                         PIPIT_RESOURCE_EXHAUSTED);
        assert_error(&call,
                     PIPIT_RESOURCE_EXHAUSTED,
                     PIPIT_RAN,
                     PIPIT_ORIGIN_SERVER,
                     "RESPONSE_TOO_LARGE");
        pipit_call_deinit(&call);
}

static void calls_over_the_mailboxes_limit_have_not_run(void **state)
{
        const struct pipit_server_options options = {.calls_per_mailbox_max = 3};
        struct setting *setting = setting_make(&options, NULL);
        struct pipit_call call = {0};
        struct waited waited[3];

        *state = setting;
        for (size_t i = 0; i < 3; i++) {
                waited_init(&waited[i]);
                start_sleep(setting->channel, &waited[i]);
                fixture_wait_parked(&setting->fixture, i + 1);
        }
        assert_int_equal(call_echo(setting->channel, &call, "too many"), PIPIT_RESOURCE_EXHAUSTED);
        assert_error(&call,
                     PIPIT_RESOURCE_EXHAUSTED,
                     PIPIT_NOT_RUN,
                     PIPIT_ORIGIN_SERVER,
                     "TOO_MANY_CALLS");
        for (size_t i = 0; i < 3; i++) {
                fixture_answer(&setting->fixture, i);
                waited_wait(&waited[i]);
                waited_deinit(&waited[i]);
        }
        pipit_call_reset(&call);
        assert_int_equal(call_echo(setting->channel, &call, "room"), PIPIT_OK);
        pipit_call_deinit(&call);
}

static void bytes_over_a_peers_limit_have_not_run(void **state)
{
        const struct pipit_server_options options = {.decoded_bytes_peer_max = MIB / 2};
        struct setting *setting = setting_make(&options, NULL);
        struct pipit_call call = {0};

        *state = setting;
        assert_int_equal(call_with(setting->channel, &call, "in", 1, MIB * 3 / 4, NULL),
                         PIPIT_RESOURCE_EXHAUSTED);
        assert_error(&call,
                     PIPIT_RESOURCE_EXHAUSTED,
                     PIPIT_NOT_RUN,
                     PIPIT_ORIGIN_SERVER,
                     "TOO_MANY_BYTES");
        pipit_call_reset(&call);
        assert_int_equal(call_with(setting->channel, &call, "in", 1, MIB / 16, NULL), PIPIT_OK);
        pipit_call_deinit(&call);
}

static void connections_over_the_servers_limit_are_refused(void **state)
{
        const struct pipit_server_options options = {.pipes_max = 1};
        struct setting *setting = setting_make(&options, NULL);
        struct pipit_call call = {0};
        struct pipit_channel *second;
        enum pipit_status status;

        *state = setting;
        assert_int_equal(call_echo(setting->channel, &call, "the first"), PIPIT_OK);
        second = way_open(setting->fixture.server, setting->fixture.url, NULL);
        pipit_call_reset(&call);
        call.timeout_ms = 300;
        status = call_echo(second, &call, "the second");
        assert_true(status == PIPIT_UNAVAILABLE || status == PIPIT_DEADLINE_EXCEEDED);
        assert_int_equal(fixture_n_ran(&setting->fixture), 1);
        pipit_call_deinit(&call);
        assert_null(pipit_channel_free(second));
}

static void a_worker_queue_that_is_full_refuses(void **state)
{
        const struct pipit_server_options options = {.n_workers = 1, .worker_queue_max = 1};
        Echo__V1__FailRequest request = ECHO__V1__FAIL_REQUEST__INIT;
        struct setting *setting = setting_make(&options, NULL);
        struct waited running, queued, refused;

        *state = setting;
        waited_init(&running);
        waited_init(&queued);
        waited_init(&refused);
        request.code = PIPIT_ABORTED;
        echo_v1_fail_start(setting->channel, &running.call, &request);
        fixture_wait_gate(&setting->fixture, 1);
        echo_v1_fail_start(setting->channel, &queued.call, &request);
        echo_v1_fail_start(setting->channel, &refused.call, &request);

        /* Which of the two came first is nng's to say. */
        if (way != WAY_INPROCESS) {
                fixture_open_gate(&setting->fixture);
                waited_wait(&refused);
        } else {
                waited_wait(&refused);
                assert_error(&refused.call,
                             PIPIT_RESOURCE_EXHAUSTED,
                             PIPIT_NOT_RUN,
                             PIPIT_ORIGIN_SERVER,
                             "WORKERS_BUSY");
                fixture_open_gate(&setting->fixture);
        }
        waited_wait(&running);
        waited_wait(&queued);
        waited_deinit(&running);
        waited_deinit(&queued);
        waited_deinit(&refused);
}

#define own_test(name) cmocka_unit_test_teardown(name, setting_free)

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                way_test(almost_a_frame_fits),
                way_test(a_request_over_the_channels_frame_never_leaves),
                own_test(a_request_over_the_servers_frame_is_refused_there),
                way_test(a_response_over_a_frame_ran),
                own_test(calls_over_the_mailboxes_limit_have_not_run),
                own_test(bytes_over_a_peers_limit_have_not_run),
                own_test(connections_over_the_servers_limit_are_refused),
                own_test(a_worker_queue_that_is_full_refuses),
        };

        if (argc != 2 || !way_choose(argv[1]))
                return EXIT_FAILURE;

        return cmocka_run_group_tests(tests, NULL, NULL);
}
