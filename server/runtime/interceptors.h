/*
 * Interceptors: what the server's own and its owner's hooks see of a call
 *
 * before() runs in the thread that received the call; after() in the one that
 * decides its outcome: its handler's answer, its deadline, a cancel, the end of
 * its mailbox. These may meet: a call that is decided while a before() runs is
 * left to the thread of that before().
 *
 * Deciding is `call_ending` under the box's mutex, once a call, and then
 * `interceptors_after` without it. All after() have returned when a server has
 * stopped, for it waits for those between the two.
 */

#ifndef SERVER_RUNTIME_INTERCEPTORS_H
#define SERVER_RUNTIME_INTERCEPTORS_H

#include <pipit/server.h>

#define INTERCEPTORS_BUILT_IN_MAX 2

struct frame;

/* Of a server. All zero: none. Fixed once it has started. */
struct interceptors {
        /* private */
        struct pipit_server_interceptor
                *list[INTERCEPTORS_BUILT_IN_MAX + PIPIT_SERVER_INTERCEPTORS_MAX];
        size_t n;
        size_t n_built_in; /* they come first */
        bool has_after;
};

void interceptors_add_built_in(struct interceptors *interceptors,
                               struct pipit_server_interceptor *interceptor);

/* RESOURCE_EXHAUSTED: there are as many as may be. */
PIPIT_MUST_CHECK enum pipit_status interceptors_add(struct interceptors *interceptors,
                                                    struct pipit_server_interceptor *interceptor);

/* Memory for what hooks keep of @frame's calls. False: out of memory. */
bool interceptors_prepare(const struct interceptors *interceptors, struct frame *frame);

/*
 * Runs the before() of @call; the built-in ones alone if it fails anyway. False:
 * it was refused or has ended meanwhile, and has been let go of.
 */
bool interceptors_before(struct pipit_server_call *call);

/* How a call ended, other than by an answer. */
enum call_ending {
        CALL_ENDING_CANCELLED, /* or nobody is there any more */
        CALL_ENDING_DEADLINE,
        CALL_ENDING_DEADLINE_RUNNING,
};

/*
 * With the box's mutex, by whoever sets `finished`. True: interceptors_after() is
 * owed, for which the call has to be kept.
 */
bool call_ending(struct pipit_server_call *call);

/* As call_ending(), for an end without an answer; then the call has a reference of its own and waits in *list. */
void call_ending_without_answer(struct pipit_server_call *call,
                                enum call_ending ending,
                                struct pipit_server_call **list);

/* Runs the after() of @call, or leaves them to its before(). */
void interceptors_after(struct pipit_server_call *call, const struct pipit_error *error);

/* The same for each of a list that call_ending_without_answer() made. */
void interceptors_after_all(struct pipit_server_call *list);

/* What the caller would be told of a call that was cancelled, and whose handler answered or not. */
struct pipit_error call_cancelled_error(const struct pipit_server_call *call, bool answered);

#endif
