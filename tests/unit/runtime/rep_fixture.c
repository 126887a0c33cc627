#include "tests/unit/runtime/rep_fixture.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "server/runtime/address.h"

/* --- clock ------------------------------------------------------------------ */

static _Atomic int64_t moved_us;

int64_t __real_pipit_clock_now_us(void);
int64_t __wrap_pipit_clock_now_us(void);

int64_t __wrap_pipit_clock_now_us(void)
{
        return __real_pipit_clock_now_us() + atomic_load(&moved_us);
}

void rep_fixture_move_clock(uint32_t ms)
{
        atomic_fetch_add(&moved_us, ms * PIPIT_US_PER_MS);
}

/* --- handlers --------------------------------------------------------------- */

void rep_fixture_count(struct rep_fixture *fixture, unsigned int *counter)
{
        pthread_mutex_lock(&fixture->mutex);
        ++*counter;
        pthread_cond_broadcast(&fixture->changed);
        pthread_mutex_unlock(&fixture->mutex);
}

static bool pipe_added(void *self,
                       struct rep_endpoint *endpoint,
                       uint32_t pipe,
                       const struct rep_pipe_identity *identity)
{
        struct rep_fixture *fixture = self;

        (void)endpoint;
        (void)pipe;
        (void)identity;
        rep_fixture_count(fixture, &fixture->n_added);

        return true;
}

static void pipe_removed(void *self, uint32_t pipe)
{
        struct rep_fixture *fixture = self;

        (void)pipe;
        rep_fixture_count(fixture, &fixture->n_removed);
}

void rep_fixture_answer(struct rep_fixture *fixture,
                        struct rep_context *context,
                        struct rep_message *message)
{
        context->peer = (struct peer *)(void *)fixture;
        rep_context_answer(context, message);
}

static void received(void *self,
                     struct rep_context *context,
                     struct rep_message *message,
                     uint32_t pipe,
                     bool last)
{
        struct rep_fixture *fixture = self;
        struct rep_message *answer;

        (void)pipe;
        (void)last;
        if (fixture->take) {
                fixture->take(fixture, context, message);
                return;
        }

        answer = rep_message_new(rep_message_n_bytes(message));
        if (!answer)
                abort();
        memcpy(rep_message_bytes(answer), rep_message_bytes(message), rep_message_n_bytes(message));
        rep_message_free(message);
        rep_fixture_answer(fixture, context, answer);
}

static void sent(void *self, struct peer *peer, size_t n_bytes, bool stuck)
{
        struct rep_fixture *fixture = self;

        if ((void *)peer != self)
                abort();
        pthread_mutex_lock(&fixture->mutex);
        ++fixture->n_sent;
        fixture->n_sent_bytes += n_bytes;
        fixture->n_stuck += stuck;
        pthread_cond_broadcast(&fixture->changed);
        pthread_mutex_unlock(&fixture->mutex);
        if (fixture->told)
                fixture->told(fixture);
}

static const struct rep_handlers handlers = {
        .pipe_added = pipe_added,
        .pipe_removed = pipe_removed,
        .received = received,
        .sent = sent,
};

/* --- fixture ---------------------------------------------------------------- */

void rep_fixture_start(struct rep_fixture *fixture, enum rep_transport transport)
{
        const struct rep_options options = {
                .receive_bytes_max = RECEIVE_BYTES_MAX,
                .send_timeout_ms = TIMEOUT_MS,
                .receive_timeout_ms = TIMEOUT_MS,
                .contexts_max = 1000000,
                .n_contexts = &fixture->n_contexts,
        };
        const char *temporary = getenv("TMPDIR");
        char url[128];

        pthread_mutex_init(&fixture->mutex, NULL);
        pthread_cond_init(&fixture->changed, NULL);
        fixture->framing = transport == REP_TRANSPORT_IPC ? SP_IPC : SP_TCP;
        (void)snprintf(fixture->directory,
                       sizeof(fixture->directory),
                       "%.40s/pipit-XXXXXX",
                       temporary ? temporary : "/tmp");
        assert_non_null(mkdtemp(fixture->directory));
        if (transport == REP_TRANSPORT_IPC)
                (void)snprintf(url, sizeof(url), "ipc://%s/socket", fixture->directory);
        else
                (void)snprintf(url, sizeof(url), "tcp://127.0.0.1:0");

        fixture->loop = rep_loop_new();
        assert_non_null(fixture->loop);
        fixture->endpoint = rep_endpoint_new(url, transport, &options, &handlers, fixture);
        assert_non_null(fixture->endpoint);
        assert_int_equal(rep_endpoint_listen(fixture->endpoint, fixture->loop, NULL), PIPIT_OK);
}

void rep_fixture_stop(struct rep_fixture *fixture)
{
        rep_endpoint_shut(fixture->endpoint);
        while (rep_endpoint_n_taken(fixture->endpoint) > 0)
                sched_yield();
        rep_endpoint_close(fixture->endpoint);
        fixture->loop = rep_loop_free(fixture->loop);
        assert_int_equal(fixture->n_removed, fixture->n_added);
        assert_int_equal(atomic_load(&fixture->n_contexts), 0);
        assert_int_equal(rep_endpoint_n_sending(fixture->endpoint), 0);
        fixture->endpoint = rep_endpoint_free(fixture->endpoint);
        assert_int_equal(rmdir(fixture->directory), 0);
        pthread_cond_destroy(&fixture->changed);
        pthread_mutex_destroy(&fixture->mutex);
}

bool rep_fixture_wait_ms(struct rep_fixture *fixture,
                         const unsigned int *counter,
                         unsigned int n,
                         int64_t ms)
{
        struct timespec until;
        int error = 0;
        bool is_there;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += ms % 1000 * 1000000;
        until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;

        pthread_mutex_lock(&fixture->mutex);
        while (*counter < n && error == 0)
                error = pthread_cond_timedwait(&fixture->changed, &fixture->mutex, &until);
        is_there = *counter >= n;
        pthread_mutex_unlock(&fixture->mutex);

        return is_there;
}

void rep_fixture_wait(struct rep_fixture *fixture, const unsigned int *counter, unsigned int n)
{
        assert_true(rep_fixture_wait_ms(fixture, counter, n, WAIT_MS));
}

unsigned int rep_fixture_read(struct rep_fixture *fixture, const unsigned int *counter)
{
        unsigned int n;

        pthread_mutex_lock(&fixture->mutex);
        n = *counter;
        pthread_mutex_unlock(&fixture->mutex);

        return n;
}

/* --- peers ------------------------------------------------------------------ */

static struct address address_of(const struct rep_fixture *fixture)
{
        struct address address;

        assert_true(address_parse(rep_endpoint_url(fixture->endpoint), &address));

        return address;
}

int peer_socket(const struct rep_fixture *fixture)
{
        const struct address address = address_of(fixture);
        const struct timeval patience = {.tv_sec = WAIT_MS / 1000};
        int fd = socket(address.sockaddr.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)), 0);

        return fd;
}

void peer_connect_at(const struct rep_fixture *fixture, int fd)
{
        const struct address address = address_of(fixture);

        assert_int_equal(connect(fd, &address.sockaddr.any, address.n_bytes), 0);
}

int peer_connect(const struct rep_fixture *fixture)
{
        int fd = peer_socket(fixture);

        peer_connect_at(fixture, fd);

        return fd;
}

void peer_greet(int fd)
{
        uint8_t greeting[SP_GREETING_BYTES];

        peer_write(fd, pipit_sp_greeting_of_client, SP_GREETING_BYTES);
        assert_int_equal(peer_read(fd, greeting, sizeof(greeting)), sizeof(greeting));
        assert_memory_equal(greeting, pipit_sp_greeting_of_server, sizeof(greeting));
}

int peer_connect_greeted(const struct rep_fixture *fixture)
{
        int fd = peer_connect(fixture);

        peer_greet(fd);

        return fd;
}

bool peer_try_to_write(int fd, const void *bytes, size_t n_bytes)
{
        const uint8_t *from = bytes;

        while (n_bytes > 0) {
                ssize_t n = send(fd, from, n_bytes, MSG_NOSIGNAL);

                if (n < 0)
                        return false;
                from += n;
                n_bytes -= (size_t)n;
        }

        return true;
}

void peer_write(int fd, const void *bytes, size_t n_bytes)
{
        assert_true(peer_try_to_write(fd, bytes, n_bytes));
}

void peer_wait_read(int fd)
{
        int n_left = 1;

        while (n_left > 0) {
                assert_int_equal(ioctl(fd, SIOCOUTQ, &n_left), 0);
                sched_yield();
        }
}

size_t peer_read(int fd, void *bytes, size_t n_bytes)
{
        uint8_t *to = bytes;
        size_t n_read = 0;

        while (n_read < n_bytes) {
                ssize_t n = recv(fd, to + n_read, n_bytes - n_read, 0);

                assert_true(n >= 0 || errno == ECONNRESET);
                if (n <= 0)
                        break;
                n_read += (size_t)n;
        }

        return n_read;
}

void peer_assert_hung_up(int fd)
{
        uint8_t byte;

        assert_int_equal(peer_read(fd, &byte, 1), 0);
}

static void word_write(uint8_t *to, uint32_t word)
{
        for (int i = 0; i < SP_ID_BYTES; ++i)
                to[i] = (uint8_t)(word >> (24 - 8 * i));
}

size_t message_write(const struct rep_fixture *fixture,
                     uint8_t *to,
                     uint32_t id,
                     size_t n_words,
                     const void *frame,
                     size_t n_frame)
{
        size_t n_head = pipit_sp_head_bytes(fixture->framing);
        size_t n_word_bytes = n_words * SP_ID_BYTES;
        uint8_t *words = to + n_head;

        (void)pipit_sp_head_write(words, fixture->framing, n_word_bytes + n_frame);
        for (size_t i = 0; i + 1 < n_words; ++i)
                word_write(words + i * SP_ID_BYTES, (uint32_t)(id + i) & ~SP_ID_TOP);
        if (n_words > 0)
                word_write(words + n_word_bytes - SP_ID_BYTES, id | SP_ID_TOP);
        if (n_frame > 0)
                memcpy(words + n_word_bytes, frame, n_frame);

        return n_head + n_word_bytes + n_frame;
}

void peer_assert_answer(const struct rep_fixture *fixture,
                        int fd,
                        const uint8_t *bytes,
                        size_t n_bytes)
{
        size_t n_head = pipit_sp_head_bytes(fixture->framing);
        uint8_t head[SP_HEAD_BYTES_MAX];
        uint64_t n_follow;
        uint8_t *follow;

        assert_int_equal(peer_read(fd, head, n_head), n_head);
        assert_true(pipit_sp_head_read(head, fixture->framing, &n_follow));
        assert_int_equal(n_follow, n_bytes);
        follow = malloc(n_bytes);
        assert_non_null(follow);
        assert_int_equal(peer_read(fd, follow, n_bytes), n_bytes);
        assert_memory_equal(follow, bytes, n_bytes);
        free(follow);
}

void peer_assert_served(const struct rep_fixture *fixture, int fd)
{
        uint8_t bytes[64];
        size_t n_bytes = message_write(fixture, bytes, 77, 1, "served", 6);
        size_t n_head = pipit_sp_head_bytes(fixture->framing);

        peer_write(fd, bytes, n_bytes);
        peer_assert_answer(fixture, fd, bytes + n_head, n_bytes - n_head);
}
