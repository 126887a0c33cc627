/*
 * The load generator: what all contestants of tools/bench share
 *
 *      CONTESTANT LOAD [FLAGS]        one measurement, one line of JSON
 *
 * LOAD is how calls are made:
 *
 *   closed    --n calls in flight, each started anew as it ends
 *   blocking  --n threads, each with one call at a time
 *   open      --rate calls a second, whose arrivals are independent (Poisson);
 *             a call's latency counts from when it was to start
 *
 * A contestant brings a way to make one call; this drives it and measures:
 * calls a second, latencies, and the CPU time of both sides. Written in C, with
 * what it takes to be used from C++: the contestants differ in nothing else.
 * bench_main() says all flags.
 */

#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a measurement is to do; the contestant's part of the flags. */
struct bench_options {
        const char *url;      /* ipc://PATH or tcp://HOST:PORT */
        const char *work;     /* which calls, for contestants that know several; "" if not given */
        const char *variant;  /* how, for contestants that know several ways; "" if not given */
        size_t n;             /* calls in flight, or threads; open: at most so many */
        size_t n_connections; /* slot i uses connection i % n_connections */
        size_t n_bytes;       /* of payload a call */
        size_t n_users;       /* rows that are there */
};

/* A call at a time: from start to bench_done() it is the contestant's. */
struct bench_slot {
        void *contestant; /* made by slot_new() */
        size_t index;
        int64_t start_ns; /* when the call started, or was to start */
        struct bench_slot *next;
};

struct bench_contestant {
        const char *name;
        void (*open)(const struct bench_options *options);
        void *(*slot_new)(struct bench_slot *slot);
        void (*start)(struct bench_slot *slot); /* asynchronous: ends in bench_done() */
        bool (*call)(struct bench_slot *slot);  /* blocking; true: a right answer */
        void (*slot_free)(struct bench_slot *slot);
        void (*close)(void);
};

/* Called by the contestant when an asynchronous call has ended. Any thread, but not in start(). */
void bench_done(struct bench_slot *slot, bool ok);

/* Does what @argv says; returns the exit code. */
int bench_main(const struct bench_contestant *contestant, int argc, char **argv);

/* --- the echo that all contestants send -------------------------------------- */

#define BENCH_BYTES_DEFAULT 80
#define BENCH_BYTES_MAX     (1 << 20)

/* The three fields of echo.v1; their bytes on the wire are about n_bytes together. */
struct bench_echo {
        const char *text; /* 40 bytes */
        uint64_t number;
        const uint8_t *data;
        size_t n_data;
};

struct bench_echo bench_echo_make(size_t n_bytes);

/* What came back is what was sent: every field is looked at. */
bool bench_echo_is(const struct bench_echo *echo,
                   const char *text,
                   uint64_t number,
                   const uint8_t *data,
                   size_t n_data);

#ifdef __cplusplus
}
#endif

#endif
