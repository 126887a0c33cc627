#include "tools/cli/suggestion.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/macros.h"
#include "core/json/nearest.h"

#define IPC "ipc://"

static void close_directory(DIR **directory)
{
        if (*directory)
                (void)closedir(*directory);
}

static bool is_socket(DIR *directory, const char *name)
{
        struct stat status;

        return fstatat(dirfd(directory), name, &status, 0) == 0 && S_ISSOCK(status.st_mode);
}

/* In @arena, or NULL. */
static const char *nearest_socket(struct pipit_arena *arena, const char *folder, const char *name)
{
        PIPIT_CLEANUP(close_directory) DIR *directory = opendir(folder);
        struct pipit_nearest nearest = {.wanted = name};
        const struct dirent *entry;

        while (directory && (entry = readdir(directory))) {
                const char *copy = is_socket(directory, entry->d_name)
                                           ? pipit_arena_strdup(arena, entry->d_name)
                                           : NULL;

                if (copy)
                        pipit_nearest_consider(&nearest, copy);
        }

        return nearest.name;
}

void cli_suggest_target(struct pipit_arena *arena, const char *target, struct pipit_error *error)
{
        const char *path = target + sizeof(IPC) - 1;

        if (error->status != PIPIT_UNAVAILABLE || strchr(target, ',') ||
            strncmp(target, IPC, sizeof(IPC) - 1) != 0 || access(path, F_OK) == 0)
                return;

        const char *slash = strrchr(path, '/');
        size_t n_folder = slash ? (size_t)(slash - path) + 1 : 0;
        const char *folder =
                slash ? pipit_arena_strndup(arena, path, n_folder) : "."; /* with its slash */
        const char *near = folder ? nearest_socket(arena, folder, path + n_folder) : NULL;
        const char *told = error->message ? error->message : "nobody is there";
        const char *message =
                near ? pipit_arena_printf(arena,
                                          "%s%s did you mean " IPC "%.*s%s?",
                                          told,
                                          told[0] && told[strlen(told) - 1] == '?' ? "" : ";",
                                          (int)n_folder,
                                          path,
                                          near)
                     : NULL;

        if (message)
                error->message = message;
}

const char *cli_suggest_url(struct pipit_arena *arena, const char *target)
{
        static const char *const paths_first[] = {"ipc", "tcp"}, *const hosts_first[] = {"tcp",
                                                                                         "ipc"};
        const char *rest = strstr(target, "://");
        struct pipit_nearest nearest = {0};

        if (strchr(target, ','))
                return NULL;
        /* As gRPC has it. */
        if (strncmp(target, "unix:", 5) == 0)
                return pipit_arena_printf(arena, IPC "%s", rest ? rest + 3 : target + 5);
        if (!rest)
                return NULL;

        const char *const *schemes = rest[3] == '/' ? paths_first : hosts_first;

        nearest.wanted = pipit_arena_strndup(arena, target, (size_t)(rest - target));
        if (!nearest.wanted)
                return NULL;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(paths_first); i++)
                pipit_nearest_consider(&nearest, schemes[i]);
        if (nearest.name && strcmp(nearest.name, nearest.wanted) != 0)
                return pipit_arena_printf(arena, "%s%s", nearest.name, rest);

        /* A host: only the loopback ones are allowed. */
        const char *colon = strrchr(rest + 3, ':');

        nearest = (struct pipit_nearest){0};
        nearest.wanted =
                colon ? pipit_arena_strndup(arena, rest + 3, (size_t)(colon - rest - 3)) : rest + 3;
        if (!nearest.wanted || strncmp(target, "tcp", 3) != 0)
                return NULL;

        pipit_nearest_consider(&nearest, "localhost");
        pipit_nearest_consider(&nearest, "127.0.0.1");
        if (!nearest.name || strcmp(nearest.name, nearest.wanted) == 0)
                return NULL;

        return pipit_arena_printf(arena, "tcp://%s%s", nearest.name, colon ? colon : ":PORT");
}

const char *cli_suggest_service(const struct cli_names *services,
                                struct pipit_arena *arena,
                                const char *wanted)
{
        static const char suffix[] = "Service";
        struct pipit_nearest nearest = {.wanted = wanted};
        const char *found = NULL;

        for (size_t i = 0; i < services->n_names; i++) {
                const char *name = services->names[i], *last = strrchr(name, '.');
                const char *before = nearest.name, *word = last ? last + 1 : name;
                size_t n_word = strlen(word), n_suffix = sizeof(suffix) - 1;

                pipit_nearest_consider(&nearest, strchr(wanted, '.') ? name : word);
                if (n_word > n_suffix && strcmp(word + n_word - n_suffix, suffix) == 0) {
                        const char *bare = pipit_arena_strndup(arena, word, n_word - n_suffix);

                        if (bare)
                                pipit_nearest_consider(&nearest, bare);
                }
                if (nearest.name != before)
                        found = name;
        }

        return found;
}
