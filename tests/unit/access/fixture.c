#include "tests/unit/access/fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void access_folder_make(struct access_folder *folder)
{
        (void)snprintf(folder->path, sizeof(folder->path), "/tmp/pipit-access-XXXXXX");
        assert_non_null(mkdtemp(folder->path));
}

void access_folder_remove(struct access_folder *folder)
{
        DIR *directory = opendir(folder->path);
        const struct dirent *entry;

        assert_non_null(directory);
        for (entry = readdir(directory); entry; entry = readdir(directory)) {
                if (entry->d_name[0] != '.')
                        (void)unlinkat(dirfd(directory), entry->d_name, 0);
        }
        (void)closedir(directory);
        assert_int_equal(rmdir(folder->path), 0);
}

const char *access_folder_path(struct access_folder *folder, const char *name)
{
        (void)snprintf(folder->file, sizeof(folder->file), "%s/%s", folder->path, name);
        return folder->file;
}

const char *access_folder_write(struct access_folder *folder,
                                const char *name,
                                mode_t mode,
                                const char *text)
{
        const char *path = access_folder_path(folder, name);
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
        assert_int_equal(fchmod(fd, mode), 0);
        assert_int_equal(close(fd), 0);

        return path;
}

const char *key_text(unsigned int number)
{
        static char texts[4][PIPIT_KEY_TEXT_SIZE];
        static unsigned int next;
        uint8_t key[PIPIT_KEY_BYTES] = {(uint8_t)number, (uint8_t)(number >> 8)};
        char *text = texts[next++ % 4];

        pipit_key_format(PIPIT_KEY_PUBLIC, key, text);
        return text;
}

void assert_problem(const struct access_folder *folder,
                    const struct pipit_access_problem *problem,
                    const char *expected)
{
        char text[2048] = "";
        const char *at = expected, *dir;

        while ((dir = strstr(at, "DIR")) != NULL) {
                (void)strncat(text, at, (size_t)(dir - at));
                (void)strcat(text, folder ? folder->path : "");
                at = dir + 3;
        }
        (void)strcat(text, at);
        assert_string_equal(problem->text, text);
}
