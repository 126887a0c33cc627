#include "server/runtime/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *after(const char *text, const char *prefix)
{
        size_t n = strlen(prefix);

        return strncmp(text, prefix, n) == 0 ? text + n : NULL;
}

bool address_transport(const char *url, enum rep_transport *ret_transport)
{
        if (after(url, "ipc://"))
                *ret_transport = REP_TRANSPORT_IPC;
        else if (after(url, "tcp://"))
                *ret_transport = REP_TRANSPORT_TCP;
        else if (after(url, "inproc://"))
                *ret_transport = REP_TRANSPORT_INPROC;
        else
                return false;

        return true;
}

static bool parse_path(const char *path, struct address *ret_address)
{
        struct sockaddr_un *un = &ret_address->sockaddr.un;
        size_t n_bytes = strlen(path);

        if (path[0] != '/' || n_bytes >= sizeof(un->sun_path))
                return false;

        un->sun_family = AF_UNIX;
        memcpy(un->sun_path, path, n_bytes + 1);
        ret_address->n_bytes = sizeof(*un);

        return true;
}

static bool parse_port(const char *text, in_port_t *ret_port)
{
        char *end;
        unsigned long port = strtoul(text, &end, 10);

        if (text[0] < '0' || text[0] > '9' || *end != '\0' || port > 65535)
                return false;
        *ret_port = htons((uint16_t)port);

        return true;
}

static bool parse_host(const char *host, in_port_t port, struct address *ret_address)
{
        struct sockaddr_in *in = &ret_address->sockaddr.in;
        struct sockaddr_in6 *in6 = &ret_address->sockaddr.in6;

        if (strcmp(host, "localhost") == 0)
                host = "127.0.0.1";
        if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
                in->sin_family = AF_INET;
                in->sin_port = port;
                ret_address->n_bytes = sizeof(*in);
                return true;
        }
        if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
                in6->sin6_family = AF_INET6;
                in6->sin6_port = port;
                ret_address->n_bytes = sizeof(*in6);
                return true;
        }

        return false;
}

static bool parse_host_port(const char *text, struct address *ret_address)
{
        const char *colon = strrchr(text, ':');
        char host[64];
        size_t n_host;
        in_port_t port;

        if (!colon || !parse_port(colon + 1, &port))
                return false;
        n_host = (size_t)(colon - text);
        if (n_host > 1 && text[0] == '[' && text[n_host - 1] == ']') {
                ++text;
                n_host -= 2;
        }
        if (n_host == 0 || n_host >= sizeof(host))
                return false;
        memcpy(host, text, n_host);
        host[n_host] = '\0';

        return parse_host(host, port, ret_address);
}

bool address_parse(const char *url, struct address *ret_address)
{
        struct address address = {};
        bool parsed = false;

        if (!address_transport(url, &address.transport))
                return false;

        switch (address.transport) {
        case REP_TRANSPORT_INPROC:
                parsed = *after(url, "inproc://") != '\0';
                break;
        case REP_TRANSPORT_IPC:
                parsed = parse_path(after(url, "ipc://"), &address);
                break;
        case REP_TRANSPORT_TCP:
                parsed = parse_host_port(after(url, "tcp://"), &address);
                break;
        }
        if (parsed)
                *ret_address = address;

        return parsed;
}

bool address_is_loopback(const struct address *address)
{
        switch (address->sockaddr.any.sa_family) {
        case AF_INET:
                return ntohl(address->sockaddr.in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
        case AF_INET6:
                return IN6_IS_ADDR_LOOPBACK(&address->sockaddr.in6.sin6_addr);
        default:
                return false;
        }
}

/* --- ipc ----------------------------------------------------------------- */

static enum pipit_status refuse(struct pipit_error *ret_error,
                                enum pipit_status status,
                                const char *reason,
                                const char *message)
{
        if (ret_error)
                *ret_error = pipit_error_make(
                        status, PIPIT_NOT_RUN, reason, message ? message : "out of memory");

        return status;
}

/* What does not keep a server from starting: who puts another socket there is answered in its place. */
static void warn_of_directory(const struct address_surroundings *around,
                              const char *directory,
                              const struct stat *stat_)
{
        const char *problem = NULL;

        if (stat_->st_uid != geteuid() && stat_->st_uid != 0)
                problem = "it is another user's, who could put a socket of his own there";
        else if (stat_->st_mode & S_IWOTH)
                problem = "everybody can write to it, and could be there first after a restart";
        else if (stat_->st_mode & S_IWGRP)
                problem = "its group can write to it, and could put a socket of its own there";
        if (problem)
                pipit_log_line(around->log,
                               PIPIT_LOG_WARNING,
                               "the directory of an ipc socket is not this server's alone",
                               PIPIT_LOG_STRING("directory", directory),
                               PIPIT_LOG_STRING("problem", problem));
}

#define MISSING_FORMAT "there is no directory %s: mkdir -p -m 750 %s"
#define UNSAFE_FORMAT                                                                              \
        "everybody can write to %s (mode %04o), and could put a socket of his own there: "         \
        "chmod o-w %s"

static enum pipit_status check_directory(const struct address_surroundings *around,
                                         const char *path,
                                         struct pipit_error *ret_error)
{
        char directory[sizeof(((struct sockaddr_un *)0)->sun_path)];
        struct stat stat_;
        char *slash;

        memcpy(directory, path, strlen(path) + 1);
        slash = strrchr(directory, '/');
        slash[slash == directory ? 1 : 0] = '\0';

        if (stat(directory, &stat_) != 0 || !S_ISDIR(stat_.st_mode))
                return refuse(ret_error,
                              PIPIT_FAILED_PRECONDITION,
                              "DIRECTORY_MISSING",
                              ret_error
                                      ? pipit_arena_printf(
                                                around->texts, MISSING_FORMAT, directory, directory)
                                      : NULL);
        if ((stat_.st_mode & S_IWOTH) && !(stat_.st_mode & S_ISVTX))
                return refuse(ret_error,
                              PIPIT_FAILED_PRECONDITION,
                              "DIRECTORY_UNSAFE",
                              ret_error ? pipit_arena_printf(around->texts,
                                                             UNSAFE_FORMAT,
                                                             directory,
                                                             stat_.st_mode & 07777,
                                                             directory)
                                        : NULL);
        if (around)
                warn_of_directory(around, directory, &stat_);

        return PIPIT_OK;
}

/* 0: somebody answers; else errno. */
static int try_to_connect(const struct address *address)
{
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        int result;

        if (fd < 0)
                return errno;
        result = connect(fd, &address->sockaddr.any, address->n_bytes) == 0 ? 0 : errno;
        (void)close(fd);

        return result;
}

enum pipit_status address_prepare(const struct address *address,
                                  const struct address_surroundings *around,
                                  struct pipit_error *ret_error)
{
        const char *path = address->sockaddr.un.sun_path;
        enum pipit_status status = check_directory(around, path, ret_error);
        struct stat stat_;

        if (status != PIPIT_OK || lstat(path, &stat_) != 0)
                return status;
        if (!S_ISSOCK(stat_.st_mode))
                return refuse(ret_error,
                              PIPIT_FAILED_PRECONDITION,
                              "NOT_A_SOCKET",
                              "a file that is no socket lies where the ipc socket shall be");
        if (try_to_connect(address) != ECONNREFUSED)
                return refuse(ret_error,
                              PIPIT_UNAVAILABLE,
                              "ADDRESS_IN_USE",
                              "a process listens on the ipc socket already");
        if (unlink(path) != 0)
                return refuse(ret_error,
                              PIPIT_FAILED_PRECONDITION,
                              "NOT_REMOVABLE",
                              "the left-over ipc socket cannot be removed");

        return PIPIT_OK;
}
