/*
 * Errors of the client: every reason it gives, in one table
 *
 * What a server says comes through unchanged; this is what the client itself
 * has to say, and what a reject frame means to the calls of the rejected frame.
 */

#ifndef CLIENT_ERRORS_H
#define CLIENT_ERRORS_H

#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/status.h"
#include "core/rpc/frame.h"

/* X(name, status, origin, message) */
#define PIPIT_CLIENT_REASON_MAP(X)                                                                 \
        X(DEADLINE, DEADLINE_EXCEEDED, LOCAL, "the deadline has passed")                           \
        X(CANCELLED, CANCELLED, LOCAL, "cancelled by the caller")                                  \
        X(CHANNEL_CLOSED, CANCELLED, LOCAL, "the channel is being freed")                          \
        X(QUEUE_CLOSED, CANCELLED, LOCAL, "the queue is being freed")                              \
        X(INTERCEPTED, FAILED_PRECONDITION, LOCAL, "an interceptor refused the call")              \
        X(NOT_CONNECTED, UNAVAILABLE, TRANSPORT, "no server can be reached")                       \
        X(CONNECTION_LOST, UNAVAILABLE, TRANSPORT, "the connection broke")                         \
        X(SERVER_RESTARTED, UNAVAILABLE, TRANSPORT, "the server was restarted")                    \
        X(REQUEST_TOO_LARGE, RESOURCE_EXHAUSTED, LOCAL, "the request is too large for a frame")    \
        X(REQUEST_MALFORMED, INVALID_ARGUMENT, LOCAL, "a string of the request is not UTF-8")      \
        X(RESPONSE_MALFORMED, INTERNAL, TRANSPORT, "the server sent what cannot be read")          \
        X(IN_CALLBACK, FAILED_PRECONDITION, LOCAL, "a blocking call inside a done() would hang")   \
        X(IN_FLIGHT, FAILED_PRECONDITION, LOCAL, "the call is in flight already")                  \
        X(FORKED, FAILED_PRECONDITION, LOCAL, "a channel does not survive fork()")                 \
        X(OUT_OF_MEMORY, RESOURCE_EXHAUSTED, LOCAL, "out of memory")                               \
        X(INVALID_TARGET, INVALID_ARGUMENT, LOCAL, "the target is not understood")                 \
        X(KEY_UNUSABLE, FAILED_PRECONDITION, LOCAL, "the client has no key that can be used")      \
        X(SERVER_UNKNOWN, FAILED_PRECONDITION, LOCAL, "the server's key is not known")             \
        X(SERVER_UNTRUSTED, UNAUTHENTICATED, TRANSPORT, "somebody else than the server listens")   \
        X(SESSION_DENIED, UNAUTHENTICATED, SERVER, "the server refuses a session")                 \
        X(FRAME_REFUSED, INTERNAL, SERVER, "the server refused the frame")                         \
        X(VERSION_MISMATCH, UNIMPLEMENTED, SERVER, "the server speaks another version")            \
        X(ACCESS_DENIED, PERMISSION_DENIED, SERVER, "the server denies access")                    \
        X(SESSION_REQUIRED, UNAUTHENTICATED, SERVER, "the server wants a session")                 \
        X(SERVER_BUSY, UNAVAILABLE, SERVER, "the server is too busy")

enum client_reason {
#define CLIENT_REASON_ENUM(name, status, origin, message) CLIENT_REASON_##name,
        PIPIT_CLIENT_REASON_MAP(CLIENT_REASON_ENUM)
#undef CLIENT_REASON_ENUM
};

/* The error of @reason, with the table's message. Static strings only. */
struct pipit_error client_error(enum client_reason reason, enum pipit_ran ran);

/*
 * The same with "@peer: @detail" for a message, in @arena; either may be NULL.
 * Out of memory: the table's message.
 */
struct pipit_error client_error_at(enum client_reason reason,
                                   enum pipit_ran ran,
                                   struct pipit_arena *arena,
                                   const char *peer,
                                   const char *detail);

/* REQUEST_TOO_LARGE, with both sizes; nothing ran. @peer as above. */
struct pipit_error client_error_too_large(struct pipit_arena *arena,
                                          const char *peer,
                                          size_t n_bytes,
                                          size_t n_bytes_max);

/*
 * What becomes of the calls of a rejected frame, which ran nothing:
 *
 *      BUSY        sent again after retry_ms, under a new id
 *      TOO_LARGE   sent again in smaller frames; REQUEST_TOO_LARGE if it was alone
 *      others      end with the reason below, NOT_RUN
 */
enum client_reason client_reason_of_reject(enum pipit_reject_code code);

#endif
