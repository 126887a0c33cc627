#include "tools/cli/protoc.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/json/input.h"
#include "tools/cli/command.h"

#define OUTPUT_FD  3
#define OUTPUT_ARG "--descriptor_set_out=/proc/self/fd/3"

extern char **environ;

static void close_fd(const int *fd)
{
        if (*fd >= 0)
                (void)close(*fd);
}

/* protoc wants every file below a folder that it was given. */
static char *folder_argument(struct pipit_arena *arena, const char *file)
{
        const char *slash = strrchr(file, '/');

        if (!slash)
                return pipit_arena_strdup(arena, "-I.");
        if (slash == file)
                return pipit_arena_strdup(arena, "-I/");

        return pipit_arena_printf(arena, "-I%.*s", (int)(slash - file), file);
}

/* A file that begins with '-' would be read as an option. */
static char *file_argument(struct pipit_arena *arena, const char *file)
{
        return file[0] == '-' ? pipit_arena_printf(arena, "./%s", file)
                              : pipit_arena_strdup(arena, file);
}

/* NULL: out of memory. */
static char **make_arguments(struct cli_arguments *arguments, const char *program)
{
        const struct cli_list *files = &arguments->options.protos;
        const struct cli_list *includes = &arguments->options.includes;
        struct pipit_arena *arena = &arguments->arena;
        size_t n = 0, n_max = 5 + 2 * files->n_values + includes->n_values;
        char **argv = pipit_arena_zalloc(arena, n_max * sizeof(*argv));

        if (!argv)
                return NULL;

        argv[n++] = pipit_arena_strdup(arena, program);
        argv[n++] = pipit_arena_strdup(arena, "--include_imports");
        argv[n++] = pipit_arena_strdup(arena, "--include_source_info");
        argv[n++] = pipit_arena_strdup(arena, OUTPUT_ARG);
        for (size_t i = 0; i < includes->n_values; i++)
                argv[n++] = pipit_arena_printf(arena, "-I%s", includes->values[i]);
        for (size_t i = 0; includes->n_values == 0 && i < files->n_values; i++)
                argv[n++] = folder_argument(arena, files->values[i]);
        for (size_t i = 0; i < files->n_values; i++)
                argv[n++] = file_argument(arena, files->values[i]);

        for (size_t i = 0; i < n; i++) {
                if (!argv[i])
                        return NULL;
        }

        return argv;
}

/* What we ignore it does not. */
static int set_signals(posix_spawnattr_t *attributes)
{
        sigset_t defaults;

        (void)sigemptyset(&defaults);
        (void)sigaddset(&defaults, SIGPIPE);

        int r = posix_spawnattr_setsigdefault(attributes, &defaults);

        return r != 0 ? r : posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF);
}

/* 0, or an errno. */
static int spawn(const char *program, char **argv, int output, pid_t *ret_pid)
{
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        int r = posix_spawn_file_actions_init(&actions);

        if (r != 0)
                return r;
        r = posix_spawnattr_init(&attributes);
        if (r != 0) {
                (void)posix_spawn_file_actions_destroy(&actions);
                return r;
        }

        /* Our stdout is for data: what a protoc may want to say there goes to stderr. */
        r = posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&actions, output, OUTPUT_FD);
        if (r == 0)
                r = set_signals(&attributes);
        if (r == 0)
                r = posix_spawnp(ret_pid, program, &actions, &attributes, argv, environ);

        (void)posix_spawnattr_destroy(&attributes);
        (void)posix_spawn_file_actions_destroy(&actions);
        return r;
}

/* protoc itself has said what is wrong with the files. */
static int wait_for(pid_t pid, const char *program)
{
        int status;

        while (waitpid(pid, &status, 0) < 0) {
                if (errno != EINTR)
                        return cli_value_error("waiting for %s: %s", program, strerror(errno));
        }

        if (WIFSIGNALED(status))
                return cli_value_error("%s was killed by signal %d", program, WTERMSIG(status));

        return WEXITSTATUS(status) == 0 ? CLI_OK : CLI_USAGE;
}

static int read_output(struct cli_arguments *arguments,
                       int fd,
                       const uint8_t **ret_set,
                       size_t *ret_n_bytes)
{
        struct pipit_error error = {.status = PIPIT_OK};
        char *bytes;

        if (lseek(fd, 0, SEEK_SET) < 0)
                return cli_value_error("cannot read what protoc wrote: %s", strerror(errno));
        if (pipit_json_input(fd,
                             "what protoc wrote",
                             PIPIT_JSON_INPUT_BYTES_MAX,
                             &arguments->arena,
                             &bytes,
                             ret_n_bytes,
                             &error) != PIPIT_OK)
                return cli_value_error("%s", error.message);

        *ret_set = (const uint8_t *)bytes;
        return CLI_OK;
}

int cli_protoc(struct cli_arguments *arguments, const uint8_t **ret_set, size_t *ret_n_bytes)
{
        const char *program = getenv("PIPIT_PROTOC");
        PIPIT_CLEANUP(close_fd) int fd = memfd_create("descriptor-set", MFD_CLOEXEC);
        pid_t pid;

        if (!program || !program[0])
                program = "protoc";
        if (fd < 0)
                return cli_value_error("cannot make room for a descriptor set: %s",
                                       strerror(errno));

        char **argv = make_arguments(arguments, program);
        int r = argv ? spawn(program, argv, fd, &pid) : ENOMEM;

        if (r != 0)
                return cli_value_error("--proto: cannot run %s: %s; PIPIT_PROTOC names another "
                                       "one, and --descriptor-set needs none",
                                       program,
                                       strerror(r));

        int status = wait_for(pid, program);

        return status == CLI_OK ? read_output(arguments, fd, ret_set, ret_n_bytes) : status;
}
