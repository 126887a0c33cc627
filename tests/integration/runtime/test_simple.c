#include <pipit/log.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/macros.h"
#include "tests/integration/runtime/fixture.h"

static struct fixture fixture;
static struct client client;

static int set_up(void **state)
{
        (void)state;
        fixture_start(&fixture, FIXTURE_IPC, NULL);
        client_open(&client, fixture.url, false);

        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        client_close(&client);
        fixture_stop(&fixture);

        return 0;
}

static void a_call_is_answered_over_every_transport(void **state)
{
        (void)state;
        for (int url = FIXTURE_IPC; url <= FIXTURE_INPROC; ++url) {
                struct fixture other;

                fixture_start(&other, (enum fixture_url)url, NULL);
                assert_serves(other.url);
                fixture_stop(&other);
        }
}

static void a_frame_is_answered_when_its_last_call_is_done(void **state)
{
        struct exchange slow;
        struct request request;
        struct answer answer;

        (void)state;
        request_init(&request, &client);
        request_echo(&request, 1, "at once", 0);
        request_call(&request, 2, SLEEP);
        exchange_send(&slow, &client, &request);
        request_deinit(&request);
        fixture_wait_parked(&fixture, 1);
        assert_serves(fixture.url);

        fixture_answer(&fixture, 0);
        exchange_wait(&slow, &answer);
        assert_int_equal(2, answer.response->n_replies);
        assert_ok(&answer, 1);
        assert_ok(&answer, 2);
        answer_deinit(&answer);
}

static void a_frame_without_calls_is_answered_at_once(void **state)
{
        struct request request;
        struct answer answer;

        (void)state;
        request_init(&request, &client);
        exchange_run(&client, &request, &answer);
        assert_int_equal(0, answer.response->n_replies);
        assert_true(answer.response->instance != 0);
        assert_false(answer.response->draining);
        answer_deinit(&answer);
}

static void each_call_fails_alone(void **state)
{
        struct request request;
        struct answer answer;
        Pipit__V1__Call *call;
        Pipit__V1__Metadata bad_key = PIPIT__V1__METADATA__INIT;
        Pipit__V1__Metadata *metadata[] = {&bad_key};
        uint8_t garbage[] = {0xff, 0xff};

        (void)state;
        bad_key.key = (char *)(uintptr_t) "Upper";
        request_init(&request, &client);
        request_echo(&request, 1, "fine", 0);
        request_call(&request, 2, "no.Such/Method");
        call = request_call(&request, 3, ECHO);
        call->payload.data = garbage;
        call->payload.len = sizeof(garbage);
        call = request_call(&request, 4, ECHO);
        call->metadata = metadata;
        call->n_metadata = 1;
        exchange_run(&client, &request, &answer);

        assert_ok(&answer, 1);
        assert_failed(&answer, 2, PIPIT_UNIMPLEMENTED, PIPIT_NOT_RUN, "METHOD_NOT_FOUND");
        assert_failed(&answer, 3, PIPIT_INVALID_ARGUMENT, PIPIT_NOT_RUN, "MALFORMED");
        assert_failed(&answer, 4, PIPIT_INVALID_ARGUMENT, PIPIT_NOT_RUN, "METADATA_INVALID");
        assert_int_equal(1, fixture_n_ran(&fixture));
        answer_deinit(&answer);
}

static void metadata_over_its_limits_fails_the_call(void **state)
{
        enum { N = 65 };
        static const uint8_t bytes[8192];
        Pipit__V1__Metadata entry = PIPIT__V1__METADATA__INIT;
        Pipit__V1__Metadata *metadata[N];
        struct request request;
        struct answer answer;
        Pipit__V1__Call *call;

        (void)state;
        entry.key = (char *)(uintptr_t) "key";
        entry.value.data = (uint8_t *)(uintptr_t)bytes;
        for (size_t i = 0; i < N; ++i)
                metadata[i] = &entry;
        /* entries, bytes of each value; at the limits and over them */
        for (size_t i = 0; i < 4; ++i) {
                static const size_t cases[][2] = {{64, 1}, {65, 1}, {1, 8189}, {1, 8190}};

                request_init(&request, &client);
                call = request_call(&request, 1, ECHO);
                call->metadata = metadata;
                call->n_metadata = cases[i][0];
                entry.value.len = cases[i][1];
                exchange_run(&client, &request, &answer);
                if (i % 2 == 0)
                        assert_ok(&answer, 1);
                else
                        assert_failed(&answer,
                                      1,
                                      PIPIT_INVALID_ARGUMENT,
                                      PIPIT_NOT_RUN,
                                      "METADATA_INVALID");
                answer_deinit(&answer);
        }
}

static void metadata_goes_both_ways(void **state)
{
        struct request request;
        struct answer answer;
        Pipit__V1__Metadata entry = PIPIT__V1__METADATA__INIT;
        Pipit__V1__Metadata *metadata[] = {&entry, &entry};
        const Pipit__V1__Reply *reply;
        Pipit__V1__Call *call;

        (void)state;
        entry.key = (char *)(uintptr_t) "trace.x";
        entry.value.data = (uint8_t *)(uintptr_t) "a\0b";
        entry.value.len = 3;
        request_init(&request, &client);
        call = request_call(&request, 1, ECHO);
        call->metadata = metadata;
        call->n_metadata = 2;
        exchange_run(&client, &request, &answer);

        assert_ok(&answer, 1);
        reply = answer_reply(&answer, 1);
        assert_int_equal(2, reply->n_metadata);
        assert_string_equal("trace.x", reply->metadata[1]->key);
        assert_int_equal(3, reply->metadata[1]->value.len);
        assert_memory_equal("a\0b", reply->metadata[1]->value.data, 3);
        answer_deinit(&answer);
}

static void a_handlers_failure_arrives_whole(void **state)
{
        struct request request;
        struct answer answer;

        (void)state;
        fixture_open_gate(&fixture);
        request_init(&request, &client);
        request_fail(&request, 1, PIPIT_NOT_FOUND, "no");
        exchange_run(&client, &request, &answer);

        assert_failed(&answer, 1, PIPIT_NOT_FOUND, PIPIT_RAN, "AS_ASKED");
        assert_string_equal("no", answer_reply(&answer, 1)->status->message);
        answer_deinit(&answer);
}

/* What @log wrote to the pipe that ends in @fd, until it is freed. */
static void read_log(int fd, char text[1024])
{
        size_t n_read = 0;
        ssize_t n;

        while ((n = read(fd, text + n_read, 1023 - n_read)) > 0)
                n_read += (size_t)n;
        text[n_read] = '\0';
        (void)close(fd);
}

static void a_status_that_is_none_goes_out_as_unknown_and_is_logged(void **state)
{
        static const int32_t codes[] = {PIPIT_STATUS_MAX + 1, -1};
        struct pipit_server_options options = {};
        struct fixture other;
        struct client caller;
        char text[1024];
        int fds[2];

        (void)state;
        assert_int_equal(0, pipe(fds));
        options.log = pipit_log_new(fds[1], PIPIT_LOG_JSON, PIPIT_LOG_ERROR);
        assert_non_null(options.log);
        fixture_start(&other, FIXTURE_IPC, &options);
        client_open(&caller, other.url, false);
        fixture_open_gate(&other);
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(codes); i++) {
                struct request request;
                struct answer answer;

                request_init(&request, &caller);
                request_fail(&request, 1, codes[i], "no");
                exchange_run(&caller, &request, &answer);
                assert_failed(&answer, 1, PIPIT_UNKNOWN, PIPIT_RAN, "AS_ASKED");
                assert_string_equal("no", answer_reply(&answer, 1)->status->message);
                answer_deinit(&answer);
        }
        client_close(&caller);
        fixture_stop(&other);
        pipit_log_free(options.log);
        (void)close(fds[1]);

        read_log(fds[0], text);
        assert_non_null(strstr(text, "\"method\":\"" FAIL "\",\"status\":17}"));
        assert_non_null(strstr(text, "\"method\":\"" FAIL "\",\"status\":-1}"));
        assert_null(strstr(strstr(text, ":-1}"), "\"status\""));
}

static void a_running_call_ends_at_its_deadline_and_its_late_answer_is_dropped(void **state)
{
        struct answer answer;

        (void)state;
        exchange_run_call(&client, 1, SLEEP, 20, &answer);
        assert_failed(&answer, 1, PIPIT_DEADLINE_EXCEEDED, PIPIT_MAY_HAVE_RUN, "DEADLINE");
        answer_deinit(&answer);

        assert_true(pipit_server_call_cancelled(fixture_parked(&fixture, 0)));
        fixture_answer(&fixture, 0);
        assert_serves(fixture.url);
}

static void a_queued_call_ends_at_its_deadline_and_never_runs(void **state)
{
        const struct pipit_server_options options = {.n_workers = 1};
        struct fixture other;
        struct client caller;
        struct exchange first;
        struct answer answer;

        (void)state;
        fixture_start(&other, FIXTURE_IPC, &options);
        client_open(&caller, other.url, false);
        exchange_send_call(&first, &caller, 1, FAIL, 0);
        fixture_wait_gate(&other, 1);

        exchange_run_call(&caller, 1, FAIL, 20, &answer);
        assert_failed(&answer, 1, PIPIT_DEADLINE_EXCEEDED, PIPIT_NOT_RUN, "DEADLINE");
        answer_deinit(&answer);

        fixture_open_gate(&other);
        exchange_wait(&first, &answer);
        answer_deinit(&answer);
        client_close(&caller);
        assert_int_equal(0, pipit_server_stop(other.server));
        assert_int_equal(1, fixture_n_ran(&other));
        fixture_stop(&other);
}

static void the_calls_of_a_client_that_leaves_are_cancelled(void **state)
{
        (void)state;
        fixture_lose_client(&fixture);

        while (!pipit_server_call_cancelled(fixture_parked(&fixture, 0)))
                assert_serves(fixture.url);
        fixture_answer(&fixture, 0);
        assert_serves(fixture.url);
}

static void replies_that_do_not_fit_together_are_replaced_the_last_first(void **state)
{
        struct request request;
        struct answer answer;

        (void)state;
        request_init(&request, &client);
        request_echo(&request, 1, "grow", 600000);
        request_echo(&request, 2, "grow", 300000);
        request_echo(&request, 3, "grow", 300000);
        exchange_run(&client, &request, &answer);
        assert_ok(&answer, 1);
        assert_ok(&answer, 2);
        assert_failed(&answer, 3, PIPIT_RESOURCE_EXHAUSTED, PIPIT_RAN, "RESPONSE_TOO_LARGE");
        answer_deinit(&answer);
}

static void health_knows_the_server_and_its_services(void **state)
{
        struct request request;
        struct answer answer;
        Pipit__V1__Call *call;
        uint8_t known[] = {0x0a, 19,  'e', 'c', 'h', 'o', '.', 'v', '1', '.', 'E',
                           'c',  'h', 'o', 'S', 'e', 'r', 'v', 'i', 'c', 'e'};
        uint8_t unknown[] = {0x0a, 3, 'x', '.', 'Y'};
        uint8_t serving[] = {0x08, 1};

        (void)state;
        request_init(&request, &client);
        request_call(&request, 1, HEALTH);
        call = request_call(&request, 2, HEALTH);
        call->payload.data = known;
        call->payload.len = sizeof(known);
        call = request_call(&request, 3, HEALTH);
        call->payload.data = unknown;
        call->payload.len = sizeof(unknown);
        exchange_run(&client, &request, &answer);

        assert_ok(&answer, 1);
        assert_int_equal(2, answer_reply(&answer, 1)->payload.len);
        assert_memory_equal(serving, answer_reply(&answer, 1)->payload.data, 2);
        assert_ok(&answer, 2);
        assert_failed(&answer, 3, PIPIT_NOT_FOUND, PIPIT_RAN, "SERVICE_UNKNOWN");
        answer_deinit(&answer);
}

static void reject_of(const void *bytes,
                      size_t n_bytes,
                      enum pipit_reject_code code,
                      uint32_t detail)
{
        struct exchange exchange;
        struct answer answer;

        exchange_send_bytes(&exchange, &client, bytes, n_bytes);
        exchange_wait(&exchange, &answer);
        assert_int_equal(0, answer.result);
        assert_rejected(&answer, code, detail);
        answer_deinit(&answer);
}

static void what_is_no_frame_is_rejected_and_runs_nothing(void **state)
{
        const size_t n_large = 1024 * 1024 + 1;
        uint8_t *large = calloc(1, n_large);

        (void)state;
        reject_of("", 0, PIPIT_REJECT_BAD_FRAME, 0);
        reject_of("GET / HTTP/1.1", 14, PIPIT_REJECT_BAD_FRAME, 0);
        reject_of("PI\x02\x10", 4, PIPIT_REJECT_VERSION, 1);
        reject_of("PI\x01\x01", 4, PIPIT_REJECT_DENIED, 0);
        reject_of("PI\x01\x03", 4, PIPIT_REJECT_NO_SESSION, 0);
        reject_of("PI\x01\x11", 4, PIPIT_REJECT_BAD_FRAME, 0);
        reject_of("PI\x01\x10\xff", 5, PIPIT_REJECT_BAD_FRAME, 0);
        memcpy(large, "PI\x01\x10", 4);
        reject_of(large, n_large, PIPIT_REJECT_TOO_LARGE, 1024 * 1024);
        free(large);
        assert_serves(fixture.url);
        assert_int_equal(1, fixture_n_ran(&fixture));
}

static void ids_are_non_zero_and_used_once(void **state)
{
        static const uint64_t pairs[][2] = {{0, 1}, {7, 7}};

        (void)state;
        for (size_t i = 0; i < 2; ++i) {
                struct request request;
                struct answer answer;

                request_init(&request, &client);
                request_echo(&request, pairs[i][0], "x", 0);
                request_echo(&request, pairs[i][1], "x", 0);
                exchange_run(&client, &request, &answer);
                assert_rejected(&answer, PIPIT_REJECT_BAD_FRAME, 0);
                answer_deinit(&answer);
        }
        assert_int_equal(0, fixture_n_ran(&fixture));
}

static void at_most_256_calls_make_a_frame(void **state)
{
        (void)state;
        for (uint64_t n = 256; n <= 257; ++n) {
                struct request request;
                struct answer answer;

                request_init(&request, &client);
                for (uint64_t id = 1; id <= n; ++id)
                        request_echo(&request, id, "x", 0);
                exchange_run(&client, &request, &answer);
                if (n == 256)
                        assert_int_equal(256, answer.response->n_replies);
                else
                        assert_rejected(&answer, PIPIT_REJECT_BAD_FRAME, 0);
                answer_deinit(&answer);
        }
        assert_int_equal(256, fixture_n_ran(&fixture));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_call_is_answered_over_every_transport),
                TEST(a_frame_is_answered_when_its_last_call_is_done),
                TEST(a_frame_without_calls_is_answered_at_once),
                TEST(each_call_fails_alone),
                TEST(metadata_over_its_limits_fails_the_call),
                TEST(metadata_goes_both_ways),
                TEST(a_handlers_failure_arrives_whole),
                TEST(a_status_that_is_none_goes_out_as_unknown_and_is_logged),
                TEST(a_running_call_ends_at_its_deadline_and_its_late_answer_is_dropped),
                TEST(a_queued_call_ends_at_its_deadline_and_never_runs),
                TEST(the_calls_of_a_client_that_leaves_are_cancelled),
                TEST(replies_that_do_not_fit_together_are_replaced_the_last_first),
                TEST(health_knows_the_server_and_its_services),
                TEST(what_is_no_frame_is_rejected_and_runs_nothing),
                TEST(ids_are_non_zero_and_used_once),
                TEST(at_most_256_calls_make_a_frame),
        };

        return cmocka_run_group_tests_name("runtime_simple", tests, NULL, NULL);
}
