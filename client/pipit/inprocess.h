/*
 * Pipit: a channel straight to a server object of the same process
 *
 *      struct pipit_channel *channel =
 *              pipit_channel_new_inprocess(pipit_server_inprocess(server), NULL, &error);
 *
 * For tests and for programs that embed a service: no socket, and else nothing
 * is different. The same typed calls, deadlines, cancels, metadata, errors,
 * limits and drain; the principal is "inproc". Requests and responses are
 * packed, checked and unpacked as for a socket, so neither side ever sees the
 * other's memory.
 *
 * What to know:
 *
 *   1. A blocking call runs a handler that is not registered as blocking in the
 *      calling thread, and returns no sooner than this handler does, even past
 *      its deadline. Asynchronous calls run theirs on a thread of the channel,
 *      one after the other. So do not hold a lock over a blocking call that the
 *      handler takes.
 *   2. Such a handler may call its own server, through this channel too, and wait
 *      by a blocking call or pipit_queue_wait(): meanwhile another thread of the
 *      channel runs the next handlers. What waits in another way holds them up.
 *      It must not free the channel that called it.
 *   3. Server and channel may be freed in either order. Before the server's start
 *      and after its stop, calls fail as if nobody listened. Freeing the channel
 *      waits for the handlers that run on its threads and on its callers'.
 *
 * Public: installed, compiles alone, in C and C++.
 */

#ifndef PIPIT_INPROCESS_H
#define PIPIT_INPROCESS_H

#include <pipit/client.h>

PIPIT_BEGIN_DECLS

/* Of pipit_server_inprocess() in <pipit/server.h>. */
struct pipit_inprocess;

/*
 * A channel to the server that handed out @server, which must not have been
 * freed yet. @options may be NULL. NULL: *ret_error (may be NULL) tells why, as
 * pipit_channel_new() does.
 */
PIPIT_PUBLIC PIPIT_MUST_CHECK struct pipit_channel *pipit_channel_new_inprocess(
        struct pipit_inprocess *server,
        const struct pipit_channel_options *options,
        struct pipit_error *ret_error);

PIPIT_END_DECLS

#endif
