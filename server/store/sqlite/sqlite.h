/*
 * Users in SQLite: the embedded default
 *
 * WAL, synchronous=FULL. One writer thread commits what is waiting together and
 * completes it after the commit; one reader thread with a connection of its own,
 * so reads never wait behind a write.
 */

#ifndef SERVER_STORE_SQLITE_SQLITE_H
#define SERVER_STORE_SQLITE_SQLITE_H

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/users/repository.h"

struct users_sqlite_options {
        const char *path;
        const struct pipit_clock *clock;
        struct pipit_log *log; /* may be NULL */
        struct users_burst burst;
        uint32_t queue_max; /* writes that wait, and as many reads; 0: 20,000 */
        uint32_t batch_max; /* writes a commit; 0: 256 */
};

/*
 * Opens @path. An empty or absent file is set up, readable by its owner only;
 * another schema version is FAILED_PRECONDITION (SCHEMA_UNKNOWN, or SCHEMA_OLD,
 * which names `usersd migrate`), and so is a file that is no database or no place
 * for one (STORE_UNUSABLE). Several processes may have the file open: each waits
 * for the others' commits, until a request's deadline, or for ten seconds where
 * it has none; then UNAVAILABLE (STORE_UNAVAILABLE), NOT_RUN.
 *
 * NULL: *ret_error, whose message lives until this thread's next call here.
 */
struct users_repository *users_sqlite_new(const struct users_sqlite_options *options,
                                          struct pipit_error *ret_error);

/*
 * Brings the schema of @path up to date, in one transaction; *ret_from and
 * *ret_to are versions, 0 of a file that was empty or absent. Fails as
 * users_sqlite_new() does.
 */
enum pipit_status users_sqlite_migrate(const char *path,
                                       uint32_t *ret_from,
                                       uint32_t *ret_to,
                                       struct pipit_error *ret_error);

#endif
