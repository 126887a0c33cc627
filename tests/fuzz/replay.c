/*
 * Replays a corpus: calls the target with each file
 *
 *      replay-NAME FOLDER...
 *
 * Prints a line a file; the last line is `N passed, 0 failed`. A target that does not hold
 * ends the process, and the last line names the file.
 */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

#define INPUT_BYTES_MAX ((size_t)1024 * 1024)

/* A copy that ends where the input ends, so that a byte too far is seen. */
static void run(const char *path)
{
        FILE *file = fopen(path, "rb");
        uint8_t *buffer = malloc(INPUT_BYTES_MAX), *exact;
        size_t n_bytes;

        if (!file || !buffer) {
                (void)fprintf(stderr, "%s: cannot be read\n", path);
                exit(EXIT_FAILURE);
        }
        n_bytes = fread(buffer, 1, INPUT_BYTES_MAX, file);
        (void)fclose(file);

        exact = realloc(buffer, n_bytes > 0 ? n_bytes : 1);
        if (!exact)
                exit(EXIT_FAILURE);
        (void)LLVMFuzzerTestOneInput(exact, n_bytes);
        free(exact);
}

int main(int argc, char **argv)
{
        unsigned int n_files = 0;

        for (int i = 1; i < argc; i++) {
                struct dirent **entries;
                int n_entries = scandir(argv[i], &entries, NULL, alphasort);

                if (n_entries < 0) {
                        (void)fprintf(stderr, "%s: is no folder\n", argv[i]);
                        return EXIT_FAILURE;
                }
                for (int j = 0; j < n_entries; j++) {
                        char path[1024];

                        if (entries[j]->d_name[0] != '.') {
                                (void)snprintf(
                                        path, sizeof(path), "%s/%s", argv[i], entries[j]->d_name);
                                (void)printf("# %s\n", path);
                                (void)fflush(stdout);
                                run(path);
                                n_files++;
                        }
                        free(entries[j]);
                }
                free(entries);
        }

        (void)printf("%u passed, 0 failed\n", n_files);
        return n_files > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
