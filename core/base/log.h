/*
 * Structured log
 *
 * One line an event: a message for people and fields for programs, as JSON or
 * readable. Writing never blocks the caller: lines go through a bounded buffer
 * that one thread empties into a file descriptor. Where the reader is too slow
 * lines are dropped and counted, and the next line that fits says how many.
 * While lines keep coming they are gathered for 10 ms; an error is not, nor is
 * the first line after a pause.
 *
 * Any thread. Libraries take a struct pipit_log * that may be NULL: then, and
 * under the level, nothing is formatted at all. What makes and frees one is in
 * <pipit/log.h>.
 */

#ifndef CORE_BASE_LOG_H
#define CORE_BASE_LOG_H

#include <pipit/log.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/macros.h"

/* The longest line, its newline too; a longer one is cut at a field, and says so in a field `cut`. */
#define PIPIT_LOG_LINE_BYTES_MAX 4096

/* What waits for the writer at most. */
#define PIPIT_LOG_BUFFER_BYTES ((size_t)1024 * 1024)

enum pipit_log_field_type {
        PIPIT_LOG_FIELD_STRING,
        PIPIT_LOG_FIELD_INT,
        PIPIT_LOG_FIELD_BOOL,
};

/* A field; one whose string is NULL is left out. Bytes that are no UTF-8 are written as U+FFFD. */
struct pipit_log_field {
        const char *key;
        enum pipit_log_field_type type;
        const char *string;
        int64_t number;
};

#define PIPIT_LOG_STRING(k, v) ((struct pipit_log_field){(k), PIPIT_LOG_FIELD_STRING, (v), 0})
#define PIPIT_LOG_INT(k, v)    ((struct pipit_log_field){(k), PIPIT_LOG_FIELD_INT, NULL, (int64_t)(v)})
#define PIPIT_LOG_BOOL(k, v)                                                                       \
        ((struct pipit_log_field){(k), PIPIT_LOG_FIELD_BOOL, NULL, (v) ? 1 : 0})

/* Whether a line of @level would be written. False for a NULL log. */
bool pipit_log_enabled(const struct pipit_log *log, enum pipit_log_level level);

void pipit_log_write(struct pipit_log *log,
                     enum pipit_log_level level,
                     const char *message,
                     const struct pipit_log_field *fields,
                     size_t n_fields);

/* pipit_log_line(log, PIPIT_LOG_INFO, "listening", PIPIT_LOG_STRING("url", url)) */
#define pipit_log_line(log, level, message, ...)                                                   \
        do {                                                                                       \
                if (pipit_log_enabled((log), (level))) {                                           \
                        const struct pipit_log_field fields_[] = {__VA_ARGS__};                    \
                        pipit_log_write(                                                           \
                                (log), (level), (message), fields_, PIPIT_N_ELEMENTS(fields_));    \
                }                                                                                  \
        } while (0)

/* "debug", "info", ...: for flags. False: *ret_level is untouched. */
bool pipit_log_level_parse(const char *name, enum pipit_log_level *ret_level);

#endif
