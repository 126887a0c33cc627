/*
 * How a call ended: status, error
 *
 * One status and one error in all layers: the domain, the stores, the server
 * and the client speak of failure in these words. Foreign codes (nng, SQLSTATE,
 * errno) are mapped to them once, where they arise.
 *
 * Public: installed, compiles alone, in C and C++. No function here allocates;
 * all may be called from any thread.
 */

#ifndef PIPIT_STATUS_H
#define PIPIT_STATUS_H

#include <pipit/macros.h>
#include <stddef.h>
#include <stdint.h>

PIPIT_BEGIN_DECLS

/*
 * The codes of gRPC and google.rpc.Code, with the same numbers:
 * X(name, number).
 */
#define PIPIT_STATUS_MAP(X)                                                                        \
        X(OK, 0)                                                                                   \
        X(CANCELLED, 1)                                                                            \
        X(UNKNOWN, 2)                                                                              \
        X(INVALID_ARGUMENT, 3)                                                                     \
        X(DEADLINE_EXCEEDED, 4)                                                                    \
        X(NOT_FOUND, 5)                                                                            \
        X(ALREADY_EXISTS, 6)                                                                       \
        X(PERMISSION_DENIED, 7)                                                                    \
        X(RESOURCE_EXHAUSTED, 8)                                                                   \
        X(FAILED_PRECONDITION, 9)                                                                  \
        X(ABORTED, 10)                                                                             \
        X(OUT_OF_RANGE, 11)                                                                        \
        X(UNIMPLEMENTED, 12)                                                                       \
        X(INTERNAL, 13)                                                                            \
        X(UNAVAILABLE, 14)                                                                         \
        X(DATA_LOSS, 15)                                                                           \
        X(UNAUTHENTICATED, 16)

enum pipit_status {
#define PIPIT_STATUS_ENUM(name, number) PIPIT_##name = number,
        PIPIT_STATUS_MAP(PIPIT_STATUS_ENUM)
#undef PIPIT_STATUS_ENUM
};

#define PIPIT_STATUS_MAX 16 /* the highest code that google/rpc/code.proto knows */

/* What is known of whether the call had an effect. */
enum pipit_ran {
        PIPIT_NOT_RUN,      /* it did not, and will not: safe to try again */
        PIPIT_MAY_HAVE_RUN, /* nobody can tell */
        PIPIT_RAN,          /* its handler ran, and gave this status */
};

/* Where a failure arose. */
enum pipit_origin {
        PIPIT_ORIGIN_LOCAL,     /* in this process, before anything was sent */
        PIPIT_ORIGIN_TRANSPORT, /* between the processes */
        PIPIT_ORIGIN_SERVER,    /* the server said so */
};

/* One thing that is wrong with one field. The strings live as the error's do. */
struct pipit_violation {
        const char *field;       /* path from the request, as "user.email" */
        const char *description; /* what would be right */
};

/*
 * struct pipit_error - how something failed
 *
 * A value; all zero is success. The strings are NUL-terminated UTF-8, never
 * freed through the error: they are static, or belong to what holds the error
 * (a client's call until its reset, an operation until its done() returns).
 */
struct pipit_error {
        enum pipit_status status;
        enum pipit_ran ran;
        enum pipit_origin origin;
        uint32_t retry_after_ms; /* 0: no advice */
        const char *reason;      /* stable UPPER_SNAKE_CASE for programs, or NULL */
        const char *domain;      /* who defined the reason, as "users.v1"; or NULL: pipit */
        const char *message;     /* for people; may be NULL */
        const struct pipit_violation *violations;
        size_t n_violations;
};

/* "NOT_FOUND" for PIPIT_NOT_FOUND; "UNKNOWN" for a number that is no status. */
PIPIT_PUBLIC const char *pipit_status_name(enum pipit_status status);

/* "not_run", "may_have_run", "ran": as metadata `ran` of ErrorInfo on the wire. */
PIPIT_PUBLIC const char *pipit_ran_name(enum pipit_ran ran);

/* "local", "transport", "server". */
PIPIT_PUBLIC const char *pipit_origin_name(enum pipit_origin origin);

PIPIT_END_DECLS

#endif
