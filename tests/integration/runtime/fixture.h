/*
 * A server of echo.v1.EchoService under the test's hand, and raw clients
 *
 * Echo answers at once ("grow": with that NUMBER of bytes). Sleep answers when
 * the test says so. Fail is registered as blocking, and waits at a gate first.
 * Clients are nng REQ contexts: frames are written and read by the test.
 */

#ifndef TESTS_INTEGRATION_RUNTIME_FIXTURE_H
#define TESTS_INTEGRATION_RUNTIME_FIXTURE_H

#include <nng/nng.h>
#include <pipit/server.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants those before it */
#include <cmocka.h>

#include "core/base/arena.h"
#include "core/rpc/frame.h"
#include "core/rpc/status_codec.h"
#include "echo/v1/echo.pipit.h"
#include "pipit/v1/frame.pb-c.h"

#define ECHO   "echo.v1.EchoService/Echo"
#define SLEEP  "echo.v1.EchoService/Sleep"
#define FAIL   "echo.v1.EchoService/Fail"
#define HEALTH "grpc.health.v1.Health/Check"

#define PARKED_MAX 4096
#define WAIT_MS    20000

struct fixture {
        struct pipit_server *server;
        char directory[64];
        char url[128];

        pthread_mutex_t mutex;
        pthread_cond_t changed;
        struct pipit_server_call *parked[PARKED_MAX]; /* those that Sleep got */
        size_t n_parked;
        size_t n_ran; /* handlers that began, of any method */
        size_t n_at_gate;
        bool gate_is_open;
};

enum fixture_url {
        FIXTURE_IPC,
        FIXTURE_TCP,
        FIXTURE_INPROC,
};

void fixture_start(struct fixture *fixture,
                   enum fixture_url url,
                   const struct pipit_server_options *options);

/* The same; @prepare has the server before its start. */
void fixture_start_with(struct fixture *fixture,
                        enum fixture_url url,
                        const struct pipit_server_options *options,
                        void (*prepare)(struct pipit_server *server));

/* Answers what is parked, opens the gate, stops and frees. */
void fixture_stop(struct fixture *fixture);

/* Waits until @n calls of Sleep are parked (since the start). */
void fixture_wait_parked(struct fixture *fixture, size_t n);

/* Waits until @n handlers stand at the gate. */
void fixture_wait_gate(struct fixture *fixture, size_t n);

/* Waits until @n handlers have begun. */
void fixture_wait_ran(struct fixture *fixture, size_t n);
void fixture_open_gate(struct fixture *fixture);
size_t fixture_n_ran(struct fixture *fixture);

/* Answers the @index-th parked call. */
void fixture_answer(struct fixture *fixture, size_t index);
void fixture_answer_with(struct fixture *fixture, size_t index, size_t n_bytes);
struct pipit_server_call *fixture_parked(struct fixture *fixture, size_t index);

/* --- clients --------------------------------------------------------------- */

struct client {
        nng_socket socket;
        uint8_t id[16];
        bool full;
        int descriptor;       /* of its connection; -1: it has none */
        char socket_name[32]; /* as the kernel calls it: the descriptor may come to be another's */
};

void client_open(struct client *client, const char *url, bool full);
void client_close(struct client *client);

/*
 * The same while answers may be coming in: nng_close() would then stop whatever
 * frees nng's pipes in this process. So the connection ends first. nng loses some
 * memory by that.
 */
void client_leave(struct client *client);

/* What a request says; calls are given by add_call(). */
struct request {
        Pipit__V1__Request message;
        struct pipit_arena arena;
        Pipit__V1__Call *calls[512];
        uint64_t awaits[64];
        uint64_t cancels[64];
};

void request_init(struct request *request, const struct client *client);
void request_deinit(struct request *request);
Pipit__V1__Call *request_call(struct request *request, uint64_t id, const char *method);
void request_echo(struct request *request, uint64_t id, const char *text, uint64_t number);
/* The handler answers @code, AS_ASKED, once the gate is open. */
void request_fail(struct request *request, uint64_t id, int32_t code, const char *message);
void request_await(struct request *request, uint64_t id);
void request_cancel(struct request *request, uint64_t id);

/* A frame on its way. */
struct exchange {
        nng_ctx ctx;
        nng_aio *aio;
};

struct answer {
        int result; /* of nng */
        enum pipit_frame_kind kind;
        Pipit__V1__Response *response;
        struct pipit_reject reject;
        struct pipit_arena arena;
        size_t n_bytes;
};

void exchange_send(struct exchange *exchange, struct client *client, const struct request *request);
void exchange_send_bytes(struct exchange *exchange,
                         struct client *client,
                         const void *bytes,
                         size_t n_bytes);
void exchange_wait(struct exchange *exchange, struct answer *ret_answer);

/* The body of a response, however it came. */
void answer_read_response(struct answer *answer, const uint8_t *body, size_t n_bytes);

/* Leaves it unanswered. */
void exchange_abandon(struct exchange *exchange);
void answer_deinit(struct answer *answer);

/* Sends, waits, and frees the request. */
void exchange_run(struct client *client, struct request *request, struct answer *ret_answer);

/* The same for a frame of one call, and of one cancel; a @timeout_ms of 0 is none. */
void exchange_send_call(struct exchange *exchange,
                        struct client *client,
                        uint64_t id,
                        const char *method,
                        uint32_t timeout_ms);
void exchange_run_call(struct client *client,
                       uint64_t id,
                       const char *method,
                       uint32_t timeout_ms,
                       struct answer *ret_answer);
void exchange_run_cancel(struct client *client, uint64_t id);

/* Calls Sleep, whose end must be another than its deadline, and leaves once that is parked. */
void client_park_and_leave(struct client *client, struct fixture *fixture);

/* A simple client, over ipc, calls Sleep, and leaves once that is parked. */
void fixture_lose_client(struct fixture *fixture);

/* The reply of @id, or NULL. */
const Pipit__V1__Reply *answer_reply(const struct answer *answer, uint64_t id);

/* Asserts on a reply's failure; the reason may be NULL. */
void assert_failed(struct answer *answer,
                   uint64_t id,
                   enum pipit_status status,
                   enum pipit_ran ran,
                   const char *reason);
void assert_ok(const struct answer *answer, uint64_t id);
void assert_rejected(const struct answer *answer, enum pipit_reject_code code, uint32_t detail);

/* An answered call of Echo on a new simple client: the server serves. */
void assert_serves(const char *url);

#endif
