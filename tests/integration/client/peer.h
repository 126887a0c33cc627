/*
 * Peer: a server for tests that does as it is told, right or wrong
 *
 * A raw REP socket of nng. By itself it answers the empty frame that opens each
 * connection, and in PEER_ECHO mode every call with its own payload; all else
 * waits until the test takes it with peer_wait(). Any thread.
 */

#ifndef TESTS_INTEGRATION_CLIENT_PEER_H
#define TESTS_INTEGRATION_CLIENT_PEER_H

#include <nng/nng.h>
#include <stdbool.h>

#include "core/base/status.h"
#include "core/rpc/frame.h"
#include "pipit/v1/frame.pb-c.h"

enum peer_mode {
        PEER_MANUAL,
        PEER_ECHO,
};

struct peer;

/* A request the test has to answer, drop or close. */
struct peer_frame {
        struct peer *peer;
        Pipit__V1__Request *request;
        size_t n_bytes;

        /* private */
        size_t context;
        nng_pipe pipe;
        struct peer_frame *next;
};

struct peer_reply {
        uint64_t id;
        const char *text;         /* of the payload */
        enum pipit_status status; /* OK: the payload counts */
        const char *reason;
        enum pipit_ran ran;
        const void *raw; /* instead of text: the payload as it is */
        size_t n_raw;
        const char *metadata_key;
};

struct peer *peer_new(const char *url, uint64_t instance, enum peer_mode mode);
struct peer *peer_free(struct peer *peer);

void peer_set_mode(struct peer *peer, enum peer_mode mode);
void peer_set_draining(struct peer *peer, bool is_draining);
void peer_set_instance(struct peer *peer, uint64_t instance);

/* Leaves the frames that open connections to the test, too. */
void peer_set_manual_hello(struct peer *peer);

/* How many calls came in echo mode, and how many frames in all. */
size_t peer_n_calls(struct peer *peer);
size_t peer_n_frames(struct peer *peer);

/* The next frame; NULL after ten seconds without one, or @timeout_ms. */
struct peer_frame *peer_wait(struct peer *peer);
struct peer_frame *peer_wait_for(struct peer *peer, int timeout_ms);

/* Each of these is the end of @frame. */
void peer_answer(struct peer_frame *frame, const struct peer_reply *replies, size_t n_replies);
void peer_answer_text(struct peer_frame *frame, uint64_t id, const char *text);
void peer_answer_bytes(struct peer_frame *frame, const void *bytes, size_t n_bytes);
void peer_reject(struct peer_frame *frame, const struct pipit_reject *reject);
void peer_ignore(struct peer_frame *frame);
void peer_hang_up(struct peer_frame *frame);

#endif
