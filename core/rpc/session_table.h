/*
 * The sessions of a server
 *
 * Bounded in every direction, and each operation takes the same time however many
 * there are. A session lives on the pipe that it was made on: on another it is not
 * found, and it goes when its pipe goes. Until its first valid request it is
 * unconfirmed, for a hello can be sent again by whoever saw it:
 *
 *      a key's unconfirmed sessions over PIPIT_UNCONFIRMED_PER_KEY   the oldest of them goes
 *      a pipe's sessions over PIPIT_SESSIONS_PER_PIPE                the oldest of them goes
 *      all sessions over the table's bound                           the oldest unconfirmed one
 *                                                                    goes; is there none: no more
 *
 * A session that goes unconfirmed counts as a failed handshake of its source.
 *
 * Any thread; to find one takes no lock that all sessions share. Sessions are counted
 * by references: one that has gone is ended, and freed, under no lock of the table,
 * when the last frame that was under way lets go of it.
 */

#ifndef CORE_RPC_SESSION_TABLE_H
#define CORE_RPC_SESSION_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/macros.h"
#include "core/rpc/handshake_limiter.h"
#include "core/rpc/session.h"

#define PIPIT_SESSIONS_MAX        10000
#define PIPIT_UNCONFIRMED_PER_KEY 16
#define PIPIT_SESSIONS_PER_PIPE   4 /* one in use, one that replaces it, and room for losses */

struct pipit_session_table;

/* @n_sessions_max 0: PIPIT_SESSIONS_MAX. @limiter outlives the table; may be NULL. NULL: out of memory. */
PIPIT_MUST_CHECK struct pipit_session_table *pipit_session_table_new(
        size_t n_sessions_max, struct pipit_handshake_limiter *limiter);

/* Ends all. NULL is a no-op. Returns NULL. */
struct pipit_session_table *pipit_session_table_free(struct pipit_session_table *table);

/*
 * Takes a reference to @session, a new one with an id of its own. @source is whom the
 * limiter knows it by. False: the table is full, or memory is out; reject BUSY.
 */
PIPIT_MUST_CHECK bool pipit_session_table_add(struct pipit_session_table *table,
                                              struct pipit_session *session,
                                              uint32_t pipe,
                                              uint64_t source,
                                              int64_t now_us);

/* A reference; NULL: @pipe has no such session, and the answer is reject NO_SESSION. */
PIPIT_MUST_CHECK struct pipit_session *pipit_session_table_find(
        struct pipit_session_table *table, const uint8_t id[PIPIT_SESSION_ID_BYTES], uint32_t pipe);

/* Its first valid request came (pipit_opened.is_first). One that has gone is passed over. */
void pipit_session_table_confirm(struct pipit_session_table *table,
                                 const struct pipit_session *session);

/* It is over: its key was revoked. One that has gone is passed over. */
void pipit_session_table_remove(struct pipit_session_table *table,
                                const struct pipit_session *session,
                                int64_t now_us);

/* The pipe was closed. */
void pipit_session_table_remove_pipe(struct pipit_session_table *table,
                                     uint32_t pipe,
                                     int64_t now_us);

/*
 * Sessions that are too old. To be called now and then; adding does it, too. Returns
 * how many went.
 */
size_t pipit_session_table_expire(struct pipit_session_table *table, int64_t now_us);

struct pipit_session_table_counts {
        size_t n_sessions;
        size_t n_unconfirmed;
};

struct pipit_session_table_counts pipit_session_table_count(struct pipit_session_table *table);

#endif
