/*
 * What the contestants of tools/bench share: one measurement, one line of JSON
 *
 *      CONTESTANT MODE N SECONDS [SERVER]
 *
 * MODE is `async` (N calls in flight in one thread's hands, each started anew as
 * it ends) or `blocking` (N threads, each with one call at a time). A contestant
 * brings a server process and a way to make one call; this drives it and prints
 * calls a second, latencies, and the CPU time of both sides a call.
 */

#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define BENCH_TEXT                                                                                 \
        "an echo of eighty bytes or so, as small calls between services tend to be long" /* 80 */

struct bench_slot {
        int64_t start_us;
        void *contestant; /* the contestant's own, made by slot_new() */
};

/* Called by the contestant when an asynchronous call has ended. Any thread. */
void bench_done(struct bench_slot *slot, bool ok);

struct bench_contestant {
        const char *name;
        pid_t (*server_start)(const char *server, const char *url);
        void (*open)(const char *url);
        void *(*slot_new)(struct bench_slot *slot);
        void (*start)(struct bench_slot *slot); /* asynchronous: ends in bench_done() */
        bool (*call)(struct bench_slot *slot);  /* blocking */
        void (*slot_free)(struct bench_slot *slot);
        void (*close)(void);
};

/* Does what @argv says; returns the exit code. */
int bench_main(const struct bench_contestant *contestant, int argc, char **argv);

#endif
