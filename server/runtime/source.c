#include "server/runtime/source.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_ipv4(const struct source *source)
{
        return memcmp(source->address, mapped, sizeof(mapped)) == 0;
}

void source_of_address(const struct sockaddr *address, struct source *ret_source)
{
        const struct sockaddr_in *ipv4 = (const void *)address;
        const struct sockaddr_in6 *ipv6 = (const void *)address;

        *ret_source = (struct source){.port = 0};
        if (address->sa_family == AF_INET) {
                memcpy(ret_source->address, mapped, sizeof(mapped));
                memcpy(ret_source->address + sizeof(mapped), &ipv4->sin_addr, 4);
                ret_source->port = ntohs(ipv4->sin_port);
        } else if (address->sa_family == AF_INET6) {
                memcpy(ret_source->address, &ipv6->sin6_addr, sizeof(ret_source->address));
                ret_source->port = ntohs(ipv6->sin6_port);
        }
}

static uint64_t read_big_endian(const uint8_t *bytes, size_t n_bytes)
{
        uint64_t number = 0;

        for (size_t i = 0; i < n_bytes; ++i)
                number = number << 8 | bytes[i];

        return number;
}

uint64_t source_number(const struct source *source)
{
        if (is_ipv4(source))
                return read_big_endian(source->address + sizeof(mapped), 4);

        return read_big_endian(source->address, 8);
}

void source_format(const struct source *source, char ret_text[SOURCE_TEXT_SIZE])
{
        static const uint8_t unknown[sizeof(source->address)] = {0};
        char host[INET6_ADDRSTRLEN];

        ret_text[0] = '\0';
        if (memcmp(source->address, unknown, sizeof(unknown)) == 0)
                return;

        if (is_ipv4(source) && inet_ntop(AF_INET, source->address + 12, host, sizeof(host)))
                (void)snprintf(ret_text, SOURCE_TEXT_SIZE, "%s:%u", host, source->port);
        else if (inet_ntop(AF_INET6, source->address, host, sizeof(host)))
                (void)snprintf(ret_text, SOURCE_TEXT_SIZE, "[%s]:%u", host, source->port);
}
