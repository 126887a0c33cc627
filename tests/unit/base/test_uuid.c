#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/uuid.h"

#define YEAR_2030_US (INT64_C(1893456000) * PIPIT_US_PER_S)

/* The ids of this process ascend, so that each test takes a later time. */
static int64_t next_test_us(void)
{
        static int64_t us = YEAR_2030_US;

        return us += 3600 * PIPIT_US_PER_S;
}

static uint64_t unix_ms(const struct pipit_uuid *uuid)
{
        uint64_t ms = 0;

        for (size_t i = 0; i < 6; i++)
                ms = ms << 8 | uuid->bytes[i];

        return ms;
}

static void a_v7_holds_its_milliseconds_version_and_variant(void **state)
{
        int64_t wall_us = next_test_us() + 123456;

        (void)state;
        for (size_t i = 0; i < 1000; i++) {
                struct pipit_uuid uuid = pipit_uuid_v7(wall_us);

                assert_int_equal(unix_ms(&uuid), wall_us / 1000);
                assert_int_equal(uuid.bytes[6] >> 4, 7);
                assert_int_equal(uuid.bytes[8] >> 6, 2);
        }
}

static void ids_ascend_within_a_millisecond(void **state)
{
        int64_t wall_us = next_test_us();
        struct pipit_uuid last = pipit_uuid_v7(wall_us);

        (void)state;
        for (size_t i = 0; i < 200000; i++) {
                struct pipit_uuid next = pipit_uuid_v7(wall_us);

                assert_true(memcmp(last.bytes, next.bytes, PIPIT_UUID_BYTES) < 0);
                last = next;
        }
        /* The counter ran over into the milliseconds, a few of them. */
        assert_true(unix_ms(&last) > (uint64_t)wall_us / 1000);
        assert_true(unix_ms(&last) < (uint64_t)wall_us / 1000 + 10);
}

static void ids_ascend_when_the_clock_steps_back(void **state)
{
        int64_t wall_us = next_test_us();
        struct pipit_uuid before = pipit_uuid_v7(wall_us);
        struct pipit_uuid after = pipit_uuid_v7(wall_us - 60 * PIPIT_US_PER_S);
        struct pipit_uuid negative = pipit_uuid_v7(-1);

        (void)state;
        assert_true(memcmp(before.bytes, after.bytes, PIPIT_UUID_BYTES) < 0);
        assert_true(memcmp(after.bytes, negative.bytes, PIPIT_UUID_BYTES) < 0);
        assert_int_equal(unix_ms(&negative), wall_us / 1000);
}

static void the_random_bits_differ(void **state)
{
        int64_t wall_us = next_test_us();
        uint8_t ones[8] = {0};
        uint8_t zeroes[8] = {0};

        (void)state;
        for (size_t i = 0; i < 200; i++) {
                struct pipit_uuid uuid = pipit_uuid_v7(wall_us);

                for (size_t n = 0; n < 8; n++) {
                        ones[n] |= uuid.bytes[8 + n];
                        zeroes[n] |= (uint8_t)~uuid.bytes[8 + n];
                }
        }
        assert_int_equal(ones[0] & zeroes[0] & 0x03, 0x03);
        for (size_t n = 1; n < 8; n++)
                assert_int_equal(ones[n] & zeroes[n], 0xff);
}

#define N_THREADS    4
#define N_PER_THREAD 20000

static void *make_ids(void *context)
{
        struct pipit_uuid *uuids = context;

        for (size_t i = 0; i < N_PER_THREAD; i++)
                uuids[i] = pipit_uuid_v7(YEAR_2030_US * 2);

        return NULL;
}

static int compare_order(const void *a, const void *b)
{
        return memcmp(a, b, 8);
}

/* By their first 60 bits and the counter's last four; what is random in them comes after. */
static void ids_of_many_threads_are_all_different_in_order(void **state)
{
        struct pipit_uuid *uuids = calloc(N_THREADS * N_PER_THREAD, sizeof(*uuids));
        pthread_t threads[N_THREADS];

        (void)state;
        for (size_t i = 0; i < N_THREADS; i++)
                assert_int_equal(
                        pthread_create(&threads[i], NULL, make_ids, uuids + i * N_PER_THREAD), 0);
        for (size_t i = 0; i < N_THREADS; i++)
                assert_int_equal(pthread_join(threads[i], NULL), 0);

        for (size_t i = 0; i < N_THREADS; i++) {
                for (size_t n = 1; n < N_PER_THREAD; n++)
                        assert_true(memcmp(&uuids[i * N_PER_THREAD + n - 1],
                                           &uuids[i * N_PER_THREAD + n],
                                           PIPIT_UUID_BYTES) < 0);
        }
        qsort(uuids, N_THREADS * N_PER_THREAD, sizeof(*uuids), compare_order);
        for (size_t i = 1; i < N_THREADS * N_PER_THREAD; i++) {
                bool same_start = memcmp(&uuids[i - 1], &uuids[i], 8) == 0;

                assert_false(same_start &&
                             ((uuids[i - 1].bytes[8] ^ uuids[i].bytes[8]) & 0x3c) == 0);
        }
        free(uuids);
}

static void text_and_bytes_agree_both_ways(void **state)
{
        static const struct pipit_uuid uuid = {{0x01,
                                                0x7f,
                                                0x22,
                                                0xe2,
                                                0x79,
                                                0xb0,
                                                0x7c,
                                                0xc3,
                                                0x98,
                                                0xc4,
                                                0xdc,
                                                0x0c,
                                                0x0c,
                                                0x07,
                                                0x39,
                                                0x8f}};
        char text[PIPIT_UUID_TEXT_SIZE];
        struct pipit_uuid parsed;

        (void)state;
        pipit_uuid_format(&uuid, text);
        assert_string_equal(text, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
        assert_true(pipit_uuid_parse(text, &parsed));
        assert_memory_equal(&parsed, &uuid, sizeof(uuid));
        assert_true(pipit_uuid_parse("017F22E2-79B0-7CC3-98C4-DC0C0C07398F", &parsed));
        assert_memory_equal(&parsed, &uuid, sizeof(uuid));
        assert_true(pipit_uuid_parse("00000000-0000-0000-0000-000000000000", &parsed));
}

static void text_of_any_other_shape_is_refused(void **state)
{
        static const char good[] = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
        struct pipit_uuid untouched = {{1, 2, 3}};
        struct pipit_uuid uuid = untouched;

        (void)state;
        for (size_t length = 0; length < sizeof(good) - 1; length++) {
                char *cut = strndup(good, length);

                assert_false(pipit_uuid_parse(cut, &uuid));
                free(cut);
        }
        for (size_t at = 0; at < sizeof(good) - 1; at++) {
                for (int byte = 1; byte < 256; byte++) {
                        char text[sizeof(good)];
                        bool is_dash = at == 8 || at == 13 || at == 18 || at == 23;
                        bool fits = is_dash ? byte == '-'
                                            : strchr("0123456789abcdefABCDEF", byte) != NULL;

                        memcpy(text, good, sizeof(good));
                        text[at] = (char)byte;
                        uuid = untouched;
                        assert_int_equal(pipit_uuid_parse(text, &uuid), fits);
                        if (!fits)
                                assert_memory_equal(&uuid, &untouched, sizeof(uuid));
                }
        }
        assert_false(pipit_uuid_parse("017f22e2-79b0-7cc3-98c4-dc0c0c07398f0", &uuid));
        assert_false(pipit_uuid_parse("{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}", &uuid));
        assert_false(pipit_uuid_parse("017f22e279b07cc398c4dc0c0c07398f", &uuid));
}

static void random_bytes_fill_all_that_they_are_asked_for(void **state)
{
        (void)state;
        for (size_t n_bytes = 0; n_bytes < 600; n_bytes += 37) {
                uint8_t *bytes = malloc(n_bytes + 1);
                uint8_t *seen = calloc(n_bytes + 1, 1);

                for (size_t round = 0; round < 40; round++) {
                        memset(bytes, 0, n_bytes + 1);
                        pipit_random_bytes(bytes, n_bytes);
                        for (size_t i = 0; i <= n_bytes; i++)
                                seen[i] |= bytes[i];
                }
                for (size_t i = 0; i < n_bytes; i++)
                        assert_true(seen[i] != 0);
                assert_int_equal(seen[n_bytes], 0);
                free(bytes);
                free(seen);
        }
}

static void *one_number(void *context)
{
        *(uint64_t *)context = pipit_random_u64();

        return NULL;
}

static void random_numbers_differ_also_between_threads(void **state)
{
        uint64_t theirs;
        uint64_t mine = pipit_random_u64();
        pthread_t thread;

        (void)state;
        assert_int_not_equal(mine, pipit_random_u64());
        assert_int_equal(pthread_create(&thread, NULL, one_number, &theirs), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_not_equal(mine, theirs);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_v7_holds_its_milliseconds_version_and_variant),
                cmocka_unit_test(ids_ascend_within_a_millisecond),
                cmocka_unit_test(ids_ascend_when_the_clock_steps_back),
                cmocka_unit_test(the_random_bits_differ),
                cmocka_unit_test(ids_of_many_threads_are_all_different_in_order),
                cmocka_unit_test(text_and_bytes_agree_both_ways),
                cmocka_unit_test(text_of_any_other_shape_is_refused),
                cmocka_unit_test(random_bytes_fill_all_that_they_are_asked_for),
                cmocka_unit_test(random_numbers_differ_also_between_threads),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
