#include "core/base/log_text.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/base/utf8.h"

/* What begin leaves free: the fields `cut` and `dropped`, and the end. */
#define TAIL_BYTES                                                                                 \
        (sizeof("\"") + sizeof(",\"cut\":true") + sizeof(",\"dropped\":18446744073709551615") +    \
         sizeof("}\n"))

#define TEXT_BYTES_MAX (PIPIT_LOG_LINE_BYTES_MAX - TAIL_BYTES)

#define REPLACEMENT  "\xef\xbf\xbd" /* U+FFFD */
#define S_PER_DAY    86400
#define N_DIGITS_MAX 20

static const char hex_digits[] = "0123456789abcdef";

/* How a string is written. */
enum quoting {
        QUOTED,  /* in JSON's quotes */
        ESCAPED, /* the same without the quotes, and a quote stands for itself */
};

/* False, here and below: it does not fit, and what is there of it must be taken back. */
static bool append(struct pipit_log_text *text, const char *bytes, size_t n_bytes)
{
        if (n_bytes > TEXT_BYTES_MAX - text->n_bytes)
                return false;

        memcpy(text->bytes + text->n_bytes, bytes, n_bytes);
        text->n_bytes += n_bytes;

        return true;
}

static bool append_text(struct pipit_log_text *text, const char *string)
{
        return append(text, string, strlen(string));
}

static size_t format_number(uint64_t number, char ret_digits[N_DIGITS_MAX])
{
        char reversed[N_DIGITS_MAX];
        size_t n = 0;

        do {
                reversed[n++] = (char)('0' + number % 10);
                number /= 10;
        } while (number > 0);
        for (size_t i = 0; i < n; i++)
                ret_digits[i] = reversed[n - 1 - i];

        return n;
}

static bool append_int(struct pipit_log_text *text, int64_t number)
{
        char digits[N_DIGITS_MAX];
        uint64_t magnitude = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

        return (number >= 0 || append(text, "-", 1)) &&
               append(text, digits, format_number(magnitude, digits));
}

static bool append_escape(struct pipit_log_text *text, uint32_t code_point)
{
        char escape[] = {'\\', 'u', '0', '0', '0', '0'};

        switch (code_point) {
        case '\n':
                return append(text, "\\n", 2);
        case '\r':
                return append(text, "\\r", 2);
        case '\t':
                return append(text, "\\t", 2);
        case '"':
                return append(text, "\\\"", 2);
        case '\\':
                return append(text, "\\\\", 2);
        default:
                escape[4] = hex_digits[code_point >> 4 & 0x0f];
                escape[5] = hex_digits[code_point & 0x0f];
                return append(text, escape, sizeof(escape));
        }
}

static bool is_plain(uint8_t byte)
{
        return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

/* One code point that is not plain, or one byte that is none. Sets how far it went. */
static bool append_special(struct pipit_log_text *text,
                           const char *string,
                           size_t n_bytes,
                           enum quoting quoting,
                           size_t *ret_n_read)
{
        uint32_t code_point = 0;
        size_t n = pipit_utf8_decode((const uint8_t *)string, n_bytes, &code_point);

        *ret_n_read = n > 0 ? n : 1;
        if (n == 0)
                return append_text(text, REPLACEMENT);
        if (pipit_utf8_is_control(code_point) || code_point == '\\' ||
            (code_point == '"' && quoting == QUOTED))
                return append_escape(text, code_point);

        return append(text, string, n);
}

/* As much of @string as fits, whole code points. False: not all of it. */
static bool append_escaped(struct pipit_log_text *text, const char *string, enum quoting quoting)
{
        const char *end = string + strlen(string);

        while (string < end) {
                const char *run = string;
                size_t n_read;

                while (string < end && is_plain((uint8_t)*string))
                        string++;
                if ((size_t)(string - run) > TEXT_BYTES_MAX - text->n_bytes) {
                        (void)append(text, run, TEXT_BYTES_MAX - text->n_bytes);
                        return false;
                }
                (void)append(text, run, (size_t)(string - run));

                if (string == end)
                        break;
                if (!append_special(text, string, (size_t)(end - string), quoting, &n_read))
                        return false;
                string += n_read;
        }

        return true;
}

static bool append_quoted(struct pipit_log_text *text, const char *string)
{
        return append(text, "\"", 1) && append_escaped(text, string, QUOTED) &&
               append(text, "\"", 1);
}

static bool is_word(const char *string)
{
        if (*string == '\0')
                return false;

        for (; *string != '\0'; string++) {
                if (!is_plain((uint8_t)*string) || *string == ' ' || *string == '=')
                        return false;
        }

        return true;
}

static bool append_value(struct pipit_log_text *text, const struct pipit_log_field *field)
{
        switch (field->type) {
        case PIPIT_LOG_FIELD_INT:
                return append_int(text, field->number);
        case PIPIT_LOG_FIELD_BOOL:
                return append_text(text, field->number ? "true" : "false");
        case PIPIT_LOG_FIELD_STRING:
                break;
        }

        if (text->format == PIPIT_LOG_READABLE && is_word(field->string))
                return append_text(text, field->string);

        return append_quoted(text, field->string);
}

static bool append_field(struct pipit_log_text *text, const struct pipit_log_field *field)
{
        size_t start = text->n_bytes;
        bool is_json = text->format == PIPIT_LOG_JSON;

        if (field->type == PIPIT_LOG_FIELD_STRING && !field->string)
                return true;

        if (append(text, is_json ? ",\"" : " ", is_json ? 2 : 1) &&
            append_escaped(text, field->key, QUOTED) &&
            append(text, is_json ? "\":" : "=", is_json ? 2 : 1) && append_value(text, field))
                return true;

        text->n_bytes = start;

        return false;
}

/* The day's year, month and day in the Gregorian calendar, from the days since 1970-01-01. */
static void civil_from_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
        /* Years that begin in March, in eras of 400: leap days come last in both. */
        int64_t shifted = days + 719468;
        int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
        int64_t day_of_era = shifted - era * 146097;
        int64_t year_of_era =
                (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
        int64_t day_of_year =
                day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        int64_t month_from_march = (5 * day_of_year + 2) / 153;

        *ret_day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
        *ret_month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
        *ret_year = year_of_era + era * 400 + (*ret_month <= 2 ? 1 : 0);
}

static char *put_digits(char *to, int64_t number, int n_digits)
{
        for (int i = n_digits - 1; i >= 0; i--) {
                to[i] = (char)('0' + number % 10);
                number /= 10;
        }

        return to + n_digits;
}

static char *put_time_of_day(char *to, int64_t us_of_day, int n_fraction_digits)
{
        int64_t seconds = us_of_day / PIPIT_US_PER_S;
        int64_t fraction = us_of_day % PIPIT_US_PER_S;

        to = put_digits(to, seconds / 3600, 2);
        *to++ = ':';
        to = put_digits(to, seconds / 60 % 60, 2);
        *to++ = ':';
        to = put_digits(to, seconds % 60, 2);
        *to++ = '.';

        return put_digits(
                to, n_fraction_digits == 3 ? fraction / 1000 : fraction, n_fraction_digits);
}

static void append_time(struct pipit_log_text *text, int64_t wall_us)
{
        int64_t us_per_day = S_PER_DAY * PIPIT_US_PER_S;
        int64_t us_of_day = (wall_us % us_per_day + us_per_day) % us_per_day;
        char time[sizeof("2026-01-02T03:04:05.678901Z")];
        char *to = time;
        int64_t year;
        int month;
        int day;

        if (text->format == PIPIT_LOG_JSON) {
                civil_from_days((wall_us - us_of_day) / us_per_day, &year, &month, &day);
                to = put_digits(to, year % 10000, 4);
                *to++ = '-';
                to = put_digits(to, month, 2);
                *to++ = '-';
                to = put_digits(to, day, 2);
                *to++ = 'T';
                to = put_time_of_day(to, us_of_day, 6);
                *to++ = 'Z';
        } else {
                to = put_time_of_day(to, us_of_day, 3);
        }

        (void)append(text, time, (size_t)(to - time));
}

static void append_level(struct pipit_log_text *text, enum pipit_log_level level)
{
        const char *name = pipit_log_level_name(level);
        size_t width = sizeof("warning") - 1;

        (void)append_text(text, name);
        if (text->format == PIPIT_LOG_READABLE)
                (void)append(text, "        ", width + 1 - strlen(name));
}

void pipit_log_text_begin(struct pipit_log_text *text,
                          enum pipit_log_format format,
                          int64_t wall_us,
                          enum pipit_log_level level,
                          const char *message,
                          const struct pipit_log_field *fields,
                          size_t n_fields)
{
        bool is_json = format == PIPIT_LOG_JSON;
        bool fits;

        text->n_bytes = 0;
        text->format = format;

        (void)append_text(text, is_json ? "{\"time\":\"" : "");
        append_time(text, wall_us);
        (void)append_text(text, is_json ? "\",\"level\":\"" : " ");
        append_level(text, level);
        (void)append_text(text, is_json ? "\",\"msg\":\"" : "");
        fits = append_escaped(text, message, is_json ? QUOTED : ESCAPED);

        /* Past the limit of the text: its room is in the tail. */
        if (is_json || n_fields > 0)
                text->bytes[text->n_bytes++] = is_json ? '"' : ' ';
        for (size_t i = 0; fits && i < n_fields; i++)
                fits = append_field(text, &fields[i]);
        text->cut = !fits;
}

static void put(struct pipit_log_text *text, const char *string)
{
        size_t n_bytes = strlen(string);

        memcpy(text->bytes + text->n_bytes, string, n_bytes);
        text->n_bytes += n_bytes;
}

void pipit_log_text_end(struct pipit_log_text *text, uint64_t n_dropped)
{
        bool is_json = text->format == PIPIT_LOG_JSON;

        if (text->cut)
                put(text, is_json ? ",\"cut\":true" : " cut=true");
        if (n_dropped > 0) {
                put(text, is_json ? ",\"dropped\":" : " dropped=");
                text->n_bytes += format_number(n_dropped, text->bytes + text->n_bytes);
        }
        put(text, is_json ? "}\n" : "\n");
}

const char *pipit_log_level_name(enum pipit_log_level level)
{
        switch (level) {
        case PIPIT_LOG_DEBUG:
                return "debug";
        case PIPIT_LOG_INFO:
                return "info";
        case PIPIT_LOG_WARNING:
                return "warning";
        case PIPIT_LOG_ERROR:
                return "error";
        case PIPIT_LOG_OFF:
                return "off";
        }

        return "unknown";
}
