#include "server/runtime/rep_keeper.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/thread.h"
#include "server/runtime/rep_stream.h"

#define N_EVENTS 64

/* How often it looks for those that did not greet. */
#define GREETINGS_MS 1000

/* Of what is to be waited for again: any time that has passed. */
#define PAUSE_IS_OVER_US 1

struct rep_keeper {
        int epoll_fd;
        int event_fd;
        bool has_thread;
        pthread_t thread;

        /* of its thread */
        struct list kept;
        int64_t look_us;

        pthread_mutex_t mutex;
        pthread_cond_t let_go;
        struct list asked;    /* mutex: to be kept */
        struct list greeting; /* mutex: streams, the oldest first */
        bool is_ending;       /* mutex */
};

static void wake(struct rep_keeper *keeper)
{
        uint64_t one = 1;

        (void)!write(keeper->event_fd, &one, sizeof(one));
}

/* --- what is kept ---------------------------------------------------------- */

static int control(struct rep_keeper *keeper, struct rep_kept *kept, int operation, uint32_t events)
{
        struct epoll_event event = {.events = events, .data.ptr = kept};

        return epoll_ctl(keeper->epoll_fd, operation, kept->fd, &event);
}

/* Without room for it in epoll it is tried again at the next look. */
static void wait_for(struct rep_keeper *keeper, struct rep_kept *kept)
{
        bool is_waited_for =
                control(keeper, kept, EPOLL_CTL_ADD, kept->events) == 0 ||
                (errno == EEXIST && control(keeper, kept, EPOLL_CTL_MOD, kept->events) == 0);

        kept->pause_us = is_waited_for ? 0 : PAUSE_IS_OVER_US;
}

static void let_go(struct rep_keeper *keeper, struct rep_kept *kept)
{
        (void)control(keeper, kept, EPOLL_CTL_DEL, 0);
        list_remove(&kept->list);
        if (kept->on_let_go)
                kept->on_let_go(kept);
}

void rep_keeper_pause(struct rep_keeper *keeper, struct rep_kept *kept, int64_t now_us, uint32_t ms)
{
        kept->pause_us = now_us + ms * PIPIT_US_PER_MS;
        (void)control(keeper, kept, EPOLL_CTL_MOD, 0);
}

static void run(struct rep_keeper *keeper, struct rep_kept *kept, int64_t now_us)
{
        if (now_us < kept->pause_us)
                return;
        if (kept->pause_us)
                wait_for(keeper, kept);
        if (kept->on_ready(kept, now_us))
                let_go(keeper, kept);
}

static bool wants_looks(const struct rep_keeper *keeper)
{
        for (const struct list *node = keeper->kept.next; node != &keeper->kept;
             node = node->next) {
                const struct rep_kept *kept = pipit_container_of(node, struct rep_kept, list);

                if (kept->is_looked_at || kept->pause_us)
                        return true;
        }

        return false;
}

static void look(struct rep_keeper *keeper, int64_t now_us)
{
        struct list *node, *after;

        list_for_each(node, after, &keeper->kept)
        {
                struct rep_kept *kept = pipit_container_of(node, struct rep_kept, list);

                if (kept->is_looked_at || kept->pause_us)
                        run(keeper, kept, now_us);
        }
        keeper->look_us = now_us + REP_LOOK_MS * PIPIT_US_PER_MS;
}

/* What was asked of it, after what epoll said: nothing that epoll still speaks of goes. */
static void take_asked(struct rep_keeper *keeper)
{
        struct list *node, *after;

        pthread_mutex_lock(&keeper->mutex);
        while ((node = list_take(&keeper->asked))) {
                struct rep_kept *kept = pipit_container_of(node, struct rep_kept, list);

                list_append(&keeper->kept, node);
                wait_for(keeper, kept);
        }
        list_for_each(node, after, &keeper->kept)
        {
                struct rep_kept *kept = pipit_container_of(node, struct rep_kept, list);

                if (!kept->is_leaving)
                        continue;
                kept->is_leaving = false;
                let_go(keeper, kept);
                pthread_cond_broadcast(&keeper->let_go);
        }
        pthread_mutex_unlock(&keeper->mutex);
}

void rep_keeper_keep(struct rep_keeper *keeper, struct rep_kept *kept)
{
        pthread_mutex_lock(&keeper->mutex);
        list_append(&keeper->asked, &kept->list);
        pthread_mutex_unlock(&keeper->mutex);
        wake(keeper);
}

void rep_keeper_release(struct rep_keeper *keeper, struct rep_kept *kept)
{
        pthread_mutex_lock(&keeper->mutex);
        kept->is_leaving = true;
        wake(keeper);
        while (kept->is_leaving)
                pthread_cond_wait(&keeper->let_go, &keeper->mutex);
        pthread_mutex_unlock(&keeper->mutex);
}

/* --- greetings ------------------------------------------------------------- */

void rep_keeper_expect_greeting(struct rep_keeper *keeper, struct rep_stream *stream)
{
        stream->greet_until_us = pipit_clock_now_us() + REP_GREETING_MS * PIPIT_US_PER_MS;
        pthread_mutex_lock(&keeper->mutex);
        list_append(&keeper->greeting, &stream->greeting);
        pthread_mutex_unlock(&keeper->mutex);
}

void rep_keeper_forget_greeting(struct rep_keeper *keeper, struct rep_stream *stream)
{
        pthread_mutex_lock(&keeper->mutex);
        list_remove(&stream->greeting);
        pthread_mutex_unlock(&keeper->mutex);
}

/* Whoever takes one down has to take it out of here first. Whether some are left. */
static bool end_silent(struct rep_keeper *keeper, int64_t now_us)
{
        struct list *node;
        bool some;

        pthread_mutex_lock(&keeper->mutex);
        while ((node = keeper->greeting.next) != &keeper->greeting) {
                struct rep_stream *stream = pipit_container_of(node, struct rep_stream, greeting);

                if (now_us < stream->greet_until_us)
                        break;
                list_remove(node);
                rep_stream_shut_down(stream);
        }
        some = !list_is_empty(&keeper->greeting);
        pthread_mutex_unlock(&keeper->mutex);

        return some;
}

/* --- thread ---------------------------------------------------------------- */

static bool is_ending(struct rep_keeper *keeper)
{
        bool ends;

        pthread_mutex_lock(&keeper->mutex);
        ends = keeper->is_ending;
        pthread_mutex_unlock(&keeper->mutex);

        return ends;
}

static int timeout_ms(struct rep_keeper *keeper, int64_t now_us)
{
        bool greets = end_silent(keeper, now_us);

        if (wants_looks(keeper))
                return REP_LOOK_MS;

        return greets ? GREETINGS_MS : -1;
}

static void *keeper_main(void *context)
{
        struct rep_keeper *keeper = context;
        struct epoll_event events[N_EVENTS];
        uint64_t n_wakes;
        bool ends = false;

        while (!ends) {
                int n_events = epoll_wait(keeper->epoll_fd,
                                          events,
                                          N_EVENTS,
                                          timeout_ms(keeper, pipit_clock_now_us()));
                int64_t now_us = pipit_clock_now_us();
                bool is_woken = false;

                for (int i = 0; i < n_events; i++) {
                        if (events[i].data.ptr)
                                run(keeper, events[i].data.ptr, now_us);
                        else
                                is_woken = true;
                }
                if (is_woken) {
                        (void)!read(keeper->event_fd, &n_wakes, sizeof(n_wakes));
                        take_asked(keeper);
                        ends = is_ending(keeper);
                }
                if (now_us >= keeper->look_us)
                        look(keeper, now_us);
        }

        return NULL;
}

int rep_keeper_start(struct rep_keeper *keeper)
{
        int error = pipit_thread_start(&keeper->thread, keeper_main, keeper);

        keeper->has_thread = error == 0;

        return error;
}

struct rep_keeper *rep_keeper_new(void)
{
        struct rep_keeper *keeper = calloc(1, sizeof(*keeper));
        struct epoll_event event = {.events = EPOLLIN};

        if (!keeper)
                return NULL;
        list_init(&keeper->kept);
        list_init(&keeper->asked);
        list_init(&keeper->greeting);
        pthread_mutex_init(&keeper->mutex, NULL);
        pthread_cond_init(&keeper->let_go, NULL);
        keeper->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        keeper->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (keeper->epoll_fd < 0 || keeper->event_fd < 0 ||
            epoll_ctl(keeper->epoll_fd, EPOLL_CTL_ADD, keeper->event_fd, &event) != 0)
                return rep_keeper_free(keeper);

        return keeper;
}

struct rep_keeper *rep_keeper_free(struct rep_keeper *keeper)
{
        if (!keeper)
                return NULL;

        if (keeper->has_thread) {
                pthread_mutex_lock(&keeper->mutex);
                keeper->is_ending = true;
                pthread_mutex_unlock(&keeper->mutex);
                wake(keeper);
                pthread_join(keeper->thread, NULL);
        }
        if (keeper->event_fd >= 0)
                close(keeper->event_fd);
        if (keeper->epoll_fd >= 0)
                close(keeper->epoll_fd);
        pthread_cond_destroy(&keeper->let_go);
        pthread_mutex_destroy(&keeper->mutex);
        free(keeper);

        return NULL;
}
