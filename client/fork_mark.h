/*
 * Fork mark: tells a process from its children
 *
 * What has threads and sockets does not survive fork(). Whoever makes such a thing
 * keeps the mark of that moment; in a child it is another one. Any thread.
 */

#ifndef CLIENT_FORK_MARK_H
#define CLIENT_FORK_MARK_H

#include <stdbool.h>
#include <stdint.h>

/* The mark of this process. */
uint32_t fork_mark(void);

/*
 * Whether @mark, which fork_mark() returned here or before fork(), is of this process.
 * A load, where the kernel clears a page in a child (Linux 4.14); else getpid().
 */
bool fork_mark_is_own(uint32_t mark);

#endif
