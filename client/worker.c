#include "client/worker.h"

#include <stdlib.h>

#include "core/base/thread.h"

struct worker_thread {
        pthread_t thread;
        struct worker_thread *next;
};

/* Whose thread this is, or NULL. */
static _Thread_local struct worker *own;

static void *worker_main(void *context)
{
        struct worker *worker = context;

        own = worker;
        pthread_mutex_lock(worker->mutex);
        for (;;) {
                struct list *node = list_take(&worker->queue);

                if (node) {
                        pthread_mutex_unlock(worker->mutex);
                        worker->run(node);
                        pthread_mutex_lock(worker->mutex);
                } else if (worker->is_ending) {
                        break;
                } else {
                        pthread_cond_wait(&worker->changed, worker->mutex);
                }
        }
        pthread_mutex_unlock(worker->mutex);

        return NULL;
}

/* Mutex held. */
static bool grow(struct worker *worker)
{
        struct worker_thread *thread = calloc(1, sizeof(*thread));

        if (!thread)
                return false;

        if (pipit_thread_start(&thread->thread, worker_main, worker) != 0) {
                free(thread);
                return false;
        }
        thread->next = worker->threads;
        worker->threads = thread;
        worker->n_awake++;

        return true;
}

/* Mutex held. Where no thread is to be had, what is in the queue waits until one goes on. */
static void stand_in(struct worker *worker)
{
        if (worker->n_awake == 0 && !list_is_empty(&worker->queue))
                (void)grow(worker);
}

bool worker_start(struct worker *worker, pthread_mutex_t *mutex, void (*run)(struct list *node))
{
        bool is_started;

        worker->mutex = mutex;
        worker->run = run;
        list_init(&worker->queue);
        pthread_cond_init(&worker->changed, NULL);

        pthread_mutex_lock(mutex);
        is_started = grow(worker);
        pthread_mutex_unlock(mutex);
        if (!is_started)
                pthread_cond_destroy(&worker->changed);

        return is_started;
}

/* A thread that waits may still get a stand-in, for what is in the queue: so until there is none left. */
void worker_stop(struct worker *worker)
{
        struct worker_thread *thread;

        pthread_mutex_lock(worker->mutex);
        worker->is_ending = true;
        pthread_cond_broadcast(&worker->changed);
        while ((thread = worker->threads)) {
                worker->threads = thread->next;
                pthread_mutex_unlock(worker->mutex);
                pthread_join(thread->thread, NULL);
                free(thread);
                pthread_mutex_lock(worker->mutex);
        }
        pthread_mutex_unlock(worker->mutex);
        pthread_cond_destroy(&worker->changed);
}

void worker_push(struct worker *worker, struct list *node)
{
        list_append(&worker->queue, node);
        stand_in(worker);
        pthread_cond_signal(&worker->changed);
}

void worker_wait_begins(void)
{
        if (!own)
                return;

        pthread_mutex_lock(own->mutex);
        own->n_awake--;
        stand_in(own);
        pthread_mutex_unlock(own->mutex);
}

void worker_wait_ends(void)
{
        if (!own)
                return;

        pthread_mutex_lock(own->mutex);
        own->n_awake++;
        pthread_mutex_unlock(own->mutex);
}
