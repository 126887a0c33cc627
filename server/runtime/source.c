#include "server/runtime/source.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_ipv4(const struct source *source)
{
        return memcmp(source->address, mapped, sizeof(mapped)) == 0;
}

void source_of_ipv4(const uint8_t address[4], uint16_t port, struct source *ret_source)
{
        memcpy(ret_source->address, mapped, sizeof(mapped));
        memcpy(ret_source->address + sizeof(mapped), address, 4);
        ret_source->port = port;
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
