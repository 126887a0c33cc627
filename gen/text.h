/*
 * Text: bytes that grow at the end
 */

#ifndef GEN_TEXT_H
#define GEN_TEXT_H

#include <stdarg.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/macros.h"

/* Set @arena, zero the rest. */
struct text {
        /* in */
        struct pipit_arena *arena;

        /* out */
        char *bytes; /* NUL-terminated; NULL: nothing was added yet */
        size_t n_bytes;

        /* private */
        size_t n_allocated;
};

void text_add(struct text *text, const char *format, ...) PIPIT_PRINTF(2, 3);
void text_add_va(struct text *text, const char *format, va_list arguments) PIPIT_PRINTF(2, 0)
        PIPIT_NONNULL(2);
void text_add_bytes(struct text *text, const void *bytes, size_t n_bytes);

/* Room for @n_bytes more; what is written there counts once text_advance() says so. */
char *text_reserve(struct text *text, size_t n_bytes);
void text_advance(struct text *text, size_t n_bytes);

#endif
