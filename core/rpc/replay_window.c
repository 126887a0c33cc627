#include "core/rpc/replay_window.h"

#include "core/base/macros.h"

#define N_WORDS PIPIT_N_ELEMENTS(((struct pipit_replay_window *)NULL)->words)

static uint64_t *word_of(struct pipit_replay_window *window, uint64_t counter)
{
        return &window->words[counter / 64 % N_WORDS];
}

bool pipit_replay_window_check(const struct pipit_replay_window *window, uint64_t counter)
{
        if (!window->any || counter > window->highest)
                return true;
        if (window->highest - counter >= PIPIT_REPLAY_WINDOW)
                return false;

        return !(window->words[counter / 64 % N_WORDS] >> counter % 64 & 1);
}

void pipit_replay_window_mark(struct pipit_replay_window *window, uint64_t counter)
{
        if (!window->any || counter > window->highest) {
                uint64_t n_entered = counter / 64 - window->highest / 64;

                if (n_entered > N_WORDS)
                        n_entered = N_WORDS;
                for (uint64_t i = 0; i < n_entered; i++)
                        *word_of(window, (counter / 64 - i) * 64) = 0;
                window->highest = counter;
                window->any = true;
        }

        *word_of(window, counter) |= UINT64_C(1) << counter % 64;
}
