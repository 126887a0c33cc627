#include "tests/integration/client/raw.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/rpc/frame.h"
#include "google/protobuf/wrappers.pb-c.h"

#define PATIENCE_S 30

const uint8_t raw_greeting[RAW_GREETING_BYTES] = {0, 'S', 'P', 0, 0, 0x31, 0, 0};

static void must(bool holds)
{
        if (!holds)
                abort();
}

static void listen_at(struct raw *raw, int family, const void *address, socklen_t n_bytes)
{
        int yes = 1;

        *raw = (struct raw){.is_tcp = family == AF_INET, .fd = -1};
        raw->listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        must(raw->listener >= 0);
        (void)setsockopt(raw->listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
        must(bind(raw->listener, address, n_bytes) == 0 && listen(raw->listener, 16) == 0);
}

void raw_listen(struct raw *raw, const char *url)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        strncpy(address.sun_path, url + strlen("ipc://"), sizeof(address.sun_path) - 1);
        listen_at(raw, AF_UNIX, &address, sizeof(address));
}

void raw_listen_tcp(struct raw *raw, char *ret_url, size_t n_bytes)
{
        struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        socklen_t n_address = sizeof(address);

        listen_at(raw, AF_INET, &address, sizeof(address));
        must(getsockname(raw->listener, (struct sockaddr *)&address, &n_address) == 0);
        snprintf(ret_url, n_bytes, "tcp://127.0.0.1:%u", ntohs(address.sin_port));
}

void raw_close(struct raw *raw)
{
        raw_hang_up(raw);
        close(raw->listener);
}

void raw_hang_up(struct raw *raw)
{
        if (raw->fd >= 0)
                close(raw->fd);
        raw->fd = -1;
}

void raw_accept_only(struct raw *raw)
{
        const struct timeval patience = {.tv_sec = PATIENCE_S};
        int yes = 1;

        raw->fd = accept(raw->listener, NULL, NULL);
        must(raw->fd >= 0);
        (void)setsockopt(raw->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        (void)setsockopt(raw->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
        if (raw->is_tcp)
                (void)setsockopt(raw->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
}

void raw_write(struct raw *raw, const void *bytes, size_t n_bytes)
{
        const uint8_t *from = bytes;

        while (n_bytes > 0) {
                ssize_t n_sent = send(raw->fd, from, n_bytes, MSG_NOSIGNAL);

                must(n_sent > 0);
                from += n_sent;
                n_bytes -= (size_t)n_sent;
        }
}

bool raw_read(struct raw *raw, void *bytes, size_t n_bytes)
{
        uint8_t *to = bytes;

        while (n_bytes > 0) {
                ssize_t n_read = recv(raw->fd, to, n_bytes, 0);

                must(n_read >= 0 || errno == ECONNRESET);
                if (n_read <= 0)
                        return false;
                to += n_read;
                n_bytes -= (size_t)n_read;
        }

        return true;
}

bool raw_read_frame(struct raw *raw, struct raw_frame *ret_frame)
{
        size_t n_head = raw->is_tcp ? 8 : 9;
        uint8_t head[9];
        uint64_t n_bytes;
        uint32_t id;

        if (!raw_read(raw, head, n_head))
                return false;
        must(raw->is_tcp || head[0] == 1);
        memcpy(&n_bytes, head + n_head - sizeof(n_bytes), sizeof(n_bytes));
        n_bytes = be64toh(n_bytes);
        must(n_bytes >= sizeof(id) + PIPIT_FRAME_HEADER_BYTES && n_bytes < 100 * 1000 * 1000);
        if (!raw_read(raw, &id, sizeof(id)))
                return false;
        ret_frame->id = be32toh(id);
        must(ret_frame->id >> 31 == 1);
        ret_frame->n_bytes = n_bytes - sizeof(id);
        ret_frame->bytes = malloc(ret_frame->n_bytes);
        must(ret_frame->bytes != NULL);
        if (raw_read(raw, ret_frame->bytes, ret_frame->n_bytes))
                return true;
        free(ret_frame->bytes);

        return false;
}

bool raw_write_frame(struct raw *raw, const struct raw_frame *frame)
{
        uint64_t n_bytes = htobe64(sizeof(frame->id) + frame->n_bytes);
        size_t n_head = raw->is_tcp ? 8 : 9, n_all = n_head + sizeof(frame->id) + frame->n_bytes;
        uint32_t id = htobe32(frame->id);
        uint8_t *bytes = malloc(n_all);
        ssize_t n_sent;

        must(bytes != NULL);
        bytes[0] = 1;
        memcpy(bytes + n_head - sizeof(n_bytes), &n_bytes, sizeof(n_bytes));
        memcpy(bytes + n_head, &id, sizeof(id));
        memcpy(bytes + n_head + sizeof(id), frame->bytes, frame->n_bytes);
        n_sent = send(raw->fd, bytes, n_all, MSG_NOSIGNAL);
        free(bytes);

        return n_sent == (ssize_t)n_all;
}

struct raw_request raw_next_any(struct raw *raw)
{
        struct raw_request request;
        struct raw_frame frame;

        must(raw_read_frame(raw, &frame) && frame.bytes[3] == PIPIT_FRAME_REQUEST);
        request.id = frame.id;
        request.request = pipit__v1__request__unpack(NULL,
                                                     frame.n_bytes - PIPIT_FRAME_HEADER_BYTES,
                                                     frame.bytes + PIPIT_FRAME_HEADER_BYTES);
        must(request.request != NULL);
        free(frame.bytes);

        return request;
}

void raw_request_free(struct raw_request *request)
{
        pipit__v1__request__free_unpacked(request->request, NULL);
        request->request = NULL;
}

static void answer_all(struct raw *raw,
                       uint32_t id,
                       const struct raw_reply *replies,
                       size_t n_replies)
{
        size_t n_bytes;
        uint8_t *bytes = raw_pack(raw, id, replies, n_replies, &n_bytes);

        raw_write(raw, bytes, n_bytes);
        free(bytes);
}

static struct raw_request next(struct raw *raw, bool awaits)
{
        for (;;) {
                struct raw_request request = raw_next_any(raw);

                if (request.request->n_calls > 0 || (awaits && request.request->n_awaits > 0))
                        return request;
                answer_all(raw, request.id, NULL, 0);
                raw_request_free(&request);
        }
}

struct raw_request raw_next(struct raw *raw)
{
        return next(raw, false);
}

struct raw_request raw_next_awaits(struct raw *raw)
{
        return next(raw, true);
}

void raw_accept(struct raw *raw)
{
        uint8_t greeting[RAW_GREETING_BYTES];

        raw_accept_only(raw);
        raw_write(raw, raw_greeting, sizeof(raw_greeting));
        must(raw_read(raw, greeting, sizeof(greeting)));
        must(memcmp(greeting, (const uint8_t[]){0, 'S', 'P', 0, 0, 0x30, 0, 0}, 8) == 0);
}

static void pack_reply(const struct raw_reply *from, Pipit__V1__Reply *reply)
{
        Google__Protobuf__BytesValue value;

        google__protobuf__bytes_value__init(&value);
        value.value.data = (uint8_t *)(uintptr_t)from->text;
        value.value.len = strlen(from->text);
        pipit__v1__reply__init(reply);
        reply->id = from->id;
        reply->payload.len = google__protobuf__bytes_value__get_packed_size(&value);
        reply->payload.data = malloc(reply->payload.len + 1);
        must(reply->payload.data != NULL);
        google__protobuf__bytes_value__pack(&value, reply->payload.data);
}

static uint8_t *pack_response(const struct raw *raw,
                              uint32_t id,
                              const Pipit__V1__Response *response,
                              size_t *ret_n_bytes)
{
        size_t n_head = raw->is_tcp ? 8 : 9;
        size_t n_body = PIPIT_FRAME_HEADER_BYTES + pipit__v1__response__get_packed_size(response);
        uint64_t n_message = htobe64(sizeof(id) + n_body);
        uint8_t *bytes = malloc(n_head + sizeof(id) + n_body);

        must(bytes != NULL);
        id = htobe32(id);
        bytes[0] = 1;
        memcpy(bytes + n_head - sizeof(n_message), &n_message, sizeof(n_message));
        memcpy(bytes + n_head, &id, sizeof(id));
        pipit_frame_header_write(PIPIT_FRAME_RESPONSE, bytes + n_head + sizeof(id));
        pipit__v1__response__pack(response, bytes + n_head + sizeof(id) + PIPIT_FRAME_HEADER_BYTES);
        *ret_n_bytes = n_head + sizeof(id) + n_body;

        return bytes;
}

uint8_t *raw_pack(const struct raw *raw,
                  uint32_t id,
                  const struct raw_reply *replies,
                  size_t n_replies,
                  size_t *ret_n_bytes)
{
        Pipit__V1__Response response = PIPIT__V1__RESPONSE__INIT;
        Pipit__V1__Reply *packed = calloc(n_replies + 1, sizeof(*packed));
        Pipit__V1__Reply **pointers = calloc(n_replies + 1, sizeof(*pointers));
        uint8_t *bytes;

        must(packed && pointers);
        for (size_t i = 0; i < n_replies; i++) {
                pack_reply(&replies[i], &packed[i]);
                pointers[i] = &packed[i];
        }
        response.instance = RAW_INSTANCE;
        response.n_replies = n_replies;
        response.replies = pointers;
        bytes = pack_response(raw, id, &response, ret_n_bytes);
        for (size_t i = 0; i < n_replies; i++)
                free(packed[i].payload.data);
        free(packed);
        free(pointers);

        return bytes;
}

void raw_answer(struct raw *raw, uint32_t id, uint64_t call_id, const char *text)
{
        answer_all(raw, id, &(struct raw_reply){.id = call_id, .text = text}, 1);
}

void raw_echo(struct raw *raw, struct raw_request *request)
{
        Pipit__V1__Response response = PIPIT__V1__RESPONSE__INIT;
        size_t n_calls = request->request->n_calls;
        Pipit__V1__Reply *replies = calloc(n_calls + 1, sizeof(*replies));
        Pipit__V1__Reply **pointers = calloc(n_calls + 1, sizeof(*pointers));
        size_t n_bytes;
        uint8_t *bytes;

        must(replies && pointers);
        for (size_t i = 0; i < n_calls; i++) {
                pipit__v1__reply__init(&replies[i]);
                replies[i].id = request->request->calls[i]->id;
                replies[i].payload = request->request->calls[i]->payload;
                pointers[i] = &replies[i];
        }
        response.instance = RAW_INSTANCE;
        response.n_replies = n_calls;
        response.replies = pointers;
        bytes = pack_response(raw, request->id, &response, &n_bytes);
        raw_write(raw, bytes, n_bytes);
        free(bytes);
        free(replies);
        free(pointers);
        raw_request_free(request);
}
