/*
 * Target: from what a caller writes to addresses that can be dialled
 *
 *      "ipc:///run/a.sock,tcp://127.0.0.1:7000" -> two struct target_address
 *
 * Pure: resolves no names and opens nothing.
 */

#ifndef CLIENT_TARGET_H
#define CLIENT_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#define TARGET_ADDRESSES_MAX 64
#define TARGET_ENDPOINTS_MAX 2   /* tcp://localhost: 127.0.0.1, then ::1 */
#define TARGET_URL_BYTES_MAX 128 /* what nng keeps of a URL */

enum target_scheme {
        TARGET_INPROC,
        TARGET_IPC,
        TARGET_TCP,
};

/* Where a socket connects to. */
struct target_endpoint {
        struct sockaddr_storage address;
        socklen_t n_address_bytes; /* 0: inproc, which has none */
};

struct target_address {
        char text[TARGET_URL_BYTES_MAX]; /* as the caller wrote it; inproc: what nng dials */
        enum target_scheme scheme;
        struct target_endpoint endpoints[TARGET_ENDPOINTS_MAX];
        size_t n_endpoints;
};

/*
 * Reads one URL of @n_bytes. NULL: fine; else what is wrong with it, static, and
 * *ret_address is undefined.
 */
const char *target_parse_url(const char *url,
                             size_t n_bytes,
                             bool insecure_plaintext,
                             struct target_address *ret_address);

#endif
