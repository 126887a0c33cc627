#include "tools/cli/scenario/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

static const struct {
        int number;
        const char *name;
} watched[] = {
        {SIGINT, "SIGINT"},
        {SIGTERM, "SIGTERM"},
        {SIGHUP, "SIGHUP"},
};

static volatile sig_atomic_t kept;
static int pipe_fds[2] = {-1, -1};

static void on_signal(int number)
{
        static const char text[] = "pipit: interrupted: cleanup runs; again to end at once\n";
        int error = errno;

        if (kept) {
                (void)signal(number, SIG_DFL);
                (void)raise(number);
                return;
        }
        kept = number;
        (void)!write(pipe_fds[1], "", 1);
        (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
        errno = error;
}

bool scenario_interrupt_watch(void)
{
        struct sigaction action = {.sa_handler = on_signal};

        if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) != 0)
                return false;

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(watched); i++) {
                struct sigaction before;

                if (sigaction(watched[i].number, NULL, &before) != 0)
                        return false;
                if (before.sa_handler != SIG_IGN &&
                    sigaction(watched[i].number, &action, NULL) != 0)
                        return false;
        }

        return true;
}

int scenario_interrupt_fd(void)
{
        return pipe_fds[0];
}

const char *scenario_interrupt_name(void)
{
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(watched); i++)
                if (watched[i].number == kept)
                        return watched[i].name;

        return NULL;
}

void scenario_interrupt_pass_on(void)
{
        if (!kept)
                return;
        /* A signal does not do it, as exit() would. */
        (void)fflush(stdout);
        (void)signal(kept, SIG_DFL);
        (void)raise(kept);
}
