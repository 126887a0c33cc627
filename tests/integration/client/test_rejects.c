/* Rejected frames: they ran nothing. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/integration/client/fixture.h"

#include "core/base/macros.h"
#include "google/protobuf/wrappers.pb-c.h"

static const struct {
        struct pipit_reject reject;
        enum pipit_status status;
        const char *reason;
} table[] = {
        {{PIPIT_REJECT_BAD_FRAME, 0, 0}, PIPIT_INTERNAL, "FRAME_REFUSED"},
        {{PIPIT_REJECT_VERSION, 0, 3}, PIPIT_UNIMPLEMENTED, "VERSION_MISMATCH"},
        {{PIPIT_REJECT_TOO_LARGE, 0, 2048}, PIPIT_RESOURCE_EXHAUSTED, "REQUEST_TOO_LARGE"},
        {{PIPIT_REJECT_NO_SESSION, 0, 0}, PIPIT_UNAUTHENTICATED, "SESSION_REQUIRED"},
        {{PIPIT_REJECT_DENIED, 70, 0}, PIPIT_PERMISSION_DENIED, "ACCESS_DENIED"},
        {{(enum pipit_reject_code)99, 0, 0}, PIPIT_INTERNAL, "FRAME_REFUSED"},
};

static void each_reject_ends_the_calls_of_its_frame_as_not_run(void **state)
{
        struct setting *setting = *state;

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(table); i++) {
                const struct pipit_error *error;
                struct waited_call waited;

                waited_init(&waited);
                waited_start(&waited, setting->channel, "q");
                peer_reject(peer_wait(setting->peer), &table[i].reject);
                assert_true(waited_wait(&waited));
                error = pipit_call_error(&waited.call);
                assert_int_equal(error->status, table[i].status);
                assert_string_equal(error->reason, table[i].reason);
                assert_int_equal(error->ran, PIPIT_NOT_RUN);
                assert_int_equal(error->origin, PIPIT_ORIGIN_SERVER);
                assert_int_equal(error->retry_after_ms, table[i].reject.retry_ms);
                assert_non_null(strstr(error->message, setting->place.url));
                waited_deinit(&waited);
        }
}

static void a_reject_leaves_the_calls_of_other_frames_alone(void **state)
{
        const struct pipit_reject denied = {.code = PIPIT_REJECT_DENIED};
        struct setting *setting = *state;
        struct waited_call calls[2];
        struct peer_frame *frames[2];
        uint64_t id;

        for (size_t i = 0; i < 2; i++) {
                waited_init(&calls[i]);
                waited_start(&calls[i], setting->channel, "q");
                frames[i] = peer_wait(setting->peer);
        }
        peer_reject(frames[1], &denied);
        assert_true(waited_wait(&calls[1]));
        assert_int_equal(atomic_load(&calls[0].n_done), 0);
        id = frames[0]->request->calls[0]->id;
        peer_answer_text(frames[0], id, "fine");
        assert_true(waited_wait(&calls[0]));
        assert_true(waited_is(&calls[0], "fine"));
        waited_deinit(&calls[0]);
        waited_deinit(&calls[1]);
}

static void a_busy_server_gets_the_call_again_after_the_pause_under_a_new_id(void **state)
{
        const struct pipit_reject busy = {.code = PIPIT_REJECT_BUSY, .retry_ms = 40};
        struct setting *setting = *state;
        struct waited_call waited;
        struct peer_frame *frame;
        uint64_t id;
        int64_t before;

        waited_init(&waited);
        waited_start(&waited, setting->channel, "q");
        frame = peer_wait(setting->peer);
        id = frame->request->calls[0]->id;
        before = now_ms();
        peer_reject(frame, &busy);
        frame = peer_wait(setting->peer);
        assert_true(now_ms() - before >= 39);
        assert_int_equal(frame->request->n_calls, 1);
        assert_true(frame->request->calls[0]->id > id);
        peer_answer_text(frame, frame->request->calls[0]->id, "r");
        assert_true(waited_wait(&waited));
        assert_true(waited_is(&waited, "r"));
        waited_deinit(&waited);
}

static void a_server_that_stays_busy_costs_the_call_its_deadline(void **state)
{
        const struct pipit_reject busy = {.code = PIPIT_REJECT_BUSY, .retry_ms = 60000};
        struct setting *setting = *state;
        struct waited_call waited;

        waited_init(&waited);
        waited.call.timeout_ms = 50;
        waited_start(&waited, setting->channel, "q");
        peer_reject(peer_wait(setting->peer), &busy);
        assert_true(waited_wait(&waited));
        assert_int_equal(pipit_call_error(&waited.call)->status, PIPIT_DEADLINE_EXCEEDED);
        assert_int_equal(pipit_call_error(&waited.call)->ran, PIPIT_NOT_RUN);
        waited_deinit(&waited);
}

static void start_bytes(struct setting *setting, struct waited_call *waited, size_t n_bytes)
{
        Google__Protobuf__BytesValue value;

        google__protobuf__bytes_value__init(&value);
        value.value.data = calloc(1, n_bytes);
        value.value.len = n_bytes;
        pipit_channel_start(setting->channel, &waited->call, &test_echo, &value.base);
        free(value.value.data);
}

/* Holds all lanes, so that what follows is sent together. */
static void a_smaller_servers_limit_splits_the_frame(void **state)
{
        const struct pipit_reject too_large = {.code = PIPIT_REJECT_TOO_LARGE, .detail = 4096};
        enum { N_LANES = 16, N_CALLS = 4 };
        struct setting *setting = *state;
        struct waited_call holders[N_LANES], calls[N_CALLS];
        struct peer_frame *frames[N_LANES], *frame;

        for (size_t i = 0; i < N_LANES; i++) {
                waited_init(&holders[i]);
                waited_start(&holders[i], setting->channel, "hold");
                frames[i] = peer_wait(setting->peer);
        }
        for (size_t i = 0; i < N_CALLS; i++) {
                waited_init(&calls[i]);
                start_bytes(setting, &calls[i], i == 0 ? 5000 : 1500);
        }
        assert_null(peer_wait_for(setting->peer, 0));
        peer_answer_text(frames[0], frames[0]->request->calls[0]->id, "go");
        frame = peer_wait(setting->peer);
        assert_int_equal(frame->request->n_calls, N_CALLS);
        peer_set_mode(setting->peer, PEER_ECHO);
        peer_reject(frame, &too_large);

        for (size_t i = 0; i < N_CALLS; i++) {
                assert_true(waited_wait(&calls[i]));
                assert_int_equal(pipit_call_error(&calls[i].call)->status,
                                 i == 0 ? PIPIT_RESOURCE_EXHAUSTED : PIPIT_OK);
                waited_deinit(&calls[i]);
        }
        for (size_t i = 1; i < N_LANES; i++)
                peer_answer_text(frames[i], frames[i]->request->calls[0]->id, "go");
        for (size_t i = 0; i < N_LANES; i++) {
                assert_true(waited_wait(&holders[i]));
                waited_deinit(&holders[i]);
        }
}

static void a_rejected_poll_ends_those_who_wait(void **state)
{
        const struct pipit_reject denied = {.code = PIPIT_REJECT_DENIED};
        struct setting *setting = *state;
        struct waited_call waited;

        waited_init(&waited);
        waited_start(&waited, setting->channel, "q");
        peer_answer(peer_wait(setting->peer), NULL, 0);
        peer_reject(peer_wait(setting->peer), &denied);
        assert_true(waited_wait(&waited));
        assert_int_equal(pipit_call_error(&waited.call)->status, PIPIT_PERMISSION_DENIED);
        assert_int_equal(pipit_call_error(&waited.call)->ran, PIPIT_MAY_HAVE_RUN);
        waited_deinit(&waited);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                manual_test(each_reject_ends_the_calls_of_its_frame_as_not_run),
                manual_test(a_reject_leaves_the_calls_of_other_frames_alone),
                manual_test(a_busy_server_gets_the_call_again_after_the_pause_under_a_new_id),
                manual_test(a_server_that_stays_busy_costs_the_call_its_deadline),
                manual_test(a_smaller_servers_limit_splits_the_frame),
                manual_test(a_rejected_poll_ends_those_who_wait),
        };

        if (argc > 1)
                cmocka_set_test_filter(argv[1]);

        return cmocka_run_group_tests(tests, NULL, NULL);
}
