/*
 * Arena: memory that dies together
 *
 * A list of chunks, filled from the front. Nothing is freed alone; reset makes
 * all of it free at once and keeps the memory for the next use. Not
 * thread-safe: whoever shares an arena locks it.
 */

#ifndef CORE_BASE_ARENA_H
#define CORE_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/macros.h"

struct pipit_arena_chunk;

/*
 * struct pipit_arena
 *
 * All zero is an empty arena without a cap.
 */
struct pipit_arena {
        /* in */
        size_t cap_bytes; /* over it, allocations fail; 0: no cap */

        /* out */
        size_t used_bytes; /* given out since the last reset */

        /* private */
        struct pipit_arena_chunk *first;
        struct pipit_arena_chunk *current;
};

/* Of the caller's memory, what the arena itself needs at most. */
#define PIPIT_ARENA_HEAD_BYTES 32

/* Alignment of every allocation. */
#define PIPIT_ARENA_ALIGN 16

/* The first chunk of its own; each further one doubles, and after the small ones all are of the largest size. */
#define PIPIT_ARENA_CHUNK_BYTES       2048
#define PIPIT_ARENA_CHUNK_BYTES_SMALL 16384
#define PIPIT_ARENA_CHUNK_BYTES_MAX   65536

/*
 * Of the largest, what arenas give back and the process keeps for others: else each
 * busy frame would have the kernel map, clear and unmap a few.
 */
#define PIPIT_ARENA_SPARE_BYTES ((size_t)64 * PIPIT_ARENA_CHUNK_BYTES_MAX)

/*
 * What reset keeps at most: enough for a call or two. Pooled arenas that each once
 * held a large frame would otherwise add up to far more than is in use.
 */
#define PIPIT_ARENA_KEEP_BYTES 8192

/*
 * An empty arena without a cap that fills @n_bytes of the caller's memory, at least
 * PIPIT_ARENA_HEAD_BYTES and aligned for anything, before it asks for some of its
 * own: on a stack, say, which is warm. To be let go by deinit, before that memory;
 * after it the arena is any empty one.
 */
void pipit_arena_init(struct pipit_arena *arena, void *memory, size_t n_bytes);

/* @n_bytes, not zeroed. NULL: out of memory, or over the cap. Zero bytes are a valid pointer. */
void *pipit_arena_alloc(struct pipit_arena *arena, size_t n_bytes);

/* The same, zeroed. */
void *pipit_arena_zalloc(struct pipit_arena *arena, size_t n_bytes);

/* Copies. The string's copy is NUL-terminated and may be cut from a longer one. */
void *pipit_arena_memdup(struct pipit_arena *arena, const void *bytes, size_t n_bytes);
char *pipit_arena_strndup(struct pipit_arena *arena, const char *string, size_t n_bytes);
char *pipit_arena_strdup(struct pipit_arena *arena, const char *string);
char *pipit_arena_printf(struct pipit_arena *arena, const char *format, ...) PIPIT_PRINTF(2, 3);

/* Frees all that was given out; memory up to PIPIT_ARENA_KEEP_BYTES is kept. */
void pipit_arena_reset(struct pipit_arena *arena);

/* Frees everything; the arena is empty and usable again. */
void pipit_arena_deinit(struct pipit_arena *arena);

/*
 * Frees what the process keeps for arenas to come, unless another thread takes or
 * gives some at that moment: for tests that count memory.
 */
void pipit_arena_spare_free(void);

#endif
