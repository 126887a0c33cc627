/*
 * The nearest right name for a wrong one, for errors
 */

#ifndef CORE_JSON_NEAREST_H
#define CORE_JSON_NEAREST_H

#include <stddef.h>

/* Longer names are never near to anything. */
#define PIPIT_NEAREST_BYTES_MAX 256

/* All zero but for @wanted: nothing seen yet. */
struct pipit_nearest {
        /* in */
        const char *wanted;

        /* out */
        const char *name; /* the nearest so far, or NULL: none is near enough to suggest */

        /* private */
        size_t distance;
};

/*
 * Considers @name, which outlives @nearest. Near enough is an edit distance
 * (insert, delete, replace, swap neighbours; letter case counts a little less)
 * of at most a third of the wanted name. Of equally near ones the first stays.
 */
void pipit_nearest_consider(struct pipit_nearest *nearest, const char *name);

#endif
