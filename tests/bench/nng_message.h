/*
 * What both halves of the plain nng echo share
 */

#ifndef TESTS_BENCH_NNG_MESSAGE_H
#define TESTS_BENCH_NNG_MESSAGE_H

#include <nng/nng.h>
#include <protobuf-c/protobuf-c.h>

#include "tests/harness/harness.h"

/* Ends the program if @error is one; @what says at what. */
static inline void must(int error, const char *what)
{
        if (error)
                die("%s: %s", what, nng_strerror(error));
}

static inline nng_msg *nng_message_pack(const ProtobufCMessage *message)
{
        size_t n_bytes = protobuf_c_message_get_packed_size(message);
        nng_msg *msg;

        must(nng_msg_alloc(&msg, n_bytes), "message");
        (void)protobuf_c_message_pack(message, nng_msg_body(msg));

        return msg;
}

#endif
