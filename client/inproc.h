/*
 * In-process: the client's side of core/rpc/inprocess.h, as a transport
 *
 * Two workers a socket: the runner hands frames to the server, and so runs what
 * handlers they start; the reader takes in answers, and so runs done(). They are
 * two because a handler may wait for an answer. An exchange() does both itself,
 * in the caller's thread.
 *
 * What a handler on the runner waits for may need the runner: a poll for the
 * reply to come with, a frame that no exchange() could take. It is not waited for
 * in vain: while a frame is in the queue, some thread of the runner does not wait
 * for calls (worker.h). So whoever waits for a frame to be handed over waits only
 * for handlers that are getting on. How many threads that takes is bounded by how
 * many calls a mailbox holds.
 */

#ifndef CLIENT_INPROC_H
#define CLIENT_INPROC_H

#include "client/transport.h"

extern const struct transport inproc_transport;

#endif
