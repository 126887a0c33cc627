/*
 * Handshakes: from hello to welcome, on a thread of their own
 *
 * A handshake of a listed key takes four key agreements, some 0.3 ms of a processor, and
 * anybody may ask for one. On the few threads that read, a flood of them would stall the calls of
 * all pipes; on the workers they would wait for handlers that block. Here they wait for
 * one another alone, in the order in which they came, one of a pipe at a time, and what has
 * failed too often (core/rpc/handshake_limiter.h) is turned away before anything is computed.
 */

#ifndef SERVER_RUNTIME_HANDSHAKES_H
#define SERVER_RUNTIME_HANDSHAKES_H

#include "core/base/macros.h"
#include "core/rpc/noise.h"
#include "server/runtime/rep.h"
#include "server/runtime/sealed.h"

struct handshakes;

/* Both are borrowed; @keys are the server's. NULL: out of memory or threads. */
struct handshakes *handshakes_new(struct sealed *sealed, const struct pipit_noise_keys *keys);

/* What waits is dropped. NULL is a no-op. Returns NULL. */
struct handshakes *handshakes_free(struct handshakes *handshakes);

/*
 * Takes over @hello, whatever its bytes, and @context, which it answers: now, by reject BUSY, if
 * its source has failed too often, too many wait, or another of its pipe does.
 */
void handshakes_submit(struct handshakes *handshakes,
                       struct rep_context *context,
                       struct rep_message *hello);

#endif
