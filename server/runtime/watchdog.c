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
#include "server/runtime/address.h"
#include "server/runtime/nng_rep.h"

/* How long a listener may take to greet. */
#define GREETING_MS 1000

/* So many silent dials in a row, and it is deaf: one may be bad luck on a loaded machine. */
#define SILENT_MAX 2

/* What both sides of an SP connection send first; the client is REQ0, the server REP0. */
#define GREETING_BYTES 8
static const uint8_t greeting_sent[GREETING_BYTES] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};
static const uint8_t greeting_expected[GREETING_BYTES] = {0, 'S', 'P', 0, 0, 0x31, 0, 0};

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

/* --- probe --------------------------------------------------------------- */

static bool wait_for(int fd, short events, int64_t until_us)
{
        struct pollfd poll_fd = {.fd = fd, .events = events};
        int64_t left_us = until_us - pipit_clock_now_us();

        return left_us > 0 && poll(&poll_fd, 1, (int)(left_us / PIPIT_US_PER_MS) + 1) > 0;
}

static bool greet(int fd, int64_t until_us)
{
        uint8_t greeting[GREETING_BYTES];
        size_t n = 0;

        if (!wait_for(fd, POLLOUT, until_us) ||
            send(fd, greeting_sent, sizeof(greeting_sent), MSG_NOSIGNAL) != GREETING_BYTES)
                return false;

        while (n < sizeof(greeting)) {
                ssize_t got;

                if (!wait_for(fd, POLLIN, until_us))
                        return false;
                got = recv(fd, greeting + n, sizeof(greeting) - n, 0);
                if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
                        return false;
                if (got > 0)
                        n += (size_t)got;
        }

        return memcmp(greeting, greeting_expected, sizeof(greeting)) == 0;
}

static bool answers(const char *url)
{
        int64_t until_us = pipit_clock_now_us() + GREETING_MS * PIPIT_US_PER_MS;
        struct address address;
        bool greeted = false;
        int fd;

        if (!address_parse(url, &address))
                return true;

        fd = socket(address.sockaddr.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return true;
        if (connect(fd, &address.sockaddr.any, address.n_bytes) == 0 || errno == EINPROGRESS)
                greeted = greet(fd, until_us);
        (void)close(fd);

        return greeted;
}

static void probe(struct watchdog *watchdog, size_t index)
{
        struct rep_endpoint *endpoint = watchdog->endpoints[index];
        const char *url = rep_endpoint_url(endpoint);
        enum pipit_status status;

        if (rep_endpoint_transport(endpoint) == REP_TRANSPORT_INPROC)
                return;
        if (answers(url)) {
                watchdog->n_silent[index] = 0;
                return;
        }
        if (++watchdog->n_silent[index] < SILENT_MAX)
                return;

        watchdog->n_silent[index] = 0;
        status = rep_endpoint_listen_again(endpoint);
        pipit_log_line(watchdog->log,
                       PIPIT_LOG_WARNING,
                       "a listener did not answer; listening anew",
                       PIPIT_LOG_STRING("url", url),
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
