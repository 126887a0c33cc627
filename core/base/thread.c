#include "core/base/thread.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"

int pipit_thread_start(pthread_t *ret_thread, void *(*main)(void *argument), void *argument)
{
        sigset_t all, before;
        int error;

        (void)sigfillset(&all);
        (void)pthread_sigmask(SIG_SETMASK, &all, &before);
        error = pthread_create(ret_thread, NULL, main, argument);
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);

        return error;
}

size_t pipit_n_processors(void)
{
        long n = sysconf(_SC_NPROCESSORS_ONLN);

        return n > 1 ? (size_t)n : 1;
}

void pipit_cond_init(pthread_cond_t *cond)
{
        pthread_condattr_t attributes;

        (void)pthread_condattr_init(&attributes);
        (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        (void)pthread_cond_init(cond, &attributes);
        (void)pthread_condattr_destroy(&attributes);
}

bool pipit_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t at_us)
{
        const struct timespec at = {
                .tv_sec = (time_t)(at_us / PIPIT_US_PER_S),
                .tv_nsec = (long)(at_us % PIPIT_US_PER_S) * 1000,
        };

        if (at_us == PIPIT_NEVER_US)
                return pthread_cond_wait(cond, mutex) == 0;

        return pthread_cond_timedwait(cond, mutex, &at) == 0;
}
