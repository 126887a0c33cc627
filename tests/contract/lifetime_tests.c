#include "tests/contract/harness.h"

#include <stdlib.h>
#include <string.h>

#include "core/users/errors.h"

/* Rule 5, for a request that never came out of the queue. */

static const call_fn every_call[] = {
        call_insert, call_find_by_id, call_find_by_email, call_update, call_delete};

static void a_deadline_in_the_past_is_deadline_exceeded_and_not_run(void **state)
{
        struct fixture *fixture = *state;
        struct user user = sample_user("ada@example.com"), found;

        assert_ok(do_insert(fixture, &user, NULL));
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(every_call); i++) {
                struct call call = {.in = user};

                if (every_call[i] == call_insert)
                        call.in = sample_user("bob@example.com");
                call_init(&call, NULL);
                call.request.deadline_us = pipit_clock_now_us() - 1;
                call_wait(fixture->repository, every_call[i], &call);
                assert_error(
                        call.request.error, PIPIT_DEADLINE_EXCEEDED, "DEADLINE", PIPIT_NOT_RUN);
        }
        assert_ok(do_find_by_id(fixture, &user.id, &found));
        assert_users_equal(&found, &user);
        assert_int_equal(count_users(fixture), 1);
}

static void a_cancelled_request_is_cancelled_and_not_run(void **state)
{
        struct fixture *fixture = *state;
        struct user user = sample_user("ada@example.com"), found;
        atomic_bool cancelled;

        atomic_init(&cancelled, true);
        assert_ok(do_insert(fixture, &user, NULL));
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(every_call); i++) {
                struct call call = {.in = user};

                if (every_call[i] == call_insert)
                        call.in = sample_user("bob@example.com");
                call_init(&call, NULL);
                call.request.cancelled = &cancelled;
                call_wait(fixture->repository, every_call[i], &call);
                assert_error(call.request.error, PIPIT_CANCELLED, "CANCELLED", PIPIT_NOT_RUN);
        }
        assert_ok(do_find_by_id(fixture, &user.id, &found));
        assert_users_equal(&found, &user);
        assert_int_equal(count_users(fixture), 1);
}

static void a_list_obeys_deadline_and_cancel(void **state)
{
        struct fixture *fixture = *state;
        struct waiter waiter;
        struct call late = {0}, unwanted = {0};
        struct user users[1];
        atomic_bool cancelled;

        atomic_init(&cancelled, true);
        waiter_init(&waiter);
        call_init(&late, &waiter);
        late.request.deadline_us = 1;
        users_repository_list(fixture->repository, &late.request, NULL, 1, users);
        call_init(&unwanted, &waiter);
        unwanted.request.cancelled = &cancelled;
        users_repository_list(fixture->repository, &unwanted.request, NULL, 1, users);
        waiter_wait(&waiter, 2);
        waiter_deinit(&waiter);

        assert_error(late.request.error, PIPIT_DEADLINE_EXCEEDED, "DEADLINE", PIPIT_NOT_RUN);
        assert_error(unwanted.request.error, PIPIT_CANCELLED, "CANCELLED", PIPIT_NOT_RUN);
}

static void a_cancel_flag_that_is_down_and_a_far_deadline_change_nothing(void **state)
{
        struct fixture *fixture = *state;
        struct call call = {.in = sample_user("ada@example.com")};
        atomic_bool cancelled;

        atomic_init(&cancelled, false);
        call_init(&call, NULL);
        call.request.cancelled = &cancelled;
        call.request.deadline_us = pipit_clock_now_us() + 3600 * PIPIT_US_PER_S;
        call_wait(fixture->repository, call_insert, &call);
        assert_ok(call.request.error);
}

/* A write that was given up as NOT_RUN has no effect under its request_id either. */
static void a_write_that_did_not_run_leaves_its_request_id_free(void **state)
{
        struct fixture *fixture = *state;
        struct call late = {.in = sample_user("ada@example.com")};
        struct call other = {.in = sample_user("bob@example.com")};

        call_init(&late, NULL);
        late.write = logged_write("uid:1000", 1, 1);
        late.request.deadline_us = 1;
        call_wait(fixture->repository, call_insert, &late);
        assert_int_equal(late.request.error.ran, PIPIT_NOT_RUN);

        call_init(&other, NULL);
        other.write = logged_write("uid:1000", 1, 2);
        call_wait(fixture->repository, call_insert, &other);
        assert_ok(other.request.error);
}

/* Rule 3: inside done() the request may be reused, and its memory released. */
struct chain {
        struct call call;
        struct users_repository *repository;
        users_request_done_fn last;
        unsigned left;
};

static void chain_done(struct users_request *request)
{
        struct chain *chain = pipit_container_of(request, struct chain, call.request);

        if (request->error.status != PIPIT_OK || chain->left == 0) {
                chain->last(request);
                return;
        }
        chain->left--;
        chain->call.in = sample_user_number(chain->left);
        call_insert(chain->repository, &chain->call);
}

static void a_request_may_be_submitted_again_inside_done(void **state)
{
        struct fixture *fixture = *state;
        struct chain chain = {.repository = fixture->repository, .left = 100};
        struct waiter waiter;

        waiter_init(&waiter);
        call_init(&chain.call, &waiter);
        chain.last = chain.call.request.done;
        chain.call.request.done = chain_done;
        chain.call.in = sample_user_number(100);
        call_insert(fixture->repository, &chain.call);
        waiter_wait(&waiter, 1);
        waiter_deinit(&waiter);

        assert_ok(chain.call.request.error);
        assert_int_equal(count_users(fixture), 101);
}

struct heap_call {
        struct call call;
        users_request_done_fn count;
};

static void heap_call_done(struct users_request *request)
{
        struct heap_call *heap = pipit_container_of(request, struct heap_call, call.request);
        struct heap_call copy = *heap;

        memset(heap, 0x5a, sizeof(*heap));
        free(heap);
        copy.count(&copy.call.request);
}

static void a_request_may_be_freed_inside_done(void **state)
{
        enum { N = 200 };
        struct fixture *fixture = *state;
        struct waiter waiter;

        waiter_init(&waiter);
        for (unsigned i = 0; i < N; i++) {
                struct heap_call *heap = calloc(1, sizeof(*heap));

                assert_non_null(heap);
                call_init(&heap->call, &waiter);
                heap->count = heap->call.request.done;
                heap->call.request.done = heap_call_done;
                heap->call.in = sample_user_number(i);
                every_call[i % PIPIT_N_ELEMENTS(every_call)](fixture->repository, &heap->call);
        }
        waiter_wait(&waiter, N);
        waiter_deinit(&waiter);
}

/*
 * Deadlines so close that some pass on every stage of the way: what is said of
 * each must agree with what is found afterwards.
 */
static void what_is_said_at_a_close_deadline_is_true(void **state)
{
        enum { N = 2000 };
        struct fixture *fixture = *state;
        struct call *calls = calloc(N, sizeof(*calls));
        struct waiter waiter;

        assert_non_null(calls);
        waiter_init(&waiter);
        for (unsigned i = 0; i < N; i++) {
                calls[i].in = sample_user_number(i);
                call_init(&calls[i], &waiter);
                calls[i].request.deadline_us = pipit_clock_now_us() + 10 * (int64_t)i;
                call_insert(fixture->repository, &calls[i]);
        }
        waiter_wait(&waiter, N);
        waiter_deinit(&waiter);

        for (unsigned i = 0; i < N; i++) {
                struct pipit_error error = calls[i].request.error;
                struct pipit_error found = do_find_by_id(fixture, &calls[i].in.id, NULL);

                assert_int_equal(atomic_load(&calls[i].n_done), 1);
                if (error.status == PIPIT_OK) {
                        assert_ok(found);
                        continue;
                }
                assert_int_equal(error.status, PIPIT_DEADLINE_EXCEEDED);
                assert_int_not_equal(error.ran, PIPIT_RAN);
                if (error.ran == PIPIT_NOT_RUN)
                        assert_int_equal(found.status, PIPIT_NOT_FOUND);
        }
        free(calls);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deadline_in_the_past_is_deadline_exceeded_and_not_run),
        cmocka_unit_test(a_cancelled_request_is_cancelled_and_not_run),
        cmocka_unit_test(a_list_obeys_deadline_and_cancel),
        cmocka_unit_test(a_cancel_flag_that_is_down_and_a_far_deadline_change_nothing),
        cmocka_unit_test(a_write_that_did_not_run_leaves_its_request_id_free),
        cmocka_unit_test(a_request_may_be_submitted_again_inside_done),
        cmocka_unit_test(a_request_may_be_freed_inside_done),
        cmocka_unit_test(what_is_said_at_a_close_deadline_is_true),
};

const struct test_table lifetime_tests = {tests, PIPIT_N_ELEMENTS(tests)};
