/*
 * The server's memory runs out, its threads' alone: whatever is lacking, the
 * client is answered or its pipe closed, never left waiting, and once there is
 * memory again the server serves.
 */

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "tests/integration/runtime/keyed.h"

static _Thread_local bool is_test;
static atomic_int countdown; /* 0: nothing fails */
static atomic_bool lasting;  /* all that come after fail, too */
static atomic_bool met;

void *__real_malloc(size_t n_bytes);
void *__real_calloc(size_t n, size_t n_bytes);
void *__real_realloc(void *pointer, size_t n_bytes);
int __real_nng_msg_alloc(nng_msg **ret_message, size_t n_bytes);
void *__wrap_malloc(size_t n_bytes);
void *__wrap_calloc(size_t n, size_t n_bytes);
void *__wrap_realloc(void *pointer, size_t n_bytes);
int __wrap_nng_msg_alloc(nng_msg **ret_message, size_t n_bytes);

static bool fails(void)
{
        int left;

        if (is_test)
                return false;
        left = atomic_load(&countdown);
        while (left > 1) {
                if (atomic_compare_exchange_weak(&countdown, &left, left - 1))
                        return false;
        }
        if (left == 0)
                return false;
        if (!atomic_load(&lasting))
                atomic_store(&countdown, 0);
        atomic_store(&met, true);

        return true;
}

void *__wrap_malloc(size_t n_bytes)
{
        return fails() ? NULL : __real_malloc(n_bytes);
}

void *__wrap_calloc(size_t n, size_t n_bytes)
{
        return fails() ? NULL : __real_calloc(n, n_bytes);
}

void *__wrap_realloc(void *pointer, size_t n_bytes)
{
        return fails() ? NULL : __real_realloc(pointer, n_bytes);
}

int __wrap_nng_msg_alloc(nng_msg **ret_message, size_t n_bytes)
{
        return fails() ? NNG_ENOMEM : __real_nng_msg_alloc(ret_message, n_bytes);
}

static void assert_is_told(const struct answer *answer)
{
        const Pipit__V1__Reply *reply;

        if (answer->result != 0) {
                assert_int_equal(NNG_ECONNRESET, answer->result);
                return;
        }
        if (answer->kind == PIPIT_FRAME_REJECT) {
                assert_int_equal(PIPIT_REJECT_BUSY, answer->reject.code);
                return;
        }
        reply = answer_reply(answer, 1);
        if (reply && reply->status)
                assert_int_equal(PIPIT_RESOURCE_EXHAUSTED, reply->status->code);
}

/* Whether the @n-th allocation was met. */
static bool try_with(struct fixture *fixture, int n, bool last, bool full)
{
        char text[20000] = {};
        struct client client;
        struct exchange exchange;
        struct request request;
        struct answer answer;

        client_open(&client, fixture->url, full);
        request_init(&request, &client);
        request.message.hold_ms = 20;
        exchange_run(&client, &request, &answer); /* the pipe is there */
        answer_deinit(&answer);

        memset(text, 'x', sizeof(text) - 1);
        request_init(&request, &client);
        request_echo(&request, 1, text, 0);
        request.message.hold_ms = 20;
        atomic_store(&met, false);
        atomic_store(&lasting, last);
        atomic_store(&countdown, n);
        exchange_send(&exchange, &client, &request);
        request_deinit(&request);
        exchange_wait(&exchange, &answer);
        atomic_store(&countdown, 0);
        assert_is_told(&answer);
        /* A simple client gets a reply for each call, or nothing. */
        if (!full && answer.result == 0 && answer.kind == PIPIT_FRAME_RESPONSE)
                assert_non_null(answer_reply(&answer, 1));
        answer_deinit(&answer);
        assert_serves(fixture->url);
        client_close(&client);

        return atomic_load(&met);
}

static void whatever_allocation_fails_the_client_is_told_and_the_server_goes_on(void **state)
{
        struct fixture fixture;

        (void)state;
        is_test = true;
        for (int mode = 0; mode < 4; ++mode) {
                int n = 1;

                fixture_start(&fixture, FIXTURE_IPC, NULL);
                while (try_with(&fixture, n, mode & 1, mode & 2))
                        ++n;
                assert_in_range(n, 5, 200);
                fixture_stop(&fixture);
        }
}

/* A handshake and a call in its session; false: the @n-th allocation was not met. */
static bool try_session_with(struct keyed *keyed, int n, bool last)
{
        const struct client simple = {.full = false};
        struct sealed_peer peer;
        struct request request;
        struct sealed_frame frame, back;
        struct pipit_session *session;
        enum pipit_reject_code code;

        sealed_peer_connect(&peer, keyed->fixture.url);
        request_init(&request, &simple);
        request_echo(&request, 1, "hello", 7);
        atomic_store(&met, false);
        atomic_store(&lasting, last);
        atomic_store(&countdown, n);
        session = sealed_peer_shake(&peer, &keyed->alice, keyed->server.public, &code);
        if (session) {
                frame = sealed_request(session, &request);
                back = sealed_peer_exchange(&peer, frame.bytes, frame.n_bytes);
                code = sealed_frame_reject(&back);
                sealed_frame_free(&frame);
                sealed_frame_free(&back);
        } else {
                request_deinit(&request);
        }
        atomic_store(&countdown, 0);
        assert_true(code == 0 || code == PIPIT_REJECT_BUSY);
        pipit_session_unref(session);
        sealed_peer_close(&peer);

        session = keyed_connect(keyed, &peer, &keyed->alice);
        sealed_peer_assert_echoes(&peer, session);
        keyed_leave(&peer, session);

        return atomic_load(&met);
}

static void whatever_allocation_fails_a_listed_key_is_never_denied(void **state)
{
        (void)state;
        is_test = true;
        for (int last = 0; last < 2; ++last) {
                struct keyed keyed;
                int n = 1;

                keyed_start(&keyed, NULL);
                while (try_session_with(&keyed, n, last))
                        ++n;
                assert_in_range(n, 5, 200);
                keyed_stop(&keyed);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(
                        whatever_allocation_fails_the_client_is_told_and_the_server_goes_on),
                cmocka_unit_test(whatever_allocation_fails_a_listed_key_is_never_denied),
        };

        return cmocka_run_group_tests_name("runtime_memory", tests, NULL, NULL);
}
