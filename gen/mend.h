/*
 * Mend: what protoc-c's generator wrote, put right
 *
 * A field that filter_for_messages() had to call by another name gets its own
 * back, in the tables that are searched by it; and an initializer is braced as
 * the compilers' warnings want it. Text that is not as expected stays as it is.
 */

#ifndef GEN_MEND_H
#define GEN_MEND_H

#include "core/base/arena.h"
#include "gen/types.h"

/* Of FOO.pb-c.c and FOO.pb-c.h, whose messages are those of @types, as protoc gave them. */
const char *mend_source(struct pipit_arena *arena, const struct types *types, const char *source);
const char *mend_header(struct pipit_arena *arena, const struct types *types, const char *header);

#endif
