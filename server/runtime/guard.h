/*
 * Guard: one stranger must not deafen a listener
 *
 * nng before 1.6 takes a connection that was closed during its handshake for a
 * closed listener, when the write fails with EPIPE, and accepts no more. So
 * this library brings a sendmsg() of its own, which every program that is
 * linked with it uses, and which tells nng ECONNRESET instead. Nothing else
 * changes, for nobody else. Loaded with dlopen() it has no effect; the
 * watchdog stands behind it.
 */

#ifndef SERVER_RUNTIME_GUARD_H
#define SERVER_RUNTIME_GUARD_H

#include <stdbool.h>

/* Finds where nng lies. Any thread, any number of times; cheap after the first. */
void guard_arm(void);

/* Whether this nng has the fault. */
bool guard_is_needed(void);

/* For tests: lets EPIPE through, so that the watchdog has something to do. */
void guard_disable(bool disabled);

#endif
