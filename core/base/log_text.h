/*
 * The text of one log line
 *
 * Made in two steps, so that the line can still say how many were lost before
 * it when it is put among the others. Knows nothing of where it goes. No
 * allocation; any thread, each with its own.
 */

#ifndef CORE_BASE_LOG_TEXT_H
#define CORE_BASE_LOG_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/log.h"

struct pipit_log_text {
        /* out */
        size_t n_bytes;

        /* private */
        enum pipit_log_format format;
        bool cut;

        /* out, uninitialised past n_bytes */
        char bytes[PIPIT_LOG_LINE_BYTES_MAX];
};

/* All of the line but its end. @wall_us is since 1970, in UTC. */
void pipit_log_text_begin(struct pipit_log_text *text,
                          enum pipit_log_format format,
                          int64_t wall_us,
                          enum pipit_log_level level,
                          const char *message,
                          const struct pipit_log_field *fields,
                          size_t n_fields);

/* The end with its newline, and before it how many lines were @n_dropped, if any. */
void pipit_log_text_end(struct pipit_log_text *text, uint64_t n_dropped);

/* "info"; "unknown" for a number that is no level of a line. */
const char *pipit_log_level_name(enum pipit_log_level level);

#endif
