#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/target.h"

#include "core/base/macros.h"

static const char *parse(const char *url, bool insecure, struct target_address *ret_address)
{
        return target_parse_url(url, strlen(url), insecure, ret_address);
}

static void an_ipc_url_names_a_path(void **state)
{
        struct target_address address;
        const struct sockaddr_un *un = (const void *)&address.endpoints[0].address;

        (void)state;
        assert_null(parse("ipc:///run/x.sock", false, &address));
        assert_int_equal(address.scheme, TARGET_IPC);
        assert_int_equal(address.n_endpoints, 1);
        assert_string_equal(address.text, "ipc:///run/x.sock");
        assert_int_equal(un->sun_family, AF_UNIX);
        assert_string_equal(un->sun_path, "/run/x.sock");
}

static void a_path_of_107_bytes_fits_and_one_of_108_does_not(void **state)
{
        struct target_address address;
        char url[128] = "ipc:///";

        (void)state;
        memset(url + 7, 'p', 106);
        assert_null(parse(url, false, &address));
        url[7 + 106] = 'p';
        assert_non_null(parse(url, false, &address));
}

static void localhost_is_both_loopback_addresses(void **state)
{
        struct target_address address;
        const struct sockaddr_in *v4 = (const void *)&address.endpoints[0].address;
        const struct sockaddr_in6 *v6 = (const void *)&address.endpoints[1].address;

        (void)state;
        assert_null(parse("tcp://localhost:7000", true, &address));
        assert_int_equal(address.n_endpoints, 2);
        assert_int_equal(v4->sin_family, AF_INET);
        assert_int_equal(ntohl(v4->sin_addr.s_addr), INADDR_LOOPBACK);
        assert_int_equal(ntohs(v4->sin_port), 7000);
        assert_int_equal(v6->sin6_family, AF_INET6);
        assert_true(IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr));
        assert_int_equal(ntohs(v6->sin6_port), 7000);
        assert_string_equal(address.text, "tcp://localhost:7000");
}

static void only_the_given_bytes_are_read(void **state)
{
        struct target_address address;

        (void)state;
        assert_null(target_parse_url("inproc://a,junk", 10, false, &address));
        assert_string_equal(address.text, "inproc://a");
}

static void bad_urls_are_refused(void **state)
{
        const char *urls[] = {
                "",
                "ipc:/x",
                "ipc://",
                "inproc://",
                "tcp://127.0.0.1",
                "tcp://127.0.0.1:",
                "tcp://127.0.0.1:0",
                "tcp://127.0.0.1:065536",
                "tcp://127.0.0.1:-1",
                "tcp://128.0.0.1:1",
                "tcp://[::1:1",
                "tcp://[]:1",
                "tcp://[:1",
                "tcp://0:1",
                "ws://127.0.0.1:1",
                "IPC:///x",
        };
        struct target_address address;

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(urls); i++)
                assert_non_null(parse(urls[i], true, &address));
}

static void a_limit_is_said_where_it_is_passed(void **state)
{
        struct target_address address;
        char url[256] = "ipc:///";

        (void)state;
        memset(url + 7, 'p', 107);
        assert_non_null(strstr(parse(url, false, &address), "107 bytes at most"));
        memset(url + 7, 'p', 200);
        assert_non_null(strstr(parse(url, false, &address), "107 bytes at most"));
        memcpy(url, "tcp", 3);
        assert_non_null(strstr(parse(url, false, &address), "127 bytes at most"));
        assert_non_null(strstr(parse("tcp://[::1]:65536", false, &address), "1 to 65535"));
        assert_non_null(strstr(parse("tcp://[::1]", false, &address), "HOST:PORT"));
        assert_non_null(strstr(parse("tcp://127.0.0.1:", false, &address), "HOST:PORT"));
}

static void with_keys_any_address_will_do(void **state)
{
        const char *good[] = {"tcp://10.1.2.3:7000", "tcp://[2001:db8::1]:7000"};
        const char *bad[] = {"tcp://db1:7000", "tcp://10.1.2.3", "tcp://10.1.2.3:x"};
        struct target_address address;

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(good); i++) {
                assert_null(parse(good[i], false, &address));
                assert_non_null(parse(good[i], true, &address));
        }
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(bad); i++)
                assert_non_null(parse(bad[i], false, &address));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_ipc_url_names_a_path),
                cmocka_unit_test(a_path_of_107_bytes_fits_and_one_of_108_does_not),
                cmocka_unit_test(localhost_is_both_loopback_addresses),
                cmocka_unit_test(only_the_given_bytes_are_read),
                cmocka_unit_test(bad_urls_are_refused),
                cmocka_unit_test(a_limit_is_said_where_it_is_passed),
                cmocka_unit_test(with_keys_any_address_will_do),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
