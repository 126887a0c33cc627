/*
 * How many failed handshakes are put up with
 *
 * A hello costs the server a key agreement before it knows whose it is, and three
 * more if the key is listed. So failed ones are counted, after the key was looked
 * up: by source in a bucket of 20 a second (50 at once), and all together in one of
 * 2,000 a second. Those that succeed cost nothing, so that a thousand clients
 * may come back at once from behind one address.
 *
 * While half of the bucket of all is left everybody is let through to the look-up,
 * so that a listed key is not locked out by others behind its address. Below
 * that only sources within their own bucket are: a flood from one source leaves
 * a thousand a second to the rest. With nothing left nobody is.
 *
 * Memory is bounded: PIPIT_HANDSHAKE_SOURCES are remembered, and of those that
 * meet in a place the one with the fewest failures is forgotten. Any thread; time is the
 * caller's monotonic clock.
 */

#ifndef CORE_RPC_HANDSHAKE_LIMITER_H
#define CORE_RPC_HANDSHAKE_LIMITER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/macros.h"

#define PIPIT_HANDSHAKE_SOURCES          4096
#define PIPIT_HANDSHAKE_SOURCE_PER_S     20
#define PIPIT_HANDSHAKE_SOURCE_BURST     50
#define PIPIT_HANDSHAKE_ALL_PER_S        2000
#define PIPIT_HANDSHAKE_ALL_BURST        2000
#define PIPIT_HANDSHAKE_ALL_FOR_INNOCENT 1000

struct pipit_handshake_limiter;

/* NULL: out of memory. */
PIPIT_MUST_CHECK struct pipit_handshake_limiter *pipit_handshake_limiter_new(void);

/* NULL is a no-op. Returns NULL. */
struct pipit_handshake_limiter *pipit_handshake_limiter_free(
        struct pipit_handshake_limiter *limiter);

/*
 * Before anything is computed for a hello. @source is a number for where it comes
 * from: of an IPv4 address, or the first 64 bits of an IPv6 one. False: reject
 * it BUSY. Changes nothing.
 */
PIPIT_MUST_CHECK bool pipit_handshake_limiter_admit(struct pipit_handshake_limiter *limiter,
                                                    uint64_t source,
                                                    int64_t now_us);

/*
 * A hello failed: nobody's, of a key that is not listed or has expired, or of a listed
 * one that it did not hold; or its session was never confirmed. False: its source is
 * over its limit. Then it is not logged one by one, and its pipe is closed.
 */
bool pipit_handshake_limiter_fail(struct pipit_handshake_limiter *limiter,
                                  uint64_t source,
                                  int64_t now_us);

#endif
