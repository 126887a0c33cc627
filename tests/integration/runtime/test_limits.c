#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/runtime/address.h"
#include "server/runtime/box.h"
#include "server/runtime/call.h"
#include "tests/integration/runtime/fixture.h"

static struct fixture fixture;
static struct client client;

static void open_with(const struct pipit_server_options *options, bool full)
{
        fixture_start(&fixture, FIXTURE_IPC, options);
        client_open(&client, fixture.url, full);
}

static void close_all_of_it(void)
{
        client_close(&client);
        fixture_stop(&fixture);
}

static void run_slow_and_expect(size_t n_fine, size_t n_refused, const char *reason)
{
        struct request request;
        struct answer answer;

        request_init(&request, &client);
        for (uint64_t id = 1; id <= n_fine + n_refused; ++id)
                request_call(&request, id, SLEEP);
        exchange_run(&client, &request, &answer);
        assert_int_equal(n_refused, answer.response->n_replies);
        for (uint64_t id = n_fine + 1; id <= n_fine + n_refused; ++id)
                assert_failed(&answer, id, PIPIT_RESOURCE_EXHAUSTED, PIPIT_NOT_RUN, reason);
        answer_deinit(&answer);
        assert_int_equal(n_fine, fixture_n_ran(&fixture));
}

static void calls_over_the_limit_of_a_mailbox_fail_without_running(void **state)
{
        const struct pipit_server_options options = {.calls_per_mailbox_max = 3};

        (void)state;
        open_with(&options, true);
        run_slow_and_expect(3, 2, "TOO_MANY_CALLS");
        close_all_of_it();
}

static void calls_over_the_limit_of_the_server_fail_without_running(void **state)
{
        const struct pipit_server_options options = {.calls_max = 4};

        (void)state;
        open_with(&options, true);
        run_slow_and_expect(4, 1, "TOO_MANY_CALLS");
        close_all_of_it();
}

static void what_was_refused_is_taken_when_there_is_room_again(void **state)
{
        const struct pipit_server_options options = {.calls_max = 1};

        (void)state;
        open_with(&options, true);
        run_slow_and_expect(1, 1, "TOO_MANY_CALLS");
        fixture_answer(&fixture, 0);
        assert_serves(fixture.url);
        close_all_of_it();
}

static void bytes_over_the_limit_fail_without_running(void **state)
{
        static const uint32_t limits[][2] = {{100000, 0}, {0, 100000}};

        (void)state;
        for (size_t i = 0; i < 2; ++i) {
                const struct pipit_server_options options = {
                        .decoded_bytes_peer_max = limits[i][0],
                        .decoded_bytes_all_max = limits[i][1],
                };
                char *text = calloc(1, 150001);
                struct request request;
                struct answer answer;

                memset(text, 'x', 150000);
                open_with(&options, false);
                request_init(&request, &client);
                request_echo(&request, 1, text, 0);
                exchange_run(&client, &request, &answer);
                assert_failed(
                        &answer, 1, PIPIT_RESOURCE_EXHAUSTED, PIPIT_NOT_RUN, "TOO_MANY_BYTES");
                answer_deinit(&answer);
                assert_int_equal(0, fixture_n_ran(&fixture));
                assert_serves(fixture.url);
                free(text);
                close_all_of_it();
        }
}

static void a_call_over_the_limit_on_bytes_is_not_unpacked(void **state)
{
        const struct pipit_server_options options = {.decoded_bytes_peer_max = 200000};
        char *text = calloc(1, 150001);
        struct request request;
        struct answer answer;
        struct frame *frame;
        size_t n_bytes;

        (void)state;
        memset(text, 'x', 150000);
        open_with(&options, true);
        request_init(&request, &client);
        request_call(&request, 1, SLEEP);
        request_echo(&request, 2, text, 0);
        exchange_run(&client, &request, &answer);
        assert_failed(&answer, 2, PIPIT_RESOURCE_EXHAUSTED, PIPIT_NOT_RUN, "TOO_MANY_BYTES");
        answer_deinit(&answer);

        /* The call that sleeps keeps the memory of its whole frame. */
        frame = fixture_parked(&fixture, 0)->frame;
        pthread_mutex_lock(&frame->mutex);
        n_bytes = frame->arena.used_bytes;
        pthread_mutex_unlock(&frame->mutex);
        assert_in_range(n_bytes, 150000, 200000);
        free(text);
        close_all_of_it();
}

static void a_full_mailbox_says_so_and_is_emptied_by_polls(void **state)
{
        /* They fill it so that what is said of the others goes over the limit. */
        enum { N = 90, N_FIT = 67, N_BYTES = BOX_READY_BYTES_MAX / N_FIT - 40 };
        struct request request;
        struct answer answer;
        size_t n_replies = 0;
        size_t n_refused = 0;

        (void)state;
        open_with(NULL, true);
        request_init(&request, &client);
        for (uint64_t id = 1; id <= N; ++id)
                request_call(&request, id, SLEEP)->timeout_ms = 60000;
        request.message.hold_ms = 1;
        exchange_run(&client, &request, &answer);
        answer_deinit(&answer);
        fixture_wait_parked(&fixture, N);
        for (size_t i = 0; i < N; ++i)
                fixture_answer_with(&fixture, i, N_BYTES);

        request_init(&request, &client);
        while (n_replies < N) {
                exchange_run(&client, &request, &answer);
                assert_int_equal(0, answer.result);
                assert_int_equal(PIPIT_FRAME_RESPONSE, answer.kind);
                for (size_t i = 0; i < answer.response->n_replies; ++i) {
                        const uint64_t id = answer.response->replies[i]->id;

                        if (!answer.response->replies[i]->status)
                                continue;
                        ++n_refused;
                        assert_failed(
                                &answer, id, PIPIT_RESOURCE_EXHAUSTED, PIPIT_RAN, "MAILBOX_FULL");
                }
                n_replies += answer.response->n_replies;
                answer_deinit(&answer);
                request_init(&request, &client);
        }
        assert_int_equal(N, n_replies);
        assert_int_equal(N - N_FIT, n_refused);
        close_all_of_it();
}

static void calls_over_the_workers_queue_fail_without_running(void **state)
{
        const struct pipit_server_options options = {.n_workers = 1, .worker_queue_max = 2};
        struct exchange exchange;
        struct exchange second;
        struct request request;
        struct answer answer;

        (void)state;
        open_with(&options, true);
        request_init(&request, &client);
        request_call(&request, 1, FAIL);
        exchange_send(&exchange, &client, &request);
        request_deinit(&request);
        fixture_wait_gate(&fixture, 1);

        request_init(&request, &client);
        for (uint64_t id = 2; id <= 4; ++id)
                request_call(&request, id, FAIL);
        exchange_send(&second, &client, &request);
        request_deinit(&request);
        exchange_wait(&exchange, &answer);
        assert_int_equal(1, answer.response->n_replies);
        assert_failed(&answer, 4, PIPIT_RESOURCE_EXHAUSTED, PIPIT_NOT_RUN, "WORKERS_BUSY");
        answer_deinit(&answer);
        exchange_abandon(&second);
        close_all_of_it();
}

static void frames_held_over_the_limit_of_a_pipe_are_answered_oldest_first(void **state)
{
        /* Held so long that only the limit can end it. */
        const struct pipit_server_options options = {
                .held_frames_per_pipe_max = 2,
                .hold_ms_max = 3600 * 1000,
        };
        struct exchange polls[3];
        struct request request;
        struct answer answer;

        (void)state;
        open_with(&options, true);
        for (size_t i = 0; i < 3; ++i) {
                request_init(&request, &client);
                request.message.hold_ms = options.hold_ms_max;
                exchange_send(&polls[i], &client, &request);
                request_deinit(&request);
                if (i < 2)
                        assert_serves(fixture.url);
        }
        exchange_wait(&polls[0], &answer);
        assert_int_equal(0, answer.result);
        answer_deinit(&answer);
        exchange_abandon(&polls[1]);
        exchange_abandon(&polls[2]);
        close_all_of_it();
}

static void over_held_max_the_oldest_frame_is_answered_empty(void **state)
{
        const struct pipit_server_options options = {.hold_ms_max = 3600 * 1000};
        struct exchange polls[3];
        struct request request;
        struct answer answer;

        (void)state;
        open_with(&options, true);
        for (size_t i = 0; i < 3; ++i) {
                request_init(&request, &client);
                request.message.held_max = 2;
                request.message.hold_ms = options.hold_ms_max;
                exchange_send(&polls[i], &client, &request);
                request_deinit(&request);
                if (i < 2)
                        assert_serves(fixture.url);
        }
        exchange_wait(&polls[0], &answer);
        assert_int_equal(0, answer.result);
        assert_int_equal(0, answer.response->n_replies);
        answer_deinit(&answer);
        exchange_abandon(&polls[1]);
        exchange_abandon(&polls[2]);
        close_all_of_it();
}

static void frames_over_the_contexts_are_rejected_busy(void **state)
{
        const struct pipit_server_options options = {.contexts_max = 3};
        struct exchange slow[2];
        struct request request;
        struct answer answer;

        (void)state;
        open_with(&options, false);
        for (size_t i = 0; i < 2; ++i) {
                request_init(&request, &client);
                request_call(&request, 1, SLEEP);
                exchange_send(&slow[i], &client, &request);
                request_deinit(&request);
                fixture_wait_parked(&fixture, i + 1);
        }
        request_init(&request, &client);
        request_echo(&request, 1, "x", 0);
        exchange_run(&client, &request, &answer);
        assert_rejected(&answer, PIPIT_REJECT_BUSY, 0);
        assert_true(answer.reject.retry_ms > 0);
        answer_deinit(&answer);

        for (size_t i = 0; i < 2; ++i) {
                fixture_answer(&fixture, i);
                exchange_wait(&slow[i], &answer);
                assert_ok(&answer, 1);
                answer_deinit(&answer);
        }
        assert_serves(fixture.url);
        close_all_of_it();
}

static void hundreds_of_frames_are_held_while_others_are_served(void **state)
{
        enum { N = 300 };
        static struct exchange slow[N];
        struct answer answer;

        (void)state;
        open_with(NULL, false);
        for (size_t i = 0; i < N; ++i) {
                struct request request;

                request_init(&request, &client);
                request_call(&request, 1, SLEEP)->timeout_ms = 60000;
                exchange_send(&slow[i], &client, &request);
                request_deinit(&request);
        }
        fixture_wait_parked(&fixture, N);
        assert_serves(fixture.url);
        for (size_t i = 0; i < N; ++i)
                fixture_answer(&fixture, i);
        for (size_t i = 0; i < N; ++i) {
                exchange_wait(&slow[i], &answer);
                assert_ok(&answer, 1);
                answer_deinit(&answer);
        }
        close_all_of_it();
}

static int dial(const char *url)
{
        struct address address;
        int fd;

        assert_true(address_parse(url, &address));
        fd = socket(address.sockaddr.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        assert_int_equal(0, connect(fd, &address.sockaddr.any, address.n_bytes));

        return fd;
}

static const uint8_t greeting[8] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};

static void pipes_over_the_limit_are_closed(void **state)
{
        const struct pipit_server_options options = {.pipes_max = 1};
        uint8_t bytes[16];
        ssize_t n = 0;
        int fd;

        (void)state;
        open_with(&options, false);
        {
                struct request request;
                struct answer answer;

                request_init(&request, &client);
                request_echo(&request, 1, "x", 0);
                exchange_run(&client, &request, &answer);
                assert_ok(&answer, 1);
                answer_deinit(&answer);
        }
        fd = dial(fixture.url);
        /* It may have been closed already. */
        n = send(fd, greeting, sizeof(greeting), MSG_NOSIGNAL);
        assert_true(n == 8 || errno == EPIPE || errno == ECONNRESET);
        while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0)
                ;
        assert_true(n == 0 || n == -1);
        close(fd);
        close_all_of_it();
}

/* Requests whose answers nobody reads, until the server closes the pipe. Returns how many it served. */
static size_t read_nothing(const struct pipit_server_options *options)
{
        struct request request;
        uint8_t frame[256] = {1};
        size_t n_body;
        size_t n_others = 0;
        size_t n_served;
        bool closed = false;
        int fd;

        open_with(options, false);
        request_init(&request, &client);
        request_echo(&request, 1, "grow", 900000);
        n_body = pipit__v1__request__get_packed_size(&request.message) + 8;
        assert_true(9 + n_body <= sizeof(frame));
        frame[8] = (uint8_t)n_body;
        frame[9] = 0x80;
        frame[12] = 1;
        pipit_frame_header_write(PIPIT_FRAME_REQUEST, frame + 13);
        pipit__v1__request__pack(&request.message, frame + 17);
        request_deinit(&request);

        fd = dial(fixture.url);
        assert_int_equal(8, send(fd, greeting, sizeof(greeting), MSG_NOSIGNAL));
        while (!closed) {
                if (send(fd, frame, 9 + n_body, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
                        closed = errno == EPIPE || errno == ECONNRESET;
                assert_serves(fixture.url);
                n_served = fixture_n_ran(&fixture) - ++n_others;
                assert_true(n_served < 1000);
        }
        close(fd);
        close_all_of_it();

        return n_served;
}

static void a_peer_that_does_not_read_is_closed_and_hurts_nobody(void **state)
{
        const struct pipit_server_options options = {.send_timeout_ms = 50};

        (void)state;
        (void)read_nothing(&options);
}

static void answers_that_nobody_reads_fill_no_memory(void **state)
{
        const struct pipit_server_options options = {.send_timeout_ms = 60000};

        (void)state;
        /* Those before the limit, and what came in before the pipe was closed. */
        assert_in_range(read_nothing(&options), 70, 200);
}

/* What is answered shortly costs memory, too: a million of such would be a hundred megabytes. */
static void short_answers_that_nobody_reads_fill_no_memory(void **state)
{
        enum { N_AT_ONCE = 1000, N_MAX = 2000000 };
        const struct pipit_server_options options = {.send_timeout_ms = 3600000};
        static const uint8_t bad[] = {1, 0, 0, 0, 0, 0, 0, 0, 4, 0x80, 0, 0, 1};
        static uint8_t frames[N_AT_ONCE * sizeof(bad)];
        size_t n_sent = 0;
        int fd;

        (void)state;
        open_with(&options, false);
        for (size_t i = 0; i < N_AT_ONCE; ++i)
                memcpy(frames + i * sizeof(bad), bad, sizeof(bad));
        fd = dial(fixture.url);
        assert_int_equal(8, send(fd, greeting, sizeof(greeting), MSG_NOSIGNAL));
        while (n_sent < N_MAX && send(fd, frames, sizeof(frames), MSG_NOSIGNAL) > 0)
                n_sent += N_AT_ONCE;
        assert_true(n_sent < N_MAX);
        close(fd);
        assert_serves(fixture.url);
        close_all_of_it();
}

/* --- names, times, awaits ---------------------------------------------------- */

#define NAME_BYTES_MAX 256

static char long_names[2][NAME_BYTES_MAX + 2];

static bool answer_long(const void *handlers,
                        void *self,
                        struct pipit_server_call *call,
                        const ProtobufCMessage *request)
{
        Echo__V1__EchoResponse response = ECHO__V1__ECHO_RESPONSE__INIT;

        (void)handlers;
        (void)self;
        (void)request;
        if (call)
                pipit_server_call_reply(call, &response.base);

        return true;
}

static void register_long_names(struct pipit_server *server)
{
        static const pipit_server_dispatch_fn dispatch[] = {answer_long, answer_long};
        static struct pipit_method methods[2];
        static struct pipit_service service = {.name = "long", .methods = methods, .n_methods = 2};

        for (size_t i = 0; i < 2; ++i) {
                memset(long_names[i], 'x', NAME_BYTES_MAX + i);
                memcpy(long_names[i], "long/", 5);
                methods[i] = (struct pipit_method){
                        .name = long_names[i],
                        .request = &echo__v1__echo_request__descriptor,
                        .response = &echo__v1__echo_response__descriptor,
                };
        }
        assert_int_equal(PIPIT_OK,
                         pipit_server_register(server, &service, dispatch, NULL, NULL, NULL));
}

static void a_methods_name_over_the_limit_is_not_even_looked_for(void **state)
{
        struct request request;
        struct answer answer;

        (void)state;
        fixture_start_with(&fixture, FIXTURE_IPC, NULL, register_long_names);
        client_open(&client, fixture.url, false);
        request_init(&request, &client);
        request_call(&request, 1, long_names[0]);
        request_call(&request, 2, long_names[1]);
        exchange_run(&client, &request, &answer);
        assert_ok(&answer, 1);
        assert_failed(&answer, 2, PIPIT_UNIMPLEMENTED, PIPIT_NOT_RUN, "METHOD_NOT_FOUND");
        answer_deinit(&answer);
        close_all_of_it();
}

/* Of one frame: what differs is their timeouts alone. */
static void a_timeout_over_the_cap_is_cut_to_it(void **state)
{
        enum { CAP = 300000, N = 4 };
        static const uint32_t timeouts[N] = {CAP - 1, CAP, CAP + 1, 0};
        const struct pipit_server_options options = {.timeout_ms_default = CAP * 2,
                                                     .timeout_ms_max = CAP};
        struct exchange exchange;
        struct request request;
        int64_t first_us;

        (void)state;
        open_with(&options, true);
        request_init(&request, &client);
        for (uint64_t i = 0; i < N; ++i)
                request_call(&request, i + 1, SLEEP)->timeout_ms = timeouts[i];
        exchange_send(&exchange, &client, &request);
        request_deinit(&request);
        fixture_wait_parked(&fixture, N);
        first_us = pipit_server_call_deadline_us(fixture_parked(&fixture, 0));
        for (size_t i = 1; i < N; ++i)
                assert_int_equal(first_us + 1000,
                                 pipit_server_call_deadline_us(fixture_parked(&fixture, i)));
        exchange_abandon(&exchange);
        close_all_of_it();
}

static void awaits_and_cancels_over_the_limit_of_a_mailbox_reject_the_frame(void **state)
{
        enum { MAX = 3 };
        const struct pipit_server_options options = {.calls_per_mailbox_max = MAX};

        (void)state;
        open_with(&options, true);
        for (uint64_t n = MAX; n <= MAX + 1; ++n) {
                for (int cancels = 0; cancels < 2; ++cancels) {
                        struct request request;
                        struct answer answer;

                        request_init(&request, &client);
                        for (uint64_t id = 1; id <= n; ++id)
                                (cancels ? request_cancel : request_await)(&request, id);
                        exchange_run(&client, &request, &answer);
                        if (n > MAX)
                                assert_rejected(&answer, PIPIT_REJECT_BAD_FRAME, 0);
                        else
                                assert_int_equal(cancels ? 0 : MAX, answer.response->n_replies);
                        answer_deinit(&answer);
                }
        }
        close_all_of_it();
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(calls_over_the_limit_of_a_mailbox_fail_without_running),
                cmocka_unit_test(calls_over_the_limit_of_the_server_fail_without_running),
                cmocka_unit_test(what_was_refused_is_taken_when_there_is_room_again),
                cmocka_unit_test(bytes_over_the_limit_fail_without_running),
                cmocka_unit_test(a_call_over_the_limit_on_bytes_is_not_unpacked),
                cmocka_unit_test(a_full_mailbox_says_so_and_is_emptied_by_polls),
                cmocka_unit_test(calls_over_the_workers_queue_fail_without_running),
                cmocka_unit_test(frames_held_over_the_limit_of_a_pipe_are_answered_oldest_first),
                cmocka_unit_test(over_held_max_the_oldest_frame_is_answered_empty),
                cmocka_unit_test(frames_over_the_contexts_are_rejected_busy),
                cmocka_unit_test(hundreds_of_frames_are_held_while_others_are_served),
                cmocka_unit_test(pipes_over_the_limit_are_closed),
                cmocka_unit_test(a_peer_that_does_not_read_is_closed_and_hurts_nobody),
                cmocka_unit_test(answers_that_nobody_reads_fill_no_memory),
                cmocka_unit_test(short_answers_that_nobody_reads_fill_no_memory),
                cmocka_unit_test(a_methods_name_over_the_limit_is_not_even_looked_for),
                cmocka_unit_test(a_timeout_over_the_cap_is_cut_to_it),
                cmocka_unit_test(awaits_and_cancels_over_the_limit_of_a_mailbox_reject_the_frame),
        };

        return cmocka_run_group_tests_name("runtime_limits", tests, NULL, NULL);
}
