#include "server/runtime/inproc.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/base/macros.h"
#include "core/rpc/inprocess.h"
#include "server/runtime/burst.h"
#include "server/runtime/runtime.h"

/* Ids of streams have only the higher one of these, nng's neither. */
#define PIPE_ID_BITS UINT32_C(0xc0000000)

enum door_state {
        DOOR_NEW,
        DOOR_OPEN,
        DOOR_SHUT,
};

struct inproc {
        struct pipit_inprocess base;
        struct pipit_server *server; /* to be used inside only: see enter() */

        _Atomic enum door_state state;
        atomic_uint turn;        /* 1 once it drains */
        atomic_uint n_inside[2]; /* threads that use the server, by the turn they came in */
        atomic_uint n_taken;     /* contexts that owe an answer */
        atomic_uint n_pipes;
        atomic_uint refs; /* the server's, and each client's and pipe's */

        pthread_mutex_t mutex;
        struct pipit_inprocess_pipe *pipes; /* mutex */
        uint32_t n_ids;                     /* mutex */
};

struct pipit_inprocess_pipe {
        struct inproc *inproc; /* a reference */
        uint32_t id;
        atomic_uint refs; /* the client's, and each taken context's */

        /* the door's mutex */
        struct pipit_inprocess_client *client; /* NULL: hung up */
        struct pipit_inprocess_pipe *next;

        pthread_mutex_t mutex;
        struct inproc_context *idle; /* mutex */
};

struct inproc_context {
        struct rep_context base;
        struct pipit_inprocess_pipe *pipe; /* a reference, while taken */
        struct inproc_context *next_idle;
        struct pipit_inprocess_exchange *exchange; /* the pipe's mutex; NULL: abandoned */
};

static _Thread_local struct rep_context *taken_in;

/* --- door ---------------------------------------------------------------- */

static struct inproc *inproc_of(struct pipit_inprocess *door)
{
        return pipit_container_of(door, struct inproc, base);
}

static void inproc_ref(struct inproc *inproc)
{
        atomic_fetch_add(&inproc->refs, 1);
}

static void inproc_unref(struct inproc *inproc)
{
        if (atomic_fetch_sub(&inproc->refs, 1) != 1)
                return;

        pthread_mutex_destroy(&inproc->mutex);
        free(inproc);
}

static void leave(struct inproc *inproc, unsigned turn)
{
        atomic_fetch_sub(&inproc->n_inside[turn], 1);
}

/*
 * Who is inside may use the server. Who shuts the door sets the state and then
 * waits for nobody to be inside; who enters counts first and looks after: so
 * one sees the other.
 */
static bool enter(struct inproc *inproc, unsigned *ret_turn)
{
        *ret_turn = atomic_load(&inproc->turn);
        atomic_fetch_add(&inproc->n_inside[*ret_turn], 1);
        if (atomic_load(&inproc->state) == DOOR_OPEN)
                return true;

        leave(inproc, *ret_turn);

        return false;
}

static const char *why_not(const struct inproc *inproc)
{
        return atomic_load(&inproc->state) == DOOR_NEW ? "the server has not started"
                                                       : "the server has stopped";
}

static void door_ref(struct pipit_inprocess *door)
{
        inproc_ref(inproc_of(door));
}

static void door_unref(struct pipit_inprocess *door)
{
        inproc_unref(inproc_of(door));
}

/* --- pipes --------------------------------------------------------------- */

static void pipe_unref(struct pipit_inprocess_pipe *pipe)
{
        struct inproc *inproc = pipe->inproc;
        struct inproc_context *context;

        if (atomic_fetch_sub(&pipe->refs, 1) != 1)
                return;

        while ((context = pipe->idle)) {
                pipe->idle = context->next_idle;
                free(context);
        }
        pthread_mutex_destroy(&pipe->mutex);
        free(pipe);
        inproc_unref(inproc);
}

/* With the door's mutex. False: it is not in the list any more. */
static bool pipe_unlink(struct pipit_inprocess_pipe *pipe)
{
        struct pipit_inprocess_pipe **link = &pipe->inproc->pipes;

        if (!pipe->client)
                return false;

        while (*link != pipe)
                link = &(*link)->next;
        *link = pipe->next;
        pipe->client = NULL;

        return true;
}

/* With the door's mutex. Who takes a pipe out of the list, before the server is out of reach, tells the server. */
static void pipe_end(struct pipit_inprocess_pipe *pipe)
{
        struct inproc *inproc = pipe->inproc;

        if (!pipe_unlink(pipe))
                return;

        atomic_fetch_sub(&inproc->n_pipes, 1);
        peer_remove(inproc->server, pipe->id);
}

static struct pipit_inprocess_pipe *pipe_new(struct inproc *inproc,
                                             struct pipit_inprocess_client *client)
{
        struct pipit_inprocess_pipe *pipe = calloc(1, sizeof(*pipe));

        if (!pipe)
                return NULL;

        pipe->inproc = inproc;
        pipe->client = client;
        atomic_init(&pipe->refs, 1);
        pthread_mutex_init(&pipe->mutex, NULL);
        inproc_ref(inproc);

        return pipe;
}

/* With the door's mutex. */
static bool pipe_link(struct pipit_inprocess_pipe *pipe)
{
        const struct rep_pipe_identity identity = {.transport = REP_TRANSPORT_INPROC};
        struct inproc *inproc = pipe->inproc;

        pipe->id = PIPE_ID_BITS | (inproc->n_ids++ & ~PIPE_ID_BITS);
        if (atomic_load(&inproc->state) != DOOR_OPEN ||
            !peer_add(inproc->server, pipe->id, &identity))
                return false;

        pipe->next = inproc->pipes;
        inproc->pipes = pipe;
        atomic_fetch_add(&inproc->n_pipes, 1);

        return true;
}

static const char *door_connect(struct pipit_inprocess *door,
                                struct pipit_inprocess_client *client,
                                struct pipit_inprocess_pipe **ret_pipe)
{
        struct inproc *inproc = inproc_of(door);
        struct pipit_inprocess_pipe *pipe;
        unsigned turn;
        bool linked;

        if (!enter(inproc, &turn))
                return why_not(inproc);

        pipe = pipe_new(inproc, client);
        if (!pipe) {
                leave(inproc, turn);
                return "out of memory";
        }
        pthread_mutex_lock(&inproc->mutex);
        linked = pipe_link(pipe);
        pthread_mutex_unlock(&inproc->mutex);
        leave(inproc, turn);
        if (!linked) {
                pipe_unref(pipe);
                return "the server refuses the connection";
        }
        *ret_pipe = pipe;

        return NULL;
}

static void pipe_hang_up(struct pipit_inprocess_pipe *pipe)
{
        struct inproc *inproc = pipe->inproc;

        pthread_mutex_lock(&inproc->mutex);
        pipe_end(pipe);
        pthread_mutex_unlock(&inproc->mutex);
}

/* --- contexts ------------------------------------------------------------ */

static void context_answer(struct rep_context *base, struct rep_message *message);
static void context_drop(struct rep_context *base);

static const struct rep_context_operations context_operations = {
        .answer = context_answer,
        .drop = context_drop,
};

static struct inproc_context *context_make(struct pipit_inprocess_pipe *pipe)
{
        struct inproc_context *context = calloc(1, sizeof(*context));

        if (!context)
                return NULL;

        context->base.operations = &context_operations;
        context->pipe = pipe;

        return context;
}

static struct inproc_context *context_take(struct pipit_inprocess_exchange *exchange)
{
        struct pipit_inprocess_pipe *pipe = exchange->pipe;
        struct inproc_context *context;

        pthread_mutex_lock(&pipe->mutex);
        context = pipe->idle;
        if (context)
                pipe->idle = context->next_idle;
        else
                context = context_make(pipe);
        if (context) {
                context->exchange = exchange;
                exchange->context = context;
                exchange->is_away = true;
                /* Before others may see it: an abort would give the pipe's last reference back. */
                atomic_fetch_add(&pipe->refs, 1);
                atomic_fetch_add(&pipe->inproc->n_taken, 1);
        }
        pthread_mutex_unlock(&pipe->mutex);

        return context;
}

/* The exchange that is over, if @answered; it is not touched any more. NULL: abandoned. */
static struct pipit_inprocess_exchange *context_give_back(struct inproc_context *context,
                                                          bool answered)
{
        struct pipit_inprocess_pipe *pipe = context->pipe;
        struct pipit_inprocess_exchange *exchange;

        context->base.peer = NULL;

        pthread_mutex_lock(&pipe->mutex);
        exchange = context->exchange;
        if (exchange) {
                exchange->context = NULL;
                exchange->is_away = !answered;
        }
        context->exchange = NULL;
        context->next_idle = pipe->idle;
        pipe->idle = context;
        pthread_mutex_unlock(&pipe->mutex);

        return exchange;
}

/* What holds the server is the caller's; the rest of the pipe may go with this. */
static void context_done(struct pipit_inprocess_pipe *pipe)
{
        atomic_fetch_sub(&pipe->inproc->n_taken, 1);
        pipe_unref(pipe);
}

static void message_release(struct pipit_inprocess_message *message)
{
        (void)rep_message_free((struct rep_message *)(void *)message);
}

/* Under no lock of ours: its client waits for whatever is away. */
static void context_answer(struct rep_context *base, struct rep_message *message)
{
        struct inproc_context *context = pipit_container_of(base, struct inproc_context, base);
        struct pipit_inprocess_pipe *pipe = context->pipe;
        struct peer *peer = base->peer;
        struct pipit_inprocess_exchange *exchange;

        peer_sent(peer, rep_message_n_bytes(message));
        peer_unref(peer);
        exchange = context_give_back(context, true);
        if (exchange)
                exchange->client->answered(exchange, (void *)message);
        else
                (void)rep_message_free(message);
        context_done(pipe);
}

static void context_drop(struct rep_context *base)
{
        struct inproc_context *context = pipit_container_of(base, struct inproc_context, base);
        struct pipit_inprocess_pipe *pipe = context->pipe;

        (void)context_give_back(context, false);
        context_done(pipe);
}

/* --- frames -------------------------------------------------------------- */

static struct pipit_inprocess_message *message_make(size_t n_bytes)
{
        return (void *)rep_message_new(n_bytes);
}

static uint8_t *message_look(struct pipit_inprocess_message *message, size_t *ret_n_bytes)
{
        *ret_n_bytes = rep_message_n_bytes((struct rep_message *)(void *)message);

        return rep_message_bytes((struct rep_message *)(void *)message);
}

/*
 * The thread may be in the middle of a burst, of this server or another: a
 * handler that calls. Its own answers must not wait for that burst's end, which
 * waits for them.
 */
static void take_in(struct pipit_inprocess_pipe *pipe,
                    struct inproc_context *context,
                    struct rep_message *message)
{
        struct rep_context *outer = taken_in;
        unsigned depth = burst_suspend();

        taken_in = &context->base;
        intake_received(pipe->inproc->server, &context->base, message, pipe->id, false);
        taken_in = outer;
        burst_resume(depth);
}

/* The pipe, and with it all contexts, stay until this thread has no frame in mind any more. */
static const char *exchange_submit(struct pipit_inprocess_exchange *exchange,
                                   struct pipit_inprocess_message *message)
{
        struct pipit_inprocess_pipe *pipe = exchange->pipe;
        struct inproc *inproc = pipe->inproc;
        struct inproc_context *context;
        unsigned turn;

        if (!enter(inproc, &turn)) {
                message_release(message);
                return why_not(inproc);
        }
        context = context_take(exchange);
        if (!context) {
                message_release(message);
                leave(inproc, turn);
                return "out of memory";
        }

        atomic_fetch_add(&pipe->refs, 1);
        take_in(pipe, context, (void *)message);
        pipe_unref(pipe);
        leave(inproc, turn);

        return NULL;
}

static bool exchange_abandon(struct pipit_inprocess_exchange *exchange)
{
        struct pipit_inprocess_pipe *pipe = exchange->pipe;
        struct inproc_context *context;
        bool was_away;

        pthread_mutex_lock(&pipe->mutex);
        was_away = exchange->is_away;
        context = exchange->context;
        if (was_away && context)
                context->exchange = NULL;
        exchange->context = NULL;
        exchange->is_away = false;
        pthread_mutex_unlock(&pipe->mutex);

        return was_away;
}

static const struct pipit_inprocess_operations operations = {
        .ref = door_ref,
        .unref = door_unref,
        .connect = door_connect,
        .hang_up = pipe_hang_up,
        .release = pipe_unref,
        .message_new = message_make,
        .message_bytes = message_look,
        .message_free = message_release,
        .submit = exchange_submit,
        .abandon = exchange_abandon,
};

/* --- the server's -------------------------------------------------------- */

struct inproc *inproc_new(struct pipit_server *server)
{
        struct inproc *inproc = calloc(1, sizeof(*inproc));

        if (!inproc)
                return NULL;

        inproc->base.operations = &operations;
        inproc->server = server;
        atomic_init(&inproc->state, DOOR_NEW);
        atomic_init(&inproc->refs, 1);
        pthread_mutex_init(&inproc->mutex, NULL);

        return inproc;
}

void inproc_open(struct inproc *inproc)
{
        atomic_store(&inproc->state, DOOR_OPEN);
}

void inproc_shut(struct inproc *inproc)
{
        struct pipit_inprocess_pipe *pipe;

        pthread_mutex_lock(&inproc->mutex);
        atomic_store(&inproc->state, DOOR_SHUT);
        while ((pipe = inproc->pipes)) {
                struct pipit_inprocess_client *client = pipe->client;

                pipe_end(pipe);
                client->hung_up(client);
        }
        pthread_mutex_unlock(&inproc->mutex);
}

void inproc_drain(struct inproc *inproc)
{
        atomic_store(&inproc->turn, 1);
}

unsigned inproc_n_older(const struct inproc *inproc)
{
        return atomic_load(&inproc->turn) ? atomic_load(&inproc->n_inside[0]) : 0;
}

unsigned inproc_n_busy(const struct inproc *inproc)
{
        return atomic_load(&inproc->n_taken) + atomic_load(&inproc->n_inside[0]) +
               atomic_load(&inproc->n_inside[1]);
}

unsigned inproc_n_pipes(const struct inproc *inproc)
{
        return atomic_load(&inproc->n_pipes);
}

struct inproc *inproc_free(struct inproc *inproc)
{
        if (!inproc)
                return NULL;

        inproc_shut(inproc);
        inproc_unref(inproc);

        return NULL;
}

bool inproc_is_pipe(uint32_t pipe)
{
        return (pipe & PIPE_ID_BITS) == PIPE_ID_BITS;
}

void inproc_pipe_close(struct inproc *inproc, uint32_t id)
{
        struct pipit_inprocess_pipe *pipe;

        pthread_mutex_lock(&inproc->mutex);
        for (pipe = inproc->pipes; pipe && pipe->id != id; pipe = pipe->next)
                ;
        if (pipe) {
                struct pipit_inprocess_client *client = pipe->client;

                pipe_end(pipe);
                client->hung_up(client);
        }
        pthread_mutex_unlock(&inproc->mutex);
}

struct rep_context *inproc_frame_of_this_thread(void)
{
        return taken_in;
}

struct pipit_inprocess *inproc_door(struct inproc *inproc)
{
        return &inproc->base;
}
