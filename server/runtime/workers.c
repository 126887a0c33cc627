#include "server/runtime/workers.h"
#include "core/base/thread.h"

#include <pthread.h>
#include <stdlib.h>

#include "server/runtime/call.h"

struct workers {
        pthread_mutex_t mutex;
        pthread_cond_t changed;

        /* mutex */
        struct pipit_server_call *first;
        struct pipit_server_call **last;
        uint32_t n_queued;
        uint32_t queue_max;
        bool ending;

        uint32_t n_threads;
        pthread_t threads[];
};

static struct pipit_server_call *take(struct workers *workers)
{
        struct pipit_server_call *call = workers->first;

        if (call) {
                workers->first = call->next_queued;
                if (!workers->first)
                        workers->last = &workers->first;
                --workers->n_queued;
        }

        return call;
}

static void run(struct pipit_server_call *call)
{
        pipit_server_cork();
        if (call_start(call))
                call_run(call);
        pipit_server_uncork();
}

static void *worker_main(void *argument)
{
        struct workers *workers = argument;

        pthread_mutex_lock(&workers->mutex);
        while (!workers->ending) {
                struct pipit_server_call *call = take(workers);

                if (!call) {
                        pthread_cond_wait(&workers->changed, &workers->mutex);
                        continue;
                }
                pthread_mutex_unlock(&workers->mutex);
                run(call);
                pthread_mutex_lock(&workers->mutex);
        }
        pthread_mutex_unlock(&workers->mutex);

        return NULL;
}

struct workers *workers_new(uint32_t n_threads, uint32_t queue_max)
{
        struct workers *workers = calloc(1, sizeof(*workers) + n_threads * sizeof(pthread_t));

        if (!workers)
                return NULL;

        pthread_mutex_init(&workers->mutex, NULL);
        pthread_cond_init(&workers->changed, NULL);
        workers->last = &workers->first;
        workers->queue_max = queue_max;
        for (; workers->n_threads < n_threads; ++workers->n_threads) {
                if (pipit_thread_start(
                            &workers->threads[workers->n_threads], worker_main, workers) != 0)
                        return workers_free(workers);
        }

        return workers;
}

bool workers_submit(struct workers *workers, struct pipit_server_call *call)
{
        bool accepted;

        call->next_queued = NULL;

        pthread_mutex_lock(&workers->mutex);
        accepted = workers->n_queued < workers->queue_max && !workers->ending;
        if (accepted) {
                *workers->last = call;
                workers->last = &call->next_queued;
                ++workers->n_queued;
                pthread_cond_signal(&workers->changed);
        }
        pthread_mutex_unlock(&workers->mutex);

        return accepted;
}

struct workers *workers_free(struct workers *workers)
{
        struct pipit_server_call *call;

        if (!workers)
                return NULL;

        pthread_mutex_lock(&workers->mutex);
        workers->ending = true;
        pthread_cond_broadcast(&workers->changed);
        pthread_mutex_unlock(&workers->mutex);
        for (uint32_t i = 0; i < workers->n_threads; ++i)
                pthread_join(workers->threads[i], NULL);

        while ((call = take(workers)))
                call_release(call);
        pthread_cond_destroy(&workers->changed);
        pthread_mutex_destroy(&workers->mutex);
        free(workers);

        return NULL;
}
