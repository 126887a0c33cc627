/*
 * Memory that runs out when a test says so
 *
 * For executables linked with -Wl,--wrap of malloc, calloc, realloc and free;
 * see meson.build. One thread.
 */

#ifndef TESTS_UNIT_BASE_ALLOC_FAULT_H
#define TESTS_UNIT_BASE_ALLOC_FAULT_H

#include <stdbool.h>
#include <stddef.h>

/* The @n-th allocation from here on fails, and those after it; 0: none does. */
void alloc_fault_after(size_t n);

/* Whether one has failed since. */
bool alloc_fault_met(void);

/* What is allocated now, as the allocator rounds it. */
size_t alloc_live_bytes(void);

#endif
