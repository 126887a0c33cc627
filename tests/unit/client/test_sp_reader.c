/* From bytes to messages of SP, wherever the bytes are cut. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/sp_reader.h"

#include "core/base/macros.h"

#define LIMIT 200000
#define ID    (SP_ID_TOP | 5)

struct setting {
        struct sp_reader *reader;
        int here;
        int there;
};

static void set_up(struct setting *setting, enum sp_framing framing)
{
        int fds[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        setting->here = fds[0];
        setting->there = fds[1];
        setting->reader = calloc(1, sizeof(*setting->reader));
        assert_true(setting->reader && sp_reader_init(setting->reader));
        sp_reader_reset(setting->reader, framing, LIMIT);
}

static void tear_down(struct setting *setting)
{
        sp_reader_deinit(setting->reader);
        free(setting->reader);
        close(setting->here);
        close(setting->there);
}

static void say(const struct setting *setting, const void *bytes, size_t n_bytes)
{
        assert_int_equal(send(setting->there, bytes, n_bytes, 0), n_bytes);
}

static enum sp_next next(const struct setting *setting,
                         struct sp_message **ret_message,
                         const char **ret_problem)
{
        return sp_reader_next(setting->reader, ret_message, ret_problem);
}

/* The message of @n_bytes of @byte, as the wire has it. */
static size_t put_message(uint8_t *to, enum sp_framing framing, size_t n_bytes, uint8_t byte)
{
        struct sp_message *message = sp_message_new(n_bytes);
        size_t n_wire;

        assert_non_null(message);
        memset(message->bytes + SP_FRAME_AT, byte, n_bytes);
        sp_message_address(message, framing, ID);
        n_wire = message->end - message->at;
        memcpy(to, message->bytes + message->at, n_wire);
        free(message);

        return n_wire;
}

static void assert_message(struct sp_message *message, size_t n_bytes, uint8_t byte)
{
        assert_int_equal(message->id, ID);
        assert_int_equal(message->n_bytes, n_bytes);
        for (size_t i = 0; i < n_bytes; i++)
                assert_int_equal(message->bytes[SP_FRAME_AT + i], byte);
        free(message);
}

/* Reads until there is no more, and counts messages of 3 times 'a', 0 and 40 times 'b', in turn. */
static size_t take_all(const struct setting *setting, size_t n_before, size_t *n_greetings)
{
        static const size_t sizes[] = {3, 0, 40};
        static const uint8_t fills[] = {'a', 'a', 'b'};
        struct sp_message *message;
        const char *problem;

        assert_true(sp_reader_fill(setting->reader, setting->here) == SP_FILL_SOME);
        for (;;)
                switch (next(setting, &message, &problem)) {
                case SP_NEXT_GREETING:
                        ++*n_greetings;
                        break;
                case SP_NEXT_MESSAGE:
                        assert_message(message, sizes[n_before % 3], fills[n_before % 3]);
                        n_before++;
                        break;
                case SP_NEXT_NONE:
                        return n_before;
                case SP_NEXT_PROBLEM:
                        fail_msg("%s", problem);
                }
}

static size_t put_stream(uint8_t *stream, enum sp_framing framing)
{
        size_t n_bytes = SP_GREETING_BYTES;

        memcpy(stream, pipit_sp_greeting_of_server, SP_GREETING_BYTES);
        n_bytes += put_message(stream + n_bytes, framing, 3, 'a');
        n_bytes += put_message(stream + n_bytes, framing, 0, 'a');
        n_bytes += put_message(stream + n_bytes, framing, 40, 'b');

        return n_bytes;
}

static void a_stream_that_is_cut_in_two_anywhere_is_the_same(void **state)
{
        (void)state;
        for (enum sp_framing framing = SP_IPC; framing <= SP_TCP; framing++) {
                uint8_t stream[256];
                size_t n_bytes = put_stream(stream, framing);

                for (size_t cut = 1; cut < n_bytes; cut++) {
                        struct setting setting;
                        size_t n_greetings = 0;
                        size_t n_messages;

                        set_up(&setting, framing);
                        say(&setting, stream, cut);
                        n_messages = take_all(&setting, 0, &n_greetings);
                        say(&setting, stream + cut, n_bytes - cut);
                        assert_int_equal(take_all(&setting, n_messages, &n_greetings), 3);
                        assert_int_equal(n_greetings, 1);
                        tear_down(&setting);
                }
        }
}

static void a_stream_that_comes_byte_by_byte_is_the_same(void **state)
{
        (void)state;
        for (enum sp_framing framing = SP_IPC; framing <= SP_TCP; framing++) {
                uint8_t stream[256];
                size_t n_bytes = put_stream(stream, framing);
                struct setting setting;
                size_t n_greetings = 0, n_messages = 0;

                set_up(&setting, framing);
                for (size_t i = 0; i < n_bytes; i++) {
                        say(&setting, stream + i, 1);
                        n_messages = take_all(&setting, n_messages, &n_greetings);
                }
                assert_int_equal(n_messages, 3);
                assert_int_equal(n_greetings, 1);
                tear_down(&setting);
        }
}

static void greet(const struct setting *setting)
{
        struct sp_message *message;
        const char *problem;

        say(setting, pipit_sp_greeting_of_server, SP_GREETING_BYTES);
        assert_true(sp_reader_fill(setting->reader, setting->here) == SP_FILL_SOME);
        assert_true(next(setting, &message, &problem) == SP_NEXT_GREETING);
        assert_true(next(setting, &message, &problem) == SP_NEXT_NONE);
}

/* Larger than the buffer: the rest goes past it, and what follows is not mixed up with it. */
static void a_message_as_large_as_the_limit_is_taken_and_what_follows_too(void **state)
{
        size_t n_frame = LIMIT - SP_ID_BYTES, n_wire, n_sent = 0, n_messages = 0;
        uint8_t *wire = malloc(2 * LIMIT);
        struct setting setting;

        (void)state;
        assert_non_null(wire);
        set_up(&setting, SP_IPC);
        greet(&setting);
        n_wire = put_message(wire, SP_IPC, n_frame, 'x');
        n_wire += put_message(wire + n_wire, SP_IPC, 3, 'y');
        while (n_messages < 2) {
                struct sp_message *message;
                const char *problem;
                ssize_t n_bytes = send(
                        setting.there, wire + n_sent, n_wire - n_sent, MSG_DONTWAIT | MSG_NOSIGNAL);

                n_sent += n_bytes > 0 ? (size_t)n_bytes : 0;
                assert_true(sp_reader_fill(setting.reader, setting.here) <= SP_FILL_MORE);
                while (next(&setting, &message, &problem) == SP_NEXT_MESSAGE) {
                        assert_message(message, n_messages ? 3 : n_frame, n_messages ? 'y' : 'x');
                        n_messages++;
                }
        }
        free(wire);
        tear_down(&setting);
}

static void assert_refused(enum sp_framing framing,
                           const void *head,
                           size_t n_bytes,
                           const char *problem_part)
{
        struct setting setting;
        struct sp_message *message;
        const char *problem = NULL;

        set_up(&setting, framing);
        greet(&setting);
        say(&setting, head, n_bytes);
        assert_true(sp_reader_fill(setting.reader, setting.here) == SP_FILL_SOME);
        assert_true(next(&setting, &message, &problem) == SP_NEXT_PROBLEM);
        assert_non_null(strstr(problem, problem_part));
        tear_down(&setting);
}

static void lengths_and_ids_that_cannot_be_are_refused_before_memory_is_taken(void **state)
{
        static const uint8_t over_by_one[] = {1, 0, 0, 0, 0, 0, 3, 0x0D, 0x41};
        static const uint8_t enormous[] = {1, 0x7f, 255, 255, 255, 255, 255, 255, 255};
        static const uint8_t all_bits[] = {255, 255, 255, 255, 255, 255, 255, 255};
        static const uint8_t no_id[] = {1, 0, 0, 0, 0, 0, 0, 0, 3};
        static const uint8_t nothing[] = {0, 0, 0, 0, 0, 0, 0, 0};
        static const uint8_t low_id[] = {0, 0, 0, 0, 0, 0, 0, 5, 0x7f, 255, 255, 255, 'x'};
        static const uint8_t no_message[] = {2, 0, 0, 0, 0, 0, 0, 0, 5};
        static const uint8_t text[] = "220 smtp ready";

        (void)state;
        assert_refused(SP_IPC, over_by_one, sizeof(over_by_one), "over the limit");
        assert_refused(SP_IPC, enormous, sizeof(enormous), "over the limit");
        assert_refused(SP_TCP, all_bits, sizeof(all_bits), "over the limit");
        assert_refused(SP_IPC, no_id, sizeof(no_id), "request id");
        assert_refused(SP_TCP, nothing, sizeof(nothing), "request id");
        assert_refused(SP_TCP, low_id, sizeof(low_id), "request id");
        assert_refused(SP_IPC, no_message, sizeof(no_message), "no message");
        assert_refused(SP_IPC, text, sizeof(text), "no message");
}

static void a_greeting_that_differs_in_any_byte_is_refused(void **state)
{
        (void)state;
        for (size_t i = 0; i < SP_GREETING_BYTES; i++) {
                uint8_t greeting[SP_GREETING_BYTES];
                struct sp_message *message;
                struct setting setting;
                const char *problem;

                set_up(&setting, SP_IPC);
                memcpy(greeting, pipit_sp_greeting_of_server, sizeof(greeting));
                greeting[i] ^= 1;
                say(&setting, greeting, sizeof(greeting));
                assert_true(sp_reader_fill(setting.reader, setting.here) == SP_FILL_SOME);
                assert_true(next(&setting, &message, &problem) == SP_NEXT_PROBLEM);
                assert_non_null(strstr(problem, "no nng REP socket"));
                tear_down(&setting);
        }
}

static void the_end_and_nothing_are_told_apart(void **state)
{
        struct setting setting;

        (void)state;
        set_up(&setting, SP_IPC);
        assert_true(sp_reader_fill(setting.reader, setting.here) == SP_FILL_NOTHING);
        shutdown(setting.there, SHUT_WR);
        assert_true(sp_reader_fill(setting.reader, setting.here) == SP_FILL_END);
        assert_true(sp_reader_fill(setting.reader, -1) == SP_FILL_ERROR);
        assert_int_equal(errno, EBADF);
        tear_down(&setting);
}

/* What the last connection left half read is no part of the next. */
static void a_reset_forgets_half_a_message(void **state)
{
        struct setting setting;
        size_t n_greetings = 0;
        uint8_t stream[256];
        size_t n_bytes = put_stream(stream, SP_IPC);

        (void)state;
        set_up(&setting, SP_IPC);
        say(&setting, stream, n_bytes - 5);
        assert_int_equal(take_all(&setting, 0, &n_greetings), 2);
        sp_reader_reset(setting.reader, SP_IPC, LIMIT);
        say(&setting, stream, n_bytes);
        assert_int_equal(take_all(&setting, 0, &n_greetings), 3);
        assert_int_equal(n_greetings, 2);
        tear_down(&setting);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_stream_that_is_cut_in_two_anywhere_is_the_same),
                cmocka_unit_test(a_stream_that_comes_byte_by_byte_is_the_same),
                cmocka_unit_test(a_message_as_large_as_the_limit_is_taken_and_what_follows_too),
                cmocka_unit_test(lengths_and_ids_that_cannot_be_are_refused_before_memory_is_taken),
                cmocka_unit_test(a_greeting_that_differs_in_any_byte_is_refused),
                cmocka_unit_test(the_end_and_nothing_are_told_apart),
                cmocka_unit_test(a_reset_forgets_half_a_message),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
