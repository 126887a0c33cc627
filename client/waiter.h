/*
 * Waiter: a thread that does nothing but wait for its call
 *
 *      AWAKE -> ASLEEP  in a futex; called: back to AWAKE
 *            -> READING in poll() of a socket, for all who wait there
 *      any   -> ENDED   the call is over, says any thread
 *
 * A transport with enter() lets its waiters read; elsewhere they sleep. Who calls
 * a waiter holds a mutex that it takes before it goes, so that it is still there.
 */

#ifndef CLIENT_WAITER_H
#define CLIENT_WAITER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "core/base/list.h"

struct transport_socket;

struct waiter {
        /* private */
        atomic_uint word; /* a futex */

        /* of the transport, between enter() and the end of wait() */
        struct transport_socket *socket; /* NULL: it is nowhere inside */
        struct list node;
};

void waiter_init(struct waiter *waiter);

/* Any thread, once: the waiter may be gone when this returns. */
void waiter_end(struct waiter *waiter);

bool waiter_has_ended(const struct waiter *waiter);

/*
 * Sleep is in two steps, so that whoever holds the mutex knows who is asleep: with
 * it the waiter lies down, if it has not ended; without it sleeps until it has
 * ended or is called.
 */
void waiter_lie_down(struct waiter *waiter);
void waiter_sleep(struct waiter *waiter);

/* Ends its sleep, if it is asleep. Mutex held. False: it has ended. */
bool waiter_call(struct waiter *waiter);

/*
 * Around the poll() of its thread: an end in between goes through the socket's
 * rouse(). False: it has ended.
 */
bool waiter_read_begin(struct waiter *waiter);
bool waiter_read_end(struct waiter *waiter);

#endif
