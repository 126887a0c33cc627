/*
 * What tests of access share: files in a folder of their own, keys by number
 */

#ifndef TESTS_UNIT_ACCESS_FIXTURE_H
#define TESTS_UNIT_ACCESS_FIXTURE_H

#include <sys/types.h>

#include "core/access/key.h"
#include "core/access/words.h"

struct access_folder {
        char path[64];
        char file[128]; /* the path of the last one */
};

void access_folder_make(struct access_folder *folder);
void access_folder_remove(struct access_folder *folder);

/* The path of @name in it. */
const char *access_folder_path(struct access_folder *folder, const char *name);

/* Writes it, with @mode; returns its path. */
const char *access_folder_write(struct access_folder *folder,
                                const char *name,
                                mode_t mode,
                                const char *text);

/* The text of a public key that differs for each number; in one of a few static places. */
const char *key_text(unsigned int number);

/* Fails unless @problem is @expected but for what @expected has instead of the folder: "DIR". */
void assert_problem(const struct access_folder *folder,
                    const struct pipit_access_problem *problem,
                    const char *expected);

#endif
