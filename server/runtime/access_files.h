/*
 * Access files: the server's key, authorized_keys and the policy, as its options name
 * them
 *
 * Read when the server starts, and the last two again by a reload: all is read and
 * checked before any of it holds.
 */

#ifndef SERVER_RUNTIME_ACCESS_FILES_H
#define SERVER_RUNTIME_ACCESS_FILES_H

#include <pipit/server.h>

#include "core/access/rules.h"
#include "core/base/macros.h"

/* Copies the paths of server->options, which are the caller's. False: out of memory. */
PIPIT_MUST_CHECK bool access_files_keep_paths(struct pipit_server *server);

/* What holds without any file: the default policy, and no key. NULL: out of memory. */
PIPIT_MUST_CHECK struct pipit_rules *access_rules_default(
        const struct pipit_server_options *options);

/*
 * Reads all that server->options name, and makes it hold. With @by_key (it will listen
 * where callers are known by keys) there must be a key of the server's own, and one
 * that may call. FAILED_PRECONDITION: *ret_error's message, which lives as
 * the server does, names the file, what is wrong, and what mends it.
 */
PIPIT_MUST_CHECK enum pipit_status access_files_load(struct pipit_server *server,
                                                     bool by_key,
                                                     struct pipit_error *ret_error);

#endif
