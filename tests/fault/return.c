/*
 * A thousand clients come back to a server that was killed, by tcp with keys
 *
 *      fault-return SERVER [CLIENTS [ROUNDS]]
 *
 * Each is a channel with a session of its own, from one address. The server is killed and,
 * once all have taken notice, started again; then each calls once, as if nothing had
 * happened: all calls are OK, and the server has run as many as there were. (What is sent to a
 * server that is gone already, before its end is noticed, fails as "the server was
 * restarted", and rightly so: it may have run.)
 */

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pipit/client.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "echo/v1/echo.pipit.h"
#include "tests/harness/harness.h"
#include "tests/harness/keys.h"

#define N_CALLERS  16
#define TIMEOUT_MS 30000
#define PIPE_BYTES (1024 * 1024)

struct crowd {
        struct pipit_channel **channels;
        size_t n_channels;
        atomic_size_t next;
        atomic_size_t n_failed;
};

static void *call_all(void *context)
{
        struct crowd *crowd = context;
        size_t i;

        while ((i = atomic_fetch_add(&crowd->next, 1)) < crowd->n_channels) {
                struct pipit_call call = {.timeout_ms = TIMEOUT_MS, .wait_for_ready = true};
                Echo__V1__EchoRequest request = ECHO__V1__ECHO_REQUEST__INIT;
                const Echo__V1__EchoResponse *response;

                request.number = i;
                if (echo_v1_echo(crowd->channels[i], &call, &request, &response) != PIPIT_OK) {
                        note("client %zu: %s", i, pipit_call_error(&call)->message);
                        atomic_fetch_add(&crowd->n_failed, 1);
                }
                pipit_call_deinit(&call);
        }

        return NULL;
}

static int64_t call_once_each(struct crowd *crowd)
{
        int64_t start_us = pipit_clock_now_us();
        pthread_t threads[N_CALLERS];

        atomic_store(&crowd->next, 0);
        for (size_t i = 0; i < N_CALLERS; i++) {
                if (pthread_create(&threads[i], NULL, call_all, crowd) != 0)
                        die("no threads");
        }
        for (size_t i = 0; i < N_CALLERS; i++)
                (void)pthread_join(threads[i], NULL);

        return pipit_clock_now_us() - start_us;
}

/* Connections of ours that the kernel knows to have ended, and the channels do not yet. */
static size_t n_unnoticed(const char *url)
{
        unsigned int port = (unsigned int)strtoul(strrchr(url, ':') + 1, NULL, 10);
        FILE *file = fopen("/proc/net/tcp", "r");
        char line[256];
        size_t n = 0;

        if (!file)
                die("/proc/net/tcp: %s", strerror(errno));
        while (fgets(line, sizeof(line), file)) {
                unsigned int remote_port, state;

                if (sscanf(line, " %*d: %*x:%*x %*x:%x %x", &remote_port, &state) == 2 &&
                    remote_port == port && (state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT))
                        n++;
        }
        (void)fclose(file);

        return n;
}

static void wait_until_noticed(const char *url)
{
        const struct timespec pause = {.tv_nsec = 1000000}; /* nobody tells when */

        while (n_unnoticed(url) > 0)
                (void)nanosleep(&pause, NULL);
}

static void start_server(
        struct process *server, const char *path, const char *url, int record, const char *folder)
{
        char fd[16];
        const char *argv[] = {path, url, fd, folder, NULL};

        (void)snprintf(fd, sizeof(fd), "%d", record);
        process_start(server, argv, NULL);
}

static size_t n_ran(int record)
{
        uint64_t number;
        size_t n = 0;

        while (read(record, &number, sizeof(number)) == (ssize_t)sizeof(number))
                n++;

        return n;
}

static void descriptors_raise(void)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
                die("getrlimit: %s", strerror(errno));
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static void crowd_make(struct crowd *crowd, const char *url)
{
        crowd->channels = calloc(crowd->n_channels, sizeof(struct pipit_channel *));
        for (size_t i = 0; crowd->channels && i < crowd->n_channels; i++) {
                crowd->channels[i] = pipit_channel_new(url, NULL, NULL);
                if (!crowd->channels[i])
                        die("channel %zu could not be made", i);
        }
}

int main(int argc, char **argv)
{
        struct crowd crowd = {.n_channels = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000};
        size_t n_rounds = argc > 3 ? strtoul(argv[3], NULL, 10) : 2;
        struct process server;
        char folder[64];
        char url[64];
        int record[2];

        if (argc < 2 || pipe2(record, O_NONBLOCK) != 0)
                die("usage: fault-return SERVER [CLIENTS [ROUNDS]]");
        (void)fcntl(record[0], F_SETFD, FD_CLOEXEC);
        (void)fcntl(record[0], F_SETPIPE_SZ, PIPE_BYTES);
        descriptors_raise();
        temporary_folder_make(folder);
        free_tcp_url(url);
        key_folder_fill(folder, url);
        (void)setenv("PIPIT_CONFIG_DIR", folder, 1);
        start_server(&server, argv[1], url, record[1], folder);
        crowd_make(&crowd, url);
        (void)call_once_each(&crowd);
        (void)check(atomic_load(&crowd.n_failed) == 0 && n_ran(record[0]) == crowd.n_channels,
                    "%zu clients call by sessions of their own",
                    crowd.n_channels);

        for (size_t i = 0; i < n_rounds; i++) {
                int64_t took_us;

                (void)process_end(&server, SIGKILL);
                wait_until_noticed(url);
                start_server(&server, argv[1], url, record[1], folder);
                took_us = call_once_each(&crowd);
                (void)check(atomic_load(&crowd.n_failed) == 0 &&
                                    n_ran(record[0]) == crowd.n_channels,
                            "round %zu: all are back and have called once, in %lld ms",
                            i,
                            (long long)(took_us / PIPIT_US_PER_MS));
        }

        for (size_t i = 0; i < crowd.n_channels; i++)
                (void)pipit_channel_free(crowd.channels[i]);
        free(crowd.channels);
        (void)process_end(&server, SIGKILL);
        temporary_folder_remove(folder);

        return finish();
}
