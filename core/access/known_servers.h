/*
 * known_servers: which key a client wants of a server
 *
 *      URL KEY
 *
 * A line a server, as `tcp://10.0.0.5:7000 pipit-pk1_...`; a URL once. A URL is told by its
 * bytes, but for the case of the host. There is no trust on first use: a server that is
 * not listed is none.
 *
 * Read-only once made: any thread.
 */

#ifndef CORE_ACCESS_KNOWN_SERVERS_H
#define CORE_ACCESS_KNOWN_SERVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/access/key.h"
#include "core/access/words.h"
#include "core/base/macros.h"

#define PIPIT_KNOWN_SERVERS_MAX 10000

struct pipit_known_server {
        const char *url; /* in lower case */
        uint8_t key[PIPIT_KEY_BYTES];
        unsigned int line;
};

struct pipit_known_servers;

/* @path is for errors. NULL: it says why. */
PIPIT_MUST_CHECK struct pipit_known_servers *pipit_known_servers_parse(
        const char *path,
        const char *text,
        size_t n_bytes,
        struct pipit_access_problem *ret_problem);

/* The same from the file at @path. */
PIPIT_MUST_CHECK struct pipit_known_servers *pipit_known_servers_load(
        const char *path, struct pipit_access_problem *ret_problem);

/* NULL is a no-op. Returns NULL. */
struct pipit_known_servers *pipit_known_servers_free(struct pipit_known_servers *servers);

size_t pipit_known_servers_count(const struct pipit_known_servers *servers);

/* In the order of their URLs. */
const struct pipit_known_server *pipit_known_servers_get(const struct pipit_known_servers *servers,
                                                         size_t i);

/* NULL: it is not known. */
const struct pipit_known_server *pipit_known_servers_find(const struct pipit_known_servers *servers,
                                                          const char *url);

/* Whether it is one that has a key: tcp://HOST:PORT. */
bool pipit_known_servers_url_is_valid(const char *url, size_t n_bytes);

#endif
