/*
 * Nesting: how deep a message is, found out before it is unpacked
 *
 * protobuf-c has no limit of its own: it would recurse as deep as whoever wrote the
 * bytes wants it to.
 */

#ifndef GEN_NESTING_H
#define GEN_NESTING_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

#define NESTING_MAX 100 /* protobuf's own libraries, protoc among them, read no deeper */

enum nesting {
        NESTING_OK,
        NESTING_TOO_DEEP,
        NESTING_MALFORMED, /* no message is like that; not all that are malformed are found */
};

/* Of @bytes, a message of @descriptor; the outermost is level 1. */
enum nesting nesting_check(const ProtobufCMessageDescriptor *descriptor,
                           const uint8_t *bytes,
                           size_t n_bytes);

#endif
