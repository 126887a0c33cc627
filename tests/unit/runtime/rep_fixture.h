/*
 * An endpoint of sockets without a server, and raw peers
 *
 * Frames are answered with themselves, unless the test takes them. The clock that
 * the endpoint sees can be moved on.
 */

#ifndef TESTS_UNIT_RUNTIME_REP_FIXTURE_H
#define TESTS_UNIT_RUNTIME_REP_FIXTURE_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those before it */
#include <cmocka.h>

#include "core/rpc/sp.h"
#include "server/runtime/rep.h"
#include "server/runtime/rep_loop.h"

#define WAIT_MS 20000

/* What a message may have, words and frame. */
#define RECEIVE_BYTES_MAX (1024 * 1024 + 65536)

/* Long enough for no test to wait for: the clock is moved on instead. */
#define TIMEOUT_MS 3600000

struct rep_fixture;

typedef void (*rep_fixture_take_fn)(struct rep_fixture *fixture,
                                    struct rep_context *context,
                                    struct rep_message *message);

struct rep_fixture {
        /* in, before start */
        rep_fixture_take_fn take;                  /* NULL: the frame is its own answer */
        void (*told)(struct rep_fixture *fixture); /* after sent(); may be NULL */

        /* out */
        struct rep_loop *loop;
        struct rep_endpoint *endpoint;
        char directory[64];
        enum sp_framing framing;
        atomic_uint n_contexts;

        /* private */
        pthread_mutex_t mutex;
        pthread_cond_t changed;
        unsigned int n_added;
        unsigned int n_removed;
        unsigned int n_sent;
        unsigned int n_stuck;
        size_t n_sent_bytes;
};

void rep_fixture_start(struct rep_fixture *fixture, enum rep_transport transport);

/* Every pipe that was added is gone, every answer was told of. */
void rep_fixture_stop(struct rep_fixture *fixture);

/* Waits until *@counter, of the fixture, is at least @n. */
void rep_fixture_wait(struct rep_fixture *fixture, const unsigned int *counter, unsigned int n);

/* The same for @ms at most. False: it is not. */
bool rep_fixture_wait_ms(struct rep_fixture *fixture,
                         const unsigned int *counter,
                         unsigned int n,
                         int64_t ms);

unsigned int rep_fixture_read(struct rep_fixture *fixture, const unsigned int *counter);

/* Adds one to *@counter, which is the test's, and tells those who wait. */
void rep_fixture_count(struct rep_fixture *fixture, unsigned int *counter);

/* The test's to call, for a frame that it took; takes @message. */
void rep_fixture_answer(struct rep_fixture *fixture,
                        struct rep_context *context,
                        struct rep_message *message);

/* All that look at the clock from here on see it so much later. */
void rep_fixture_move_clock(uint32_t ms);

/* --- peers ------------------------------------------------------------------ */

/* A connection, not greeted. */
int peer_connect(const struct rep_fixture *fixture);

/* The same, step by step, and the greetings. */
int peer_socket(const struct rep_fixture *fixture);
void peer_connect_at(const struct rep_fixture *fixture, int fd);
void peer_greet(int fd);

int peer_connect_greeted(const struct rep_fixture *fixture);

/* False: the server has hung up. */
bool peer_try_to_write(int fd, const void *bytes, size_t n_bytes);
void peer_write(int fd, const void *bytes, size_t n_bytes);

/* ipc: what was written has been read by the server. */
void peer_wait_read(int fd);

/* How many of @n_bytes come before the end of the connection. */
size_t peer_read(int fd, void *bytes, size_t n_bytes);

/* The server hangs up, and has sent nothing but what was read. */
void peer_assert_hung_up(int fd);

/* Writes a message's head, @n_words words, the last of which is @id with the top bit, and the frame. Returns all bytes. */
size_t message_write(const struct rep_fixture *fixture,
                     uint8_t *to,
                     uint32_t id,
                     size_t n_words,
                     const void *frame,
                     size_t n_frame);

/* An answer comes: words and frame are @bytes. */
void peer_assert_answer(const struct rep_fixture *fixture,
                        int fd,
                        const uint8_t *bytes,
                        size_t n_bytes);

/* A frame is answered with itself. */
void peer_assert_served(const struct rep_fixture *fixture, int fd);

#endif
