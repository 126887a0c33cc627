#include "tests/integration/runtime/fixture.h"

#include <nng/protocol/reqrep0/req.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/uuid.h"
#include "core/rpc/message.h"
#include "server/runtime/address.h"
#include "tests/harness/nng_close.h"

/* --- handlers -------------------------------------------------------------- */

static void count_run(struct fixture *fixture)
{
        pthread_mutex_lock(&fixture->mutex);
        ++fixture->n_ran;
        pthread_cond_broadcast(&fixture->changed);
        pthread_mutex_unlock(&fixture->mutex);
}

static void handle_echo(void *self,
                        struct pipit_server_call *call,
                        const Echo__V1__EchoRequest *request)
{
        Echo__V1__EchoResponse response = ECHO__V1__ECHO_RESPONSE__INIT;

        count_run(self);
        response.text = request->text;
        response.number = request->number;
        if (strcmp(request->text, "grow") == 0) {
                response.data.len = (size_t)request->number;
                response.data.data = calloc(1, response.data.len + 1);
        }
        for (size_t i = 0; i < pipit_server_call_n_metadata(call); ++i) {
                const struct pipit_metadata *entry = pipit_server_call_metadata(call, i);

                pipit_server_call_add_metadata(
                        call, entry->key, entry->value, entry->n_value_bytes);
        }
        echo_v1_echo_reply(call, &response);
        free(response.data.data);
}

static void handle_sleep(void *self,
                         struct pipit_server_call *call,
                         const Echo__V1__SleepRequest *request)
{
        struct fixture *fixture = self;

        (void)request;
        count_run(fixture);
        pthread_mutex_lock(&fixture->mutex);
        assert_true(fixture->n_parked < PARKED_MAX);
        fixture->parked[fixture->n_parked++] = call;
        pthread_cond_broadcast(&fixture->changed);
        pthread_mutex_unlock(&fixture->mutex);
}

static void handle_fail(void *self,
                        struct pipit_server_call *call,
                        const Echo__V1__FailRequest *request)
{
        struct fixture *fixture = self;
        const struct pipit_error error = {
                .status = (enum pipit_status)request->code,
                .ran = PIPIT_RAN,
                .reason = "AS_ASKED",
                .domain = "echo.v1",
                .message = request->message,
        };

        count_run(fixture);
        pthread_mutex_lock(&fixture->mutex);
        ++fixture->n_at_gate;
        pthread_cond_broadcast(&fixture->changed);
        while (!fixture->gate_is_open)
                pthread_cond_wait(&fixture->changed, &fixture->mutex);
        pthread_mutex_unlock(&fixture->mutex);
        pipit_server_call_fail(call, &error);
}

static const struct echo_v1_echo_service handlers = {
        .echo = handle_echo,
        .sleep = handle_sleep,
        .fail = handle_fail,
        .blocks = {.fail = true},
};

/* --- server -------------------------------------------------------------- */

static void choose_url(struct fixture *fixture, enum fixture_url url)
{
        const char *temporary = getenv("TMPDIR");

        (void)snprintf(fixture->directory,
                       sizeof(fixture->directory),
                       "%.40s/pipit-XXXXXX",
                       temporary ? temporary : "/tmp");
        assert_non_null(mkdtemp(fixture->directory));

        if (url == FIXTURE_IPC)
                (void)snprintf(
                        fixture->url, sizeof(fixture->url), "ipc://%s/socket", fixture->directory);
        else if (url == FIXTURE_TCP)
                (void)snprintf(fixture->url, sizeof(fixture->url), "tcp://127.0.0.1:0");
        else
                (void)snprintf(
                        fixture->url, sizeof(fixture->url), "inproc:/%s", fixture->directory);
}

void fixture_start(struct fixture *fixture,
                   enum fixture_url url,
                   const struct pipit_server_options *options)
{
        fixture_start_with(fixture, url, options, NULL);
}

void fixture_start_with(struct fixture *fixture,
                        enum fixture_url url,
                        const struct pipit_server_options *options,
                        void (*prepare)(struct pipit_server *server))
{
        struct pipit_server_options all = options ? *options : (struct pipit_server_options){};
        struct pipit_error error = {};

        memset(fixture, 0, sizeof(*fixture));
        pthread_mutex_init(&fixture->mutex, NULL);
        pthread_cond_init(&fixture->changed, NULL);
        choose_url(fixture, url);

        all.insecure_plaintext = all.key_path == NULL;
        fixture->server = pipit_server_new(&all, &error);
        assert_non_null(fixture->server);
        assert_int_equal(PIPIT_OK,
                         echo_v1_echo_service_register(fixture->server, &handlers, fixture));
        if (prepare)
                prepare(fixture->server);
        assert_int_equal(PIPIT_OK, pipit_server_listen(fixture->server, fixture->url, &error));
        assert_int_equal(PIPIT_OK, pipit_server_start(fixture->server, &error));
        (void)snprintf(
                fixture->url, sizeof(fixture->url), "%s", pipit_server_url(fixture->server, 0));
}

struct pipit_server_call *fixture_parked(struct fixture *fixture, size_t index)
{
        struct pipit_server_call *call;

        pthread_mutex_lock(&fixture->mutex);
        call = fixture->parked[index];
        pthread_mutex_unlock(&fixture->mutex);

        return call;
}

void fixture_answer(struct fixture *fixture, size_t index)
{
        fixture_answer_with(fixture, index, 0);
}

void fixture_answer_with(struct fixture *fixture, size_t index, size_t n_bytes)
{
        Echo__V1__EchoResponse response = ECHO__V1__ECHO_RESPONSE__INIT;
        struct pipit_server_call *call = fixture_parked(fixture, index);

        assert_non_null(call);
        pthread_mutex_lock(&fixture->mutex);
        fixture->parked[index] = NULL;
        pthread_mutex_unlock(&fixture->mutex);

        response.text = (char *)(uintptr_t) "parked";
        response.data.len = n_bytes;
        response.data.data = calloc(1, n_bytes + 1);
        echo_v1_sleep_reply(call, &response);
        free(response.data.data);
}

void fixture_stop(struct fixture *fixture)
{
        fixture_open_gate(fixture);
        for (size_t i = 0; i < fixture->n_parked; ++i) {
                if (fixture->parked[i])
                        fixture_answer(fixture, i);
        }
        fixture->server = pipit_server_free(fixture->server);
        (void)rmdir(fixture->directory);
        pthread_cond_destroy(&fixture->changed);
        pthread_mutex_destroy(&fixture->mutex);
}

static void wait_until(struct fixture *fixture, const size_t *count, size_t n)
{
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += WAIT_MS / 1000;

        pthread_mutex_lock(&fixture->mutex);
        while (*count < n)
                assert_int_equal(
                        0, pthread_cond_timedwait(&fixture->changed, &fixture->mutex, &until));
        pthread_mutex_unlock(&fixture->mutex);
}

void fixture_wait_parked(struct fixture *fixture, size_t n)
{
        wait_until(fixture, &fixture->n_parked, n);
}

void fixture_wait_gate(struct fixture *fixture, size_t n)
{
        wait_until(fixture, &fixture->n_at_gate, n);
}

void fixture_wait_ran(struct fixture *fixture, size_t n)
{
        wait_until(fixture, &fixture->n_ran, n);
}

void fixture_open_gate(struct fixture *fixture)
{
        pthread_mutex_lock(&fixture->mutex);
        fixture->gate_is_open = true;
        pthread_cond_broadcast(&fixture->changed);
        pthread_mutex_unlock(&fixture->mutex);
}

size_t fixture_n_ran(struct fixture *fixture)
{
        size_t n;

        pthread_mutex_lock(&fixture->mutex);
        n = fixture->n_ran;
        pthread_mutex_unlock(&fixture->mutex);

        return n;
}

/* --- clients --------------------------------------------------------------- */

/* What @descriptor is, as "socket:[4711]"; empty: it is closed. Reads no descriptor that nng may just close. */
static void name_of(int descriptor, char ret_name[32])
{
        char path[64];
        ssize_t n;

        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor);
        n = readlink(path, ret_name, 31);
        ret_name[n > 0 ? n : 0] = '\0';
}

static bool is_open(const struct client *client)
{
        char name[32];

        if (client->descriptor < 0)
                return false;
        name_of(client->descriptor, name);

        return strcmp(name, client->socket_name) == 0;
}

/* Whether @descriptor is a connection to who listens at @address. */
static bool leads_to(int descriptor, const struct address *address)
{
        struct sockaddr_storage peer = {};
        socklen_t n_bytes = sizeof(peer);

        return getpeername(descriptor, (struct sockaddr *)&peer, &n_bytes) == 0 &&
               memcmp(&peer, &address->sockaddr, address->n_bytes) == 0;
}

#define DESCRIPTORS_MAX 1024

/* nng does not tell the descriptor of a connection: it is the one to @url that was not there before. */
static void learn_descriptor(struct client *client,
                             const char *url,
                             char before[DESCRIPTORS_MAX][32])
{
        struct address address;

        if (!address_parse(url, &address) || address.n_bytes == 0)
                return;
        for (int i = 0; i < DESCRIPTORS_MAX && client->descriptor < 0; ++i) {
                name_of(i, client->socket_name);
                if (client->socket_name[0] && strcmp(client->socket_name, before[i]) != 0 &&
                    leads_to(i, &address))
                        client->descriptor = i;
        }
        assert_true(client->descriptor >= 0);
}

void client_open(struct client *client, const char *url, bool full)
{
        char before[DESCRIPTORS_MAX][32];

        memset(client, 0, sizeof(*client));
        client->full = full;
        client->descriptor = -1;
        pipit_random_bytes(client->id, sizeof(client->id));
        assert_int_equal(0, nng_req0_open(&client->socket));
        assert_int_equal(
                0,
                nng_socket_set_ms(client->socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE));
        for (int i = 0; i < DESCRIPTORS_MAX; ++i)
                name_of(i, before[i]);
        assert_int_equal(0, nng_dial(client->socket, url, NULL, 0));
        learn_descriptor(client, url, before);
}

/* The connection ends, and nng has closed it. */
static void hang_up(const struct client *client)
{
        const struct timespec pause = {.tv_nsec = 1000000};

        if (is_open(client))
                (void)shutdown(client->descriptor, SHUT_RDWR);
        for (int i = 0; is_open(client) && i < WAIT_MS; ++i)
                (void)nanosleep(&pause, NULL);
}

void client_close(struct client *client)
{
        (void)nng_close_within_bound(client->socket);
}

void client_leave(struct client *client)
{
        hang_up(client);
        client_close(client);
}

/* --- requests -------------------------------------------------------------- */

void request_init(struct request *request, const struct client *client)
{
        memset(request, 0, sizeof(*request));
        pipit__v1__request__init(&request->message);
        request->message.calls = request->calls;
        request->message.awaits = request->awaits;
        request->message.cancels = request->cancels;
        if (client->full) {
                request->message.client_id.data = (uint8_t *)(uintptr_t)client->id;
                request->message.client_id.len = sizeof(client->id);
        }
}

void request_deinit(struct request *request)
{
        pipit_arena_deinit(&request->arena);
}

Pipit__V1__Call *request_call(struct request *request, uint64_t id, const char *method)
{
        Pipit__V1__Call *call = pipit_arena_alloc(&request->arena, sizeof(*call));

        assert_non_null(call);
        pipit__v1__call__init(call);
        call->id = id;
        call->method = (char *)(uintptr_t)method;
        request->calls[request->message.n_calls++] = call;

        return call;
}

void request_echo(struct request *request, uint64_t id, const char *text, uint64_t number)
{
        Pipit__V1__Call *call = request_call(request, id, ECHO);
        Echo__V1__EchoRequest echo = ECHO__V1__ECHO_REQUEST__INIT;

        echo.text = (char *)(uintptr_t)text;
        echo.number = number;
        call->payload.len = echo__v1__echo_request__get_packed_size(&echo);
        call->payload.data = pipit_arena_alloc(&request->arena, call->payload.len);
        echo__v1__echo_request__pack(&echo, call->payload.data);
}

void request_fail(struct request *request, uint64_t id, int32_t code, const char *message)
{
        Pipit__V1__Call *call = request_call(request, id, FAIL);
        Echo__V1__FailRequest fail = ECHO__V1__FAIL_REQUEST__INIT;

        fail.code = code;
        fail.message = (char *)(uintptr_t)message;
        call->payload.len = echo__v1__fail_request__get_packed_size(&fail);
        call->payload.data = pipit_arena_alloc(&request->arena, call->payload.len);
        echo__v1__fail_request__pack(&fail, call->payload.data);
}

void request_await(struct request *request, uint64_t id)
{
        request->awaits[request->message.n_awaits++] = id;
}

void request_cancel(struct request *request, uint64_t id)
{
        request->cancels[request->message.n_cancels++] = id;
}

/* --- exchanges ------------------------------------------------------------- */

void exchange_send_bytes(struct exchange *exchange,
                         struct client *client,
                         const void *bytes,
                         size_t n_bytes)
{
        nng_msg *message;

        assert_int_equal(0, nng_ctx_open(&exchange->ctx, client->socket));
        assert_int_equal(0, nng_aio_alloc(&exchange->aio, NULL, NULL));
        assert_int_equal(0, nng_msg_alloc(&message, 0));
        assert_int_equal(0, nng_msg_append(message, bytes, n_bytes));
        nng_aio_set_msg(exchange->aio, message);
        nng_aio_set_timeout(exchange->aio, WAIT_MS);
        nng_ctx_send(exchange->ctx, exchange->aio);
        nng_aio_wait(exchange->aio);
        assert_int_equal(0, nng_aio_result(exchange->aio));
        nng_ctx_recv(exchange->ctx, exchange->aio);
}

void exchange_send(struct exchange *exchange, struct client *client, const struct request *request)
{
        size_t n_bytes = pipit__v1__request__get_packed_size(&request->message);
        uint8_t *bytes = malloc(PIPIT_FRAME_HEADER_BYTES + n_bytes);

        assert_non_null(bytes);
        pipit_frame_header_write(PIPIT_FRAME_REQUEST, bytes);
        pipit__v1__request__pack(&request->message, bytes + PIPIT_FRAME_HEADER_BYTES);
        exchange_send_bytes(exchange, client, bytes, PIPIT_FRAME_HEADER_BYTES + n_bytes);
        free(bytes);
}

void answer_read_response(struct answer *answer, const uint8_t *body, size_t n_bytes)
{
        answer->response = (Pipit__V1__Response *)(void *)pipit_message_unpack(
                &pipit__v1__response__descriptor, &answer->arena, body, n_bytes);
        assert_non_null(answer->response);
}

static void answer_read(struct answer *answer, const uint8_t *bytes, size_t n_bytes)
{
        const uint8_t *body = bytes + PIPIT_FRAME_HEADER_BYTES;

        assert_int_equal(PIPIT_FRAME_OK, pipit_frame_header_read(bytes, n_bytes, &answer->kind));
        answer->n_bytes = n_bytes;
        n_bytes -= PIPIT_FRAME_HEADER_BYTES;
        if (answer->kind == PIPIT_FRAME_REJECT) {
                assert_true(pipit_reject_read(body, n_bytes, &answer->reject));
                return;
        }

        assert_int_equal(PIPIT_FRAME_RESPONSE, answer->kind);
        answer_read_response(answer, body, n_bytes);
}

void exchange_wait(struct exchange *exchange, struct answer *ret_answer)
{
        memset(ret_answer, 0, sizeof(*ret_answer));
        nng_aio_wait(exchange->aio);
        ret_answer->result = nng_aio_result(exchange->aio);
        if (ret_answer->result == 0) {
                nng_msg *message = nng_aio_get_msg(exchange->aio);

                answer_read(ret_answer, nng_msg_body(message), nng_msg_len(message));
                nng_msg_free(message);
        }
        nng_aio_free(exchange->aio);
        nng_ctx_close(exchange->ctx);
}

void exchange_abandon(struct exchange *exchange)
{
        nng_aio_stop(exchange->aio);
        if (nng_aio_result(exchange->aio) == 0)
                nng_msg_free(nng_aio_get_msg(exchange->aio));
        nng_aio_free(exchange->aio);
        nng_ctx_close(exchange->ctx);
}

void exchange_run(struct client *client, struct request *request, struct answer *ret_answer)
{
        struct exchange exchange;

        exchange_send(&exchange, client, request);
        request_deinit(request);
        exchange_wait(&exchange, ret_answer);
        assert_int_equal(0, ret_answer->result);
}

void answer_deinit(struct answer *answer)
{
        pipit_arena_deinit(&answer->arena);
}

/* --- assertions ------------------------------------------------------------ */

void exchange_send_call(struct exchange *exchange,
                        struct client *client,
                        uint64_t id,
                        const char *method,
                        uint32_t timeout_ms)
{
        struct request request;

        request_init(&request, client);
        request_call(&request, id, method)->timeout_ms = timeout_ms;
        exchange_send(exchange, client, &request);
        request_deinit(&request);
}

void exchange_run_call(struct client *client,
                       uint64_t id,
                       const char *method,
                       uint32_t timeout_ms,
                       struct answer *ret_answer)
{
        struct exchange exchange;

        exchange_send_call(&exchange, client, id, method, timeout_ms);
        exchange_wait(&exchange, ret_answer);
}

void exchange_run_cancel(struct client *client, uint64_t id)
{
        struct request request;
        struct answer answer;

        request_init(&request, client);
        request_cancel(&request, id);
        exchange_run(client, &request, &answer);
        answer_deinit(&answer);
}

static int connect_to(const char *url)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", url + strlen("ipc://"));
        assert_int_equal(0, connect(fd, (const struct sockaddr *)&address, sizeof(address)));

        return fd;
}

static void write_all(int fd, const void *bytes, size_t n_bytes)
{
        assert_int_equal(n_bytes, write(fd, bytes, n_bytes));
}

void client_park_and_leave(struct client *client, struct fixture *fixture)
{
        struct exchange exchange;
        struct request request;

        request_init(&request, client);
        request_call(&request, 1, SLEEP)->timeout_ms = 60000;
        exchange_send(&exchange, client, &request);
        request_deinit(&request);
        fixture_wait_parked(fixture, 1);
        exchange_abandon(&exchange);
        client_close(client);
}

/* Without nng, whose sockets take their time to close, or for ever. */
void fixture_lose_client(struct fixture *fixture)
{
        static const uint8_t greeting[] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};
        static const uint8_t request_id[] = {0x80, 0, 0, 1};
        const struct client simple = {.full = false};
        int fd = connect_to(fixture->url);
        uint8_t head[9] = {1}, body[256];
        struct request request;
        size_t n_bytes;

        request_init(&request, &simple);
        request_call(&request, 1, SLEEP)->timeout_ms = 60000; /* its end must be another */
        n_bytes = PIPIT_FRAME_HEADER_BYTES + pipit__v1__request__get_packed_size(&request.message);
        assert_true(n_bytes <= sizeof(body));
        pipit_frame_header_write(PIPIT_FRAME_REQUEST, body);
        pipit__v1__request__pack(&request.message, body + PIPIT_FRAME_HEADER_BYTES);
        request_deinit(&request);
        head[sizeof(head) - 1] = (uint8_t)(sizeof(request_id) + n_bytes);

        write_all(fd, greeting, sizeof(greeting));
        write_all(fd, head, sizeof(head));
        write_all(fd, request_id, sizeof(request_id));
        write_all(fd, body, n_bytes);
        fixture_wait_parked(fixture, 1);
        (void)close(fd);
}

const Pipit__V1__Reply *answer_reply(const struct answer *answer, uint64_t id)
{
        assert_non_null(answer->response);
        for (size_t i = 0; i < answer->response->n_replies; ++i) {
                if (answer->response->replies[i]->id == id)
                        return answer->response->replies[i];
        }

        return NULL;
}

void assert_failed(struct answer *answer,
                   uint64_t id,
                   enum pipit_status status,
                   enum pipit_ran ran,
                   const char *reason)
{
        const Pipit__V1__Reply *reply = answer_reply(answer, id);
        struct pipit_error error;

        assert_non_null(reply);
        assert_non_null(reply->status);
        pipit_status_decode(reply->status, &answer->arena, &error);
        assert_string_equal(pipit_status_name(status), pipit_status_name(error.status));
        assert_string_equal(pipit_ran_name(ran), pipit_ran_name(error.ran));
        if (reason)
                assert_string_equal(reason, error.reason);
}

void assert_ok(const struct answer *answer, uint64_t id)
{
        const Pipit__V1__Reply *reply = answer_reply(answer, id);

        assert_non_null(reply);
        assert_null(reply->status);
}

void assert_rejected(const struct answer *answer, enum pipit_reject_code code, uint32_t detail)
{
        assert_int_equal(PIPIT_FRAME_REJECT, answer->kind);
        assert_string_equal(pipit_reject_name(code), pipit_reject_name(answer->reject.code));
        assert_int_equal(detail, answer->reject.detail);
}

void assert_serves(const char *url)
{
        struct client client;
        struct request request;
        struct answer answer;

        client_open(&client, url, false);
        request_init(&request, &client);
        request_echo(&request, 1, "hello", 7);
        exchange_run(&client, &request, &answer);
        assert_ok(&answer, 1);
        answer_deinit(&answer);
        client_close(&client);
}
