/*
 * The server of the fault tests: echo.v1.EchoService
 *
 *      fault-server URL [RECORD-FD [FOLDER]]
 *
 * Echo answers at once; Sleep when its time is over, from one timer thread, so
 * that any number of slow calls wait without occupying anything. With RECORD-FD
 * the request's number (Sleep: its text) is first written there, as 8 bytes: what
 * was run, told through a pipe that outlives kill -9 (-1: nowhere). SIGTERM drains.
 * With FOLDER tcp has keys: server.key and authorized_keys lie there.
 */

#include <errno.h>
#include <pipit/server.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/macros.h"
#include "echo/v1/echo.pipit.h"

struct sleeper {
        int64_t due_us;
        struct pipit_server_call *call;
        Echo__V1__EchoResponse response;
};

/* A binary heap by due time. */
struct timer {
        pthread_mutex_t mutex;
        pthread_cond_t changed;
        struct sleeper **heap;
        size_t n;
        size_t room;
        bool stopping;
};

struct echo_server {
        int record_fd; /* -1: none */
        char *key_path;
        char *authorized_keys_path;
        struct timer timer;
};

static void swap(struct sleeper **a, struct sleeper **b)
{
        struct sleeper *sleeper = *a;

        *a = *b;
        *b = sleeper;
}

static bool heap_push(struct timer *timer, struct sleeper *sleeper)
{
        size_t i = timer->n;

        if (timer->n == timer->room) {
                size_t room = timer->room ? timer->room * 2 : 64;
                struct sleeper **heap = realloc(timer->heap, room * sizeof(struct sleeper *));

                if (!heap)
                        return false;
                timer->heap = heap;
                timer->room = room;
        }

        timer->heap[timer->n++] = sleeper;
        for (; i > 0 && timer->heap[(i - 1) / 2]->due_us > timer->heap[i]->due_us; i = (i - 1) / 2)
                swap(&timer->heap[(i - 1) / 2], &timer->heap[i]);

        return true;
}

static struct sleeper *heap_pop(struct timer *timer)
{
        struct sleeper *first = timer->heap[0];
        size_t i = 0;

        timer->heap[0] = timer->heap[--timer->n];
        for (;;) {
                size_t child = 2 * i + 1;

                if (child + 1 < timer->n &&
                    timer->heap[child + 1]->due_us < timer->heap[child]->due_us)
                        child++;
                if (child >= timer->n || timer->heap[i]->due_us <= timer->heap[child]->due_us)
                        return first;
                swap(&timer->heap[i], &timer->heap[child]);
                i = child;
        }
}

static void timer_wait(struct timer *timer)
{
        struct timespec until;

        if (timer->n == 0) {
                (void)pthread_cond_wait(&timer->changed, &timer->mutex);
                return;
        }

        until.tv_sec = timer->heap[0]->due_us / PIPIT_US_PER_S;
        until.tv_nsec = timer->heap[0]->due_us % PIPIT_US_PER_S * 1000;
        (void)pthread_cond_timedwait(&timer->changed, &timer->mutex, &until);
}

static void *timer_run(void *argument)
{
        struct timer *timer = argument;

        (void)pthread_mutex_lock(&timer->mutex);
        while (!timer->stopping || timer->n > 0) {
                struct sleeper *sleeper;

                if (timer->n == 0 || timer->heap[0]->due_us > pipit_clock_now_us()) {
                        timer_wait(timer);
                        continue;
                }
                sleeper = heap_pop(timer);
                (void)pthread_mutex_unlock(&timer->mutex);
                echo_v1_sleep_reply(sleeper->call, &sleeper->response);
                (void)pthread_mutex_lock(&timer->mutex);
        }
        (void)pthread_mutex_unlock(&timer->mutex);

        return NULL;
}

static void record(const struct echo_server *server, uint64_t number)
{
        if (server->record_fd >= 0 &&
            write(server->record_fd, &number, sizeof(number)) != (ssize_t)sizeof(number))
                abort();
}

static void fail_memory(struct pipit_server_call *call)
{
        const struct pipit_error error = {
                .status = PIPIT_RESOURCE_EXHAUSTED,
                .ran = PIPIT_NOT_RUN,
                .reason = "OUT_OF_MEMORY",
                .message = "out of memory",
        };

        pipit_server_call_fail(call, &error);
}

static void handle_sleep(void *self,
                         struct pipit_server_call *call,
                         const Echo__V1__SleepRequest *request)
{
        struct echo_server *server = self;
        struct sleeper *sleeper = pipit_server_call_alloc(call, sizeof(*sleeper));
        bool pushed;

        record(server, strtoull(request->text, NULL, 10));
        if (!sleeper) {
                fail_memory(call);
                return;
        }

        sleeper->due_us = pipit_clock_now_us() + request->duration_ms * PIPIT_US_PER_MS;
        sleeper->call = call;
        echo__v1__echo_response__init(&sleeper->response);
        sleeper->response.text = request->text;
        (void)pthread_mutex_lock(&server->timer.mutex);
        pushed = heap_push(&server->timer, sleeper);
        (void)pthread_cond_signal(&server->timer.changed);
        (void)pthread_mutex_unlock(&server->timer.mutex);
        if (!pushed)
                fail_memory(call);
}

static void handle_echo(void *self,
                        struct pipit_server_call *call,
                        const Echo__V1__EchoRequest *request)
{
        struct echo_server *server = self;
        Echo__V1__EchoResponse response = ECHO__V1__ECHO_RESPONSE__INIT;

        record(server, request->number);
        response.text = request->text;
        response.number = request->number;
        response.data = request->data;
        echo_v1_echo_reply(call, &response);
}

static const struct echo_v1_echo_service handlers = {
        .echo = handle_echo,
        .sleep = handle_sleep,
};

static char *path_in(const char *folder, const char *name)
{
        char *path = NULL;

        if (folder && asprintf(&path, "%s/%s", folder, name) < 0)
                exit(EXIT_FAILURE);

        return path;
}

static struct pipit_server *start(struct echo_server *echo, const char *url, const char *folder)
{
        const struct pipit_server_options options = {
                .insecure_plaintext = !folder,
                .key_path = echo->key_path = path_in(folder, "server.key"),
                .authorized_keys_path = echo->authorized_keys_path =
                        path_in(folder, "authorized_keys"),
        };
        struct pipit_error error = {0};
        struct pipit_server *server = pipit_server_new(&options, &error);

        if (!server || echo_v1_echo_service_register(server, &handlers, echo) != PIPIT_OK ||
            pipit_server_listen(server, url, &error) != PIPIT_OK ||
            pipit_server_start(server, &error) != PIPIT_OK) {
                (void)fprintf(stderr, "fault-server: %s: %s\n", url, error.message);
                exit(EXIT_FAILURE);
        }

        return server;
}

static void timer_init(struct timer *timer)
{
        pthread_condattr_t attributes;

        (void)pthread_condattr_init(&attributes);
        (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        (void)pthread_mutex_init(&timer->mutex, NULL);
        (void)pthread_cond_init(&timer->changed, &attributes);
        (void)pthread_condattr_destroy(&attributes);
}

static void timer_stop(struct timer *timer, pthread_t thread)
{
        (void)pthread_mutex_lock(&timer->mutex);
        timer->stopping = true;
        (void)pthread_cond_signal(&timer->changed);
        (void)pthread_mutex_unlock(&timer->mutex);
        (void)pthread_join(thread, NULL);
        free(timer->heap);
}

int main(int argc, char **argv)
{
        struct echo_server echo = {.record_fd = argc > 2 ? atoi(argv[2]) : -1};
        struct pipit_server *server;
        pthread_t thread;
        sigset_t signals;
        size_t n_unfinished;
        int number;

        if (argc < 2) {
                (void)fprintf(stderr, "usage: fault-server URL [RECORD-FD [FOLDER]]\n");
                return 2;
        }

        (void)sigemptyset(&signals);
        (void)sigaddset(&signals, SIGTERM);
        (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
        timer_init(&echo.timer);
        if (pthread_create(&thread, NULL, timer_run, &echo.timer) != 0)
                return EXIT_FAILURE;

        server = start(&echo, argv[1], argc > 3 ? argv[3] : NULL);
        (void)printf("listening on %s\n", pipit_server_url(server, 0));
        (void)fflush(stdout);
        (void)sigwait(&signals, &number);
        n_unfinished = pipit_server_stop(server);
        timer_stop(&echo.timer, thread);
        (void)pipit_server_free(server);
        free(echo.key_path);
        free(echo.authorized_keys_path);

        return n_unfinished == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
