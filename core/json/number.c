#include "core/json/number.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/macros.h"

/* Further exponents change nothing: every number is zero, or out of range, long before. */
#define EXPONENT_MAX 100000000

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

static size_t scan_digits(const char *text, size_t n_bytes, size_t at)
{
        while (at < n_bytes && is_digit(text[at]))
                at++;

        return at;
}

size_t pipit_number_scan(const char *text, size_t n_bytes)
{
        size_t at = n_bytes > 0 && text[0] == '-' ? 1 : 0;

        if (at == n_bytes || !is_digit(text[at]))
                return 0;
        at = text[at] == '0' ? at + 1 : scan_digits(text, n_bytes, at);

        if (at < n_bytes && text[at] == '.') {
                size_t end = scan_digits(text, n_bytes, at + 1);

                if (end == at + 1)
                        return 0;
                at = end;
        }

        if (at < n_bytes && (text[at] == 'e' || text[at] == 'E')) {
                size_t digits = at + 1;

                if (digits < n_bytes && (text[digits] == '+' || text[digits] == '-'))
                        digits++;

                size_t end = scan_digits(text, n_bytes, digits);

                if (end == digits)
                        return 0;
                at = end;
        }

        return at;
}

static int64_t parse_exponent(const char *text, size_t n_bytes)
{
        bool negative = n_bytes > 0 && text[0] == '-';
        int64_t exponent = 0;

        for (size_t i = 0; i < n_bytes; i++) {
                if (is_digit(text[i]) && exponent < EXPONENT_MAX)
                        exponent = exponent * 10 + (text[i] - '0');
        }

        return negative ? -exponent : exponent;
}

static bool scale(uint64_t *value, int64_t n_zeros)
{
        if (*value == 0)
                return true;

        for (int64_t i = 0; i < n_zeros; i++) {
                if (__builtin_mul_overflow(*value, UINT64_C(10), value))
                        return false;
        }

        return true;
}

/*
 * Zeros are held back until a digit follows: those at the end may be the
 * fraction's, or be taken away by the exponent.
 */
static enum pipit_number_result parse_magnitude(const char *text,
                                                size_t n_bytes,
                                                uint64_t *ret_magnitude)
{
        uint64_t magnitude = 0;
        int64_t n_zeros = 0, n_fraction = 0, exponent = 0;
        bool in_fraction = false, fits = true;

        for (size_t i = 0; i < n_bytes; i++) {
                if (text[i] == 'e' || text[i] == 'E') {
                        exponent = parse_exponent(text + i + 1, n_bytes - i - 1);
                        break;
                }
                if (text[i] == '.') {
                        in_fraction = true;
                        continue;
                }

                n_fraction += in_fraction ? 1 : 0;
                n_zeros++;
                if (text[i] != '0') {
                        fits = fits && scale(&magnitude, n_zeros) &&
                               !__builtin_add_overflow(
                                       magnitude, (uint64_t)(text[i] - '0'), &magnitude);
                        n_zeros = 0;
                }
        }

        if (!fits || magnitude != 0) {
                int64_t power = exponent - n_fraction + n_zeros;

                if (power < 0)
                        return PIPIT_NUMBER_FRACTION;
                if (!fits || !scale(&magnitude, power))
                        return PIPIT_NUMBER_OUT_OF_RANGE;
        }

        *ret_magnitude = magnitude;
        return PIPIT_NUMBER_OK;
}

static enum pipit_number_result parse_integer(const char *text,
                                              size_t n_bytes,
                                              bool *ret_negative,
                                              uint64_t *ret_magnitude)
{
        if (n_bytes == 0 || pipit_number_scan(text, n_bytes) != n_bytes)
                return PIPIT_NUMBER_MALFORMED;

        size_t n_sign = text[0] == '-' ? 1 : 0;

        *ret_negative = n_sign == 1;
        return parse_magnitude(text + n_sign, n_bytes - n_sign, ret_magnitude);
}

enum pipit_number_result pipit_number_to_int64(
        const char *text, size_t n_bytes, int64_t min, int64_t max, int64_t *ret_value)
{
        uint64_t magnitude;
        bool negative;
        enum pipit_number_result result = parse_integer(text, n_bytes, &negative, &magnitude);

        if (result != PIPIT_NUMBER_OK)
                return result;
        if (negative && magnitude > (uint64_t)INT64_MAX + 1)
                return PIPIT_NUMBER_OUT_OF_RANGE;
        if (!negative && magnitude > INT64_MAX)
                return PIPIT_NUMBER_OUT_OF_RANGE;

        int64_t value = negative ? (int64_t)(UINT64_C(0) - magnitude) : (int64_t)magnitude;

        if (value < min || value > max)
                return PIPIT_NUMBER_OUT_OF_RANGE;

        *ret_value = value;
        return PIPIT_NUMBER_OK;
}

enum pipit_number_result pipit_number_to_uint64(const char *text,
                                                size_t n_bytes,
                                                uint64_t max,
                                                uint64_t *ret_value)
{
        uint64_t magnitude;
        bool negative;
        enum pipit_number_result result = parse_integer(text, n_bytes, &negative, &magnitude);

        if (result != PIPIT_NUMBER_OK)
                return result;
        if ((negative && magnitude > 0) || magnitude > max)
                return PIPIT_NUMBER_OUT_OF_RANGE;

        *ret_value = magnitude;
        return PIPIT_NUMBER_OK;
}

/*
 * strtod() and printf() want the decimal point of the locale, which a host
 * program may have set: this thread leaves it for as long as they run.
 */
struct c_locale {
        locale_t c;
        locale_t before;
};

static struct c_locale enter_c_locale(void)
{
        struct c_locale scope = {.c = newlocale(LC_ALL_MASK, "C", (locale_t)0)};

        if (scope.c)
                scope.before = uselocale(scope.c);
        return scope;
}

static void leave_c_locale(struct c_locale *scope)
{
        if (!scope->c)
                return;

        uselocale(scope->before);
        freelocale(scope->c);
}

enum pipit_number_result pipit_number_to_double(const char *text, double *ret_value)
{
        size_t n_bytes = strlen(text);

        if (n_bytes == 0 || pipit_number_scan(text, n_bytes) != n_bytes)
                return PIPIT_NUMBER_MALFORMED;

        PIPIT_CLEANUP(leave_c_locale) PIPIT_UNUSED struct c_locale scope = enter_c_locale();
        double value = strtod(text, NULL);

        if (!isfinite(value))
                return PIPIT_NUMBER_OUT_OF_RANGE;

        *ret_value = value;
        return PIPIT_NUMBER_OK;
}

enum pipit_number_result pipit_number_to_float(const char *text, float *ret_value)
{
        size_t n_bytes = strlen(text);

        if (n_bytes == 0 || pipit_number_scan(text, n_bytes) != n_bytes)
                return PIPIT_NUMBER_MALFORMED;

        PIPIT_CLEANUP(leave_c_locale) PIPIT_UNUSED struct c_locale scope = enter_c_locale();
        float value = strtof(text, NULL);

        if (!isfinite(value))
                return PIPIT_NUMBER_OUT_OF_RANGE;

        *ret_value = value;
        return PIPIT_NUMBER_OK;
}

void pipit_number_format_double(double value, char ret_text[PIPIT_NUMBER_TEXT_SIZE])
{
        PIPIT_CLEANUP(leave_c_locale) PIPIT_UNUSED struct c_locale scope = enter_c_locale();

        for (int precision = 15; precision <= 17; precision++) {
                (void)snprintf(ret_text, PIPIT_NUMBER_TEXT_SIZE, "%.*g", precision, value);
                if (strtod(ret_text, NULL) == value)
                        break;
        }
}

void pipit_number_format_float(float value, char ret_text[PIPIT_NUMBER_TEXT_SIZE])
{
        PIPIT_CLEANUP(leave_c_locale) PIPIT_UNUSED struct c_locale scope = enter_c_locale();

        for (int precision = 6; precision <= 9; precision++) {
                (void)snprintf(ret_text, PIPIT_NUMBER_TEXT_SIZE, "%.*g", precision, (double)value);
                if (strtof(ret_text, NULL) == value)
                        break;
        }
}
