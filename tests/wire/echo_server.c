/*
 * A server of echo.v1.EchoService, for tests that choose its limits
 *
 *      echo_server --listen URL... [--key FILE --authorized-keys FILE] [--OPTION NUMBER]...
 *
 * Without a key tcp is plain. Each other option is a member of struct
 * pipit_server_options, with dashes. Prints
 * `listening on URL`, then `ran TEXT`, `done TEXT` and `cancelled TEXT` of each
 * call that has a text, as it starts, has been answered, or sees that nobody
 * waits. Echo of the text "grow" answers with that NUMBER of bytes, "wake TEXT"
 * ends the Sleep of that text. SIGTERM drains; a second one ends it at once.
 * Exits 0 if nothing accepted was left.
 */

#include <pipit/server.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/macros.h"
#include "echo/v1/echo.pipit.h"

#define URLS_MAX   4
#define TICK_US    2000 /* how late a sleeper sees its end, or a cancel */
#define GROW_MAX   (256U * 1024 * 1024)
#define TEXT_BYTES 64

struct sleeper {
        struct sleeper *next;
        struct pipit_server_call *call;
        int64_t until_us;
        char text[TEXT_BYTES];
};

/* One thread answers all sleepers: sleeping takes no thread each. */
struct echo {
        pthread_mutex_t lock;
        pthread_cond_t changed;
        struct sleeper *sleepers;
        bool ends;
        pthread_t thread;
};

static void say(const char *what, const char *text)
{
        if (text[0] == '\0')
                return;

        printf("%s %s\n", what, text);
        fflush(stdout);
}

static void wake(struct echo *echo, const char *text)
{
        pthread_mutex_lock(&echo->lock);
        for (struct sleeper *sleeper = echo->sleepers; sleeper; sleeper = sleeper->next)
                if (strcmp(sleeper->text, text) == 0)
                        sleeper->until_us = 0;
        pthread_cond_signal(&echo->changed);
        pthread_mutex_unlock(&echo->lock);
}

static void handle_echo(void *self,
                        struct pipit_server_call *call,
                        const Echo__V1__EchoRequest *request)
{
        static const char waker[] = "wake ";
        Echo__V1__EchoResponse response = ECHO__V1__ECHO_RESPONSE__INIT;

        say("ran", request->text);
        if (strncmp(request->text, waker, strlen(waker)) == 0)
                wake(self, request->text + strlen(waker));
        response.text = request->text;
        response.number = request->number;
        response.data = request->data;
        if (strcmp(request->text, "grow") == 0 && request->number <= GROW_MAX) {
                response.data.len = (size_t)request->number;
                response.data.data = pipit_server_call_alloc(call, response.data.len + 1);
                if (!response.data.data)
                        response.data.len = 0;
        }
        for (size_t i = 0; i < pipit_server_call_n_metadata(call); i++) {
                const struct pipit_metadata *metadata = pipit_server_call_metadata(call, i);

                pipit_server_call_add_metadata(
                        call, metadata->key, metadata->value, metadata->n_value_bytes);
        }

        echo_v1_echo_reply(call, &response);
}

static void handle_sleep(void *self,
                         struct pipit_server_call *call,
                         const Echo__V1__SleepRequest *request)
{
        struct echo *echo = self;
        struct sleeper *sleeper = calloc(1, sizeof(*sleeper));

        if (!sleeper) {
                const struct pipit_error error = {.status = PIPIT_RESOURCE_EXHAUSTED};

                pipit_server_call_fail(call, &error);
                return;
        }

        say("ran", request->text);
        sleeper->call = call;
        sleeper->until_us = pipit_clock_now_us() + (int64_t)request->duration_ms * 1000;
        snprintf(sleeper->text, sizeof(sleeper->text), "%s", request->text);

        pthread_mutex_lock(&echo->lock);
        sleeper->next = echo->sleepers;
        echo->sleepers = sleeper;
        pthread_cond_signal(&echo->changed);
        pthread_mutex_unlock(&echo->lock);
}

static void handle_fail(void *self,
                        struct pipit_server_call *call,
                        const Echo__V1__FailRequest *request)
{
        const struct pipit_error error = {
                .status = (enum pipit_status)request->code,
                .ran = PIPIT_RAN,
                .reason = "ASKED_FOR",
                .domain = "echo.v1",
                .message = request->message,
        };

        (void)self;

        pipit_server_call_fail(call, &error);
}

static void sleeper_wake(struct sleeper *sleeper, bool cancelled)
{
        Echo__V1__EchoResponse response = ECHO__V1__ECHO_RESPONSE__INIT;
        const struct pipit_error error = {
                .status = PIPIT_CANCELLED,
                .ran = PIPIT_RAN,
                .message = "the caller has left",
        };

        if (cancelled) {
                pipit_server_call_fail(sleeper->call, &error);
        } else {
                response.text = sleeper->text;
                echo_v1_sleep_reply(sleeper->call, &response);
        }
        say(cancelled ? "cancelled" : "done", sleeper->text);
        free(sleeper);
}

/* The sleepers that are due or cancelled, taken out. Under the lock. */
static struct sleeper *take_due(struct echo *echo)
{
        int64_t now_us = pipit_clock_now_us();
        struct sleeper **link = &echo->sleepers;
        struct sleeper *due = NULL;

        while (*link) {
                struct sleeper *sleeper = *link;

                if (sleeper->until_us > now_us && !pipit_server_call_cancelled(sleeper->call)) {
                        link = &sleeper->next;
                        continue;
                }
                *link = sleeper->next;
                sleeper->next = due;
                due = sleeper;
        }

        return due;
}

static void wait_a_tick(struct echo *echo)
{
        struct timespec until;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += TICK_US * 1000;
        if (until.tv_nsec >= 1000000000) {
                until.tv_nsec -= 1000000000;
                until.tv_sec++;
        }
        pthread_cond_timedwait(&echo->changed, &echo->lock, &until);
}

static void *wake_sleepers(void *arg)
{
        struct echo *echo = arg;

        pthread_mutex_lock(&echo->lock);
        while (!echo->ends || echo->sleepers) {
                struct sleeper *due = take_due(echo);

                if (due) {
                        pthread_mutex_unlock(&echo->lock);
                        while (due) {
                                struct sleeper *next = due->next;

                                sleeper_wake(due,
                                             due->until_us > pipit_clock_now_us() &&
                                                     pipit_server_call_cancelled(due->call));
                                due = next;
                        }
                        pthread_mutex_lock(&echo->lock);
                } else if (echo->sleepers) {
                        wait_a_tick(echo);
                } else {
                        pthread_cond_wait(&echo->changed, &echo->lock);
                }
        }
        pthread_mutex_unlock(&echo->lock);

        return NULL;
}

static void end_sleepers(struct echo *echo)
{
        pthread_mutex_lock(&echo->lock);
        echo->ends = true;
        pthread_cond_signal(&echo->changed);
        pthread_mutex_unlock(&echo->lock);
        pthread_join(echo->thread, NULL);
}

/* False: there is no such option. */
static bool option_set(struct pipit_server_options *options, const char *name, uint32_t value)
{
        const struct {
                const char *name;
                uint32_t *value;
        } known[] = {
                {"--n-workers", &options->n_workers},
                {"--worker-queue-max", &options->worker_queue_max},
                {"--drain-ms", &options->drain_ms},
                {"--timeout-ms-default", &options->timeout_ms_default},
                {"--timeout-ms-max", &options->timeout_ms_max},
                {"--frame-bytes-max", &options->frame_bytes_max},
                {"--hold-ms-max", &options->hold_ms_max},
                {"--calls-per-mailbox-max", &options->calls_per_mailbox_max},
                {"--calls-max", &options->calls_max},
                {"--decoded-bytes-peer-max", &options->decoded_bytes_peer_max},
                {"--decoded-bytes-all-max", &options->decoded_bytes_all_max},
                {"--held-frames-per-pipe-max", &options->held_frames_per_pipe_max},
                {"--mailboxes-per-principal-max", &options->mailboxes_per_principal_max},
                {"--pipes-max", &options->pipes_max},
                {"--contexts-max", &options->contexts_max},
                {"--send-timeout-ms", &options->send_timeout_ms},
                {"--receive-timeout-ms", &options->receive_timeout_ms},
                {"--mailbox-linger-ms", &options->mailbox_linger_ms},
        };

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(known); i++) {
                if (strcmp(name, known[i].name) == 0) {
                        *known[i].value = value;
                        return true;
                }
        }

        return false;
}

static int fail(const char *what, const struct pipit_error *error)
{
        fprintf(stderr, "echo_server: %s: %s\n", what, error->message ? error->message : "failed");
        return EXIT_FAILURE;
}

static int serve(const struct pipit_server_options *options,
                 const char *const *urls,
                 struct echo *echo)
{
        static const struct echo_v1_echo_service handlers = {
                .echo = handle_echo,
                .sleep = handle_sleep,
                .fail = handle_fail,
        };
        struct pipit_error error = {0};
        struct pipit_server *server = pipit_server_new(options, &error);
        size_t n_left;
        sigset_t signals;
        int signal_number;

        if (!server)
                return fail("new", &error);
        if (echo_v1_echo_service_register(server, &handlers, echo) != PIPIT_OK)
                return fail("register", &error);
        for (size_t i = 0; i < URLS_MAX && urls[i]; i++) {
                if (pipit_server_listen(server, urls[i], &error) != PIPIT_OK)
                        return fail(urls[i], &error);
        }
        if (pipit_server_start(server, &error) != PIPIT_OK)
                return fail("start", &error);
        for (size_t i = 0; pipit_server_url(server, i); i++)
                printf("listening on %s\n", pipit_server_url(server, i));
        fflush(stdout);

        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigwait(&signals, &signal_number);
        pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
        n_left = pipit_server_stop(server);
        end_sleepers(echo);
        pipit_server_free(server);

        return n_left == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
        struct pipit_server_options options = {.insecure_plaintext = true};
        struct echo echo = {.lock = PTHREAD_MUTEX_INITIALIZER};
        const char *urls[URLS_MAX + 1] = {NULL};
        size_t n_urls = 0;
        pthread_condattr_t monotonic;
        sigset_t signals;

        for (int i = 1; i + 1 < argc; i += 2) {
                if (strcmp(argv[i], "--listen") == 0 && n_urls < URLS_MAX) {
                        urls[n_urls++] = argv[i + 1];
                } else if (strcmp(argv[i], "--key") == 0) {
                        options.key_path = argv[i + 1];
                        options.insecure_plaintext = false;
                } else if (strcmp(argv[i], "--authorized-keys") == 0) {
                        options.authorized_keys_path = argv[i + 1];
                } else if (!option_set(
                                   &options, argv[i], (uint32_t)strtoul(argv[i + 1], NULL, 10))) {
                        fprintf(stderr, "echo_server: unknown option %s\n", argv[i]);
                        return EXIT_FAILURE;
                }
        }

        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        pthread_sigmask(SIG_BLOCK, &signals, NULL);
        pthread_condattr_init(&monotonic);
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        pthread_cond_init(&echo.changed, &monotonic);
        if (pthread_create(&echo.thread, NULL, wake_sleepers, &echo) != 0)
                return EXIT_FAILURE;

        return serve(&options, urls, &echo);
}
