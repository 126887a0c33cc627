/* What a server may do with replies, and what it may not. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/integration/client/fixture.h"

#include "core/base/macros.h"

static uint64_t only_id(const struct peer_frame *frame)
{
        assert_int_equal(frame->request->n_calls, 1);

        return frame->request->calls[0]->id;
}

/* Starts two calls, each in a frame of its own. */
static void start_two(struct setting *setting,
                      struct waited_call calls[2],
                      struct peer_frame *ret_frames[2])
{
        for (size_t i = 0; i < 2; i++) {
                waited_init(&calls[i]);
                waited_start(&calls[i], setting->channel, "q");
                ret_frames[i] = peer_wait(setting->peer);
                assert_non_null(ret_frames[i]);
                assert_int_equal(ret_frames[i]->request->n_calls, 1);
        }
}

static void a_frame_says_who_asks_and_how_long(void **state)
{
        struct setting *setting = *state;
        struct waited_call waited;
        struct peer_frame *frame;

        waited_init(&waited);
        waited.call.timeout_ms = 3000;
        assert_int_equal(pipit_call_add_metadata(&waited.call, "traceparent", "00-1", 4), PIPIT_OK);
        waited_start(&waited, setting->channel, "q");
        frame = peer_wait(setting->peer);
        assert_non_null(frame);
        assert_int_equal(frame->request->client_id.len, 16);
        assert_int_equal(frame->request->hold_ms, 2000);
        assert_int_equal(frame->request->held_max, 8);
        assert_int_equal(frame->request->max_response_bytes, 1024 * 1024);
        assert_string_equal(frame->request->calls[0]->method, test_echo.name);
        assert_in_range(frame->request->calls[0]->timeout_ms, 1, 3000);
        assert_int_equal(frame->request->calls[0]->n_metadata, 1);
        assert_string_equal(frame->request->calls[0]->metadata[0]->key, "traceparent");
        assert_int_equal(frame->request->calls[0]->metadata[0]->value.len, 4);
        peer_answer_text(frame, only_id(frame), "r");
        assert_true(waited_wait(&waited));
        assert_true(waited_is(&waited, "r"));
        waited_deinit(&waited);
}

static void replies_come_in_any_order_and_in_any_frame(void **state)
{
        struct setting *setting = *state;
        struct waited_call calls[2];
        struct peer_frame *frames[2];
        uint64_t ids[2];

        start_two(setting, calls, frames);
        ids[0] = only_id(frames[0]);
        ids[1] = only_id(frames[1]);
        peer_answer_text(frames[0], ids[1], "second");
        assert_true(waited_wait(&calls[1]));
        assert_true(waited_is(&calls[1], "second"));
        assert_int_equal(atomic_load(&calls[0].n_done), 0);
        peer_answer_text(frames[1], ids[0], "first");
        assert_true(waited_wait(&calls[0]));
        assert_true(waited_is(&calls[0], "first"));
        waited_deinit(&calls[0]);
        waited_deinit(&calls[1]);
}

static void one_frame_may_carry_all_replies(void **state)
{
        struct setting *setting = *state;
        struct waited_call calls[2];
        struct peer_frame *frames[2];
        struct peer_reply replies[2];

        start_two(setting, calls, frames);
        replies[0] = (struct peer_reply){.id = only_id(frames[1]), .text = "b"};
        replies[1] = (struct peer_reply){.id = only_id(frames[0]), .text = "a"};
        peer_answer(frames[1], replies, 2);
        assert_true(waited_wait(&calls[0]) && waited_wait(&calls[1]));
        assert_true(waited_is(&calls[0], "a") && waited_is(&calls[1], "b"));
        peer_ignore(frames[0]);
        waited_deinit(&calls[0]);
        waited_deinit(&calls[1]);
}

static void unknown_ids_and_duplicates_are_ignored(void **state)
{
        struct setting *setting = *state;
        struct waited_call waited;
        struct peer_frame *frame;
        struct peer_reply replies[4];
        uint64_t id;

        waited_init(&waited);
        waited_start(&waited, setting->channel, "q");
        frame = peer_wait(setting->peer);
        id = only_id(frame);
        replies[0] = (struct peer_reply){.id = id + 1000, .text = "unknown"};
        replies[1] = (struct peer_reply){.id = 0, .text = "zero"};
        replies[2] = (struct peer_reply){.id = id, .text = "right"};
        replies[3] = (struct peer_reply){.id = id, .text = "twice"};
        peer_answer(frame, replies, 4);
        assert_true(waited_wait(&waited));
        assert_true(waited_is(&waited, "right"));
        peer_set_mode(setting->peer, PEER_ECHO);
        warm_up(setting->channel);
        assert_int_equal(atomic_load(&waited.n_done), 1);
        waited_deinit(&waited);
}

static void an_empty_answer_is_followed_by_a_poll(void **state)
{
        struct setting *setting = *state;
        struct waited_call waited;
        struct peer_frame *frame;
        uint64_t id;

        waited_init(&waited);
        waited_start(&waited, setting->channel, "q");
        frame = peer_wait(setting->peer);
        id = only_id(frame);
        for (int i = 0; i < 3; i++) {
                peer_answer(frame, NULL, 0);
                frame = peer_wait(setting->peer);
                assert_non_null(frame);
                assert_int_equal(frame->request->n_calls, 0);
                assert_int_equal(frame->request->hold_ms, 2000);
        }
        peer_answer_text(frame, id, "late");
        assert_true(waited_wait(&waited));
        assert_true(waited_is(&waited, "late"));
        waited_deinit(&waited);
}

static void the_servers_error_comes_through(void **state)
{
        struct setting *setting = *state;
        struct waited_call waited;
        struct peer_frame *frame;
        struct peer_reply reply = {
                .status = PIPIT_NOT_FOUND,
                .reason = "USER_NOT_FOUND",
                .ran = PIPIT_RAN,
                .metadata_key = "retry-cost",
        };

        waited_init(&waited);
        waited_start(&waited, setting->channel, "q");
        frame = peer_wait(setting->peer);
        reply.id = only_id(frame);
        peer_answer(frame, &reply, 1);
        assert_true(waited_wait(&waited));
        assert_int_equal(pipit_call_error(&waited.call)->status, PIPIT_NOT_FOUND);
        assert_int_equal(pipit_call_error(&waited.call)->ran, PIPIT_RAN);
        assert_int_equal(pipit_call_error(&waited.call)->origin, PIPIT_ORIGIN_SERVER);
        assert_string_equal(pipit_call_error(&waited.call)->reason, "USER_NOT_FOUND");
        assert_string_equal(pipit_call_error(&waited.call)->message, "says the peer");
        assert_null(pipit_call_response(&waited.call, &test_echo));
        assert_int_equal(pipit_call_n_response_metadata(&waited.call), 1);
        assert_string_equal(pipit_call_response_metadata(&waited.call, 0)->key, "retry-cost");
        assert_int_equal(pipit_call_response_metadata(&waited.call, 0)->n_value_bytes, 3);
        assert_null(pipit_call_response_metadata(&waited.call, 1));
        waited_deinit(&waited);
}

static void a_malformed_payload_fails_its_call_only(void **state)
{
        struct setting *setting = *state;
        struct waited_call calls[2];
        struct peer_frame *frames[2];
        struct peer_reply replies[2];

        start_two(setting, calls, frames);
        replies[0] = (struct peer_reply){.id = only_id(frames[0]), .raw = "\x0a\x7f", .n_raw = 2};
        replies[1] = (struct peer_reply){.id = only_id(frames[1]), .text = "fine"};
        peer_answer(frames[0], replies, 2);
        assert_true(waited_wait(&calls[0]) && waited_wait(&calls[1]));
        assert_int_equal(pipit_call_error(&calls[0].call)->status, PIPIT_INTERNAL);
        assert_int_equal(pipit_call_error(&calls[0].call)->ran, PIPIT_RAN);
        assert_string_equal(pipit_call_error(&calls[0].call)->reason, "RESPONSE_MALFORMED");
        assert_true(waited_is(&calls[1], "fine"));
        peer_ignore(frames[1]);
        waited_deinit(&calls[0]);
        waited_deinit(&calls[1]);
}

static const struct {
        const char *what;
        const char *bytes;
        size_t n_bytes;
} bad_frames[] = {
        {"nothing", "", 0},
        {"shorter than a header", "PI\1", 3},
        {"wrong magic", "HTTP/1.1 400", 12},
        {"another version", "PI\2\x11", 4},
        {"an unknown kind", "PI\1\x77", 4},
        {"a request", "PI\1\x10", 4},
        {"a sealed response", "PI\1\4", 4},
        {"a truncated response", "PI\1\x11\x0a\x7f\x08", 7},
        {"a group", "PI\1\x11\x0b\x0c", 6},
        {"tag zero", "PI\1\x11\x00\x00", 6},
        {"an over-long varint", "PI\1\x11\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 16},
        {"a short reject", "PI\1\5\1\0", 6},
        {"a long reject", "PI\1\5\1\0\0\0\0\0\0\0\0\0\0", 15},
};

static void malformed_frames_end_what_is_on_the_wire_and_the_next_call_works(void **state)
{
        struct setting *setting = *state;

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(bad_frames); i++) {
                const struct pipit_error *error;
                struct waited_call waited;

                waited_init(&waited);
                waited_start(&waited, setting->channel, bad_frames[i].what);
                peer_answer_bytes(
                        peer_wait(setting->peer), bad_frames[i].bytes, bad_frames[i].n_bytes);
                assert_true(waited_wait(&waited));
                error = pipit_call_error(&waited.call);
                assert_int_equal(error->status, PIPIT_INTERNAL);
                assert_int_equal(error->ran, PIPIT_MAY_HAVE_RUN);
                assert_int_equal(error->origin, PIPIT_ORIGIN_TRANSPORT);
                assert_string_equal(error->reason, "RESPONSE_MALFORMED");
                assert_non_null(strstr(error->message, setting->place.url));
                waited_deinit(&waited);

                peer_set_mode(setting->peer, PEER_ECHO);
                warm_up(setting->channel);
                peer_set_mode(setting->peer, PEER_MANUAL);
        }
}

static void an_oversize_response_breaks_the_connection_and_is_told(void **state)
{
        struct setting *setting = *state;
        struct waited_call waited;
        size_t n_bytes = 2 * 1024 * 1024;
        char *bytes = calloc(1, n_bytes);
        struct peer_frame *frame;

        memcpy(bytes, "PI\1\x11", 4);
        waited_init(&waited);
        waited_start(&waited, setting->channel, "q");
        peer_answer_bytes(peer_wait(setting->peer), bytes, n_bytes);
        free(bytes);

        frame = peer_wait(setting->peer);
        assert_non_null(frame);
        assert_int_equal(frame->request->n_awaits, 1);
        peer_answer(frame,
                    &(struct peer_reply){.id = frame->request->awaits[0],
                                         .status = PIPIT_UNAVAILABLE,
                                         .reason = "CALL_FORGOTTEN",
                                         .ran = PIPIT_MAY_HAVE_RUN},
                    1);
        assert_true(waited_wait(&waited));
        assert_int_equal(pipit_call_error(&waited.call)->status, PIPIT_UNAVAILABLE);
        assert_int_equal(pipit_call_error(&waited.call)->ran, PIPIT_MAY_HAVE_RUN);
        assert_string_equal(pipit_call_error(&waited.call)->reason, "CALL_FORGOTTEN");
        waited_deinit(&waited);
}

static void another_instance_ends_what_the_last_one_had(void **state)
{
        struct setting *setting = *state;
        struct waited_call calls[2];
        struct peer_frame *frames[2];

        start_two(setting, calls, frames);
        peer_set_instance(setting->peer, 8);
        peer_answer_text(frames[0], only_id(frames[0]), "from a stranger");
        for (size_t i = 0; i < 2; i++) {
                assert_true(waited_wait(&calls[i]));
                assert_string_equal(pipit_call_error(&calls[i].call)->reason, "SERVER_RESTARTED");
                assert_int_equal(pipit_call_error(&calls[i].call)->ran, PIPIT_MAY_HAVE_RUN);
                assert_int_equal(pipit_call_error(&calls[i].call)->status, PIPIT_UNAVAILABLE);
                waited_deinit(&calls[i]);
        }
        peer_ignore(frames[1]);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                manual_test(a_frame_says_who_asks_and_how_long),
                manual_test(replies_come_in_any_order_and_in_any_frame),
                manual_test(one_frame_may_carry_all_replies),
                manual_test(unknown_ids_and_duplicates_are_ignored),
                manual_test(an_empty_answer_is_followed_by_a_poll),
                manual_test(the_servers_error_comes_through),
                manual_test(a_malformed_payload_fails_its_call_only),
                manual_test(malformed_frames_end_what_is_on_the_wire_and_the_next_call_works),
                manual_test(an_oversize_response_breaks_the_connection_and_is_told),
                manual_test(another_instance_ends_what_the_last_one_had),
        };

        if (argc > 1)
                cmocka_set_test_filter(argv[1]);

        return cmocka_run_group_tests(tests, NULL, NULL);
}
