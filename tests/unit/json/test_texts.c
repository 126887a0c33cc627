#include <float.h>
#include <math.h>
#include <string.h>

#include "core/base/macros.h"
#include "core/base/uuid.h"
#include "core/json/base64.h"
#include "core/json/known_text.h"
#include "core/json/nearest.h"
#include "core/json/number.h"
#include "samples.h"

/* --- numbers --------------------------------------------------------------- */

static void integers_are_exact_or_refused(void **state)
{
        static const struct {
                const char *text;
                enum pipit_number_result result;
                uint64_t value;
        } rows[] = {
                {"0", PIPIT_NUMBER_OK, 0},
                {"-0", PIPIT_NUMBER_OK, 0},
                {"-0.0e5", PIPIT_NUMBER_OK, 0},
                {"0.000", PIPIT_NUMBER_OK, 0},
                {"100", PIPIT_NUMBER_OK, 100},
                {"1.00", PIPIT_NUMBER_OK, 1},
                {"1.50e1", PIPIT_NUMBER_OK, 15},
                {"1500e-2", PIPIT_NUMBER_OK, 15},
                {"0.00000000000000000000000000001e29", PIPIT_NUMBER_OK, 1},
                {"0e999999999999", PIPIT_NUMBER_OK, 0},
                {"18446744073709551615", PIPIT_NUMBER_OK, UINT64_MAX},
                {"18446744073709551615000e-3", PIPIT_NUMBER_OK, UINT64_MAX},
                {"1.8446744073709551615e19", PIPIT_NUMBER_OK, UINT64_MAX},
                {"18446744073709551616", PIPIT_NUMBER_OUT_OF_RANGE, 0},
                {"1e20", PIPIT_NUMBER_OUT_OF_RANGE, 0},
                {"1e999999999999", PIPIT_NUMBER_OUT_OF_RANGE, 0},
                {"99999999999999999999999999", PIPIT_NUMBER_OUT_OF_RANGE, 0},
                {"-1", PIPIT_NUMBER_OUT_OF_RANGE, 0},
                {"0.5", PIPIT_NUMBER_FRACTION, 0},
                {"15e-1", PIPIT_NUMBER_FRACTION, 0},
                {"1e-999999999999", PIPIT_NUMBER_FRACTION, 0},
                {"99999999999999999999999999.5", PIPIT_NUMBER_FRACTION, 0},
                {"", PIPIT_NUMBER_MALFORMED, 0},
                {"-", PIPIT_NUMBER_MALFORMED, 0},
                {"+1", PIPIT_NUMBER_MALFORMED, 0},
                {"01", PIPIT_NUMBER_MALFORMED, 0},
                {"1x", PIPIT_NUMBER_MALFORMED, 0},
                {" 1", PIPIT_NUMBER_MALFORMED, 0},
                {"0x10", PIPIT_NUMBER_MALFORMED, 0},
                {"1e", PIPIT_NUMBER_MALFORMED, 0},
        };

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(rows); i++) {
                uint64_t value = 0;

                assert_int_equal(pipit_number_to_uint64(
                                         rows[i].text, strlen(rows[i].text), UINT64_MAX, &value),
                                 rows[i].result);
                assert_true(value == rows[i].value);
        }
}

static void signed_integers_reach_both_ends(void **state)
{
        int64_t value = 0;

        (void)state;
#define TO_INT64(text) pipit_number_to_int64(text, strlen(text), INT64_MIN, INT64_MAX, &value)
        assert_int_equal(TO_INT64("-9223372036854775808"), PIPIT_NUMBER_OK);
        assert_true(value == INT64_MIN);
        assert_int_equal(TO_INT64("9223372036854775807"), PIPIT_NUMBER_OK);
        assert_true(value == INT64_MAX);
        assert_int_equal(TO_INT64("-9223372036854775809"), PIPIT_NUMBER_OUT_OF_RANGE);
        assert_int_equal(TO_INT64("9223372036854775808"), PIPIT_NUMBER_OUT_OF_RANGE);
        assert_int_equal(pipit_number_to_int64("-2", 2, -1, 1, &value), PIPIT_NUMBER_OUT_OF_RANGE);
#undef TO_INT64
}

static void random_doubles_and_floats_come_back(void **state)
{
        (void)state;
        for (int i = 0; i < 20000; i++) {
                char text[PIPIT_NUMBER_TEXT_SIZE];
                uint64_t bits = pipit_random_u64();
                uint32_t float_bits = (uint32_t)bits;
                double number, number_back;
                float real, real_back;

                memcpy(&number, &bits, sizeof(number));
                memcpy(&real, &float_bits, sizeof(real));
                if (isfinite(number)) {
                        pipit_number_format_double(number, text);
                        assert_int_equal(pipit_number_to_double(text, &number_back),
                                         PIPIT_NUMBER_OK);
                        assert_true(number_back == number);
                }
                if (isfinite(real)) {
                        pipit_number_format_float(real, text);
                        assert_int_equal(pipit_number_to_float(text, &real_back), PIPIT_NUMBER_OK);
                        assert_true(real_back == real);
                }
        }
}

static void a_number_has_its_fewest_digits_laid_out_as_javascript_does(void **state)
{
        static const struct {
                double number;
                const char *text;
        } doubles[] = {
                {0.0, "0"},
                {-0.0, "-0"},
                {-1.5, "-1.5"},
                {123456789012345680.0, "123456789012345680"},
                {1e20, "100000000000000000000"},
                {1e21, "1e+21"},
                {-1.25e21, "-1.25e+21"},
                {1e-6, "0.000001"},
                {1.5e-7, "1.5e-7"},
                {5e-324, "5e-324"},
                {1.7976931348623157e308, "1.7976931348623157e+308"},
                /* a power of two, whose nearest number of 16 digits is below it and does not read back */
                {0x1p-44, "5.684341886080802e-14"},
        };
        char text[PIPIT_NUMBER_TEXT_SIZE];

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(doubles); i++) {
                pipit_number_format_double(doubles[i].number, text);
                assert_string_equal(text, doubles[i].text);
        }

        pipit_number_format_float(0.1F, text);
        assert_string_equal(text, "0.1");
        pipit_number_format_float(1e-45F, text);
        assert_string_equal(text, "1e-45");
        pipit_number_format_float(FLT_MAX, text);
        assert_string_equal(text, "3.4028235e+38");
}

static void numbers_past_the_largest_are_out_of_range(void **state)
{
        double number;
        float real;

        (void)state;
        assert_int_equal(pipit_number_to_double("1.7976931348623157e308", &number),
                         PIPIT_NUMBER_OK);
        assert_int_equal(pipit_number_to_double("1.8e308", &number), PIPIT_NUMBER_OUT_OF_RANGE);
        assert_int_equal(pipit_number_to_float("3.4028235e38", &real), PIPIT_NUMBER_OK);
        assert_int_equal(pipit_number_to_float("-3.5e38", &real), PIPIT_NUMBER_OUT_OF_RANGE);
        assert_int_equal(pipit_number_to_double("1e-400", &number), PIPIT_NUMBER_OK);
        assert_int_equal(pipit_number_to_double("inf", &number), PIPIT_NUMBER_MALFORMED);
}

/* --- base64 ---------------------------------------------------------------- */

static void bytes_of_every_length_come_back(void **state)
{
        uint8_t bytes[64], back[PIPIT_BASE64_BYTES_MAX(88)];
        char text[88];

        (void)state;
        pipit_random_bytes(bytes, sizeof(bytes));
        for (size_t n = 0; n <= sizeof(bytes); n++) {
                size_t n_text = PIPIT_BASE64_TEXT_BYTES(n), n_back = 0;

                pipit_base64_encode(bytes, n, text);
                for (size_t padding = 0; padding <= 2; padding++) {
                        if (padding > 0 && (n_text == 0 || text[n_text - padding] != '='))
                                break;
                        /* All of the padding, or none of it. */
                        if (padding == 1 && n_text > 1 && text[n_text - 2] == '=')
                                continue;
                        assert_true(pipit_base64_decode(text, n_text - padding, back, &n_back));
                        assert_int_equal(n_back, n);
                        assert_memory_equal(back, bytes, n);
                }
        }
}

static void what_is_not_base64_is_refused(void **state)
{
        static const char *const rows[] = {"a",
                                           "aaaaa",
                                           "=",
                                           "==",
                                           "a===",
                                           "aa=",
                                           "aaa=a",
                                           "a=aa",
                                           "a b=",
                                           "aaa=====",
                                           "\xff\xff\xff\xff",
                                           "aa==aa=="};
        uint8_t bytes[32];
        size_t n_bytes;

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(rows); i++)
                assert_false(pipit_base64_decode(rows[i], strlen(rows[i]), bytes, &n_bytes));
}

/* --- times and masks --------------------------------------------------------- */

static void timestamps_of_every_day_come_back(void **state)
{
        (void)state;
        for (int64_t day = -719162; day <= 2932896; day += 13) {
                char text[PIPIT_KNOWN_TEXT_SIZE];
                int64_t seconds = 0, wanted = day * 86400 + (day & 0xffff);
                int32_t nanos = 0;

                assert_true(pipit_timestamp_format(wanted, 7, text));
                assert_null(pipit_timestamp_parse(text, &seconds, &nanos));
                assert_true(seconds == wanted);
                assert_int_equal(nanos, 7);
        }
}

static void timestamps_agree_with_the_calendar(void **state)
{
        static const struct {
                const char *text;
                int64_t seconds;
        } rows[] = {
                {"0001-01-01T00:00:00Z", -62135596800},
                {"1600-02-29T00:00:00Z", -11670998400},
                {"1969-12-31T23:59:59Z", -1},
                {"2000-02-29T23:59:59Z", 951868799},
                {"2001-09-09T01:46:40Z", 1000000000},
                {"2038-01-19T03:14:08Z", 2147483648},
                {"9999-12-31T23:59:59Z", 253402300799},
        };

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(rows); i++) {
                char text[PIPIT_KNOWN_TEXT_SIZE];

                assert_true(pipit_timestamp_format(rows[i].seconds, 0, text));
                assert_string_equal(text, rows[i].text);
        }
}

static void what_is_no_timestamp_is_refused(void **state)
{
        static const char *const rows[] = {
                "",
                "2026-01-01",
                "2026-01-01T00:00:00",
                "2026-01-01 00:00:00Z",
                "2026-01-01t00:00:00Z",
                "2026-01-01T00:00:00z",
                "2026-13-01T00:00:00Z",
                "2026-00-01T00:00:00Z",
                "2026-01-32T00:00:00Z",
                "2026-01-00T00:00:00Z",
                "2100-02-29T00:00:00Z",
                "2026-01-01T24:00:00Z",
                "2026-01-01T00:60:00Z",
                "2026-01-01T00:00:60Z",
                "2026-01-01T00:00:00.Z",
                "2026-01-01T00:00:00.1234567890Z",
                "2026-01-01T00:00:00+24:00",
                "2026-01-01T00:00:00+01:60",
                "2026-01-01T00:00:00+0100",
                "2026-01-01T00:00:00Zx",
                "0000-12-31T23:59:59Z",
                "0001-01-01T00:00:00+00:01",
                "9999-12-31T23:59:59-00:01",
                "+026-01-01T00:00:00Z",
        };
        int64_t seconds;
        int32_t nanos;

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(rows); i++)
                assert_non_null(pipit_timestamp_parse(rows[i], &seconds, &nanos));
}

static void what_is_no_duration_is_refused(void **state)
{
        static const char *const rows[] = {"",
                                           "s",
                                           "1",
                                           "1.s",
                                           ".5s",
                                           "--1s",
                                           "+1s",
                                           "1 s",
                                           "1sx",
                                           "1.0000000001s",
                                           "315576000000.000000001s",
                                           "315576000001s",
                                           "99999999999999999999s"};
        char text[PIPIT_KNOWN_TEXT_SIZE];
        int64_t seconds;
        int32_t nanos;

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(rows); i++)
                assert_non_null(pipit_duration_parse(rows[i], &seconds, &nanos));

        assert_false(pipit_duration_format(1, -1, text));
        assert_false(pipit_duration_format(-1, 1, text));
        assert_false(pipit_duration_format(0, 1000000000, text));
        assert_false(pipit_duration_format(315576000001, 0, text));
        assert_false(pipit_duration_format(315576000000, 1, text));
        assert_false(pipit_duration_format(-315576000000, -1, text));
        assert_true(pipit_duration_format(-315576000000, 0, text));
        assert_string_equal(text, "-315576000000s");
}

static void a_mask_that_would_not_come_back_is_not_written(void **state)
{
        static const char *const rows[] = {
                "userName", "user__name", "user_1", "user_", "_User", "", "a,b"};
        char text[64];

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(rows); i++)
                assert_false(pipit_mask_path_format(rows[i], text));
        assert_true(pipit_mask_path_format("a_b.c_d1", text));
        assert_string_equal(text, "aB.cD1");
}

/* --- names --------------------------------------------------------------------- */

static const char *nearest_of(const char *wanted, const char *const *names)
{
        struct pipit_nearest nearest = {.wanted = wanted};

        for (; *names; names++)
                pipit_nearest_consider(&nearest, *names);

        return nearest.name;
}

static void the_nearest_name_is_that_with_the_fewest_edits(void **state)
{
        static const char *const names[] = {"name", "email", "update_time", "age", NULL};

        (void)state;
        assert_string_equal(nearest_of("nmae", names), "name");
        assert_string_equal(nearest_of("emial", names), "email");
        assert_string_equal(nearest_of("mail", names), "email");
        assert_string_equal(nearest_of("NAME", names), "name");
        assert_string_equal(nearest_of("updatetime", names), "update_time");
        assert_null(nearest_of("xyz", names));
        assert_null(nearest_of("", names));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(integers_are_exact_or_refused),
                cmocka_unit_test(signed_integers_reach_both_ends),
                cmocka_unit_test(random_doubles_and_floats_come_back),
                cmocka_unit_test(a_number_has_its_fewest_digits_laid_out_as_javascript_does),
                cmocka_unit_test(numbers_past_the_largest_are_out_of_range),
                cmocka_unit_test(bytes_of_every_length_come_back),
                cmocka_unit_test(what_is_not_base64_is_refused),
                cmocka_unit_test(timestamps_of_every_day_come_back),
                cmocka_unit_test(timestamps_agree_with_the_calendar),
                cmocka_unit_test(what_is_no_timestamp_is_refused),
                cmocka_unit_test(what_is_no_duration_is_refused),
                cmocka_unit_test(a_mask_that_would_not_come_back_is_not_written),
                cmocka_unit_test(the_nearest_name_is_that_with_the_fewest_edits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
