#include <string.h>

#include "tests/integration/runtime/fixture.h"

static struct fixture fixture;
static struct client client;

static int set_up(void **state)
{
        (void)state;
        fixture_start(&fixture, FIXTURE_IPC, NULL);
        client_open(&client, fixture.url, true);

        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        client_close(&client);
        fixture_stop(&fixture);

        return 0;
}

/* A frame with one parked call, left with the server. */
static void start_slow(struct exchange *exchange, struct client *by, uint64_t id, size_t n_parked)
{
        struct request request;

        request_init(&request, by);
        request_call(&request, id, SLEEP)->timeout_ms = 60000;
        request.message.hold_ms = 10000;
        exchange_send(exchange, by, &request);
        request_deinit(&request);
        fixture_wait_parked(&fixture, n_parked);
}

static void run_echo(struct client *by, uint64_t id, struct answer *ret_answer)
{
        struct request request;

        request_init(&request, by);
        request_echo(&request, id, "x", 0);
        exchange_run(by, &request, ret_answer);
}

static void run_ids(struct client *by, uint64_t await, uint64_t cancel, struct answer *ret_answer)
{
        struct request request;

        request_init(&request, by);
        if (await)
                request_await(&request, await);
        if (cancel)
                request_cancel(&request, cancel);
        exchange_run(by, &request, ret_answer);
}

static void a_slow_call_does_not_hold_up_a_fast_one(void **state)
{
        struct exchange slow;
        struct exchange poll;
        struct request request;
        struct answer answer;

        (void)state;
        start_slow(&slow, &client, 1, 1);

        /* The oldest held frame carries the fast call's reply: the slow one's. */
        request_init(&request, &client);
        request_echo(&request, 2, "fast", 0);
        exchange_send(&poll, &client, &request);
        request_deinit(&request);
        exchange_wait(&slow, &answer);
        assert_int_equal(1, answer.response->n_replies);
        assert_ok(&answer, 2);
        answer_deinit(&answer);

        fixture_answer(&fixture, 0);
        exchange_wait(&poll, &answer);
        assert_ok(&answer, 1);
        answer_deinit(&answer);
}

static void replies_that_do_not_fit_wait_for_the_next_frame(void **state)
{
        struct request request;
        struct answer answer;

        (void)state;
        request_init(&request, &client);
        for (uint64_t id = 1; id <= 3; ++id)
                request_echo(&request, id, "grow", 30000);
        request.message.max_response_bytes = 65536;
        exchange_run(&client, &request, &answer);
        assert_int_equal(2, answer.response->n_replies);
        assert_ok(&answer, 1);
        assert_ok(&answer, 2);
        assert_true(answer.n_bytes <= 65536);
        answer_deinit(&answer);

        request_init(&request, &client);
        exchange_run(&client, &request, &answer);
        assert_int_equal(1, answer.response->n_replies);
        assert_ok(&answer, 3);
        answer_deinit(&answer);
}

static void one_reply_too_large_for_any_response_says_so(void **state)
{
        struct request request;
        struct answer answer;

        (void)state;
        request_init(&request, &client);
        request_echo(&request, 1, "grow", 1024 * 1024);
        exchange_run(&client, &request, &answer);
        assert_failed(&answer, 1, PIPIT_RESOURCE_EXHAUSTED, PIPIT_RAN, "RESPONSE_TOO_LARGE");
        answer_deinit(&answer);

        request_init(&request, &client);
        request_echo(&request, 2, "grow", 70000);
        request.message.max_response_bytes = 65536;
        exchange_run(&client, &request, &answer);
        assert_failed(&answer, 2, PIPIT_RESOURCE_EXHAUSTED, PIPIT_RAN, "RESPONSE_TOO_LARGE");
        answer_deinit(&answer);
}

static void a_frame_is_answered_after_hold_ms(void **state)
{
        struct request request;
        struct answer answer;

        (void)state;
        request_init(&request, &client);
        request.message.hold_ms = 10;
        exchange_run(&client, &request, &answer);
        assert_int_equal(0, answer.response->n_replies);
        answer_deinit(&answer);
}

static void a_cancelled_call_is_never_replied_to(void **state)
{
        struct exchange slow;
        struct answer answer;

        (void)state;
        start_slow(&slow, &client, 1, 1);
        run_ids(&client, 0, 1, &answer);
        assert_int_equal(0, answer.response->n_replies);
        answer_deinit(&answer);
        assert_true(pipit_server_call_cancelled(fixture_parked(&fixture, 0)));

        fixture_answer(&fixture, 0);
        run_ids(&client, 1, 0, &answer);
        assert_failed(&answer, 1, PIPIT_UNAVAILABLE, PIPIT_MAY_HAVE_RUN, "CALL_FORGOTTEN");
        answer_deinit(&answer);
        exchange_abandon(&slow);
}

static void a_cancel_that_overtakes_its_call_keeps_it_from_running(void **state)
{
        struct request request;
        struct answer answer;

        (void)state;
        run_ids(&client, 0, 5, &answer);
        answer_deinit(&answer);

        request_init(&request, &client);
        request_echo(&request, 5, "late", 0);
        request_echo(&request, 6, "other", 0);
        exchange_run(&client, &request, &answer);
        assert_int_equal(1, answer.response->n_replies);
        assert_ok(&answer, 6);
        answer_deinit(&answer);
        assert_int_equal(1, fixture_n_ran(&fixture));
}

static void a_queued_call_that_is_cancelled_never_runs(void **state)
{
        const struct pipit_server_options options = {.n_workers = 1};
        struct fixture other;
        struct client caller;
        struct exchange exchange;
        struct request request;
        struct answer answer;

        (void)state;
        fixture_start(&other, FIXTURE_IPC, &options);
        client_open(&caller, other.url, true);
        request_init(&request, &caller);
        request_call(&request, 1, FAIL);
        request_call(&request, 2, FAIL);
        exchange_send(&exchange, &caller, &request);
        request_deinit(&request);
        fixture_wait_gate(&other, 1);
        run_ids(&caller, 0, 2, &answer);
        answer_deinit(&answer);

        fixture_open_gate(&other);
        exchange_wait(&exchange, &answer);
        assert_int_equal(1, answer.response->n_replies);
        assert_non_null(answer_reply(&answer, 1));
        answer_deinit(&answer);
        client_close(&caller);
        assert_int_equal(0, pipit_server_stop(other.server));
        assert_int_equal(1, fixture_n_ran(&other));
        fixture_stop(&other);
}

static void an_await_of_an_unknown_id_says_not_received_and_buries_it(void **state)
{
        struct request request;
        struct answer answer;

        (void)state;
        run_ids(&client, 9, 0, &answer);
        assert_failed(&answer, 9, PIPIT_UNAVAILABLE, PIPIT_NOT_RUN, "CALL_NOT_RECEIVED");
        answer_deinit(&answer);

        request_init(&request, &client);
        request_echo(&request, 9, "late", 0);
        request.message.hold_ms = 10;
        exchange_run(&client, &request, &answer);
        assert_int_equal(0, answer.response->n_replies);
        answer_deinit(&answer);
        assert_int_equal(0, fixture_n_ran(&fixture));
}

static void an_await_of_a_running_call_waits_for_its_reply(void **state)
{
        struct exchange slow;
        struct exchange await;
        struct request request;
        struct answer answer;

        (void)state;
        start_slow(&slow, &client, 1, 1);
        request_init(&request, &client);
        request_await(&request, 1);
        exchange_send(&await, &client, &request);
        request_deinit(&request);
        fixture_answer(&fixture, 0);
        exchange_wait(&slow, &answer);
        assert_ok(&answer, 1);
        answer_deinit(&answer);
        exchange_abandon(&await);
}

static void another_client_id_is_another_mailbox(void **state)
{
        struct client other;
        struct exchange slow;
        struct answer answer;

        (void)state;
        client_open(&other, fixture.url, true);
        start_slow(&slow, &client, 1, 1);

        run_ids(&other, 1, 0, &answer);
        assert_failed(&answer, 1, PIPIT_UNAVAILABLE, PIPIT_NOT_RUN, "CALL_NOT_RECEIVED");
        answer_deinit(&answer);
        run_ids(&other, 0, 1, &answer);
        answer_deinit(&answer);
        assert_false(pipit_server_call_cancelled(fixture_parked(&fixture, 0)));

        fixture_answer(&fixture, 0);
        exchange_wait(&slow, &answer);
        assert_ok(&answer, 1);
        answer_deinit(&answer);
        client_close(&other);
}

static void an_id_that_is_known_rejects_the_whole_frame(void **state)
{
        struct exchange slow;
        struct request request;
        struct answer answer;

        (void)state;
        start_slow(&slow, &client, 1, 1);
        request_init(&request, &client);
        request_echo(&request, 2, "new", 0);
        request_echo(&request, 1, "known", 0);
        request_cancel(&request, 1);
        request_await(&request, 77);
        exchange_run(&client, &request, &answer);
        assert_rejected(&answer, PIPIT_REJECT_BAD_FRAME, 0);
        answer_deinit(&answer);
        assert_int_equal(1, fixture_n_ran(&fixture));
        assert_false(pipit_server_call_cancelled(fixture_parked(&fixture, 0)));

        /* Nothing of it had an effect: 2 and 77 are still new. */
        fixture_answer(&fixture, 0);
        exchange_wait(&slow, &answer);
        answer_deinit(&answer);
        run_echo(&client, 77, &answer);
        assert_ok(&answer, 77);
        answer_deinit(&answer);
        run_echo(&client, 2, &answer);
        assert_ok(&answer, 2);
        answer_deinit(&answer);
}

static void a_mailbox_outlives_its_pipe(void **state)
{
        struct client again;
        struct exchange slow;
        struct request request;
        struct answer answer;

        (void)state;
        client_open(&again, fixture.url, true);
        start_slow(&slow, &again, 1, 1);
        exchange_abandon(&slow);
        client_close(&again);
        fixture_answer(&fixture, 0);

        {
                uint8_t id[16];

                memcpy(id, again.id, sizeof(id));
                client_open(&again, fixture.url, true);
                memcpy(again.id, id, sizeof(id));
        }
        request_init(&request, &again);
        request_await(&request, 1);
        exchange_run(&again, &request, &answer);
        assert_non_null(answer_reply(&answer, 1));
        answer_deinit(&answer);
        client_close(&again);
}

static void a_mailbox_without_a_pipe_is_freed_after_its_linger(void **state)
{
        const struct pipit_server_options options = {.mailbox_linger_ms = 30};
        struct fixture other;
        struct client leaver;
        struct answer answer;
        uint8_t id[16];

        (void)state;
        fixture_start(&other, FIXTURE_IPC, &options);
        client_open(&leaver, other.url, true);
        memcpy(id, leaver.id, sizeof(id));
        client_park_and_leave(&leaver, &other);
        while (!pipit_server_call_cancelled(fixture_parked(&other, 0)))
                assert_serves(other.url);

        /* Made anew, it knows nothing, and says so. */
        client_open(&leaver, other.url, true);
        memcpy(leaver.id, id, sizeof(id));
        run_ids(&leaver, 1, 0, &answer);
        assert_failed(&answer, 1, PIPIT_UNAVAILABLE, PIPIT_MAY_HAVE_RUN, "CALL_FORGOTTEN");
        answer_deinit(&answer);
        client_close(&leaver);
        fixture_stop(&other);
}

/* How many replies came in the first response, of 20 that were given in one burst. */
static size_t answer_in_one_burst(uint64_t round)
{
        struct exchange slow;
        struct request request;
        struct answer answer;
        size_t n_replies;

        request_init(&request, &client);
        for (uint64_t i = 0; i < 20; ++i)
                request_call(&request, round * 20 + i + 1, SLEEP)->timeout_ms = 60000;
        exchange_send(&slow, &client, &request);
        request_deinit(&request);
        fixture_wait_parked(&fixture, (round + 1) * 20);

        pipit_server_cork();
        pipit_server_cork();
        for (size_t i = 0; i < 20; ++i)
                fixture_answer(&fixture, round * 20 + i);
        pipit_server_uncork();
        pipit_server_uncork();
        exchange_wait(&slow, &answer);
        n_replies = answer.response->n_replies;
        answer_deinit(&answer);

        return n_replies;
}

static void completions_of_one_burst_go_out_together(void **state)
{
        size_t n_replies = 0;

        (void)state;
        /* The frame's own end may come in between, and take what is there. */
        for (uint64_t round = 0; round < 50 && n_replies != 20; ++round)
                n_replies = answer_in_one_burst(round);
        assert_int_equal(20, n_replies);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_slow_call_does_not_hold_up_a_fast_one),
                TEST(replies_that_do_not_fit_wait_for_the_next_frame),
                TEST(one_reply_too_large_for_any_response_says_so),
                TEST(a_frame_is_answered_after_hold_ms),
                TEST(a_cancelled_call_is_never_replied_to),
                TEST(a_cancel_that_overtakes_its_call_keeps_it_from_running),
                TEST(a_queued_call_that_is_cancelled_never_runs),
                TEST(an_await_of_an_unknown_id_says_not_received_and_buries_it),
                TEST(an_await_of_a_running_call_waits_for_its_reply),
                TEST(another_client_id_is_another_mailbox),
                TEST(an_id_that_is_known_rejects_the_whole_frame),
                TEST(a_mailbox_outlives_its_pipe),
                TEST(a_mailbox_without_a_pipe_is_freed_after_its_linger),
                TEST(completions_of_one_burst_go_out_together),
        };

        return cmocka_run_group_tests_name("runtime_mailbox", tests, NULL, NULL);
}
