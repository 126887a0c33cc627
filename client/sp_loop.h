/*
 * Loop: one thread that waits for the sockets of a channel
 *
 * A source is told what epoll says of its descriptor, edge by edge, or that
 * somebody asked for it; always on the loop's thread, under no lock. What was
 * asked for comes after what epoll said, so that a source which takes its
 * descriptor away when it is asked is told nothing more.
 */

#ifndef CLIENT_SP_LOOP_H
#define CLIENT_SP_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct sp_loop;

struct sp_source {
        void (*on_event)(struct sp_source *source, uint32_t events);
        void (*on_asked)(struct sp_source *source);

        /* private */
        struct sp_source *next;
        bool is_asked;
};

/* NULL: *ret_problem tells. */
struct sp_loop *sp_loop_new(const char **ret_problem);

/* No source is left that could be asked. NULL is fine. */
struct sp_loop *sp_loop_free(struct sp_loop *loop);

/* Any thread. One descriptor a source; false, and errno. */
bool sp_loop_add(struct sp_loop *loop, struct sp_source *source, int fd, uint32_t events);
void sp_loop_modify(struct sp_loop *loop, struct sp_source *source, int fd, uint32_t events);
void sp_loop_remove(struct sp_loop *loop, int fd);

/* Any thread, under any lock but the loop's own: on_asked() will run, once for many. */
void sp_loop_ask(struct sp_loop *loop, struct sp_source *source);

/* The loop's thread: nobody asks for @source any more, and who did is forgotten. */
void sp_loop_forget(struct sp_loop *loop, struct sp_source *source);

#endif
