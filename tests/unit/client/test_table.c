#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "client/table.h"

#define N_CALLS 5000

static void what_is_inserted_is_found_until_it_is_removed(void **state)
{
        struct pipit_call_state *calls = calloc(N_CALLS, sizeof(*calls));
        struct table table;

        (void)state;
        assert_non_null(calls);
        table_init(&table);
        for (size_t i = 0; i < N_CALLS; i++) {
                calls[i].id = i + 1;
                table_insert(&table, &calls[i]);
        }
        assert_null(table_find(&table, 0));
        assert_null(table_find(&table, N_CALLS + 1));
        for (size_t i = 0; i < N_CALLS; i += 2)
                table_remove(&table, &calls[i]);
        for (size_t i = 0; i < N_CALLS; i++)
                assert_ptr_equal(table_find(&table, i + 1), i % 2 ? &calls[i] : NULL);
        assert_int_equal(table.n_calls, N_CALLS / 2);
        table_deinit(&table);
        free(calls);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_inserted_is_found_until_it_is_removed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
