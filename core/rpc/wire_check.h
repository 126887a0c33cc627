/*
 * The walk of untrusted protobuf bytes, before anything unpacks them
 *
 * protobuf-c has no limits: nesting overflows the stack, empty sub-messages
 * multiply memory a hundredfold, a repeated singular sub-message is merged in
 * quadratic time, bad UTF-8 and embedded NULs pass. This walks the bytes
 * against the descriptor, iteratively, in linear time and without allocating,
 * and says how many bytes protobuf-c will allocate to unpack them.
 *
 * Refused: truncated or over-long varints and lengths, tag 0 and field numbers
 * past 2^29-1, unknown wire types, groups; a known field with a wrong wire
 * type (packed scalars are accepted both ways); nesting, unknown fields and
 * decoded bytes over the limit; a singular sub-message twice (oneof members
 * too); strings that are not UTF-8 or hold a NUL; required fields missing.
 */

#ifndef CORE_RPC_WIRE_CHECK_H
#define CORE_RPC_WIRE_CHECK_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pipit_wire_limits {
        size_t decoded_bytes_max; /* what unpacking may allocate */
        uint32_t nesting_max;     /* the outermost message is level 1; at most PIPIT_NESTING_MAX */
        uint32_t unknown_fields_max; /* in one message */
};

/* PIPIT_*_MAX of limits.h. */
extern const struct pipit_wire_limits pipit_wire_limits_default;

struct pipit_wire_report {
        /* out */
        size_t decoded_bytes; /* what unpacking will allocate, an upper bound */
        const char *problem;  /* NULL when well-formed; else static text for people */
        size_t offset;        /* of the problem, in bytes from the start */
        const ProtobufCFieldDescriptor *field; /* the innermost known field around it, or NULL */
};

/* False: malformed or over a limit, and report->problem says what. */
bool pipit_wire_check(const ProtobufCMessageDescriptor *descriptor,
                      const uint8_t *bytes,
                      size_t n_bytes,
                      const struct pipit_wire_limits *limits,
                      struct pipit_wire_report *ret_report);

#endif
