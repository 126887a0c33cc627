/*
 * Messages and bytes made at random, always the same for the same seed
 */

#ifndef TESTS_UNIT_RPC_RANDOM_MESSAGE_H
#define TESTS_UNIT_RPC_RANDOM_MESSAGE_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"

struct random_source {
        uint64_t state;
};

uint64_t random_next(struct random_source *source);

/* 0 to @bound - 1. */
size_t random_below(struct random_source *source, size_t bound);

/* A message with some of its fields set, at most @depth levels deep below this one. */
ProtobufCMessage *random_message(struct random_source *source,
                                 struct pipit_arena *arena,
                                 const ProtobufCMessageDescriptor *descriptor,
                                 unsigned int depth);

/*
 * Damages @bytes a little: bits, bytes, pieces taken out or doubled, the end cut
 * off. Returns how many there are then, at most @n_bytes_max.
 */
size_t random_damage(struct random_source *source,
                     uint8_t *bytes,
                     size_t n_bytes,
                     size_t n_bytes_max);

#endif
