/*
 * Memory of the generator
 *
 * It runs once and ends, so everything lives in one arena until then. Out of
 * memory is the end too: a line on stderr and exit code 1, which protoc reports.
 */

#ifndef GEN_MEMORY_H
#define GEN_MEMORY_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/macros.h"

/* Zeroed, never NULL. */
void *gen_alloc(struct pipit_arena *arena, size_t n_bytes);

/* The same, for @n elements of @size bytes. */
void *gen_alloc_array(struct pipit_arena *arena, size_t n, size_t size);

char *gen_strdup(struct pipit_arena *arena, const char *string);
char *gen_strndup(struct pipit_arena *arena, const char *string, size_t n_bytes);
char *gen_printf(struct pipit_arena *arena, const char *format, ...) PIPIT_PRINTF(2, 3);

/* For protobuf_c_message_unpack(): what it makes need not be freed. */
ProtobufCAllocator gen_allocator(struct pipit_arena *arena);

#endif
