/*
 * nng's REQ sockets as a transport; nng_req.c is the one file of the client that
 * knows nng
 */

#ifndef CLIENT_NNG_REQ_H
#define CLIENT_NNG_REQ_H

#include "client/transport.h"

extern const struct transport req_transport;

#endif
