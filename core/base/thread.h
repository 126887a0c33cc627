/*
 * Threads of a library: signals are for those of the program
 */

#ifndef CORE_BASE_THREAD_H
#define CORE_BASE_THREAD_H

#include <pthread.h>

#include "core/base/macros.h"

/* Starts a thread that takes no signal. 0, or what pthread_create() says; nothing was started then. */
PIPIT_MUST_CHECK int pipit_thread_start(pthread_t *ret_thread,
                                        void *(*main)(void *argument),
                                        void *argument);

#endif
