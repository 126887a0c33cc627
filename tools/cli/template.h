/*
 * Request templates: JSON with every field of a message in it, to fill in
 */

#ifndef TOOLS_CLI_TEMPLATE_H
#define TOOLS_CLI_TEMPLATE_H

#include <protobuf-c/protobuf-c.h>

#include "core/base/arena.h"
#include "core/json/schema.h"

/*
 * JSON that reads as a @descriptor, in @arena: each field with the zero of its
 * type, one element in lists and maps, of a oneof the first member, and no
 * message inside itself. NULL: out of memory.
 */
char *cli_template(const ProtobufCMessageDescriptor *descriptor,
                   const struct pipit_schema *schema,
                   bool pretty,
                   struct pipit_arena *arena);

#endif
