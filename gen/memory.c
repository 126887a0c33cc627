#include "gen/memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *check(void *pointer)
{
        if (!pointer) {
                (void)fputs("protoc-gen-pipit: out of memory\n", stderr);
                exit(EXIT_FAILURE);
        }

        return pointer;
}

void *gen_alloc(struct pipit_arena *arena, size_t n_bytes)
{
        return check(pipit_arena_zalloc(arena, n_bytes));
}

void *gen_alloc_array(struct pipit_arena *arena, size_t n, size_t size)
{
        return check(n <= SIZE_MAX / size ? pipit_arena_zalloc(arena, n * size) : NULL);
}

char *gen_strdup(struct pipit_arena *arena, const char *string)
{
        return check(pipit_arena_strdup(arena, string));
}

char *gen_strndup(struct pipit_arena *arena, const char *string, size_t n_bytes)
{
        return check(pipit_arena_strndup(arena, string, n_bytes));
}

char *gen_printf(struct pipit_arena *arena, const char *format, ...)
{
        va_list arguments;
        char *string;
        int length;

        va_start(arguments, format);
        length = vsnprintf(NULL, 0, format, arguments);
        va_end(arguments);

        string = check(length < 0 ? NULL : gen_alloc(arena, (size_t)length + 1));
        va_start(arguments, format);
        (void)vsnprintf(string, (size_t)length + 1, format, arguments);
        va_end(arguments);

        return string;
}

static void *allocator_alloc(void *arena, size_t n_bytes)
{
        return gen_alloc(arena, n_bytes);
}

static void allocator_free(void *arena, void *pointer)
{
        (void)arena;
        (void)pointer;
}

ProtobufCAllocator gen_allocator(struct pipit_arena *arena)
{
        return (ProtobufCAllocator){
                .alloc = allocator_alloc,
                .free = allocator_free,
                .allocator_data = arena,
        };
}
