/*
 * Numbers of JSON, exact to the last digit
 *
 * A number stays text until the field that takes it is known: uint64 does not
 * fit a double, nor does a fraction fit an integer.
 */

#ifndef CORE_JSON_NUMBER_H
#define CORE_JSON_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pipit_number_result {
        PIPIT_NUMBER_OK,
        PIPIT_NUMBER_MALFORMED, /* not JSON's grammar of numbers */
        PIPIT_NUMBER_FRACTION,  /* not a whole number */
        PIPIT_NUMBER_OUT_OF_RANGE,
};

/* How many bytes at the start of @text are a JSON number; 0: none. */
size_t pipit_number_scan(const char *text, size_t n_bytes);

/* All of @text as an integer; "1.0" and "1e3" are integers, too. */
enum pipit_number_result pipit_number_to_int64(
        const char *text, size_t n_bytes, int64_t min, int64_t max, int64_t *ret_value);
enum pipit_number_result pipit_number_to_uint64(const char *text,
                                                size_t n_bytes,
                                                uint64_t max,
                                                uint64_t *ret_value);

/* All of @text, NUL-terminated, whatever the locale. Past the largest finite value: OUT_OF_RANGE. */
enum pipit_number_result pipit_number_to_double(const char *text, double *ret_value);
enum pipit_number_result pipit_number_to_float(const char *text, float *ret_value);

/* The longest text of a double, and its NUL. */
#define PIPIT_NUMBER_TEXT_SIZE 32

/* The shortest text that reads back as the same finite value, as JavaScript writes it; and "-0". */
void pipit_number_format_double(double value, char ret_text[PIPIT_NUMBER_TEXT_SIZE]);
void pipit_number_format_float(float value, char ret_text[PIPIT_NUMBER_TEXT_SIZE]);

#endif
