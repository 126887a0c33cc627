/*
 * What must hold for any bytes whatever: what the walk lets pass unpacks, in no
 * more memory than it said
 *
 * For tests and fuzzers alike.
 */

#ifndef TESTS_UNIT_RPC_WIRE_CHECK_PROPERTY_H
#define TESTS_UNIT_RPC_WIRE_CHECK_PROPERTY_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire_check_property {
        bool passed;         /* the walk let the bytes pass */
        const char *broken;  /* which part of the property does not hold, or NULL */
        size_t promised;     /* what the walk said unpacking takes */
        size_t used_bytes;   /* what it took */
        const char *problem; /* of the walk */
};

struct wire_check_property wire_check_property(const ProtobufCMessageDescriptor *descriptor,
                                               const uint8_t *bytes,
                                               size_t n_bytes);

#endif
