#include "client/target.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "core/base/macros.h"

static const struct {
        const char *prefix;
        enum target_scheme scheme;
} schemes[] = {
        {"inproc://", TARGET_INPROC},
        {"ipc://", TARGET_IPC},
        {"tcp://", TARGET_TCP},
};

_Static_assert(sizeof(((struct sockaddr_un *)NULL)->sun_path) == 108, "what is said here");
static const char path_too_long[] = "the path is too long for a socket: 107 bytes at most";

static const char *parse_inproc(struct target_address *address, const char *name)
{
        if (*name == '\0')
                return "inproc:// wants a name";

        address->n_endpoints = 1;

        return NULL;
}

static const char *parse_ipc(struct target_address *address, const char *path)
{
        struct target_endpoint *endpoint = &address->endpoints[0];
        struct sockaddr_un *un = (struct sockaddr_un *)(void *)&endpoint->address;
        size_t n_bytes = strlen(path);

        if (n_bytes == 0)
                return "ipc:// wants a path";
        if (n_bytes >= sizeof(un->sun_path))
                return path_too_long;

        address->n_endpoints = 1;
        un->sun_family = AF_UNIX;
        memcpy(un->sun_path, path, n_bytes + 1);
        endpoint->n_address_bytes = (socklen_t)sizeof(*un);

        return NULL;
}

/* Decimal, 1 to 65535, and nothing else. */
static bool parse_port(const char *text, uint16_t *ret_port)
{
        unsigned int port = 0;

        for (const char *digit = text; *digit; digit++) {
                if (*digit < '0' || *digit > '9' || digit - text >= 5)
                        return false;
                port = port * 10 + (unsigned int)(*digit - '0');
        }
        if (port == 0 || port > 65535)
                return false;
        *ret_port = (uint16_t)port;

        return true;
}

static bool endpoint_v4(struct target_endpoint *endpoint, const char *host, uint16_t port)
{
        struct sockaddr_in *in = (struct sockaddr_in *)(void *)&endpoint->address;

        if (inet_pton(AF_INET, host, &in->sin_addr) != 1)
                return false;
        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        endpoint->n_address_bytes = (socklen_t)sizeof(*in);

        return true;
}

static bool endpoint_v6(struct target_endpoint *endpoint, const char *host, uint16_t port)
{
        struct sockaddr_in6 *in = (struct sockaddr_in6 *)(void *)&endpoint->address;

        if (inet_pton(AF_INET6, host, &in->sin6_addr) != 1)
                return false;
        in->sin6_family = AF_INET6;
        in->sin6_port = htons(port);
        endpoint->n_address_bytes = (socklen_t)sizeof(*in);

        return true;
}

static bool is_loopback(const struct target_endpoint *endpoint)
{
        const struct sockaddr_in *v4 = (const void *)&endpoint->address;
        const struct sockaddr_in6 *v6 = (const void *)&endpoint->address;

        if (endpoint->address.ss_family == AF_INET)
                return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;

        return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

/* Without keys it goes to loopback addresses, and the errors say so. */
static const char *parse_tcp(struct target_address *address, const char *rest, bool is_plain)
{
        const char *colon = strrchr(rest, ':');
        char host[INET6_ADDRSTRLEN];
        size_t n_host = colon ? (size_t)(colon - rest) : 0;
        struct target_endpoint *endpoints = address->endpoints;
        uint16_t port;

        if (n_host == 0 || colon[1] == '\0' || strchr(colon, ']'))
                return "tcp:// wants HOST:PORT";
        if (!parse_port(colon + 1, &port))
                return "a port is a number from 1 to 65535";

        if (rest[0] == '[' && rest[n_host - 1] == ']') {
                rest++;
                n_host -= 2;
        }
        if (n_host >= sizeof(host))
                return "tcp:// wants a numeric address";
        memcpy(host, rest, n_host);
        host[n_host] = '\0';

        address->n_endpoints = 1;
        if (strcmp(host, "localhost") == 0) {
                address->n_endpoints = 2;
                if (!endpoint_v4(&endpoints[0], "127.0.0.1", port) ||
                    !endpoint_v6(&endpoints[1], "::1", port))
                        return "this system has no loopback addresses";
        } else if (!endpoint_v4(&endpoints[0], host, port) &&
                   !endpoint_v6(&endpoints[0], host, port)) {
                return is_plain ? "without keys, tcp:// wants a loopback address (127.0.0.1, "
                                  "[::1] or localhost)"
                                : "tcp:// wants a numeric address, or localhost";
        }
        if (is_plain && !is_loopback(&endpoints[0]))
                return "without keys, tcp:// goes to loopback addresses only";

        return NULL;
}

const char *target_parse_url(const char *url,
                             size_t n_bytes,
                             bool insecure_plaintext,
                             struct target_address *ret_address)
{
        const char *rest = NULL;

        memset(ret_address, 0, sizeof(*ret_address));
        if (n_bytes == 0)
                return "an address is empty";
        if (n_bytes >= sizeof(ret_address->text))
                return strncmp(url, "ipc://", 6) == 0 ? path_too_long
                                                      : "an address is too long: 127 bytes at most";
        memcpy(ret_address->text, url, n_bytes);

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(schemes); i++) {
                size_t n_prefix = strlen(schemes[i].prefix);

                if (strncmp(ret_address->text, schemes[i].prefix, n_prefix) == 0) {
                        ret_address->scheme = schemes[i].scheme;
                        rest = ret_address->text + n_prefix;
                }
        }
        if (!rest)
                return "the scheme is not inproc, ipc or tcp";

        switch (ret_address->scheme) {
        case TARGET_INPROC:
                return parse_inproc(ret_address, rest);
        case TARGET_IPC:
                return parse_ipc(ret_address, rest);
        case TARGET_TCP:
                break;
        }

        return parse_tcp(ret_address, rest, insecure_plaintext);
}
