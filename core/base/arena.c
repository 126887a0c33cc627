#include "core/base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pipit_arena_chunk {
        struct pipit_arena_chunk *next;
        size_t n_bytes; /* behind this header */
        size_t n_used;
        _Alignas(PIPIT_ARENA_ALIGN) unsigned char bytes[];
};

static struct pipit_arena_chunk *chunk_new(size_t n_bytes)
{
        struct pipit_arena_chunk *chunk;

        if (n_bytes > SIZE_MAX - sizeof(*chunk))
                return NULL;

        chunk = malloc(sizeof(*chunk) + n_bytes);
        if (!chunk)
                return NULL;

        chunk->next = NULL;
        chunk->n_bytes = n_bytes;
        chunk->n_used = 0;

        return chunk;
}

static size_t next_chunk_bytes(const struct pipit_arena *arena, size_t needed)
{
        size_t n_bytes = PIPIT_ARENA_CHUNK_BYTES;

        if (arena->current) {
                n_bytes = arena->current->n_bytes * 2;
                if (n_bytes > PIPIT_ARENA_CHUNK_BYTES_MAX)
                        n_bytes = PIPIT_ARENA_CHUNK_BYTES_MAX;
        }

        return needed > n_bytes ? needed : n_bytes;
}

/* A chunk with room: a kept one that is large enough, else a new one behind the current. */
static struct pipit_arena_chunk *arena_grow(struct pipit_arena *arena, size_t needed)
{
        struct pipit_arena_chunk *chunk;

        while (arena->current && arena->current->next) {
                arena->current = arena->current->next;
                if (arena->current->n_bytes >= needed)
                        return arena->current;
        }

        chunk = chunk_new(next_chunk_bytes(arena, needed));
        if (!chunk)
                return NULL;

        if (arena->current)
                arena->current->next = chunk;
        else
                arena->first = chunk;
        arena->current = chunk;

        return chunk;
}

void *pipit_arena_alloc(struct pipit_arena *arena, size_t n_bytes)
{
        struct pipit_arena_chunk *chunk = arena->current;
        size_t rounded;
        void *pointer;

        if (n_bytes > SIZE_MAX / 2)
                return NULL;
        if (n_bytes == 0)
                n_bytes = 1;
        rounded = (n_bytes + PIPIT_ARENA_ALIGN - 1) & ~(size_t)(PIPIT_ARENA_ALIGN - 1);
        if (arena->cap_bytes > 0 &&
            (rounded > arena->cap_bytes || arena->used_bytes > arena->cap_bytes - rounded))
                return NULL;

        if (!chunk || chunk->n_bytes - chunk->n_used < rounded) {
                chunk = arena_grow(arena, rounded);
                if (!chunk)
                        return NULL;
        }

        pointer = chunk->bytes + chunk->n_used;
        chunk->n_used += rounded;
        arena->used_bytes += rounded;

        return pointer;
}

void *pipit_arena_zalloc(struct pipit_arena *arena, size_t n_bytes)
{
        void *pointer = pipit_arena_alloc(arena, n_bytes);

        return pointer ? memset(pointer, 0, n_bytes) : NULL;
}

void *pipit_arena_memdup(struct pipit_arena *arena, const void *bytes, size_t n_bytes)
{
        void *pointer = pipit_arena_alloc(arena, n_bytes);

        if (pointer && n_bytes > 0)
                memcpy(pointer, bytes, n_bytes);

        return pointer;
}

char *pipit_arena_strndup(struct pipit_arena *arena, const char *string, size_t n_bytes)
{
        char *copy = n_bytes < SIZE_MAX ? pipit_arena_alloc(arena, n_bytes + 1) : NULL;

        if (!copy)
                return NULL;

        if (n_bytes > 0)
                memcpy(copy, string, n_bytes);
        copy[n_bytes] = '\0';

        return copy;
}

char *pipit_arena_strdup(struct pipit_arena *arena, const char *string)
{
        return pipit_arena_strndup(arena, string, strlen(string));
}

char *pipit_arena_printf(struct pipit_arena *arena, const char *format, ...)
{
        va_list arguments;
        char *text;
        int length;

        va_start(arguments, format);
        length = vsnprintf(NULL, 0, format, arguments);
        va_end(arguments);
        if (length < 0)
                return NULL;

        text = pipit_arena_alloc(arena, (size_t)length + 1);
        if (!text)
                return NULL;

        va_start(arguments, format);
        (void)vsnprintf(text, (size_t)length + 1, format, arguments);
        va_end(arguments);

        return text;
}

void pipit_arena_reset(struct pipit_arena *arena)
{
        struct pipit_arena_chunk **link = &arena->first;
        size_t kept = 0;

        while (*link) {
                struct pipit_arena_chunk *chunk = *link;

                if (kept + chunk->n_bytes > PIPIT_ARENA_KEEP_BYTES) {
                        *link = chunk->next;
                        free(chunk);
                        continue;
                }
                kept += chunk->n_bytes;
                chunk->n_used = 0;
                link = &chunk->next;
        }

        arena->current = arena->first;
        arena->used_bytes = 0;
}

void pipit_arena_deinit(struct pipit_arena *arena)
{
        while (arena->first) {
                struct pipit_arena_chunk *chunk = arena->first;

                arena->first = chunk->next;
                free(chunk);
        }

        arena->current = NULL;
        arena->used_bytes = 0;
}
