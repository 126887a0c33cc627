#include "client/sp_loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base/thread.h"

#define N_EVENTS 16

struct sp_loop {
        int epoll_fd;
        int event_fd;
        pthread_t thread;
        pthread_mutex_t mutex;

        /* mutex */
        struct sp_source *first;
        struct sp_source **last;
        bool is_ending;
};

static void wake(struct sp_loop *loop)
{
        uint64_t one = 1;

        (void)!write(loop->event_fd, &one, sizeof(one));
}

void sp_loop_ask(struct sp_loop *loop, struct sp_source *source)
{
        bool was_empty;

        pthread_mutex_lock(&loop->mutex);
        was_empty = !loop->first;
        if (!source->is_asked) {
                source->is_asked = true;
                source->next = NULL;
                *loop->last = source;
                loop->last = &source->next;
                if (was_empty)
                        wake(loop);
        }
        pthread_mutex_unlock(&loop->mutex);
}

void sp_loop_forget(struct sp_loop *loop, struct sp_source *source)
{
        struct sp_source **link = &loop->first;

        pthread_mutex_lock(&loop->mutex);
        while (*link && *link != source)
                link = &(*link)->next;
        if (*link) {
                *link = source->next;
                if (!*link)
                        loop->last = link;
        }
        pthread_mutex_unlock(&loop->mutex);
}

static struct sp_source *take_asked(struct sp_loop *loop)
{
        struct sp_source *source;

        pthread_mutex_lock(&loop->mutex);
        source = loop->first;
        if (source) {
                loop->first = source->next;
                if (!loop->first)
                        loop->last = &loop->first;
                source->is_asked = false;
        }
        pthread_mutex_unlock(&loop->mutex);

        return source;
}

static bool is_ending(struct sp_loop *loop)
{
        bool ends;

        pthread_mutex_lock(&loop->mutex);
        ends = loop->is_ending;
        pthread_mutex_unlock(&loop->mutex);

        return ends;
}

static void *loop_main(void *context)
{
        struct sp_loop *loop = context;
        struct epoll_event events[N_EVENTS];
        struct sp_source *source;
        uint64_t n_wakes;
        bool ends = false;

        while (!ends) {
                int n_events = epoll_wait(loop->epoll_fd, events, N_EVENTS, -1);
                bool is_woken = false;

                for (int i = 0; i < n_events; i++) {
                        source = events[i].data.ptr;
                        if (source)
                                source->on_event(source, events[i].events);
                        else
                                is_woken = true;
                }
                if (is_woken)
                        (void)!read(loop->event_fd, &n_wakes, sizeof(n_wakes));
                while (is_woken && (source = take_asked(loop)))
                        source->on_asked(source);
                ends = is_woken && is_ending(loop);
        }

        return NULL;
}

static void loop_destroy(struct sp_loop *loop)
{
        if (loop->event_fd >= 0)
                close(loop->event_fd);
        if (loop->epoll_fd >= 0)
                close(loop->epoll_fd);
        pthread_mutex_destroy(&loop->mutex);
        free(loop);
}

/* Zero, or why not. */
static int loop_open(struct sp_loop *loop)
{
        pthread_mutex_init(&loop->mutex, NULL);
        loop->last = &loop->first;
        loop->event_fd = -1;
        loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        if (loop->epoll_fd < 0)
                return errno;
        loop->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (loop->event_fd < 0 || !sp_loop_add(loop, NULL, loop->event_fd, EPOLLIN))
                return errno;

        return pipit_thread_start(&loop->thread, loop_main, loop);
}

struct sp_loop *sp_loop_new(const char **ret_problem)
{
        struct sp_loop *loop = calloc(1, sizeof(*loop));
        int error = loop ? loop_open(loop) : ENOMEM;

        if (!error)
                return loop;
        if (loop)
                loop_destroy(loop);
        *ret_problem = strerrordesc_np(error);

        return NULL;
}

struct sp_loop *sp_loop_free(struct sp_loop *loop)
{
        if (!loop)
                return NULL;

        pthread_mutex_lock(&loop->mutex);
        loop->is_ending = true;
        wake(loop);
        pthread_mutex_unlock(&loop->mutex);
        pthread_join(loop->thread, NULL);
        loop_destroy(loop);

        return NULL;
}

bool sp_loop_add(struct sp_loop *loop, struct sp_source *source, int fd, uint32_t events)
{
        struct epoll_event event = {.events = events, .data.ptr = source};

        return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

void sp_loop_modify(struct sp_loop *loop, struct sp_source *source, int fd, uint32_t events)
{
        struct epoll_event event = {.events = events, .data.ptr = source};

        (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, fd, &event);
}

void sp_loop_remove(struct sp_loop *loop, int fd)
{
        (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}
