/*
 * In-process: the client's side of core/rpc/inprocess.h, as a transport
 *
 * Two workers a socket: the runner hands frames to the server, and so runs what
 * handlers they start; the reader takes in answers, and so runs done(). They are
 * two because a handler may wait for an answer. An exchange() does both itself,
 * in the caller's thread.
 *
 * A handler on the runner may wait for what its own client is yet to hand over.
 * Frames without calls go at once, in the thread that sends them: the poll that
 * its reply is to come with, the cancel that ends it. For those with calls that no
 * exchange() could take there is, while one is in the queue, some thread of the
 * runner that does not wait for calls (worker.h). So whoever waits for a frame to
 * be handed over waits only for handlers that are getting on. How many threads
 * that takes is bounded by how many calls a mailbox holds.
 */

#ifndef CLIENT_INPROC_H
#define CLIENT_INPROC_H

#include "client/transport.h"

extern const struct transport inproc_transport;

#endif
