#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/rpc/session_table.h"
#include "tests/unit/base/alloc_fault.h"

static const struct pipit_noise_transport transport = {{1}, {2}, {0}};

static bool make(struct pipit_secret_pool *secrets, uint8_t number, struct pipit_session *session)
{
        const uint8_t id[PIPIT_SESSION_ID_BYTES] = {number}, key[PIPIT_NOISE_KEY_BYTES] = {number};

        memset(session, 0, sizeof(*session));
        return pipit_session_init(session,
                                  &(struct pipit_session_options){.is_server = true,
                                                                  .transport = &transport,
                                                                  .id = id,
                                                                  .peer_key = key,
                                                                  .secrets = secrets});
}

static struct pipit_session *make_on_heap(struct pipit_secret_pool *secrets, uint8_t number)
{
        struct pipit_session *session = calloc(1, sizeof(*session));

        assert_non_null(session);
        assert_true(make(secrets, number, session));
        return session;
}

static void tables_pools_and_limiters_are_made_whole_or_not_at_all(void **state)
{
        size_t live = alloc_live_bytes();

        (void)state;
        for (size_t n = 1; n < 5; n++) {
                alloc_fault_after(n);
                assert_null(pipit_session_table_new(10, NULL));
                assert_true(alloc_fault_met());
                alloc_fault_after(0);
        }
        alloc_fault_after(1);
        assert_null(pipit_handshake_limiter_new());
        assert_null(pipit_secret_pool_new());
        alloc_fault_after(0);
        assert_int_equal(alloc_live_bytes(), live);
}

static void memory_that_runs_out_leaves_the_table_as_it_was(void **state)
{
        struct pipit_secret_pool *secrets = pipit_secret_pool_new();
        struct pipit_session_table *table = pipit_session_table_new(100, NULL);
        struct pipit_session *session, refused;

        (void)state;
        assert_non_null(table);
        alloc_fault_after(1);
        assert_false(make(secrets, 1, &refused));
        alloc_fault_after(0);

        session = make_on_heap(secrets, 1);
        alloc_fault_after(1);
        assert_false(pipit_session_table_add(table, session, 2, 2, 0));
        alloc_fault_after(0);
        assert_int_equal(pipit_session_table_count(table).n_sessions, 0);
        assert_true(pipit_session_table_add(table, session, 2, 2, 0));
        pipit_session_unref(session);
        table = pipit_session_table_free(table);
        secrets = pipit_secret_pool_free(secrets);
}

/* Also where the pages of the pool run full and empty again. */
static void keys_are_zeroed_when_a_session_goes(void **state)
{
        struct pipit_secret_pool *secrets = pipit_secret_pool_new();
        struct pipit_session *sessions[200];
        const uint8_t zero[PIPIT_SECRET_BYTES] = {0};
        const uint8_t *first;

        (void)state;
        for (size_t i = 0; i < 200; i++) {
                sessions[i] = make_on_heap(secrets, (uint8_t)i);
                for (size_t j = 0; j < i; j++)
                        assert_ptr_not_equal(sessions[i]->secret.bytes, sessions[j]->secret.bytes);
        }
        first = sessions[0]->secret.bytes;
        assert_memory_not_equal(first, zero, sizeof(zero));
        pipit_session_unref(sessions[0]);
        assert_memory_equal(first, zero, sizeof(zero));
        sessions[0] = make_on_heap(secrets, 0);
        assert_ptr_equal(sessions[0]->secret.bytes, first);
        for (size_t i = 0; i < 200; i++)
                pipit_session_unref(sessions[i]);
        secrets = pipit_secret_pool_free(secrets);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(tables_pools_and_limiters_are_made_whole_or_not_at_all),
                cmocka_unit_test(memory_that_runs_out_leaves_the_table_as_it_was),
                cmocka_unit_test(keys_are_zeroed_when_a_session_goes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
