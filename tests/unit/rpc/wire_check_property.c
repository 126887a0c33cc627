#include "tests/unit/rpc/wire_check_property.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/rpc/message.h"
#include "core/rpc/wire_check.h"

static void unpack(const ProtobufCMessageDescriptor *descriptor,
                   const uint8_t *bytes,
                   size_t n_bytes,
                   struct wire_check_property *property)
{
        struct pipit_arena arena = {.cap_bytes = property->promised};
        ProtobufCMessage *message = pipit_message_unpack(descriptor, &arena, bytes, n_bytes);

        property->used_bytes = arena.used_bytes;
        if (!message)
                property->broken = "what passed does not unpack in the memory promised";
        else if (pipit_message_bad_string(message))
                property->broken = "what passed holds a string that is not UTF-8";
        pipit_arena_deinit(&arena);
}

struct wire_check_property wire_check_property(const ProtobufCMessageDescriptor *descriptor,
                                               const uint8_t *bytes,
                                               size_t n_bytes)
{
        struct wire_check_property property = {0};
        struct pipit_wire_report report;
        /* A copy of just the right size: sanitizers see a read past its end. */
        uint8_t *copy = malloc(n_bytes);

        if (n_bytes > 0)
                memcpy(copy, bytes, n_bytes);
        property.passed =
                pipit_wire_check(descriptor, copy, n_bytes, &pipit_wire_limits_default, &report);
        property.promised = report.decoded_bytes;
        property.problem = report.problem;

        if (property.passed != !report.problem)
                property.broken = "the answer and the report disagree";
        else if (property.passed)
                unpack(descriptor, copy, n_bytes, &property);
        else if (report.offset > n_bytes)
                property.broken = "the problem lies behind the end";
        free(copy);

        return property;
}
