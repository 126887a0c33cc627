/* Connections that are not there, break, come back, or lie. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/integration/client/fixture.h"

#include "core/base/macros.h"

static void with_nobody_there_a_call_fails_at_once_and_says_why(void **state)
{
        struct pipit_call call = {0};
        struct pipit_channel *channel;
        const struct pipit_error *error;
        struct place place;

        (void)state;
        place_init(&place);
        channel = channel_to(place.url);
        assert_int_equal(blocking_echo(channel, &call, "x"), PIPIT_UNAVAILABLE);
        error = pipit_call_error(&call);
        assert_int_equal(error->ran, PIPIT_NOT_RUN);
        assert_int_equal(error->origin, PIPIT_ORIGIN_TRANSPORT);
        assert_string_equal(error->reason, "NOT_CONNECTED");
        assert_non_null(strstr(error->message, place.url));
        assert_non_null(strstr(error->message, "No such file or directory"));
        assert_string_equal(pipit_call_peer(&call), place.url);
        pipit_call_deinit(&call);
        pipit_channel_free(channel);
        place_deinit(&place);
}

static int listen_plain(const char *url)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        strncpy(address.sun_path, url + strlen("ipc://"), sizeof(address.sun_path) - 1);
        assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(fd, 16), 0);

        return fd;
}

static void a_dead_socket_file_is_connection_refused(void **state)
{
        struct pipit_call call = {0};
        struct pipit_channel *channel;
        struct place place;

        (void)state;
        place_init(&place);
        close(listen_plain(place.url));
        channel = channel_to(place.url);
        assert_int_equal(blocking_echo(channel, &call, "x"), PIPIT_UNAVAILABLE);
        assert_non_null(strstr(pipit_call_error(&call)->message, "Connection refused"));
        pipit_call_deinit(&call);
        pipit_channel_free(channel);
        place_deinit(&place);
}

static void an_inproc_address_without_a_server_is_connection_refused(void **state)
{
        struct pipit_call call = {0};
        struct pipit_channel *channel = channel_to("inproc://nobody-is-here");

        (void)state;
        assert_int_equal(blocking_echo(channel, &call, "x"), PIPIT_UNAVAILABLE);
        assert_non_null(strstr(pipit_call_error(&call)->message, "Connection refused"));
        pipit_call_deinit(&call);
        pipit_channel_free(channel);
}

static void waiting_for_ready_ends_when_a_server_appears(void **state)
{
        struct pipit_channel *channel;
        struct waited_call waited;
        struct peer *peer;
        struct place place;

        (void)state;
        place_init(&place);
        channel = channel_to(place.url);
        waited_init(&waited);
        waited.call.wait_for_ready = true;
        waited_start(&waited, channel, "patience");
        peer = peer_new(place.url, 1, PEER_ECHO);
        assert_true(waited_wait(&waited));
        assert_true(waited_is(&waited, "patience"));
        waited_deinit(&waited);
        pipit_channel_free(channel);
        peer_free(peer);
        place_deinit(&place);
}

static void waiting_for_ready_ends_at_the_deadline_and_says_why(void **state)
{
        struct pipit_call call = {.wait_for_ready = true, .timeout_ms = 60};
        struct pipit_channel *channel;
        struct place place;

        (void)state;
        place_init(&place);
        channel = channel_to(place.url);
        assert_int_equal(blocking_echo(channel, &call, "x"), PIPIT_DEADLINE_EXCEEDED);
        assert_int_equal(pipit_call_error(&call)->ran, PIPIT_NOT_RUN);
        assert_non_null(strstr(pipit_call_error(&call)->message, "No such file or directory"));
        pipit_call_deinit(&call);
        pipit_channel_free(channel);
        place_deinit(&place);
}

/* A port that was free a moment ago. */
static void tcp_url(char *ret_url, size_t n_bytes)
{
        struct sockaddr_in address = {.sin_family = AF_INET};
        socklen_t n_address = sizeof(address);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &n_address), 0);
        close(fd);
        snprintf(ret_url, n_bytes, "tcp://127.0.0.1:%u", ntohs(address.sin_port));
}

static void every_transport_carries_calls(void **state)
{
        char tcp[32];
        const char *urls[] = {"inproc://every-transport", tcp};
        const struct pipit_channel_options options = {.insecure_plaintext = true};

        (void)state;
        tcp_url(tcp, sizeof(tcp));
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(urls); i++) {
                struct peer *peer = peer_new(urls[i], 1, PEER_ECHO);
                struct pipit_channel *channel = pipit_channel_new(urls[i], &options, NULL);
                struct pipit_call call = {.wait_for_ready = true};

                assert_non_null(channel);
                assert_int_equal(blocking_echo(channel, &call, "x"), PIPIT_OK);
                pipit_call_deinit(&call);
                pipit_channel_free(channel);
                peer_free(peer);
        }
}

/* Reads what a client says in the handshake, then slams the door; @n_times. */
struct slammer {
        int fd;
        int n_times;
        bool after_head;
};

static void *slam(void *context)
{
        struct slammer *slammer = context;

        for (int i = 0; i < slammer->n_times; i++) {
                int fd = accept(slammer->fd, NULL, NULL);
                char head[8];

                if (slammer->after_head) {
                        (void)!recv(fd, head, sizeof(head), MSG_WAITALL);
                        (void)!send(fd, "\0SP\0\0\x31\0\0", 8, MSG_NOSIGNAL);
                }
                close(fd);
        }
        close(slammer->fd);

        return NULL;
}

/* Whether it closes in the handshake or behind it: a real server that follows is found. */
static void a_server_that_slams_the_door_is_dialled_again(void **state)
{
        (void)state;
        for (int after_head = 0; after_head < 2; after_head++) {
                struct slammer slammer = {.n_times = 6, .after_head = after_head};
                struct pipit_channel *channel;
                struct peer *peer;
                struct place place;
                pthread_t thread;

                place_init(&place);
                slammer.fd = listen_plain(place.url);
                assert_int_equal(pthread_create(&thread, NULL, slam, &slammer), 0);
                channel = channel_to(place.url);
                pthread_join(thread, NULL);
                unlink(place.url + strlen("ipc://"));
                peer = peer_new(place.url, 1, PEER_ECHO);
                warm_up(channel);
                pipit_channel_free(channel);
                peer_free(peer);
                place_deinit(&place);
        }
}

static void somebody_who_speaks_no_sp_is_named(void **state)
{
        struct pipit_call call = {0};
        struct pipit_channel *channel;
        struct place place;
        int fd, peer_fd;

        (void)state;
        place_init(&place);
        fd = listen_plain(place.url);
        channel = channel_to(place.url);
        peer_fd = accept(fd, NULL, NULL);
        assert_int_equal(send(peer_fd, "220 smtp", 8, MSG_NOSIGNAL), 8);
        assert_int_equal(blocking_echo(channel, &call, "x"), PIPIT_UNAVAILABLE);
        assert_non_null(strstr(pipit_call_error(&call)->message, "no nng REP socket"));
        pipit_call_deinit(&call);
        pipit_channel_free(channel);
        close(peer_fd);
        close(fd);
        place_deinit(&place);
}

/* Starts a call, takes its frame and breaks the connection; returns the call's id. */
static uint64_t start_and_break(struct setting *setting, struct waited_call *waited)
{
        struct peer_frame *frame;
        uint64_t id;

        waited_init(waited);
        waited_start(waited, setting->channel, "q");
        frame = peer_wait(setting->peer);
        assert_non_null(frame);
        id = frame->request->calls[0]->id;
        peer_hang_up(frame);

        return id;
}

/* The first frame of the new connection, which asks for @id. */
static struct peer_frame *expect_await(struct setting *setting, uint64_t id)
{
        struct peer_frame *frame = peer_wait(setting->peer);

        assert_non_null(frame);
        assert_int_equal(frame->request->n_calls, 0);
        assert_int_equal(frame->request->n_awaits, 1);
        assert_int_equal(frame->request->awaits[0], id);

        return frame;
}

static void a_broken_connection_is_made_anew_and_the_reply_comes_there(void **state)
{
        struct setting *setting = *state;
        struct waited_call waited;
        uint64_t id = start_and_break(setting, &waited);

        peer_answer_text(expect_await(setting, id), id, "after all");
        assert_true(waited_wait(&waited));
        assert_true(waited_is(&waited, "after all"));
        waited_deinit(&waited);
}

static void a_call_that_was_not_received_goes_out_again_under_a_new_id(void **state)
{
        struct setting *setting = *state;
        struct waited_call waited;
        uint64_t id = start_and_break(setting, &waited);
        struct peer_frame *frame = expect_await(setting, id);
        struct peer_reply reply = {
                .id = id,
                .status = PIPIT_UNAVAILABLE,
                .reason = "CALL_NOT_RECEIVED",
                .ran = PIPIT_NOT_RUN,
        };

        peer_answer(frame, &reply, 1);
        frame = peer_wait(setting->peer);
        assert_int_equal(frame->request->n_calls, 1);
        assert_true(frame->request->calls[0]->id > id);
        peer_answer_text(frame, frame->request->calls[0]->id, "second try");
        assert_true(waited_wait(&waited));
        assert_true(waited_is(&waited, "second try"));
        waited_deinit(&waited);
}

static void a_forgotten_call_may_have_run(void **state)
{
        struct setting *setting = *state;
        struct waited_call waited;
        uint64_t id = start_and_break(setting, &waited);
        struct peer_reply reply = {
                .id = id,
                .status = PIPIT_UNAVAILABLE,
                .reason = "CALL_FORGOTTEN",
                .ran = PIPIT_MAY_HAVE_RUN,
        };

        peer_answer(expect_await(setting, id), &reply, 1);
        assert_true(waited_wait(&waited));
        assert_int_equal(pipit_call_error(&waited.call)->status, PIPIT_UNAVAILABLE);
        assert_int_equal(pipit_call_error(&waited.call)->ran, PIPIT_MAY_HAVE_RUN);
        waited_deinit(&waited);
}

/* The last call is cancelled, and then the connection breaks with nothing under way; returns the call's id. */
static uint64_t cancel_and_break(struct setting *setting)
{
        struct waited_call waited;
        struct peer_frame *call, *cancel;
        uint64_t id;

        waited_init(&waited);
        waited_start(&waited, setting->channel, "q");
        call = peer_wait(setting->peer);
        id = call->request->calls[0]->id;
        pipit_call_cancel(&waited.call);
        assert_true(waited_wait(&waited));
        cancel = peer_wait(setting->peer);
        assert_int_equal(cancel->request->n_cancels, 1);
        peer_ignore(cancel);
        peer_hang_up(call);
        waited_deinit(&waited);

        return id;
}

/* So the server knows which connections were left, and that no reply is to go there. */
static void who_comes_back_with_nothing_to_await_names_the_last_id(void **state)
{
        struct setting *setting = *state;
        uint64_t id = cancel_and_break(setting);
        struct waited_call waited;
        struct peer_frame *frame;

        peer_answer_text(expect_await(setting, id), id, "of no interest");
        waited_init(&waited);
        waited_start(&waited, setting->channel, "x");
        frame = peer_wait(setting->peer);
        peer_answer_text(frame, frame->request->calls[0]->id, "x");
        assert_true(waited_wait(&waited));
        assert_true(waited_is(&waited, "x"));
        waited_deinit(&waited);
}

/* What had left before is awaited on the next connection; what had not, simply leaves there. */
static void no_call_overtakes_the_first_frame_of_a_later_connection(void **state)
{
        struct setting *setting = *state;
        uint64_t id = cancel_and_break(setting);
        struct peer_frame *frame = expect_await(setting, id);
        struct waited_call waited;

        waited_init(&waited);
        waited_start(&waited, setting->channel, "x");
        peer_hang_up(frame);
        peer_answer(expect_await(setting, id), NULL, 0);
        frame = peer_wait(setting->peer);
        assert_int_equal(frame->request->n_calls, 1);
        assert_int_equal(frame->request->calls[0]->id, id + 1);
        peer_answer_text(frame, id + 1, "x");
        assert_true(waited_wait(&waited));
        assert_true(waited_is(&waited, "x"));
        waited_deinit(&waited);
}

/* A new process knows nothing of what the old one ran: its word is not taken. */
static void not_received_from_a_restarted_server_is_not_believed(void **state)
{
        struct setting *setting = *state;
        struct waited_call waited;
        uint64_t id = start_and_break(setting, &waited);
        struct peer_frame *frame = expect_await(setting, id);
        struct peer_reply reply = {
                .id = id,
                .status = PIPIT_UNAVAILABLE,
                .reason = "CALL_NOT_RECEIVED",
                .ran = PIPIT_NOT_RUN,
        };

        peer_set_instance(setting->peer, 99);
        peer_answer(frame, &reply, 1);
        assert_true(waited_wait(&waited));
        assert_string_equal(pipit_call_error(&waited.call)->reason, "SERVER_RESTARTED");
        assert_int_equal(pipit_call_error(&waited.call)->ran, PIPIT_MAY_HAVE_RUN);
        waited_deinit(&waited);
}

/* The connection broke before its server told its instance, so nobody knows whether it is the same. */
static void not_received_from_an_unknown_server_is_not_believed(void **state)
{
        struct peer_reply reply = {
                .status = PIPIT_UNAVAILABLE,
                .reason = "CALL_NOT_RECEIVED",
                .ran = PIPIT_NOT_RUN,
        };
        struct waited_call waited;
        struct setting setting = {0};
        struct peer_frame *hello, *frame;

        (void)state;
        place_init(&setting.place);
        setting.peer = peer_new(setting.place.url, 7, PEER_MANUAL);
        peer_set_manual_hello(setting.peer);
        setting.channel = channel_to(setting.place.url);
        waited_init(&waited);
        waited_start(&waited, setting.channel, "q");
        hello = peer_wait(setting.peer);
        frame = peer_wait(setting.peer);
        if (hello->request->n_calls > 0) {
                struct peer_frame *call = hello;

                hello = frame;
                frame = call;
        }
        reply.id = frame->request->calls[0]->id;
        peer_ignore(hello);
        peer_hang_up(frame);
        peer_answer(expect_await(&setting, reply.id), &reply, 1);
        assert_true(waited_wait(&waited));
        assert_string_equal(pipit_call_error(&waited.call)->reason, "CONNECTION_LOST");
        assert_int_equal(pipit_call_error(&waited.call)->ran, PIPIT_MAY_HAVE_RUN);
        waited_deinit(&waited);
        pipit_channel_free(setting.channel);
        peer_free(setting.peer);
        place_deinit(&setting.place);
}

static void a_busy_server_is_asked_for_the_call_again(void **state)
{
        const struct pipit_reject busy = {.code = PIPIT_REJECT_BUSY, .retry_ms = 10};
        struct setting *setting = *state;
        struct waited_call waited;
        uint64_t id = start_and_break(setting, &waited);

        peer_reject(expect_await(setting, id), &busy);
        peer_answer_text(expect_await(setting, id), id, "now");
        assert_true(waited_wait(&waited));
        assert_true(waited_is(&waited, "now"));
        waited_deinit(&waited);
}

static void a_server_that_dies_leaves_its_calls_as_may_have_run(void **state)
{
        struct setting *setting = *state;
        const struct pipit_error *error;
        struct waited_call waited;

        waited_init(&waited);
        waited_start(&waited, setting->channel, "q");
        peer_ignore(peer_wait(setting->peer));
        setting->peer = peer_free(setting->peer);
        assert_true(waited_wait(&waited));
        error = pipit_call_error(&waited.call);
        assert_int_equal(error->status, PIPIT_UNAVAILABLE);
        assert_int_equal(error->ran, PIPIT_MAY_HAVE_RUN);
        assert_string_equal(error->reason, "CONNECTION_LOST");
        assert_non_null(strstr(error->message, setting->place.url));
        waited_deinit(&waited);
}

static void a_restarted_server_is_found_again_every_time(void **state)
{
        struct setting *setting = *state;

        for (uint64_t i = 0; i < 20; i++) {
                peer_free(setting->peer);
                setting->peer = peer_new(setting->place.url, 100 + i, PEER_ECHO);
                warm_up(setting->channel);
        }
}

static void a_server_that_never_answers_is_left_and_asked_anew(void **state)
{
        struct setting *setting = *state;
        struct waited_call waited;
        struct peer_frame *frame;
        uint64_t id;

        waited_init(&waited);
        waited.call.timeout_ms = 9000;
        waited_start(&waited, setting->channel, "q");
        frame = peer_wait(setting->peer);
        id = frame->request->calls[0]->id;
        peer_ignore(frame);
        peer_answer_text(expect_await(setting, id), id, "woke up");
        assert_true(waited_wait(&waited));
        assert_true(waited_is(&waited, "woke up"));
        waited_deinit(&waited);
}

static void of_two_addresses_the_one_that_is_there_is_used(void **state)
{
        struct place places[2];
        struct pipit_channel *channel;
        struct peer *peers[2];
        char target[256];

        (void)state;
        place_init(&places[0]);
        place_init(&places[1]);
        snprintf(target, sizeof(target), "%s,%s", places[0].url, places[1].url);
        peers[1] = peer_new(places[1].url, 2, PEER_ECHO);
        channel = channel_to(target);
        warm_up(channel);
        peers[0] = peer_new(places[0].url, 1, PEER_ECHO);
        while (peer_n_calls(peers[0]) == 0)
                warm_up(channel);
        peer_free(peers[1]);
        for (int i = 0; i < 20; i++)
                warm_up(channel);
        pipit_channel_free(channel);
        peer_free(peers[0]);
        place_deinit(&places[0]);
        place_deinit(&places[1]);
}

static void a_draining_server_is_avoided_while_there_is_another(void **state)
{
        struct place places[2];
        struct pipit_channel *channel;
        struct peer *peers[2];
        char target[256];
        size_t n_before;

        (void)state;
        for (int i = 0; i < 2; i++) {
                place_init(&places[i]);
                peers[i] = peer_new(places[i].url, (uint64_t)i + 1, PEER_ECHO);
        }
        snprintf(target, sizeof(target), "%s,%s", places[0].url, places[1].url);
        channel = channel_to(target);
        while (peer_n_calls(peers[0]) == 0 || peer_n_calls(peers[1]) == 0)
                warm_up(channel);
        peer_set_draining(peers[0], true);
        n_before = peer_n_calls(peers[0]);
        while (peer_n_calls(peers[0]) == n_before)
                warm_up(channel);
        n_before = peer_n_calls(peers[0]);
        for (int i = 0; i < 50; i++)
                warm_up(channel);
        assert_int_equal(peer_n_calls(peers[0]), n_before);
        pipit_channel_free(channel);
        for (int i = 0; i < 2; i++) {
                peer_free(peers[i]);
                place_deinit(&places[i]);
        }
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(with_nobody_there_a_call_fails_at_once_and_says_why),
                cmocka_unit_test(a_dead_socket_file_is_connection_refused),
                cmocka_unit_test(an_inproc_address_without_a_server_is_connection_refused),
                cmocka_unit_test(waiting_for_ready_ends_when_a_server_appears),
                cmocka_unit_test(waiting_for_ready_ends_at_the_deadline_and_says_why),
                cmocka_unit_test(every_transport_carries_calls),
                cmocka_unit_test(a_server_that_slams_the_door_is_dialled_again),
                cmocka_unit_test(somebody_who_speaks_no_sp_is_named),
                manual_test(a_broken_connection_is_made_anew_and_the_reply_comes_there),
                manual_test(a_call_that_was_not_received_goes_out_again_under_a_new_id),
                manual_test(a_forgotten_call_may_have_run),
                manual_test(who_comes_back_with_nothing_to_await_names_the_last_id),
                manual_test(no_call_overtakes_the_first_frame_of_a_later_connection),
                manual_test(not_received_from_a_restarted_server_is_not_believed),
                cmocka_unit_test(not_received_from_an_unknown_server_is_not_believed),
                manual_test(a_busy_server_is_asked_for_the_call_again),
                manual_test(a_server_that_dies_leaves_its_calls_as_may_have_run),
                echo_test(a_restarted_server_is_found_again_every_time),
                manual_test(a_server_that_never_answers_is_left_and_asked_anew),
                cmocka_unit_test(of_two_addresses_the_one_that_is_there_is_used),
                cmocka_unit_test(a_draining_server_is_avoided_while_there_is_another),
        };

        if (argc > 1)
                cmocka_set_test_filter(argv[1]);

        return cmocka_run_group_tests(tests, NULL, NULL);
}
