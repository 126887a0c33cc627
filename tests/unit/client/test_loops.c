#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/loop.h"
#include "client/loops.h"

#define N_TAKEN 100

static struct loop *take(void)
{
        const char *problem;
        struct loop *loop = loops_take(LOOPS_OF_SOCKETS, &problem);

        assert_non_null(loop);

        return loop;
}

static size_t count(struct loop *const *loops, size_t n_loops, const struct loop *loop)
{
        size_t n = 0;

        for (size_t i = 0; i < n_loops; i++)
                n += loops[i] == loop;

        return n;
}

/* One a processor, and then the same for all alike. */
static void loops_are_shared_evenly_by_those_that_are_more_than_processors(void **state)
{
        size_t n_processors = (size_t)sysconf(_SC_NPROCESSORS_ONLN);
        struct loop *taken[N_TAKEN];

        (void)state;
        for (size_t i = 0; i < N_TAKEN; i++) {
                taken[i] = take();
                if (i < n_processors)
                        assert_int_equal(count(taken, i, taken[i]), 0);
        }
        for (size_t i = 0; i < N_TAKEN && n_processors < N_TAKEN; i++)
                assert_in_range(count(taken, N_TAKEN, taken[i]),
                                N_TAKEN / n_processors,
                                N_TAKEN / n_processors + 1);
        for (size_t i = 0; i < N_TAKEN; i++)
                loops_give_back(LOOPS_OF_SOCKETS, taken[i]);
}

static void kinds_are_apart(void **state)
{
        const char *problem;
        struct loop *sockets = take();
        struct loop *channels = loops_take(LOOPS_OF_CHANNELS, &problem);

        (void)state;
        assert_ptr_not_equal(sockets, channels);
        loops_give_back(LOOPS_OF_CHANNELS, channels);
        loop_pass(sockets);
        loops_give_back(LOOPS_OF_SOCKETS, sockets);
}

/* The parent's have no thread there. */
static int use_in_child(struct loop *const *parents)
{
        const char *problem;
        struct loop *loop = loops_take(LOOPS_OF_SOCKETS, &problem);

        if (!loop || count(parents, N_TAKEN, loop) > 0)
                return EXIT_FAILURE;
        loop_pass(loop);
        loops_give_back(LOOPS_OF_SOCKETS, loop);

        return EXIT_SUCCESS;
}

/* Of the parent's there are as many as there may be, so that one would be shared. */
static void a_child_of_fork_has_its_own(void **state)
{
        struct loop *taken[N_TAKEN];
        int status;
        pid_t pid;

        (void)state;
        for (size_t i = 0; i < N_TAKEN; i++)
                taken[i] = take();
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                (void)alarm(30);
#ifdef __SANITIZE_THREAD__
                /* TSan knows no threads after a fork(). */
                _exit(EXIT_SUCCESS);
#endif
                _exit(use_in_child(taken));
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        loop_pass(taken[0]);
        for (size_t i = 0; i < N_TAKEN; i++)
                loops_give_back(LOOPS_OF_SOCKETS, taken[i]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(loops_are_shared_evenly_by_those_that_are_more_than_processors),
                cmocka_unit_test(kinds_are_apart),
                cmocka_unit_test(a_child_of_fork_has_its_own),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
