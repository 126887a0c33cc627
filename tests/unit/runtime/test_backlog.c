/* What a socket takes in part arrives whole and in order, and nothing of it after a close. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/runtime/backlog.h"

#define LARGE_BYTES 3000000
#define WAIT_MS     20000

struct pair {
        int ours;
        int theirs;
        uint8_t *bytes; /* LARGE_BYTES that are no repetition of few */
};

static int set_up(void **state)
{
        struct pair *pair = calloc(1, sizeof(*pair));
        int fds[2];

        assert_non_null(pair);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
        pair->ours = fds[0];
        pair->theirs = fds[1];
        pair->bytes = malloc(LARGE_BYTES);
        assert_non_null(pair->bytes);
        for (size_t i = 0; i < LARGE_BYTES; i++)
                pair->bytes[i] = (uint8_t)(i * 7 + i / 251);
        *state = pair;

        return 0;
}

static int tear_down(void **state)
{
        struct pair *pair = *state;

        if (pair->ours >= 0) {
                backlog_drop(pair->ours);
                (void)close(pair->ours);
        }
        if (pair->theirs >= 0)
                (void)close(pair->theirs);
        free(pair->bytes);
        free(pair);

        return 0;
}

/* In three parts, the first of them empty, as a message has a head and a body. */
static ssize_t send_bytes(const struct pair *pair, const uint8_t *bytes, size_t n_bytes)
{
        struct iovec parts[3] = {
                {.iov_base = NULL, .iov_len = 0},
                {.iov_base = (void *)(uintptr_t)bytes, .iov_len = n_bytes < 9 ? n_bytes : 9},
                {.iov_base = (void *)(uintptr_t)(bytes + 9),
                 .iov_len = n_bytes < 9 ? 0 : n_bytes - 9},
        };
        const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 3};

        return backlog_send(sendmsg, pair->ours, &message, MSG_NOSIGNAL);
}

static void expect(const struct pair *pair, const uint8_t *bytes, size_t n_bytes)
{
        uint8_t *got = malloc(n_bytes);
        struct pollfd readable = {.fd = pair->theirs, .events = POLLIN};

        assert_non_null(got);
        for (size_t n_got = 0; n_got < n_bytes;) {
                ssize_t n;

                assert_int_equal(poll(&readable, 1, WAIT_MS), 1);
                n = read(pair->theirs, got + n_got, n_bytes - n_got);
                assert_true(n > 0);
                n_got += (size_t)n;
        }
        assert_memory_equal(got, bytes, n_bytes);
        free(got);
}

static void what_fits_is_sent_at_once(void **state)
{
        struct pair *pair = *state;

        assert_int_equal(send_bytes(pair, pair->bytes, 5), 5);
        assert_int_equal(send_bytes(pair, pair->bytes, 1000), 1000);
        assert_int_equal(backlog_n_bytes(), 0);
        expect(pair, pair->bytes, 5);
        expect(pair, pair->bytes, 1000);
}

static void a_large_message_arrives_as_the_peer_reads(void **state)
{
        struct pair *pair = *state;

        assert_int_equal(send_bytes(pair, pair->bytes, LARGE_BYTES), LARGE_BYTES);
        assert_in_range(backlog_n_bytes(), 1, LARGE_BYTES - 1);
        expect(pair, pair->bytes, LARGE_BYTES);
        /* This one waits for whoever wrote the last of it. */
        assert_int_equal(send_bytes(pair, pair->bytes, 1), 1);
        assert_int_equal(backlog_n_bytes(), 0);
}

static void the_next_message_waits_for_the_rest_and_follows_it(void **state)
{
        struct pair *pair = *state;

        assert_int_equal(send_bytes(pair, pair->bytes, LARGE_BYTES), LARGE_BYTES);
        errno = 0;
        assert_int_equal(send_bytes(pair, pair->bytes, 100), -1);
        assert_int_equal(errno, EAGAIN);
        expect(pair, pair->bytes, LARGE_BYTES);
        assert_int_equal(send_bytes(pair, pair->bytes + 77, 100), 100);
        expect(pair, pair->bytes + 77, 100);
}

static void a_peer_that_has_left_takes_everything(void **state)
{
        struct pair *pair = *state;

        assert_int_equal(send_bytes(pair, pair->bytes, LARGE_BYTES), LARGE_BYTES);
        (void)close(pair->theirs);
        pair->theirs = -1;
        assert_int_equal(send_bytes(pair, pair->bytes, 100), -1);
        assert_int_equal(errno, EPIPE);
        assert_int_equal(backlog_n_bytes(), 0);
}

static void nothing_is_left_of_a_closed_descriptor(void **state)
{
        struct pair *pair = *state;
        int before = pair->ours;
        int fds[2];

        assert_int_equal(send_bytes(pair, pair->bytes, LARGE_BYTES), LARGE_BYTES);
        backlog_drop(pair->ours);
        assert_int_equal(backlog_n_bytes(), 0);
        (void)close(pair->ours);
        (void)close(pair->theirs);

        /* The numbers come again, and with them nothing of what was. */
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
        pair->ours = fds[0];
        pair->theirs = fds[1];
        assert_int_equal(pair->ours, before);
        assert_int_equal(send_bytes(pair, pair->bytes + 5, LARGE_BYTES - 5), LARGE_BYTES - 5);
        expect(pair, pair->bytes + 5, LARGE_BYTES - 5);
}

static void a_peer_that_reads_nothing_is_hung_up_on(void **state)
{
        struct pair *pair = *state;
        struct pollfd hung_up = {.fd = pair->ours};

        assert_int_equal(send_bytes(pair, pair->bytes, LARGE_BYTES), LARGE_BYTES);
        assert_int_equal(poll(&hung_up, 1, WAIT_MS), 1);
        assert_true(hung_up.revents & POLLHUP);
        errno = 0;
        assert_int_equal(send_bytes(pair, pair->bytes, 100), -1);
        assert_int_equal(errno, EPIPE);
        assert_int_equal(backlog_n_bytes(), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(what_fits_is_sent_at_once, set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        a_large_message_arrives_as_the_peer_reads, set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        the_next_message_waits_for_the_rest_and_follows_it, set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        a_peer_that_has_left_takes_everything, set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        nothing_is_left_of_a_closed_descriptor, set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        a_peer_that_reads_nothing_is_hung_up_on, set_up, tear_down),
        };

        return cmocka_run_group_tests_name("backlog", tests, NULL, NULL);
}
