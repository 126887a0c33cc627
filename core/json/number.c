#include "core/json/number.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/macros.h"

/* Further exponents change nothing: every number is zero, or out of range, long before. */
#define EXPONENT_MAX 100000000

/* A double needs no more. */
#define DIGITS_MAX DBL_DECIMAL_DIG

/* Without the sign. */
#define LAID_OUT_SIZE (PIPIT_NUMBER_TEXT_SIZE - 1)

static const char zeros[] = "000000000000000000000";

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

/* The digits of a positive number, and the place of its point: 0.DIGITS * 10^point. */
struct decimal {
        char digits[DIGITS_MAX + 1];
        int n_digits;
        int point;
};

/* "d.ddde+XX" -> digits. */
static void parse_decimal(const char *text, struct decimal *ret_decimal)
{
        int n = 0;

        for (; *text != 'e'; text++) {
                if (is_digit(*text))
                        ret_decimal->digits[n++] = *text;
        }
        while (n > 1 && ret_decimal->digits[n - 1] == '0')
                n--;

        ret_decimal->digits[n] = '\0';
        ret_decimal->n_digits = n;
        ret_decimal->point = (int)strtol(text + 1, NULL, 10) + 1;
}

static bool reads_back(const char *text, double value, bool is_float)
{
        return is_float ? (double)strtof(text, NULL) == value : strtod(text, NULL) == value;
}

/* One more in the last digit of "d.ddde+XX", if that carries nothing. */
static bool increment(char *text)
{
        char *last = strchr(text, 'e') - 1;

        if (*last < '0' || *last >= '9')
                return false;

        ++*last;
        return true;
}

/*
 * Fewer digits than @precision are only enough for numbers so near to zero that
 * they have not all of their bits. The nearest number of n digits may be on the
 * wrong side of a power of two, where the next one up still reads back.
 */
static void shortest(double value, bool is_float, int precision, struct decimal *ret_decimal)
{
        char text[PIPIT_NUMBER_TEXT_SIZE];

        if (value < (is_float ? (double)FLT_MIN : DBL_MIN))
                precision = 1;

        for (; precision <= DIGITS_MAX; precision++) {
                (void)snprintf(text, sizeof(text), "%.*e", precision - 1, value);
                if (reads_back(text, value, is_float) ||
                    (increment(text) && reads_back(text, value, is_float)))
                        break;
        }

        parse_decimal(text, ret_decimal);
}

/* As JavaScript writes it: with an exponent past 21 digits before the point, or 6 zeros behind it. */
static void lay_out(const struct decimal *decimal, char *text)
{
        const char *digits = decimal->digits;
        int n = decimal->n_digits, point = decimal->point;

        if (point > 0 && point <= 21 && n <= point)
                (void)snprintf(text, LAID_OUT_SIZE, "%s%.*s", digits, point - n, zeros);
        else if (point > 0 && point <= 21)
                (void)snprintf(text, LAID_OUT_SIZE, "%.*s.%s", point, digits, digits + point);
        else if (point > -6 && point <= 0)
                (void)snprintf(text, LAID_OUT_SIZE, "0.%.*s%s", -point, zeros, digits);
        else
                (void)snprintf(text,
                               LAID_OUT_SIZE,
                               "%c%s%se%+d",
                               digits[0],
                               n > 1 ? "." : "",
                               digits + 1,
                               point - 1);
}

static void format(double value, bool is_float, char *ret_text)
{
        PIPIT_CLEANUP(leave_c_locale) PIPIT_UNUSED struct c_locale scope = enter_c_locale();
        struct decimal decimal = {.digits = "0", .n_digits = 1, .point = 1};

        if (signbit(value))
                *ret_text++ = '-';
        if (value != 0)
                shortest(fabs(value), is_float, is_float ? FLT_DIG : DBL_DIG, &decimal);
        lay_out(&decimal, ret_text);
}

void pipit_number_format_double(double value, char ret_text[PIPIT_NUMBER_TEXT_SIZE])
{
        format(value, false, ret_text);
}

void pipit_number_format_float(float value, char ret_text[PIPIT_NUMBER_TEXT_SIZE])
{
        format((double)value, true, ret_text);
}
