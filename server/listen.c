#include "server/listen.h"

#include <stdlib.h>
#include <string.h>

#include "server/runtime/address.h"

#define PATH_BYTES_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

/* Writes the URL that @url was meant to be, by what stands behind the scheme. False: unknown. */
static bool guess_url(const char *url, char *ret_url, size_t size)
{
        const char *colon = strchr(url, ':');
        const char *rest = strstr(url, "://");
        struct address address;
        int length;

        if (rest)
                rest += strlen("://");
        else
                rest = colon && colon[1] == '/' ? colon + 1 : url;
        length = snprintf(ret_url, size, "%s://%s", rest[0] == '/' ? "ipc" : "tcp", rest);

        return length > 0 && (size_t)length < size && address_parse(ret_url, &address);
}

static bool is_tcp(const char *url)
{
        return strncmp(url, "tcp://", 6) == 0;
}

/* What is wrong with a URL whose scheme is right. */
static const char *problem_of(const char *url, enum rep_transport transport)
{
        const char *rest = strstr(url, "://") + strlen("://");
        const char *colon = strrchr(rest, ':');

        switch (transport) {
        case REP_TRANSPORT_INPROC:
                return "a name is missing: inproc://name";
        case REP_TRANSPORT_IPC:
                return rest[0] == '/' ? "the path of a socket has at most 107 bytes"
                                      : "the path must be absolute: ipc:///path";
        case REP_TRANSPORT_TCP:
                break;
        }
        if (!colon || colon[1] == '\0' || strchr(colon, ']'))
                return "a port is missing: tcp://address:port";
        if (colon[1 + strspn(colon + 1, "0123456789")] != '\0' || strlen(colon + 1) > 5 ||
            atoi(colon + 1) > 65535)
                return "a port is 1 to 65535, or 0 for any that is free";

        return "the address must be numeric or localhost: tcp://127.0.0.1:port, tcp://[::1]:port";
}

_Static_assert(PATH_BYTES_MAX == 107, "problem_of() says so");

static bool refuse(const char *url, const char *name, FILE *errors)
{
        enum rep_transport transport;
        char guessed[256];

        if (address_transport(url, &transport))
                (void)fprintf(
                        errors, "usersd: %s: '%s': %s\n", name, url, problem_of(url, transport));
        else if (guess_url(url, guessed, sizeof(guessed)))
                (void)fprintf(errors, "usersd: %s: '%s': did you mean %s?\n", name, url, guessed);
        else
                (void)fprintf(errors,
                              "usersd: %s: '%s' is not ipc:///path, tcp://address:port or "
                              "inproc://name\n",
                              name,
                              url);

        return false;
}

/* Two sockets cannot have one address; port 0 is another one each time. */
static bool is_same(const char *a, const char *b)
{
        struct address first;
        struct address second;

        if (strcmp(a, b) != 0 && strncmp(a, "inproc", 6) == 0)
                return false;
        if (!address_parse(a, &first) || !address_parse(b, &second))
                return false;
        if (first.transport != second.transport || first.n_bytes != second.n_bytes ||
            memcmp(&first.sockaddr, &second.sockaddr, first.n_bytes) != 0)
                return false;

        return !is_tcp(a) || first.sockaddr.in.sin_port != 0;
}

static bool is_new(const struct usersd_options *options,
                   const char *url,
                   const char *name,
                   FILE *errors)
{
        for (size_t i = 0; i < options->n_urls; i++) {
                if (!is_same(options->urls[i], url))
                        continue;
                if (strcmp(options->urls[i], url) == 0)
                        (void)fprintf(errors, "usersd: %s: '%s' is given twice\n", name, url);
                else
                        (void)fprintf(errors,
                                      "usersd: %s: '%s' is the same address as '%s'\n",
                                      name,
                                      url,
                                      options->urls[i]);
                return false;
        }

        return true;
}

static bool add_one(struct usersd_options *options, const char *url, const char *name, FILE *errors)
{
        struct address address;

        if (!address_parse(url, &address))
                return refuse(url, name, errors);
        if (!is_new(options, url, name, errors))
                return false;
        if (options->n_urls == USERSD_URLS_MAX) {
                (void)fprintf(errors, "usersd: %s: at most %d URLs\n", name, USERSD_URLS_MAX);
                return false;
        }
        options->urls[options->n_urls++] = url;

        return true;
}

bool usersd_listen_add(struct usersd_options *options,
                       const char *name,
                       const char *value,
                       FILE *errors)
{
        char *rest = options->listen_text + options->n_listen_bytes;
        size_t n_bytes = strlen(value) + 1;
        char *url;

        if (n_bytes > sizeof(options->listen_text) - options->n_listen_bytes) {
                (void)fprintf(errors, "usersd: %s is too long\n", name);
                return false;
        }
        memcpy(rest, value, n_bytes);
        options->n_listen_bytes += n_bytes;

        while ((url = strsep(&rest, ","))) {
                if (!add_one(options, url, name, errors))
                        return false;
        }

        return true;
}

bool usersd_listen_check(const struct usersd_options *options, FILE *errors)
{
        struct address address;

        for (size_t i = 0; i < options->n_urls; i++) {
                const char *url = options->urls[i];

                if (!options->insecure_plaintext || !is_tcp(url) || !address_parse(url, &address) ||
                    address_is_loopback(&address))
                        continue;
                (void)fprintf(errors,
                              "usersd: '%s': without keys tcp is for loopback addresses only, as "
                              "127.0.0.1 or [::1]: leave out --insecure-plaintext\n",
                              url);
                return false;
        }

        return true;
}

bool usersd_listens_by_key(const struct usersd_options *options)
{
        for (size_t i = 0; i < options->n_urls; i++) {
                if (is_tcp(options->urls[i]))
                        return !options->insecure_plaintext;
        }

        return false;
}
