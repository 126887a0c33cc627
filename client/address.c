#include "client/address.h"

#include <stdio.h>
#include <stdlib.h>

#include "client/channel.h"
#include "client/inproc.h"
#include "client/loops.h"
#include "client/nng_req.h"
#include "client/seal.h"
#include "client/sp_stream.h"
#include "core/base/clock.h"
#include "core/base/macros.h"
#include "core/base/uuid.h"

/* How long a connection may take to come up, greetings and all. */
#define DIAL_MS 1000

/* And how long the handshake after that: as long as any frame's answer. */
#define SHAKE_MS (PIPIT_HOLD_MS_DEFAULT + PIPIT_HOLD_GRACE_MS)

/* How soon lanes that have not come back are called again. */
#define RECALL_MS 1

static void on_pipe(void *context)
{
        const struct address *address = context;

        channel_wake(address->channel);
}

static bool open_lanes(struct address *address, const char **ret_problem)
{
        const struct transport *transport = address->socket->transport;

        for (size_t i = 0; i < address->n_lanes; i++) {
                struct lane *lane = &address->lanes[i];
                const struct transport_lane_options options = {
                        .on_unsent = lane_on_unsent,
                        .on_received = lane_on_received,
                        .on_answer = lane_take_answer,
                        .context = lane,
                };

                lane->address = address;
                lane->is_callers = i >= address->channel->options.n_lanes;
                lane->wire = transport->lane_open(address->socket, &options, ret_problem);
                if (!lane->wire)
                        return false;
                lane_rest(lane);
        }

        return true;
}

static const struct transport *transport_of(const struct address *address)
{
        if (address->channel->door)
                return &inproc_transport;

        if (address->target.scheme == TARGET_TCP && address->channel->keyring)
                return &seal_transport;

        return address->target.scheme == TARGET_INPROC ? &req_transport : &sp_transport;
}

static bool open_socket(struct address *address, const char **ret_problem)
{
        struct pipit_channel *channel = address->channel;
        const struct transport *transport = transport_of(address);
        struct transport_options options = {
                .on_pipe = on_pipe,
                .context = address,
                .receive_bytes_max = channel->options.frame_bytes_max + PIPIT_RECV_HEADROOM_BYTES,
                .door = channel->door,
                .keyring = channel->keyring,
                .frame_bytes_max = channel->options.frame_bytes_max,
                .server_uids = channel->options.server_uids,
                .n_server_uids = channel->options.n_server_uids,
        };
        struct pipit_access_problem problem;
        bool needs_loop = transport == &sp_transport || transport == &seal_transport;

        if (needs_loop && !channel->sockets_loop)
                channel->sockets_loop = loops_take(LOOPS_OF_SOCKETS, ret_problem);
        if (needs_loop && !channel->sockets_loop)
                return false;
        if (transport == &seal_transport)
                options.server_key = keyring_find(channel->keyring, address->target.text, &problem);
        options.loop = channel->sockets_loop;
        address->socket = transport->socket_open(&options, ret_problem);

        return address->socket != NULL;
}

bool address_init(struct address *address,
                  struct pipit_channel *channel,
                  const struct target_address *target,
                  const char **ret_problem)
{
        address->channel = channel;
        address->target = *target;
        address->redial_ms = channel->options.redial_min_ms;
        pipit_random_bytes(address->client_id, sizeof(address->client_id));
        list_init(&address->queue);
        list_init(&address->sent);
        list_init(&address->limbo);
        if (!open_socket(address, ret_problem))
                return false;

        address->n_lanes = channel->options.n_lanes;
        if (address->socket->transport->exchange)
                address->n_lanes *= 2;
        address->lanes = calloc(address->n_lanes, sizeof(*address->lanes));
        if (!address->lanes) {
                *ret_problem = "out of memory";
                return false;
        }

        return open_lanes(address, ret_problem);
}

static void close_lanes(struct address *address)
{
        for (size_t i = 0; i < address->n_lanes; i++)
                if (address->lanes[i].wire)
                        address->socket->transport->lane_stop(address->lanes[i].wire);
        for (size_t i = 0; i < address->n_lanes; i++)
                if (address->lanes[i].wire)
                        address->socket->transport->lane_close(address->lanes[i].wire);
}

void address_deinit(struct address *address)
{
        if (address->lanes)
                close_lanes(address);
        if (address->socket)
                address->socket->transport->socket_close(address->socket);
        free(address->lanes);
        free(address->cancels);
}

static void hang_up(struct address *address)
{
        address->socket->transport->hangup(address->socket);
}

enum transport_pipe address_pipe(struct address *address, const char **ret_problem)
{
        return address->socket->transport->pipe(address->socket, ret_problem);
}

static void describe(struct address *address, const char *problem)
{
        (void)snprintf(address->problem,
                       sizeof(address->problem),
                       "%s: %s",
                       address->target.text,
                       problem);
}

/*
 * Somewhere in the upper half of the pause, so that many clients do not come at once;
 * after a refusal that much later again, for the same reason.
 */
static void rest_for(struct address *address,
                     uint32_t pause_ms,
                     uint32_t refused_ms,
                     int64_t now_us)
{
        uint64_t half_us = (uint64_t)pause_ms * PIPIT_US_PER_MS / 2;
        uint64_t least_us = half_us + (uint64_t)refused_ms * PIPIT_US_PER_MS;
        uint64_t more_us = half_us + (uint64_t)refused_ms * PIPIT_US_PER_MS / 4;

        address->state = ADDRESS_RESTING;
        address->attempt_us = now_us + (int64_t)(least_us + pipit_random_u64() % (more_us + 1));
}

/* What ended the last connection or attempt, if not the line. */
static struct transport_refusal refusal_of(struct address *address)
{
        const struct transport *transport = address->socket->transport;
        struct transport_refusal refusal;

        if (transport->refusal && transport->refusal(address->socket, &refusal))
                return refusal;

        return (struct transport_refusal){.reason = CLIENT_REASON_NOT_CONNECTED};
}

static void rest(struct address *address, uint32_t refused_ms, int64_t now_us)
{
        rest_for(address, address->redial_ms, refused_ms, now_us);
        address->redial_ms *= 2;
        if (address->redial_ms > address->channel->options.redial_max_ms)
                address->redial_ms = address->channel->options.redial_max_ms;
}

/* What is known of the calls there is what was known when the connection broke. */
static void send_to_limbo(struct address *address, int64_t now_us)
{
        bool is_known = address->instance_epoch == address->epoch;
        struct list *node;

        while ((node = list_take(&address->sent))) {
                struct pipit_call_state *state =
                        pipit_container_of(node, struct pipit_call_state, node);

                if (state->epoch == address->epoch)
                        state->instance = is_known ? address->instance : 0;
                list_append(&address->limbo, node);
        }
        address->limbo_us = now_us + CHANNEL_LIMBO_MS * PIPIT_US_PER_MS;
}

static void send_elsewhere(struct address *address)
{
        struct pipit_channel *channel = address->channel;
        struct list all, *node;

        list_init(&all);
        list_prepend_all(&all, &address->queue);
        address->n_queued = 0;
        while ((node = list_take(&all)))
                (void)channel_dispatch(channel,
                                       pipit_container_of(node, struct pipit_call_state, node),
                                       &channel->endings);
}

void address_lose(struct address *address, const char *problem)
{
        if (address->state != ADDRESS_UP)
                return;

        address->state = ADDRESS_LOST;
        describe(address, problem);
        address->hello_is_due = false;
        address->is_draining = false;
        send_to_limbo(address, pipit_clock_now_us());
        send_elsewhere(address);
        channel_wake(address->channel);
}

/* They were sent, whatever whoever refuses us says of it. */
static void give_up_limbo(struct address *address,
                          enum client_reason refusal,
                          struct endings *endings)
{
        enum client_reason reason =
                refusal == CLIENT_REASON_NOT_CONNECTED ? CLIENT_REASON_CONNECTION_LOST : refusal;
        struct list *node, *after;

        list_for_each(node, after, &address->limbo)
        {
                struct pipit_call_state *state =
                        pipit_container_of(node, struct pipit_call_state, node);
                struct pipit_error error;

                error = client_error_at(
                        reason, PIPIT_MAY_HAVE_RUN, &state->arena, NULL, address->problem);
                channel_end(address->channel, state, &error, endings);
        }
}

/* An attempt has failed: who does not want to wait learns why. A server that is busy is there, and waited for. */
static void attempt_failed(struct address *address, const char *problem, int64_t now_us)
{
        struct pipit_channel *channel = address->channel;
        struct transport_refusal refusal = refusal_of(address);
        struct endings endings = {0};

        pthread_mutex_lock(&channel->mutex);
        describe(address, problem);
        rest(address, refusal.pause_ms, now_us);
        address->has_failed = refusal.reason != CLIENT_REASON_SERVER_BUSY;
        if (address->has_failed) {
                address->failure = refusal.reason;
                give_up_limbo(address, refusal.reason, &endings);
                channel_dispatch_waiting(channel, &endings);
        }
        pthread_mutex_unlock(&channel->mutex);
        channel_finish(channel, &endings);
}

static size_t frame_bytes_of(struct address *address)
{
        const struct transport *transport = address->socket->transport;

        return transport->frame_bytes ? transport->frame_bytes(address->socket)
                                      : address->channel->options.frame_bytes_max;
}

static void came_up(struct address *address)
{
        struct pipit_channel *channel = address->channel;
        struct endings endings = {0};

        pthread_mutex_lock(&channel->mutex);
        address->state = ADDRESS_UP;
        address->epoch++;
        address->is_proven = false;
        address->has_failed = false;
        address->hello_is_due = true;
        address->frame_bytes_max = frame_bytes_of(address);
        address->busy_until_us = 0;
        address->poll_us = 0;
        channel_dispatch_waiting(channel, &endings);
        channel_flush(channel, &endings);
        pthread_mutex_unlock(&channel->mutex);
        channel_finish(channel, &endings);
}

static void move_to(struct address *address, enum address_state state, int64_t until_us)
{
        pthread_mutex_lock(&address->channel->mutex);
        address->state = state;
        address->attempt_us = until_us;
        pthread_mutex_unlock(&address->channel->mutex);
}

static bool next_endpoint(struct address *address)
{
        if (address->endpoint + 1 == address->target.n_endpoints)
                return false;
        address->endpoint++;

        return true;
}

static int64_t dial(struct address *address, int64_t now_us)
{
        int64_t until_us = now_us + DIAL_MS * PIPIT_US_PER_MS;
        const char *problem;

        do {
                move_to(address, ADDRESS_DIALING, until_us);
                problem = address->socket->transport->dial(
                        address->socket, &address->target, address->endpoint);
        } while (problem && next_endpoint(address));
        if (problem)
                attempt_failed(address, problem, now_us);

        return now_us;
}

static int64_t step_resting(struct address *address, int64_t now_us)
{
        if (now_us < address->attempt_us)
                return address->attempt_us;

        address->endpoint = 0;

        return dial(address, now_us);
}

/* The next endpoint is tried at once, but where there was somebody. */
static int64_t dial_failed(struct address *address, const char *problem, int64_t now_us)
{
        if (refusal_of(address).reason == CLIENT_REASON_NOT_CONNECTED && next_endpoint(address))
                return dial(address, now_us);
        hang_up(address);
        attempt_failed(address, problem, now_us);

        return now_us;
}

static int64_t step_dialing(struct address *address, int64_t now_us)
{
        const char *problem;

        switch (address_pipe(address, &problem)) {
        case TRANSPORT_PIPE_UP:
                came_up(address);
                return now_us;
        case TRANSPORT_PIPE_LOST:
                return dial_failed(address, problem, now_us);
        case TRANSPORT_PIPE_SHAKING:
                if (address->state == ADDRESS_SHAKING)
                        break;
                move_to(address, ADDRESS_SHAKING, now_us + SHAKE_MS * PIPIT_US_PER_MS);
                return address->attempt_us;
        case TRANSPORT_PIPE_NONE:
                break;
        }

        if (now_us < address->attempt_us)
                return address->attempt_us;

        return dial_failed(address,
                           address->state == ADDRESS_SHAKING
                                   ? "the server does not answer the handshake for a session"
                                   : "the server does not finish the handshake",
                           now_us);
}

/* A frame that is not answered long after its hold means a dead peer. */
static int64_t check_overdue(struct address *address, int64_t now_us)
{
        int64_t limit_us = (PIPIT_HOLD_MS_DEFAULT + PIPIT_HOLD_GRACE_MS) * PIPIT_US_PER_MS;
        int64_t next_us = PIPIT_NEVER_US;

        for (size_t i = 0; i < address->n_lanes; i++)
                if (address->lanes[i].state == LANE_FLYING &&
                    address->lanes[i].sent_us + limit_us < next_us)
                        next_us = address->lanes[i].sent_us + limit_us;
        if (now_us < next_us)
                return next_us;
        address_lose(address, "the server answers no more");

        return now_us;
}

static int64_t step_up(struct address *address, int64_t now_us)
{
        struct pipit_channel *channel = address->channel;
        const char *problem;
        bool is_lost = address_pipe(address, &problem) == TRANSPORT_PIPE_LOST;
        int64_t next_us;

        pthread_mutex_lock(&channel->mutex);
        if (is_lost) {
                address_lose(address, problem);
                next_us = now_us;
        } else {
                next_us = check_overdue(address, now_us);
        }
        pthread_mutex_unlock(&channel->mutex);

        return next_us;
}

/*
 * A lane of nng's or in-process that was between two steps when it was recalled
 * noticed nothing, so it is recalled until it is back.
 */
static int64_t step_lost(struct address *address, int64_t now_us)
{
        struct pipit_channel *channel = address->channel;
        uint32_t refused_ms = refusal_of(address).pause_ms;
        int64_t next_us = now_us;

        hang_up(address);

        pthread_mutex_lock(&channel->mutex);
        for (size_t i = 0; i < address->n_lanes; i++)
                if (address->lanes[i].state == LANE_FLYING)
                        address->socket->transport->abort(address->lanes[i].wire);
        if (address->n_flying > 0) {
                next_us = now_us + RECALL_MS * PIPIT_US_PER_MS;
        } else if (address->is_proven) {
                address->redial_ms = channel->options.redial_min_ms;
                rest_for(address, 0, refused_ms, now_us);
        } else {
                rest(address, refused_ms, now_us);
        }
        pthread_mutex_unlock(&channel->mutex);

        return next_us;
}

static void check_limbo(struct address *address, int64_t now_us)
{
        struct pipit_channel *channel = address->channel;
        struct endings endings = {0};

        pthread_mutex_lock(&channel->mutex);
        if (address->state != ADDRESS_UP && now_us >= address->limbo_us)
                give_up_limbo(address, CLIENT_REASON_NOT_CONNECTED, &endings);
        pthread_mutex_unlock(&channel->mutex);
        channel_finish(channel, &endings);
}

/* Any thread may move UP to LOST between two looks: it wakes us, and we look again. */
static enum address_state look(struct address *address, int64_t *ret_limbo_us)
{
        enum address_state state;

        pthread_mutex_lock(&address->channel->mutex);
        state = address->state;
        *ret_limbo_us = list_is_empty(&address->limbo) || state == ADDRESS_UP ? PIPIT_NEVER_US
                                                                              : address->limbo_us;
        pthread_mutex_unlock(&address->channel->mutex);

        return state;
}

static int64_t step_once(struct address *address, int64_t now_us)
{
        int64_t limbo_us;

        switch (look(address, &limbo_us)) {
        case ADDRESS_RESTING:
                return step_resting(address, now_us);
        case ADDRESS_DIALING:
        case ADDRESS_SHAKING:
                return step_dialing(address, now_us);
        case ADDRESS_UP:
                return step_up(address, now_us);
        case ADDRESS_LOST:
                return step_lost(address, now_us);
        }

        return PIPIT_NEVER_US;
}

int64_t address_step(struct address *address, int64_t now_us)
{
        int64_t next_us, limbo_us;

        do
                next_us = step_once(address, now_us);
        while (next_us <= now_us);

        (void)look(address, &limbo_us);
        if (now_us >= limbo_us)
                check_limbo(address, now_us);

        return next_us < limbo_us ? next_us : limbo_us;
}
