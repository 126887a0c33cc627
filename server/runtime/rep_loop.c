#include "server/runtime/rep_loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base/thread.h"
#include "server/runtime/rep_keeper.h"

#define THREADS_MIN 4
#define THREADS_MAX 16

struct rep_loop {
        int epoll_fd;
        int end_fd; /* readable once the threads are to end */
        struct rep_keeper *keeper;
        size_t n_threads;
        pthread_t threads[THREADS_MAX];
};

static void *loop_main(void *context)
{
        struct rep_loop *loop = context;
        uint8_t scratch[REP_SCRATCH_BYTES];

        for (;;) {
                struct epoll_event event;
                struct rep_source *source;

                /* One at a time: a second would wait for a handler that takes its time with the first. */
                if (epoll_wait(loop->epoll_fd, &event, 1, -1) != 1)
                        continue;
                source = event.data.ptr;
                if (!source)
                        return NULL;
                (void)atomic_load_explicit(&source->n_turns, memory_order_acquire);
                source->on_readable(source, scratch);
        }
}

static size_t n_threads_wanted(void)
{
        size_t n = pipit_n_processors() * 2;

        if (n < THREADS_MIN)
                return THREADS_MIN;

        return n > THREADS_MAX ? THREADS_MAX : n;
}

int rep_loop_start(struct rep_loop *loop)
{
        size_t n_wanted = n_threads_wanted();
        int error;

        if (loop->n_threads > 0)
                return 0;
        error = rep_keeper_start(loop->keeper);
        if (error)
                return error;

        while (!error && loop->n_threads < n_wanted) {
                error = pipit_thread_start(&loop->threads[loop->n_threads], loop_main, loop);
                if (!error)
                        loop->n_threads++;
        }

        return loop->n_threads > 0 ? 0 : error;
}

static int control(struct rep_loop *loop, int operation, struct rep_source *source, int fd)
{
        struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = source};

        if (source)
                atomic_fetch_add_explicit(&source->n_turns, 1, memory_order_release);

        return epoll_ctl(loop->epoll_fd, operation, fd, &event) == 0 ? 0 : errno;
}

int rep_loop_add(struct rep_loop *loop, struct rep_source *source, int fd)
{
        return control(loop, EPOLL_CTL_ADD, source, fd);
}

void rep_loop_arm(struct rep_loop *loop, struct rep_source *source, int fd)
{
        (void)control(loop, EPOLL_CTL_MOD, source, fd);
}

void rep_loop_remove(struct rep_loop *loop, int fd)
{
        (void)control(loop, EPOLL_CTL_DEL, NULL, fd);
}

struct rep_keeper *rep_loop_keeper(struct rep_loop *loop)
{
        return loop->keeper;
}

struct rep_loop *rep_loop_new(void)
{
        struct rep_loop *loop = calloc(1, sizeof(*loop));
        struct epoll_event event = {.events = EPOLLIN};

        if (!loop)
                return NULL;
        loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        loop->end_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        loop->keeper = rep_keeper_new();
        if (!loop->keeper || loop->epoll_fd < 0 || loop->end_fd < 0 ||
            epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->end_fd, &event) != 0)
                return rep_loop_free(loop);

        return loop;
}

/* Nobody reads end_fd: it stays readable for all. */
struct rep_loop *rep_loop_free(struct rep_loop *loop)
{
        uint64_t one = 1;

        if (!loop)
                return NULL;

        if (loop->n_threads > 0)
                (void)!write(loop->end_fd, &one, sizeof(one));
        for (size_t i = 0; i < loop->n_threads; i++)
                pthread_join(loop->threads[i], NULL);
        rep_keeper_free(loop->keeper);
        if (loop->end_fd >= 0)
                close(loop->end_fd);
        if (loop->epoll_fd >= 0)
                close(loop->epoll_fd);
        free(loop);

        return NULL;
}
