#include "client/inproc.h"

#include <pthread.h>
#include <stdlib.h>

#include "client/worker.h"
#include "core/base/clock.h"
#include "core/base/macros.h"
#include "core/base/thread.h"
#include "core/rpc/inprocess.h"

/* Handlers that call handlers, in one thread. Deeper ones go on a stack of the runner's. */
#define EXCHANGES_MAX 16

/* How soon a lane that was between two steps when it was aborted is aborted again. */
#define ABORT_AGAIN_MS 1

struct inproc_lane;

struct inproc_socket {
        struct transport_socket base;
        struct transport_options options;
        struct pipit_inprocess *door; /* a reference */
        struct pipit_inprocess_client client;
        struct pipit_inprocess_pipe *pipe; /* of the last dial, NULL: none; while no lane is away */
        struct worker runner;              /* of departures */
        struct worker reader;              /* of arrivals */

        pthread_mutex_t mutex;

        /* mutex */
        pthread_cond_t landed; /* a lane has come back */
        enum transport_pipe state;
        unsigned n_handling; /* frames with calls, from send until their handlers have returned */
        pthread_cond_t handled;
};

struct inproc_lane {
        struct transport_lane base;
        struct transport_lane_options options;
        struct inproc_socket *socket;
        struct pipit_inprocess_exchange exchange;

        /* of whoever has the lane: sender, server, reader */
        uint64_t turn;                     /* counts frames */
        struct transport_message *message; /* to be handed over, or the answer */
        const char *problem;               /* instead of an answer */
        bool is_unsent;                    /* the problem is that it never left */

        /* the socket's mutex */
        bool is_away;     /* from send until an on_*() begins */
        unsigned n_calls; /* of on_*() that have not returned */
        struct list departure;
        struct list arrival;
};

/* What this thread waits for with exchange(), the innermost first. */
struct waiting {
        struct inproc_lane *lane;
        uint64_t turn;
        struct transport_message *answer;
        unsigned depth;
        struct waiting *outer;
};

static _Thread_local struct waiting *innermost;

static struct inproc_socket *socket_of(struct transport_socket *base)
{
        return pipit_container_of(base, struct inproc_socket, base);
}

static struct inproc_lane *lane_of(struct transport_lane *base)
{
        return pipit_container_of(base, struct inproc_lane, base);
}

static const struct pipit_inprocess_operations *server_of(const struct inproc_lane *lane)
{
        return lane->socket->door->operations;
}

/* --- answers ------------------------------------------------------------- */

static void give_to_reader(struct inproc_lane *lane,
                           struct transport_message *message,
                           const char *problem)
{
        struct inproc_socket *socket = lane->socket;

        lane->message = message;
        lane->problem = problem;
        pthread_mutex_lock(&socket->mutex);
        worker_push(&socket->reader, &lane->arrival);
        pthread_mutex_unlock(&socket->mutex);
}

/* The lane is its sender's again, and may fly anew before the call below has returned. */
static void land(struct inproc_lane *lane)
{
        struct inproc_socket *socket = lane->socket;
        const struct transport_lane_options *options = &lane->options;
        struct transport_message *message = lane->message;
        const char *problem = lane->problem;
        bool is_unsent = lane->is_unsent;

        lane->message = NULL;
        lane->problem = NULL;
        lane->is_unsent = false;
        pthread_mutex_lock(&socket->mutex);
        lane->is_away = false;
        lane->n_calls++;
        pthread_mutex_unlock(&socket->mutex);

        if (is_unsent)
                options->on_unsent(options->context, problem);
        else
                options->on_received(options->context, problem, message);

        pthread_mutex_lock(&socket->mutex);
        lane->n_calls--;
        pthread_cond_broadcast(&socket->landed);
        pthread_mutex_unlock(&socket->mutex);
}

static void run_arrival(struct list *node)
{
        land(pipit_container_of(node, struct inproc_lane, arrival));
}

/*
 * Any thread of the server, in the midst of whatever it does: so an answer is
 * taken in elsewhere, unless this thread is waiting for nothing else. An outer
 * frame of this thread is answered elsewhere, too: its answer may be what the
 * inner waits for.
 */
static void answered(struct pipit_inprocess_exchange *exchange,
                     struct pipit_inprocess_message *message)
{
        struct inproc_lane *lane = pipit_container_of(exchange, struct inproc_lane, exchange);
        struct waiting *waiting = innermost;

        if (waiting && waiting->lane == lane && waiting->turn == lane->turn)
                waiting->answer = (void *)message;
        else
                give_to_reader(lane, (void *)message, NULL);
}

/* --- frames -------------------------------------------------------------- */

/*
 * The answer, if it came meanwhile. If not, the lane may long be somebody
 * else's.
 */
static struct transport_message *submit(struct inproc_lane *lane, struct transport_message *message)
{
        struct waiting waiting = {
                .lane = lane,
                .turn = lane->turn,
                .depth = innermost ? innermost->depth + 1 : 1,
                .outer = innermost,
        };
        const char *problem;

        innermost = &waiting;
        problem = server_of(lane)->submit(&lane->exchange, (void *)message);
        innermost = waiting.outer;
        if (problem) {
                lane->is_unsent = true;
                give_to_reader(lane, NULL, problem);
        }

        return waiting.answer;
}

/* Mutex held. */
static void leave_handling(struct inproc_socket *socket)
{
        if (--socket->n_handling == 0)
                pthread_cond_broadcast(&socket->handled);
}

static void run_departure(struct list *node)
{
        struct inproc_lane *lane = pipit_container_of(node, struct inproc_lane, departure);
        struct inproc_socket *socket = lane->socket;
        struct transport_message *message = lane->message;

        lane->message = NULL;
        message = submit(lane, message);
        pthread_mutex_lock(&socket->mutex);
        leave_handling(socket);
        pthread_mutex_unlock(&socket->mutex);
        if (!message)
                return;

        lane->message = message;
        land(lane);
}

/* Mutex held. */
static void depart(struct inproc_lane *lane)
{
        lane->turn++;
        lane->is_away = true;
        lane->exchange.pipe = lane->socket->pipe;
}

/* What starts no handler goes at once: it may be the cancel that ends the one on the runner. */
static void lane_send(struct transport_lane *base,
                      struct transport_message *message,
                      bool has_calls)
{
        struct inproc_lane *lane = lane_of(base);
        struct inproc_socket *socket = lane->socket;

        pthread_mutex_lock(&socket->mutex);
        depart(lane);
        if (has_calls) {
                socket->n_handling++;
                lane->message = message;
                worker_push(&socket->runner, &lane->departure);
        }
        pthread_mutex_unlock(&socket->mutex);
        if (has_calls)
                return;

        message = submit(lane, message);
        if (message)
                give_to_reader(lane, message, NULL);
}

static struct transport_message *lane_exchange(struct transport_lane *base,
                                               struct transport_message *message)
{
        struct inproc_lane *lane = lane_of(base);
        struct inproc_socket *socket = lane->socket;

        if (innermost && innermost->depth >= EXCHANGES_MAX) {
                lane_send(base, message, true);
                return NULL;
        }

        pthread_mutex_lock(&socket->mutex);
        depart(lane);
        pthread_mutex_unlock(&socket->mutex);
        message = submit(lane, message);
        if (!message)
                return NULL;

        pthread_mutex_lock(&socket->mutex);
        lane->is_away = false;
        pthread_mutex_unlock(&socket->mutex);

        return message;
}

/* A frame that has not left yet never will. */
static void lane_abort(struct transport_lane *base)
{
        struct inproc_lane *lane = lane_of(base);
        struct inproc_socket *socket = lane->socket;
        struct transport_message *message = NULL;
        bool was_queued, is_away;

        pthread_mutex_lock(&socket->mutex);
        is_away = lane->is_away;
        was_queued = !list_is_empty(&lane->departure);
        if (was_queued) {
                list_remove(&lane->departure);
                leave_handling(socket);
                message = lane->message;
        }
        pthread_mutex_unlock(&socket->mutex);

        if (was_queued) {
                server_of(lane)->message_free((void *)message);
                lane->is_unsent = true;
                give_to_reader(lane, NULL, "the connection was closed");
        } else if (is_away && server_of(lane)->abandon(&lane->exchange)) {
                give_to_reader(lane, NULL, "the connection was closed");
        }
}

/* --- lanes --------------------------------------------------------------- */

static struct transport_lane *lane_open(struct transport_socket *base,
                                        const struct transport_lane_options *options,
                                        const char **ret_problem)
{
        struct inproc_lane *lane = calloc(1, sizeof(*lane));

        if (!lane) {
                *ret_problem = "out of memory";
                return NULL;
        }
        lane->base.transport = &inproc_transport;
        lane->options = *options;
        lane->socket = socket_of(base);
        lane->exchange.client = &lane->socket->client;
        list_init(&lane->departure);
        list_init(&lane->arrival);

        return &lane->base;
}

static bool is_busy(const struct inproc_lane *lane)
{
        return lane->is_away || lane->n_calls > 0;
}

static void lane_stop(struct transport_lane *base)
{
        struct inproc_lane *lane = lane_of(base);
        struct inproc_socket *socket = lane->socket;
        bool is_stopped = false;

        while (!is_stopped) {
                int64_t again_us;

                lane_abort(base);
                again_us = pipit_clock_now_us() + ABORT_AGAIN_MS * PIPIT_US_PER_MS;
                pthread_mutex_lock(&socket->mutex);
                if (is_busy(lane))
                        (void)pipit_cond_wait_until(&socket->landed, &socket->mutex, again_us);
                is_stopped = !is_busy(lane);
                pthread_mutex_unlock(&socket->mutex);
        }
}

static void lane_close(struct transport_lane *base)
{
        free(lane_of(base));
}

/* --- socket -------------------------------------------------------------- */

static void set_state(struct inproc_socket *socket, enum transport_pipe state)
{
        pthread_mutex_lock(&socket->mutex);
        socket->state = state;
        pthread_mutex_unlock(&socket->mutex);
}

static void hung_up(struct pipit_inprocess_client *client)
{
        struct inproc_socket *socket = pipit_container_of(client, struct inproc_socket, client);

        set_state(socket, TRANSPORT_PIPE_LOST);
        socket->options.on_pipe(socket->options.context);
}

static void socket_hangup(struct transport_socket *base)
{
        struct inproc_socket *socket = socket_of(base);

        if (socket->pipe)
                socket->door->operations->hang_up(socket->pipe);
        set_state(socket, TRANSPORT_PIPE_LOST);
}

static void socket_wait_for_handlers(struct transport_socket *base)
{
        struct inproc_socket *socket = socket_of(base);

        pthread_mutex_lock(&socket->mutex);
        while (socket->n_handling > 0)
                pthread_cond_wait(&socket->handled, &socket->mutex);
        pthread_mutex_unlock(&socket->mutex);
}

static void release_pipe(struct inproc_socket *socket)
{
        if (socket->pipe)
                socket->door->operations->release(socket->pipe);
        socket->pipe = NULL;
}

static const char *socket_dial(struct transport_socket *base,
                               const struct target_address *target,
                               size_t endpoint)
{
        struct inproc_socket *socket = socket_of(base);
        const char *problem;

        (void)target;
        (void)endpoint;
        socket_hangup(base);
        release_pipe(socket);
        set_state(socket, TRANSPORT_PIPE_UP);
        problem = socket->door->operations->connect(socket->door, &socket->client, &socket->pipe);
        if (problem)
                set_state(socket, TRANSPORT_PIPE_LOST);
        else
                socket->options.on_pipe(socket->options.context);

        return problem;
}

static enum transport_pipe socket_pipe(struct transport_socket *base, const char **ret_problem)
{
        struct inproc_socket *socket = socket_of(base);
        enum transport_pipe state;

        *ret_problem = "the connection was closed";

        pthread_mutex_lock(&socket->mutex);
        state = socket->state;
        pthread_mutex_unlock(&socket->mutex);

        return state;
}

static void socket_free(struct inproc_socket *socket)
{
        socket->door->operations->unref(socket->door);
        pthread_cond_destroy(&socket->handled);
        pthread_cond_destroy(&socket->landed);
        pthread_mutex_destroy(&socket->mutex);
        free(socket);
}

static struct transport_socket *socket_open(const struct transport_options *options,
                                            const char **ret_problem)
{
        struct inproc_socket *socket = calloc(1, sizeof(*socket));

        *ret_problem = "out of memory or threads";
        if (!socket)
                return NULL;

        socket->base.transport = &inproc_transport;
        socket->options = *options;
        socket->client.answered = answered;
        socket->client.hung_up = hung_up;
        socket->door = options->door;
        socket->door->operations->ref(socket->door);
        pthread_mutex_init(&socket->mutex, NULL);
        pipit_cond_init(&socket->landed);
        pthread_cond_init(&socket->handled, NULL);
        if (!worker_start(&socket->runner, &socket->mutex, run_departure)) {
                socket_free(socket);
                return NULL;
        }
        if (!worker_start(&socket->reader, &socket->mutex, run_arrival)) {
                worker_stop(&socket->runner);
                socket_free(socket);
                return NULL;
        }

        return &socket->base;
}

static void socket_close(struct transport_socket *base)
{
        struct inproc_socket *socket = socket_of(base);

        socket_hangup(base);
        worker_stop(&socket->runner);
        worker_stop(&socket->reader);
        release_pipe(socket);
        socket_free(socket);
}

/* --- messages ------------------------------------------------------------ */

static struct transport_message *message_new(struct transport_lane *lane, size_t n_bytes)
{
        return (void *)server_of(lane_of(lane))->message_new(n_bytes);
}

static uint8_t *message_bytes(struct transport_lane *lane,
                              struct transport_message *message,
                              size_t *ret_n_bytes)
{
        return server_of(lane_of(lane))->message_bytes((void *)message, ret_n_bytes);
}

static void message_free(struct transport_lane *lane, struct transport_message *message)
{
        server_of(lane_of(lane))->message_free((void *)message);
}

const struct transport inproc_transport = {
        .socket_open = socket_open,
        .socket_close = socket_close,
        .dial = socket_dial,
        .hangup = socket_hangup,
        .pipe = socket_pipe,
        .lane_open = lane_open,
        .lane_stop = lane_stop,
        .lane_close = lane_close,
        .send = lane_send,
        .exchange = lane_exchange,
        .wait_for_handlers = socket_wait_for_handlers,
        .abort = lane_abort,
        .message_new = message_new,
        .message_bytes = message_bytes,
        .message_free = message_free,
};
