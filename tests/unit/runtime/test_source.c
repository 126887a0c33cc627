#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* cmocka wants those before it */
#include <arpa/inet.h>
#include <cmocka.h>

#include "server/runtime/source.h"

static struct source source_of(const char *address, uint16_t port)
{
        struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = htons(port)};
        struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
        struct source source;

        if (inet_pton(AF_INET, address, &ipv4.sin_addr) == 1) {
                source_of_address((const struct sockaddr *)&ipv4, &source);
        } else {
                assert_int_equal(1, inet_pton(AF_INET6, address, &ipv6.sin6_addr));
                source_of_address((const struct sockaddr *)&ipv6, &source);
        }

        return source;
}

static void assert_text(const char *expected, struct source source)
{
        char text[SOURCE_TEXT_SIZE];

        source_format(&source, text);
        assert_string_equal(expected, text);
}

static void assert_same(const char *a, const char *b, int same)
{
        struct source one = source_of(a, 1);
        struct source other = source_of(b, 2);

        assert_int_equal(same, source_number(&one) == source_number(&other));
}

static void an_address_is_written_as_people_write_it(void **state)
{
        (void)state;
        assert_text("192.0.2.1:4711", source_of("192.0.2.1", 4711));
        assert_text("192.0.2.1:1", source_of("::ffff:192.0.2.1", 1));
        assert_text("[2001:db8::1]:65535", source_of("2001:db8::1", 65535));
        assert_text("[2001:db8:1111:2222:3333:4444:5555:6666]:65535",
                    source_of("2001:db8:1111:2222:3333:4444:5555:6666", 65535));
        assert_text("", (struct source){.port = 1});
}

static void a_source_is_an_ipv4_address_or_a_network_of_64_bits(void **state)
{
        (void)state;
        assert_same("192.0.2.1", "192.0.2.1", 1);
        assert_same("192.0.2.1", "192.0.2.2", 0);
        assert_same("192.0.2.1", "::ffff:192.0.2.1", 1);
        assert_same("::ffff:192.0.2.1", "::ffff:192.0.2.2", 0);
        assert_same("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", 1);
        assert_same("2001:db8::1", "2001:db8:0:1::1", 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_address_is_written_as_people_write_it),
                cmocka_unit_test(a_source_is_an_ipv4_address_or_a_network_of_64_bits),
        };

        return cmocka_run_group_tests_name("source", tests, NULL, NULL);
}
