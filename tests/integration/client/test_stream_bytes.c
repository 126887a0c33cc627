/* Our own SP: bytes that come in pieces, go in pieces, or should not have come. */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/integration/client/fixture.h"
#include "tests/integration/client/raw.h"

#include "core/base/macros.h"
#include "core/rpc/wire_limits.h"

#define N_LARGE 900000

/* Of a channel that is back soon, however often it is hung up on. */
static const struct pipit_channel_options impatient = {
        .frame_bytes_max = 4096,
        .timeout_ms = 60000,
        .redial_min_ms = 1,
        .redial_max_ms = 2,
        .insecure_plaintext = true,
};

static const struct pipit_channel_options plain = {
        .timeout_ms = 60000,
        .insecure_plaintext = true,
};

struct setting_raw {
        struct place place;
        struct raw raw;
        struct pipit_channel *channel;
};

static void open_raw(struct setting_raw *setting,
                     bool is_tcp,
                     const struct pipit_channel_options *options)
{
        char url[64];

        place_init(&setting->place);
        if (is_tcp)
                raw_listen_tcp(&setting->raw, url, sizeof(url));
        else
                raw_listen(&setting->raw, setting->place.url);
        setting->channel = pipit_channel_new(is_tcp ? url : setting->place.url, options, NULL);
        assert_non_null(setting->channel);
}

static void close_raw(struct setting_raw *setting)
{
        pipit_channel_free(setting->channel);
        raw_close(&setting->raw);
        place_deinit(&setting->place);
}

static char *large_text(char fill)
{
        char *text = malloc(N_LARGE + 1);

        assert_non_null(text);
        memset(text, fill, N_LARGE);
        text[N_LARGE] = '\0';

        return text;
}

static void start(struct waited_call *waited, struct setting_raw *setting, const char *text)
{
        waited_init(waited);
        waited->call.wait_for_ready = true;
        waited_start(waited, setting->channel, text);
}

static void finish(struct waited_call *waited, const char *text)
{
        assert_true(waited_wait(waited));
        assert_true(waited_is(waited, text));
        waited_deinit(waited);
}

static uint8_t *pack_answer(const struct setting_raw *setting,
                            const struct raw_request *request,
                            uint64_t call_id,
                            const char *text,
                            size_t *ret_n_bytes)
{
        const struct raw_reply reply = {.id = call_id, .text = text};

        return raw_pack(&setting->raw, request->id, &reply, 1, ret_n_bytes);
}

static void an_answer_that_comes_byte_by_byte_is_taken(void **state)
{
        (void)state;
        for (int is_tcp = 0; is_tcp < 2; is_tcp++) {
                struct setting_raw setting;
                struct raw_request request;
                struct waited_call waited;
                size_t n_bytes;
                uint8_t *bytes;

                open_raw(&setting, is_tcp, &plain);
                raw_accept(&setting.raw);
                start(&waited, &setting, "q");
                request = raw_next(&setting.raw);
                bytes = pack_answer(
                        &setting, &request, request.request->calls[0]->id, "slowly", &n_bytes);
                for (size_t i = 0; i < n_bytes; i++)
                        raw_write(&setting.raw, bytes + i, 1);
                finish(&waited, "slowly");
                free(bytes);
                raw_request_free(&request);
                close_raw(&setting);
        }
}

static void answers_that_come_all_at_once_are_all_taken(void **state)
{
        enum { N_CALLS = 8 };
        struct waited_call waited[N_CALLS];
        struct setting_raw setting;
        uint8_t all[4096];
        size_t n_all = 0;

        (void)state;
        open_raw(&setting, false, &plain);
        raw_accept(&setting.raw);
        for (size_t i = 0; i < N_CALLS; i++) {
                struct raw_request request;
                size_t n_bytes;
                uint8_t *bytes;

                start(&waited[i], &setting, "q");
                request = raw_next(&setting.raw);
                bytes = pack_answer(
                        &setting, &request, request.request->calls[0]->id, "all", &n_bytes);
                assert_true(n_all + n_bytes <= sizeof(all));
                memcpy(all + n_all, bytes, n_bytes);
                n_all += n_bytes;
                free(bytes);
                raw_request_free(&request);
        }
        raw_write(&setting.raw, all, n_all);
        for (size_t i = 0; i < N_CALLS; i++)
                finish(&waited[i], "all");
        close_raw(&setting);
}

/* None of the frames fits the socket, so each leaves in parts, and the small ones wait behind. */
static void requests_leave_whole_however_slowly_they_are_read(void **state)
{
        enum { N_CALLS = 8 };

        (void)state;
        for (int is_tcp = 0; is_tcp < 2; is_tcp++) {
                struct waited_call waited[N_CALLS];
                struct setting_raw setting;
                char *texts[N_CALLS];
                size_t n_answered = 0;

                open_raw(&setting, is_tcp, &plain);
                raw_accept(&setting.raw);
                for (size_t i = 0; i < N_CALLS; i++) {
                        texts[i] = i % 2 ? strdup("small") : large_text((char)('a' + i));
                        start(&waited[i], &setting, texts[i]);
                }
                while (n_answered < N_CALLS) {
                        struct raw_request request = raw_next(&setting.raw);

                        n_answered += request.request->n_calls;
                        raw_echo(&setting.raw, &request);
                }
                for (size_t i = 0; i < N_CALLS; i++) {
                        finish(&waited[i], texts[i]);
                        free(texts[i]);
                }
                close_raw(&setting);
        }
}

/* The peer answers what it has not read yet: wrong of it, and no harm. */
static void an_answer_before_its_request_has_left_is_taken(void **state)
{
        char *text = large_text('e');
        struct setting_raw setting;
        struct raw_request request;
        struct waited_call waited;
        uint8_t head[13];
        uint8_t *rest = malloc(2 * N_LARGE);
        size_t n_rest;

        (void)state;
        assert_non_null(rest);
        open_raw(&setting, false, &plain);
        raw_accept(&setting.raw);
        start(&waited, &setting, "first");
        request = raw_next(&setting.raw);
        raw_echo(&setting.raw, &request);
        finish(&waited, "first");
        start(&waited, &setting, text);
        assert_true(raw_read(&setting.raw, head, sizeof(head)));
        request.id = (uint32_t)head[9] << 24 | (uint32_t)head[10] << 16 | (uint32_t)head[11] << 8 |
                     head[12];
        raw_answer(&setting.raw, request.id, 2, "early");
        finish(&waited, "early");
        n_rest = (size_t)head[6] << 16 | (size_t)head[7] << 8 | head[8];
        assert_true(raw_read(&setting.raw, rest, n_rest - 4));
        start(&waited, &setting, "next");
        request = raw_next(&setting.raw);
        raw_echo(&setting.raw, &request);
        finish(&waited, "next");
        free(text);
        free(rest);
        close_raw(&setting);
}

static void answers_to_nothing_are_dropped(void **state)
{
        struct setting_raw setting;
        struct raw_request request;
        struct waited_call waited;
        uint64_t call_id;

        (void)state;
        open_raw(&setting, false, &plain);
        raw_accept(&setting.raw);
        start(&waited, &setting, "q");
        request = raw_next(&setting.raw);
        call_id = request.request->calls[0]->id;
        raw_answer(&setting.raw, request.id ^ 0x100, call_id, "another turn");
        raw_answer(&setting.raw, request.id ^ 1, call_id, "another lane");
        raw_answer(&setting.raw, request.id ^ 0xff, call_id, "no lane");
        raw_answer(&setting.raw, 0xffffffff, call_id, "far off");
        raw_answer(&setting.raw, request.id, call_id, "the one");
        raw_answer(&setting.raw, request.id, call_id, "once more");
        finish(&waited, "the one");
        raw_request_free(&request);
        start(&waited, &setting, "still here");
        request = raw_next(&setting.raw);
        raw_echo(&setting.raw, &request);
        finish(&waited, "still here");
        close_raw(&setting);
}

/* What is no message of SP, or too large, is the end of the connection, at once; the call goes on with the next. */
static void what_cannot_be_read_ends_the_connection_and_not_the_call(void **state)
{
        static const struct {
                uint8_t bytes[16];
                size_t n_bytes;
        } wrongs[] = {
                {"\1\0\0\0\0\0\1\x10\1", 9}, /* 4096 and the headroom, and one more */
                {"\1\x7f\xff\xff\xff\xff\xff\xff\xff", 9},
                {"\1\0\0\0\0\0\0\0\3", 9},
                {"\1\0\0\0\0\0\0\0\4\0\0\0\1", 13},
                {"\0\0\0\0\0\0\0\0\4", 9},
                {"HTTP/1.1 400", 12},
        };
        struct setting_raw setting;
        struct raw_request request;
        struct waited_call waited;
        uint64_t call_id = 0;
        uint8_t byte;

        (void)state;
        assert_int_equal(4096 + PIPIT_RECV_HEADROOM_BYTES, 0x11000);
        open_raw(&setting, false, &impatient);
        start(&waited, &setting, "q");
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(wrongs); i++) {
                raw_accept(&setting.raw);
                request = raw_next_awaits(&setting.raw);
                if (request.request->n_calls > 0)
                        call_id = request.request->calls[0]->id;
                raw_request_free(&request);
                raw_write(&setting.raw, wrongs[i].bytes, wrongs[i].n_bytes);
                while (raw_read(&setting.raw, &byte, 1))
                        continue;
                raw_hang_up(&setting.raw);
        }
        raw_accept(&setting.raw);
        request = raw_next_awaits(&setting.raw);
        assert_true(call_id != 0);
        raw_answer(&setting.raw, request.id, call_id, "at last");
        raw_request_free(&request);
        finish(&waited, "at last");
        close_raw(&setting);
}

static void a_connection_that_ends_after_any_byte_of_an_answer_is_made_anew(void **state)
{
        struct setting_raw setting;
        struct raw_request request;
        struct waited_call waited;
        uint64_t call_id = 0;
        size_t n_bytes = 1;

        (void)state;
        open_raw(&setting, false, &impatient);
        start(&waited, &setting, "q");
        for (size_t n_sent = 0; n_sent < n_bytes; n_sent++) {
                uint8_t *bytes;

                raw_accept(&setting.raw);
                request = raw_next_awaits(&setting.raw);
                if (request.request->n_calls > 0)
                        call_id = request.request->calls[0]->id;
                bytes = pack_answer(&setting, &request, call_id, "in the end", &n_bytes);
                raw_write(&setting.raw, bytes, n_sent);
                raw_hang_up(&setting.raw);
                free(bytes);
                raw_request_free(&request);
        }
        assert_true(n_bytes > 30);
        raw_accept(&setting.raw);
        request = raw_next_awaits(&setting.raw);
        raw_answer(&setting.raw, request.id, call_id, "in the end");
        raw_request_free(&request);
        finish(&waited, "in the end");
        close_raw(&setting);
}

static void a_greeting_that_is_cut_or_wrong_is_tried_again(void **state)
{
        struct setting_raw setting;
        struct raw_request request;
        struct waited_call waited;

        (void)state;
        open_raw(&setting, false, &impatient);
        start(&waited, &setting, "q");
        for (size_t n_sent = 0; n_sent < RAW_GREETING_BYTES; n_sent++) {
                raw_accept_only(&setting.raw);
                raw_write(&setting.raw, raw_greeting, n_sent);
                raw_hang_up(&setting.raw);
        }
        for (size_t i = 0; i < RAW_GREETING_BYTES; i++) {
                uint8_t greeting[RAW_GREETING_BYTES], byte;

                memcpy(greeting, raw_greeting, sizeof(greeting));
                greeting[i] ^= 1;
                raw_accept_only(&setting.raw);
                raw_write(&setting.raw, greeting, sizeof(greeting));
                while (raw_read(&setting.raw, &byte, 1))
                        continue;
                raw_hang_up(&setting.raw);
        }
        raw_accept_only(&setting.raw);
        for (size_t i = 0; i < RAW_GREETING_BYTES; i++)
                raw_write(&setting.raw, raw_greeting + i, 1);
        assert_true(raw_read(&setting.raw, (uint8_t[8]){0}, 8));
        request = raw_next(&setting.raw);
        raw_echo(&setting.raw, &request);
        finish(&waited, "q");
        close_raw(&setting);
}

static void a_server_that_closes_new_connections_is_named(void **state)
{
        const struct pipit_channel_options patient = {.redial_min_ms = 30000,
                                                      .redial_max_ms = 30000};
        struct pipit_call call = {0};
        struct setting_raw setting;

        (void)state;
        open_raw(&setting, false, &patient);
        raw_accept_only(&setting.raw);
        assert_true(raw_read(&setting.raw, (uint8_t[8]){0}, 8));
        raw_hang_up(&setting.raw);
        assert_int_equal(blocking_echo(setting.channel, &call, "x"), PIPIT_UNAVAILABLE);
        assert_non_null(strstr(pipit_call_error(&call)->message, "closes new connections"));
        assert_int_equal(pipit_call_error(&call)->ran, PIPIT_NOT_RUN);
        pipit_call_deinit(&call);
        close_raw(&setting);
}

/* Answers frames by the texts of their calls, up to one with a call that is not large. */
static void echo_until_small(struct raw *raw)
{
        bool is_small = false;

        while (!is_small) {
                struct raw_request request = raw_next(raw);

                for (size_t i = 0; i < request.request->n_calls; i++)
                        is_small = is_small || request.request->calls[i]->payload.len < N_LARGE;
                raw_echo(raw, &request);
        }
}

/* A write that fails is no reason to throw away what the server has said before. */
static void what_the_server_said_before_it_left_is_taken(void **state)
{
        char *text = large_text('u');

        (void)state;
        for (int i = 0; i < 20; i++) {
                struct waited_call answered, unread, last;
                struct setting_raw setting;
                struct raw_request request;
                uint64_t call_id;

                open_raw(&setting, false, &plain);
                raw_accept(&setting.raw);
                start(&answered, &setting, "q");
                request = raw_next(&setting.raw);
                call_id = request.request->calls[0]->id;
                start(&unread, &setting, text);
                raw_answer(&setting.raw, request.id, call_id, "farewell");
                raw_request_free(&request);
                raw_hang_up(&setting.raw);
                finish(&answered, "farewell");
                raw_accept(&setting.raw);
                request = raw_next_awaits(&setting.raw);
                raw_answer(&setting.raw, request.id, request.request->awaits[0], "and again");
                raw_request_free(&request);
                start(&last, &setting, "last");
                echo_until_small(&setting.raw);
                finish(&last, "last");
                /* Some of it had left, and it was awaited; or nothing, and it was sent once more. */
                assert_true(waited_wait(&unread));
                assert_true(waited_is(&unread, "and again") || waited_is(&unread, text));
                waited_deinit(&unread);
                close_raw(&setting);
        }
        free(text);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_answer_that_comes_byte_by_byte_is_taken),
                cmocka_unit_test(answers_that_come_all_at_once_are_all_taken),
                cmocka_unit_test(requests_leave_whole_however_slowly_they_are_read),
                cmocka_unit_test(an_answer_before_its_request_has_left_is_taken),
                cmocka_unit_test(answers_to_nothing_are_dropped),
                cmocka_unit_test(what_cannot_be_read_ends_the_connection_and_not_the_call),
                cmocka_unit_test(a_connection_that_ends_after_any_byte_of_an_answer_is_made_anew),
                cmocka_unit_test(a_greeting_that_is_cut_or_wrong_is_tried_again),
                cmocka_unit_test(a_server_that_closes_new_connections_is_named),
                cmocka_unit_test(what_the_server_said_before_it_left_is_taken),
        };

        if (argc > 1)
                cmocka_set_test_filter(argv[1]);

        return cmocka_run_group_tests(tests, NULL, NULL);
}
