/*
 * usersd: the composition root
 *
 * The only file that knows everything: it chooses a store, plugs it into the
 * use cases, and opens the doors.
 */

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pipit/server.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/macros.h"
#include "core/base/uuid.h"
#include "core/users/ports.h"
#include "server/delivery/users_v1/invoke.h"
#include "server/delivery/users_v1/rpc.h"
#include "server/harden.h"
#include "server/listen.h"
#include "server/options.h"
#include "server/store/memory/memory.h"
#include "server/store/postgres/postgres.h"
#include "server/store/sqlite/sqlite.h"

#ifndef PIPIT_VERSION
#define PIPIT_VERSION "unknown"
#endif

#define EXIT_INTERNAL  1
#define EXIT_USAGE     2
#define LOG_FLUSH_MS   1000 /* so that a warning stands before the error that it is about */
#define DIRECTORY_MODE 0750 /* SECURITY: what others may not enter, they cannot connect to */

/*
 * Blocks from here on go back to the kernel when they are freed. Large ones come
 * and go with the frames, on whichever thread: kept by malloc they would lie in
 * pieces between what stays, and add up.
 */
#define MMAP_THRESHOLD (32 * 1024)

#define SQLITE_SCHEME "sqlite:"

static bool has_prefix(const char *string, const char *prefix)
{
        return strncmp(string, prefix, strlen(prefix)) == 0;
}

/*
 * Whoever starts a program with one of 0 to 2 closed gives its number to the next file that is
 * opened, as a database. Each gets /dev/null instead, opened the wrong way round: what reads or
 * writes there fails as it would have.
 */
static bool fill_standard_streams(void)
{
        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
                if (fcntl(fd, F_GETFD) < 0 &&
                    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
                        return false;
        }

        return true;
}

/* What was printed has arrived, or the exit code tells that it has not. */
static int end_output(int status)
{
        if (status != EXIT_SUCCESS)
                return status;

        errno = 0;
        if (fflush(stdout) == 0 && !ferror(stdout))
                return EXIT_SUCCESS;
        /* `usersd help | head -1` is no failure of ours: it ends as other programs do. */
        if (errno == EPIPE) {
                (void)signal(SIGPIPE, SIG_DFL);
                (void)raise(SIGPIPE);
        }
        /* What failed on the way, when the buffer was full, says only that it has. */
        (void)fprintf(stderr,
                      "usersd: cannot write to standard output: %s\n",
                      strerror(errno ? errno : EIO));

        return EXIT_INTERNAL;
}

static void print_error(const char *what, const struct pipit_error *error)
{
        (void)fprintf(stderr,
                      "usersd: %s: %s%s%s: %s\n",
                      what,
                      pipit_status_name(error->status),
                      error->reason ? " " : "",
                      error->reason ? error->reason : "",
                      error->message ? error->message : "no details");
}

/* Makes the directory of @path and those above it, as far as they are missing. */
static bool make_directory_of(const char *path)
{
        char directory[512];
        char *slash;

        if (strlen(path) >= sizeof(directory))
                return false;

        (void)strcpy(directory, path);
        for (slash = strchr(directory + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                if (mkdir(directory, DIRECTORY_MODE) < 0 && errno != EEXIST)
                        return false;
                *slash = '/';
        }

        return true;
}

/* The directories of what the command line left to us; those that it names must be there. */
static bool make_default_directories(const struct usersd_options *options)
{
        if (options->urls[0] == options->default_url &&
            !make_directory_of(options->default_url + strlen("ipc://"))) {
                (void)fprintf(stderr, "usersd: %s: %s\n", options->default_url, strerror(errno));
                return false;
        }
        if (options->store == options->default_store &&
            !make_directory_of(options->default_store + strlen(SQLITE_SCHEME))) {
                (void)fprintf(stderr, "usersd: %s: %s\n", options->default_store, strerror(errno));
                return false;
        }

        return true;
}

static struct users_repository *open_store(const struct usersd_options *options,
                                           struct pipit_log *log)
{
        const struct users_burst burst = {
                .begin = pipit_server_cork,
                .end = pipit_server_uncork,
        };
        struct users_repository *repository;
        struct pipit_error error = {0};

        if (strcmp(options->store, "memory:") == 0) {
                error = pipit_error_make(
                        PIPIT_RESOURCE_EXHAUSTED, PIPIT_NOT_RUN, NULL, "out of memory");
                repository = users_memory_new(&pipit_clock_system);
        } else if (has_prefix(options->store, SQLITE_SCHEME)) {
                repository = users_sqlite_new(
                        &(struct users_sqlite_options){
                                .path = options->store + strlen(SQLITE_SCHEME),
                                .clock = &pipit_clock_system,
                                .log = log,
                                .burst = burst,
                        },
                        &error);
        } else {
                repository = users_postgres_new(
                        &(struct users_postgres_options){
                                .conninfo = options->store,
                                .clock = &pipit_clock_system,
                                .log = log,
                                .burst = burst,
                                .n_connections = options->n_connections,
                                .no_named_statements = options->no_named_statements,
                                .allow_data_loss = options->allow_data_loss,
                        },
                        &error);
        }
        if (!repository)
                print_error("the store cannot be opened", &error);

        return repository;
}

/* --- serve ------------------------------------------------------------------- */

static struct pipit_server *server_new(const struct usersd_options *options,
                                       const struct users_ports *ports,
                                       struct pipit_log *log)
{
        const struct pipit_server_options server_options = {
                .log = log,
                .log_calls = true,
                .insecure_plaintext = options->insecure_plaintext,
                .key_path = options->key_path,
                .authorized_keys_path = options->authorized_keys_path,
                .policy_path = options->policy_path,
                .authorized_keys_optional = !options->authorized_keys_given,
                .policy_optional = !options->policy_given,
                .no_reflection = options->no_reflection,
                .drain_ms = options->drain_ms,
        };
        struct pipit_error error = {0};
        struct pipit_server *server = pipit_server_new(&server_options, &error);

        if (!server) {
                print_error("the server cannot be made", &error);
                return NULL;
        }
        if (users_v1_rpc_register(server, ports) != PIPIT_OK) {
                (void)fprintf(stderr, "usersd: users.v1 cannot be registered\n");
                return pipit_server_free(server);
        }
        for (size_t i = 0; i < options->n_urls; i++) {
                if (pipit_server_listen(server, options->urls[i], &error) != PIPIT_OK) {
                        print_error("cannot listen", &error);
                        return pipit_server_free(server);
                }
        }
        if (pipit_server_start(server, &error) != PIPIT_OK) {
                pipit_log_flush(log, LOG_FLUSH_MS);
                print_error("cannot serve", &error);
                return pipit_server_free(server);
        }

        return server;
}

/* Reads who may call again at each SIGHUP. Returns the signal that ends it. */
static int wait_for_end(const sigset_t *signals, struct pipit_server *server)
{
        int signal_number = 0;

        for (;;) {
                (void)sigwait(signals, &signal_number);
                if (signal_number != SIGHUP)
                        return signal_number;
                /* What comes of it is logged; if it is nothing, what held before holds. */
                (void)!pipit_server_reload(server, NULL);
        }
}

static int serve_until(const sigset_t *signals,
                       const struct usersd_options *options,
                       const struct users_ports *ports,
                       struct pipit_log *log)
{
        struct pipit_server *server = server_new(options, ports, log);
        const char *url;
        size_t n_unfinished;
        int signal_number;

        if (!server)
                return EXIT_INTERNAL;

        for (size_t i = 0; (url = pipit_server_url(server, i)); i++)
                (void)printf("listening on %s\n", url);
        /* It serves all the same: whoever closed its output does not wait for these lines. */
        if (fflush(stdout) != 0)
                pipit_log_line(log,
                               PIPIT_LOG_WARNING,
                               "cannot write to standard output",
                               PIPIT_LOG_STRING("error", strerror(errno)));

        signal_number = wait_for_end(signals, server);
        pipit_log_line(log,
                       PIPIT_LOG_INFO,
                       "draining",
                       PIPIT_LOG_STRING("signal", sigabbrev_np(signal_number)));
        n_unfinished = pipit_server_stop(server);
        pipit_log_line(log, PIPIT_LOG_INFO, "stopped", PIPIT_LOG_INT("unfinished", n_unfinished));
        (void)pipit_server_free(server);

        return n_unfinished == 0 ? EXIT_SUCCESS : EXIT_INTERNAL;
}

/* Before any thread is made, so that all of them leave these to sigwait(). */
static void block_signals(sigset_t *ret_signals)
{
        (void)sigemptyset(ret_signals);
        (void)sigaddset(ret_signals, SIGTERM);
        (void)sigaddset(ret_signals, SIGINT);
        (void)sigaddset(ret_signals, SIGHUP);
        (void)pthread_sigmask(SIG_BLOCK, ret_signals, NULL);
}

static int serve(const struct usersd_options *options,
                 const sigset_t *signals,
                 struct pipit_log *log)
{
        struct users_ports ports = {
                .clock = &pipit_clock_system,
                .new_id = pipit_uuid_v7,
        };
        int status;

        harden_process(log);
        if (options->key_given && !usersd_listens_by_key(options))
                pipit_log_line(log,
                               PIPIT_LOG_WARNING,
                               "the key is not used: nothing listens on tcp:// with keys",
                               PIPIT_LOG_STRING("key", options->key_path));
        if (!make_default_directories(options))
                return EXIT_INTERNAL;
        ports.repository = open_store(options, log);
        if (!ports.repository)
                return EXIT_INTERNAL;

        status = serve_until(signals, options, &ports, log);
        (void)users_repository_free(ports.repository);

        return status;
}

/* --- the other commands -------------------------------------------------------- */

/*
 * SECURITY: the store as it may be printed. Of postgres://user:password@host/name?settings both
 * the password and the settings, where another may be, are left out.
 */
static void print_store(const char *store)
{
        const char *host = strstr(store, "://");
        const char *at;

        if (has_prefix(store, SQLITE_SCHEME) || !host) {
                (void)fputs(store, stdout);
                return;
        }

        host += strlen("://");
        (void)printf("%.*s", (int)(host - store), store);
        at = memrchr(host, '@', strcspn(host, "/?"));
        if (at) {
                (void)printf("%.*s", (int)strcspn(host, ":@"), host);
                host = at;
        }
        (void)printf("%.*s", (int)strcspn(host, "?"), host);
}

static int migrate(const struct usersd_options *options)
{
        struct pipit_error error = {0};
        uint32_t from = 0;
        uint32_t to = 0;
        enum pipit_status status = PIPIT_OK;

        if (!make_default_directories(options))
                return EXIT_INTERNAL;
        if (strcmp(options->store, "memory:") == 0)
                (void)fprintf(stderr, "usersd: memory: needs no migration\n");
        else if (has_prefix(options->store, SQLITE_SCHEME))
                status = users_sqlite_migrate(
                        options->store + strlen(SQLITE_SCHEME), &from, &to, &error);
        else
                status = users_postgres_migrate(options->store, &from, &to, &error);
        if (status != PIPIT_OK) {
                print_error("the store cannot be migrated", &error);
                return EXIT_INTERNAL;
        }

        if (from == to)
                (void)printf("schema %u: nothing to do in ", to);
        else
                (void)printf("schema %u -> %u in ", from, to);
        print_store(options->store);
        (void)putchar('\n');

        return EXIT_SUCCESS;
}

static int invoke(const struct usersd_options *options, struct pipit_log *log)
{
        struct users_ports ports = {
                .clock = &pipit_clock_system,
                .new_id = pipit_uuid_v7,
        };
        char principal[32];
        int status;

        if (!users_v1_invoke_check(options->method, stderr))
                return EXIT_USAGE;
        if (!make_default_directories(options))
                return EXIT_INTERNAL;
        ports.repository = open_store(options, log);
        if (!ports.repository)
                return EXIT_INTERNAL;

        (void)snprintf(principal, sizeof(principal), "uid:%lu", (unsigned long)geteuid());
        status = users_v1_invoke(&ports,
                                 &(struct users_v1_invoke_options){
                                         .method = options->method,
                                         .principal = principal,
                                         .timeout_ms = options->timeout_ms,
                                         .input_fd = STDIN_FILENO,
                                         .output = stdout,
                                         .errors = stderr,
                                 });
        (void)users_repository_free(ports.repository);

        return status;
}

static int run(const struct usersd_options *options, const sigset_t *signals, struct pipit_log *log)
{
        switch (options->command) {
        case USERSD_SERVE:
                return serve(options, signals, log);
        case USERSD_MIGRATE:
                return migrate(options);
        case USERSD_INVOKE:
                return invoke(options, log);
        case USERSD_VERSION:
                (void)printf("usersd %s\n", PIPIT_VERSION);
                return EXIT_SUCCESS;
        case USERSD_HELP:
                usersd_options_help(stdout);
                return EXIT_SUCCESS;
        }

        return EXIT_INTERNAL;
}

int main(int argc, char **argv)
{
        struct usersd_options options;
        struct pipit_log *log;
        sigset_t signals;
        int status;

        if (!fill_standard_streams()) {
                (void)fprintf(stderr, "usersd: /dev/null: %s\n", strerror(errno));
                return EXIT_INTERNAL;
        }
        if (!usersd_options_read(&options, argc, argv, stderr))
                return EXIT_USAGE;
        if (sodium_init() < 0) {
                (void)fprintf(stderr, "usersd: libsodium cannot be initialised\n");
                return EXIT_INTERNAL;
        }
        (void)mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);
        (void)signal(SIGPIPE, SIG_IGN);
        if (options.command == USERSD_SERVE)
                block_signals(&signals);

        log = pipit_log_new(STDERR_FILENO, options.log_format, options.log_level);
        if (!log) {
                (void)fprintf(stderr, "usersd: no memory, thread or descriptor for the log\n");
                return EXIT_INTERNAL;
        }
        status = run(&options, &signals, log);
        (void)pipit_log_free(log);

        return options.command == USERSD_SERVE ? status : end_output(status);
}
