/*
 * Keyed: a server with keys, and whoever sits on the line before it
 *
 *      client <-> meddler <-> server
 *
 * The server does as docs/wire.md says: it shakes hands, opens, runs each call once
 * (a call is its text, which it gives back), keeps every answer, and tells who awaits
 * what it never had that it did not. A meddler sees every frame that comes and every
 * answer that goes, and may change it, keep it, or answer himself; he has no keys.
 *
 * One thread, one connection after the other, ipc-free: tcp on 127.0.0.1. Keys, id.key
 * and known_servers are made anew in a folder of its own.
 */

#ifndef TESTS_INTEGRATION_CLIENT_KEYED_H
#define TESTS_INTEGRATION_CLIENT_KEYED_H

#include <pipit/client.h>
#include <pthread.h>
#include <stdatomic.h>

#include "core/rpc/frame.h"
#include "core/rpc/session.h"
#include "tests/integration/client/raw.h"

#define KEYED_SESSIONS 4
#define KEYED_CALLS    4096

struct keyed;

/* On the server's thread. False: @frame goes no further. */
typedef bool (*keyed_meddle_fn)(struct keyed *keyed, struct raw_frame *frame);

struct keyed_call {
        uint64_t id;
        bool is_tombstone;
        char text[24];
};

struct keyed {
        /* in: before keyed_start() */
        keyed_meddle_fn on_frame;  /* what comes; NULL: nobody looks */
        keyed_meddle_fn on_answer; /* what goes */
        const struct pipit_clock *clock;
        uint32_t max_frame; /* of the welcome */
        void *context;      /* the meddler's */

        /* out: once made */
        char url[64];
        char folder[64];
        char key_file[96];
        char known_servers[96];
        struct pipit_noise_keys server;
        struct pipit_noise_keys client;

        /* out: any time */
        atomic_uint n_accepts;
        atomic_uint n_hellos;
        atomic_uint n_frames;        /* that could be opened */
        atomic_uint n_bytes_longest; /* of them */
        atomic_uint n_sealed_badly;  /* that could not */
        atomic_uint n_runs;
        atomic_uint n_kept;    /* answers that the meddler has not let go */
        atomic_bool ran_twice; /* some text */
        atomic_bool is_newest; /* the session of the last frame is that of the last handshake */

        /* private; the meddler may look */
        struct raw raw;
        pthread_t thread;
        atomic_bool is_stopping;
        struct pipit_secret_pool *secrets;
        struct pipit_session *sessions[KEYED_SESSIONS]; /* of this connection, the last one first */
        struct keyed_call calls[KEYED_CALLS];
        size_t n_calls;
};

/* Makes keys and files, and listens; nobody is served yet. */
void keyed_init(struct keyed *keyed);
void keyed_start(struct keyed *keyed);

/* The channels that call it are freed. */
void keyed_deinit(struct keyed *keyed);

/* One to it, with its files; @options may be NULL. */
struct pipit_channel *keyed_channel(struct keyed *keyed,
                                    const struct pipit_channel_options *options);

/* Makes known_servers name @key, and URL. */
void keyed_trust(const struct keyed *keyed, const char *url, const uint8_t *key);

/* --- for meddlers --- */

enum pipit_frame_kind keyed_kind(const struct raw_frame *frame);

/* In place of an answer to @frame; false, to be returned. */
bool keyed_reject(struct keyed *keyed, const struct raw_frame *frame, unsigned int code);
bool keyed_reply_bytes(struct keyed *keyed,
                       const struct raw_frame *frame,
                       const void *bytes,
                       size_t n_bytes);
bool keyed_hang_up(struct keyed *keyed);

/* Has the server take @frame as if it had come, but keeps its answer. */
void keyed_take_silently(struct keyed *keyed, const struct raw_frame *frame);

#endif
