/* Threads, descriptors and files of the sockets, and their end in the middle of everything. */

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pipit/macros.h>

#include "core/base/clock.h"
#include "server/runtime/address.h"
#include "tests/unit/runtime/rep_fixture.h"

/* --- what the kernel refuses -------------------------------------------------- */

static atomic_uint n_adds_to_fail;   /* of descriptors that the keeper is to wait for */
static atomic_uint n_accepts_failed; /* for want of descriptors */
static const char *comes_back;       /* when the next bind() has come; to the name that it binds */

int __real_epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event);
int __real_accept4(int fd, struct sockaddr *address, socklen_t *n_bytes, int flags);
int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *n_bytes, int flags);
int __real_bind(int fd, const struct sockaddr *address, socklen_t n_bytes);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t n_bytes);

int __wrap_epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event)
{
        if (operation == EPOLL_CTL_ADD && event->data.ptr && !(event->events & EPOLLONESHOT) &&
            atomic_load(&n_adds_to_fail) > 0) {
                atomic_fetch_sub(&n_adds_to_fail, 1);
                errno = ENOSPC;
                return -1;
        }

        return __real_epoll_ctl(epoll_fd, operation, fd, event);
}

int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *n_bytes, int flags)
{
        int accepted = __real_accept4(fd, address, n_bytes, flags);

        if (accepted < 0 && errno == EMFILE)
                atomic_fetch_add(&n_accepts_failed, 1);

        return accepted;
}

int __wrap_bind(int fd, const struct sockaddr *address, socklen_t n_bytes)
{
        if (comes_back &&
            rename(comes_back, ((const struct sockaddr_un *)(const void *)address)->sun_path) != 0)
                abort();
        comes_back = NULL;

        return __real_bind(fd, address, n_bytes);
}

static void a_listener_that_cannot_be_waited_for_at_first_is_later(void **state)
{
        struct rep_fixture fixture = {};
        int fd;

        (void)state;
        atomic_store(&n_adds_to_fail, 3);
        rep_fixture_start(&fixture, REP_TRANSPORT_IPC);
        /* Those who come are served at the keeper's looks, until it is waited for as any. */
        do {
                fd = peer_connect_greeted(&fixture);
                peer_assert_served(&fixture, fd);
                close(fd);
        } while (atomic_load(&n_adds_to_fail) > 0);
        fd = peer_connect_greeted(&fixture);
        peer_assert_served(&fixture, fd);
        close(fd);
        rep_fixture_stop(&fixture);
}

static int64_t real_now_us(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);

        return now.tv_sec * PIPIT_US_PER_S + now.tv_nsec / 1000;
}

/* The limit of descriptors such that there is none. */
static struct rlimit take_descriptors(void)
{
        struct rlimit before, limit;
        int lowest_free = dup(STDERR_FILENO);

        assert_true(lowest_free >= 0);
        close(lowest_free);
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        limit = (struct rlimit){.rlim_cur = (rlim_t)lowest_free, .rlim_max = before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);

        return before;
}

static void without_descriptors_a_server_waits_and_then_accepts(void **state)
{
        struct rep_fixture fixture = {};
        struct rlimit limit;
        int64_t begin_us;
        unsigned int n_tries;
        int there, comes;

        (void)state;
        rep_fixture_start(&fixture, REP_TRANSPORT_IPC);
        there = peer_connect_greeted(&fixture);
        comes = peer_socket(&fixture);
        atomic_store(&n_accepts_failed, 0);
        begin_us = real_now_us();
        limit = take_descriptors();
        peer_connect_at(&fixture, comes);
        while ((n_tries = atomic_load(&n_accepts_failed)) < 3)
                peer_assert_served(&fixture, there);
        /* It tries ten times a second, and not all the time. */
        assert_true(n_tries <= (real_now_us() - begin_us) / 100000 + 1);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        peer_greet(comes);
        peer_assert_served(&fixture, comes);
        close(comes);
        close(there);
        rep_fixture_stop(&fixture);
}

/* --- files --------------------------------------------------------------------- */

/*
 * The socket's file goes, and while the server makes it anew another has taken the
 * name, with a file that even has the number of ours: the link to it stands for one
 * that the kernel gave the same.
 */
static void a_file_that_another_made_meanwhile_is_left_to_him(void **state)
{
        struct rep_fixture fixture = {};
        struct address address;
        char aside[128];

        (void)state;
        rep_fixture_start(&fixture, REP_TRANSPORT_IPC);
        assert_true(address_parse(rep_endpoint_url(fixture.endpoint), &address));
        (void)snprintf(aside, sizeof(aside), "%s/aside", fixture.directory);
        assert_int_equal(rename(address.sockaddr.un.sun_path, aside), 0);
        comes_back = aside;
        assert_int_equal(rep_endpoint_look_after(fixture.endpoint), REP_DESERTED);
        assert_null(comes_back);
        assert_int_equal(access(address.sockaddr.un.sun_path, F_OK), 0);
        assert_int_equal(unlink(address.sockaddr.un.sun_path), 0);

        assert_int_equal(rep_endpoint_look_after(fixture.endpoint), REP_LISTENS_ANEW);
        assert_int_equal(rep_endpoint_look_after(fixture.endpoint), REP_LISTENS);
        rep_fixture_stop(&fixture);
        assert_int_equal(access(address.sockaddr.un.sun_path, F_OK), -1);
}

/* --- threads ------------------------------------------------------------------- */

static unsigned int n_threads(void)
{
        DIR *directory = opendir("/proc/self/task");
        unsigned int n = 0;

        assert_non_null(directory);
        while (readdir(directory))
                ++n;
        closedir(directory);

        return n;
}

struct gate {
        struct rep_fixture fixture;
        unsigned int n_released; /* so many of those that wait go on */
        unsigned int n_waiting;
        unsigned int n_slow;
        unsigned int n_others;
};

static void wait_at(struct rep_fixture *fixture, const unsigned int *counter, unsigned int n)
{
        if (!rep_fixture_wait_ms(fixture, counter, n, WAIT_MS * 2))
                abort();
}

/* Handlers that take their time, each until something else has happened. */
static void take_slowly(struct rep_fixture *fixture,
                        struct rep_context *context,
                        struct rep_message *message)
{
        struct gate *gate = pipit_container_of(fixture, struct gate, fixture);
        uint8_t what = rep_message_bytes(message)[0];

        rep_message_free(message);
        if (what == 'w') {
                unsigned int n = rep_fixture_read(fixture, &gate->n_waiting) + 1;

                rep_fixture_count(fixture, &gate->n_waiting);
                wait_at(fixture, &gate->n_released, n);
        } else if (what == 's') {
                rep_fixture_count(fixture, &gate->n_slow);
                wait_at(fixture, &gate->n_others, 1);
        } else {
                rep_fixture_count(fixture, &gate->n_others);
        }
        rep_context_drop(context);
}

static void write_frame(const struct rep_fixture *fixture, int fd, const char *frame)
{
        uint8_t bytes[64];

        peer_write(fd, bytes, message_write(fixture, bytes, 1, 1, frame, strlen(frame)));
}

/* Both connections have something when a thread comes for them: it takes one of them only. */
static void a_slow_handler_keeps_no_other_connection_waiting(void **state)
{
        struct gate gate = {.fixture.take = take_slowly};
        struct rep_fixture *fixture = &gate.fixture;
        unsigned int n = n_threads();
        int waiting[64], slow, other;

        (void)state;
        rep_fixture_start(fixture, REP_TRANSPORT_IPC);
        n = n_threads() - n - 1; /* the keeper */
        assert_in_range(n, 2, 64);
        slow = peer_connect_greeted(fixture);
        other = peer_connect_greeted(fixture);
        for (unsigned int i = 0; i < n; ++i) {
                waiting[i] = peer_connect_greeted(fixture);
                write_frame(fixture, waiting[i], "wait");
                rep_fixture_wait(fixture, &gate.n_waiting, i + 1);
        }
        write_frame(fixture, slow, "slow");
        write_frame(fixture, other, "other");

        rep_fixture_count(fixture, &gate.n_released);
        rep_fixture_wait(fixture, &gate.n_slow, 1);
        rep_fixture_count(fixture, &gate.n_released);
        rep_fixture_wait(fixture, &gate.n_others, 1);

        for (unsigned int i = 0; i < n; ++i)
                rep_fixture_count(fixture, &gate.n_released);
        for (unsigned int i = 0; i < n; ++i)
                close(waiting[i]);
        close(slow);
        close(other);
        rep_fixture_stop(fixture);
}

/* The rest of a message waits for a thread, longer than a peer may let it wait. */
static void what_came_and_was_not_read_is_not_its_peers_fault(void **state)
{
        struct gate gate = {.fixture.take = take_slowly};
        struct rep_fixture *fixture = &gate.fixture;
        unsigned int n = n_threads();
        int waiting[64], fd;
        uint8_t bytes[64];
        size_t n_bytes;

        (void)state;
        rep_fixture_start(fixture, REP_TRANSPORT_IPC);
        n = n_threads() - n - 1; /* the keeper */
        fd = peer_connect_greeted(fixture);
        n_bytes = message_write(fixture, bytes, 1, 1, "other", 5);
        peer_write(fd, bytes, n_bytes - 1);
        peer_wait_read(fd);
        for (unsigned int i = 0; i < n; ++i) {
                waiting[i] = peer_connect_greeted(fixture);
                write_frame(fixture, waiting[i], "wait");
                rep_fixture_wait(fixture, &gate.n_waiting, i + 1);
        }
        peer_write(fd, bytes + n_bytes - 1, 1);

        rep_fixture_move_clock(TIMEOUT_MS * 2);
        assert_int_equal(rep_endpoint_look_after(fixture->endpoint), REP_LISTENS);
        for (unsigned int i = 0; i < n; ++i)
                rep_fixture_count(fixture, &gate.n_released);
        rep_fixture_wait(fixture, &gate.n_others, 1);
        write_frame(fixture, fd, "other");
        rep_fixture_wait(fixture, &gate.n_others, 2);

        for (unsigned int i = 0; i < n; ++i)
                close(waiting[i]);
        close(fd);
        rep_fixture_stop(fixture);
}

/* --- ends ------------------------------------------------------------------------ */

static void reset(int fd)
{
        const struct linger at_once = {.l_onoff = 1};

        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
        close(fd);
}

static void half_close(int fd)
{
        assert_int_equal(shutdown(fd, SHUT_WR), 0);
        /* Whatever was answered, and then the end. */
        for (uint8_t bytes[256]; peer_read(fd, bytes, sizeof(bytes)) == sizeof(bytes);)
                ;
        close(fd);
}

static void read_no_more(int fd)
{
        (void)shutdown(fd, SHUT_RD);
        close(fd);
}

static void leave_alone(int fd)
{
        close(fd);
}

static void a_peer_that_leaves_after_any_byte_costs_nothing(void **state)
{
        static void (*const ways[])(int fd) = {reset, half_close, read_no_more, leave_alone};

        (void)state;
        for (int i = 0; i < 2; ++i) {
                struct rep_fixture fixture = {};
                uint8_t bytes[64];
                size_t n_bytes = SP_GREETING_BYTES;
                unsigned int n_left = 0;

                rep_fixture_start(&fixture, i ? REP_TRANSPORT_TCP : REP_TRANSPORT_IPC);
                memcpy(bytes, pipit_sp_greeting_of_client, n_bytes);
                n_bytes += message_write(&fixture, bytes + n_bytes, 1, 2, "frame", 5);
                for (size_t way = 0; way < PIPIT_N_ELEMENTS(ways); ++way) {
                        for (size_t n = 0; n <= n_bytes; ++n) {
                                int fd = peer_connect(&fixture);

                                peer_write(fd, bytes, n);
                                ways[way](fd);
                                ++n_left;
                        }
                }
                rep_fixture_wait(&fixture, &fixture.n_removed, n_left);
                rep_fixture_stop(&fixture);
        }
}

/* Less than came, so that memory lasts. */
static void take_and_shorten(struct rep_fixture *fixture,
                             struct rep_context *context,
                             struct rep_message *message)
{
        struct rep_message *answer = rep_message_new(rep_message_n_bytes(message) / 100);

        if (!answer)
                abort();
        memset(rep_message_bytes(answer), 'x', rep_message_n_bytes(answer));
        rep_message_free(message);
        rep_fixture_answer(fixture, context, answer);
}

/* A peer does the same again and again until the server hangs up, and then comes back. */
struct crowd {
        struct address address;
        const uint8_t *message;
        size_t n_message_bytes;
        unsigned int way;
        atomic_bool *ends;
};

static void misbehave(struct crowd *crowd, int fd)
{
        const uint8_t *bytes = crowd->message;
        size_t n_bytes = crowd->n_message_bytes;
        uint8_t greeting[SP_GREETING_BYTES];

        (void)peer_try_to_write(fd, pipit_sp_greeting_of_client, SP_GREETING_BYTES);
        switch (crowd->way) {
        case 0: /* floods, and reads nothing */
                while (peer_try_to_write(fd, bytes, n_bytes))
                        ;
                break;
        case 1: /* begins and leaves */
                (void)peer_try_to_write(fd, bytes, n_bytes / 2);
                break;
        case 2: /* asks and listens */
                (void)recv(fd, greeting, sizeof(greeting), MSG_WAITALL);
                while (peer_try_to_write(fd, bytes, 10000) && !atomic_load(crowd->ends))
                        (void)recv(fd, greeting, sizeof(greeting), MSG_DONTWAIT);
                break;
        default: /* says nothing */
                break;
        }
}

/* Once nobody listens any more, a port may be given to who connects to it: he then meets himself. */
static bool meets_himself(int fd)
{
        struct sockaddr_storage own = {}, theirs = {};
        socklen_t n_own = sizeof(own), n_theirs = sizeof(theirs);

        return getsockname(fd, (struct sockaddr *)&own, &n_own) == 0 &&
               getpeername(fd, (struct sockaddr *)&theirs, &n_theirs) == 0 && n_own == n_theirs &&
               memcmp(&own, &theirs, n_own) == 0;
}

static void *crowd_main(void *argument)
{
        /* A tcp peer that was hung up on when its window was closed would learn of it a minute later. */
        static const struct timeval patience = {.tv_usec = 100000};
        struct crowd *crowd = argument;

        while (!atomic_load(crowd->ends)) {
                int fd = socket(crowd->address.sockaddr.any.sa_family, SOCK_STREAM, 0);

                (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
                if (connect(fd, &crowd->address.sockaddr.any, crowd->address.n_bytes) == 0 &&
                    !meets_himself(fd))
                        misbehave(crowd, fd);
                close(fd);
        }

        return NULL;
}

static void close_in_the_middle(enum rep_transport transport, unsigned int n_sent)
{
        static const uint8_t frame[200000];
        static uint8_t message[sizeof(frame) + 64];
        struct rep_fixture fixture = {.take = take_and_shorten};
        struct crowd crowds[12];
        pthread_t threads[PIPIT_N_ELEMENTS(crowds)];
        atomic_bool ends = false;

        rep_fixture_start(&fixture, transport);
        for (unsigned int i = 0; i < PIPIT_N_ELEMENTS(crowds); ++i) {
                crowds[i] = (struct crowd){.way = i % 4, .ends = &ends, .message = message};
                crowds[i].n_message_bytes =
                        message_write(&fixture, message, 1, 1, frame, sizeof(frame));
                assert_true(address_parse(rep_endpoint_url(fixture.endpoint), &crowds[i].address));
        }
        for (unsigned int i = 0; i < PIPIT_N_ELEMENTS(crowds); ++i)
                assert_int_equal(pthread_create(&threads[i], NULL, crowd_main, &crowds[i]), 0);
        rep_fixture_wait(&fixture, &fixture.n_removed, 20);
        rep_fixture_wait(&fixture, &fixture.n_sent, n_sent);
        rep_fixture_stop(&fixture);
        atomic_store(&ends, true);
        for (unsigned int i = 0; i < PIPIT_N_ELEMENTS(crowds); ++i)
                pthread_join(threads[i], NULL);
}

static void an_endpoint_closes_in_the_middle_of_everything(void **state)
{
        (void)state;
        for (unsigned int i = 0; i < 5; ++i) {
                close_in_the_middle(REP_TRANSPORT_IPC, i);
                close_in_the_middle(REP_TRANSPORT_TCP, i);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_listener_that_cannot_be_waited_for_at_first_is_later),
                cmocka_unit_test(without_descriptors_a_server_waits_and_then_accepts),
                cmocka_unit_test(a_file_that_another_made_meanwhile_is_left_to_him),
                cmocka_unit_test(a_slow_handler_keeps_no_other_connection_waiting),
                cmocka_unit_test(what_came_and_was_not_read_is_not_its_peers_fault),
                cmocka_unit_test(a_peer_that_leaves_after_any_byte_costs_nothing),
                cmocka_unit_test(an_endpoint_closes_in_the_middle_of_everything),
        };

        return cmocka_run_group_tests_name("rep_life", tests, NULL, NULL);
}
