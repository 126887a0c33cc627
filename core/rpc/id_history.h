/*
 * Which of the last ids a mailbox is through with
 *
 * A bitmap over the numbers up to the highest one: as many words as it takes,
 * up to PIPIT_ID_HISTORY_MAX ids; what lies below is forgotten. Memory being out
 * is no error, only an earlier forgetting. Knows nothing of calls. Not
 * thread-safe.
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
        uint64_t last_word; /* the highest that has a bit: id / 64 */
        size_t n_words;     /* up to last_word; 0 or a power of two */
        uint64_t *words;    /* word w lies at w % n_words */
};

void pipit_id_history_add(struct pipit_id_history *history, uint64_t id);

bool pipit_id_history_has(const struct pipit_id_history *history, uint64_t id);

/* The history is empty and usable again. */
void pipit_id_history_deinit(struct pipit_id_history *history);

#endif
