#include "tests/integration/runtime/sealed_peer.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/rpc/wire_limits.h"
#include "server/runtime/address.h"

#define SP_BYTES     8
#define LENGTH_BYTES 8
#define ID_BYTES     4
#define ID_BIT       0x80000000U

/* More than any frame of these tests. */
#define FRAME_MAX ((uint64_t)4 * 1024 * 1024)

const struct pipit_hello sealed_hello_default = {
        .client_time_us = 1,
        .max_frame = PIPIT_FRAME_BYTES_DEFAULT,
        .proto_min = 1,
        .proto_max = 1,
};

void sealed_frame_free(struct sealed_frame *frame)
{
        free(frame->bytes);
        *frame = (struct sealed_frame){};
}

/* --- socket ---------------------------------------------------------------- */

/* False: the pipe is closed. */
static bool write_all(int fd, const uint8_t *bytes, size_t n_bytes)
{
        while (n_bytes > 0) {
                ssize_t n = send(fd, bytes, n_bytes, MSG_NOSIGNAL);

                if (n <= 0)
                        return false;
                bytes += n;
                n_bytes -= (size_t)n;
        }

        return true;
}

static bool read_all(int fd, uint8_t *bytes, size_t n_bytes)
{
        while (n_bytes > 0) {
                struct pollfd readable = {.fd = fd, .events = POLLIN};
                ssize_t n;

                assert_int_equal(1, poll(&readable, 1, WAIT_MS));
                n = recv(fd, bytes, n_bytes, 0);
                if (n <= 0)
                        return false;
                bytes += n;
                n_bytes -= (size_t)n;
        }

        return true;
}

static void write_big_endian(uint8_t *to, uint64_t number, size_t n_bytes)
{
        for (size_t i = n_bytes; i > 0; --i, number >>= 8)
                to[i - 1] = (uint8_t)number;
}

static uint64_t read_big_endian(const uint8_t *from, size_t n_bytes)
{
        uint64_t number = 0;

        for (size_t i = 0; i < n_bytes; ++i)
                number = number << 8 | from[i];

        return number;
}

static int dial(const char *url, uint32_t source)
{
        struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(source)};
        struct address address;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int at_once = 1;

        assert_true(fd >= 0);
        assert_true(address_parse(url, &address));
        assert_int_equal(0, setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof(at_once)));
        assert_int_equal(0, bind(fd, (const struct sockaddr *)&own, sizeof(own)));
        assert_int_equal(0, connect(fd, &address.sockaddr.any, address.n_bytes));

        return fd;
}

static void greet(struct sealed_peer *peer, int fd)
{
        static const uint8_t greeting[SP_BYTES] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};
        uint8_t greeted[SP_BYTES];

        *peer = (struct sealed_peer){.fd = fd};
        assert_true(write_all(fd, greeting, sizeof(greeting)));
        assert_true(read_all(fd, greeted, sizeof(greeted)));
}

void sealed_peer_connect(struct sealed_peer *peer, const char *url)
{
        greet(peer, dial(url, INADDR_LOOPBACK));
}

void sealed_peer_connect_from(struct sealed_peer *peer, const char *url, uint8_t source)
{
        greet(peer, dial(url, (INADDR_LOOPBACK & ~0xffU) + 0x100U + source));
}

void sealed_peer_close(struct sealed_peer *peer)
{
        (void)close(peer->fd);
}

uint32_t sealed_peer_send(struct sealed_peer *peer, const uint8_t *bytes, size_t n_bytes)
{
        uint8_t head[LENGTH_BYTES + ID_BYTES];
        uint32_t id = ++peer->last_id | ID_BIT;

        write_big_endian(head, ID_BYTES + n_bytes, LENGTH_BYTES);
        write_big_endian(head + LENGTH_BYTES, id, ID_BYTES);

        return write_all(peer->fd, head, sizeof(head)) && write_all(peer->fd, bytes, n_bytes) ? id
                                                                                              : 0;
}

struct sealed_frame sealed_peer_receive(struct sealed_peer *peer, uint32_t *ret_id)
{
        uint8_t head[LENGTH_BYTES + ID_BYTES];
        struct sealed_frame frame = {};
        uint64_t n_bytes;

        if (!read_all(peer->fd, head, sizeof(head)))
                return frame;

        n_bytes = read_big_endian(head, LENGTH_BYTES);
        assert_true(n_bytes >= ID_BYTES && n_bytes <= FRAME_MAX);
        *ret_id = (uint32_t)read_big_endian(head + LENGTH_BYTES, ID_BYTES);
        frame.n_bytes = (size_t)n_bytes - ID_BYTES;
        frame.bytes = malloc(frame.n_bytes + 1);
        assert_non_null(frame.bytes);
        if (!read_all(peer->fd, frame.bytes, frame.n_bytes))
                sealed_frame_free(&frame);

        return frame;
}

struct sealed_frame sealed_peer_exchange(struct sealed_peer *peer,
                                         const uint8_t *bytes,
                                         size_t n_bytes)
{
        uint32_t id = sealed_peer_send(peer, bytes, n_bytes);
        uint32_t answered = id;
        struct sealed_frame frame = {};

        if (id != 0)
                frame = sealed_peer_receive(peer, &answered);
        assert_int_equal(id, answered);

        return frame;
}

enum pipit_reject_code sealed_frame_reject(const struct sealed_frame *frame)
{
        enum pipit_frame_kind kind;
        struct pipit_reject reject;

        if (!frame->bytes)
                return 0;

        assert_int_equal(PIPIT_FRAME_OK,
                         pipit_frame_header_read(frame->bytes, frame->n_bytes, &kind));
        if (kind != PIPIT_FRAME_REJECT)
                return 0;
        assert_true(pipit_reject_read(frame->bytes + PIPIT_FRAME_HEADER_BYTES,
                                      frame->n_bytes - PIPIT_FRAME_HEADER_BYTES,
                                      &reject));

        return reject.code;
}

/* --- sessions -------------------------------------------------------------- */

static struct pipit_secret_pool *secrets;

struct pipit_secret_pool *sealed_secrets(void)
{
        if (!secrets)
                secrets = pipit_secret_pool_new();
        assert_non_null(secrets);

        return secrets;
}

void sealed_secrets_free(void)
{
        secrets = pipit_secret_pool_free(secrets);
}

void sealed_hello(struct pipit_noise *noise,
                  const struct pipit_noise_keys *keys,
                  const uint8_t *server_key,
                  const struct pipit_hello *hello,
                  uint8_t ret_frame[PIPIT_HELLO_FRAME_BYTES])
{
        pipit_handshake_init(noise, keys, server_key);
        assert_true(pipit_hello_write(noise, hello, ret_frame));
}

static struct pipit_session *session_new(struct pipit_noise *noise,
                                         const uint8_t *server_key,
                                         const struct sealed_frame *frame)
{
        struct pipit_session *session = calloc(1, sizeof(*session));
        struct pipit_noise_transport transport;
        struct pipit_welcome welcome;
        const struct pipit_session_options options = {
                .transport = &transport,
                .id = welcome.session_id,
                .peer_key = server_key,
                .begun_us = pipit_clock_now_us(),
                .secrets = sealed_secrets(),
        };

        assert_non_null(session);
        assert_true(pipit_welcome_read(
                noise, &sealed_hello_default, frame->bytes, frame->n_bytes, &welcome, &transport));
        assert_true(pipit_session_init(session, &options));

        return session;
}

struct pipit_session *sealed_peer_shake(struct sealed_peer *peer,
                                        const struct pipit_noise_keys *keys,
                                        const uint8_t *server_key,
                                        enum pipit_reject_code *ret_code)
{
        uint8_t hello[PIPIT_HELLO_FRAME_BYTES];
        struct pipit_session *session = NULL;
        struct pipit_noise noise;
        struct sealed_frame frame;

        sealed_hello(&noise, keys, server_key, &sealed_hello_default, hello);
        frame = sealed_peer_exchange(peer, hello, sizeof(hello));
        *ret_code = sealed_frame_reject(&frame);
        if (frame.bytes && !*ret_code)
                session = session_new(&noise, server_key, &frame);
        sealed_frame_free(&frame);
        pipit_noise_deinit(&noise);

        return session;
}

struct pipit_session *sealed_peer_session(struct sealed_peer *peer,
                                          const struct pipit_noise_keys *keys,
                                          const uint8_t *server_key)
{
        enum pipit_reject_code code;
        struct pipit_session *session = sealed_peer_shake(peer, keys, server_key, &code);

        assert_non_null(session);

        return session;
}

struct sealed_frame sealed_request(struct pipit_session *session, struct request *request)
{
        size_t n_body = pipit__v1__request__get_packed_size(&request->message);
        struct sealed_frame frame = {.n_bytes = n_body + PIPIT_SEALED_OVERHEAD_BYTES};

        frame.bytes = malloc(frame.n_bytes);
        assert_non_null(frame.bytes);
        pipit__v1__request__pack(&request->message, frame.bytes + PIPIT_SEALED_HEAD_BYTES);
        request_deinit(request);
        assert_int_equal(
                PIPIT_SESSION_OK,
                pipit_session_seal_request(
                        session, pipit_clock_now_us(), frame.bytes, n_body, &frame.counter));

        return frame;
}

void sealed_answer(struct pipit_session *session,
                   uint64_t counter,
                   struct sealed_frame *frame,
                   struct answer *ret_answer)
{
        struct pipit_opened opened;

        memset(ret_answer, 0, sizeof(*ret_answer));
        assert_non_null(frame->bytes);
        ret_answer->n_bytes = frame->n_bytes;
        if (sealed_frame_reject(frame)) {
                ret_answer->kind = PIPIT_FRAME_REJECT;
                assert_true(pipit_reject_read(frame->bytes + PIPIT_FRAME_HEADER_BYTES,
                                              frame->n_bytes - PIPIT_FRAME_HEADER_BYTES,
                                              &ret_answer->reject));
                return;
        }

        assert_int_equal(PIPIT_SESSION_OK,
                         pipit_session_open_response(session,
                                                     pipit_clock_now_us(),
                                                     counter,
                                                     frame->bytes,
                                                     frame->n_bytes,
                                                     &opened));
        ret_answer->kind = PIPIT_FRAME_SEALED_RESPONSE;
        answer_read_response(ret_answer, opened.body, opened.n_body);
}

void sealed_peer_run(struct sealed_peer *peer,
                     struct pipit_session *session,
                     struct request *request,
                     struct answer *ret_answer)
{
        struct sealed_frame frame = sealed_request(session, request);
        struct sealed_frame back = sealed_peer_exchange(peer, frame.bytes, frame.n_bytes);

        sealed_answer(session, frame.counter, &back, ret_answer);
        sealed_frame_free(&frame);
        sealed_frame_free(&back);
}

void sealed_peer_assert_echoes(struct sealed_peer *peer, struct pipit_session *session)
{
        const struct client simple = {.full = false};
        struct request request;
        struct answer answer;

        request_init(&request, &simple);
        request_echo(&request, 1, "hello", 7);
        sealed_peer_run(peer, session, &request, &answer);
        assert_int_equal(PIPIT_FRAME_SEALED_RESPONSE, answer.kind);
        assert_ok(&answer, 1);
        answer_deinit(&answer);
}
