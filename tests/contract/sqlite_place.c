#include "tests/contract/sqlite_place.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool sqlite_place_init(struct sqlite_place *place)
{
        const char *parent = getenv("TMPDIR");

        (void)snprintf(place->folder,
                       sizeof(place->folder),
                       "%s/users-sqlite-XXXXXX",
                       parent && parent[0] != '\0' ? parent : "/tmp");
        if (!mkdtemp(place->folder))
                return false;
        (void)snprintf(place->path, sizeof(place->path), "%s/users.db", place->folder);
        return true;
}

void sqlite_place_deinit(struct sqlite_place *place)
{
        DIR *folder = opendir(place->folder);
        struct dirent *entry;

        if (!folder)
                return;
        while ((entry = readdir(folder))) {
                if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                        (void)unlinkat(dirfd(folder), entry->d_name, 0);
        }
        (void)closedir(folder);
        (void)rmdir(place->folder);
}
