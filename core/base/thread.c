#include "core/base/thread.h"

#include <signal.h>

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
