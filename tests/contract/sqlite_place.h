/*
 * A folder of its own for a test's SQLite file
 */

#ifndef TESTS_CONTRACT_SQLITE_PLACE_H
#define TESTS_CONTRACT_SQLITE_PLACE_H

#include <stdbool.h>

struct sqlite_place {
        char folder[256];
        char path[288]; /* of a file that is not yet there */
};

/* False: no folder could be made. */
bool sqlite_place_init(struct sqlite_place *place);

/* Removes the folder and the files in it. */
void sqlite_place_deinit(struct sqlite_place *place);

#endif
