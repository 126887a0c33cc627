/*
 * Pipit: where a server writes its log
 *
 * One line an event, as JSON or readable. Writing never blocks who has something
 * to say: lines go through a bounded buffer that one thread empties into a file
 * descriptor. Where its reader is too slow lines are dropped and counted.
 *
 * Public: installed, compiles alone, in C and C++. Any thread; free last.
 */

#ifndef PIPIT_LOG_H
#define PIPIT_LOG_H

#include <pipit/macros.h>
#include <stdint.h>

PIPIT_BEGIN_DECLS

struct pipit_log;

enum pipit_log_level {
        PIPIT_LOG_DEBUG,
        PIPIT_LOG_INFO,
        PIPIT_LOG_WARNING,
        PIPIT_LOG_ERROR,
        PIPIT_LOG_OFF,
};

enum pipit_log_format {
        PIPIT_LOG_JSON, /* {"time":"2026-01-02T03:04:05.678901Z","level":"info","msg":...,fields} */
        PIPIT_LOG_READABLE, /* 03:04:05.678 info  message  key=value ... */
};

/*
 * Writes to what @fd is, whose flags stay as they are; @fd itself stays the
 * caller's. NULL: out of memory, threads or descriptors.
 */
PIPIT_PUBLIC PIPIT_MUST_CHECK struct pipit_log *pipit_log_new(int fd,
                                                              enum pipit_log_format format,
                                                              enum pipit_log_level level);

/*
 * Writes what waits, for at most a second if the reader is stuck, then frees.
 * NULL is a no-op. Returns NULL.
 */
PIPIT_PUBLIC struct pipit_log *pipit_log_free(struct pipit_log *log);

/* Waits until all that was written before has reached the descriptor, or for @timeout_ms. */
PIPIT_PUBLIC void pipit_log_flush(struct pipit_log *log, uint32_t timeout_ms);

PIPIT_END_DECLS

#endif
