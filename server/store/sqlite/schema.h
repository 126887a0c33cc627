/*
 * The SQLite file: opening it, setting it up, bringing it up to date
 *
 * A file is ours by its application_id; its schema's version is its user_version.
 */

#ifndef SERVER_STORE_SQLITE_SCHEMA_H
#define SERVER_STORE_SQLITE_SCHEMA_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/status.h"

#define SCHEMA_PAGE_TOKEN_KEY_BYTES 32

/* How long one sqlite3 call waits for another process; who wants longer asks again. */
#define SCHEMA_BUSY_MS 100

/*
 * A connection to @path, made if it is absent, in WAL mode with synchronous=FULL.
 * For one thread at a time. NULL: *ret_error; its message lives until this
 * thread's next call that fails.
 */
sqlite3 *schema_open(const char *path, struct pipit_error *ret_error);

/* Sets up an empty file. Any version but the newest is an error. */
enum pipit_status schema_set_up(sqlite3 *db, const char *path, struct pipit_error *ret_error);

/* Runs the migrations that are missing. */
enum pipit_status schema_migrate(sqlite3 *db,
                                 const char *path,
                                 uint32_t *ret_from,
                                 uint32_t *ret_to,
                                 struct pipit_error *ret_error);

enum pipit_status schema_read_page_token_key(sqlite3 *db,
                                             const char *path,
                                             uint8_t ret_key[SCHEMA_PAGE_TOKEN_KEY_BYTES],
                                             struct pipit_error *ret_error);

#endif
