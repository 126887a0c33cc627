#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/sp_stream.h"
#include "client/waiter.h"
#include "core/base/macros.h"

/*
 * Of more callers than these none reads: what a reader takes in for others lies
 * in its thread's part of the heap, and so many would fill all parts in turn.
 */
#define CALLERS_MAX 64

/* Answers that one read brought; their lanes have landed. */
struct batch {
        struct sp_message *first;
        struct sp_message **last;
        bool is_greeted;
        const char *problem; /* the connection is over, after these */
};

/* --- who reads: mutex held ------------------------------------------------ */

static bool is_crowded(const struct sp_socket *socket)
{
        return socket->n_inside > CALLERS_MAX;
}

static bool hand_over(struct sp_socket *socket)
{
        struct list *node;

        if (is_crowded(socket))
                return false;
        while ((node = list_take(&socket->followers))) {
                struct waiter *waiter = pipit_container_of(node, struct waiter, node);

                if (!waiter_call(waiter))
                        continue;
                socket->reads = SP_READS_CALLER;
                socket->caller = waiter;
                return true;
        }

        return false;
}

/* The caller has done with reading. */
static void let_go(struct sp_socket *socket)
{
        socket->caller = NULL;
        if (socket->phase != SP_OPEN) {
                socket->reads = SP_READS_NOBODY;
                loop_ask(socket->loop, &socket->source);
        } else if (!hand_over(socket)) {
                bool is_awaited = socket->n_flying > 0 || socket->is_hung_up || is_crowded(socket);

                socket->reads = is_awaited ? SP_READS_LOOP : SP_READS_NOBODY;
                sp_watch(socket);
        }
}

void sp_expect(struct sp_socket *socket)
{
        if (socket->reads != SP_READS_NOBODY)
                return;
        socket->reads = SP_READS_LOOP;
        sp_watch(socket);
}

/* --- reading --------------------------------------------------------------- */

static void append(struct batch *batch, struct sp_message *message)
{
        message->next = NULL;
        *batch->last = message;
        batch->last = &message->next;
}

static void take_all(struct sp_socket *socket, struct batch *batch)
{
        struct sp_message *message;

        for (;;)
                switch (sp_reader_next(&socket->reader, &message, &batch->problem)) {
                case SP_NEXT_MESSAGE:
                        append(batch, message);
                        break;
                case SP_NEXT_GREETING:
                        batch->is_greeted = true;
                        break;
                case SP_NEXT_NONE:
                case SP_NEXT_PROBLEM:
                        return;
                }
}

/* Drops what answers nothing. Mutex held. */
static void land_all(struct sp_socket *socket, struct batch *batch)
{
        struct sp_message **link = &batch->first;

        while (*link) {
                struct sp_message *message = *link;

                message->lane = sp_lane_land(socket, message);
                if (message->lane) {
                        link = &message->next;
                        continue;
                }
                *link = message->next;
                free(message);
        }
        batch->last = link;
}

/*
 * Reads once, as who reads. False: there is no more for now, and epoll will tell;
 * the end that it has told of comes right after the last byte. Takes the mutex.
 */
static bool read_once(struct sp_socket *socket, int fd, struct batch *batch)
{
        enum sp_fill filled = sp_reader_fill(&socket->reader, fd);
        bool is_more;

        batch->first = NULL;
        batch->last = &batch->first;
        batch->is_greeted = false;
        batch->problem = NULL;
        switch (filled) {
        case SP_FILL_MORE:
        case SP_FILL_SOME:
                take_all(socket, batch);
                break;
        case SP_FILL_END:
                batch->problem = socket->reader.is_greeted ? "the connection was closed"
                                                           : "the server closes new connections";
                break;
        case SP_FILL_ERROR:
                batch->problem = sp_problem_of(errno);
                break;
        case SP_FILL_NOTHING:
                break;
        }

        pthread_mutex_lock(&socket->mutex);
        if (batch->is_greeted)
                sp_greeted(socket);
        land_all(socket, batch);
        if (batch->problem)
                sp_break(socket, batch->problem);

        is_more = filled == SP_FILL_MORE || (filled == SP_FILL_SOME && socket->is_hung_up);

        return is_more && !batch->problem;
}

static void deliver(struct batch *batch, bool is_caller)
{
        struct sp_message *message = batch->first;

        while (message) {
                struct sp_message *next = message->next;
                struct sp_lane *lane = message->lane;
                const struct transport_lane_options *options = &lane->options;
                struct transport_message *answer = (struct transport_message *)(void *)message;

                if (is_caller)
                        options->on_answer(options->context, answer);
                else
                        options->on_received(options->context, NULL, answer);
                sp_lane_returned(lane);
                message = next;
        }
}

/* --- the loop -------------------------------------------------------------- */

/* Mutex held. */
static bool loop_begins(struct sp_socket *socket, int *ret_fd)
{
        if (socket->phase != SP_GREETING && socket->phase != SP_OPEN)
                return false;
        if (socket->reads == SP_READS_CALLER)
                return false;
        socket->reads = SP_READS_BUSY;
        sp_watch(socket);
        *ret_fd = socket->fd;

        return true;
}

/* Mutex held. */
static void loop_lets_go(struct sp_socket *socket)
{
        if (socket->phase == SP_OPEN && hand_over(socket))
                sp_watch(socket);
        else
                socket->reads = SP_READS_LOOP;
}

void sp_receive(struct sp_socket *socket, bool is_hung_up)
{
        struct batch batch;
        bool is_reader;
        int fd;

        pthread_mutex_lock(&socket->mutex);
        socket->is_hung_up = socket->is_hung_up || is_hung_up;
        socket->is_more = false;
        is_reader = loop_begins(socket, &fd);
        pthread_mutex_unlock(&socket->mutex);
        if (!is_reader)
                return;

        socket->is_more = read_once(socket, fd, &batch);
        if (socket->is_more)
                loop_ask(socket->loop, &socket->source);
        loop_lets_go(socket);
        pthread_mutex_unlock(&socket->mutex);
        if (batch.is_greeted)
                socket->options.on_pipe(socket->options.context);
        deliver(&batch, false);
}

/* --- callers --------------------------------------------------------------- */

/* Before the frame that it waits for is sent, so that nobody else need look for its answer. */
void sp_enter(struct transport_socket *base, struct waiter *waiter)
{
        struct sp_socket *socket = sp_socket_of(base);
        bool is_to_go = false; /* the caller that reads: from now on there are too many */

        pthread_mutex_lock(&socket->mutex);
        if (socket->phase == SP_OPEN) {
                waiter->socket = base;
                socket->n_inside++;
                if (socket->reads == SP_READS_NOBODY ||
                    (socket->reads == SP_READS_LOOP && !is_crowded(socket))) {
                        socket->reads = SP_READS_CALLER;
                        socket->caller = waiter;
                        sp_watch(socket);
                } else {
                        list_append(&socket->followers, &waiter->node);
                        is_to_go = socket->caller && socket->n_inside == CALLERS_MAX + 1;
                }
        }
        pthread_mutex_unlock(&socket->mutex);

        if (is_to_go)
                sp_rouse(base);
}

void sp_rouse(struct transport_socket *base)
{
        uint64_t one = 1;

        (void)!write(sp_socket_of(base)->rouse_fd, &one, sizeof(one));
}

/* Waits until there is something, or its call has ended: false. */
static bool look(struct sp_socket *socket, struct waiter *waiter, int fd)
{
        struct pollfd fds[] = {
                {.fd = fd, .events = POLLIN},
                {.fd = socket->rouse_fd, .events = POLLIN},
        };
        uint64_t n_rouses;

        if (!waiter_read_begin(waiter))
                return false;
        (void)poll(fds, PIPIT_N_ELEMENTS(fds), -1);
        if (fds[1].revents)
                (void)!read(socket->rouse_fd, &n_rouses, sizeof(n_rouses));
        if (!waiter_read_end(waiter))
                return false;

        return fds[0].revents != 0;
}

/* Mutex held, and let go meanwhile. */
static void read_for_all(struct sp_socket *socket, struct waiter *waiter)
{
        int fd = socket->fd;
        struct batch batch;

        pthread_mutex_unlock(&socket->mutex);
        if (look(socket, waiter, fd)) {
                (void)read_once(socket, fd, &batch);
                pthread_mutex_unlock(&socket->mutex);
                deliver(&batch, true);
        }
        pthread_mutex_lock(&socket->mutex);
}

/* Mutex held, and let go meanwhile. */
static void follow(struct sp_socket *socket, struct waiter *waiter)
{
        waiter_lie_down(waiter);
        pthread_mutex_unlock(&socket->mutex);
        waiter_sleep(waiter);
        pthread_mutex_lock(&socket->mutex);
}

void sp_wait(struct transport_socket *base, struct waiter *waiter)
{
        struct sp_socket *socket = sp_socket_of(base);

        pthread_mutex_lock(&socket->mutex);
        while (!waiter_has_ended(waiter)) {
                bool is_caller = socket->caller == waiter;

                if (is_caller && socket->phase == SP_OPEN && !is_crowded(socket)) {
                        read_for_all(socket, waiter);
                        continue;
                }
                if (is_caller) {
                        let_go(socket);
                        list_append(&socket->followers, &waiter->node);
                }
                follow(socket, waiter);
        }
        if (socket->caller == waiter)
                let_go(socket);
        list_remove(&waiter->node);
        if (--socket->n_inside == 0)
                pthread_cond_signal(&socket->left);
        pthread_mutex_unlock(&socket->mutex);
}
