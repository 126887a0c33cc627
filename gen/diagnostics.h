/*
 * Diagnostics: what is wrong with the input, as protoc prints it
 */

#ifndef GEN_DIAGNOSTICS_H
#define GEN_DIAGNOSTICS_H

#include "core/base/macros.h"
#include "gen/source.h"
#include "gen/text.h"

/* Set text.arena, zero the rest. */
struct diagnostics {
        struct text text; /* one line each, without the last newline; empty: all is well */
};

/*
 * "users/v1/users.proto:12:3: ..."; the numbers of what is around it if it has none of
 * its own, and none if nobody knows them.
 */
void diagnostics_add_at(struct diagnostics *diagnostics,
                        const Google__Protobuf__FileDescriptorProto *file,
                        struct source_path path,
                        const char *format,
                        ...) PIPIT_PRINTF(4, 5);

/* Not about a place in a file. */
void diagnostics_add(struct diagnostics *diagnostics, const char *format, ...) PIPIT_PRINTF(2, 3);

/* "users/v1/users.proto:12:3", for mentioning a second place. */
char *diagnostics_place(struct pipit_arena *arena,
                        const Google__Protobuf__FileDescriptorProto *file,
                        struct source_path path);

#endif
