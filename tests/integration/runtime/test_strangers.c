#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <pipit/macros.h>

#include "server/runtime/address.h"
#include "server/runtime/guard.h"
#include "tests/integration/runtime/fixture.h"

/* nng 1.5 never frees the pipes that waited at a deaf listener, nor the listener, when it is closed. */
PIPIT_PUBLIC const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
        return "leak:libnng.so\n";
}

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

static void a_deaf_listener_is_renewed_by_the_watchdog(void **state)
{
        const struct pipit_server_options options = {.watchdog_ms = 10};
        struct fixture fixture;
        int rounds = 20;
        bool deaf = false;

        (void)state;
        if (!guard_is_needed())
                skip();
        fixture_start(&fixture, FIXTURE_IPC, &options);
        assert_true(answers(fixture.url, WAIT_MS));
        guard_disable(true);
        while (!deaf && rounds-- > 0) {
                strangers_come_and_go(fixture.url, 20);
                deaf = !answers(fixture.url, 300) && !answers(fixture.url, 300);
        }
        guard_disable(false);
        assert_true(deaf);

        while (!answers(fixture.url, 1000))
                ;
        assert_serves(fixture.url);
        fixture_stop(&fixture);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(strangers_that_hang_up_do_not_deafen_the_server),
                cmocka_unit_test(a_deaf_listener_is_renewed_by_the_watchdog),
        };

        return cmocka_run_group_tests_name("runtime_strangers", tests, NULL, NULL);
}
