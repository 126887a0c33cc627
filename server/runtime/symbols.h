/*
 * Symbols: what the .proto files of a server define, and where
 *
 * Services, methods, messages and enums, nested ones too, by full name without
 * a leading dot. Filled by one thread, then sorted; read-only after that. Knows
 * nothing of calls.
 */

#ifndef SERVER_RUNTIME_SYMBOLS_H
#define SERVER_RUNTIME_SYMBOLS_H

#include <pipit/service.h>

#include "core/base/arena.h"

/* Longer names are found, but nothing is proposed for them. */
#define SYMBOLS_NEAREST_BYTES_MAX 256

struct symbol {
        const char *name; /* "users.v1.UsersService.GetUser" */
        size_t file;      /* as given to add */
};

/* All zero is an empty table. */
struct symbols {
        /* private */
        struct symbol *rows;
        size_t n_rows;
        size_t n_slots;
        struct pipit_arena names;
};

/*
 * Adds all that @file defines, under the number @index. RESOURCE_EXHAUSTED: out
 * of memory. INTERNAL: its bytes are no FileDescriptorProto.
 */
PIPIT_MUST_CHECK enum pipit_status symbols_add(struct symbols *symbols,
                                               const struct pipit_file *file,
                                               size_t index);

/* After the last add. */
void symbols_sort(struct symbols *symbols);

/* NULL: there is none of that name. */
const struct symbol *symbols_find(const struct symbols *symbols, const char *name);

/*
 * What may have been meant by a @name that was not found: in another case, with
 * a wrong character or two, or with a last part like that in another package.
 * NULL: nothing is near.
 */
const char *symbols_nearest(const struct symbols *symbols, const char *name);

void symbols_deinit(struct symbols *symbols);

#endif
