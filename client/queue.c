#include "client/queue.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "client/errors.h"
#include "client/worker.h"
#include "core/base/clock.h"
#include "core/base/macros.h"

struct pipit_queue {
        int event_fd;

        /* under the mutex */
        pthread_mutex_t mutex;
        struct list under_way;    /* states of calls that have not ended */
        struct pipit_call *first; /* those that have, by call->next */
        struct pipit_call *last;
        size_t n_ready;
        size_t n_calls;    /* started, and done() has not returned */
        bool is_signalled; /* event_fd has been written and not read */
        bool is_closing;
};

/* The queues whose done() this thread is in, innermost first. */
struct running {
        const struct pipit_queue *queue;
        const struct running *outer;
};

static _Thread_local const struct running *running;

static bool is_running(const struct pipit_queue *queue)
{
        for (const struct running *frame = running; frame; frame = frame->outer)
                if (frame->queue == queue)
                        return true;

        return false;
}

struct pipit_queue *pipit_queue_new(struct pipit_error *ret_error)
{
        struct pipit_queue *queue = calloc(1, sizeof(*queue));
        struct pipit_error error = client_error(CLIENT_REASON_OUT_OF_MEMORY, PIPIT_NOT_RUN);

        if (queue) {
                queue->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
                if (queue->event_fd >= 0) {
                        pthread_mutex_init(&queue->mutex, NULL);
                        list_init(&queue->under_way);
                        return queue;
                }
                error.message = strerrordesc_np(errno);
                free(queue);
        }
        if (ret_error)
                *ret_error = error;

        return NULL;
}

bool queue_enter(struct pipit_queue *queue, struct pipit_call_state *state)
{
        bool is_open;

        pthread_mutex_lock(&queue->mutex);
        queue->n_calls++;
        if (state)
                list_append(&queue->under_way, &state->queue_node);
        is_open = !queue->is_closing;
        pthread_mutex_unlock(&queue->mutex);

        return is_open;
}

/* Written under the mutex: whoever runs the queue may free it as soon as it is empty. */
void queue_push(struct pipit_queue *queue, struct pipit_call *call)
{
        uint64_t one = 1;

        pthread_mutex_lock(&queue->mutex);
        if (call->state)
                list_remove(&call->state->queue_node);
        call->next = NULL;
        if (queue->last)
                queue->last->next = call;
        else
                queue->first = call;
        queue->last = call;
        queue->n_ready++;
        if (!queue->is_signalled) {
                queue->is_signalled = true;
                (void)!write(queue->event_fd, &one, sizeof(one));
        }
        pthread_mutex_unlock(&queue->mutex);
}

/* Mutex held. NULL: nothing is ready. */
static struct pipit_call *take(struct pipit_queue *queue)
{
        struct pipit_call *call = queue->first;

        if (!call)
                return NULL;
        queue->first = call->next;
        if (!queue->first)
                queue->last = NULL;
        queue->n_ready--;

        return call;
}

/* Only here, at the end of a run: until then what ends needs no further wake-up. Mutex held. */
static void calm(struct pipit_queue *queue)
{
        uint64_t n_writes;

        if (queue->first || !queue->is_signalled)
                return;
        queue->is_signalled = false;
        (void)!read(queue->event_fd, &n_writes, sizeof(n_writes));
}

/* Mutex held, and let go around done(). */
static void run_one(struct pipit_queue *queue, struct pipit_call *call)
{
        struct running frame = {.queue = queue, .outer = running};

        pthread_mutex_unlock(&queue->mutex);
        call_leave_queue(call);
        running = &frame;
        call->done(call);
        running = frame.outer;
        pthread_mutex_lock(&queue->mutex);
        queue->n_calls--;
}

size_t pipit_queue_run(struct pipit_queue *queue, size_t max)
{
        struct pipit_call *call;
        size_t n_run = 0;

        pthread_mutex_lock(&queue->mutex);
        if (max == 0)
                max = queue->n_ready;
        while (n_run < max && (call = take(queue))) {
                run_one(queue, call);
                n_run++;
        }
        calm(queue);
        pthread_mutex_unlock(&queue->mutex);

        return n_run;
}

static int left_ms(int64_t until_us)
{
        int64_t left_us = until_us - pipit_clock_now_us();

        return left_us > 0 ? (int)((left_us + PIPIT_US_PER_MS - 1) / PIPIT_US_PER_MS) : 0;
}

bool pipit_queue_wait(struct pipit_queue *queue, int timeout_ms)
{
        struct pollfd fd = {.fd = queue->event_fd, .events = POLLIN};
        int64_t until_us = timeout_ms < 0 ? 0 : pipit_clock_now_us() + timeout_ms * PIPIT_US_PER_MS;
        int n_fds;

        worker_wait_begins();
        do
                n_fds = poll(&fd, 1, timeout_ms < 0 ? -1 : left_ms(until_us));
        while (n_fds < 0 && errno == EINTR);
        worker_wait_ends();

        return n_fds > 0;
}

int pipit_queue_fd(const struct pipit_queue *queue)
{
        return queue->event_fd;
}

static size_t read_count(struct pipit_queue *queue, const size_t *count)
{
        size_t n;

        pthread_mutex_lock(&queue->mutex);
        n = *count;
        pthread_mutex_unlock(&queue->mutex);

        return n;
}

size_t pipit_queue_n_ready(struct pipit_queue *queue)
{
        return read_count(queue, &queue->n_ready);
}

size_t pipit_queue_n_calls(struct pipit_queue *queue)
{
        return read_count(queue, &queue->n_calls);
}

/* A call in the list has not been pushed, so its owner cannot have let go of it. */
static void cancel_all(struct pipit_queue *queue)
{
        struct list *node, *after;

        pthread_mutex_lock(&queue->mutex);
        queue->is_closing = true;
        list_for_each(node, after, &queue->under_way) pipit_call_cancel(
                pipit_container_of(node, struct pipit_call_state, queue_node)->call);
        pthread_mutex_unlock(&queue->mutex);
}

struct pipit_queue *pipit_queue_free(struct pipit_queue *queue)
{
        if (!queue || call_is_in_done() || is_running(queue))
                return NULL;

        cancel_all(queue);
        while (pipit_queue_n_calls(queue) > 0) {
                (void)pipit_queue_wait(queue, -1);
                (void)pipit_queue_run(queue, 0);
        }
        pthread_mutex_destroy(&queue->mutex);
        close(queue->event_fd);
        free(queue);

        return NULL;
}
