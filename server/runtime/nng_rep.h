/*
 * nng's REP as an endpoint, for inproc
 *
 *      RECEIVING --frame--> TAKEN --answer--> SENDING --> RECEIVING (or PARKED)
 *                             \---drop------------------> RECEIVING
 *
 * A REP context holds a pipe's next message back while none receives, so a few
 * always do: one that is taken makes another, up to the cap. At the cap the last
 * one to receive hands its frame over with @last set.
 */

#ifndef SERVER_RUNTIME_NNG_REP_H
#define SERVER_RUNTIME_NNG_REP_H

#include "server/runtime/rep.h"

extern const struct rep_endpoint_operations nng_endpoint_operations;

/* Zeroed but for what is nng's. NULL: out of memory. */
struct rep_endpoint *nng_endpoint_new(void);

#endif
