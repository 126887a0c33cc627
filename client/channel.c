#include "client/channel.h"

#include <pipit/inprocess.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/fork_mark.h"
#include "client/loop.h"
#include "client/loops.h"
#include "core/base/clock.h"
#include "core/base/thread.h"
#include "core/base/uuid.h"
#include "core/rpc/wire_limits.h"

#define N_LANES_DEFAULT       16
#define N_LANES_MIN           2 /* one may be held by the server while the other brings new calls */
#define N_LANES_MAX           256
#define FRAME_BYTES_MIN       4096
#define REDIAL_MIN_MS_DEFAULT 10
#define REDIAL_MAX_MS_DEFAULT 500

static _Thread_local char new_message[sizeof(struct pipit_access_problem)];

static uint32_t or_default(uint32_t number, uint32_t fallback)
{
        return number ? number : fallback;
}

static uint32_t clamp(uint32_t number, uint32_t min, uint32_t max)
{
        if (number < min)
                return min;

        return number > max ? max : number;
}

static struct pipit_channel_options complete(const struct pipit_channel_options *options)
{
        static const struct pipit_channel_options none;
        struct pipit_channel_options full = options ? *options : none;

        full.timeout_ms = clamp(
                or_default(full.timeout_ms, PIPIT_TIMEOUT_MS_DEFAULT), 1, PIPIT_TIMEOUT_MS_MAX);
        full.n_lanes = clamp(or_default(full.n_lanes, N_LANES_DEFAULT), N_LANES_MIN, N_LANES_MAX);
        full.frame_bytes_max = clamp(or_default(full.frame_bytes_max, PIPIT_FRAME_BYTES_DEFAULT),
                                     FRAME_BYTES_MIN,
                                     PIPIT_FRAME_BYTES_MAX);
        full.redial_min_ms = or_default(full.redial_min_ms, REDIAL_MIN_MS_DEFAULT);
        full.redial_max_ms = or_default(full.redial_max_ms, REDIAL_MAX_MS_DEFAULT);
        if (full.redial_max_ms < full.redial_min_ms)
                full.redial_max_ms = full.redial_min_ms;

        return full;
}

/* What is borrowed for longer than the call that makes the channel. False: out of memory. */
static bool own_options(struct pipit_channel_options *options)
{
        size_t n_bytes = options->n_server_uids * sizeof(*options->server_uids);
        uint32_t *uids = n_bytes > 0 ? malloc(n_bytes) : NULL;

        if (uids)
                memcpy(uids, options->server_uids, n_bytes);
        options->server_uids = uids;

        return uids || n_bytes == 0;
}

static bool fail_new(struct pipit_error *ret_error, enum client_reason reason, const char *detail)
{
        (void)snprintf(new_message, sizeof(new_message), "%s", detail);
        *ret_error = client_error(reason, PIPIT_NOT_RUN);
        ret_error->message = new_message;

        return false;
}

static bool fail_url(struct pipit_error *ret_error,
                     const char *url,
                     size_t n_bytes,
                     const char *problem)
{
        int n_shown = n_bytes > 128 ? 128 : (int)n_bytes;

        fail_new(ret_error, CLIENT_REASON_INVALID_TARGET, "");
        (void)snprintf(new_message, sizeof(new_message), "%.*s: %s", n_shown, url, problem);

        return false;
}

static size_t count_urls(const char *target)
{
        size_t n_urls = 1;

        for (; *target; target++)
                n_urls += *target == ',';

        return n_urls;
}

/* The keys of an address that has them: those that are missing are told of before anything is dialled. */
static bool find_keys(struct pipit_channel *channel,
                      const struct target_address *address,
                      struct pipit_error *ret_error)
{
        enum client_reason reason = CLIENT_REASON_SERVER_UNKNOWN;
        struct pipit_access_problem problem;

        if (address->scheme != TARGET_TCP || channel->options.insecure_plaintext)
                return true;
        if (!channel->keyring)
                channel->keyring = keyring_new(&channel->options, &reason, &problem);
        if (channel->keyring && keyring_find(channel->keyring, address->text, &problem))
                return true;

        return fail_new(ret_error, reason, problem.text);
}

static bool open_addresses(struct pipit_channel *channel,
                           const char *target,
                           struct pipit_error *ret_error)
{
        size_t n_urls = count_urls(target);
        const char *url = target;

        if (n_urls > TARGET_ADDRESSES_MAX)
                return fail_new(ret_error, CLIENT_REASON_INVALID_TARGET, "too many addresses");
        channel->addresses = calloc(n_urls, sizeof(*channel->addresses));
        if (!channel->addresses)
                return fail_new(ret_error, CLIENT_REASON_OUT_OF_MEMORY, "out of memory");

        for (size_t i = 0; i < n_urls; i++) {
                size_t n_bytes = strcspn(url, ",");
                struct target_address address;
                const char *problem;

                problem = target_parse_url(
                        url, n_bytes, channel->options.insecure_plaintext, &address);
                if (problem)
                        return fail_url(ret_error, url, n_bytes, problem);
                if (!find_keys(channel, &address, ret_error))
                        return false;
                channel->n_addresses++;
                if (!address_init(&channel->addresses[i], channel, &address, &problem))
                        return fail_new(ret_error, CLIENT_REASON_OUT_OF_MEMORY, problem);
                url += n_bytes + 1;
        }

        return true;
}

/* It is as an address of inproc://: it answers at once, and there is one way to it. */
static bool open_door(struct pipit_channel *channel, struct pipit_error *ret_error)
{
        static const struct target_address address = {
                .text = "in-process",
                .scheme = TARGET_INPROC,
                .n_endpoints = 1,
        };
        const char *problem;

        channel->addresses = calloc(1, sizeof(*channel->addresses));
        if (!channel->addresses)
                return fail_new(ret_error, CLIENT_REASON_OUT_OF_MEMORY, "out of memory");

        channel->n_addresses = 1;
        if (!address_init(&channel->addresses[0], channel, &address, &problem))
                return fail_new(ret_error, CLIENT_REASON_OUT_OF_MEMORY, problem);

        return true;
}

bool channel_is_forked(const struct pipit_channel *channel)
{
        return !fork_mark_is_own(channel->fork_mark);
}

static bool take_loop(struct pipit_channel *channel, struct pipit_error *ret_error)
{
        const char *problem;
        struct loop *loop = loops_take(LOOPS_OF_CHANNELS, &problem);

        if (!loop)
                return fail_new(ret_error, CLIENT_REASON_OUT_OF_MEMORY, problem);
        if (!loop_alarm_open(loop)) {
                loops_give_back(LOOPS_OF_CHANNELS, loop);
                return fail_new(ret_error, CLIENT_REASON_OUT_OF_MEMORY, "out of memory");
        }
        channel->source.on_asked = channel_keep;
        channel->loop = loop;

        return true;
}

/* Its addresses are closed: nobody wakes it any more. */
static void give_back_loops(struct pipit_channel *channel)
{
        if (channel->loop) {
                loop_forget(channel->loop, &channel->source);
                loop_pass(channel->loop);
                loop_alarm_close(channel->loop);
                loops_give_back(LOOPS_OF_CHANNELS, channel->loop);
        }
        if (channel->sockets_loop)
                loops_give_back(LOOPS_OF_SOCKETS, channel->sockets_loop);
}

static struct pipit_channel *channel_destroy(struct pipit_channel *channel)
{
        for (size_t i = 0; i < channel->n_addresses; i++)
                address_deinit(&channel->addresses[i]);
        give_back_loops(channel);
        free(channel->addresses);
        keyring_free(channel->keyring);
        free((void *)channel->options.server_uids);
        table_deinit(&channel->table);
        pthread_cond_destroy(&channel->idle);
        pthread_mutex_destroy(&channel->mutex);
        free(channel);

        return NULL;
}

static bool channel_open(struct pipit_channel *channel,
                         const char *target,
                         struct pipit_error *ret_error)
{
        bool is_own = own_options(&channel->options);

        table_init(&channel->table);
        pthread_mutex_init(&channel->mutex, NULL);
        pipit_cond_init(&channel->idle);
        list_init(&channel->waiting);
        channel->next_id = 1;
        channel->held_max = channel->options.n_lanes / 2;
        channel->expiry_us = PIPIT_NEVER_US;
        channel->fork_mark = fork_mark();

        if (!is_own)
                return fail_new(ret_error, CLIENT_REASON_OUT_OF_MEMORY, "out of memory");
        if (!take_loop(channel, ret_error))
                return false;
        if (!(target ? open_addresses(channel, target, ret_error) : open_door(channel, ret_error)))
                return false;

        channel_wake(channel);

        return true;
}

/* To @target, or where it is NULL by @door. */
static struct pipit_channel *channel_new(const char *target,
                                         struct pipit_inprocess *door,
                                         const struct pipit_channel_options *options,
                                         struct pipit_error *ret_error)
{
        struct pipit_error error = {0};
        struct pipit_channel *channel = calloc(1, sizeof(*channel));

        if (!channel) {
                (void)fail_new(&error, CLIENT_REASON_OUT_OF_MEMORY, "out of memory");
        } else if (!target && !door) {
                (void)fail_new(&error, CLIENT_REASON_INVALID_TARGET, "there is no target");
                free(channel);
        } else {
                channel->options = complete(options);
                channel->door = door;
                if (channel_open(channel, target, &error))
                        return channel;
                (void)channel_destroy(channel);
        }
        if (ret_error)
                *ret_error = error;

        return NULL;
}

struct pipit_channel *pipit_channel_new(const char *target,
                                        const struct pipit_channel_options *options,
                                        struct pipit_error *ret_error)
{
        return channel_new(target, NULL, options, ret_error);
}

struct pipit_channel *pipit_channel_new_inprocess(struct pipit_inprocess *server,
                                                  const struct pipit_channel_options *options,
                                                  struct pipit_error *ret_error)
{
        return channel_new(NULL, server, options, ret_error);
}

static void end_list(struct pipit_channel *channel, struct list *list)
{
        struct list *node, *after;

        list_for_each(node, after, list)
                channel_abandon(channel,
                                pipit_container_of(node, struct pipit_call_state, node),
                                CLIENT_REASON_CHANNEL_CLOSED,
                                &channel->endings);
}

static void end_everything(struct pipit_channel *channel)
{
        channel->is_closing = true;
        end_list(channel, &channel->waiting);
        for (size_t i = 0; i < channel->n_addresses; i++) {
                end_list(channel, &channel->addresses[i].queue);
                end_list(channel, &channel->addresses[i].sent);
                end_list(channel, &channel->addresses[i].limbo);
        }
        channel_wake(channel);
}

static void wait_for_handlers(struct pipit_channel *channel)
{
        for (size_t i = 0; i < channel->n_addresses; i++) {
                struct transport_socket *socket = channel->addresses[i].socket;

                if (socket->transport->wait_for_handlers)
                        socket->transport->wait_for_handlers(socket);
        }
}

/*
 * In-process, handlers of calls that are over may run yet, and start calls
 * through this channel, which end at once: while its housekeeping ends them.
 */
static void wait_until_unused(struct pipit_channel *channel)
{
        do {
                while (channel->n_active > 0)
                        pthread_cond_wait(&channel->idle, &channel->mutex);
                pthread_mutex_unlock(&channel->mutex);
                wait_for_handlers(channel);
                pthread_mutex_lock(&channel->mutex);
        } while (channel->n_active > 0);
}

struct pipit_channel *pipit_channel_free(struct pipit_channel *channel)
{
        if (!channel || call_is_in_done() || channel_is_forked(channel))
                return NULL;

        pthread_mutex_lock(&channel->mutex);
        end_everything(channel);
        wait_until_unused(channel);
        pthread_mutex_unlock(&channel->mutex);
        channel_part(channel);

        return channel_destroy(channel);
}
