/* Servers that are killed, as processes of their own, and started again. */

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/integration/client/fixture.h"

#define N_THREADS  8
#define N_RESTARTS 10

/* This program again, as a server: `--serve URL INSTANCE`. It says so in a byte when it listens. */
static int serve(char **argv)
{
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (!peer_new(argv[2], strtoull(argv[3], NULL, 10), PEER_ECHO))
                return 1;
        if (write(STDOUT_FILENO, "!", 1) != 1)
                return 1;
        for (;;)
                pause();
}

static pid_t start_server(const char *url, unsigned int instance)
{
        char number[16], ready;
        int fds[2];
        pid_t pid;

        snprintf(number, sizeof(number), "%u", instance);
        assert_int_equal(pipe(fds), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                dup2(fds[1], STDOUT_FILENO);
                close(fds[0]);
                close(fds[1]);
                execl("/proc/self/exe", "server", "--serve", url, number, (char *)NULL);
                _exit(127);
        }
        close(fds[1]);
        assert_int_equal(read(fds[0], &ready, 1), 1);
        close(fds[0]);

        return pid;
}

static void kill_server(pid_t pid)
{
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
}

struct caller {
        pthread_t thread;
        struct pipit_channel *channel;
        atomic_bool *stop;
        size_t n_ok;
        size_t n_failed;
        size_t n_wrong; /* neither OK nor UNAVAILABLE */
};

static void *call_until_stopped(void *context)
{
        struct caller *caller = context;
        struct pipit_call call = {.wait_for_ready = true};

        while (!atomic_load(caller->stop)) {
                switch (blocking_echo(caller->channel, &call, "load")) {
                case PIPIT_OK:
                        caller->n_ok++;
                        break;
                case PIPIT_UNAVAILABLE:
                        caller->n_failed++;
                        break;
                default:
                        caller->n_wrong++;
                        break;
                }
        }
        pipit_call_deinit(&call);

        return NULL;
}

static void a_server_that_is_killed_under_load_is_found_again(void **state)
{
        struct caller callers[N_THREADS];
        struct pipit_channel *channel;
        atomic_bool stop = false;
        struct place place;
        pid_t pid;

        (void)state;
        place_init(&place);
        pid = start_server(place.url, 1);
        channel = channel_to(place.url);
        warm_up(channel);
        for (size_t i = 0; i < N_THREADS; i++) {
                callers[i] = (struct caller){.channel = channel, .stop = &stop};
                assert_int_equal(
                        pthread_create(&callers[i].thread, NULL, call_until_stopped, &callers[i]),
                        0);
        }
        for (unsigned int i = 0; i < N_RESTARTS; i++) {
                int64_t before;

                kill_server(pid);
                pid = start_server(place.url, 2 + i);
                before = now_ms();
                warm_up(channel);
                printf("found again after %d ms\n", (int)(now_ms() - before));
        }
        atomic_store(&stop, true);
        for (size_t i = 0; i < N_THREADS; i++) {
                pthread_join(callers[i].thread, NULL);
                assert_true(callers[i].n_ok > 0);
                assert_int_equal(callers[i].n_wrong, 0);
                assert_true(callers[i].n_failed <= N_RESTARTS);
        }
        pipit_channel_free(channel);
        kill_server(pid);
        place_deinit(&place);
}

/* It hangs, and so does not close: the deadline ends the call; woken, it is used again. */
static void a_server_that_is_stopped_costs_calls_their_deadline_only(void **state)
{
        struct pipit_call call = {.timeout_ms = 100};
        struct pipit_channel *channel;
        struct place place;
        pid_t pid;

        (void)state;
        place_init(&place);
        pid = start_server(place.url, 1);
        channel = channel_to(place.url);
        warm_up(channel);
        assert_int_equal(kill(pid, SIGSTOP), 0);
        assert_int_equal(waitpid(pid, NULL, WUNTRACED), pid);
        assert_int_equal(blocking_echo(channel, &call, "x"), PIPIT_DEADLINE_EXCEEDED);
        assert_int_equal(pipit_call_error(&call)->ran, PIPIT_MAY_HAVE_RUN);
        kill(pid, SIGCONT);
        warm_up(channel);
        pipit_call_deinit(&call);
        pipit_channel_free(channel);
        kill_server(pid);
        place_deinit(&place);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_server_that_is_killed_under_load_is_found_again),
                cmocka_unit_test(a_server_that_is_stopped_costs_calls_their_deadline_only),
        };

        if (argc == 4 && strcmp(argv[1], "--serve") == 0)
                return serve(argv);
        if (argc > 1)
                cmocka_set_test_filter(argv[1]);

        return cmocka_run_group_tests(tests, NULL, NULL);
}
