/*
 * Worker: a queue, and the thread that works it off
 *
 * What is run may wait for calls, and what ends those may be in the queue behind
 * it. So a thread that is about to wait for calls says so, and another stands in
 * as soon as there is something in the queue; if that waits in turn, a third.
 * While the queue is not empty, then, some thread does not wait, if threads are
 * to be had. Those that came stay until the end: who waited once waits again.
 *
 * A thread that has waited goes on beside its stand-in: from then on two nodes
 * may be run at once.
 */

#ifndef CLIENT_WORKER_H
#define CLIENT_WORKER_H

#include <pthread.h>
#include <stdbool.h>

#include "core/base/list.h"

struct worker_thread;

struct worker {
        pthread_mutex_t *mutex; /* its owner's */
        void (*run)(struct list *node);
        pthread_cond_t changed;

        /* mutex */
        struct list queue;
        struct worker_thread *threads;
        unsigned n_awake; /* that do not wait for calls */
        bool is_ending;
};

/* @run is called without @mutex. False: out of memory or threads. */
bool worker_start(struct worker *worker, pthread_mutex_t *mutex, void (*run)(struct list *node));

/* Nothing is pushed any more: runs what is in the queue, and waits for all threads. */
void worker_stop(struct worker *worker);

/* Mutex held. A @node that is still in the queue may be removed by list_remove(). */
void worker_push(struct worker *worker, struct list *node);

/* Around waiting for a call, of any channel, on any thread. */
void worker_wait_begins(void);
void worker_wait_ends(void);

#endif
