#include "server/runtime/backlog.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/rpc/wire_limits.h"

#define N_SHARDS     64
#define N_EVENTS_MAX 64

/* How often the writer looks for peers that do not read, while there are rests. */
#define LOOK_MS 500

/* What is left of one message. */
struct rest {
        struct rest *next; /* in its shard */
        int fd;
        size_t n_bytes;
        size_t n_sent;
        int64_t since_us; /* nothing of it was taken */
        uint8_t bytes[];
};

struct shard {
        pthread_mutex_t mutex;
        struct rest *first; /* mutex */
        atomic_size_t n_rests;
};

static struct shard shards[N_SHARDS] = {
        [0 ... N_SHARDS - 1] = {.mutex = PTHREAD_MUTEX_INITIALIZER},
};

static atomic_size_t n_waiting_bytes;
static atomic_size_t n_waiting;
static pthread_once_t writer_once = PTHREAD_ONCE_INIT;
static int writer_fd = -1; /* its epoll; -1: there is no writer */
static int wake_fd = -1;   /* an eventfd: there is a rest, after there was none */

static struct shard *shard_of(int fd)
{
        return &shards[(unsigned)fd % N_SHARDS];
}

/* Mutex held, as in all that follow up to the writer. The link that points to it, or to NULL. */
static struct rest **find(struct shard *shard, int fd)
{
        struct rest **link = &shard->first;

        while (*link && (*link)->fd != fd)
                link = &(*link)->next;

        return link;
}

static void drop(struct shard *shard, struct rest **link)
{
        struct rest *rest = *link;

        *link = rest->next;
        atomic_fetch_sub(&shard->n_rests, 1);
        atomic_fetch_sub(&n_waiting, 1);
        atomic_fetch_sub(&n_waiting_bytes, rest->n_bytes - rest->n_sent);
        free(rest);
}

/* What followed would be read as the rest of it: so nothing does. */
static void give_up(struct shard *shard, struct rest **link)
{
        if ((*link)->n_sent < (*link)->n_bytes)
                (void)shutdown((*link)->fd, SHUT_RDWR);
        drop(shard, link);
}

/* False: the connection takes no more for now. One that fails takes no more at all. */
static bool write_rest(struct rest *rest)
{
        while (rest->n_sent < rest->n_bytes) {
                ssize_t n = send(rest->fd,
                                 rest->bytes + rest->n_sent,
                                 rest->n_bytes - rest->n_sent,
                                 MSG_NOSIGNAL | MSG_DONTWAIT);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return errno != EAGAIN && errno != EWOULDBLOCK;
                rest->n_sent += (size_t)n;
                rest->since_us = pipit_clock_now_us();
                atomic_fetch_sub(&n_waiting_bytes, (size_t)n);
        }

        return true;
}

static bool watch(int fd)
{
        struct epoll_event event = {.events = EPOLLOUT | EPOLLONESHOT, .data.fd = fd};

        return epoll_ctl(writer_fd, EPOLL_CTL_MOD, fd, &event) == 0 ||
               (errno == ENOENT && epoll_ctl(writer_fd, EPOLL_CTL_ADD, fd, &event) == 0);
}

/* --- the writer ------------------------------------------------------------ */

static void go_on(int fd)
{
        struct shard *shard = shard_of(fd);
        struct rest **link;

        pthread_mutex_lock(&shard->mutex);
        link = find(shard, fd);
        if (*link && (write_rest(*link) || !watch(fd)))
                give_up(shard, link);
        pthread_mutex_unlock(&shard->mutex);
}

static void give_up_older_than(struct shard *shard, int64_t before_us)
{
        struct rest **link;

        if (atomic_load(&shard->n_rests) == 0)
                return;

        pthread_mutex_lock(&shard->mutex);
        for (link = &shard->first; *link;) {
                if ((*link)->since_us < before_us)
                        give_up(shard, link);
                else
                        link = &(*link)->next;
        }
        pthread_mutex_unlock(&shard->mutex);
}

static void wake_up(void)
{
        uint64_t n_wakes;

        (void)!read(wake_fd, &n_wakes, sizeof(n_wakes));
}

static void *writer_main(void *argument)
{
        struct epoll_event events[N_EVENTS_MAX];

        (void)argument;
        for (;;) {
                int timeout_ms = atomic_load(&n_waiting) > 0 ? LOOK_MS : -1;
                int n = epoll_wait(writer_fd, events, N_EVENTS_MAX, timeout_ms);
                int64_t before_us = pipit_clock_now_us() - PIPIT_SEND_TIMEOUT_MS * PIPIT_US_PER_MS;

                for (int i = 0; i < n; ++i) {
                        if (events[i].data.fd == wake_fd)
                                wake_up();
                        else
                                go_on(events[i].data.fd);
                }
                for (size_t i = 0; i < N_SHARDS; ++i)
                        give_up_older_than(&shards[i], before_us);
        }

        return NULL;
}

static void writer_start(void)
{
        struct epoll_event event = {.events = EPOLLIN};
        int fd = epoll_create1(EPOLL_CLOEXEC);
        sigset_t all, before;
        pthread_t thread;
        int error;

        wake_fd = event.data.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (fd < 0 || wake_fd < 0 || epoll_ctl(fd, EPOLL_CTL_ADD, wake_fd, &event) != 0)
                return; /* what was opened stays: it is tried once */

        writer_fd = fd;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        error = pthread_create(&thread, NULL, writer_main, NULL);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (error)
                writer_fd = -1;
        else
                pthread_detach(thread);
}

/* --- sending --------------------------------------------------------------- */

static struct rest *rest_new(int fd, const struct msghdr *message, size_t n_sent)
{
        size_t n_bytes = 0;
        struct rest *rest;
        uint8_t *to;

        for (size_t i = 0; i < message->msg_iovlen; i++)
                n_bytes += message->msg_iov[i].iov_len;
        rest = malloc(sizeof(*rest) + n_bytes - n_sent);
        if (!rest)
                return NULL;

        *rest = (struct rest){
                .fd = fd,
                .n_bytes = n_bytes - n_sent,
                .since_us = pipit_clock_now_us(),
        };
        to = rest->bytes;
        for (size_t i = 0; i < message->msg_iovlen; i++) {
                const struct iovec *part = &message->msg_iov[i];
                size_t n_skipped = n_sent < part->iov_len ? n_sent : part->iov_len;

                n_sent -= n_skipped;
                if (n_skipped == part->iov_len)
                        continue;
                memcpy(to, (const uint8_t *)part->iov_base + n_skipped, part->iov_len - n_skipped);
                to += part->iov_len - n_skipped;
        }

        return rest;
}

static bool keep(struct rest *rest)
{
        struct shard *shard = shard_of(rest->fd);
        uint64_t one = 1;
        bool is_first;

        pthread_once(&writer_once, writer_start);
        if (writer_fd < 0)
                return false;

        pthread_mutex_lock(&shard->mutex);
        rest->next = shard->first;
        shard->first = rest;
        atomic_fetch_add(&shard->n_rests, 1);
        is_first = atomic_fetch_add(&n_waiting, 1) == 0;
        atomic_fetch_add(&n_waiting_bytes, rest->n_bytes);
        if (!watch(rest->fd))
                give_up(shard, &shard->first);
        pthread_mutex_unlock(&shard->mutex);
        if (is_first)
                (void)!write(wake_fd, &one, sizeof(one));

        return true;
}

/* False: what was kept is still kept, in part at least. */
static bool is_written(int fd)
{
        struct shard *shard = shard_of(fd);
        struct rest **link;
        bool written = true;

        if (atomic_load(&shard->n_rests) == 0)
                return true;

        pthread_mutex_lock(&shard->mutex);
        link = find(shard, fd);
        if (*link) {
                written = write_rest(*link);
                if (written)
                        give_up(shard, link);
        }
        pthread_mutex_unlock(&shard->mutex);

        return written;
}

ssize_t backlog_send(backlog_send_fn send_now, int fd, const struct msghdr *message, int flags)
{
        size_t n_bytes = 0;
        struct rest *rest;
        ssize_t n;

        if (!is_written(fd)) {
                errno = EAGAIN;
                return -1;
        }

        n = send_now(fd, message, flags);
        for (size_t i = 0; i < message->msg_iovlen; i++)
                n_bytes += message->msg_iov[i].iov_len;
        if (n < 0 || (size_t)n == n_bytes)
                return n;

        rest = rest_new(fd, message, (size_t)n);
        if (!rest)
                return n;
        if (!keep(rest)) {
                free(rest);
                return n;
        }

        return (ssize_t)n_bytes;
}

void backlog_drop(int fd)
{
        struct shard *shard = shard_of(fd);
        struct rest **link;

        if (atomic_load(&shard->n_rests) == 0)
                return;

        pthread_mutex_lock(&shard->mutex);
        link = find(shard, fd);
        if (*link)
                drop(shard, link);
        pthread_mutex_unlock(&shard->mutex);
}

size_t backlog_n_bytes(void)
{
        return atomic_load(&n_waiting_bytes);
}
