/*
 * Mailbox: the calls of one client at the server, as one table of states
 *
 *      ABSENT ----arrive----> QUEUED --start--> RUNNING --finish--> READY --send--> SENT
 *
 *      cancel:  ABSENT -> TOMBSTONE   QUEUED, READY -> SENT   RUNNING -> CANCELLED
 *      await:   ABSENT -> TOMBSTONE, answered CALL_NOT_RECEIVED (or CALL_FORGOTTEN)
 *      arrive:  TOMBSTONE: the late copy is dropped; any other known id: a duplicate
 *      finish:  QUEUED -> READY (its deadline came first)   CANCELLED -> SENT
 *      start, finish: READY, SENT: came too late, dropped
 *
 * docs/wire.md, "States of a call", is this table; tests/unit checks each cell.
 * Pure bookkeeping: no sockets, no protobuf, no clock, no lock. The caller
 * serialises all use of one mailbox.
 *
 * Memory is bounded: entries grow with the calls in flight and shrink to
 * nothing; what was SENT is remembered as a bitmap over the last
 * PIPIT_MAILBOX_HISTORY ids, tombstones as a ring of PIPIT_MAILBOX_TOMBSTONES.
 * What falls out of either raises forgotten_max: an unknown id up to it may have
 * run (CALL_FORGOTTEN), one above it certainly did not (CALL_NOT_RECEIVED). So a
 * client that counts its ids upward gets the sharper answer; any order is safe.
 */

#ifndef CORE_RPC_MAILBOX_H
#define CORE_RPC_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/macros.h"

#define PIPIT_MAILBOX_HISTORY    65536
#define PIPIT_MAILBOX_TOMBSTONES 10000

/* X(name, text) */
#define PIPIT_CALL_STATE_MAP(X)                                                                    \
        X(ABSENT, "absent")                                                                        \
        X(QUEUED, "queued")                                                                        \
        X(RUNNING, "running")                                                                      \
        X(CANCELLED, "cancelled") /* its handler still runs; the reply will be dropped */          \
        X(READY, "ready")                                                                          \
        X(SENT, "sent") /* it is over: its reply went, or nobody wants one */                      \
        X(TOMBSTONE, "tombstone")

enum pipit_mailbox_state {
#define PIPIT_CALL_STATE_ENUM(name, text) PIPIT_CALL_##name,
        PIPIT_CALL_STATE_MAP(PIPIT_CALL_STATE_ENUM)
#undef PIPIT_CALL_STATE_ENUM
                PIPIT_CALL_STATES_N
};

/* X(name, text) */
#define PIPIT_CALL_EVENT_MAP(X)                                                                    \
        X(ARRIVE, "arrive") /* its frame came */                                                   \
        X(START, "start")   /* its handler is about to run */                                      \
        X(FINISH, "finish") /* a reply was given: by its handler, or for it at its deadline */     \
        X(SEND, "send")     /* its reply goes into a response */                                   \
        X(CANCEL, "cancel")                                                                        \
        X(AWAIT, "await")

enum pipit_call_event {
#define PIPIT_CALL_EVENT_ENUM(name, text) PIPIT_CALL_EVENT_##name,
        PIPIT_CALL_EVENT_MAP(PIPIT_CALL_EVENT_ENUM)
#undef PIPIT_CALL_EVENT_ENUM
                PIPIT_CALL_EVENTS_N
};

/* What the caller does for an event, besides the change of state. */
enum pipit_call_action {
        PIPIT_CALL_ACTION_NONE,
        PIPIT_CALL_ACTION_RUN, /* ARRIVE: new; queue or start it */
        PIPIT_CALL_ACTION_DROP, /* ARRIVE of a tombstone; START, FINISH of one that is over: forget it */
        PIPIT_CALL_ACTION_DUPLICATE,    /* ARRIVE of a known id: reject the frame */
        PIPIT_CALL_ACTION_KEEP_REPLY,   /* FINISH: the reply waits to be sent */
        PIPIT_CALL_ACTION_TAKE_OUT,     /* CANCEL of a queued one: it will not start */
        PIPIT_CALL_ACTION_SET_FLAG,     /* CANCEL of a running one */
        PIPIT_CALL_ACTION_DROP_REPLY,   /* CANCEL of a ready one: take its reply out */
        PIPIT_CALL_ACTION_NOT_RECEIVED, /* AWAIT: answer UNAVAILABLE, CALL_NOT_RECEIVED */
        PIPIT_CALL_ACTION_FORGOTTEN,    /* AWAIT: answer UNAVAILABLE, CALL_FORGOTTEN */
        PIPIT_CALL_ACTION_IMPOSSIBLE,   /* a bug of the caller; the state is unchanged */
};

struct pipit_mailbox;

/* NULL: out of memory. */
struct pipit_mailbox *pipit_mailbox_new(void);

/* Any state. NULL is a no-op. Returns NULL. */
struct pipit_mailbox *pipit_mailbox_free(struct pipit_mailbox *mailbox);

/*
 * The next @n calls arrive without need of memory; an earlier promise is
 * forgotten. False: memory is out.
 */
PIPIT_MUST_CHECK bool pipit_mailbox_reserve(struct pipit_mailbox *mailbox, size_t n);

/*
 * Applies @event to the call @id (non-zero) and tells what to do.
 *
 * An AWAIT is answered NOT_RECEIVED only where that is certain, and while a
 * tombstone can hold the late copy back; else FORGOTTEN.
 *
 * @value is remembered at ARRIVE when the answer is RUN, and *ret_value (may be
 * NULL) is what was remembered for @id, or NULL where nothing is. Returns
 * PIPIT_CALL_ACTION_IMPOSSIBLE also when memory for a new entry is out (ARRIVE:
 * the call stays ABSENT).
 */
enum pipit_call_action pipit_mailbox_apply(struct pipit_mailbox *mailbox,
                                           uint64_t id,
                                           enum pipit_call_event event,
                                           void *value,
                                           void **ret_value);

/* The state of @id. */
enum pipit_mailbox_state pipit_mailbox_state(const struct pipit_mailbox *mailbox, uint64_t id);

/* How many calls are QUEUED, RUNNING, CANCELLED or READY. */
size_t pipit_mailbox_n_calls(const struct pipit_mailbox *mailbox);

/* How many are TOMBSTONEs: only here is it known that their late copies are not to run. */
size_t pipit_mailbox_n_tombstones(const struct pipit_mailbox *mailbox);

/*
 * Visits every entry that is QUEUED, RUNNING, CANCELLED or READY, in no order.
 * @visit may apply events to the visited id only. Returns when it returned
 * false or all were visited.
 */
typedef bool (*pipit_mailbox_visit_fn)(void *context,
                                       uint64_t id,
                                       enum pipit_mailbox_state state,
                                       void *value);
void pipit_mailbox_each(struct pipit_mailbox *mailbox, pipit_mailbox_visit_fn visit, void *context);

const char *pipit_call_state_name(enum pipit_mailbox_state state);
const char *pipit_call_event_name(enum pipit_call_event event);

PIPIT_DEFINE_CLEANUP(struct pipit_mailbox, pipit_mailbox_free);

#endif
