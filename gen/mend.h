/*
 * Mend: what protoc-c's generator wrote, put right
 *
 * A field that filter_for_messages() had to call by another name gets its own
 * back, in the tables that are searched by it; an initializer is braced as the
 * compilers' warnings want it; a deprecated value of an enum says so. What is to be put right and is not laid out as
 * protoc-c 1.4 and 1.5 lay it out is an error: nobody would notice the field whose
 * name is wrong.
 */

#ifndef GEN_MEND_H
#define GEN_MEND_H

#include "gen/diagnostics.h"
#include "gen/types.h"

/* Of FOO.pb-c.c and FOO.pb-c.h, whose messages are those of @types, as protoc gave them. */
const char *mend_source(const struct types *types,
                        const char *source,
                        struct diagnostics *diagnostics);
const char *mend_header(const struct types *types,
                        const char *header,
                        struct diagnostics *diagnostics);

#endif
