/*
 * What the runtime itself answers to a call: one table
 *
 * docs/wire.md lists it. Reasons are of the domain "pipit". Handlers' own
 * errors are not here.
 */

#ifndef SERVER_RUNTIME_ERRORS_H
#define SERVER_RUNTIME_ERRORS_H

#include "core/base/status.h"

/* X(reason, status, ran, text) */
#define RUNTIME_ERROR_MAP(X)                                                                       \
        X(METHOD_NOT_FOUND, UNIMPLEMENTED, NOT_RUN, "this server has no such method")              \
        X(METHOD_NOT_IMPLEMENTED, UNIMPLEMENTED, NOT_RUN, "this server does not implement it")     \
        X(MALFORMED, INVALID_ARGUMENT, NOT_RUN, "the payload is not a message of its type")        \
        X(METADATA_INVALID, INVALID_ARGUMENT, NOT_RUN, "metadata breaks its limits")               \
        X(ACCESS_DENIED, PERMISSION_DENIED, NOT_RUN, "you may not call this method")               \
        X(DEADLINE, DEADLINE_EXCEEDED, NOT_RUN, "the deadline passed before the call started")     \
        X(DEADLINE_RUNNING, DEADLINE_EXCEEDED, MAY_HAVE_RUN, "the deadline passed")                \
        X(DRAINING, UNAVAILABLE, NOT_RUN, "the server is stopping")                                \
        X(TOO_MANY_CALLS, RESOURCE_EXHAUSTED, NOT_RUN, "too many calls are in flight")             \
        X(TOO_MANY_BYTES, RESOURCE_EXHAUSTED, NOT_RUN, "too many bytes are in flight")             \
        X(TOO_MANY_MAILBOXES, RESOURCE_EXHAUSTED, NOT_RUN, "too many channels of this principal")  \
        X(WORKERS_BUSY, RESOURCE_EXHAUSTED, NOT_RUN, "too many calls wait for a worker")           \
        X(OUT_OF_MEMORY, RESOURCE_EXHAUSTED, NOT_RUN, "the server is out of memory")               \
        X(RESPONSE_TOO_LARGE, RESOURCE_EXHAUSTED, RAN, "the response does not fit a frame")        \
        X(RESPONSE_LOST, RESOURCE_EXHAUSTED, RAN, "no memory for the response")                    \
        X(RESPONSE_INVALID, INTERNAL, RAN, "the service gave a response that cannot be sent")      \
        X(MAILBOX_FULL, RESOURCE_EXHAUSTED, RAN, "too many responses wait to be fetched")          \
        X(CALL_NOT_RECEIVED, UNAVAILABLE, NOT_RUN, "the call never arrived; send it again")        \
        X(CALL_FORGOTTEN, UNAVAILABLE, MAY_HAVE_RUN, "the call is no longer known")                \
        X(SERVICE_UNKNOWN, NOT_FOUND, RAN, "this server has no such service")                      \
        X(SYMBOL_NOT_FOUND, NOT_FOUND, RAN, "no file of this server's services defines it")        \
        X(FILE_NOT_FOUND, NOT_FOUND, RAN, "none of this server's services needs such a file")

enum runtime_error {
#define RUNTIME_ERROR_ENUM(reason, status, ran, text) RUNTIME_ERROR_##reason,
        RUNTIME_ERROR_MAP(RUNTIME_ERROR_ENUM)
#undef RUNTIME_ERROR_ENUM
                RUNTIME_ERRORS_N
};

/* The error as a value. DEADLINE_RUNNING goes out under the reason DEADLINE. */
struct pipit_error runtime_error_make(enum runtime_error error);

#endif
