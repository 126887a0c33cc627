#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "server/runtime/ready.h"

/* A record is its id's lowest byte, over and over. */
static void append(struct ready *ready, uint64_t id, size_t n_bytes)
{
        uint8_t *to = ready_append(ready, id, n_bytes);

        assert_non_null(to);
        memset(to, (int)(id & 0xff), n_bytes);
}

static void assert_first(struct ready *ready, uint64_t id, size_t n_bytes)
{
        const uint8_t *bytes;
        uint64_t first;
        size_t n;

        assert_true(ready_first(ready, &first, &bytes, &n));
        assert_int_equal(id, first);
        assert_int_equal(n_bytes, n);
        for (size_t i = 0; i < n; ++i)
                assert_int_equal(id & 0xff, bytes[i]);
}

static void assert_none(struct ready *ready)
{
        const uint8_t *bytes;
        uint64_t first;
        size_t n;

        assert_false(ready_first(ready, &first, &bytes, &n));
        assert_int_equal(0, ready->n_live);
        assert_int_equal(0, ready_n_bytes(ready));
}

static void what_was_appended_comes_out_in_order(void **state)
{
        struct ready ready = {};

        (void)state;
        assert_none(&ready);
        /* Rounds of many and few, so that it grows, moves down and starts anew. */
        for (uint64_t round = 0, next = 1, first = 1; round < 200; ++round) {
                for (uint64_t n = round * 37 % 61; n > 0; --n, ++next)
                        append(&ready, next, 1 + next * 131 % 700);
                for (uint64_t n = round * 53 % 67; n > 0 && first < next; --n, ++first) {
                        assert_first(&ready, first, 1 + first * 131 % 700);
                        ready_pop(&ready);
                }
                assert_int_equal(next - first, ready.n_live);
        }
        ready_deinit(&ready);
        assert_none(&ready);
}

static void a_dropped_one_is_passed_over_wherever_it_lies(void **state)
{
        struct ready ready = {};

        (void)state;
        for (uint64_t id = 1; id <= 5; ++id)
                append(&ready, id, (size_t)id * 10);
        ready_drop(&ready, 1);
        ready_drop(&ready, 3);
        ready_drop(&ready, 3);
        ready_drop(&ready, 5);
        ready_drop(&ready, 77);
        assert_int_equal(2, ready.n_live);
        assert_first(&ready, 2, 20);
        ready_pop(&ready);
        assert_first(&ready, 4, 40);
        ready_pop(&ready);
        assert_none(&ready);
        ready_deinit(&ready);
}

static void a_replaced_one_is_shorter_and_moves_nobody(void **state)
{
        static const uint8_t record[3] = {2, 2, 2};
        struct ready ready = {};

        (void)state;
        for (uint64_t id = 1; id <= 3; ++id)
                append(&ready, id, 100);
        ready_replace(&ready, 1, record, sizeof(record));
        assert_int_equal(3, ready_entry(&ready, 1)->n_bytes);
        assert_first(&ready, 1, 100);
        ready_pop(&ready);
        assert_first(&ready, 2, 3);
        ready_pop(&ready);
        assert_first(&ready, 3, 100);
        ready_deinit(&ready);
}

static void a_large_burst_does_not_keep_its_memory(void **state)
{
        struct ready ready = {};

        (void)state;
        for (uint64_t id = 1; id <= 2000; ++id)
                append(&ready, id, 1000);
        for (uint64_t id = 1; id <= 2000; ++id)
                ready_pop(&ready);
        assert_null(ready.bytes);
        assert_null(ready.entries);
        append(&ready, 1, 10);
        assert_first(&ready, 1, 10);
        ready_deinit(&ready);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_was_appended_comes_out_in_order),
                cmocka_unit_test(a_dropped_one_is_passed_over_wherever_it_lies),
                cmocka_unit_test(a_replaced_one_is_shorter_and_moves_nobody),
                cmocka_unit_test(a_large_burst_does_not_keep_its_memory),
        };

        return cmocka_run_group_tests_name("ready", tests, NULL, NULL);
}
