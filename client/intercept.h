/*
 * Running a channel's interceptors (<pipit/interceptor.h>)
 */

#ifndef CLIENT_INTERCEPT_H
#define CLIENT_INTERCEPT_H

#include "client/call.h"

/*
 * Every before(). OK, and state->wait_for_ready and *timeout_ms are as they left
 * them; or the status of the one that refused, and state->error is its.
 */
enum pipit_status intercept_before(struct pipit_channel *channel,
                                   struct pipit_call_state *state,
                                   const ProtobufCMessage *request,
                                   uint32_t *timeout_ms);

/* Every after() that is owed; @channel is not looked at when none is. */
void intercept_after(const struct pipit_channel *channel, struct pipit_call_state *state);

#endif
