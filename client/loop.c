#include "client/loop.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/macros.h"
#include "core/base/thread.h"

#define N_EVENTS 64

struct loop {
        int epoll_fd;
        int event_fd;
        pthread_t thread;
        pthread_mutex_t mutex;
        pthread_cond_t passed;

        /* mutex */
        struct loop_source *first;
        struct loop_source **last;
        size_t n_asked;
        struct pipit_alarms alarms;
        bool is_ending;
};

/* Who waits in loop_pass(). */
struct pass {
        struct loop_source source;
        struct loop *loop;
        bool is_over; /* the loop's mutex */
};

/* Whose thread this is, or NULL. */
static _Thread_local const struct loop *own;

/* --- asking ---------------------------------------------------------------- */

static void wake(struct loop *loop)
{
        uint64_t one = 1;

        (void)!write(loop->event_fd, &one, sizeof(one));
}

/* Mutex held. The loop's own thread looks before it waits. */
static void ask(struct loop *loop, struct loop_source *source)
{
        if (source->is_asked)
                return;

        source->is_asked = true;
        source->next = NULL;
        *loop->last = source;
        loop->last = &source->next;
        if (loop->n_asked++ == 0 && own != loop)
                wake(loop);
}

void loop_ask(struct loop *loop, struct loop_source *source)
{
        pthread_mutex_lock(&loop->mutex);
        ask(loop, source);
        pthread_mutex_unlock(&loop->mutex);
}

/* Mutex held. */
static void unask(struct loop *loop, struct loop_source *source)
{
        struct loop_source **link = &loop->first;

        if (!source->is_asked)
                return;

        while (*link != source)
                link = &(*link)->next;
        *link = source->next;
        if (!*link)
                loop->last = link;
        source->is_asked = false;
        loop->n_asked--;
}

bool loop_alarm_open(struct loop *loop)
{
        bool is_open;

        pthread_mutex_lock(&loop->mutex);
        is_open = pipit_alarms_enter(&loop->alarms, 1);
        pthread_mutex_unlock(&loop->mutex);

        return is_open;
}

void loop_alarm_close(struct loop *loop)
{
        pthread_mutex_lock(&loop->mutex);
        pipit_alarms_leave(&loop->alarms);
        pthread_mutex_unlock(&loop->mutex);
}

void loop_alarm(struct loop *loop, struct loop_source *source, int64_t at_us)
{
        pthread_mutex_lock(&loop->mutex);
        pipit_alarms_set(&loop->alarms, &source->alarm, at_us);
        if (own != loop && pipit_alarms_next_us(&loop->alarms) == at_us)
                wake(loop);
        pthread_mutex_unlock(&loop->mutex);
}

void loop_forget(struct loop *loop, struct loop_source *source)
{
        pthread_mutex_lock(&loop->mutex);
        unask(loop, source);
        pipit_alarms_set(&loop->alarms, &source->alarm, PIPIT_NEVER_US);
        pthread_mutex_unlock(&loop->mutex);
}

static void on_pass(struct loop_source *source)
{
        struct pass *pass = pipit_container_of(source, struct pass, source);
        struct loop *loop = pass->loop;

        pthread_mutex_lock(&loop->mutex);
        pass->is_over = true;
        pthread_cond_broadcast(&loop->passed);
        pthread_mutex_unlock(&loop->mutex);
}

void loop_pass(struct loop *loop)
{
        struct pass pass = {.source.on_asked = on_pass, .loop = loop};

        pthread_mutex_lock(&loop->mutex);
        ask(loop, &pass.source);
        while (!pass.is_over)
                pthread_cond_wait(&loop->passed, &loop->mutex);
        pthread_mutex_unlock(&loop->mutex);
}

/* --- the thread ------------------------------------------------------------ */

/* How long epoll may wait, in milliseconds. -1: until something happens. */
static int patience_ms(struct loop *loop)
{
        int64_t next_us, left_us;
        size_t n_asked;

        pthread_mutex_lock(&loop->mutex);
        n_asked = loop->n_asked;
        next_us = pipit_alarms_next_us(&loop->alarms);
        pthread_mutex_unlock(&loop->mutex);

        if (n_asked > 0)
                return 0;
        if (next_us == PIPIT_NEVER_US)
                return -1;
        left_us = next_us - pipit_clock_now_us();
        if (left_us <= 0)
                return 0;
        if (left_us / PIPIT_US_PER_MS >= INT_MAX)
                return INT_MAX;

        return (int)((left_us + PIPIT_US_PER_MS - 1) / PIPIT_US_PER_MS);
}

/* What is due is asked for. How many are to be run in this turn; @ret_ends: and no more. */
static size_t begin_turn(struct loop *loop, bool *ret_ends)
{
        struct pipit_alarm *alarm;
        size_t n_asked;

        pthread_mutex_lock(&loop->mutex);
        if (pipit_alarms_next_us(&loop->alarms) != PIPIT_NEVER_US) {
                int64_t now_us = pipit_clock_now_us();

                while ((alarm = pipit_alarms_take(&loop->alarms, now_us)))
                        ask(loop, pipit_container_of(alarm, struct loop_source, alarm));
        }
        n_asked = loop->n_asked;
        *ret_ends = loop->is_ending;
        pthread_mutex_unlock(&loop->mutex);

        return n_asked;
}

/* NULL: it was forgotten meanwhile. */
static struct loop_source *take_asked(struct loop *loop)
{
        struct loop_source *source;

        pthread_mutex_lock(&loop->mutex);
        source = loop->first;
        if (source)
                unask(loop, source);
        pthread_mutex_unlock(&loop->mutex);

        return source;
}

static void take_events(struct loop *loop)
{
        struct epoll_event events[N_EVENTS];
        int n_events = epoll_wait(loop->epoll_fd, events, N_EVENTS, patience_ms(loop));
        uint64_t n_wakes;

        for (int i = 0; i < n_events; i++) {
                struct loop_source *source = events[i].data.ptr;

                if (source)
                        source->on_event(source, events[i].events);
                else
                        (void)!read(loop->event_fd, &n_wakes, sizeof(n_wakes));
        }
}

static void *loop_main(void *context)
{
        struct loop *loop = context;
        bool ends = false;

        own = loop;
        while (!ends) {
                struct loop_source *source;
                size_t n_asked;

                take_events(loop);
                n_asked = begin_turn(loop, &ends);
                while (n_asked-- > 0 && (source = take_asked(loop)))
                        source->on_asked(source);
        }

        return NULL;
}

/* --- new and free ---------------------------------------------------------- */

static void loop_destroy(struct loop *loop)
{
        if (loop->event_fd >= 0)
                close(loop->event_fd);
        if (loop->epoll_fd >= 0)
                close(loop->epoll_fd);
        pipit_alarms_deinit(&loop->alarms);
        pthread_cond_destroy(&loop->passed);
        pthread_mutex_destroy(&loop->mutex);
        free(loop);
}

/* Zero, or why not. */
static int loop_open(struct loop *loop)
{
        pthread_mutex_init(&loop->mutex, NULL);
        pthread_cond_init(&loop->passed, NULL);
        loop->last = &loop->first;
        loop->event_fd = -1;
        loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        if (loop->epoll_fd < 0)
                return errno;
        loop->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (loop->event_fd < 0 || !loop_add(loop, NULL, loop->event_fd, EPOLLIN))
                return errno;

        return pipit_thread_start(&loop->thread, loop_main, loop);
}

struct loop *loop_new(const char **ret_problem)
{
        struct loop *loop = calloc(1, sizeof(*loop));
        int error = loop ? loop_open(loop) : ENOMEM;

        if (!error)
                return loop;
        if (loop)
                loop_destroy(loop);
        *ret_problem = strerrordesc_np(error);

        return NULL;
}

struct loop *loop_free(struct loop *loop)
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

/* --- descriptors ----------------------------------------------------------- */

bool loop_add(struct loop *loop, struct loop_source *source, int fd, uint32_t events)
{
        struct epoll_event event = {.events = events, .data.ptr = source};

        return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

void loop_modify(struct loop *loop, struct loop_source *source, int fd, uint32_t events)
{
        struct epoll_event event = {.events = events, .data.ptr = source};

        (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, fd, &event);
}

void loop_remove(struct loop *loop, int fd)
{
        (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}
