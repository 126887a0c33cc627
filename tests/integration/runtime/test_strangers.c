#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <pipit/macros.h>

#include "server/runtime/address.h"
#include "tests/integration/runtime/fixture.h"

/* -1: nobody listens. */
static int dial(const char *url)
{
        struct address address;
        int fd;

        assert_true(address_parse(url, &address));
        fd = socket(address.sockaddr.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        if (connect(fd, &address.sockaddr.any, address.n_bytes) == 0)
                return fd;
        close(fd);

        return -1;
}

static void strangers_come_and_go(const char *url, int n)
{
        for (int i = 0; i < n; ++i) {
                int fd = dial(url);
                const struct linger reset = {.l_onoff = 1};

                if (fd < 0)
                        continue;
                if (strncmp(url, "tcp", 3) == 0) {
                        (void)shutdown(fd, SHUT_WR);
                        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
                }
                close(fd);
        }
}

static void strangers_that_hang_up_do_not_deafen_the_server(void **state)
{
        /* Long enough that the watchdog has no part in it. */
        const struct pipit_server_options options = {.watchdog_ms = 3600 * 1000};

        (void)state;
        for (int url = FIXTURE_IPC; url <= FIXTURE_TCP; ++url) {
                struct fixture fixture;

                fixture_start(&fixture, (enum fixture_url)url, &options);
                strangers_come_and_go(fixture.url, 100);
                assert_serves(fixture.url);
                fixture_stop(&fixture);
        }
}

/* Whether an empty frame is answered within @timeout_ms. */
static bool answers(const char *url, int timeout_ms)
{
        static const uint8_t probe[] = {0, 'S', 'P', 0,    0,    0x30, 0, 0, 1,   0,   0, 0,   0,
                                        0, 0,   0,   0x08, 0x80, 0,    0, 1, 'P', 'I', 1, 0x10};
        uint8_t bytes[64];
        struct pollfd readable = {.fd = dial(url), .events = POLLIN};
        ssize_t n = 0;

        if (readable.fd < 0)
                return false;
        (void)send(readable.fd, probe, sizeof(probe), MSG_NOSIGNAL);
        while (n >= 0 && n <= 8 && poll(&readable, 1, timeout_ms) == 1) {
                ssize_t got = recv(readable.fd, bytes, sizeof(bytes), 0);

                n = got > 0 ? n + got : -1;
        }
        close(readable.fd);

        return n > 8;
}

static void an_ipc_socket_that_was_removed_is_made_anew(void **state)
{
        const struct pipit_server_options options = {.watchdog_ms = 10};
        struct fixture fixture;
        struct address address;

        (void)state;
        fixture_start(&fixture, FIXTURE_IPC, &options);
        assert_true(answers(fixture.url, WAIT_MS));
        assert_true(address_parse(fixture.url, &address));
        assert_int_equal(unlink(address.sockaddr.un.sun_path), 0);

        while (!answers(fixture.url, 1000))
                ;
        assert_serves(fixture.url);
        fixture_stop(&fixture);
        assert_int_equal(access(address.sockaddr.un.sun_path, F_OK), -1);
}

static int listen_at(const struct address *address)
{
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        assert_int_equal(bind(fd, &address->sockaddr.any, address->n_bytes), 0);
        assert_int_equal(listen(fd, 10), 0);

        return fd;
}

/* Whoever took the path has it, and the server does not remove his file when it ends. */
static void an_ipc_socket_that_another_took_is_left_to_him(void **state)
{
        const struct pipit_server_options options = {.watchdog_ms = 10};
        struct fixture fixture;
        struct address address;
        struct pollfd theirs;
        int fd;

        (void)state;
        fixture_start(&fixture, FIXTURE_IPC, &options);
        assert_true(address_parse(fixture.url, &address));
        assert_int_equal(unlink(address.sockaddr.un.sun_path), 0);
        theirs = (struct pollfd){.fd = listen_at(&address), .events = POLLIN};

        /* The watchdog finds out by connecting: twice, so that once it has come to its end. */
        for (int i = 0; i < 2; ++i) {
                assert_int_equal(poll(&theirs, 1, WAIT_MS), 1);
                fd = accept(theirs.fd, NULL, NULL);
                assert_true(fd >= 0);
                close(fd);
        }
        fixture_stop(&fixture);
        assert_int_equal(access(address.sockaddr.un.sun_path, F_OK), 0);
        close(theirs.fd);
        assert_int_equal(unlink(address.sockaddr.un.sun_path), 0);
}

/* The watchdog looks for it. */
static void a_message_that_is_never_ended_ends_its_connection(void **state)
{
        static const uint8_t begun[] = {0, 'S', 'P', 0, 0, 0x30, 0, 0, 1, 0, 0};
        const struct pipit_server_options options = {.watchdog_ms = 10, .receive_timeout_ms = 50};

        (void)state;
        for (int url = FIXTURE_IPC; url <= FIXTURE_TCP; ++url) {
                struct fixture fixture;
                struct pollfd ends = {.events = POLLRDHUP};

                fixture_start(&fixture, (enum fixture_url)url, &options);
                ends.fd = dial(fixture.url);
                assert_true(ends.fd >= 0);
                assert_int_equal(write(ends.fd, begun, sizeof(begun)), sizeof(begun));
                assert_int_equal(poll(&ends, 1, WAIT_MS), 1);
                close(ends.fd);
                assert_serves(fixture.url);
                fixture_stop(&fixture);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(strangers_that_hang_up_do_not_deafen_the_server),
                cmocka_unit_test(an_ipc_socket_that_was_removed_is_made_anew),
                cmocka_unit_test(an_ipc_socket_that_another_took_is_left_to_him),
                cmocka_unit_test(a_message_that_is_never_ended_ends_its_connection),
        };

        return cmocka_run_group_tests_name("runtime_strangers", tests, NULL, NULL);
}
