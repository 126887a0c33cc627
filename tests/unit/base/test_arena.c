#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/base/arena.h"
#include "tests/unit/base/alloc_fault.h"

static void allocations_are_aligned_and_apart(void **state)
{
        struct pipit_arena arena = {0};
        unsigned char *pointers[400];

        (void)state;
        for (size_t n = 0; n < 400; n++) {
                pointers[n] = pipit_arena_alloc(&arena, n);
                assert_int_equal((uintptr_t)pointers[n] % PIPIT_ARENA_ALIGN, 0);
                memset(pointers[n], (int)(n & 0xff), n);
        }
        for (size_t n = 0; n < 400; n++) {
                for (size_t i = 0; i < n; i++)
                        assert_int_equal(pointers[n][i], n & 0xff);
        }
        pipit_arena_deinit(&arena);
}

static void no_bytes_are_a_pointer_of_their_own(void **state)
{
        struct pipit_arena arena = {0};
        void *first = pipit_arena_alloc(&arena, 0);
        void *second = pipit_arena_alloc(&arena, 0);

        (void)state;
        assert_non_null(first);
        assert_non_null(second);
        assert_ptr_not_equal(first, second);
        assert_int_equal(arena.used_bytes, 2 * PIPIT_ARENA_ALIGN);
        pipit_arena_deinit(&arena);
}

static void a_block_larger_than_any_chunk_is_given(void **state)
{
        struct pipit_arena arena = {0};
        size_t n_bytes = 3 * PIPIT_ARENA_CHUNK_BYTES_MAX;
        unsigned char *large;

        (void)state;
        assert_non_null(pipit_arena_alloc(&arena, 1));
        large = pipit_arena_alloc(&arena, n_bytes);
        memset(large, 1, n_bytes);
        assert_non_null(pipit_arena_alloc(&arena, 1));
        assert_int_equal(large[0] + large[n_bytes - 1], 2);
        pipit_arena_deinit(&arena);
}

static void zalloc_zeroes_memory_that_was_used_before(void **state)
{
        struct pipit_arena arena = {0};
        unsigned char *bytes;

        (void)state;
        memset(pipit_arena_alloc(&arena, 1000), 0xff, 1000);
        pipit_arena_reset(&arena);
        bytes = pipit_arena_zalloc(&arena, 1000);
        for (size_t i = 0; i < 1000; i++)
                assert_int_equal(bytes[i], 0);
        pipit_arena_deinit(&arena);
}

static void copies_are_whole_and_terminated(void **state)
{
        struct pipit_arena arena = {0};
        uint8_t bytes[] = {1, 0, 2};

        (void)state;
        assert_memory_equal(pipit_arena_memdup(&arena, bytes, 3), bytes, 3);
        assert_non_null(pipit_arena_memdup(&arena, NULL, 0));
        assert_string_equal(pipit_arena_strdup(&arena, "users"), "users");
        assert_string_equal(pipit_arena_strndup(&arena, "users", 2), "us");
        assert_string_equal(pipit_arena_strndup(&arena, "", 0), "");
        assert_string_equal(pipit_arena_printf(&arena, "%s-%d", "a", 17), "a-17");
        pipit_arena_deinit(&arena);
}

static void the_cap_holds_to_the_byte(void **state)
{
        struct pipit_arena arena = {.cap_bytes = 64};

        (void)state;
        assert_null(pipit_arena_alloc(&arena, 65));
        assert_non_null(pipit_arena_alloc(&arena, 33));
        assert_int_equal(arena.used_bytes, 48);
        assert_null(pipit_arena_alloc(&arena, 17));
        assert_non_null(pipit_arena_alloc(&arena, 16));
        assert_null(pipit_arena_alloc(&arena, 0));
        pipit_arena_reset(&arena);
        assert_non_null(pipit_arena_alloc(&arena, 64));
        pipit_arena_deinit(&arena);
}

static void sizes_that_overflow_are_refused(void **state)
{
        struct pipit_arena arena = {0};

        (void)state;
        assert_null(pipit_arena_alloc(&arena, SIZE_MAX));
        assert_null(pipit_arena_alloc(&arena, SIZE_MAX - 15));
        assert_null(pipit_arena_alloc(&arena, SIZE_MAX / 2 + 1));
        assert_null(pipit_arena_strndup(&arena, "", SIZE_MAX));
        assert_int_equal(arena.used_bytes, 0);
        pipit_arena_deinit(&arena);
}

static void reset_gives_the_same_memory_again(void **state)
{
        struct pipit_arena arena = {0};
        size_t n_live;

        (void)state;
        for (size_t i = 0; i < 100; i++)
                assert_non_null(pipit_arena_alloc(&arena, 100));
        n_live = alloc_live_bytes();
        for (size_t round = 0; round < 10; round++) {
                pipit_arena_reset(&arena);
                assert_int_equal(arena.used_bytes, 0);
                for (size_t i = 0; i < 100; i++)
                        assert_non_null(pipit_arena_alloc(&arena, 100));
                assert_int_equal(alloc_live_bytes(), n_live);
        }
        pipit_arena_deinit(&arena);
        pipit_arena_spare_free();
        assert_int_equal(alloc_live_bytes(), 0);
}

static void reset_keeps_a_bounded_amount(void **state)
{
        struct pipit_arena arena = {0};

        (void)state;
        for (size_t i = 0; i < 1000; i++)
                assert_non_null(pipit_arena_alloc(&arena, 10000));
        assert_true(alloc_live_bytes() > 10000000);
        pipit_arena_reset(&arena);
        assert_true(alloc_live_bytes() <= PIPIT_ARENA_KEEP_BYTES + PIPIT_ARENA_SPARE_BYTES + 4096);
        pipit_arena_spare_free();
        assert_true(alloc_live_bytes() <= PIPIT_ARENA_KEEP_BYTES + 1024);
        pipit_arena_deinit(&arena);
        assert_int_equal(alloc_live_bytes(), 0);
}

static void an_arena_takes_what_another_gave_back(void **state)
{
        struct pipit_arena first = {0};
        struct pipit_arena second = {0};
        size_t n_live;

        (void)state;
        for (size_t i = 0; i < 100; i++)
                assert_non_null(pipit_arena_alloc(&first, 10000));
        n_live = alloc_live_bytes();
        for (size_t round = 0; round < 10; round++) {
                pipit_arena_deinit(round % 2 == 0 ? &first : &second);
                for (size_t i = 0; i < 100; i++)
                        assert_non_null(
                                pipit_arena_alloc(round % 2 == 0 ? &second : &first, 10000));
                assert_int_equal(alloc_live_bytes(), n_live);
        }
        pipit_arena_deinit(&first);
        if (!PIPIT_ADDRESS_SANITIZER) {
                alloc_fault_after(1);
                assert_non_null(pipit_arena_alloc(&second, PIPIT_ARENA_CHUNK_BYTES_MAX));
                assert_false(alloc_fault_met());
                alloc_fault_after(0);
                pipit_arena_deinit(&second);
        }
        pipit_arena_spare_free();
        assert_int_equal(alloc_live_bytes(), 0);
}

static void an_arena_begins_in_memory_of_its_caller(void **state)
{
        _Alignas(PIPIT_ARENA_ALIGN) unsigned char memory[1000];
        struct pipit_arena arena;
        unsigned char *inside, *at;
        size_t n = 0;

        (void)state;
        pipit_arena_init(&arena, memory, sizeof(memory));
        pipit_arena_spare_free();
        inside = pipit_arena_alloc(&arena, 1);
        for (at = inside; at >= memory && at < memory + sizeof(memory); n++) {
                assert_int_equal(alloc_live_bytes(), 0);
                at = pipit_arena_alloc(&arena, 1);
        }
        assert_true(n >= (sizeof(memory) - PIPIT_ARENA_HEAD_BYTES) / PIPIT_ARENA_ALIGN);
        assert_true(alloc_live_bytes() > 0);

        pipit_arena_reset(&arena);
        assert_ptr_equal(pipit_arena_alloc(&arena, 1), inside);
        pipit_arena_deinit(&arena);
        assert_int_equal(alloc_live_bytes(), 0);
        at = pipit_arena_alloc(&arena, 1);
        assert_true(at < memory || at >= memory + sizeof(memory));
        pipit_arena_deinit(&arena);
}

static void an_arena_is_usable_after_deinit(void **state)
{
        struct pipit_arena arena = {0};

        (void)state;
        pipit_arena_deinit(&arena);
        assert_non_null(pipit_arena_alloc(&arena, 10));
        pipit_arena_deinit(&arena);
        pipit_arena_deinit(&arena);
        assert_non_null(pipit_arena_alloc(&arena, 10));
        pipit_arena_deinit(&arena);
}

static void an_arena_survives_memory_running_out(void **state)
{
        (void)state;
        for (size_t n = 1; n < 12; n++) {
                struct pipit_arena arena = {0};
                size_t n_given = 0;

                alloc_fault_after(n);
                while (pipit_arena_alloc(&arena, 1000))
                        n_given++;
                assert_true(alloc_fault_met());
                assert_null(pipit_arena_zalloc(&arena, 100000));
                assert_null(pipit_arena_memdup(&arena, "x", 100000));
                assert_null(pipit_arena_printf(&arena, "%100000d", 1));
                assert_true(arena.used_bytes == n_given * 1008);

                alloc_fault_after(0);
                assert_non_null(pipit_arena_alloc(&arena, 1000));
                pipit_arena_reset(&arena);
                assert_non_null(pipit_arena_alloc(&arena, 1000));
                pipit_arena_deinit(&arena);
                pipit_arena_spare_free();
                assert_int_equal(alloc_live_bytes(), 0);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(allocations_are_aligned_and_apart),
                cmocka_unit_test(no_bytes_are_a_pointer_of_their_own),
                cmocka_unit_test(a_block_larger_than_any_chunk_is_given),
                cmocka_unit_test(zalloc_zeroes_memory_that_was_used_before),
                cmocka_unit_test(copies_are_whole_and_terminated),
                cmocka_unit_test(the_cap_holds_to_the_byte),
                cmocka_unit_test(sizes_that_overflow_are_refused),
                cmocka_unit_test(reset_gives_the_same_memory_again),
                cmocka_unit_test(reset_keeps_a_bounded_amount),
                cmocka_unit_test(an_arena_takes_what_another_gave_back),
                cmocka_unit_test(an_arena_begins_in_memory_of_its_caller),
                cmocka_unit_test(an_arena_is_usable_after_deinit),
                cmocka_unit_test(an_arena_survives_memory_running_out),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
