/*
 * Loop: one thread for many sources
 *
 * A source is told what epoll says of its descriptor, edge by edge, that somebody
 * asked for it, or that its time has come; always on the loop's thread, under no
 * lock. What was asked for comes after what epoll said, so that a source which
 * takes its descriptor away when it is asked is told nothing more. Sources take
 * turns: one that asks for itself again and again comes once a turn.
 *
 * Several channels have one loop (client/loops.h), so nothing that runs on it may
 * wait for anything that does.
 */

#ifndef CLIENT_LOOP_H
#define CLIENT_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/alarms.h"

struct loop;

struct loop_source {
        void (*on_event)(struct loop_source *source, uint32_t events);
        void (*on_asked)(struct loop_source *source);

        /* private */
        struct loop_source *next;
        struct pipit_alarm alarm;
        bool is_asked;
};

/* NULL: *ret_problem tells. */
struct loop *loop_new(const char **ret_problem);

/* No source is left that could be asked. Not the loop's thread. NULL is fine. */
struct loop *loop_free(struct loop *loop);

/* --- descriptors: any thread. One a source; false, and errno --- */

bool loop_add(struct loop *loop, struct loop_source *source, int fd, uint32_t events);
void loop_modify(struct loop *loop, struct loop_source *source, int fd, uint32_t events);
void loop_remove(struct loop *loop, int fd);

/* --- asking: any thread, under any lock but the loop's own --- */

/* on_asked() will run, once for many. */
void loop_ask(struct loop *loop, struct loop_source *source);

/* From now on @source may have an alarm. False: out of memory. */
bool loop_alarm_open(struct loop *loop);
void loop_alarm_close(struct loop *loop);

/* on_asked() will run at @at_us, or up to a millisecond later; the last alarm is forgotten. */
void loop_alarm(struct loop *loop, struct loop_source *source, int64_t at_us);

/* Nobody asks for @source any more; who did, and its alarm, are forgotten. It may yet be running. */
void loop_forget(struct loop *loop, struct loop_source *source);

/* Waits until what is running now has returned. Not the loop's thread. */
void loop_pass(struct loop *loop);

#endif
