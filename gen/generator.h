/*
 * Generator: a request of protoc's in, a response out
 */

#ifndef GEN_GENERATOR_H
#define GEN_GENERATOR_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "gen/text.h"

/*
 * Adds the serialized CodeGeneratorResponse to @response; what is wrong with the
 * .proto files is said in there. False: @bytes is no CodeGeneratorRequest.
 */
bool generator_run(struct pipit_arena *arena,
                   const void *bytes,
                   size_t n_bytes,
                   struct text *response);

#endif
