/*
 * A relay between a store and its server that watches the order of messages
 *
 * It stands where a pooler would, and tells what a pooler in transaction mode must
 * not be sent: anything at all while a ReadyForQuery is owed. Message formats are
 * those of PostgreSQL's documentation, "Message Formats".
 */

#ifndef TESTS_INTEGRATION_POSTGRES_RELAY_H
#define TESTS_INTEGRATION_POSTGRES_RELAY_H

#include <stdbool.h>

struct relay;

/* In front of the server of @conninfo, which is one on a unix socket. NULL prints why. */
struct relay *relay_new(const char *conninfo);

/* Its sessions end. NULL is a no-op. */
void relay_free(struct relay *relay);

/* Keywords to add to a conninfo, so that it goes through here. */
const char *relay_conninfo(const struct relay *relay);

/* From now on answers stay here, until relay_let_go(). */
void relay_hold(struct relay *relay);
void relay_let_go(struct relay *relay);

/* Waits until @n Syncs have come since relay_hold(); false: a minute has passed. */
bool relay_wait_for_syncs(struct relay *relay, unsigned n);

/* Messages that came while an answer to an earlier Sync was owed on that session. */
unsigned relay_n_early(struct relay *relay);

#endif
