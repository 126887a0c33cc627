/*
 * What a pooler in transaction mode may be sent: one batch, then nothing until its
 * answer has come. PgBouncer hands the server on once every Sync that it has read is
 * answered, wherever the client is in its next message.
 */

#include <stdio.h>
#include <stdlib.h>

#include "tests/integration/postgres/relay.h"
#include "tests/integration/postgres/side.h"

enum { N_CALLS = 3000 };

static struct users_repository *open_through(const struct postgres_place *place,
                                             const struct relay *relay,
                                             bool no_named_statements)
{
        struct postgres_place through = *place;
        int n;

        n = snprintf(through.conninfo,
                     sizeof(through.conninfo),
                     "%s %s",
                     place->conninfo,
                     relay_conninfo(relay));
        assert_in_range(n, 1, sizeof(through.conninfo) - 1);
        return postgres_place_open(&through, &pipit_clock_system, no_named_statements);
}

/*
 * Many calls at once, the answers held back until they are all there and @n_syncs
 * batches are under way: whoever would send more does it then. Returns how many
 * messages came too early.
 */
static unsigned count_early(struct side_fixture *fixture,
                            bool no_named_statements,
                            unsigned n_syncs)
{
        struct relay *relay = relay_new(fixture->place->conninfo);
        struct users_repository *repository;
        struct call *calls = calloc(N_CALLS, sizeof(*calls));
        struct user first = sample_user_number(N_CALLS);
        struct call warm_up;
        unsigned n_early;

        assert_non_null(relay);
        assert_non_null(calls);
        repository = open_through(fixture->place, relay, no_named_statements);
        assert_non_null(repository);

        warm_up = side_call(fixture, &first);
        call_wait(repository, call_insert, &warm_up);
        assert_ok(warm_up.request.error);

        relay_hold(relay);
        for (unsigned i = 0; i < N_CALLS; i++) {
                call_init(&calls[i], &fixture->waiter);
                calls[i].in = sample_user_number(i);
                (i % 3 == 0 ? call_find_by_email : call_insert)(repository, &calls[i]);
        }
        assert_true(relay_wait_for_syncs(relay, n_syncs));
        relay_let_go(relay);
        waiter_wait(&fixture->waiter, N_CALLS);
        users_repository_free(repository);
        n_early = relay_n_early(relay);
        relay_free(relay);

        for (unsigned i = 0; i < N_CALLS; i++)
                if (i % 3 != 0)
                        assert_ok(calls[i].request.error);
        free(calls);
        return n_early;
}

static void behind_a_pooler_nothing_is_sent_while_an_answer_is_owed(void **state)
{
        assert_int_equal(count_early(*state, true, 0), 0);
}

/* So the relay does see what the other test says is not there. */
static void without_a_pooler_batches_are_pipelined(void **state)
{
        assert_true(count_early(*state, false, 2) > 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(
                        behind_a_pooler_nothing_is_sent_while_an_answer_is_owed,
                        side_set_up,
                        side_tear_down),
                cmocka_unit_test_setup_teardown(
                        without_a_pooler_batches_are_pipelined, side_set_up, side_tear_down),
        };

        postgres_place_require_server();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
