#include "gen/text.h"

#include <stdio.h>
#include <string.h>

#include "gen/memory.h"

#define LINE_BYTES 256 /* room for most of what is added at once */

char *text_reserve(struct text *text, size_t n_bytes)
{
        size_t needed = text->n_bytes + n_bytes + 1;
        size_t n_allocated = text->n_allocated ? text->n_allocated : 1024;
        char *bytes;

        if (needed <= text->n_allocated)
                return text->bytes + text->n_bytes;

        while (n_allocated < needed)
                n_allocated *= 2;

        bytes = gen_alloc(text->arena, n_allocated);
        if (text->n_bytes > 0)
                memcpy(bytes, text->bytes, text->n_bytes);
        text->bytes = bytes;
        text->n_allocated = n_allocated;

        return bytes + text->n_bytes;
}

void text_advance(struct text *text, size_t n_bytes)
{
        text->n_bytes += n_bytes;
        text->bytes[text->n_bytes] = '\0';
}

void text_add_bytes(struct text *text, const void *bytes, size_t n_bytes)
{
        char *room = text_reserve(text, n_bytes);

        if (n_bytes > 0)
                memcpy(room, bytes, n_bytes);
        text_advance(text, n_bytes);
}

void text_add_va(struct text *text, const char *format, va_list arguments)
{
        va_list again;
        int length;

        va_copy(again, arguments);
        length = vsnprintf(text_reserve(text, LINE_BYTES), LINE_BYTES, format, arguments);
        if (length >= LINE_BYTES)
                length = vsnprintf(
                        text_reserve(text, (size_t)length), (size_t)length + 1, format, again);
        va_end(again);

        if (length > 0)
                text_advance(text, (size_t)length);
}

void text_add(struct text *text, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        text_add_va(text, format, arguments);
        va_end(arguments);
}
