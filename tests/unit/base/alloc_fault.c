#include "tests/unit/base/alloc_fault.h"

#include <malloc.h>

static size_t countdown;
static bool counting;
static bool met;
static size_t live_bytes;

void *__real_malloc(size_t n_bytes);
void *__real_calloc(size_t n, size_t n_bytes);
void *__real_realloc(void *pointer, size_t n_bytes);
void __real_free(void *pointer);
void *__wrap_malloc(size_t n_bytes);
void *__wrap_calloc(size_t n, size_t n_bytes);
void *__wrap_realloc(void *pointer, size_t n_bytes);
void __wrap_free(void *pointer);

void alloc_fault_after(size_t n)
{
        countdown = n;
        counting = n > 0;
        met = false;
}

bool alloc_fault_met(void)
{
        return met;
}

size_t alloc_live_bytes(void)
{
        return live_bytes;
}

static bool fails(void)
{
        if (!counting)
                return false;
        if (countdown > 1) {
                countdown--;
                return false;
        }
        met = true;

        return true;
}

static void *track(void *pointer)
{
        if (pointer)
                live_bytes += malloc_usable_size(pointer);

        return pointer;
}

void *__wrap_malloc(size_t n_bytes)
{
        return fails() ? NULL : track(__real_malloc(n_bytes));
}

void *__wrap_calloc(size_t n, size_t n_bytes)
{
        return fails() ? NULL : track(__real_calloc(n, n_bytes));
}

void *__wrap_realloc(void *pointer, size_t n_bytes)
{
        size_t n_before = pointer ? malloc_usable_size(pointer) : 0;
        void *moved;

        if (fails())
                return NULL;

        moved = __real_realloc(pointer, n_bytes);
        if (moved)
                live_bytes -= n_before;

        return track(moved);
}

void __wrap_free(void *pointer)
{
        if (pointer)
                live_bytes -= malloc_usable_size(pointer);
        __real_free(pointer);
}
