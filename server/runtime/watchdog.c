#include "server/runtime/watchdog.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/rpc/frame.h"
#include "server/runtime/address.h"
#include "server/runtime/nng_rep.h"

/* How long a listener may take to bring the pipe and the server to answer. */
#define ANSWER_MS 1000

/* So many silent dials in a row, and it is deaf. */
#define SILENT_MAX 3

/* So many turns of nng's threads must pass after a silent dial: were they only busy, they would have come to it. */
#define TURNS 20

/*
 * A deaf listener still greets: only no pipe comes of it. So the probe is a
 * whole client: the greeting of REQ0, and an empty Request as frame.
 */
#define GREETING 0, 'S', 'P', 0, 0, 0x30, 0, 0
#define LENGTH   0, 0, 0, 0, 0, 0, 0, 8
#define REQUEST  0x80, 0, 0, 1, 'P', 'I', PIPIT_FRAME_VERSION, PIPIT_FRAME_REQUEST

static const uint8_t probe_ipc[] = {GREETING, 1, LENGTH, REQUEST};
static const uint8_t probe_tcp[] = {GREETING, LENGTH, REQUEST};

/* What the server sends before its answer. */
#define GREETING_BYTES 8

struct watchdog {
        struct rep_endpoint *const *endpoints;
        size_t n_endpoints;
        uint32_t period_ms;
        struct pipit_log *log;

        pthread_t thread;
        pthread_mutex_t mutex;
        pthread_cond_t changed;
        bool ending;         /* mutex */
        unsigned n_silent[]; /* an endpoint */
};

/*
 * To listen anew closes the pipes that there are, so a loaded machine must not
 * look like a deaf listener: only what is certain counts as silent, all else as heard.
 */
enum hearing {
        HEARD,
        SILENT,   /* greeted, and nothing came of it though nng's threads run */
        DESERTED, /* nobody listens there */
};

/* --- probe --------------------------------------------------------------- */

static bool wait_for(int fd, short events, int64_t until_us)
{
        struct pollfd poll_fd = {.fd = fd, .events = events};
        int64_t left_us = until_us - pipit_clock_now_us();

        return left_us > 0 && poll(&poll_fd, 1, (int)(left_us / PIPIT_US_PER_MS) + 1) > 0;
}

/* Whether it greeted and then did no more: neither answered nor hung up. */
static bool only_greets(int fd, const struct address *address, int64_t until_us)
{
        bool ipc = address->transport == REP_TRANSPORT_IPC;
        const uint8_t *sent = ipc ? probe_ipc : probe_tcp;
        size_t n_sent = ipc ? sizeof(probe_ipc) : sizeof(probe_tcp);
        uint8_t bytes[64];
        size_t n = 0;

        if (!wait_for(fd, POLLOUT, until_us) || send(fd, sent, n_sent, MSG_NOSIGNAL) < 0)
                return false;

        while (wait_for(fd, POLLIN, until_us)) {
                ssize_t got = recv(fd, bytes, sizeof(bytes), 0);

                if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
                        return false;
                if (got > 0)
                        n += (size_t)got;
                if (n > GREETING_BYTES)
                        return false;
        }

        return n == GREETING_BYTES;
}

static enum hearing listen_to(const struct rep_endpoint *endpoint)
{
        int64_t until_us = pipit_clock_now_us() + ANSWER_MS * PIPIT_US_PER_MS;
        uint64_t n_added = rep_endpoint_n_added(endpoint);
        struct address address;
        enum hearing hearing = HEARD;
        int fd;

        if (!address_parse(rep_endpoint_url(endpoint), &address))
                return HEARD;

        fd = socket(address.sockaddr.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return HEARD;
        if (connect(fd, &address.sockaddr.any, address.n_bytes) != 0 && errno != EINPROGRESS)
                hearing = errno == ECONNREFUSED || errno == ENOENT ? DESERTED : HEARD;
        else if (only_greets(fd, &address, until_us) && rep_turns_pass(TURNS) &&
                 rep_endpoint_n_added(endpoint) == n_added)
                hearing = SILENT;
        (void)close(fd);

        return hearing;
}

static void probe(struct watchdog *watchdog, size_t index)
{
        struct rep_endpoint *endpoint = watchdog->endpoints[index];
        enum pipit_status status;

        if (rep_endpoint_transport(endpoint) == REP_TRANSPORT_INPROC)
                return;
        if (listen_to(endpoint) == HEARD) {
                watchdog->n_silent[index] = 0;
                return;
        }
        if (++watchdog->n_silent[index] < SILENT_MAX)
                return;

        status = rep_endpoint_listen_again(endpoint);
        /* What failed is tried again next time. */
        watchdog->n_silent[index] = status == PIPIT_OK ? 0 : SILENT_MAX - 1;
        pipit_log_line(watchdog->log,
                       PIPIT_LOG_WARNING,
                       "a listener did not answer; listening anew",
                       PIPIT_LOG_STRING("url", rep_endpoint_url(endpoint)),
                       PIPIT_LOG_STRING("status", pipit_status_name(status)));
}

/* --- thread -------------------------------------------------------------- */

/* With the mutex. False: it is over. */
static bool pause_until(struct watchdog *watchdog, int64_t until_us)
{
        struct timespec until = {
                .tv_sec = (time_t)(until_us / PIPIT_US_PER_S),
                .tv_nsec = (long)(until_us % PIPIT_US_PER_S) * 1000,
        };

        while (!watchdog->ending && pipit_clock_now_us() < until_us)
                (void)pthread_cond_timedwait(&watchdog->changed, &watchdog->mutex, &until);

        return !watchdog->ending;
}

static void *watchdog_main(void *argument)
{
        struct watchdog *watchdog = argument;

        pthread_mutex_lock(&watchdog->mutex);
        while (pause_until(watchdog,
                           pipit_clock_now_us() + watchdog->period_ms * PIPIT_US_PER_MS)) {
                pthread_mutex_unlock(&watchdog->mutex);
                for (size_t i = 0; i < watchdog->n_endpoints; ++i) {
                        probe(watchdog, i);
                        rep_endpoint_trim(watchdog->endpoints[i]);
                }
                pthread_mutex_lock(&watchdog->mutex);
        }
        pthread_mutex_unlock(&watchdog->mutex);

        return NULL;
}

struct watchdog *watchdog_new(struct rep_endpoint *const *endpoints,
                              size_t n_endpoints,
                              uint32_t period_ms,
                              struct pipit_log *log)
{
        struct watchdog *watchdog =
                calloc(1, sizeof(*watchdog) + n_endpoints * sizeof(watchdog->n_silent[0]));
        pthread_condattr_t attributes;

        if (!watchdog)
                return NULL;

        watchdog->endpoints = endpoints;
        watchdog->n_endpoints = n_endpoints;
        watchdog->period_ms = period_ms;
        watchdog->log = log;
        pthread_mutex_init(&watchdog->mutex, NULL);
        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(&watchdog->changed, &attributes);
        pthread_condattr_destroy(&attributes);

        if (pthread_create(&watchdog->thread, NULL, watchdog_main, watchdog) != 0) {
                pthread_cond_destroy(&watchdog->changed);
                pthread_mutex_destroy(&watchdog->mutex);
                free(watchdog);
                return NULL;
        }

        return watchdog;
}

struct watchdog *watchdog_free(struct watchdog *watchdog)
{
        if (!watchdog)
                return NULL;

        pthread_mutex_lock(&watchdog->mutex);
        watchdog->ending = true;
        pthread_cond_signal(&watchdog->changed);
        pthread_mutex_unlock(&watchdog->mutex);
        pthread_join(watchdog->thread, NULL);
        pthread_cond_destroy(&watchdog->changed);
        pthread_mutex_destroy(&watchdog->mutex);
        free(watchdog);

        return NULL;
}
