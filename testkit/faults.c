#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "testkit/door.h"

#define N_FDS_FIXED 2
#define BACKLOG     64
#define NS_PER_MS   1000000
#define NS_PER_S    1000000000

/* Wakes the relay when a clock moves, once a clock. */
struct watcher {
        struct pipit_test_clock_watcher base; /* first */
        struct pipit_test_clock *clock;
        struct pipit_test_faults *faults;
        struct watcher *next;
};

void faults_wake(struct pipit_test_faults *faults)
{
        uint64_t one = 1;

        (void)!write(faults->wake_fd, &one, sizeof(one));
}

/* --- the thread; mutex held, but for poll() --- */

static void go_up(struct pipit_test_faults *faults)
{
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0)
                return;
        (void)unlink(faults->address.sun_path);
        if (bind(fd, (const struct sockaddr *)&faults->address, sizeof(faults->address)) < 0 ||
            listen(fd, BACKLOG) < 0) {
                close(fd);
                return;
        }
        faults->listen_fd = fd;
}

static void go_down(struct pipit_test_faults *faults)
{
        if (faults->listen_fd < 0)
                return;
        close(faults->listen_fd);
        faults->listen_fd = -1;
        (void)unlink(faults->address.sun_path);
}

static void obey(struct pipit_test_faults *faults)
{
        if (faults->is_down)
                go_down(faults);
        else if (faults->listen_fd < 0 && !faults->door)
                go_up(faults);

        for (struct pair *pair = faults->pairs; pair; pair = pair->next)
                pair->is_broken |= faults->wants_break || faults->is_down;
        faults->wants_break = false;
}

static void let_go(struct pipit_test_faults *faults, struct reply **at)
{
        struct reply *reply = *at;

        *at = reply->next;
        faults->n_held--;
        replies_append(&faults->pending, reply);
}

static void release_due(struct pipit_test_faults *faults)
{
        struct reply **at = &faults->held;

        while (*at) {
                struct pipit_test_clock *clock = (*at)->clock;

                if (clock && clock->clock.now_us(clock->clock.context) >= (*at)->at_us)
                        let_go(faults, at);
                else
                        at = &(*at)->next;
        }
        exchange_deliver(faults);
}

static void end_pair(struct pair **at)
{
        struct pair *pair = *at;

        *at = pair->next;
        if (pair->client.pipe)
                door_lost(pair->client.pipe);
        pair_free(pair);
}

/* Writes what can be written, and frees the pairs that are over. How many are left. */
static size_t tidy(struct pipit_test_faults *faults)
{
        struct pair **at = &faults->pairs;
        size_t n_pairs = 0;

        while (*at) {
                struct pair *pair = *at;

                if (!pair->is_broken && pair->client.out.n > 0)
                        pair_write(pair, &pair->client);
                if (!pair->is_broken && pair->server.out.n > 0)
                        pair_write(pair, &pair->server);
                if (pair_is_over(pair)) {
                        end_pair(at);
                        continue;
                }
                n_pairs += !pair->client.pipe;
                at = &pair->next;
        }

        return n_pairs;
}

static struct pollfd side_poll(const struct pair *pair, const struct side *side)
{
        short events = pair_events(pair, side);

        return (struct pollfd){.fd = events ? side->fd : -1, .events = events};
}

/* False: out of memory. */
static bool fill_fds(struct pipit_test_faults *faults, size_t n_pairs, struct pollfd **fds)
{
        struct pollfd *more = realloc(*fds, (N_FDS_FIXED + 2 * n_pairs) * sizeof(**fds));
        size_t n = N_FDS_FIXED;

        if (!more)
                return false;
        *fds = more;
        more[0] = (struct pollfd){.fd = faults->wake_fd, .events = POLLIN};
        more[1] = (struct pollfd){.fd = faults->listen_fd, .events = POLLIN};
        for (const struct pair *pair = faults->pairs; n_pairs > 0 && pair; pair = pair->next) {
                more[n++] = side_poll(pair, &pair->client);
                more[n++] = side_poll(pair, &pair->server);
        }

        return true;
}

static void accept_one(struct pipit_test_faults *faults)
{
        int fd = accept4(faults->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        struct pair *pair = fd < 0 ? NULL : pair_new(faults, fd);

        if (!pair)
                return;
        pair->next = faults->pairs;
        faults->pairs = pair;
}

/* The pairs are as they were when @fds was filled. */
static void handle(struct pipit_test_faults *faults, const struct pollfd *fds)
{
        const short readable = POLLIN | POLLHUP | POLLERR;
        const struct pollfd *at = fds + N_FDS_FIXED;
        uint64_t n_wakes;

        if (fds[0].revents)
                (void)!read(faults->wake_fd, &n_wakes, sizeof(n_wakes));
        for (struct pair *pair = faults->door ? NULL : faults->pairs; pair;
             pair = pair->next, at += 2) {
                if (at[0].revents & readable && !pair->is_broken)
                        pair_read(pair, &pair->client);
                if (at[1].revents & readable && !pair->is_broken)
                        pair_read(pair, &pair->server);
        }
        if (fds[1].revents)
                accept_one(faults);
}

static void *relay_thread(void *context)
{
        struct pipit_test_faults *faults = context;
        struct pollfd *fds = NULL;
        size_t n_pairs;

        pthread_mutex_lock(&faults->mutex);
        while (!faults->is_stopping) {
                obey(faults);
                release_due(faults);
                n_pairs = tidy(faults);
                faults->n_obeyed = faults->n_orders;
                pthread_cond_broadcast(&faults->changed);
                if (!fill_fds(faults, n_pairs, &fds))
                        break;
                pthread_mutex_unlock(&faults->mutex);
                if (faults->door)
                        door_settle(faults->door);
                (void)poll(fds, N_FDS_FIXED + 2 * n_pairs, -1);
                pthread_mutex_lock(&faults->mutex);
                handle(faults, fds);
        }
        go_down(faults);
        faults->n_obeyed = UINT64_MAX; /* nobody waits for what never comes */
        pthread_cond_broadcast(&faults->changed);
        pthread_mutex_unlock(&faults->mutex);
        free(fds);

        return NULL;
}

/* --- new and free --- */

static const struct pipit_error bad_target = {
        .status = PIPIT_INVALID_ARGUMENT,
        .reason = "INVALID_TARGET",
        .message = "the target is neither ipc:///PATH nor tcp://HOST:PORT",
};
static const struct pipit_error no_resources = {
        .status = PIPIT_RESOURCE_EXHAUSTED,
        .reason = "OUT_OF_MEMORY",
        .message = "out of memory or descriptors, or no folder to write to",
};

static bool parse_ipc(const char *path, struct target *target)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        if (path[0] != '/' || strlen(path) >= sizeof(address.sun_path))
                return false;
        strcpy(address.sun_path, path);
        memcpy(&target->address, &address, sizeof(address));
        target->n_address = sizeof(address);
        target->is_ipc = true;

        return true;
}

static bool parse_tcp(const char *text, struct target *target)
{
        const char *colon = strrchr(text, ':');
        struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
        struct addrinfo *found;
        char host[256];
        size_t n_host;

        if (!colon || colon == text || (size_t)(colon - text) >= sizeof(host))
                return false;
        n_host = (size_t)(colon - text);
        if (text[0] == '[' && colon[-1] == ']') {
                text++;
                n_host -= 2;
        }
        memcpy(host, text, n_host);
        host[n_host] = '\0';
        if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
                return false;
        memcpy(&target->address, found->ai_addr, found->ai_addrlen);
        target->n_address = found->ai_addrlen;
        freeaddrinfo(found);

        return true;
}

static bool parse_target(const char *text, struct target *target)
{
        if (strncmp(text, "ipc://", 6) == 0)
                return parse_ipc(text + 6, target);
        if (strncmp(text, "tcp://", 6) == 0)
                return parse_tcp(text + 6, target);

        return false;
}

/* A fresh directory, and the socket's path in it. */
static bool make_place(struct pipit_test_faults *faults)
{
        const char *tmp = getenv("TMPDIR");
        char *path = faults->address.sun_path;
        size_t n_max = sizeof(faults->address.sun_path);

        if (!tmp || tmp[0] != '/' || strlen(tmp) > n_max - sizeof("/pipit-test-XXXXXX/s"))
                tmp = "/tmp";
        (void)snprintf(path, n_max, "%s/pipit-test-XXXXXX", tmp);
        if (!mkdtemp(path)) {
                path[0] = '\0';
                return false;
        }
        strcat(path, "/s");
        faults->address.sun_family = AF_UNIX;
        (void)snprintf(faults->url, sizeof(faults->url), "ipc://%s", path);

        return true;
}

static void leave_place(struct pipit_test_faults *faults)
{
        char *slash = strrchr(faults->address.sun_path, '/');

        if (!slash)
                return;
        (void)unlink(faults->address.sun_path);
        *slash = '\0';
        (void)rmdir(faults->address.sun_path);
        faults->address.sun_path[0] = '\0';
}

static void init_locks(struct pipit_test_faults *faults)
{
        pthread_condattr_t attributes;

        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(&faults->changed, &attributes);
        pthread_condattr_destroy(&attributes);
        pthread_mutex_init(&faults->mutex, NULL);
}

/* Signals are for the threads of the program. */
static bool start_thread(struct pipit_test_faults *faults)
{
        sigset_t all, before;
        int error;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        error = pthread_create(&faults->thread, NULL, relay_thread, faults);
        pthread_sigmask(SIG_SETMASK, &before, NULL);

        return error == 0;
}

static void destroy(struct pipit_test_faults *faults)
{
        leave_place(faults);
        door_free(faults->door);
        if (faults->listen_fd >= 0)
                close(faults->listen_fd);
        if (faults->wake_fd >= 0)
                close(faults->wake_fd);
        pthread_cond_destroy(&faults->changed);
        pthread_mutex_destroy(&faults->mutex);
        free(faults);
}

void faults_ref(struct pipit_test_faults *faults)
{
        pthread_mutex_lock(&faults->mutex);
        faults->n_refs++;
        pthread_mutex_unlock(&faults->mutex);
}

void faults_unref(struct pipit_test_faults *faults)
{
        bool is_last;

        pthread_mutex_lock(&faults->mutex);
        is_last = --faults->n_refs == 0;
        pthread_mutex_unlock(&faults->mutex);
        if (is_last)
                destroy(faults);
}

static struct pipit_test_faults *allocate(void)
{
        struct pipit_test_faults *faults = calloc(1, sizeof(*faults));

        if (!faults)
                return NULL;
        faults->n_refs = 1;
        faults->listen_fd = -1;
        faults->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        init_locks(faults);

        return faults;
}

struct pipit_test_faults *pipit_test_faults_new(const char *target, struct pipit_error *ret_error)
{
        const struct pipit_error *error = &no_resources;
        struct pipit_test_faults *faults = allocate();

        if (faults) {
                if (!parse_target(target, &faults->target))
                        error = &bad_target;
                else if (faults->wake_fd >= 0 && make_place(faults)) {
                        go_up(faults);
                        if (faults->listen_fd >= 0 && start_thread(faults))
                                return faults;
                }
                destroy(faults);
        }
        if (ret_error)
                *ret_error = *error;

        return NULL;
}

struct pipit_test_faults *pipit_test_faults_new_inprocess(struct pipit_inprocess *server,
                                                          struct pipit_error *ret_error)
{
        struct pipit_test_faults *faults = allocate();

        if (faults) {
                faults->door = door_new(faults, server);
                if (faults->door && faults->wake_fd >= 0 && start_thread(faults))
                        return faults;
                destroy(faults);
        }
        if (ret_error)
                *ret_error = no_resources;

        return NULL;
}

struct pipit_inprocess *pipit_test_faults_inprocess(struct pipit_test_faults *faults)
{
        return faults->door ? door_base(faults->door) : NULL;
}

static void free_replies(struct reply *reply)
{
        while (reply) {
                struct reply *next = reply->next;

                reply_free(reply);
                reply = next;
        }
}

struct pipit_test_faults *pipit_test_faults_free(struct pipit_test_faults *faults)
{
        if (!faults)
                return NULL;

        while (faults->watchers) {
                struct watcher *watcher = faults->watchers;

                faults->watchers = watcher->next;
                pipit_test_clock_unwatch(watcher->clock, &watcher->base);
                free(watcher);
        }
        pthread_mutex_lock(&faults->mutex);
        faults->is_stopping = true;
        faults_wake(faults);
        pthread_mutex_unlock(&faults->mutex);
        pthread_join(faults->thread, NULL);

        pthread_mutex_lock(&faults->mutex);
        while (faults->pairs)
                end_pair(&faults->pairs);
        pthread_mutex_unlock(&faults->mutex);
        if (faults->door)
                door_settle(faults->door);
        free_replies(faults->held);
        free_replies(faults->pending);
        plan_deinit(&faults->plan);
        leave_place(faults);
        faults_unref(faults);

        return NULL;
}

/* --- what a test asks for --- */

const char *pipit_test_faults_url(const struct pipit_test_faults *faults)
{
        return faults->url;
}

static void moved(struct pipit_test_clock_watcher *base)
{
        faults_wake(((struct watcher *)base)->faults);
}

/* Mutex held. False: out of memory. */
static bool watch(struct pipit_test_faults *faults, struct pipit_test_clock *clock)
{
        struct watcher *watcher;

        for (watcher = faults->watchers; watcher; watcher = watcher->next)
                if (watcher->clock == clock)
                        return true;
        watcher = calloc(1, sizeof(*watcher));
        if (!watcher)
                return false;

        watcher->base.moved = moved;
        watcher->clock = clock;
        watcher->faults = faults;
        watcher->next = faults->watchers;
        faults->watchers = watcher;
        pipit_test_clock_watch(clock, &watcher->base);

        return true;
}

enum pipit_status pipit_test_faults_add(struct pipit_test_faults *faults,
                                        const struct pipit_test_fault *fault)
{
        enum pipit_status status = PIPIT_RESOURCE_EXHAUSTED;

        pthread_mutex_lock(&faults->mutex);
        if (!fault->clock || watch(faults, fault->clock))
                status = plan_add(&faults->plan, fault);
        pthread_mutex_unlock(&faults->mutex);

        return status;
}

void pipit_test_faults_clear(struct pipit_test_faults *faults)
{
        pthread_mutex_lock(&faults->mutex);
        plan_clear(&faults->plan);
        pthread_mutex_unlock(&faults->mutex);
}

size_t pipit_test_faults_release(struct pipit_test_faults *faults, size_t n)
{
        size_t n_gone = 0;

        pthread_mutex_lock(&faults->mutex);
        while (faults->held && (n == 0 || n_gone < n)) {
                let_go(faults, &faults->held);
                n_gone++;
        }
        faults_wake(faults);
        pthread_mutex_unlock(&faults->mutex);

        return n_gone;
}

/* Mutex held, and let go meanwhile. */
static void wait_obeyed(struct pipit_test_faults *faults)
{
        uint64_t order = ++faults->n_orders;

        faults_wake(faults);
        while (faults->n_obeyed < order)
                pthread_cond_wait(&faults->changed, &faults->mutex);
}

void pipit_test_faults_disconnect(struct pipit_test_faults *faults)
{
        pthread_mutex_lock(&faults->mutex);
        faults->wants_break = true;
        wait_obeyed(faults);
        pthread_mutex_unlock(&faults->mutex);
}

void pipit_test_faults_set_down(struct pipit_test_faults *faults, bool is_down)
{
        pthread_mutex_lock(&faults->mutex);
        faults->is_down = is_down;
        wait_obeyed(faults);
        pthread_mutex_unlock(&faults->mutex);
}

/* Until *@number, which the mutex guards, is at least @n. */
static bool wait_for(struct pipit_test_faults *faults,
                     const size_t *number,
                     size_t n,
                     int timeout_ms)
{
        struct timespec until;
        int error = 0;
        bool is_reached;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += timeout_ms / 1000;
        until.tv_nsec += (long)(timeout_ms % 1000) * NS_PER_MS;
        if (until.tv_nsec >= NS_PER_S) {
                until.tv_sec++;
                until.tv_nsec -= NS_PER_S;
        }

        pthread_mutex_lock(&faults->mutex);
        while (*number < n && error == 0)
                error = pthread_cond_timedwait(&faults->changed, &faults->mutex, &until);
        is_reached = *number >= n;
        pthread_mutex_unlock(&faults->mutex);

        return is_reached;
}

bool pipit_test_faults_wait_held(struct pipit_test_faults *faults, size_t n, int timeout_ms)
{
        return wait_for(faults, &faults->n_held, n, timeout_ms);
}

bool pipit_test_faults_wait_befallen(struct pipit_test_faults *faults, size_t n, int timeout_ms)
{
        return wait_for(faults, &faults->plan.n_befallen, n, timeout_ms);
}
