/* How many mailboxes a principal has, and who makes room for others. */

#include <string.h>

#include "tests/integration/runtime/fixture.h"

/* Such as nobody waits for. */
#define LINGER_MS (3600 * 1000)

static struct fixture fixture;
static struct client client;

static void open_with(uint32_t n_mailboxes_max)
{
        const struct pipit_server_options options = {
                .mailboxes_per_principal_max = n_mailboxes_max,
                .mailbox_linger_ms = LINGER_MS,
        };

        fixture_start(&fixture, FIXTURE_IPC, &options);
        client_open(&client, fixture.url, true);
}

static void close_all_of_it(void)
{
        client_close(&client);
        fixture_stop(&fixture);
}

static void mailboxes_over_the_limit_of_a_principal_fail_all_their_calls(void **state)
{
        struct client second;
        struct request request;
        struct answer answer;

        (void)state;
        open_with(1);
        client_open(&second, fixture.url, true);
        request_init(&request, &client);
        request_echo(&request, 1, "x", 0);
        exchange_run(&client, &request, &answer);
        assert_ok(&answer, 1);
        answer_deinit(&answer);

        request_init(&request, &second);
        request_echo(&request, 1, "x", 0);
        request_echo(&request, 2, "x", 0);
        exchange_run(&second, &request, &answer);
        assert_failed(&answer, 1, PIPIT_RESOURCE_EXHAUSTED, PIPIT_NOT_RUN, "TOO_MANY_MAILBOXES");
        assert_failed(&answer, 2, PIPIT_RESOURCE_EXHAUSTED, PIPIT_NOT_RUN, "TOO_MANY_MAILBOXES");
        answer_deinit(&answer);
        assert_serves(fixture.url);
        client_close(&second);
        close_all_of_it();
}

/* Waits until there is room: until the server has noticed that others have left. */
static void echo_when_there_is_room(struct client *who)
{
        bool is_refused = true;

        for (uint64_t id = 1; is_refused; ++id) {
                struct request request;
                struct answer answer;

                request_init(&request, who);
                request_echo(&request, id, "x", 0);
                exchange_run(who, &request, &answer);
                is_refused = answer_reply(&answer, id)->status != NULL;
                if (is_refused)
                        assert_failed(&answer,
                                      id,
                                      PIPIT_RESOURCE_EXHAUSTED,
                                      PIPIT_NOT_RUN,
                                      "TOO_MANY_MAILBOXES");
                answer_deinit(&answer);
        }
}

static void visit(void)
{
        struct client visitor;

        client_open(&visitor, fixture.url, true);
        echo_when_there_is_room(&visitor);
        client_close(&visitor);
}

/* Many short-lived clients of one principal, as a script makes them. */
static void an_idle_mailbox_without_a_pipe_makes_room(void **state)
{
        (void)state;
        open_with(2);
        for (size_t i = 0; i < 200; ++i)
                visit();
        echo_when_there_is_room(&client);
        close_all_of_it();
}

static void a_mailbox_with_a_call_makes_no_room(void **state)
{
        (void)state;
        open_with(2);
        client_park_and_leave(&client, &fixture);
        for (size_t i = 0; i < 50; ++i)
                visit();
        assert_false(pipit_server_call_cancelled(fixture_parked(&fixture, 0)));
        fixture_stop(&fixture);
}

static void comes_back_as(struct client *who, const uint8_t id[16])
{
        client_open(who, fixture.url, true);
        memcpy(who->id, id, sizeof(who->id));
}

/* It may have had calls: whoever comes back is not told that they did not run. */
static void a_mailbox_that_made_room_is_remembered_as_one_that_was(void **state)
{
        struct request request;
        struct answer answer;
        uint8_t id[16];

        (void)state;
        open_with(1);
        memcpy(id, client.id, sizeof(id));
        echo_when_there_is_room(&client);
        client_close(&client);
        visit();

        comes_back_as(&client, id);
        echo_when_there_is_room(&client);
        request_init(&request, &client);
        request_await(&request, 1000);
        exchange_run(&client, &request, &answer);
        assert_failed(&answer, 1000, PIPIT_UNAVAILABLE, PIPIT_MAY_HAVE_RUN, "CALL_FORGOTTEN");
        answer_deinit(&answer);
        close_all_of_it();
}

/* Nobody else would hold the late copy back. */
static void a_mailbox_that_has_called_a_call_not_received_makes_no_room(void **state)
{
        struct request request;
        struct answer answer;
        uint8_t id[16];
        size_t n_ran;

        (void)state;
        open_with(2);
        memcpy(id, client.id, sizeof(id));
        request_init(&request, &client);
        request_await(&request, 9);
        exchange_run(&client, &request, &answer);
        assert_failed(&answer, 9, PIPIT_UNAVAILABLE, PIPIT_NOT_RUN, "CALL_NOT_RECEIVED");
        answer_deinit(&answer);
        client_close(&client);
        for (size_t i = 0; i < 50; ++i)
                visit();

        comes_back_as(&client, id);
        n_ran = fixture_n_ran(&fixture);
        request_init(&request, &client);
        request_echo(&request, 9, "late", 0);
        request_echo(&request, 10, "new", 0);
        exchange_run(&client, &request, &answer);
        assert_null(answer_reply(&answer, 9));
        assert_ok(&answer, 10);
        answer_deinit(&answer);
        assert_int_equal(fixture_n_ran(&fixture), n_ran + 1);
        close_all_of_it();
}

static void be_known(int number)
{
        memset(client.id, number, sizeof(client.id));
        echo_when_there_is_room(&client);
}

/* It answers as one that knows all that it was ever told. */
static void assert_remembered(int number)
{
        struct request request;
        struct answer answer;

        memset(client.id, number, sizeof(client.id));
        request_init(&request, &client);
        request_await(&request, 1000);
        exchange_run(&client, &request, &answer);
        assert_failed(&answer, 1000, PIPIT_UNAVAILABLE, PIPIT_NOT_RUN, "CALL_NOT_RECEIVED");
        answer_deinit(&answer);
}

/* A pipe leaves its mailboxes one by one, the last that it used first. */
static void the_mailbox_that_is_idle_for_longest_makes_room_first(void **state)
{
        enum { N_MAILBOXES = 8, N_VISITS = 3 };

        (void)state;
        open_with(N_MAILBOXES);
        for (int i = 1; i <= N_MAILBOXES; ++i)
                be_known(i);
        client_close(&client);
        for (size_t i = 0; i < N_VISITS; ++i)
                visit();

        client_open(&client, fixture.url, true);
        for (int i = 1; i <= N_MAILBOXES - N_VISITS; ++i)
                assert_remembered(i);
        close_all_of_it();
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(mailboxes_over_the_limit_of_a_principal_fail_all_their_calls),
                cmocka_unit_test(an_idle_mailbox_without_a_pipe_makes_room),
                cmocka_unit_test(a_mailbox_with_a_call_makes_no_room),
                cmocka_unit_test(a_mailbox_that_made_room_is_remembered_as_one_that_was),
                cmocka_unit_test(the_mailbox_that_is_idle_for_longest_makes_room_first),
                cmocka_unit_test(a_mailbox_that_has_called_a_call_not_received_makes_no_room),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
