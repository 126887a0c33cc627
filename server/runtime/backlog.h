/*
 * Backlog: what a socket of nng's did not take at once
 *
 * nng 1.5 waits for ever, in the one thread that frees pipes, for a message that
 * was written in part when its pipe ended: the rest is handed to a connection
 * that takes nothing any more, and nobody says so. A peer that hangs up in the
 * middle of a large answer is enough. So guard.c tells nng that all of it was
 * written; what was not is kept here, and written by a thread as the peer reads
 * on. As long as there is a rest, nng is told to wait (EAGAIN).
 *
 * A peer that takes nothing of it for PIPIT_SEND_TIMEOUT_MS has its connection shut
 * down, and so has one to which it cannot be written: what followed would be taken
 * for the rest.
 *
 * At most one message a descriptor is kept. Any thread. What is kept when the
 * descriptor is closed is dropped, as nng drops what it has queued itself.
 */

#ifndef SERVER_RUNTIME_BACKLOG_H
#define SERVER_RUNTIME_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

typedef ssize_t (*backlog_send_fn)(int fd, const struct msghdr *message, int flags);

/*
 * Sends @message by @send, after what is kept. All of it is sent or kept: its
 * length. -1: nothing of it is, see errno; EAGAIN while an older rest waits.
 * Without memory or a thread for the rest it says how much was sent, as @send does.
 */
ssize_t backlog_send(backlog_send_fn send, int fd, const struct msghdr *message, int flags);

/* @fd is about to be closed. */
void backlog_drop(int fd);

/* How many bytes wait, of all descriptors. */
size_t backlog_n_bytes(void);

#endif
