/*
 * Door: the relay between a channel and a server object of the same process
 *
 * Comes in by the server's door (core/rpc/inprocess.h) and hands out one of its own. A frame
 * goes on to the server in the thread that brought it, and an answer to the client in the one
 * that gave it, or in the relay's. What the relay knows of a connection is a pair, as for
 * sockets; the words before its messages are the numbers of their exchanges.
 */

#ifndef TESTKIT_DOOR_H
#define TESTKIT_DOOR_H

#include "testkit/relay.h"

struct pipit_inprocess;

/* For @faults; the server's @door is held until free. NULL: out of memory. */
struct door *door_new(struct pipit_test_faults *faults, struct pipit_inprocess *server);
struct door *door_free(struct door *door);

struct pipit_inprocess *door_base(struct door *door);

/* --- mutex held --- */

/* What the relay says to one side of a connection. */
void door_send(struct side *to, const struct bytes *words_and_frame);

/* Its pair is out of the list: the client is told, and the server will be. */
void door_lost(struct door_pipe *pipe);

/* --- mutex not held, by the relay's thread --- */

/* Gives answers to clients, and hangs up at the server what was lost. */
void door_settle(struct door *door);

#endif
