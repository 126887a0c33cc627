/*
 * Workers: threads for handlers that block
 */

#ifndef SERVER_RUNTIME_WORKERS_H
#define SERVER_RUNTIME_WORKERS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/macros.h"

struct workers;
struct pipit_server_call;

/* NULL: out of memory or threads. */
struct workers *workers_new(uint32_t n_threads, uint32_t queue_max);

/* False: too many wait. Else a worker will start the call, or let go of it. */
PIPIT_MUST_CHECK bool workers_submit(struct workers *workers, struct pipit_server_call *call);

/* Lets go of what waits; returns when the handlers that run have returned. NULL is a no-op. Returns NULL. */
struct workers *workers_free(struct workers *workers);

#endif
