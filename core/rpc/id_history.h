/*
 * Which of the last ids a mailbox is through with
 *
 * A bitmap over a window of numbers. It grows with what it is asked to hold, up
 * to PIPIT_ID_HISTORY_MAX ids, then moves up and forgets. Memory being out is no
 * error, only an earlier forgetting. Knows nothing of calls. Not thread-safe.
 */

#ifndef CORE_RPC_ID_HISTORY_H
#define CORE_RPC_ID_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PIPIT_ID_HISTORY_MAX 65536

/* All zero is an empty one. */
struct pipit_id_history {
        /* out */
        uint64_t forgotten_max; /* the highest id that was added and is no longer held; 0: none */

        /* private */
        uint64_t first_word; /* number of the window's lowest word: id / 64 */
        size_t n_words;      /* 0 or a power of two */
        uint64_t *words;     /* word w lies at w % n_words */
};

void pipit_id_history_add(struct pipit_id_history *history, uint64_t id);

bool pipit_id_history_has(const struct pipit_id_history *history, uint64_t id);

/* The history is empty and usable again. */
void pipit_id_history_deinit(struct pipit_id_history *history);

#endif
