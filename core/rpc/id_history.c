#include "core/rpc/id_history.h"

#include <stdlib.h>

#define WORD_BITS   64
#define N_WORDS_MIN 16
#define N_WORDS_MAX (PIPIT_ID_HISTORY_MAX / WORD_BITS)

static uint64_t *word_of(const struct pipit_id_history *history, uint64_t number)
{
        return &history->words[number & (history->n_words - 1)];
}

static bool is_above(const struct pipit_id_history *history, uint64_t number)
{
        return number >= history->first_word && number - history->first_word >= history->n_words;
}

static void forget(struct pipit_id_history *history, uint64_t id)
{
        if (id > history->forgotten_max)
                history->forgotten_max = id;
}

/* Doubles the window at its upper end. False: it is as large as it may be, or memory is out. */
static bool grow(struct pipit_id_history *history)
{
        size_t n_words = history->n_words > 0 ? history->n_words * 2 : N_WORDS_MIN;
        struct pipit_id_history old = *history;
        uint64_t *words;

        if (n_words > N_WORDS_MAX)
                return false;

        words = calloc(n_words, sizeof(*words));
        if (!words)
                return false;

        history->words = words;
        history->n_words = n_words;
        for (size_t i = 0; i < old.n_words; i++)
                *word_of(history, old.first_word + i) = *word_of(&old, old.first_word + i);
        free(old.words);

        return true;
}

/* Farther away than the largest window is wide, growing would only copy zeroes. */
static void grow_upwards(struct pipit_id_history *history, uint64_t number)
{
        while (is_above(history, number) && number - history->first_word < N_WORDS_MAX) {
                if (!grow(history))
                        return;
        }
}

static void grow_downwards(struct pipit_id_history *history, uint64_t number)
{
        uint64_t end = history->first_word + history->n_words;

        while (number < history->first_word && end - number <= N_WORDS_MAX) {
                if (!grow(history))
                        return;
                history->first_word = end > history->n_words ? end - history->n_words : 0;
        }
}

/* Moves the window up until @number is its last word; what falls out is forgotten. */
static void move_up(struct pipit_id_history *history, uint64_t number)
{
        uint64_t first_word = number - history->n_words + 1;
        uint64_t n_leaving = first_word - history->first_word;

        if (n_leaving > history->n_words)
                n_leaving = history->n_words;
        for (uint64_t w = history->first_word; n_leaving > 0; w++, n_leaving--) {
                uint64_t *word = word_of(history, w);

                if (*word != 0)
                        forget(history,
                               w * WORD_BITS + WORD_BITS - 1 -
                                       (unsigned int)__builtin_clzll(*word));
                *word = 0;
        }

        history->first_word = first_word;
}

void pipit_id_history_add(struct pipit_id_history *history, uint64_t id)
{
        uint64_t number = id / WORD_BITS;

        if (history->n_words == 0) {
                if (!grow(history)) {
                        forget(history, id);
                        return;
                }
                history->first_word = number;
        }

        grow_upwards(history, number);
        grow_downwards(history, number);
        if (is_above(history, number))
                move_up(history, number);

        if (number < history->first_word)
                forget(history, id);
        else
                *word_of(history, number) |= UINT64_C(1) << (id % WORD_BITS);
}

bool pipit_id_history_has(const struct pipit_id_history *history, uint64_t id)
{
        uint64_t number = id / WORD_BITS;

        if (number < history->first_word || number - history->first_word >= history->n_words)
                return false;

        return *word_of(history, number) >> (id % WORD_BITS) & 1;
}

void pipit_id_history_deinit(struct pipit_id_history *history)
{
        free(history->words);
        *history = (struct pipit_id_history){0};
}
