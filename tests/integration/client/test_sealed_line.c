/* Somebody sits on the line to a server with keys: he can end connections, and no more. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/integration/client/fixture.h"
#include "tests/integration/client/keyed.h"

#include "core/base/macros.h"

static const struct pipit_channel_options impatient = {
        .timeout_ms = 60000,
        .redial_min_ms = 1,
        .redial_max_ms = 2,
};

/* What a meddler does, and to which of the frames that he looks for. */
struct plan {
        enum pipit_frame_kind kind;
        int nth;           /* of that kind, from 0 */
        unsigned int code; /* of a reject */
        size_t at;         /* of a byte */
        uint8_t bits;      /* to be flipped in it */
        struct raw_frame kept;
        struct pipit_session *session;
        int n_done;
};

static struct plan *plan_of(struct keyed *keyed)
{
        return keyed->context;
}

/* Whether it is the one that the plan is for. */
static bool is_it(struct keyed *keyed, const struct raw_frame *frame)
{
        struct plan *plan = plan_of(keyed);

        return keyed_kind(frame) == plan->kind && plan->nth-- == 0;
}

static bool has_calls(const struct keyed *keyed)
{
        return atomic_load(&keyed->n_runs) > 0;
}

/* One call, which must come to its end, once, with others after it on the same channel. */
static void call_once(struct keyed *keyed, struct plan *plan)
{
        struct pipit_call call = {.wait_for_ready = true};
        struct waited_call waited;
        struct pipit_channel *channel;

        keyed->context = plan;
        keyed_start(keyed);
        channel = keyed_channel(keyed, &impatient);
        waited_init(&waited);
        waited.call.wait_for_ready = true;
        waited_start(&waited, channel, "once");
        assert_true(waited_wait(&waited));
        assert_true(waited_is(&waited, "once"));
        waited_deinit(&waited);
        assert_int_equal(blocking_echo(channel, &call, "and again"), PIPIT_OK);
        pipit_call_deinit(&call);
        assert_false(atomic_load(&keyed->ran_twice));
        assert_int_equal(atomic_load(&keyed->n_runs), 2);
        pipit_channel_free(channel);
        keyed_deinit(keyed);
}

/* --- forged rejects -------------------------------------------------------------------- */

static const unsigned int codes[] = {
        PIPIT_REJECT_BAD_FRAME,
        PIPIT_REJECT_VERSION,
        PIPIT_REJECT_TOO_LARGE,
        PIPIT_REJECT_NO_SESSION,
        PIPIT_REJECT_DENIED,
        PIPIT_REJECT_BUSY,
        99,
};

static bool reject_and_drop(struct keyed *keyed, struct raw_frame *frame)
{
        if (!is_it(keyed, frame))
                return true;

        return keyed_reject(keyed, frame, plan_of(keyed)->code);
}

static bool reject_and_take(struct keyed *keyed, struct raw_frame *frame)
{
        uint8_t bytes[PIPIT_REJECT_FRAME_BYTES];

        if (!is_it(keyed, frame))
                return true;
        pipit_reject_write(
                &(struct pipit_reject){.code = (enum pipit_reject_code)plan_of(keyed)->code},
                bytes);
        keyed_take_silently(keyed, frame);

        return keyed_reply_bytes(keyed, frame, bytes, sizeof(bytes));
}

static void rejects_of(keyed_meddle_fn meddle, enum pipit_frame_kind kind, int nth)
{
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(codes); i++) {
                struct plan plan = {.kind = kind, .nth = nth, .code = codes[i]};
                struct keyed keyed;

                keyed_init(&keyed);
                keyed.on_frame = meddle;
                call_once(&keyed, &plan);
                assert_true(atomic_load(&keyed.n_accepts) == 2);
        }
}

static void a_reject_forged_for_a_hello_costs_one_attempt(void **state)
{
        (void)state;
        rejects_of(reject_and_drop, PIPIT_FRAME_HELLO, 0);
}

static void a_reject_forged_for_the_first_frame_costs_the_connection(void **state)
{
        (void)state;
        rejects_of(reject_and_drop, PIPIT_FRAME_SEALED_REQUEST, 0);
}

/* The first frame is empty, and tells the instance. */
static void a_reject_forged_for_a_call_that_never_came_has_it_sent_again(void **state)
{
        (void)state;
        rejects_of(reject_and_drop, PIPIT_FRAME_SEALED_REQUEST, 1);
}

static void a_reject_forged_for_a_call_that_ran_has_its_answer_fetched(void **state)
{
        (void)state;
        rejects_of(reject_and_take, PIPIT_FRAME_SEALED_REQUEST, 1);
}

/* The next connection's frame, which awaits. */
static bool reject_from_then_on(struct keyed *keyed, struct raw_frame *frame)
{
        struct plan *plan = plan_of(keyed);

        if (keyed_kind(frame) != plan->kind || plan->nth-- > 0 || plan->n_done == 3)
                return true;
        plan->n_done++;
        keyed_take_silently(keyed, frame);

        return keyed_reject(keyed, frame, plan->code);
}

static void rejects_forged_for_awaits_are_outlived(void **state)
{
        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(codes); i++) {
                struct plan plan = {
                        .kind = PIPIT_FRAME_SEALED_REQUEST,
                        .nth = 1,
                        .code = codes[i],
                };
                struct keyed keyed;

                keyed_init(&keyed);
                keyed.on_frame = reject_from_then_on;
                call_once(&keyed, &plan);
                assert_int_equal(atomic_load(&keyed.n_accepts), 4);
        }
}

static bool be_busy_once(struct keyed *keyed, struct raw_frame *frame)
{
        const struct pipit_reject busy = {.code = PIPIT_REJECT_BUSY, .retry_ms = 60};
        uint8_t bytes[PIPIT_REJECT_FRAME_BYTES];

        if (!is_it(keyed, frame))
                return true;
        pipit_reject_write(&busy, bytes);

        return keyed_reply_bytes(keyed, frame, bytes, sizeof(bytes));
}

static void who_is_busy_is_left_alone_for_as_long_as_he_says(void **state)
{
        struct plan plan = {.kind = PIPIT_FRAME_SEALED_REQUEST, .nth = 1};
        int64_t before_ms = now_ms();
        struct keyed keyed;

        (void)state;
        keyed_init(&keyed);
        keyed.on_frame = be_busy_once;
        call_once(&keyed, &plan);
        assert_true(now_ms() - before_ms >= 60);
        assert_int_equal(atomic_load(&keyed.n_accepts), 2);
}

static bool reject_all(struct keyed *keyed, struct raw_frame *frame)
{
        if (keyed_kind(frame) != PIPIT_FRAME_SEALED_REQUEST)
                return true;

        return keyed_reject(keyed, frame, PIPIT_REJECT_NO_SESSION);
}

/* Every connection works, until its first frame. */
static void rejects_without_end_make_no_hot_loop(void **state)
{
        struct pipit_call call = {.timeout_ms = 2000, .wait_for_ready = true};
        struct pipit_channel *channel;
        struct keyed keyed;
        unsigned int n_accepts;

        (void)state;
        keyed_init(&keyed);
        keyed.on_frame = reject_all;
        keyed_start(&keyed);
        channel = keyed_channel(&keyed, &impatient);
        assert_int_not_equal(blocking_echo(channel, &call, "x"), PIPIT_OK);
        n_accepts = atomic_load(&keyed.n_accepts);
        /* Pauses of 10, 20, 40, ... 640 ms and more. */
        assert_in_range(n_accepts, 2, 9);
        assert_int_equal(atomic_load(&keyed.n_runs), 0);
        pipit_call_deinit(&call);
        pipit_channel_free(channel);
        keyed_deinit(&keyed);
}

/* --- answers ------------------------------------------------------------------------------- */

static bool flip(struct keyed *keyed, struct raw_frame *frame)
{
        struct plan *plan = plan_of(keyed);

        if (!is_it(keyed, frame))
                return true;
        if (plan->at < frame->n_bytes)
                frame->bytes[plan->at] ^= plan->bits;
        plan->n_done = plan->at + 1 < frame->n_bytes;

        return true;
}

/* Byte by byte, a bit in each. */
static void flips_of(enum pipit_frame_kind kind, int nth)
{
        bool goes_on = true;

        for (size_t at = 0; goes_on; at++) {
                struct plan plan = {
                        .kind = kind,
                        .nth = nth,
                        .at = at,
                        .bits = (uint8_t)(1 << at % 8),
                };
                struct keyed keyed;

                keyed_init(&keyed);
                keyed.on_answer = flip;
                call_once(&keyed, &plan);
                assert_true(atomic_load(&keyed.n_accepts) == 2);
                goes_on = plan.n_done;
        }
}

static void a_welcome_with_a_flipped_bit_is_none(void **state)
{
        (void)state;
        flips_of(PIPIT_FRAME_WELCOME, 0);
}

static void an_answer_with_a_flipped_bit_is_none(void **state)
{
        (void)state;
        flips_of(PIPIT_FRAME_SEALED_RESPONSE, 1);
}

static bool cut(struct keyed *keyed, struct raw_frame *frame)
{
        struct plan *plan = plan_of(keyed);

        if (!is_it(keyed, frame))
                return true;
        plan->n_done = plan->at + 1 < frame->n_bytes;
        frame->n_bytes = plan->at;

        return true;
}

/* To every length; the transport below wants no byte of a frame. */
static void cuts_of(enum pipit_frame_kind kind, int nth)
{
        bool goes_on = true;

        for (size_t at = 0; goes_on; at++) {
                struct plan plan = {.kind = kind, .nth = nth, .at = at};
                struct keyed keyed;

                keyed_init(&keyed);
                keyed.on_answer = cut;
                call_once(&keyed, &plan);
                assert_true(atomic_load(&keyed.n_accepts) == 2);
                goes_on = plan.n_done;
        }
}

static void a_welcome_that_is_cut_is_none(void **state)
{
        (void)state;
        cuts_of(PIPIT_FRAME_WELCOME, 0);
}

static void an_answer_that_is_cut_is_none(void **state)
{
        (void)state;
        cuts_of(PIPIT_FRAME_SEALED_RESPONSE, 1);
}

static bool lengthen(struct keyed *keyed, struct raw_frame *frame)
{
        if (is_it(keyed, frame))
                frame->n_bytes++;

        return true;
}

static void an_answer_that_is_longer_is_none(void **state)
{
        struct plan plan = {.kind = PIPIT_FRAME_SEALED_RESPONSE, .nth = 1};
        struct keyed keyed;

        (void)state;
        keyed_init(&keyed);
        keyed.on_answer = lengthen;
        call_once(&keyed, &plan);
        assert_int_equal(atomic_load(&keyed.n_accepts), 2);
}

static void keep(struct plan *plan, const struct raw_frame *frame)
{
        plan->kept = *frame;
        plan->kept.bytes = malloc(frame->n_bytes);
        assert_non_null(plan->kept.bytes);
        memcpy(plan->kept.bytes, frame->bytes, frame->n_bytes);
}

/* The first answer comes once more, as that to the call. */
static bool replay(struct keyed *keyed, struct raw_frame *frame)
{
        struct plan *plan = plan_of(keyed);

        if (keyed_kind(frame) != PIPIT_FRAME_SEALED_RESPONSE || plan->n_done == 2)
                return true;
        if (plan->n_done++ == 0) {
                keep(plan, frame);
                return true;
        }

        return keyed_reply_bytes(keyed, frame, plan->kept.bytes, plan->kept.n_bytes);
}

static void an_answer_that_comes_again_is_none(void **state)
{
        struct plan plan = {0};
        struct keyed keyed;

        (void)state;
        keyed_init(&keyed);
        keyed.on_answer = replay;
        call_once(&keyed, &plan);
        assert_int_equal(atomic_load(&keyed.n_accepts), 2);
        free(plan.kept.bytes);
}

/* What the client said comes back to it, once as it is, once as an answer. */
static bool reflect(struct keyed *keyed, struct raw_frame *frame)
{
        struct plan *plan = plan_of(keyed);

        if (!is_it(keyed, frame))
                return true;
        keep(plan, frame);
        plan->kept.bytes[3] = (uint8_t)plan->code;
        keyed_take_silently(keyed, frame);

        return keyed_reply_bytes(keyed, frame, plan->kept.bytes, plan->kept.n_bytes);
}

static void a_request_that_comes_back_is_no_answer(void **state)
{
        const unsigned int kinds[] = {
                PIPIT_FRAME_SEALED_REQUEST,
                PIPIT_FRAME_SEALED_RESPONSE,
                PIPIT_FRAME_RESPONSE,
        };

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(kinds); i++) {
                struct plan plan = {
                        .kind = PIPIT_FRAME_SEALED_REQUEST,
                        .nth = 1,
                        .code = kinds[i],
                };
                struct keyed keyed;

                keyed_init(&keyed);
                keyed.on_frame = reflect;
                call_once(&keyed, &plan);
                assert_int_equal(atomic_load(&keyed.n_accepts), 2);
                free(plan.kept.bytes);
        }
}

/* A response that anybody can make, since it is not sealed, claims success for all ids. */
static bool answer_plainly(struct keyed *keyed, struct raw_frame *frame)
{
        static const uint8_t plain[] = {
                'P', 'I', 1, PIPIT_FRAME_RESPONSE, 0x0a, 2, 0x08, 1, 0x0a, 2, 0x08, 2};

        if (!is_it(keyed, frame))
                return true;

        return keyed_reply_bytes(keyed, frame, plain, sizeof(plain));
}

static void an_answer_that_is_not_sealed_is_none(void **state)
{
        struct plan plan = {.kind = PIPIT_FRAME_SEALED_REQUEST, .nth = 1};
        struct keyed keyed;

        (void)state;
        keyed_init(&keyed);
        keyed.on_frame = answer_plainly;
        call_once(&keyed, &plan);
        assert_int_equal(atomic_load(&keyed.n_accepts), 2);
}

/* The server itself seals what it should not: for another request. */
static bool misplace(struct keyed *keyed, struct raw_frame *frame)
{
        struct plan *plan = plan_of(keyed);
        const size_t n_body = frame->n_bytes - PIPIT_SEALED_OVERHEAD_BYTES;

        if (!is_it(keyed, frame))
                return true;
        memset(frame->bytes + PIPIT_SEALED_HEAD_BYTES, 0, n_body);
        plan->n_done = 1;

        return pipit_session_seal_response(keyed->sessions[0],
                                           keyed->clock->now_us(keyed->clock->context),
                                           plan->code,
                                           frame->bytes,
                                           n_body) == PIPIT_SESSION_OK;
}

static void an_answer_sealed_for_another_request_is_none(void **state)
{
        const unsigned int counters[] = {0, 2, 1000};

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(counters); i++) {
                struct plan plan = {
                        .kind = PIPIT_FRAME_SEALED_RESPONSE,
                        .nth = 1,
                        .code = counters[i],
                };
                struct keyed keyed;

                keyed_init(&keyed);
                keyed.on_answer = misplace;
                call_once(&keyed, &plan);
                assert_int_equal(atomic_load(&keyed.n_accepts), 2);
                assert_int_equal(plan.n_done, 1);
        }
}

/* Two calls are out; each gets the other's answer. */
static bool swap(struct keyed *keyed, struct raw_frame *frame)
{
        struct plan *plan = plan_of(keyed);
        uint32_t id = frame->id;

        if (keyed_kind(frame) != PIPIT_FRAME_SEALED_RESPONSE || !has_calls(keyed) ||
            plan->n_done == 2)
                return true;
        if (plan->n_done++ == 0) {
                keep(plan, frame);
                return false;
        }
        frame->id = plan->kept.id;
        plan->kept.id = id;
        (void)raw_write_frame(&keyed->raw, frame);
        (void)raw_write_frame(&keyed->raw, &plan->kept);

        return false;
}

static void answers_that_are_swapped_reach_no_call(void **state)
{
        struct plan plan = {0};
        struct waited_call calls[2];
        struct pipit_channel *channel;
        struct keyed keyed;
        static const char *const texts[] = {"one", "other"};

        (void)state;
        keyed_init(&keyed);
        keyed.on_answer = swap;
        keyed.context = &plan;
        keyed_start(&keyed);
        channel = keyed_channel(&keyed, &impatient);
        for (size_t i = 0; i < 2; i++) {
                waited_init(&calls[i]);
                calls[i].call.wait_for_ready = true;
                waited_start(&calls[i], channel, texts[i]);
        }
        for (size_t i = 0; i < 2; i++) {
                assert_true(waited_wait(&calls[i]));
                assert_true(waited_is(&calls[i], texts[i]));
                waited_deinit(&calls[i]);
        }
        assert_false(atomic_load(&keyed.ran_twice));
        pipit_channel_free(channel);
        keyed_deinit(&keyed);
        free(plan.kept.bytes);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_reject_forged_for_a_hello_costs_one_attempt),
                cmocka_unit_test(a_reject_forged_for_the_first_frame_costs_the_connection),
                cmocka_unit_test(a_reject_forged_for_a_call_that_never_came_has_it_sent_again),
                cmocka_unit_test(a_reject_forged_for_a_call_that_ran_has_its_answer_fetched),
                cmocka_unit_test(rejects_forged_for_awaits_are_outlived),
                cmocka_unit_test(who_is_busy_is_left_alone_for_as_long_as_he_says),
                cmocka_unit_test(rejects_without_end_make_no_hot_loop),
                cmocka_unit_test(a_welcome_with_a_flipped_bit_is_none),
                cmocka_unit_test(an_answer_with_a_flipped_bit_is_none),
                cmocka_unit_test(a_welcome_that_is_cut_is_none),
                cmocka_unit_test(an_answer_that_is_cut_is_none),
                cmocka_unit_test(an_answer_that_is_longer_is_none),
                cmocka_unit_test(an_answer_that_comes_again_is_none),
                cmocka_unit_test(a_request_that_comes_back_is_no_answer),
                cmocka_unit_test(an_answer_that_is_not_sealed_is_none),
                cmocka_unit_test(an_answer_sealed_for_another_request_is_none),
                cmocka_unit_test(answers_that_are_swapped_reach_no_call),
        };

        if (argc > 1)
                cmocka_set_test_filter(argv[1]);

        return cmocka_run_group_tests(tests, NULL, NULL);
}
