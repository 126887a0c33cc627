/*
 * Echo, plain nng: the server, a message a call
 *
 *      bench-echo-nng-server URL
 */

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "echo/v1/echo.pb-c.h"
#include "tests/bench/nng_message.h"
#include "tests/harness/harness.h"

#define N_CONTEXTS 64

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
        nng_aio_set_msg(worker->aio, nng_message_pack(&response.base));
        echo__v1__echo_request__free_unpacked(request, NULL);
        worker->sending = true;
        nng_ctx_send(worker->context, worker->aio);
}

static void worker_done(void *argument)
{
        struct worker *worker = argument;
        int error = nng_aio_result(worker->aio);

        if (error == NNG_ECLOSED)
                return;
        if (error && worker->sending)
                nng_msg_free(nng_aio_get_msg(worker->aio));
        if (error || worker->sending)
                worker_receive(worker);
        else
                worker_answer(worker);
}

int main(int argc, char **argv)
{
        static struct worker workers[N_CONTEXTS];
        nng_listener listener;
        nng_socket socket;
        char *url;

        if (argc != 2)
                die("usage: %s URL", argv[0]);
        must(nng_rep0_open(&socket), "socket");
        for (size_t i = 0; i < N_CONTEXTS; i++) {
                must(nng_ctx_open(&workers[i].context, socket), "context");
                must(nng_aio_alloc(&workers[i].aio, worker_done, &workers[i]), "aio");
                worker_receive(&workers[i]);
        }
        must(nng_listen(socket, argv[1], &listener, 0), argv[1]);
        must(nng_listener_get_string(listener, NNG_OPT_URL, &url), "URL");
        (void)printf("listening on %s\n", url);
        (void)fflush(stdout);
        (void)pause(); /* until the signal that ends it */

        return EXIT_SUCCESS;
}
