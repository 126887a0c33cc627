#include "core/access/text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- who may have written it -------------------------------------------------------- */

static bool check_settings(const char *path,
                           const struct stat *file,
                           struct pipit_access_problem *ret_problem)
{
        if (file->st_uid != geteuid() && file->st_uid != 0)
                return pipit_access_problem_set(
                        ret_problem,
                        "%s: belongs to uid %u, who could let anybody in; it is read if it is "
                        "yours or root's: chown %u %s",
                        path,
                        file->st_uid,
                        geteuid(),
                        path);
        if (file->st_mode & (S_IWGRP | S_IWOTH))
                return pipit_access_problem_set(
                        ret_problem,
                        "%s: others may write to it (mode %04o), and could let anybody in: "
                        "chmod go-w %s",
                        path,
                        file->st_mode & 07777,
                        path);

        return true;
}

static bool check_secret(const char *path,
                         const struct stat *file,
                         struct pipit_access_problem *ret_problem)
{
        if (file->st_uid != geteuid())
                return pipit_access_problem_set(
                        ret_problem,
                        "%s: belongs to uid %u, and a secret key is read only by whom it "
                        "belongs to: chown %u %s",
                        path,
                        file->st_uid,
                        geteuid(),
                        path);
        if (file->st_mode & 07777 & ~(mode_t)(S_IRUSR | S_IWUSR))
                return pipit_access_problem_set(
                        ret_problem,
                        "%s: has mode %04o, and a secret key is for you alone: chmod 600 %s",
                        path,
                        file->st_mode & 07777,
                        path);

        return true;
}

static bool check_file(const char *path,
                       enum pipit_text_file_kind kind,
                       const struct stat *file,
                       struct pipit_access_problem *ret_problem)
{
        const size_t n_max = kind == PIPIT_TEXT_FILE_SECRET ? PIPIT_SECRET_FILE_BYTES_MAX
                                                            : PIPIT_TEXT_FILE_BYTES_MAX;

        if (!S_ISREG(file->st_mode))
                return pipit_access_problem_set(ret_problem, "%s: is no regular file", path);
        if (!(kind == PIPIT_TEXT_FILE_SECRET ? check_secret(path, file, ret_problem)
                                             : check_settings(path, file, ret_problem)))
                return false;
        if (file->st_size < 0 || (uintmax_t)file->st_size > n_max)
                return pipit_access_problem_set(
                        ret_problem, "%s: has more than %zu bytes", path, n_max);

        return true;
}

/* --- reading ------------------------------------------------------------------------- */

static bool read_fully(int fd, char *to, size_t n_bytes, size_t *ret_n_read)
{
        size_t n_read = 0;

        while (n_read < n_bytes) {
                ssize_t n = read(fd, to + n_read, n_bytes - n_read);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return false;
                if (n == 0)
                        break;
                n_read += (size_t)n;
        }

        *ret_n_read = n_read;
        return true;
}

static char *text_alloc(enum pipit_text_file_kind kind, size_t n_bytes)
{
        if (kind != PIPIT_TEXT_FILE_SECRET)
                return malloc(n_bytes);

        return sodium_init() < 0 ? NULL : sodium_malloc(n_bytes);
}

void pipit_text_file_deinit(struct pipit_text_file *file)
{
        if (file->kind == PIPIT_TEXT_FILE_SECRET)
                sodium_free(file->text);
        else
                free(file->text);
        *file = (struct pipit_text_file){.text = NULL};
}

/* What is checked is what is read: the open file, not its name. */
static bool read_open(int fd,
                      const char *path,
                      enum pipit_text_file_kind kind,
                      struct pipit_text_file *ret_file,
                      struct pipit_access_problem *ret_problem)
{
        struct pipit_text_file file = {.kind = kind};
        struct stat status;

        if (fstat(fd, &status) < 0)
                return pipit_access_problem_set(ret_problem, "%s: %s", path, strerror(errno));
        if (!check_file(path, kind, &status, ret_problem))
                return false;

        file.text = text_alloc(kind, (size_t)status.st_size + 1);
        if (!file.text)
                return pipit_access_problem_set(ret_problem, "%s: out of memory", path);
        if (!read_fully(fd, file.text, (size_t)status.st_size, &file.n_bytes)) {
                (void)pipit_access_problem_set(ret_problem, "%s: %s", path, strerror(errno));
                pipit_text_file_deinit(&file);
                return false;
        }

        file.text[file.n_bytes] = '\0';
        *ret_file = file;
        return true;
}

static bool report_open(const char *path,
                        const char *missing_hint,
                        struct pipit_access_problem *ret_problem)
{
        if (errno == ENOENT)
                return pipit_access_problem_set(
                        ret_problem, "%s: there is no such file: %s", path, missing_hint);
        if (errno == ELOOP)
                return pipit_access_problem_set(
                        ret_problem,
                        "%s: is a symbolic link, which a secret key is not read through: name "
                        "the file itself",
                        path);

        return pipit_access_problem_set(ret_problem, "%s: %s", path, strerror(errno));
}

bool pipit_text_file_read(const char *path,
                          enum pipit_text_file_kind kind,
                          const char *missing_hint,
                          struct pipit_text_file *ret_file,
                          struct pipit_access_problem *ret_problem)
{
        /* A pipe in its place must not hold us up. */
        const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY |
                          (kind == PIPIT_TEXT_FILE_SECRET ? O_NOFOLLOW : 0);
        int fd = open(path, flags);
        bool ok;

        if (fd < 0)
                return report_open(path, missing_hint, ret_problem);

        ok = read_open(fd, path, kind, ret_file, ret_problem);
        (void)close(fd);

        return ok;
}

/* --- writing ---------------------------------------------------------------------------- */

static bool write_fully(int fd, const char *from, size_t n_bytes)
{
        while (n_bytes > 0) {
                ssize_t n = write(fd, from, n_bytes);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return false;
                from += n;
                n_bytes -= (size_t)n;
        }

        return true;
}

/* Opens the folder that @path lies in. */
static int open_folder(const char *path)
{
        const char *slash = strrchr(path, '/');
        char *folder =
                slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
        int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

        free(folder);
        return fd;
}

/* So that the name itself outlives a crash. */
static bool sync_folder(const char *path)
{
        int fd = open_folder(path);
        bool ok = fd >= 0 && fsync(fd) == 0;

        if (fd >= 0)
                (void)close(fd);
        return ok;
}

/* False: errno says why, and there is no new file. */
static bool write_new(int fd, const char *path, mode_t mode, const char *text, size_t n_bytes)
{
        bool ok = fchmod(fd, mode) == 0 && write_fully(fd, text, n_bytes) && fsync(fd) == 0;
        int why = errno;

        if (close(fd) != 0 && ok) {
                ok = false;
                why = errno;
        }
        if (!ok)
                (void)unlink(path);
        errno = why;

        return ok;
}

bool pipit_text_file_create(const char *path,
                            mode_t mode,
                            const char *text,
                            size_t n_bytes,
                            struct pipit_access_problem *ret_problem)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

        if (fd < 0 && errno == EEXIST)
                return pipit_access_problem_set(
                        ret_problem, "%s: is there already, and is not overwritten", path);
        if (fd < 0 || !write_new(fd, path, mode, text, n_bytes))
                return pipit_access_problem_set(
                        ret_problem, "%s: cannot be written: %s", path, strerror(errno));
        if (!sync_folder(path)) {
                (void)pipit_access_problem_set(
                        ret_problem, "%s: cannot be written: %s", path, strerror(errno));
                (void)unlink(path);
                return false;
        }

        return true;
}

/* What the link stands for, or a copy of the name. To be freed. */
static char *resolve(const char *path)
{
        char *real = realpath(path, NULL);

        return real ? real : strdup(path);
}

static bool replace_with(
        const char *temporary, int fd, const char *path, const char *text, size_t n_bytes)
{
        mode_t mode = S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH;
        struct stat old;

        if (stat(path, &old) == 0) {
                mode = old.st_mode & 07777;
                /* As root it stays its owner's; as anybody else it was ours. */
                if (old.st_uid != geteuid() && fchown(fd, old.st_uid, old.st_gid) < 0) {
                        int why = errno;

                        (void)close(fd);
                        (void)unlink(temporary);
                        errno = why;
                        return false;
                }
        }

        if (!write_new(fd, temporary, mode, text, n_bytes))
                return false;
        if (rename(temporary, path) < 0) {
                int why = errno;

                (void)unlink(temporary);
                errno = why;
                return false;
        }

        return sync_folder(path);
}

bool pipit_text_file_replace(const char *path,
                             const char *text,
                             size_t n_bytes,
                             struct pipit_access_problem *ret_problem)
{
        char *real = resolve(path), *temporary = NULL;
        bool ok = false;
        int fd;

        if (!real || asprintf(&temporary, "%s.XXXXXX", real) < 0) {
                free(real);
                return pipit_access_problem_set(ret_problem, "%s: out of memory", path);
        }

        fd = mkostemp(temporary, O_CLOEXEC);
        if (fd >= 0)
                ok = replace_with(temporary, fd, real, text, n_bytes);
        if (!ok)
                (void)pipit_access_problem_set(
                        ret_problem, "%s: cannot be written: %s", path, strerror(errno));
        free(temporary);
        free(real);

        return ok;
}

int pipit_text_file_lock(const char *path, struct pipit_access_problem *ret_problem)
{
        char *real = resolve(path);
        int fd = real ? open_folder(real) : -1;
        int result = -1;

        free(real);
        if (fd >= 0) {
                do
                        result = flock(fd, LOCK_EX);
                while (result < 0 && errno == EINTR);
        }
        if (result < 0) {
                (void)pipit_access_problem_set(
                        ret_problem, "%s: its folder cannot be locked: %s", path, strerror(errno));
                if (fd >= 0)
                        (void)close(fd);
                return -1;
        }

        return fd;
}
