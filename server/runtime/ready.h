/*
 * Ready: packed replies that wait for a response, in one row of bytes
 *
 * Each is a whole record of Response.replies (tag, length, Reply), so that a
 * response is made by copying a run of them. Not thread-safe.
 */

#ifndef SERVER_RUNTIME_READY_H
#define SERVER_RUNTIME_READY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ready_entry {
        uint64_t id;
        size_t n_bytes;
        size_t n_stride; /* from its first byte to the next entry's */
        bool dropped;
};

/* All zero is empty. */
struct ready {
        /* out */
        size_t n_live; /* entries that are not dropped */

        /* private */
        uint8_t *bytes;
        size_t first_byte;
        size_t end_byte;
        size_t n_room_bytes;
        struct ready_entry *entries;
        size_t first_entry;
        size_t end_entry;
        size_t n_room_entries;
};

void ready_deinit(struct ready *ready);

/* Room for a record of @n_bytes behind the last, which the caller fills at once. NULL: out of memory. */
uint8_t *ready_append(struct ready *ready, uint64_t id, size_t n_bytes);

/* The oldest that is not dropped. False: none. Valid until the next call. */
bool ready_first(struct ready *ready,
                 uint64_t *ret_id,
                 const uint8_t **ret_bytes,
                 size_t *ret_n_bytes);

/* Takes the oldest, which ready_first() showed, out. */
void ready_pop(struct ready *ready);

/* Throws the reply of @id away. */
void ready_drop(struct ready *ready, uint64_t id);

/* How many entries there are, dropped ones too; the @index-th. Valid until the next call. */
size_t ready_n_entries(const struct ready *ready);
const struct ready_entry *ready_entry(const struct ready *ready, size_t index);

/* How many bytes it keeps. */
size_t ready_n_bytes(const struct ready *ready);

/* Puts a record that is no longer in the place of the @index-th. */
void ready_replace(struct ready *ready, size_t index, const uint8_t *record, size_t n_bytes);

#endif
