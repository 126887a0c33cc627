/*
 * Guard: one stranger must not deafen a listener, nor stop what frees pipes
 *
 * Three faults of nng before 1.6 that any peer can cause by hanging up:
 *
 *   1. A connection that was closed during its handshake is taken for a closed
 *      listener when the write fails with EPIPE, and no more are accepted.
 *   2. A pipe that is closed because a write failed, while the head of a message
 *      has been read and its body has not, is waited for by the one thread that
 *      frees pipes, for ever: no descriptor is given back from then on, and no
 *      socket can be closed. A pipe that ends by its read is not.
 *   3. The same if it ends while a message has been written in part and the rest
 *      is not under way yet.
 *
 * So this library brings sendmsg(), close() and epoll_wait() of its own, which
 * every program that is linked with it uses. To nng alone the first says
 * ECONNRESET when a greeting, and success when a message cannot be written any
 * more (to nng, sent means queued anyway); what is written in part it writes to
 * the end by itself (backlog.h), and close() forgets that. The last says of a
 * broken socket that it can be read and written, so that the read finds out. For
 * others nothing changes. Loaded with dlopen() it has no effect; for the first fault the
 * watchdog stands behind it.
 *
 * nng_pipe_close() on a pipe whose peer is sending runs into the second fault as
 * well. So a pipe is ended by shutting its connection down, which nng then reads
 * the end of; and its descriptor, which nng does not tell, is seen here.
 */

#ifndef SERVER_RUNTIME_GUARD_H
#define SERVER_RUNTIME_GUARD_H

#include <stdbool.h>

/* Finds where nng lies. Any thread, any number of times; cheap after the first. */
void guard_arm(void);

/* Whether this nng has the fault. */
bool guard_is_needed(void);

/*
 * The descriptor that nng wrote to in this thread since the last begin; -1: to
 * none, or the guard has no effect.
 */
void guard_watch_begin(void);
int guard_watch_end(void);

/* For tests: changes nothing for nng either, so that the watchdog has something to do. */
void guard_disable(bool disabled);

#endif
