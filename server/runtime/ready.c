#include "server/runtime/ready.h"

#include <stdlib.h>
#include <string.h>

/* What is kept when nothing waits, so that one large burst does not stay for ever. */
#define KEEP_BYTES   65536
#define KEEP_ENTRIES 1024

void ready_deinit(struct ready *ready)
{
        free(ready->bytes);
        free(ready->entries);
        *ready = (struct ready){};
}

/* Empty: start from the front again. */
static void rewind_empty(struct ready *ready)
{
        ready->first_byte = 0;
        ready->end_byte = 0;
        ready->first_entry = 0;
        ready->end_entry = 0;

        if (ready->n_room_bytes > KEEP_BYTES) {
                free(ready->bytes);
                ready->bytes = NULL;
                ready->n_room_bytes = 0;
        }
        if (ready->n_room_entries > KEEP_ENTRIES) {
                free(ready->entries);
                ready->entries = NULL;
                ready->n_room_entries = 0;
        }
}

static bool reserve_bytes(struct ready *ready, size_t n_bytes)
{
        size_t n_used = ready->end_byte - ready->first_byte;
        size_t n_room = ready->n_room_bytes ? ready->n_room_bytes : 512;
        uint8_t *bytes;

        if (ready->n_room_bytes - ready->end_byte >= n_bytes)
                return true;

        if (ready->first_byte > n_used && ready->n_room_bytes - n_used >= n_bytes) {
                memcpy(ready->bytes, ready->bytes + ready->first_byte, n_used);
                ready->first_byte = 0;
                ready->end_byte = n_used;
                return true;
        }

        while (n_room - ready->end_byte < n_bytes || n_room < ready->end_byte)
                n_room *= 2;
        bytes = realloc(ready->bytes, n_room);
        if (!bytes)
                return false;
        ready->bytes = bytes;
        ready->n_room_bytes = n_room;

        return true;
}

static bool reserve_entry(struct ready *ready)
{
        size_t n_used = ready->end_entry - ready->first_entry;
        size_t n_room = ready->n_room_entries ? ready->n_room_entries * 2 : 16;
        struct ready_entry *entries;

        if (ready->end_entry < ready->n_room_entries)
                return true;

        if (ready->first_entry > n_used) {
                memcpy(ready->entries,
                       ready->entries + ready->first_entry,
                       n_used * sizeof(*ready->entries));
                ready->first_entry = 0;
                ready->end_entry = n_used;
                return true;
        }

        entries = realloc(ready->entries, n_room * sizeof(*entries));
        if (!entries)
                return false;
        ready->entries = entries;
        ready->n_room_entries = n_room;

        return true;
}

uint8_t *ready_append(struct ready *ready, uint64_t id, size_t n_bytes)
{
        uint8_t *record;

        if (!reserve_entry(ready) || !reserve_bytes(ready, n_bytes))
                return NULL;

        record = ready->bytes + ready->end_byte;
        ready->end_byte += n_bytes;
        ready->entries[ready->end_entry++] = (struct ready_entry){
                .id = id,
                .n_bytes = n_bytes,
                .n_stride = n_bytes,
        };
        ++ready->n_live;

        return record;
}

bool ready_first(struct ready *ready,
                 uint64_t *ret_id,
                 const uint8_t **ret_bytes,
                 size_t *ret_n_bytes)
{
        while (ready->first_entry < ready->end_entry) {
                const struct ready_entry *entry = &ready->entries[ready->first_entry];

                if (!entry->dropped) {
                        *ret_id = entry->id;
                        *ret_bytes = ready->bytes + ready->first_byte;
                        *ret_n_bytes = entry->n_bytes;
                        return true;
                }
                ready->first_byte += entry->n_stride;
                ++ready->first_entry;
        }
        rewind_empty(ready);

        return false;
}

void ready_pop(struct ready *ready)
{
        const struct ready_entry *entry = &ready->entries[ready->first_entry];

        --ready->n_live;
        ready->first_byte += entry->n_stride;
        ++ready->first_entry;
        if (ready->first_entry == ready->end_entry)
                rewind_empty(ready);
}

void ready_drop(struct ready *ready, uint64_t id)
{
        for (size_t i = ready->first_entry; i < ready->end_entry; ++i) {
                struct ready_entry *entry = &ready->entries[i];

                if (entry->id == id && !entry->dropped) {
                        entry->dropped = true;
                        --ready->n_live;
                        return;
                }
        }
}

size_t ready_n_entries(const struct ready *ready)
{
        return ready->end_entry - ready->first_entry;
}

const struct ready_entry *ready_entry(const struct ready *ready, size_t index)
{
        return &ready->entries[ready->first_entry + index];
}

size_t ready_n_bytes(const struct ready *ready)
{
        return ready->end_byte - ready->first_byte;
}

void ready_replace(struct ready *ready, size_t index, const uint8_t *record, size_t n_bytes)
{
        size_t offset = ready->first_byte;

        for (size_t i = 0; i < index; ++i)
                offset += ready_entry(ready, i)->n_stride;

        memcpy(ready->bytes + offset, record, n_bytes);
        ready->entries[ready->first_entry + index].n_bytes = n_bytes;
}
