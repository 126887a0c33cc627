/*
 * In-process: the client's side of core/rpc/inprocess.h, as a transport
 *
 * Two threads a socket: the runner hands frames to the server, and so runs what
 * handlers they start; the reader takes in answers, and so runs done(). They are
 * two because a handler may wait for an answer. An exchange() does both itself,
 * in the caller's thread.
 */

#ifndef CLIENT_INPROC_H
#define CLIENT_INPROC_H

#include "client/transport.h"

extern const struct transport inproc_transport;

#endif
