#include "tests/integration/postgres/relay.h"

#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "core/base/macros.h"

enum { N_SESSIONS_MAX = 16, PORT = 6543, N_SECONDS_MAX = 60 };

/* Where one direction of a session stands among its messages. */
struct stream {
        bool started; /* the first of a client has no type byte */
        uint8_t header[5];
        size_t n_header;
        size_t n_body_left;
};

struct session {
        int client_fd; /* -1: no such session */
        int server_fd;
        struct stream from_client, from_server;
        unsigned n_owed; /* Syncs without their ReadyForQuery */
};

struct relay {
        char folder[64], conninfo[128];
        struct sockaddr_un server;
        int listen_fd, event_fd;
        struct session sessions[N_SESSIONS_MAX];
        pthread_t thread;
        bool running;

        pthread_mutex_t lock;
        pthread_cond_t changed;
        bool holds, stopping;
        unsigned n_syncs, n_early;
};

/* --- messages ---------------------------------------------------------------- */

static void client_message(struct relay *relay, struct session *session, uint8_t type)
{
        pthread_mutex_lock(&relay->lock);
        if (session->n_owed > 0 && type != 'X')
                relay->n_early++;
        if (type == 'S' || type == 'Q') {
                session->n_owed++;
                relay->n_syncs++;
                pthread_cond_broadcast(&relay->changed);
        }
        pthread_mutex_unlock(&relay->lock);
}

static void server_message(struct session *session, uint8_t type)
{
        if (type == 'Z' && session->n_owed > 0)
                session->n_owed--;
}

/* The type of the message whose header ends at this byte, or -1. */
static int feed(struct stream *stream, uint8_t byte)
{
        size_t n_type = stream->started ? 1 : 0;
        uint32_t n_bytes = 0;

        if (stream->n_body_left > 0) {
                stream->n_body_left--;
                return -1;
        }
        stream->header[stream->n_header++] = byte;
        if (stream->n_header < n_type + 4)
                return -1;
        for (size_t i = 0; i < 4; i++)
                n_bytes = n_bytes << 8 | stream->header[n_type + i];
        stream->n_body_left = n_bytes - 4;
        stream->n_header = 0;
        stream->started = true;
        return n_type ? stream->header[0] : 0;
}

/* --- sessions ---------------------------------------------------------------- */

static void session_close(struct session *session)
{
        if (session->client_fd >= 0)
                close(session->client_fd);
        if (session->server_fd >= 0)
                close(session->server_fd);
        *session = (struct session){.client_fd = -1, .server_fd = -1};
}

static void session_open(struct relay *relay)
{
        int fd = accept(relay->listen_fd, NULL, NULL);
        struct session *session = NULL;

        for (size_t i = 0; i < N_SESSIONS_MAX && !session; i++)
                if (relay->sessions[i].client_fd < 0)
                        session = &relay->sessions[i];
        if (fd < 0 || !session) {
                if (fd >= 0)
                        close(fd);
                return;
        }
        session->client_fd = fd;
        session->from_server.started = true;
        session->server_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (session->server_fd < 0 || connect(session->server_fd,
                                              (const struct sockaddr *)&relay->server,
                                              sizeof(relay->server)) != 0)
                session_close(session);
}

static bool write_all(int fd, const uint8_t *bytes, size_t n_bytes)
{
        while (n_bytes > 0) {
                ssize_t n = send(fd, bytes, n_bytes, MSG_NOSIGNAL);

                if (n <= 0)
                        return false;
                bytes += n;
                n_bytes -= (size_t)n;
        }
        return true;
}

static void pass_on(struct relay *relay, struct session *session, bool from_client)
{
        struct stream *stream = from_client ? &session->from_client : &session->from_server;
        uint8_t bytes[16384];
        ssize_t n = recv(
                from_client ? session->client_fd : session->server_fd, bytes, sizeof(bytes), 0);

        for (ssize_t i = 0; i < n; i++) {
                int type = feed(stream, bytes[i]);

                if (type > 0 && from_client)
                        client_message(relay, session, (uint8_t)type);
                else if (type > 0)
                        server_message(session, (uint8_t)type);
        }
        if (n <= 0 ||
            !write_all(from_client ? session->server_fd : session->client_fd, bytes, (size_t)n))
                session_close(session);
}

/* --- thread ------------------------------------------------------------------ */

static void *run(void *context)
{
        struct relay *relay = context;

        for (;;) {
                struct pollfd fds[2 + 2 * N_SESSIONS_MAX];
                eventfd_t ignored;
                bool holds, stopping;

                pthread_mutex_lock(&relay->lock);
                holds = relay->holds;
                stopping = relay->stopping;
                pthread_mutex_unlock(&relay->lock);
                if (stopping)
                        return NULL;

                fds[0] = (struct pollfd){.fd = relay->event_fd, .events = POLLIN};
                fds[1] = (struct pollfd){.fd = relay->listen_fd, .events = POLLIN};
                for (size_t i = 0; i < N_SESSIONS_MAX; i++) {
                        const struct session *session = &relay->sessions[i];

                        fds[2 + 2 * i] =
                                (struct pollfd){.fd = session->client_fd, .events = POLLIN};
                        fds[3 + 2 * i] = (struct pollfd){.fd = holds ? -1 : session->server_fd,
                                                         .events = POLLIN};
                }
                if (poll(fds, PIPIT_N_ELEMENTS(fds), -1) < 0)
                        continue;

                if (fds[0].revents)
                        (void)eventfd_read(relay->event_fd, &ignored);
                for (size_t i = 0; i < N_SESSIONS_MAX; i++) {
                        if (fds[2 + 2 * i].revents)
                                pass_on(relay, &relay->sessions[i], true);
                        if (fds[3 + 2 * i].revents && relay->sessions[i].server_fd >= 0)
                                pass_on(relay, &relay->sessions[i], false);
                }
                if (fds[1].revents)
                        session_open(relay);
        }
}

/* --- life -------------------------------------------------------------------- */

static bool find_server(const char *conninfo, struct sockaddr_un *ret_server)
{
        PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
        const char *host = NULL;
        int n = -1;

        for (PQconninfoOption *option = options; option && option->keyword; option++)
                if (strcmp(option->keyword, "host") == 0)
                        host = option->val;
        *ret_server = (struct sockaddr_un){.sun_family = AF_UNIX};
        if (host && host[0] == '/')
                n = snprintf(ret_server->sun_path,
                             sizeof(ret_server->sun_path),
                             "%s/.s.PGSQL.5432",
                             host);
        PQconninfoFree(options);
        return n > 0 && (size_t)n < sizeof(ret_server->sun_path);
}

static bool start_listening(struct relay *relay)
{
        const char *base = getenv("TMPDIR");
        struct sockaddr_un own = {.sun_family = AF_UNIX};

        (void)snprintf(relay->folder,
                       sizeof(relay->folder),
                       "%s/pipit-relay-XXXXXX",
                       base && strlen(base) < 32 ? base : "/tmp");
        if (!mkdtemp(relay->folder))
                return false;
        (void)snprintf(own.sun_path, sizeof(own.sun_path), "%s/.s.PGSQL.%d", relay->folder, PORT);
        (void)snprintf(relay->conninfo,
                       sizeof(relay->conninfo),
                       "host=%s port=%d gssencmode=disable",
                       relay->folder,
                       PORT);
        return bind(relay->listen_fd, (const struct sockaddr *)&own, sizeof(own)) == 0 &&
               listen(relay->listen_fd, N_SESSIONS_MAX) == 0;
}

struct relay *relay_new(const char *conninfo)
{
        struct relay *relay = calloc(1, sizeof(*relay));

        if (!relay)
                return NULL;
        (void)pthread_mutex_init(&relay->lock, NULL);
        (void)pthread_cond_init(&relay->changed, NULL);
        for (size_t i = 0; i < N_SESSIONS_MAX; i++)
                relay->sessions[i] = (struct session){.client_fd = -1, .server_fd = -1};
        relay->event_fd = eventfd(0, EFD_CLOEXEC);
        relay->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (!find_server(conninfo, &relay->server) || !start_listening(relay) ||
            pthread_create(&relay->thread, NULL, run, relay) != 0) {
                fprintf(stderr, "relay: cannot stand before \"%s\"\n", conninfo);
                relay_free(relay);
                return NULL;
        }
        relay->running = true;
        return relay;
}

static void set(struct relay *relay, bool *flag, bool value)
{
        pthread_mutex_lock(&relay->lock);
        *flag = value;
        relay->n_syncs = 0;
        pthread_mutex_unlock(&relay->lock);
        (void)eventfd_write(relay->event_fd, 1);
}

void relay_free(struct relay *relay)
{
        char path[128];

        if (!relay)
                return;
        if (relay->running) {
                set(relay, &relay->stopping, true);
                pthread_join(relay->thread, NULL);
        }
        for (size_t i = 0; i < N_SESSIONS_MAX; i++)
                session_close(&relay->sessions[i]);
        close(relay->listen_fd);
        close(relay->event_fd);
        (void)snprintf(path, sizeof(path), "%s/.s.PGSQL.%d", relay->folder, PORT);
        (void)unlink(path);
        (void)rmdir(relay->folder);
        (void)pthread_cond_destroy(&relay->changed);
        (void)pthread_mutex_destroy(&relay->lock);
        free(relay);
}

const char *relay_conninfo(const struct relay *relay)
{
        return relay->conninfo;
}

void relay_hold(struct relay *relay)
{
        set(relay, &relay->holds, true);
}

void relay_let_go(struct relay *relay)
{
        set(relay, &relay->holds, false);
}

bool relay_wait_for_syncs(struct relay *relay, unsigned n)
{
        struct timespec end;
        bool come;
        int failed = 0;

        (void)clock_gettime(CLOCK_REALTIME, &end);
        end.tv_sec += N_SECONDS_MAX;
        pthread_mutex_lock(&relay->lock);
        while (relay->n_syncs < n && failed == 0)
                failed = pthread_cond_timedwait(&relay->changed, &relay->lock, &end);
        come = relay->n_syncs >= n;
        pthread_mutex_unlock(&relay->lock);
        return come;
}

unsigned relay_n_early(struct relay *relay)
{
        unsigned n;

        pthread_mutex_lock(&relay->lock);
        n = relay->n_early;
        pthread_mutex_unlock(&relay->lock);
        return n;
}
