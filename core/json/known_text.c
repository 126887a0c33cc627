#include "core/json/known_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NANOS_PER_SECOND     1000000000
#define SECONDS_PER_MINUTE   INT64_C(60)
#define SECONDS_PER_HOUR     INT64_C(3600)
#define SECONDS_PER_DAY      86400
#define TIMESTAMP_MIN        INT64_C(-62135596800) /* 0001-01-01T00:00:00Z */
#define TIMESTAMP_MAX        INT64_C(253402300799) /* 9999-12-31T23:59:59Z */
#define DURATION_SECONDS_MAX INT64_C(315576000000) /* 10,000 years of 365.25 days */

static const char timestamp_expected[] =
        "must be a time as 2026-01-31T12:30:00Z (RFC 3339, year 0001 to 9999)";
static const char duration_expected[] =
        "must be seconds as \"1.5s\", at most 315576000000 either way";

static bool take_digits(const char **text, int n_digits, int *ret_value)
{
        int value = 0;

        for (int i = 0; i < n_digits; i++) {
                char c = (*text)[i];

                if (c < '0' || c > '9')
                        return false;
                value = value * 10 + (c - '0');
        }

        *text += n_digits;
        *ret_value = value;
        return true;
}

static bool take(const char **text, char c)
{
        if (**text != c)
                return false;

        ++*text;
        return true;
}

/* An optional '.' and 1 to 9 digits. */
static bool take_fraction(const char **text, int32_t *ret_nanos)
{
        int32_t nanos = 0;
        int n_digits = 0;

        *ret_nanos = 0;
        if (!take(text, '.'))
                return true;

        for (; **text >= '0' && **text <= '9'; ++*text) {
                if (++n_digits > 9)
                        return false;
                nanos = nanos * 10 + (**text - '0');
        }
        if (n_digits == 0)
                return false;

        for (; n_digits < 9; n_digits++)
                nanos *= 10;
        *ret_nanos = nanos;
        return true;
}

static bool is_leap(int year)
{
        return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_of_month(int year, int month)
{
        static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

        return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days since 1970-01-01, in the calendar of today carried back. */
static int64_t days_before(int year, int month, int day)
{
        int64_t before = year - 1;
        int64_t days = before * 365 + before / 4 - before / 100 + before / 400 - 719162;

        for (int m = 1; m < month; m++)
                days += days_of_month(year, m);

        return days + day - 1;
}

/* "Z", or "+HH:MM" as seconds east of Greenwich. */
static bool take_offset(const char **text, int *ret_seconds)
{
        int hours, minutes, sign = **text == '-' ? -1 : 1;

        *ret_seconds = 0;
        if (take(text, 'Z'))
                return true;
        if (!take(text, '+') && !take(text, '-'))
                return false;
        if (!take_digits(text, 2, &hours) || !take(text, ':') || !take_digits(text, 2, &minutes) ||
            hours > 23 || minutes > 59)
                return false;

        *ret_seconds = sign * (hours * 3600 + minutes * 60);
        return true;
}

const char *pipit_timestamp_parse(const char *text, int64_t *ret_seconds, int32_t *ret_nanos)
{
        int year, month, day, hour, minute, second, offset;
        int32_t nanos;

        if (!take_digits(&text, 4, &year) || !take(&text, '-') || !take_digits(&text, 2, &month) ||
            !take(&text, '-') || !take_digits(&text, 2, &day) || !take(&text, 'T') ||
            !take_digits(&text, 2, &hour) || !take(&text, ':') || !take_digits(&text, 2, &minute) ||
            !take(&text, ':') || !take_digits(&text, 2, &second) || !take_fraction(&text, &nanos) ||
            !take_offset(&text, &offset) || *text != '\0')
                return timestamp_expected;
        if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_of_month(year, month) ||
            hour > 23 || minute > 59 || second > 59)
                return timestamp_expected;

        int64_t seconds = days_before(year, month, day) * SECONDS_PER_DAY +
                          hour * SECONDS_PER_HOUR + minute * SECONDS_PER_MINUTE + second - offset;

        if (seconds < TIMESTAMP_MIN || seconds > TIMESTAMP_MAX)
                return timestamp_expected;

        *ret_seconds = seconds;
        *ret_nanos = nanos;
        return NULL;
}

/* 0, 3, 6 or 9 digits, as many as are needed. */
static void format_fraction(int32_t nanos, char ret_text[16])
{
        if (nanos == 0)
                ret_text[0] = '\0';
        else if (nanos % 1000000 == 0)
                (void)snprintf(ret_text, 16, ".%03" PRId32, nanos / 1000000);
        else if (nanos % 1000 == 0)
                (void)snprintf(ret_text, 16, ".%06" PRId32, nanos / 1000);
        else
                (void)snprintf(ret_text, 16, ".%09" PRId32, nanos);
}

bool pipit_timestamp_format(int64_t seconds, int32_t nanos, char ret_text[PIPIT_KNOWN_TEXT_SIZE])
{
        char fraction[16];

        if (seconds < TIMESTAMP_MIN || seconds > TIMESTAMP_MAX || nanos < 0 ||
            nanos >= NANOS_PER_SECOND)
                return false;

        int64_t since_year_1 = seconds - TIMESTAMP_MIN;
        int64_t days = since_year_1 / SECONDS_PER_DAY;
        int second = (int)(since_year_1 % SECONDS_PER_DAY);
        int year = (int)(days / 366) + 1, month = 1;

        /* At most a few years off: a year has 365.2425 days, not 366. */
        while (days_before(year + 1, 1, 1) - days_before(1, 1, 1) <= days)
                year++;
        days -= days_before(year, 1, 1) - days_before(1, 1, 1);
        for (; days >= days_of_month(year, month); month++)
                days -= days_of_month(year, month);

        format_fraction(nanos, fraction);
        (void)snprintf(ret_text,
                       PIPIT_KNOWN_TEXT_SIZE,
                       "%04d-%02d-%02dT%02d:%02d:%02d%sZ",
                       year % 10000,
                       month % 100,
                       (int)(days + 1) % 100,
                       second / 3600 % 100,
                       second / 60 % 60,
                       second % 60,
                       fraction);
        return true;
}

const char *pipit_duration_parse(const char *text, int64_t *ret_seconds, int32_t *ret_nanos)
{
        bool negative = take(&text, '-');
        int64_t seconds = 0;
        int32_t nanos;

        if (*text < '0' || *text > '9')
                return duration_expected;

        for (; *text >= '0' && *text <= '9'; text++) {
                seconds = seconds * 10 + (*text - '0');
                if (seconds > DURATION_SECONDS_MAX)
                        return duration_expected;
        }

        if (!take_fraction(&text, &nanos) || !take(&text, 's') || *text != '\0' ||
            (seconds == DURATION_SECONDS_MAX && nanos > 0))
                return duration_expected;

        *ret_seconds = negative ? -seconds : seconds;
        *ret_nanos = negative ? -nanos : nanos;
        return NULL;
}

bool pipit_duration_format(int64_t seconds, int32_t nanos, char ret_text[PIPIT_KNOWN_TEXT_SIZE])
{
        bool negative = seconds < 0 || nanos < 0;
        char fraction[16];

        if (seconds < -DURATION_SECONDS_MAX || seconds > DURATION_SECONDS_MAX ||
            nanos <= -NANOS_PER_SECOND || nanos >= NANOS_PER_SECOND || (seconds > 0 && nanos < 0) ||
            (seconds < 0 && nanos > 0) ||
            (nanos != 0 && (seconds == DURATION_SECONDS_MAX || seconds == -DURATION_SECONDS_MAX)))
                return false;

        format_fraction(negative ? -nanos : nanos, fraction);
        (void)snprintf(ret_text,
                       PIPIT_KNOWN_TEXT_SIZE,
                       "%s%" PRId64 "%ss",
                       negative ? "-" : "",
                       negative ? -seconds : seconds,
                       fraction);
        return true;
}

const char *pipit_mask_path_parse(const char *text, size_t n_bytes, char *ret_path)
{
        if (n_bytes == 0)
                return "must be paths with commas between, as \"name,homeAddress.city\"";

        for (size_t i = 0; i < n_bytes; i++) {
                char c = text[i];

                if (c == '_')
                        return "must have its paths in lowerCamelCase, as \"homeAddress.city\"";
                if (c >= 'A' && c <= 'Z') {
                        *ret_path++ = '_';
                        c = (char)(c - 'A' + 'a');
                }
                *ret_path++ = c;
        }

        *ret_path = '\0';
        return NULL;
}

bool pipit_mask_path_format(const char *path, char *ret_text)
{
        if (!*path)
                return false;

        for (; *path; path++) {
                if (*path == ',' || (*path >= 'A' && *path <= 'Z'))
                        return false;
                if (*path != '_') {
                        *ret_text++ = *path;
                        continue;
                }

                path++;
                if (*path < 'a' || *path > 'z')
                        return false;
                *ret_text++ = (char)(*path - 'a' + 'A');
        }

        *ret_text = '\0';
        return true;
}
