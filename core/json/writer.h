/*
 * JSON text, piece by piece, in an arena
 *
 * Out of memory is remembered: write on, and look at the end.
 */

#ifndef CORE_JSON_WRITER_H
#define CORE_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"

/* All zero but for @arena (and @pretty): empty. */
struct pipit_json_writer {
        /* in */
        struct pipit_arena *arena;
        bool pretty; /* two spaces a level; else one line */

        /* private */
        char *text;
        size_t n_bytes;
        size_t n_allocated;
        unsigned level;
        bool after_value; /* the next value of this object or array needs a comma */
        bool after_key;
        bool failed;
};

void pipit_json_writer_begin(struct pipit_json_writer *writer, char bracket);
void pipit_json_writer_end(struct pipit_json_writer *writer, char bracket);

/* The name of the member that is written next. */
void pipit_json_writer_key(struct pipit_json_writer *writer, const char *key);

/* A value whose text is JSON already: a number, true, null. */
void pipit_json_writer_raw(struct pipit_json_writer *writer, const char *text);

/* A string of UTF-8; what is not becomes U+FFFD. */
void pipit_json_writer_string(struct pipit_json_writer *writer, const char *text, size_t n_bytes);

/* Room for a string of @n_bytes that needs no escapes; the caller fills it. NULL: out of memory. */
char *pipit_json_writer_string_space(struct pipit_json_writer *writer, size_t n_bytes);

/* The text, NUL-terminated, in the arena. NULL: out of memory. */
char *pipit_json_writer_finish(struct pipit_json_writer *writer);

#endif
