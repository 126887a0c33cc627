/*
 * What tests of real processes share: server processes, TAP
 */

#ifndef TESTS_HARNESS_HARNESS_H
#define TESTS_HARNESS_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/macros.h"

/* --- processes --------------------------------------------------------------- */

struct process {
        pid_t pid; /* 0: none */
};

/*
 * Starts @argv and waits for its line `listening on URL`. Its standard error is
 * ours, or @log_path (made anew) where that is not NULL. Exits the test if it
 * does not start.
 */
void process_start(struct process *process, const char *const argv[], const char *log_path);

/* Sends @signal and waits; returns the wait status. */
int process_end(struct process *process, int signal);

/* A field of /proc/PID/smaps_rollup or /proc/PID/status in bytes, as "Pss:" or "VmHWM:"; 0: none. */
size_t process_memory(pid_t pid, const char *field);

/* A new temporary folder for sockets and files; removed by temporary_folder_remove(). */
void temporary_folder_make(char path[64]);
void temporary_folder_remove(const char *path);

/* Sorts. The upper one of an even number; 0 without values. */
int64_t median(int64_t *values, size_t n);

/* --- TAP ----------------------------------------------------------------------- */

/* Prints `ok N - sentence` or `not ok N - sentence`; the format may tell figures. */
bool check(bool condition, const char *format, ...) PIPIT_PRINTF(2, 3);

/* Prints a comment line. */
void note(const char *format, ...) PIPIT_PRINTF(1, 2);

/* Prints `N passed, N failed`; the exit code of the test. */
int finish(void);

/* Ends the test at once: what it needs is not there. */
void die(const char *format, ...) PIPIT_PRINTF(1, 2) __attribute__((noreturn));

#endif
