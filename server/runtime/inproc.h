/*
 * In-process: the server's side of core/rpc/inprocess.h
 *
 * Another way in beside the endpoints of rep.h: pipes, contexts and frames
 * that go by function calls. A frame is taken in on the thread that brings it,
 * which so runs the handlers that do not block. Everything behind intake is the
 * same.
 */

#ifndef SERVER_RUNTIME_INPROC_H
#define SERVER_RUNTIME_INPROC_H

#include <stdbool.h>
#include <stdint.h>

struct inproc;
struct pipit_inprocess;
struct pipit_server;
struct rep_context;

/* A door for @server, closed; NULL: out of memory. */
struct inproc *inproc_new(struct pipit_server *server);

/* Lets clients in, from the server's start on. */
void inproc_open(struct inproc *inproc);

/*
 * The server drains: who comes in from here on knows. Those who came in before
 * may not, and still bring calls: so many are left.
 */
void inproc_drain(struct inproc *inproc);
unsigned inproc_n_older(const struct inproc *inproc);

/* Lets nobody in any more and hangs up on all. */
void inproc_shut(struct inproc *inproc);

/* How many frames are held, and threads inside. Both 0 after shut: the server is out of reach for good. */
unsigned inproc_n_busy(const struct inproc *inproc);

unsigned inproc_n_pipes(const struct inproc *inproc);

/* Gives the server's reference back, after shut. NULL is a no-op. Returns NULL. */
struct inproc *inproc_free(struct inproc *inproc);

/* Ids of these pipes never meet those of endpoints. */
bool inproc_is_pipe(uint32_t pipe);

/* Hangs up on a client, as rep_pipe_close() does. */
void inproc_pipe_close(struct inproc *inproc, uint32_t id);

/* The frame that this thread is taking in, the innermost one; it may have been answered since. NULL: none. */
struct rep_context *inproc_frame_of_this_thread(void);

struct pipit_inprocess *inproc_door(struct inproc *inproc);

#endif
