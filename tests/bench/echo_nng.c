/*
 * Echo, plain nng REQ/REP: the client, a message and a context a call; the same
 * protobuf messages, packed and unpacked on both sides
 */

#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <stdlib.h>

#include "echo/v1/echo.pb-c.h"
#include "tests/bench/bench.h"
#include "tests/bench/nng_message.h"
#include "tests/harness/harness.h"

struct caller {
        struct bench_slot *slot;
        nng_ctx context;
        nng_aio *aio;
        nng_aio *blocking; /* for calls that wait */
        bool sending;
};

static struct bench_echo echo;
static nng_socket *sockets;
static size_t n_sockets;

static void open_sockets(const struct bench_options *options)
{
        echo = bench_echo_make(options->n_bytes);
        n_sockets = options->n_connections;
        sockets = calloc(n_sockets, sizeof(*sockets));
        if (!sockets)
                die("out of memory");
        for (size_t i = 0; i < n_sockets; i++) {
                must(nng_req0_open(&sockets[i]), "socket");
                must(nng_dial(sockets[i], options->url, NULL, 0), options->url);
        }
}

static void close_sockets(void)
{
        for (size_t i = 0; i < n_sockets; i++)
                (void)nng_close(sockets[i]);
        free(sockets);
}

static nng_msg *request_message(void)
{
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;

        request.text = (char *)(uintptr_t)echo.text;
        request.number = echo.number;
        request.data.data = (uint8_t *)(uintptr_t)echo.data;
        request.data.len = echo.n_data;

        return nng_message_pack(&request.base);
}

static bool read_response(nng_msg *msg)
{
        Echo__V1__EchoResponse *response =
                echo__v1__echo_response__unpack(NULL, nng_msg_len(msg), nng_msg_body(msg));
        bool ok = response && bench_echo_is(&echo,
                                            response->text,
                                            response->number,
                                            response->data.data,
                                            response->data.len);

        echo__v1__echo_response__free_unpacked(response, NULL);
        nng_msg_free(msg);

        return ok;
}

static void echo_start(struct bench_slot *slot)
{
        struct caller *caller = slot->contestant;

        caller->sending = true;
        nng_aio_set_msg(caller->aio, request_message());
        nng_ctx_send(caller->context, caller->aio);
}

static void echo_done(void *argument)
{
        struct caller *caller = argument;

        if (nng_aio_result(caller->aio) != 0) {
                bench_done(caller->slot, false);
                return;
        }
        if (caller->sending) {
                caller->sending = false;
                nng_ctx_recv(caller->context, caller->aio);
                return;
        }
        bench_done(caller->slot, read_response(nng_aio_get_msg(caller->aio)));
}

static bool echo_call(struct bench_slot *slot)
{
        struct caller *caller = slot->contestant;

        nng_aio_set_msg(caller->blocking, request_message());
        nng_ctx_send(caller->context, caller->blocking);
        nng_aio_wait(caller->blocking);
        if (nng_aio_result(caller->blocking) != 0)
                return false;
        nng_ctx_recv(caller->context, caller->blocking);
        nng_aio_wait(caller->blocking);

        return nng_aio_result(caller->blocking) == 0 &&
               read_response(nng_aio_get_msg(caller->blocking));
}

static void *caller_new(struct bench_slot *slot)
{
        struct caller *caller = calloc(1, sizeof(*caller));

        if (!caller)
                die("out of memory");
        caller->slot = slot;
        must(nng_ctx_open(&caller->context, sockets[slot->index % n_sockets]), "context");
        must(nng_aio_alloc(&caller->aio, echo_done, caller), "aio");
        must(nng_aio_alloc(&caller->blocking, NULL, NULL), "aio");

        return caller;
}

static void caller_free(struct bench_slot *slot)
{
        struct caller *caller = slot->contestant;

        nng_aio_free(caller->aio);
        nng_aio_free(caller->blocking);
        (void)nng_ctx_close(caller->context);
        free(caller);
}

int main(int argc, char **argv)
{
        static const struct bench_contestant contestant = {
                .name = "nng",
                .open = open_sockets,
                .slot_new = caller_new,
                .start = echo_start,
                .call = echo_call,
                .slot_free = caller_free,
                .close = close_sockets,
        };

        return bench_main(&contestant, argc, argv);
}
