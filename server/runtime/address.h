/*
 * Address: a URL that a server may listen on, and its socket address
 */

#ifndef SERVER_RUNTIME_ADDRESS_H
#define SERVER_RUNTIME_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "core/base/arena.h"
#include "core/base/log.h"
#include "core/base/status.h"
#include "server/runtime/rep.h"

struct address {
        enum rep_transport transport;
        socklen_t n_bytes; /* 0: inproc has none */
        union {
                struct sockaddr any;
                struct sockaddr_un un;
                struct sockaddr_in in;
                struct sockaddr_in6 in6;
        } sockaddr;
};

/* ipc:///path, tcp://a.b.c.d:port, tcp://[v6]:port, tcp://localhost:port, inproc://name. */
bool address_parse(const char *url, struct address *ret_address);

/* The transport of @url by its scheme alone. False: none that is taken. */
bool address_transport(const char *url, enum rep_transport *ret_transport);

bool address_is_loopback(const struct address *address);

/* What preparing needs. */
struct address_surroundings {
        struct pipit_arena *texts; /* of messages */
        struct pipit_log *log;     /* warnings; NULL: none */
};

/*
 * Makes way for an ipc socket: others must not be able to write to its directory
 * unless it is sticky (then, and where a group or another user could put
 * something there, a warning is logged); a left-over socket file is removed.
 * UNAVAILABLE (ADDRESS_IN_USE): somebody listens there. FAILED_PRECONDITION:
 * the directory, or a file that is no socket. @around and ret_error may be NULL, both.
 */
PIPIT_MUST_CHECK enum pipit_status address_prepare(const struct address *address,
                                                   const struct address_surroundings *around,
                                                   struct pipit_error *ret_error);

#endif
