#include "client/probe.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"

/* SP: a version, then the protocol of the sender. */
#define SP_REQ 0x30
#define SP_REP 0x31

#define STOP_WAIT_MS 100

static const uint8_t request_head[8] = {0, 'S', 'P', 0, 0, SP_REQ, 0, 0};
static const uint8_t reply_head[8] = {0, 'S', 'P', 0, 0, SP_REP, 0, 0};

void probe_start(struct probe *probe, int64_t now_us)
{
        probe->state = PROBE_CONNECTING;
        probe->fd = -1;
        probe->n_head_bytes = 0;
        probe->deadline_us = now_us + PROBE_TIMEOUT_MS * PIPIT_US_PER_MS;
}

static void finish(struct probe *probe)
{
        if (probe->fd >= 0)
                close(probe->fd);
        probe->fd = -1;
        probe->state = PROBE_IDLE;
}

/* Zero: connected. EINPROGRESS: not yet. */
static int connect_begin(struct probe *probe, const struct target_endpoint *endpoint)
{
        const struct sockaddr *address = (const struct sockaddr *)&endpoint->address;

        probe->fd =
                socket(endpoint->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (probe->fd < 0)
                return errno;
        if (connect(probe->fd, address, endpoint->n_address_bytes) == 0)
                return 0;

        return errno;
}

static int connect_check(struct probe *probe)
{
        struct pollfd poll_fd = {.fd = probe->fd, .events = POLLOUT};
        socklen_t n_bytes = sizeof(int);
        int error = 0;

        if (poll(&poll_fd, 1, 0) == 0)
                return EINPROGRESS;
        if (getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &error, &n_bytes) < 0)
                return errno;

        return error;
}

/* EAGAIN on a unix socket: its backlog is full, so somebody is there, but not now. */
static int step_connect(struct probe *probe, const struct target_endpoint *endpoint)
{
        int error = probe->fd < 0 ? connect_begin(probe, endpoint) : connect_check(probe);

        if (!error)
                probe->state = PROBE_WRITING;

        return error == EAGAIN ? EBUSY : error;
}

static int step_write(struct probe *probe)
{
        ssize_t n_bytes;

        n_bytes = send(probe->fd,
                       request_head + probe->n_head_bytes,
                       sizeof(request_head) - probe->n_head_bytes,
                       MSG_NOSIGNAL);
        if (n_bytes < 0)
                return errno == EPIPE ? ECONNRESET : errno;

        probe->n_head_bytes += (size_t)n_bytes;
        if (probe->n_head_bytes == sizeof(request_head)) {
                probe->state = PROBE_READING;
                probe->n_head_bytes = 0;
        }

        return 0;
}

static int step_read(struct probe *probe)
{
        ssize_t n_bytes;

        n_bytes = recv(probe->fd,
                       probe->head + probe->n_head_bytes,
                       sizeof(probe->head) - probe->n_head_bytes,
                       0);
        if (n_bytes < 0)
                return errno;
        if (n_bytes == 0)
                return ECONNRESET;

        probe->n_head_bytes += (size_t)n_bytes;
        if (probe->n_head_bytes < sizeof(probe->head))
                return 0;
        if (memcmp(probe->head, reply_head, sizeof(reply_head)) != 0)
                return EPROTO;
        probe->state = PROBE_IDLE;

        return 0;
}

static int step_once(struct probe *probe, const struct target_endpoint *endpoint)
{
        switch (probe->state) {
        case PROBE_CONNECTING:
                return step_connect(probe, endpoint);
        case PROBE_WRITING:
                return step_write(probe);
        case PROBE_READING:
                return step_read(probe);
        case PROBE_IDLE:
                break;
        }

        return 0;
}

enum probe_result probe_step(struct probe *probe,
                             const struct target_endpoint *endpoint,
                             int64_t now_us,
                             int *ret_errno)
{
        int error = 0;

        while (!error && probe->state != PROBE_IDLE)
                error = step_once(probe, endpoint);
        if (error == EINTR)
                return PROBE_PENDING;
        if (error == EINPROGRESS || error == EAGAIN) {
                if (now_us < probe->deadline_us)
                        return PROBE_PENDING;
                error = ETIMEDOUT;
        }

        finish(probe);
        *ret_errno = error;

        return error ? PROBE_FAILED : PROBE_REACHED;
}

bool probe_poll(const struct probe *probe, int *ret_fd, short *ret_events)
{
        if (probe->state == PROBE_IDLE || probe->fd < 0)
                return false;

        *ret_fd = probe->fd;
        *ret_events = probe->state == PROBE_READING ? POLLIN : POLLOUT;

        return true;
}

void probe_stop(struct probe *probe)
{
        struct pollfd poll_fd;

        if (probe->state == PROBE_IDLE)
                return;
        if (probe_poll(probe, &poll_fd.fd, &poll_fd.events))
                (void)poll(&poll_fd, 1, STOP_WAIT_MS);
        finish(probe);
}
