/*
 * Graves: names of mailboxes that were freed
 *
 * As long as a client may remember one: what a new one of that name does not
 * know may have run. So many of them as there is room for; if one has to make
 * room while it is needed, all names count as buried that long. All zero: none.
 * Not thread-safe.
 */

#ifndef SERVER_RUNTIME_GRAVES_H
#define SERVER_RUNTIME_GRAVES_H

#include <stddef.h>
#include <stdint.h>

#define GRAVES_MAX 256 /* times 64 shards: 270 mailboxes a second may make room for others */

struct grave {
        uint64_t name;
        int64_t until_us;
};

struct graves {
        /* private */
        struct grave graves[GRAVES_MAX];
        size_t next;
        int64_t all_until_us; /* those that were still needed were overwritten */
};

void graves_bury(struct graves *graves, uint64_t name, int64_t now_us, int64_t until_us);

/* Until when one of that name may be remembered by its client. */
int64_t graves_until(const struct graves *graves, uint64_t name);

#endif
