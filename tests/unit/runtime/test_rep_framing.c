/* What the server makes of the bytes of a connection, however they come. */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pipit/macros.h>

#include "server/runtime/rep_keeper.h"
#include "tests/unit/runtime/rep_fixture.h"

#define N_BYTES_MAX (RECEIVE_BYTES_MAX + 4096)

static void both_transports(void (*run)(struct rep_fixture *fixture))
{
        for (int i = 0; i < 2; ++i) {
                struct rep_fixture fixture = {};

                rep_fixture_start(&fixture, i ? REP_TRANSPORT_TCP : REP_TRANSPORT_IPC);
                run(&fixture);
                rep_fixture_stop(&fixture);
        }
}

/* --- reads ------------------------------------------------------------------- */

/* Greeting and messages, and what is answered. */
struct script {
        uint8_t bytes[256];
        size_t n_bytes;
        uint8_t answers[256];
        size_t n_answer_bytes;
};

static void script_init(struct script *script, const struct rep_fixture *fixture)
{
        static const size_t n_frames[] = {0, 1, 7, 40, 0, 3};

        memcpy(script->bytes, pipit_sp_greeting_of_client, SP_GREETING_BYTES);
        memcpy(script->answers, pipit_sp_greeting_of_server, SP_GREETING_BYTES);
        script->n_bytes = SP_GREETING_BYTES;
        for (uint32_t i = 0; i < PIPIT_N_ELEMENTS(n_frames); ++i)
                script->n_bytes += message_write(fixture,
                                                 script->bytes + script->n_bytes,
                                                 i,
                                                 1 + i % 3,
                                                 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuv",
                                                 n_frames[i]);
        assert_true(script->n_bytes <= sizeof(script->bytes));
        memcpy(script->answers + SP_GREETING_BYTES,
               script->bytes + SP_GREETING_BYTES,
               script->n_bytes - SP_GREETING_BYTES);
        script->n_answer_bytes = script->n_bytes;
}

static void assert_answered(const struct script *script, int fd)
{
        uint8_t answers[256];

        assert_int_equal(peer_read(fd, answers, script->n_answer_bytes), script->n_answer_bytes);
        assert_memory_equal(answers, script->answers, script->n_answer_bytes);
        close(fd);
}

static void messages_are_the_same_wherever_a_read_ends(void **state)
{
        struct rep_fixture fixture = {};
        struct script script;

        (void)state;
        rep_fixture_start(&fixture, REP_TRANSPORT_IPC);
        script_init(&script, &fixture);
        for (size_t at = 1; at < script.n_bytes; ++at) {
                int fd = peer_connect(&fixture);

                peer_write(fd, script.bytes, at);
                peer_wait_read(fd);
                peer_write(fd, script.bytes + at, script.n_bytes - at);
                assert_answered(&script, fd);
        }
        rep_fixture_stop(&fixture);
}

static void byte_by_byte(struct rep_fixture *fixture)
{
        struct script script;
        int fd = peer_connect(fixture);

        script_init(&script, fixture);
        for (size_t at = 0; at < script.n_bytes; ++at)
                peer_write(fd, script.bytes + at, 1);
        assert_answered(&script, fd);
}

static void messages_may_come_byte_by_byte(void **state)
{
        (void)state;
        both_transports(byte_by_byte);
}

/* --- sizes ------------------------------------------------------------------- */

/* The frame is answered with its sum, for a peer that reads only when it has written. */
static void take_sum(struct rep_fixture *fixture,
                     struct rep_context *context,
                     struct rep_message *message)
{
        struct rep_message *answer = rep_message_new(sizeof(uint64_t));
        const uint8_t *bytes = rep_message_bytes(message);
        uint64_t sum = rep_message_n_bytes(message);

        for (size_t i = 0; i < rep_message_n_bytes(message); ++i)
                sum = sum * 31 + bytes[i];
        memcpy(rep_message_bytes(answer), &sum, sizeof(sum));
        rep_message_free(message);
        rep_fixture_answer(fixture, context, answer);
}

static void assert_summed(struct rep_fixture *fixture, int fd, const uint8_t *frame, size_t n_frame)
{
        uint8_t answer[SP_ID_BYTES + sizeof(uint64_t)] = {0x80, 0, 0, 1};
        uint64_t sum = n_frame;

        for (size_t i = 0; i < n_frame; ++i)
                sum = sum * 31 + frame[i];
        memcpy(answer + SP_ID_BYTES, &sum, sizeof(sum));
        peer_assert_answer(fixture, fd, answer, sizeof(answer));
}

/* A message of @n_bytes and, at once, a small one. */
static void exchange(struct rep_fixture *fixture, int fd, uint8_t *bytes, size_t n_bytes)
{
        uint8_t *frame = calloc(1, n_bytes);
        size_t n_frame = n_bytes - SP_ID_BYTES;
        size_t n_all;

        for (size_t i = 0; i < n_frame; ++i)
                frame[i] = (uint8_t)(i * 7 + (i >> 8));
        n_all = message_write(fixture, bytes, 1, 1, frame, n_frame);
        n_all += message_write(fixture, bytes + n_all, 1, 1, "and", 3);
        peer_write(fd, bytes, n_all);
        assert_summed(fixture, fd, frame, n_frame);
        assert_summed(fixture, fd, (const uint8_t *)"and", 3);
        free(frame);
}

static void messages_of_all_sizes_come_whole(void **state)
{
        static const size_t sizes[] = {65536, 131072, 262144, 524288, 1048576};
        uint8_t *bytes = malloc(N_BYTES_MAX);

        (void)state;
        for (int i = 0; i < 2; ++i) {
                struct rep_fixture fixture = {.take = take_sum};
                int fd;

                rep_fixture_start(&fixture, i ? REP_TRANSPORT_TCP : REP_TRANSPORT_IPC);
                fd = peer_connect_greeted(&fixture);
                for (size_t size = 0; size < PIPIT_N_ELEMENTS(sizes); ++size) {
                        for (size_t around = 0; around < 28; ++around)
                                exchange(&fixture, fd, bytes, sizes[size] - 14 + around);
                }
                exchange(&fixture, fd, bytes, RECEIVE_BYTES_MAX);
                close(fd);
                rep_fixture_stop(&fixture);
        }
        free(bytes);
}

static void assert_ends(struct rep_fixture *fixture, const uint8_t *bytes, size_t n_bytes)
{
        int fd = peer_connect_greeted(fixture);

        peer_write(fd, bytes, n_bytes);
        peer_assert_hung_up(fd);
        close(fd);
}

static void too_long(struct rep_fixture *fixture)
{
        static const uint64_t lengths[] = {RECEIVE_BYTES_MAX + 1,
                                           UINT64_C(1) << 32,
                                           (UINT64_C(1) << 32) + 5,
                                           UINT64_C(1) << 63,
                                           UINT64_MAX};

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(lengths); ++i) {
                uint8_t bytes[SP_HEAD_BYTES_MAX];
                uint8_t *head =
                        pipit_sp_head_write(bytes + sizeof(bytes), fixture->framing, lengths[i]);

                assert_ends(fixture, head, (size_t)(bytes + sizeof(bytes) - head));
        }
}

static void a_length_over_the_limit_ends_the_connection_before_it_comes(void **state)
{
        (void)state;
        both_transports(too_long);
}

static void what_is_no_message_ends_the_connection(void **state)
{
        struct rep_fixture fixture = {};
        uint8_t bytes[64];

        (void)state;
        rep_fixture_start(&fixture, REP_TRANSPORT_IPC);
        for (unsigned int first = 0; first < 256; ++first) {
                size_t n_bytes = message_write(&fixture, bytes, 1, 1, "x", 1);

                bytes[0] = (uint8_t)first;
                if (first != 1)
                        assert_ends(&fixture, bytes, n_bytes);
        }
        rep_fixture_stop(&fixture);
}

/* --- words ------------------------------------------------------------------- */

static void hops(struct rep_fixture *fixture)
{
        int fd = peer_connect_greeted(fixture);
        size_t n_head = pipit_sp_head_bytes(fixture->framing);
        uint8_t bytes[128];

        for (size_t n_words = 1; n_words <= SP_WORDS_MAX; ++n_words) {
                size_t n_bytes = message_write(fixture, bytes, 9, n_words, "frame", 5);

                peer_write(fd, bytes, n_bytes);
                peer_assert_answer(fixture, fd, bytes + n_head, n_bytes - n_head);
        }
        /* One hop more, with an id behind and without: nothing, and the connection goes on. */
        peer_write(fd, bytes, message_write(fixture, bytes, 9, SP_WORDS_MAX + 1, "frame", 5));
        peer_assert_served(fixture, fd);
        message_write(fixture, bytes, 9, SP_WORDS_MAX, NULL, 0);
        bytes[n_head + (SP_WORDS_MAX - 1) * SP_ID_BYTES] &= 0x7f;
        peer_write(fd, bytes, n_head + SP_WORDS_MAX * SP_ID_BYTES);
        peer_assert_served(fixture, fd);
        close(fd);
}

static void up_to_seven_hops_come_back_and_eight_are_dropped(void **state)
{
        (void)state;
        both_transports(hops);
}

static void cut_off(struct rep_fixture *fixture)
{
        static const uint8_t zeros[SP_WORDS_MAX * SP_ID_BYTES];
        uint8_t bytes[128];

        for (size_t n = 0; n < sizeof(zeros); ++n)
                assert_ends(fixture, bytes, message_write(fixture, bytes, 0, 0, zeros, n));
        /* The id itself is cut. */
        for (size_t n = 0; n < SP_ID_BYTES; ++n)
                assert_ends(fixture, bytes, message_write(fixture, bytes, 0, 0, "\x80\0\0", n));
}

static void a_message_that_ends_before_its_id_ends_the_connection(void **state)
{
        (void)state;
        both_transports(cut_off);
}

/* --- greeting ---------------------------------------------------------------- */

static void wrong_greetings(struct rep_fixture *fixture)
{
        for (size_t at = 0; at < SP_GREETING_BYTES; ++at) {
                uint8_t greeting[SP_GREETING_BYTES];
                uint8_t theirs[SP_GREETING_BYTES];
                int fd = peer_connect(fixture);

                memcpy(greeting, pipit_sp_greeting_of_client, sizeof(greeting));
                greeting[at] ^= 1;
                /* It is enough, whatever follows. */
                peer_write(fd, greeting, at + 1);
                assert_int_equal(peer_read(fd, theirs, sizeof(theirs)), sizeof(theirs));
                peer_assert_hung_up(fd);
                close(fd);
        }
}

static void a_greeting_ends_the_connection_with_its_first_wrong_byte(void **state)
{
        (void)state;
        both_transports(wrong_greetings);
}

static void who_does_not_greet_in_time_is_hung_up_on_and_nobody_else(void **state)
{
        struct rep_fixture fixture = {};
        uint8_t greeting[SP_GREETING_BYTES];
        int silent, slow, honest;

        (void)state;
        rep_fixture_start(&fixture, REP_TRANSPORT_IPC);
        honest = peer_connect_greeted(&fixture);
        peer_assert_served(&fixture, honest);
        silent = peer_connect(&fixture);
        slow = peer_connect(&fixture);
        peer_write(slow, pipit_sp_greeting_of_client, SP_GREETING_BYTES - 1);
        /* They are waited for once they have been greeted. */
        assert_int_equal(peer_read(silent, greeting, sizeof(greeting)), sizeof(greeting));
        assert_int_equal(peer_read(slow, greeting, sizeof(greeting)), sizeof(greeting));

        rep_fixture_move_clock(REP_GREETING_MS + 1000);
        peer_assert_hung_up(silent);
        peer_assert_hung_up(slow);
        rep_fixture_wait(&fixture, &fixture.n_removed, 2);
        peer_assert_served(&fixture, honest);

        close(silent);
        close(slow);
        close(honest);
        rep_fixture_stop(&fixture);
}

/* --- stalls ------------------------------------------------------------------ */

static void stall(struct rep_fixture *fixture)
{
        uint8_t bytes[64];
        size_t n_bytes = message_write(fixture, bytes, 1, 2, "frame", 5);
        int silent = peer_connect_greeted(fixture);

        peer_assert_served(fixture, silent);
        for (unsigned int n = 1; n < n_bytes; ++n) {
                int fd = peer_connect_greeted(fixture);

                peer_write(fd, bytes, n);
                do {
                        rep_fixture_move_clock(TIMEOUT_MS / 2);
                        assert_int_equal(rep_endpoint_look_after(fixture->endpoint), REP_LISTENS);
                } while (!rep_fixture_wait_ms(fixture, &fixture->n_removed, n, 10));
                peer_assert_hung_up(fd);
                close(fd);
        }
        /* Who has not begun one may be silent for ever. */
        peer_assert_served(fixture, silent);
        close(silent);
}

static void a_message_that_does_not_go_on_ends_its_connection(void **state)
{
        (void)state;
        both_transports(stall);
}

static void a_message_that_goes_on_may_take_its_time(void **state)
{
        struct rep_fixture fixture = {};
        uint8_t bytes[64];
        size_t n_bytes;
        int fd;

        (void)state;
        rep_fixture_start(&fixture, REP_TRANSPORT_IPC);
        fd = peer_connect_greeted(&fixture);
        n_bytes = message_write(&fixture, bytes, 1, 2, "frame", 5);
        for (size_t at = 0; at < n_bytes; ++at) {
                peer_write(fd, bytes + at, 1);
                peer_wait_read(fd);
                rep_fixture_move_clock(TIMEOUT_MS / 4 * 3);
                assert_int_equal(rep_endpoint_look_after(fixture.endpoint), REP_LISTENS);
        }
        peer_assert_answer(&fixture, fd, bytes + SP_HEAD_BYTES_IPC, n_bytes - SP_HEAD_BYTES_IPC);
        close(fd);
        rep_fixture_stop(&fixture);
}

/* The first frame is worked on for as long as the test likes. */
struct slow {
        struct rep_fixture fixture;
        unsigned int n_begun;
        unsigned int n_ended;
};

static void take_slowly(struct rep_fixture *fixture,
                        struct rep_context *context,
                        struct rep_message *message)
{
        struct slow *slow = pipit_container_of(fixture, struct slow, fixture);

        rep_fixture_count(fixture, &slow->n_begun);
        if (!rep_fixture_wait_ms(fixture, &slow->n_ended, 1, WAIT_MS))
                abort();
        rep_message_free(message);
        rep_fixture_answer(fixture, context, rep_message_new(0));
}

/* A message came whole, or goes on, and the server does not get to it: its peer is not to blame. */
static void a_server_that_takes_its_time_blames_nobody(void **state)
{
        static const uint8_t answer[] = {0x80, 0, 0, 1};
        struct slow slow = {.fixture.take = take_slowly};
        struct rep_fixture *fixture = &slow.fixture;
        uint8_t bytes[64];
        size_t n_bytes;
        int fd;

        (void)state;
        rep_fixture_start(fixture, REP_TRANSPORT_IPC);
        fd = peer_connect_greeted(fixture);
        n_bytes = message_write(fixture, bytes, 1, 1, "frame", 5);
        peer_write(fd, bytes, n_bytes / 2);
        peer_wait_read(fd);
        peer_write(fd, bytes + n_bytes / 2, n_bytes - n_bytes / 2);
        rep_fixture_wait(fixture, &slow.n_begun, 1);
        rep_fixture_move_clock(TIMEOUT_MS * 2);
        assert_int_equal(rep_endpoint_look_after(fixture->endpoint), REP_LISTENS);
        rep_fixture_count(fixture, &slow.n_ended);
        peer_assert_answer(fixture, fd, answer, sizeof(answer));
        close(fd);
        rep_fixture_stop(fixture);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(messages_are_the_same_wherever_a_read_ends),
                cmocka_unit_test(messages_may_come_byte_by_byte),
                cmocka_unit_test(messages_of_all_sizes_come_whole),
                cmocka_unit_test(a_length_over_the_limit_ends_the_connection_before_it_comes),
                cmocka_unit_test(what_is_no_message_ends_the_connection),
                cmocka_unit_test(up_to_seven_hops_come_back_and_eight_are_dropped),
                cmocka_unit_test(a_message_that_ends_before_its_id_ends_the_connection),
                cmocka_unit_test(a_greeting_ends_the_connection_with_its_first_wrong_byte),
                cmocka_unit_test(who_does_not_greet_in_time_is_hung_up_on_and_nobody_else),
                cmocka_unit_test(a_message_that_does_not_go_on_ends_its_connection),
                cmocka_unit_test(a_message_that_goes_on_may_take_its_time),
                cmocka_unit_test(a_server_that_takes_its_time_blames_nobody),
        };

        return cmocka_run_group_tests_name("rep_framing", tests, NULL, NULL);
}
