/*
 * The inside of a queue (<pipit/queue.h>)
 *
 * Locks: the queue's mutex before a call's, and never the other way round.
 */

#ifndef CLIENT_QUEUE_H
#define CLIENT_QUEUE_H

#include <pipit/queue.h>

#include "client/call.h"

/*
 * A call that is being started; @state is NULL when it has none. It is owed a
 * queue_push() in any case. False: the queue is being freed, and the call is to
 * end.
 */
bool queue_enter(struct pipit_queue *queue, struct pipit_call_state *state);

/* A call that has ended: the queue's, and perhaps gone, when this returns. */
void queue_push(struct pipit_queue *queue, struct pipit_call *call);

#endif
