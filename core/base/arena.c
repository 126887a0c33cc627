#include "core/base/arena.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pipit_arena_chunk {
        struct pipit_arena_chunk *next;
        size_t n_bytes; /* behind this header */
        size_t n_used;
        bool is_callers;
        _Alignas(PIPIT_ARENA_ALIGN) unsigned char bytes[];
};

_Static_assert(sizeof(struct pipit_arena_chunk) <= PIPIT_ARENA_HEAD_BYTES, "as the header says");

/* AddressSanitizer is to see them freed. */
#if PIPIT_ADDRESS_SANITIZER
#define SPARE_MAX 0
#else
#define SPARE_MAX (PIPIT_ARENA_SPARE_BYTES / PIPIT_ARENA_CHUNK_BYTES_MAX)
#endif

static struct {
        pthread_mutex_t mutex;
        struct pipit_arena_chunk *first;
        size_t n;
} spare = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/*
 * Nobody waits for another thread here: a few go to malloc. So a child of fork()
 * that inherits the mutex locked does without.
 */
static struct pipit_arena_chunk *spare_take(void)
{
        struct pipit_arena_chunk *chunk;

        if (pthread_mutex_trylock(&spare.mutex) != 0)
                return NULL;
        chunk = spare.first;
        if (chunk) {
                spare.first = chunk->next;
                spare.n--;
        }
        pthread_mutex_unlock(&spare.mutex);

        return chunk;
}

/* False: there are enough. */
static bool spare_give(struct pipit_arena_chunk *chunk)
{
        bool is_kept;

        if (pthread_mutex_trylock(&spare.mutex) != 0)
                return false;
        is_kept = spare.n + 1 <= SPARE_MAX; /* which may be 0: gcc minds n < 0 */
        if (is_kept) {
                chunk->next = spare.first;
                spare.first = chunk;
                spare.n++;
        }
        pthread_mutex_unlock(&spare.mutex);

        return is_kept;
}

static void chunk_free(struct pipit_arena_chunk *chunk)
{
        if (chunk->is_callers ||
            (chunk->n_bytes == PIPIT_ARENA_CHUNK_BYTES_MAX && spare_give(chunk)))
                return;
        free(chunk);
}

void pipit_arena_spare_free(void)
{
        struct pipit_arena_chunk *chunk;

        while ((chunk = spare_take()))
                free(chunk);
}

static struct pipit_arena_chunk *chunk_new(size_t n_bytes)
{
        struct pipit_arena_chunk *chunk = NULL;

        if (n_bytes > SIZE_MAX - sizeof(*chunk))
                return NULL;

        if (n_bytes == PIPIT_ARENA_CHUNK_BYTES_MAX)
                chunk = spare_take();
        if (!chunk)
                chunk = malloc(sizeof(*chunk) + n_bytes);
        if (!chunk)
                return NULL;

        chunk->next = NULL;
        chunk->n_bytes = n_bytes;
        chunk->n_used = 0;
        chunk->is_callers = false;

        return chunk;
}

void pipit_arena_init(struct pipit_arena *arena, void *memory, size_t n_bytes)
{
        struct pipit_arena_chunk *chunk = memory;

        chunk->next = NULL;
        chunk->n_bytes = n_bytes - sizeof(*chunk);
        chunk->n_used = 0;
        chunk->is_callers = true;
        *arena = (struct pipit_arena){.first = chunk, .current = chunk};
}

static size_t next_chunk_bytes(const struct pipit_arena *arena, size_t needed)
{
        size_t last = arena->current ? arena->current->n_bytes : 0;
        size_t n_bytes = last * 2;

        if (n_bytes < PIPIT_ARENA_CHUNK_BYTES)
                n_bytes = PIPIT_ARENA_CHUNK_BYTES;
        if (n_bytes > PIPIT_ARENA_CHUNK_BYTES_SMALL)
                n_bytes = last < PIPIT_ARENA_CHUNK_BYTES_SMALL ? PIPIT_ARENA_CHUNK_BYTES_SMALL
                                                               : PIPIT_ARENA_CHUNK_BYTES_MAX;

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

                if (!chunk->is_callers) {
                        if (kept + chunk->n_bytes > PIPIT_ARENA_KEEP_BYTES) {
                                *link = chunk->next;
                                chunk_free(chunk);
                                continue;
                        }
                        kept += chunk->n_bytes;
                }
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
                chunk_free(chunk);
        }

        arena->current = NULL;
        arena->used_bytes = 0;
}
