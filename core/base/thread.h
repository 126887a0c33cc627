/*
 * Threads of a library: signals are for those of the program; how many make sense; and
 * waiting by the clock
 */

#ifndef CORE_BASE_THREAD_H
#define CORE_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/macros.h"

/* Starts a thread that takes no signal. 0, or what pthread_create() says; nothing was started then. */
PIPIT_MUST_CHECK int pipit_thread_start(pthread_t *ret_thread,
                                        void *(*main)(void *argument),
                                        void *argument);

/* That are online; at least one. */
size_t pipit_n_processors(void);

/* A condition whose waits end by the time of pipit_clock_now_us(), whatever is done to the date. */
void pipit_cond_init(pthread_cond_t *cond);

/* False: @at_us has come. PIPIT_NEVER_US: it never does. */
bool pipit_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t at_us);

#endif
