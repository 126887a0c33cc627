#include "tests/harness/nng_close.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define BOUND_S 5

static void *close_main(void *argument)
{
        nng_socket *socket = argument;

        nng_close(*socket);
        free(socket);

        return NULL;
}

bool nng_close_within_bound(nng_socket socket)
{
        nng_socket *copy = malloc(sizeof(*copy));
        struct timespec until;
        pthread_t thread;

        if (!copy)
                abort();
        *copy = socket;
        if (pthread_create(&thread, NULL, close_main, copy) != 0)
                abort();
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += BOUND_S;
        if (pthread_timedjoin_np(thread, NULL, &until) == 0)
                return true;
        pthread_detach(thread);

        return false;
}
