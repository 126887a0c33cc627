/*
 * Source: the address that a tcp pipe comes from
 *
 * What handshakes are limited by, and what logs name.
 */

#ifndef SERVER_RUNTIME_SOURCE_H
#define SERVER_RUNTIME_SOURCE_H

#include <stdint.h>
#include <sys/socket.h>

struct source {
        uint8_t address[16]; /* IPv6; an IPv4 one as ::ffff:a.b.c.d. All 0: not known */
        uint16_t port;
};

/* Of an AF_INET or AF_INET6 address; of another it is not known. */
void source_of_address(const struct sockaddr *address, struct source *ret_source);

/* The IPv4 address, or the first 64 bits of an IPv6 one: who has one of them has the rest, too. */
uint64_t source_number(const struct source *source);

#define SOURCE_TEXT_SIZE 64

/* "192.0.2.1:4711", "[2001:db8::1]:4711", or "" where it is not known. */
void source_format(const struct source *source, char ret_text[SOURCE_TEXT_SIZE]);

#endif
