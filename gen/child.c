#include "gen/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gen/memory.h"

#define READ_BYTES 65536 /* what a pipe holds */

extern char **environ;

struct child {
        const char *program;
        pid_t pid;
        int input;  /* what we write to; -1 once all is written */
        int output; /* what we read from; -1 at its end */
};

static void close_fd(int *fd)
{
        if (*fd >= 0)
                (void)close(*fd);
        *fd = -1;
}

static int spawn(struct child *child, int input, int output)
{
        /* Debian's protoc-c is the same file, and looks at its name to know what to be */
        char name[] = "protoc-gen-c";
        char *arguments[] = {name, NULL};
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        sigset_t defaults;
        int r;

        (void)sigemptyset(&defaults);
        (void)sigaddset(&defaults, SIGPIPE);

        r = posix_spawn_file_actions_init(&actions);
        if (r != 0)
                return r;
        r = posix_spawnattr_init(&attributes);
        if (r != 0) {
                (void)posix_spawn_file_actions_destroy(&actions);
                return r;
        }

        r = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
        if (r == 0)
                r = posix_spawnattr_setsigdefault(&attributes, &defaults);
        if (r == 0)
                r = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
        if (r == 0)
                r = posix_spawnp(
                        &child->pid, child->program, &actions, &attributes, arguments, environ);

        (void)posix_spawnattr_destroy(&attributes);
        (void)posix_spawn_file_actions_destroy(&actions);

        return r;
}

/* 0, or an errno. */
static int start(struct child *child)
{
        int input[2];
        int output[2];
        int r;

        if (pipe2(input, O_CLOEXEC) < 0)
                return errno;
        if (pipe2(output, O_CLOEXEC) < 0) {
                r = errno;
                close_fd(&input[0]);
                close_fd(&input[1]);
                return r;
        }

        child->input = input[1];
        child->output = output[0];
        r = fcntl(child->input, F_SETFL, O_NONBLOCK) < 0 ? errno
                                                         : spawn(child, input[0], output[1]);
        close_fd(&input[0]);
        close_fd(&output[1]);

        return r;
}

/* A child that stops reading is not an error here: its exit status tells more. */
static void write_some(struct child *child, const char **bytes, size_t *n_bytes)
{
        ssize_t n = write(child->input, *bytes, *n_bytes);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n > 0) {
                *bytes += n;
                *n_bytes -= (size_t)n;
        }
        if (n < 0 || *n_bytes == 0)
                close_fd(&child->input);
}

static void read_some(struct child *child, struct text *output)
{
        char *room = text_reserve(output, READ_BYTES);
        ssize_t n = read(child->output, room, READ_BYTES);

        if (n > 0)
                text_advance(output, (size_t)n);
        else if (n == 0 || errno != EINTR)
                close_fd(&child->output);
}

/* Both ways at once: either side may have to wait for the other to read. */
static void talk(struct child *child, const char *bytes, size_t n_bytes, struct text *output)
{
        if (n_bytes == 0)
                close_fd(&child->input);

        while (child->output >= 0) {
                struct pollfd fds[] = {
                        {.fd = child->output, .events = POLLIN},
                        {.fd = child->input, .events = POLLOUT},
                };

                if (poll(fds, 2, -1) < 0 && errno != EINTR)
                        break;
                if (fds[0].revents)
                        read_some(child, output);
                if (fds[1].revents)
                        write_some(child, &bytes, &n_bytes);
        }

        close_fd(&child->input);
        close_fd(&child->output);
}

/* NULL: it exited with 0. */
static const char *finish(struct child *child, struct pipit_arena *arena)
{
        int status;

        while (waitpid(child->pid, &status, 0) < 0)
                if (errno != EINTR)
                        return gen_printf(
                                arena, "waiting for %s: %s", child->program, strerror(errno));

        if (WIFSIGNALED(status))
                return gen_printf(
                        arena, "%s was killed by signal %d", child->program, WTERMSIG(status));
        if (WEXITSTATUS(status) != 0)
                return gen_printf(arena, "%s exited with %d", child->program, WEXITSTATUS(status));

        return NULL;
}

bool child_run(const char *program,
               const void *bytes,
               size_t n_bytes,
               struct text *output,
               const char **ret_error)
{
        struct child child = {.program = program, .input = -1, .output = -1};
        struct sigaction ignore = {.sa_handler = SIG_IGN};
        struct sigaction before;
        const char *error;
        int r;

        (void)sigaction(SIGPIPE, &ignore, &before);

        r = start(&child);
        if (r == 0) {
                talk(&child, bytes, n_bytes, output);
                error = finish(&child, output->arena);
        } else {
                error = gen_printf(output->arena, "cannot run %s: %s", program, strerror(r));
        }
        close_fd(&child.input);
        close_fd(&child.output);

        (void)sigaction(SIGPIPE, &before, NULL);

        if (error)
                *ret_error = error;

        return !error;
}
