/*
 * protobuf-c messages in an arena
 */

#ifndef CORE_RPC_MESSAGE_H
#define CORE_RPC_MESSAGE_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"

/*
 * Unpacks @bytes, which pipit_wire_check() has passed, into @arena. NULL: out
 * of memory (or of the arena's cap). Never freed alone.
 */
ProtobufCMessage *pipit_message_unpack(const ProtobufCMessageDescriptor *descriptor,
                                       struct pipit_arena *arena,
                                       const uint8_t *bytes,
                                       size_t n_bytes);

/* The allocator that pipit_message_unpack() uses; free is a no-op. */
ProtobufCAllocator pipit_message_allocator(struct pipit_arena *arena);

/*
 * Strings of a message that is about to be packed must be UTF-8: returns the
 * field that is not (in any depth), or NULL when all are.
 */
const ProtobufCFieldDescriptor *pipit_message_bad_string(const ProtobufCMessage *message);

#endif
