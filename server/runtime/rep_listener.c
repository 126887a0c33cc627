#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "server/runtime/address.h"
#include "server/runtime/rep_stream.h"

/* How long nobody is accepted when there are no descriptors, or no memory. */
#define EXHAUSTED_MS 100

/* So many connections in a row, then it is the turn of others. */
#define ACCEPTS_MAX 64

/* How often a close looks again: nobody waits on a condition for it. */
#define CLOSE_LOOK_NS 1000000

static struct stream_endpoint *endpoint_of(struct rep_endpoint *base)
{
        return pipit_container_of(base, struct stream_endpoint, base);
}

/* --- accepting, on the keeper's thread ----------------------------------------- */

/* What accept4(2) says of a connection that broke before it was accepted, as of none. */
static bool is_exhausted(int error)
{
        return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static bool on_acceptable(struct rep_kept *kept, int64_t now_us)
{
        struct stream_endpoint *endpoint =
                pipit_container_of(kept, struct stream_endpoint, listener);

        for (int i = 0; i < ACCEPTS_MAX; ++i) {
                int fd = accept4(endpoint->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

                if (fd < 0 && is_exhausted(errno))
                        rep_keeper_pause(
                                rep_loop_keeper(endpoint->loop), kept, now_us, EXHAUSTED_MS);
                if (fd < 0)
                        return false;
                if (atomic_load(&endpoint->base.is_shut))
                        (void)close(fd);
                else
                        rep_stream_start(endpoint, fd);
        }

        return false;
}

/* --- listening --------------------------------------------------------------- */

/* tcp://127.0.0.1:0 becomes what it was given. errno, or 0. */
static int url_resolve(struct stream_endpoint *endpoint)
{
        const char *colon = strrchr(endpoint->base.url, ':');
        struct address bound = {};
        socklen_t n_bytes = sizeof(bound.sockaddr);
        in_port_t port;
        char *url;

        if (endpoint->framing != SP_TCP || !colon || atoi(colon + 1) != 0)
                return 0;
        if (getsockname(endpoint->fd, &bound.sockaddr.any, &n_bytes) != 0)
                return errno;

        port = bound.sockaddr.any.sa_family == AF_INET6 ? bound.sockaddr.in6.sin6_port
                                                        : bound.sockaddr.in.sin_port;
        if (asprintf(&url,
                     "%.*s:%u",
                     (int)(colon - endpoint->base.url),
                     endpoint->base.url,
                     (unsigned int)ntohs(port)) < 0)
                return ENOMEM;
        free(endpoint->base.url);
        endpoint->base.url = url;

        return 0;
}

/* Nobody can connect before it listens, so nobody finds other permissions. */
static bool file_set_up(struct stream_endpoint *endpoint, const struct address *address)
{
        const char *path = address->sockaddr.un.sun_path;
        struct stat stat_;

        if (stat(path, &stat_) != 0)
                return false;
        endpoint->file_device = stat_.st_dev;
        endpoint->file_inode = stat_.st_ino;

        return chmod(path, 0660) == 0;
}

static bool file_is_ours(const struct stream_endpoint *endpoint, const struct address *address)
{
        struct stat stat_;

        return lstat(address->sockaddr.un.sun_path, &stat_) == 0 &&
               stat_.st_dev == endpoint->file_device && stat_.st_ino == endpoint->file_inode;
}

static bool bind_and_listen(struct stream_endpoint *endpoint, const struct address *address)
{
        static const int on = 1;

        if (address->transport == REP_TRANSPORT_TCP &&
            setsockopt(endpoint->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
                return false;
        if (bind(endpoint->fd, &address->sockaddr.any, address->n_bytes) != 0)
                return false;
        if (address->transport == REP_TRANSPORT_IPC && !file_set_up(endpoint, address))
                return false;

        return listen(endpoint->fd, SOMAXCONN) == 0;
}

static void listener_close(struct stream_endpoint *endpoint)
{
        struct address address;

        if (endpoint->fd < 0)
                return;

        if (endpoint->framing == SP_IPC && address_parse(endpoint->base.url, &address) &&
            file_is_ours(endpoint, &address))
                (void)unlink(address.sockaddr.un.sun_path);
        (void)close(endpoint->fd);
        endpoint->fd = -1;
        /* The next file may be another's, and have the number that ours had. */
        endpoint->file_inode = 0;
}

/* errno, or 0. */
static int listener_open(struct stream_endpoint *endpoint)
{
        struct address address;
        int error = 0;

        if (!address_parse(endpoint->base.url, &address))
                return EINVAL;
        endpoint->fd = socket(
                address.sockaddr.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (endpoint->fd < 0)
                return errno;
        if (!bind_and_listen(endpoint, &address))
                error = errno;
        if (!error)
                error = url_resolve(endpoint);
        if (error) {
                listener_close(endpoint);
                return error;
        }

        endpoint->listener = (struct rep_kept){
                .on_ready = on_acceptable,
                .fd = endpoint->fd,
                .events = EPOLLIN,
        };
        rep_keeper_keep(rep_loop_keeper(endpoint->loop), &endpoint->listener);

        return 0;
}

/* --- endpoint ---------------------------------------------------------------- */

static enum pipit_status error_of(int error, struct pipit_error *ret_error)
{
        struct pipit_error made = pipit_error_make(
                PIPIT_UNAVAILABLE, PIPIT_NOT_RUN, "LISTEN_FAILED", strerrordesc_np(error));

        if (error == 0)
                return PIPIT_OK;
        if (error == EADDRINUSE)
                made.reason = "ADDRESS_IN_USE";
        if (error == ENOMEM) {
                made.status = PIPIT_RESOURCE_EXHAUSTED;
                made.reason = "OUT_OF_MEMORY";
        }
        if (ret_error)
                *ret_error = made;

        return made.status;
}

static enum pipit_status endpoint_listen(struct rep_endpoint *base,
                                         struct rep_loop *loop,
                                         struct pipit_error *ret_error)
{
        struct stream_endpoint *endpoint = endpoint_of(base);
        int error = rep_loop_start(loop);

        if (error)
                return error_of(error, ret_error);
        endpoint->loop = loop;
        endpoint->framing = base->transport == REP_TRANSPORT_TCP ? SP_TCP : SP_IPC;

        return error_of(listener_open(endpoint), ret_error);
}

static void end_stalled(struct stream_endpoint *endpoint)
{
        int64_t now_us = pipit_clock_now_us();
        struct list *node, *after;

        pthread_mutex_lock(&endpoint->mutex);
        list_for_each(node, after, &endpoint->streams) rep_stream_end_stalled(
                pipit_container_of(node, struct rep_stream, of_endpoint), now_us);
        pthread_mutex_unlock(&endpoint->mutex);
}

/* Who removes the file of a socket keeps all from connecting, and nobody tells the listener. */
static enum rep_state endpoint_look_after(struct rep_endpoint *base)
{
        struct stream_endpoint *endpoint = endpoint_of(base);
        struct address address;

        end_stalled(endpoint);
        if (endpoint->framing != SP_IPC || !address_parse(base->url, &address))
                return REP_LISTENS;
        if (endpoint->fd >= 0 && file_is_ours(endpoint, &address))
                return REP_LISTENS;
        /* Another process may have taken the path. */
        if (address_prepare(&address, NULL, NULL) != PIPIT_OK)
                return REP_DESERTED;

        if (endpoint->fd >= 0) {
                rep_keeper_release(rep_loop_keeper(endpoint->loop), &endpoint->listener);
                listener_close(endpoint);
        }

        return listener_open(endpoint) == 0 ? REP_LISTENS_ANEW : REP_DESERTED;
}

void stream_endpoint_sent(struct stream_endpoint *endpoint)
{
        atomic_fetch_sub(&endpoint->base.n_sending, 1);
}

void stream_endpoint_remove(struct stream_endpoint *endpoint, struct rep_stream *stream)
{
        pthread_mutex_lock(&endpoint->mutex);
        list_remove(&stream->of_endpoint);
        pthread_mutex_unlock(&endpoint->mutex);
}

/* Ends all streams there are. False: there are none any more. */
static bool end_streams(struct stream_endpoint *endpoint)
{
        struct list *node, *after;
        bool some;

        pthread_mutex_lock(&endpoint->mutex);
        some = !list_is_empty(&endpoint->streams);
        list_for_each(node, after, &endpoint->streams)
                rep_stream_shut_down(pipit_container_of(node, struct rep_stream, of_endpoint));
        pthread_mutex_unlock(&endpoint->mutex);

        return some;
}

static void endpoint_close(struct rep_endpoint *base)
{
        struct stream_endpoint *endpoint = endpoint_of(base);
        static const struct timespec pause = {.tv_nsec = CLOSE_LOOK_NS};

        if (endpoint->fd >= 0) {
                rep_keeper_release(rep_loop_keeper(endpoint->loop), &endpoint->listener);
                listener_close(endpoint);
        }

        while (end_streams(endpoint) || atomic_load(&base->n_sending) > 0)
                (void)nanosleep(&pause, NULL);
}

struct rep_endpoint *stream_endpoint_new(void)
{
        struct stream_endpoint *endpoint = calloc(1, sizeof(*endpoint));

        if (!endpoint)
                return NULL;
        endpoint->fd = -1;
        list_init(&endpoint->streams);
        pthread_mutex_init(&endpoint->mutex, NULL);

        return &endpoint->base;
}

static void endpoint_free(struct rep_endpoint *base)
{
        struct stream_endpoint *endpoint = endpoint_of(base);

        pthread_mutex_destroy(&endpoint->mutex);
        free(base->url);
        free(endpoint);
}

const struct rep_endpoint_operations stream_endpoint_operations = {
        .free = endpoint_free,
        .listen = endpoint_listen,
        .look_after = endpoint_look_after,
        .close = endpoint_close,
};
