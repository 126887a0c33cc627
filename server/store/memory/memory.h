/*
 * Users in memory: for tests and inproc. Nothing survives the process.
 */

#ifndef SERVER_STORE_MEMORY_MEMORY_H
#define SERVER_STORE_MEMORY_MEMORY_H

#include "core/base/clock.h"
#include "core/users/repository.h"

/* @clock tells the age of request log entries. NULL: out of memory. */
struct users_repository *users_memory_new(const struct pipit_clock *clock);

#endif
