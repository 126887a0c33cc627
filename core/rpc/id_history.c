#include "core/rpc/id_history.h"

#include <stdlib.h>

#define WORD_BITS   64
#define N_WORDS_MIN 16
#define N_WORDS_MAX (PIPIT_ID_HISTORY_MAX / WORD_BITS)

/* Below word 0 the numbers wrap; those words exist, and stay empty. */
static uint64_t *word_of(const struct pipit_id_history *history, uint64_t number)
{
        return &history->words[number & (history->n_words - 1)];
}

static bool is_held(const struct pipit_id_history *history, uint64_t number)
{
        return number <= history->last_word && history->last_word - number < history->n_words;
}

static void forget(struct pipit_id_history *history, uint64_t id)
{
        if (id > history->forgotten_max)
                history->forgotten_max = id;
}

/* Twice the words. False: there are as many as may be, or memory is out. */
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
                *word_of(history, old.last_word - i) = *word_of(&old, old.last_word - i);
        free(old.words);

        return true;
}

/* How many words fall out when @number becomes the last. */
static size_t count_leaving(const struct pipit_id_history *history, uint64_t number)
{
        uint64_t distance = number - history->last_word;

        return distance < history->n_words ? (size_t)distance : history->n_words;
}

static bool would_forget(const struct pipit_id_history *history, uint64_t number)
{
        uint64_t first = history->last_word - history->n_words + 1;

        for (size_t i = 0, n = count_leaving(history, number); i < n; i++) {
                if (*word_of(history, first + i) != 0)
                        return true;
        }

        return false;
}

static void move_up(struct pipit_id_history *history, uint64_t number)
{
        uint64_t first = history->last_word - history->n_words + 1;

        for (size_t i = 0, n = count_leaving(history, number); i < n; i++) {
                uint64_t *word = word_of(history, first + i);

                if (*word != 0)
                        forget(history,
                               (first + i) * WORD_BITS + WORD_BITS - 1 -
                                       (unsigned int)__builtin_clzll(*word));
                *word = 0;
        }
        history->last_word = number;
}

void pipit_id_history_add(struct pipit_id_history *history, uint64_t id)
{
        uint64_t number = id / WORD_BITS;

        if (history->n_words == 0 && !grow(history)) {
                forget(history, id);
                return;
        }

        if (number > history->last_word) {
                /* However far it moves up, more than the maximum would not hold more. */
                while (would_forget(history, number) && grow(history))
                        ;
                move_up(history, number);
        } else {
                while (!is_held(history, number) && grow(history))
                        ;
        }

        if (is_held(history, number))
                *word_of(history, number) |= UINT64_C(1) << (id % WORD_BITS);
        else
                forget(history, id);
}

bool pipit_id_history_has(const struct pipit_id_history *history, uint64_t id)
{
        uint64_t number = id / WORD_BITS;

        return is_held(history, number) && (*word_of(history, number) >> (id % WORD_BITS) & 1) != 0;
}

void pipit_id_history_deinit(struct pipit_id_history *history)
{
        free(history->words);
        *history = (struct pipit_id_history){0};
}
