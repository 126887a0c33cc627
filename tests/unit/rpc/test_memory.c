/* What core/rpc does when memory runs out, and how much of it it takes. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/rpc/mailbox.h"
#include "core/rpc/message.h"
#include "core/rpc/status_codec.h"
#include "tests/unit/base/alloc_fault.h"
#include "tests/unit/rpc/random_message.h"
#include "tests/unit/rpc/samples.pb-c.h"

static const struct pipit_violation violation = {"field", "description"};
static const struct pipit_error error_full = {
        .status = PIPIT_ABORTED,
        .ran = PIPIT_NOT_RUN,
        .retry_after_ms = 5,
        .reason = "REASON",
        .message = "message",
        .violations = &violation,
        .n_violations = 1,
};

static void encoding_a_status_gives_all_of_it_or_null(void **state)
{
        size_t cap = 0;
        Google__Rpc__Status *status = NULL;

        (void)state;
        /* Each step of the cap stops it one allocation later. */
        for (; !status; cap += PIPIT_ARENA_ALIGN) {
                struct pipit_arena arena = {.cap_bytes = cap + 1};

                status = pipit_status_encode(&error_full, &arena);
                if (status)
                        assert_int_equal(status->n_details, 3);
                pipit_arena_deinit(&arena);
                assert_true(cap < 10000);
        }
        assert_true(cap > 20 * PIPIT_ARENA_ALIGN);
}

static void decoding_a_status_gives_all_of_it_or_the_code(void **state)
{
        struct pipit_arena source = {0};
        Google__Rpc__Status *status = pipit_status_encode(&error_full, &source);
        bool whole = false;
        size_t cap = 0;

        (void)state;
        for (; !whole; cap += PIPIT_ARENA_ALIGN) {
                struct pipit_arena arena = {.cap_bytes = cap + 1};
                struct pipit_error error;

                pipit_status_decode(status, &arena, &error);
                assert_int_equal(error.status, PIPIT_ABORTED);
                whole = error.message != NULL;
                if (!whole) {
                        assert_int_equal(error.ran, PIPIT_MAY_HAVE_RUN);
                        assert_null(error.reason);
                        assert_int_equal(error.n_violations, 0);
                } else {
                        assert_int_equal(error.ran, PIPIT_NOT_RUN);
                        assert_string_equal(error.reason, "REASON");
                        assert_int_equal(error.n_violations, 1);
                        assert_int_equal(error.retry_after_ms, 5);
                }
                pipit_arena_deinit(&arena);
                assert_true(cap < 10000);
        }
        assert_true(cap > 5 * PIPIT_ARENA_ALIGN);
        pipit_arena_deinit(&source);
}

static void unpacking_gives_all_of_a_message_or_null(void **state)
{
        struct random_source source = {.state = 61};
        struct pipit_arena arena = {0};
        ProtobufCMessage *message = random_message(&source, &arena, &samples__lists__descriptor, 2);
        size_t n_bytes = protobuf_c_message_get_packed_size(message);
        uint8_t *bytes = pipit_arena_alloc(&arena, n_bytes);
        ProtobufCMessage *unpacked = NULL;
        size_t n_refused = 0;

        (void)state;
        protobuf_c_message_pack(message, bytes);
        for (size_t cap = 1; !unpacked; cap += PIPIT_ARENA_ALIGN) {
                struct pipit_arena small = {.cap_bytes = cap};

                unpacked = pipit_message_unpack(message->descriptor, &small, bytes, n_bytes);
                if (unpacked)
                        assert_int_equal(protobuf_c_message_get_packed_size(unpacked), n_bytes);
                else
                        n_refused++;
                pipit_arena_deinit(&small);
        }
        assert_true(n_refused > 10);
        pipit_arena_deinit(&arena);
}

/* A little of everything: calls enough to grow the table, ends, tombstones. */
static void use_mailbox(struct pipit_mailbox *mailbox)
{
        for (uint64_t id = 1; id <= 100; id++) {
                bool known =
                        pipit_mailbox_apply(mailbox, id, PIPIT_CALL_EVENT_ARRIVE, mailbox, NULL) ==
                        PIPIT_CALL_ACTION_RUN;

                assert_int_equal(pipit_mailbox_state(mailbox, id),
                                 known ? PIPIT_CALL_QUEUED : PIPIT_CALL_ABSENT);
        }
        for (uint64_t id = 1; id <= 100; id++) {
                (void)pipit_mailbox_apply(mailbox, id, PIPIT_CALL_EVENT_CANCEL, NULL, NULL);
                assert_true(pipit_mailbox_apply(mailbox, id, PIPIT_CALL_EVENT_AWAIT, NULL, NULL) !=
                                    PIPIT_CALL_ACTION_NOT_RECEIVED ||
                            pipit_mailbox_state(mailbox, id) == PIPIT_CALL_TOMBSTONE);
        }
        assert_int_equal(pipit_mailbox_n_calls(mailbox), 0);
        for (uint64_t id = 1000; id <= 1100; id++) {
                enum pipit_call_action action =
                        pipit_mailbox_apply(mailbox, id, PIPIT_CALL_EVENT_AWAIT, NULL, NULL);

                /* Nobody is told "never" where a late copy would run. */
                if (action == PIPIT_CALL_ACTION_NOT_RECEIVED)
                        assert_int_equal(pipit_mailbox_state(mailbox, id), PIPIT_CALL_TOMBSTONE);
                else
                        assert_int_equal(action, PIPIT_CALL_ACTION_FORGOTTEN);
        }
}

static void a_mailbox_survives_memory_running_out(void **state)
{
        size_t n = 1;

        (void)state;
        for (;; n++) {
                struct pipit_mailbox *mailbox;
                bool met;

                alloc_fault_after(n);
                mailbox = pipit_mailbox_new();
                if (mailbox)
                        use_mailbox(mailbox);
                met = alloc_fault_met();
                alloc_fault_after(0);
                pipit_mailbox_free(mailbox);
                assert_int_equal(alloc_live_bytes(), 0);
                if (!met)
                        break;
                assert_true(n < 1000);
        }
        assert_true(n > 5);
}

static void an_end_that_could_not_be_remembered_may_have_run(void **state)
{
        struct pipit_mailbox *mailbox = pipit_mailbox_new();
        static const enum pipit_call_event events[] = {PIPIT_CALL_EVENT_ARRIVE,
                                                       PIPIT_CALL_EVENT_START,
                                                       PIPIT_CALL_EVENT_FINISH,
                                                       PIPIT_CALL_EVENT_SEND};

        (void)state;
        alloc_fault_after(1);
        for (size_t i = 0; i < 4; i++)
                (void)pipit_mailbox_apply(mailbox, 7, events[i], NULL, NULL);
        assert_true(alloc_fault_met());
        alloc_fault_after(0);
        assert_int_equal(pipit_mailbox_apply(mailbox, 7, PIPIT_CALL_EVENT_AWAIT, NULL, NULL),
                         PIPIT_CALL_ACTION_FORGOTTEN);
        pipit_mailbox_free(mailbox);
}

static void a_mailbox_takes_little_memory_and_gives_back_what_calls_took(void **state)
{
        struct pipit_mailbox *mailbox = pipit_mailbox_new();
        size_t n_empty = alloc_live_bytes();
        size_t n_full;
        size_t n_idle;

        (void)state;
        assert_true(n_empty < 1024);
        for (uint64_t id = 1; id <= 10000; id++)
                (void)pipit_mailbox_apply(mailbox, id, PIPIT_CALL_EVENT_ARRIVE, NULL, NULL);
        n_full = alloc_live_bytes();
        assert_true(n_full < 10000 * 80);

        for (uint64_t id = 1; id <= 10000; id++)
                (void)pipit_mailbox_apply(mailbox, id, PIPIT_CALL_EVENT_CANCEL, NULL, NULL);
        n_idle = alloc_live_bytes();
        assert_true(n_idle < n_empty + 65536 / 8 + 64);

        for (uint64_t id = 1; id <= 300000; id++) {
                (void)pipit_mailbox_apply(mailbox, 3 * id, PIPIT_CALL_EVENT_ARRIVE, NULL, NULL);
                (void)pipit_mailbox_apply(mailbox, 3 * id, PIPIT_CALL_EVENT_CANCEL, NULL, NULL);
                (void)pipit_mailbox_apply(
                        mailbox, (uint64_t)1 << 40 | id * 977, PIPIT_CALL_EVENT_AWAIT, NULL, NULL);
        }
        assert_true(alloc_live_bytes() < 128 * 1024);
        pipit_mailbox_free(mailbox);
        assert_int_equal(alloc_live_bytes(), 0);
}

static void calls_that_were_reserved_arrive_without_memory(void **state)
{
        struct pipit_mailbox *mailbox = pipit_mailbox_new();

        (void)state;
        /* So many that the table is large, and what is removed would shrink it. */
        for (uint64_t id = 1; id <= 1000; id++)
                assert_int_equal(
                        pipit_mailbox_apply(mailbox, id, PIPIT_CALL_EVENT_ARRIVE, NULL, NULL),
                        PIPIT_CALL_ACTION_RUN);
        assert_true(pipit_mailbox_reserve(mailbox, 3000));
        for (uint64_t id = 1; id <= 1000; id++)
                (void)pipit_mailbox_apply(mailbox, id, PIPIT_CALL_EVENT_CANCEL, NULL, NULL);

        alloc_fault_after(1);
        for (uint64_t id = 1001; id <= 4000; id++)
                assert_int_equal(
                        pipit_mailbox_apply(mailbox, id, PIPIT_CALL_EVENT_ARRIVE, NULL, NULL),
                        PIPIT_CALL_ACTION_RUN);
        assert_false(pipit_mailbox_reserve(mailbox, 100000));
        alloc_fault_after(0);
        assert_int_equal(pipit_mailbox_n_calls(mailbox), 3000);
        pipit_mailbox_free(mailbox);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(encoding_a_status_gives_all_of_it_or_null),
                cmocka_unit_test(decoding_a_status_gives_all_of_it_or_the_code),
                cmocka_unit_test(unpacking_gives_all_of_a_message_or_null),
                cmocka_unit_test(a_mailbox_survives_memory_running_out),
                cmocka_unit_test(an_end_that_could_not_be_remembered_may_have_run),
                cmocka_unit_test(calls_that_were_reserved_arrive_without_memory),
                cmocka_unit_test(a_mailbox_takes_little_memory_and_gives_back_what_calls_took),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
