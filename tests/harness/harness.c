#include "tests/harness/harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static size_t n_passed;
static size_t n_failed;

bool check(bool condition, const char *format, ...)
{
        va_list arguments;

        (void)printf("%s %zu - ", condition ? "ok" : "not ok", n_passed + n_failed + 1);
        va_start(arguments, format);
        (void)vprintf(format, arguments);
        va_end(arguments);
        (void)printf("\n");
        (void)fflush(stdout);
        if (condition)
                n_passed++;
        else
                n_failed++;

        return condition;
}

void note(const char *format, ...)
{
        va_list arguments;

        (void)printf("# ");
        va_start(arguments, format);
        (void)vprintf(format, arguments);
        va_end(arguments);
        (void)printf("\n");
        (void)fflush(stdout);
}

int finish(void)
{
        (void)printf("%zu passed, %zu failed\n", n_passed, n_failed);

        return n_failed == 0 && n_passed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

void die(const char *format, ...)
{
        va_list arguments;

        (void)fprintf(stderr, "test: ");
        va_start(arguments, format);
        (void)vfprintf(stderr, format, arguments);
        va_end(arguments);
        (void)fprintf(stderr, "\n");
        exit(EXIT_FAILURE);
}

static void child_run(const char *const argv[], const char *log_path, int output)
{
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)dup2(output, STDOUT_FILENO);
        if (log_path) {
                int log = open(log_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

                if (log >= 0)
                        (void)dup2(log, STDERR_FILENO);
        }
        (void)execv(argv[0], (char *const *)argv);
        _exit(127);
}

void process_start(struct process *process, const char *const argv[], const char *log_path)
{
        static const char wanted[] = "listening on ";
        char line[512] = "";
        int output[2];
        FILE *stream;

        if (pipe2(output, O_CLOEXEC) < 0)
                die("pipe: %s", strerror(errno));
        process->pid = fork();
        if (process->pid < 0)
                die("fork: %s", strerror(errno));
        if (process->pid == 0)
                child_run(argv, log_path, output[1]);

        (void)close(output[1]);
        stream = fdopen(output[0], "r");
        if (!stream || !fgets(line, sizeof(line), stream) ||
            strncmp(line, wanted, strlen(wanted)) != 0)
                die("%s did not start: '%s'", argv[0], line);
        (void)fclose(stream);
}

int process_end(struct process *process, int signal)
{
        int status = 0;

        (void)kill(process->pid, signal);
        while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
                ;
        process->pid = 0;

        return status;
}

size_t process_memory(pid_t pid, const char *field)
{
        const char *file = strncmp(field, "Vm", 2) == 0 ? "status" : "smaps_rollup";
        char path[64];
        char line[256];
        size_t kib = 0;
        FILE *stream;

        (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
        stream = fopen(path, "re");
        if (!stream)
                return 0;
        while (fgets(line, sizeof(line), stream)) {
                if (strncmp(line, field, strlen(field)) == 0)
                        kib = strtoul(line + strlen(field), NULL, 10);
        }
        (void)fclose(stream);

        return kib * 1024;
}

void temporary_folder_make(char path[64])
{
        (void)strcpy(path, "/tmp/pipit-test.XXXXXX");
        if (!mkdtemp(path))
                die("%s: %s", path, strerror(errno));
}

void temporary_folder_remove(const char *path)
{
        DIR *folder = opendir(path);
        struct dirent *entry;

        while (folder && (entry = readdir(folder)))
                (void)unlinkat(dirfd(folder), entry->d_name, 0);
        if (folder)
                (void)closedir(folder);
        (void)rmdir(path);
}

static int compare(const void *a, const void *b)
{
        int64_t x = *(const int64_t *)a;
        int64_t y = *(const int64_t *)b;

        return (x > y) - (x < y);
}

int64_t median(int64_t *values, size_t n)
{
        qsort(values, n, sizeof(*values), compare);

        return n ? values[n / 2] : 0;
}
