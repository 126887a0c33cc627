/*
 * Plain nng REQ/REP, a message a call: the same protobuf messages, packed and
 * unpacked on both sides; a context a call, 64 contexts at the server
 *
 *      bench-echo-nng --server URL    the server process
 */

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "echo/v1/echo.pb-c.h"
#include "tests/bench/bench.h"
#include "tests/harness/harness.h"

#define N_CONTEXTS 64

static void must(int error, const char *what)
{
        if (error)
                die("%s: %s", what, nng_strerror(error));
}

static nng_msg *pack(const ProtobufCMessage *message)
{
        size_t n_bytes = protobuf_c_message_get_packed_size(message);
        nng_msg *msg;

        must(nng_msg_alloc(&msg, n_bytes), "message");
        (void)protobuf_c_message_pack(message, nng_msg_body(msg));

        return msg;
}

/* --- server ---------------------------------------------------------------- */

struct worker {
        nng_ctx context;
        nng_aio *aio;
        bool sending;
};

static void worker_receive(struct worker *worker)
{
        worker->sending = false;
        nng_ctx_recv(worker->context, worker->aio);
}

static void worker_answer(struct worker *worker)
{
        nng_msg *msg = nng_aio_get_msg(worker->aio);
        Echo__V1__EchoRequest *request =
                echo__v1__echo_request__unpack(NULL, nng_msg_len(msg), nng_msg_body(msg));
        Echo__V1__EchoResponse response = ECHO__V1__ECHO_RESPONSE__INIT;

        if (!request)
                die("malformed request");
        response.text = request->text;
        response.number = request->number;
        response.data = request->data;
        nng_msg_free(msg);
        nng_aio_set_msg(worker->aio, pack(&response.base));
        echo__v1__echo_request__free_unpacked(request, NULL);
        worker->sending = true;
        nng_ctx_send(worker->context, worker->aio);
}

static void worker_done(void *argument)
{
        struct worker *worker = argument;

        if (nng_aio_result(worker->aio) != 0)
                return;
        if (worker->sending)
                worker_receive(worker);
        else
                worker_answer(worker);
}

static int serve(const char *url)
{
        static struct worker workers[N_CONTEXTS];
        nng_socket socket;

        must(nng_rep0_open(&socket), "socket");
        for (size_t i = 0; i < N_CONTEXTS; i++) {
                must(nng_ctx_open(&workers[i].context, socket), "context");
                must(nng_aio_alloc(&workers[i].aio, worker_done, &workers[i]), "aio");
                worker_receive(&workers[i]);
        }
        must(nng_listen(socket, url, NULL, 0), url);
        (void)printf("listening on %s\n", url);
        (void)fflush(stdout);
        (void)pause(); /* until the signal that ends it */

        return EXIT_SUCCESS;
}

/* --- client ---------------------------------------------------------------- */

struct echo {
        struct bench_slot *slot;
        nng_ctx context;
        nng_aio *aio;
        nng_aio *blocking; /* for calls that wait */
        bool sending;
};

static nng_socket client_socket;

static pid_t server_start(const char *server, const char *url)
{
        struct process process;

        process_start(&process, (const char *[]){server, "--server", url, NULL}, NULL);

        return process.pid;
}

static void echo_open(const char *url)
{
        must(nng_req0_open(&client_socket), "socket");
        must(nng_dial(client_socket, url, NULL, 0), url);
}

static nng_msg *request_message(void)
{
        Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;

        request.text = (char *)BENCH_TEXT;

        return pack(&request.base);
}

static bool read_response(nng_msg *msg)
{
        Echo__V1__EchoResponse *response =
                echo__v1__echo_response__unpack(NULL, nng_msg_len(msg), nng_msg_body(msg));
        bool ok = response && response->text[0] == BENCH_TEXT[0];

        echo__v1__echo_response__free_unpacked(response, NULL);
        nng_msg_free(msg);

        return ok;
}

static void echo_start(struct bench_slot *slot)
{
        struct echo *echo = slot->contestant;

        echo->sending = true;
        nng_aio_set_msg(echo->aio, request_message());
        nng_ctx_send(echo->context, echo->aio);
}

static void echo_done(void *argument)
{
        struct echo *echo = argument;

        if (nng_aio_result(echo->aio) != 0) {
                bench_done(echo->slot, false);
                return;
        }
        if (echo->sending) {
                echo->sending = false;
                nng_ctx_recv(echo->context, echo->aio);
                return;
        }
        bench_done(echo->slot, read_response(nng_aio_get_msg(echo->aio)));
}

static bool echo_call(struct bench_slot *slot)
{
        struct echo *echo = slot->contestant;

        nng_aio_set_msg(echo->blocking, request_message());
        nng_ctx_send(echo->context, echo->blocking);
        nng_aio_wait(echo->blocking);
        if (nng_aio_result(echo->blocking) != 0)
                return false;
        nng_ctx_recv(echo->context, echo->blocking);
        nng_aio_wait(echo->blocking);

        return nng_aio_result(echo->blocking) == 0 &&
               read_response(nng_aio_get_msg(echo->blocking));
}

static void *slot_new(struct bench_slot *slot)
{
        struct echo *echo = calloc(1, sizeof(*echo));

        if (!echo)
                die("out of memory");
        echo->slot = slot;
        must(nng_ctx_open(&echo->context, client_socket), "context");
        must(nng_aio_alloc(&echo->aio, echo_done, echo), "aio");
        must(nng_aio_alloc(&echo->blocking, NULL, NULL), "aio");

        return echo;
}

static void slot_free(struct bench_slot *slot)
{
        struct echo *echo = slot->contestant;

        nng_aio_free(echo->aio);
        nng_aio_free(echo->blocking);
        (void)nng_ctx_close(echo->context);
        free(echo);
}

static void echo_close(void)
{
        (void)nng_close(client_socket);
}

int main(int argc, char **argv)
{
        static const struct bench_contestant contestant = {
                .name = "nng",
                .server_start = server_start,
                .open = echo_open,
                .slot_new = slot_new,
                .start = echo_start,
                .call = echo_call,
                .slot_free = slot_free,
                .close = echo_close,
        };

        if (argc == 3 && strcmp(argv[1], "--server") == 0)
                return serve(argv[2]);

        return bench_main(&contestant, argc, argv);
}
