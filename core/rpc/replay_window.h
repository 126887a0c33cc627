/*
 * Which counters have been seen: a bitmap that slides
 *
 * Frames of a session overtake each other, since many threads send and receive
 * them; each counter is taken once all the same. What is more than
 * PIPIT_REPLAY_WINDOW behind the highest is too old to tell, and refused.
 *
 * Not thread-safe. All zero is a window that has seen nothing.
 */

#ifndef CORE_RPC_REPLAY_WINDOW_H
#define CORE_RPC_REPLAY_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#define PIPIT_REPLAY_BITS 8192

/* A word less: the one that the highest is in is cleared as a whole when it is entered. */
#define PIPIT_REPLAY_WINDOW (PIPIT_REPLAY_BITS - 64)

struct pipit_replay_window {
        /* private */
        uint64_t highest;
        bool any;
        uint64_t words[PIPIT_REPLAY_BITS / 64];
};

/* Whether @counter may be taken. Changes nothing. */
bool pipit_replay_window_check(const struct pipit_replay_window *window, uint64_t counter);

/* Takes @counter, which has been checked. */
void pipit_replay_window_mark(struct pipit_replay_window *window, uint64_t counter);

#endif
