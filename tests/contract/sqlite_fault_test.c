#include "tests/contract/harness.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "server/store/sqlite/sqlite.h"
#include "tests/contract/faulty_vfs.h"
#include "tests/contract/sqlite_place.h"

/* What is said when SQLite is slow, locked, full or broken. */

struct bench {
        struct sqlite_place place;
        struct users_repository *repository;
        struct pipit_clock clock;
        atomic_llong skew_us; /* of the monotonic clock */
        sqlite3 *other;       /* another process, so to speak */
};

static atomic_int n_begun, n_ended, n_open, n_outside;

static void burst_begin(void)
{
        atomic_fetch_add(&n_begun, 1);
        atomic_fetch_add(&n_open, 1);
}

static void burst_end(void)
{
        atomic_fetch_sub(&n_open, 1);
        atomic_fetch_add(&n_ended, 1);
}

static int64_t now_us(void *context)
{
        struct bench *bench = context;

        return pipit_clock_now_us() + atomic_load(&bench->skew_us);
}

static int64_t wall_us(void *context)
{
        (void)context;
        return pipit_clock_wall_us();
}

static void open_store(struct bench *bench, uint32_t queue_max, uint32_t batch_max)
{
        struct users_sqlite_options options = {
                .path = bench->place.path,
                .clock = &bench->clock,
                .burst = {burst_begin, burst_end},
                .queue_max = queue_max,
                .batch_max = batch_max,
        };
        struct pipit_error error;

        users_repository_free(bench->repository);
        bench->repository = users_sqlite_new(&options, &error);
        assert_non_null(bench->repository);
}

static int set_up(void **state)
{
        struct bench *bench = calloc(1, sizeof(*bench));

        if (!bench || !sqlite_place_init(&bench->place))
                return -1;
        faulty_vfs_reset();
        bench->clock = (struct pipit_clock){now_us, wall_us, bench};
        *state = bench;
        open_store(bench, 0, 0);
        return sqlite3_open(bench->place.path, &bench->other) == SQLITE_OK ? 0 : -1;
}

static int tear_down(void **state)
{
        struct bench *bench = *state;

        faulty_vfs_reset();
        (void)sqlite3_close(bench->other);
        users_repository_free(bench->repository);
        sqlite_place_deinit(&bench->place);
        free(bench);
        return 0;
}

static void lock(struct bench *bench)
{
        assert_int_equal(sqlite3_exec(bench->other, "begin immediate", NULL, NULL, NULL),
                         SQLITE_OK);
}

static void unlock(struct bench *bench)
{
        assert_int_equal(sqlite3_exec(bench->other, "commit", NULL, NULL, NULL), SQLITE_OK);
}

static struct pipit_error insert(struct bench *bench, const struct user *user)
{
        struct call call = {.in = *user};

        call_init(&call, NULL);
        call_wait(bench->repository, call_insert, &call);
        return call.request.error;
}

static enum pipit_status find(struct bench *bench, const struct user *user)
{
        struct call call = {.in = *user};

        call_init(&call, NULL);
        call_wait(bench->repository, call_find_by_id, &call);
        return call.request.error.status;
}

static void calls_init(struct call *calls, size_t n, struct waiter *waiter)
{
        memset(calls, 0, n * sizeof(*calls));
        waiter_init(waiter);
        for (unsigned i = 0; i < n; i++) {
                calls[i].in = sample_user_number(i);
                call_init(&calls[i], waiter);
        }
}

/* --- waiting ------------------------------------------------------------------ */

static void reads_go_on_while_a_write_waits(void **state)
{
        struct bench *bench = *state;
        struct user user = sample_user("ada@example.com");
        struct waiter waiter;
        struct call call;

        assert_ok(insert(bench, &user));
        lock(bench);
        calls_init(&call, 1, &waiter);
        call_insert(bench->repository, &call);
        assert_int_equal(find(bench, &user), PIPIT_OK);
        assert_int_equal(atomic_load(&call.n_done), 0);
        unlock(bench);
        waiter_wait(&waiter, 1);
        waiter_deinit(&waiter);
        assert_ok(call.request.error);
}

static void a_write_behind_a_lock_ends_by_its_deadline_and_has_not_run(void **state)
{
        enum { N = 20 };
        struct bench *bench = *state;
        struct call calls[N];
        struct waiter waiter;

        open_store(bench, 0, 4);
        lock(bench);
        calls_init(calls, N, &waiter);
        for (size_t i = 0; i < N; i++) {
                calls[i].request.deadline_us =
                        pipit_clock_now_us() + 20000 + (int64_t)(N - i) * 100;
                call_insert(bench->repository, &calls[i]);
        }
        waiter_wait(&waiter, N);
        unlock(bench);
        waiter_deinit(&waiter);

        for (size_t i = 0; i < N; i++) {
                assert_error(
                        calls[i].request.error, PIPIT_DEADLINE_EXCEEDED, "DEADLINE", PIPIT_NOT_RUN);
                assert_int_equal(find(bench, &calls[i].in), PIPIT_NOT_FOUND);
        }
        assert_ok(insert(bench, &calls[0].in));
}

static void a_write_in_a_slow_commit_ends_by_its_deadline_and_may_have_run(void **state)
{
        struct bench *bench = *state;
        struct call calls[2];
        struct waiter waiter;
        struct user last = sample_user("last@example.com");

        calls_init(calls, 2, &waiter);
        faulty_vfs_close_gate();
        calls[0].request.deadline_us = pipit_clock_now_us() + 2 * PIPIT_US_PER_S;
        call_insert(bench->repository, &calls[0]);
        faulty_vfs_wait_at_gate();
        calls[1].request.deadline_us = pipit_clock_now_us() + 10000;
        call_insert(bench->repository, &calls[1]);
        waiter_wait(&waiter, 2);
        waiter_deinit(&waiter);

        assert_error(
                calls[0].request.error, PIPIT_DEADLINE_EXCEEDED, "DEADLINE", PIPIT_MAY_HAVE_RUN);
        assert_error(calls[1].request.error, PIPIT_DEADLINE_EXCEEDED, "DEADLINE", PIPIT_NOT_RUN);
        faulty_vfs_open_gate();
        assert_ok(insert(bench, &last));
        assert_int_equal(find(bench, &calls[0].in), PIPIT_OK);
        assert_int_equal(find(bench, &calls[1].in), PIPIT_NOT_FOUND);
}

static void a_write_without_a_deadline_gives_a_locked_file_up_as_unavailable(void **state)
{
        struct bench *bench = *state;
        struct waiter waiter;
        struct call call;

        lock(bench);
        calls_init(&call, 1, &waiter);
        call_insert(bench->repository, &call);
        while (atomic_load(&call.n_done) == 0) {
                atomic_fetch_add(&bench->skew_us, PIPIT_US_PER_S);
                sched_yield();
        }
        waiter_wait(&waiter, 1);
        unlock(bench);
        waiter_deinit(&waiter);
        assert_error(call.request.error, PIPIT_UNAVAILABLE, "STORE_UNAVAILABLE", PIPIT_NOT_RUN);
        assert_int_equal(find(bench, &call.in), PIPIT_NOT_FOUND);
}

static void a_write_that_was_cancelled_in_the_queue_has_not_run(void **state)
{
        struct bench *bench = *state;
        struct call calls[2];
        struct waiter waiter;
        atomic_bool cancelled = false;

        open_store(bench, 0, 1);
        calls_init(calls, 2, &waiter);
        faulty_vfs_close_gate();
        call_insert(bench->repository, &calls[0]);
        faulty_vfs_wait_at_gate();
        calls[1].request.cancelled = &cancelled;
        call_insert(bench->repository, &calls[1]);
        atomic_store(&cancelled, true);
        faulty_vfs_open_gate();
        waiter_wait(&waiter, 2);
        waiter_deinit(&waiter);

        assert_ok(calls[0].request.error);
        assert_error(calls[1].request.error, PIPIT_CANCELLED, "CANCELLED", PIPIT_NOT_RUN);
        assert_int_equal(find(bench, &calls[1].in), PIPIT_NOT_FOUND);
}

static void a_full_queue_is_store_busy_and_reads_have_their_own(void **state)
{
        enum { N = 6 };
        struct bench *bench = *state;
        struct call calls[N];
        struct waiter waiter;

        open_store(bench, 4, 1);
        calls_init(calls, N, &waiter);
        faulty_vfs_close_gate();
        call_insert(bench->repository, &calls[0]);
        faulty_vfs_wait_at_gate();
        for (size_t i = 1; i < N; i++)
                call_insert(bench->repository, &calls[i]);
        assert_int_equal(atomic_load(&calls[N - 1].n_done), 1);
        assert_error(
                calls[N - 1].request.error, PIPIT_RESOURCE_EXHAUSTED, "STORE_BUSY", PIPIT_NOT_RUN);
        assert_int_equal(find(bench, &calls[N - 1].in), PIPIT_NOT_FOUND);
        faulty_vfs_open_gate();
        waiter_wait(&waiter, N);
        waiter_deinit(&waiter);
        for (size_t i = 0; i < N - 1; i++)
                assert_ok(calls[i].request.error);
        assert_int_equal(find(bench, &calls[N - 1].in), PIPIT_NOT_FOUND);
}

/* --- committing --------------------------------------------------------------- */

static void a_write_is_synced_before_it_is_done(void **state)
{
        struct bench *bench = *state;

        for (unsigned i = 0; i < 5; i++) {
                struct user user = sample_user_number(i);
                int before = atomic_load(&faulty_vfs.n_syncs);

                assert_ok(insert(bench, &user));
                assert_true(atomic_load(&faulty_vfs.n_syncs) > before);
        }
}

static void what_waits_is_committed_together(void **state)
{
        enum { N = 101 };
        struct bench *bench = *state;
        struct call *calls = calloc(N, sizeof(*calls));
        struct waiter waiter;
        int before;

        assert_non_null(calls);
        calls_init(calls, N, &waiter);
        faulty_vfs_close_gate();
        call_insert(bench->repository, &calls[0]);
        faulty_vfs_wait_at_gate();
        for (size_t i = 1; i < N; i++)
                call_insert(bench->repository, &calls[i]);
        before = atomic_load(&faulty_vfs.n_syncs);
        faulty_vfs_open_gate();
        waiter_wait(&waiter, N);
        waiter_deinit(&waiter);

        for (size_t i = 0; i < N; i++)
                assert_ok(calls[i].request.error);
        assert_in_range(atomic_load(&faulty_vfs.n_syncs) - before, 1, 3);
        free(calls);
}

static void burst_done(struct users_request *request);

struct burst_call {
        struct call call;
        users_request_done_fn count;
};

static void burst_done(struct users_request *request)
{
        struct burst_call *burst = pipit_container_of(request, struct burst_call, call.request);

        if (atomic_load(&n_open) == 0)
                atomic_fetch_add(&n_outside, 1);
        burst->count(request);
}

static void every_completion_is_inside_a_burst(void **state)
{
        enum { N = 200 };
        struct bench *bench = *state;
        struct burst_call *calls = calloc(N, sizeof(*calls));
        struct waiter waiter;

        assert_non_null(calls);
        waiter_init(&waiter);
        atomic_store(&n_outside, 0);
        for (unsigned i = 0; i < N; i++) {
                call_init(&calls[i].call, &waiter);
                calls[i].count = calls[i].call.request.done;
                calls[i].call.request.done = burst_done;
                calls[i].call.in = sample_user_number(i / 2);
                if (i % 2)
                        call_find_by_id(bench->repository, &calls[i].call);
                else
                        call_insert(bench->repository, &calls[i].call);
        }
        waiter_wait(&waiter, N);
        waiter_deinit(&waiter);
        users_repository_free(bench->repository);
        bench->repository = NULL;

        assert_int_equal(atomic_load(&n_outside), 0);
        assert_int_equal(atomic_load(&n_open), 0);
        assert_int_equal(atomic_load(&n_begun), atomic_load(&n_ended));
        free(calls);
}

/* --- failing ------------------------------------------------------------------ */

static void a_failed_sync_leaves_what_had_an_effect_in_doubt(void **state)
{
        struct bench *bench = *state;
        struct user user = sample_user("ada@example.com"), next = sample_user("bob@example.com");
        struct call missing = {.in = next};

        atomic_store(&faulty_vfs.sync_result, SQLITE_IOERR_FSYNC);
        assert_error(insert(bench, &user), PIPIT_INTERNAL, "STORE_FAILED", PIPIT_MAY_HAVE_RUN);
        call_init(&missing, NULL);
        call_wait(bench->repository, call_delete, &missing);
        assert_int_not_equal(missing.request.error.ran, PIPIT_MAY_HAVE_RUN);

        faulty_vfs_reset();
        assert_ok(insert(bench, &next));
        assert_int_equal(find(bench, &next), PIPIT_OK);
}

static void a_full_disk_is_store_full(void **state)
{
        struct bench *bench = *state;
        struct user user = sample_user("ada@example.com");
        struct pipit_error error;

        atomic_store(&faulty_vfs.write_result, SQLITE_FULL);
        error = insert(bench, &user);
        assert_int_equal(error.status, PIPIT_RESOURCE_EXHAUSTED);
        assert_string_equal(error.reason, "STORE_FULL");
        assert_int_not_equal(error.ran, PIPIT_RAN);

        faulty_vfs_reset();
        assert_ok(insert(bench, &user));
}

/*
 * Disks that fail at the n-th write, for every n: what was said to be there is,
 * what was said to have not run is not, and the store works on afterwards.
 */
static void what_is_said_of_a_failing_disk_is_true(void **state)
{
        enum { N = 30 };
        static const int results[] = {SQLITE_FULL, SQLITE_IOERR_WRITE};
        struct bench *bench = *state;
        struct call calls[N];
        struct waiter waiter;
        struct user last;

        for (int round = 0; round < 40; round++) {
                calls_init(calls, N, &waiter);
                atomic_store(&faulty_vfs.writes_left, round / 2);
                atomic_store(&faulty_vfs.write_result, results[round % 2]);
                for (unsigned i = 0; i < N; i++) {
                        calls[i].in = sample_user_number(1000 * (unsigned)(round + 1) + i);
                        calls[i].write = logged_write("self", (uint8_t)i, (uint8_t)round);
                        calls[i].write.request_id[0] = (uint8_t)round;
                        call_insert(bench->repository, &calls[i]);
                }
                waiter_wait(&waiter, N);
                waiter_deinit(&waiter);
                faulty_vfs_reset();

                last = sample_user_number(1000 * (unsigned)(round + 1) + N);
                assert_ok(insert(bench, &last));
                for (size_t i = 0; i < N; i++) {
                        struct pipit_error error = calls[i].request.error;

                        if (error.status == PIPIT_OK)
                                assert_int_equal(find(bench, &calls[i].in), PIPIT_OK);
                        else if (error.ran == PIPIT_NOT_RUN)
                                assert_int_equal(find(bench, &calls[i].in), PIPIT_NOT_FOUND);
                        else
                                assert_int_equal(error.ran, PIPIT_MAY_HAVE_RUN);
                }
        }
}

static void a_row_that_somebody_else_spoiled_is_store_failed(void **state)
{
        struct bench *bench = *state;
        struct user user = sample_user("ada@example.com"), other = sample_user("bob@example.com");
        struct call call = {.in = user};

        assert_ok(insert(bench, &user));
        assert_ok(insert(bench, &other));
        assert_int_equal(sqlite3_exec(bench->other,
                                      "update users set name = hex(zeroblob(500))"
                                      " where email_key = 'ada@example.com'",
                                      NULL,
                                      NULL,
                                      NULL),
                         SQLITE_OK);
        call_init(&call, NULL);
        call_wait(bench->repository, call_find_by_id, &call);
        assert_error(call.request.error, PIPIT_INTERNAL, "STORE_FAILED", PIPIT_NOT_RUN);
        assert_int_equal(find(bench, &other), PIPIT_OK);
}

/* Such a row fails the whole transaction: the others are then written one by one. */
static void a_write_that_fails_the_batch_does_not_spoil_the_others(void **state)
{
        enum { N = 20 };
        struct bench *bench = *state;
        struct user user = sample_user("ada@example.com");
        struct call calls[N];
        struct waiter waiter;

        assert_ok(insert(bench, &user));
        assert_int_equal(sqlite3_exec(bench->other,
                                      "update users set name = hex(zeroblob(500))",
                                      NULL,
                                      NULL,
                                      NULL),
                         SQLITE_OK);
        calls_init(calls, N, &waiter);
        faulty_vfs_close_gate();
        call_insert(bench->repository, &calls[0]);
        faulty_vfs_wait_at_gate();
        calls[N / 2].in.id = user.id;
        for (size_t i = 1; i < N; i++)
                (i == N / 2 ? call_update : call_insert)(bench->repository, &calls[i]);
        faulty_vfs_open_gate();
        waiter_wait(&waiter, N);
        waiter_deinit(&waiter);

        for (size_t i = 0; i < N; i++) {
                if (i != N / 2)
                        assert_ok(calls[i].request.error);
        }
        assert_error(calls[N / 2].request.error, PIPIT_INTERNAL, "STORE_FAILED", PIPIT_NOT_RUN);
        assert_int_equal(find(bench, &calls[N - 1].in), PIPIT_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        static const struct CMUnitTest tests[] = {
                TEST(reads_go_on_while_a_write_waits),
                TEST(a_write_behind_a_lock_ends_by_its_deadline_and_has_not_run),
                TEST(a_write_in_a_slow_commit_ends_by_its_deadline_and_may_have_run),
                TEST(a_write_without_a_deadline_gives_a_locked_file_up_as_unavailable),
                TEST(a_write_that_was_cancelled_in_the_queue_has_not_run),
                TEST(a_full_queue_is_store_busy_and_reads_have_their_own),
                TEST(a_write_is_synced_before_it_is_done),
                TEST(what_waits_is_committed_together),
                TEST(every_completion_is_inside_a_burst),
                TEST(a_failed_sync_leaves_what_had_an_effect_in_doubt),
                TEST(a_full_disk_is_store_full),
                TEST(what_is_said_of_a_failing_disk_is_true),
                TEST(a_row_that_somebody_else_spoiled_is_store_failed),
                TEST(a_write_that_fails_the_batch_does_not_spoil_the_others),
        };

        faulty_vfs_install();
        return cmocka_run_group_tests_name("sqlite faults", tests, NULL, NULL);
}
