#include <stdlib.h>

#include "client/sp_stream.h"
#include "core/base/macros.h"

/* A request id: the top bit, a count of the lane's frames, the lane. */
#define TURN_STEP SP_LANES_MAX

static struct sp_lane *lane_of(struct transport_lane *base)
{
        return pipit_container_of(base, struct sp_lane, base);
}

/* Mutex held. False: there are too many. */
static bool enlist(struct sp_socket *socket, struct sp_lane *lane)
{
        for (uint32_t i = 0; i < SP_LANES_MAX; i++) {
                if (socket->lanes[i])
                        continue;
                lane->index = i;
                socket->lanes[i] = lane;
                return true;
        }

        return false;
}

struct transport_lane *sp_lane_open(struct transport_socket *base,
                                    const struct transport_lane_options *options,
                                    const char **ret_problem)
{
        struct sp_socket *socket = sp_socket_of(base);
        struct sp_lane *lane = calloc(1, sizeof(*lane));
        bool is_enlisted;

        *ret_problem = "out of memory";
        if (!lane)
                return NULL;

        lane->base.transport = &sp_transport;
        lane->options = *options;
        lane->socket = socket;
        pthread_mutex_lock(&socket->mutex);
        is_enlisted = enlist(socket, lane);
        pthread_mutex_unlock(&socket->mutex);
        if (!is_enlisted) {
                *ret_problem = "too many lanes";
                free(lane);
                return NULL;
        }

        return &lane->base;
}

/* Mutex held. */
static void fail(struct sp_lane *lane, const char *problem)
{
        if (!lane->is_flying || lane->is_failed)
                return;
        lane->is_failed = true;
        lane->problem = problem;
        loop_ask(lane->socket->loop, &lane->socket->source);
}

void sp_lane_abort(struct transport_lane *base)
{
        struct sp_lane *lane = lane_of(base);

        pthread_mutex_lock(&lane->socket->mutex);
        fail(lane, "the frame was given up");
        pthread_mutex_unlock(&lane->socket->mutex);
}

void sp_lane_stop(struct transport_lane *base)
{
        struct sp_lane *lane = lane_of(base);
        struct sp_socket *socket = lane->socket;

        pthread_mutex_lock(&socket->mutex);
        lane->is_stopped = true;
        fail(lane, "the frame was given up");
        while (lane->is_flying || lane->n_calls > 0)
                pthread_cond_wait(&socket->changed, &socket->mutex);
        pthread_mutex_unlock(&socket->mutex);
}

void sp_lane_close(struct transport_lane *base)
{
        struct sp_lane *lane = lane_of(base);
        struct sp_socket *socket = lane->socket;

        pthread_mutex_lock(&socket->mutex);
        socket->lanes[lane->index] = NULL;
        pthread_mutex_unlock(&socket->mutex);
        free(lane);
}

/* Mutex held. */
static void depart(struct sp_lane *lane, struct sp_message *message)
{
        struct sp_socket *socket = lane->socket;

        lane->turn += TURN_STEP;
        lane->request_id = SP_ID_TOP | lane->turn | lane->index;
        lane->is_flying = true;
        lane->is_unsent = false;
        socket->n_flying++;
        message->lane = lane;
        sp_message_address(message, socket->reader.framing, lane->request_id);
}

/* Mutex held. */
static void depart_in_vain(struct sp_lane *lane, struct sp_message *message, const char *problem)
{
        depart(lane, message);
        lane->is_unsent = true;
        fail(lane, problem);
        free(message);
}

/* An on_*() that was running when the lane was stopped may send after, which nobody waits for. */
void sp_lane_send(struct transport_lane *base,
                  struct transport_message *transport_message,
                  bool has_calls)
{
        struct sp_message *message = sp_message_of(transport_message);
        struct sp_lane *lane = lane_of(base);
        struct sp_socket *socket = lane->socket;

        (void)has_calls;
        pthread_mutex_lock(&socket->mutex);
        if (lane->is_stopped) {
                free(message);
        } else if (socket->phase == SP_OPEN) {
                depart(lane, message);
                sp_push(socket, message);
                sp_expect(socket);
                sp_write(socket);
        } else {
                depart_in_vain(lane, message, "the connection was closed");
        }
        pthread_mutex_unlock(&socket->mutex);
}

void sp_lane_refuse(struct transport_lane *base,
                    struct transport_message *message,
                    const char *problem)
{
        struct sp_lane *lane = lane_of(base);

        pthread_mutex_lock(&lane->socket->mutex);
        if (lane->is_stopped)
                free(message);
        else
                depart_in_vain(lane, sp_message_of(message), problem);
        pthread_mutex_unlock(&lane->socket->mutex);
}

/* Mutex held. */
static void land(struct sp_lane *lane)
{
        lane->is_flying = false;
        lane->is_failed = false;
        lane->n_calls++;
        lane->socket->n_flying--;
}

struct sp_lane *sp_lane_land(struct sp_socket *socket, const struct sp_message *message)
{
        struct sp_lane *lane = socket->lanes[message->id % SP_LANES_MAX];

        if (!lane || !lane->is_flying || lane->is_failed || lane->request_id != message->id)
                return NULL;
        land(lane);

        return lane;
}

void sp_lane_returned(struct sp_lane *lane)
{
        struct sp_socket *socket = lane->socket;

        pthread_mutex_lock(&socket->mutex);
        lane->n_calls--;
        if (lane->is_stopped)
                pthread_cond_broadcast(&socket->changed);
        pthread_mutex_unlock(&socket->mutex);
}

void sp_lanes_fail(struct sp_socket *socket, const char *problem)
{
        for (size_t i = 0; i < SP_LANES_MAX; i++)
                if (socket->lanes[i])
                        fail(socket->lanes[i], problem);
}

/* The lane may fly anew before its on_*() has returned. */
static void end_failed(struct sp_lane *lane, const char *problem, bool is_unsent)
{
        const struct transport_lane_options *options = &lane->options;

        if (is_unsent)
                options->on_unsent(options->context, problem);
        else
                options->on_received(options->context, problem, NULL);
        sp_lane_returned(lane);
}

/* The next from @index on, landed. */
static struct sp_lane *take_failed(struct sp_socket *socket,
                                   size_t *index,
                                   const char **ret_problem,
                                   bool *ret_is_unsent)
{
        struct sp_lane *lane = NULL;

        pthread_mutex_lock(&socket->mutex);
        for (; !lane && *index < SP_LANES_MAX; (*index)++)
                if (socket->lanes[*index] && socket->lanes[*index]->is_failed)
                        lane = socket->lanes[*index];
        if (lane) {
                *ret_problem = lane->problem;
                *ret_is_unsent = lane->is_unsent;
                land(lane);
        }
        pthread_mutex_unlock(&socket->mutex);

        return lane;
}

void sp_lanes_end_failed(struct sp_socket *socket)
{
        size_t index = 0;
        struct sp_lane *lane;
        const char *problem;
        bool is_unsent;

        while ((lane = take_failed(socket, &index, &problem, &is_unsent)))
                end_failed(lane, problem, is_unsent);
}
