/*
 * Watchdog: looks after the server's endpoints, every few seconds
 *
 * On a thread of its own: whether another process has taken the path of an ipc
 * socket is found out by connecting to it.
 */

#ifndef SERVER_RUNTIME_WATCHDOG_H
#define SERVER_RUNTIME_WATCHDOG_H

#include <stddef.h>
#include <stdint.h>

struct pipit_log;
struct rep_endpoint;
struct watchdog;

/* NULL: out of memory or threads. Borrows all. */
struct watchdog *watchdog_new(struct rep_endpoint *const *endpoints,
                              size_t n_endpoints,
                              uint32_t period_ms,
                              struct pipit_log *log);

/* When it looks at none any more. NULL is a no-op. Returns NULL. */
struct watchdog *watchdog_free(struct watchdog *watchdog);

#endif
