/*
 * Seal: the transport for tcp with keys, which has another one carry what it seals
 *
 *      pipe up -> hello -> welcome -> UP     before anything else
 *      send    -> seal -> inner send
 *      answer  -> open -> on_received
 *
 * docs/wire.md, section 14. To the channel a frame is as it is without keys: a
 * header and a body, which lie in the sealed one where its in_reply_to ends. So
 * nothing is copied, and nothing is allocated for it.
 *
 *      offset  0      28       34       38    38 + n
 *              clear  sealed   header   body  tag
 *                              ^ what the channel sees, up to the tag
 *
 * An answer that cannot be opened, or is a reject, which anybody can make, ends the
 * connection: what is outstanding is asked for on the next one, and nothing of it is
 * believed. A session that is old makes the next on the way, and goes on meanwhile;
 * one that is too old ends the connection, too. How soon the next attempt may come
 * grows with each such end.
 *
 * Sealing and opening are done on the thread that sends or reads, under no lock.
 * Mutexes: this one before the inner transport's; none is held around on_*().
 *
 *      seal_socket.c     struct transport; the connection
 *      seal_handshake.c  hello and welcome
 *      seal_lane.c       frames
 */

#ifndef CLIENT_SEAL_H
#define CLIENT_SEAL_H

#include <pthread.h>

#include "client/keyring.h"
#include "client/transport.h"
#include "core/rpc/session.h"

/* Where the channel's frame begins in the sealed one, and how much longer that is. */
#define SEAL_VIEW_AT (PIPIT_SEALED_HEAD_BYTES - PIPIT_FRAME_HEADER_BYTES)
#define SEAL_EXTRA   (PIPIT_SEALED_OVERHEAD_BYTES - PIPIT_FRAME_HEADER_BYTES)

enum seal_phase {
        SEAL_CLOSED,  /* hung up, or never dialled */
        SEAL_WANTED,  /* dialled; there is no session yet */
        SEAL_OPEN,    /* there was one */
        SEAL_REFUSED, /* there will be none */
};

/* A handshake under way; of whoever has claimed it. */
struct seal_shake {
        struct pipit_noise *noise; /* guarded */
        struct pipit_hello hello;
        int64_t begun_us;
        uint64_t epoch;
};

struct seal_socket {
        struct transport_socket base;
        struct transport_options options;
        struct transport_socket *inner;
        struct transport_lane *shake_lane; /* of inner */
        struct seal_shake shake;

        pthread_mutex_t mutex;

        /* mutex */
        enum seal_phase phase;
        uint64_t epoch;                /* counts dials */
        bool is_shaking;               /* somebody has claimed the handshake */
        unsigned int n_senders;        /* of hellos: threads in seal_shake() */
        pthread_cond_t sent;           /* the last of them is back */
        struct pipit_session *session; /* for new frames; NULL: none */
        int64_t rekey_us;    /* no new handshake on this pipe before, by the clock of sessions */
        size_t frame_bytes;  /* that the server takes */
        const char *problem; /* REFUSED: why */
        struct transport_refusal refusal;
        bool is_refused; /* since the last dial */
        unsigned int n_refusals;
        int64_t refused_us; /* the last one */
        char text[96];      /* of a problem that has numbers */
};

struct seal_lane {
        struct transport_lane base;
        struct transport_lane_options options; /* the channel's */
        struct seal_socket *socket;
        struct transport_lane *inner;
        struct pipit_session *session; /* that sealed its last frame; NULL: none has */
        uint64_t counter;              /* of that */
};

extern const struct transport seal_transport;

struct seal_socket *seal_socket_of(struct transport_socket *base);

/* By which sessions age. */
int64_t seal_now_us(const struct seal_socket *socket);

/*
 * The server, or whoever speaks in its place, wants no more of us. The first of a
 * connection counts. Mutex held.
 */
void seal_refused(struct seal_socket *socket, enum client_reason reason, uint32_t retry_ms);

/* --- seal_handshake.c: without the mutex --- */

/* NULL: *ret_problem tells. */
bool seal_handshake_init(struct seal_socket *socket, const char **ret_problem);
void seal_handshake_deinit(struct seal_socket *socket);

/* False: there is a handshake under way. Else seal_shake() is to follow. Mutex held. */
bool seal_claim(struct seal_socket *socket);
void seal_shake(struct seal_socket *socket);

/* The first of a new pipe, if one is up and has none under way. */
void seal_shake_first(struct seal_socket *socket);

/* --- seal_lane.c --- */

/* Of struct transport. */
struct transport_lane *seal_lane_open(struct transport_socket *base,
                                      const struct transport_lane_options *options,
                                      const char **ret_problem);
void seal_lane_stop(struct transport_lane *base);
void seal_lane_close(struct transport_lane *base);
void seal_lane_send(struct transport_lane *base, struct transport_message *message, bool has_calls);
void seal_lane_abort(struct transport_lane *base);
struct transport_message *seal_message_new(struct transport_lane *base, size_t n_bytes);
uint8_t *seal_message_bytes(struct transport_lane *base,
                            struct transport_message *message,
                            size_t *ret_n_bytes);
void seal_message_free(struct transport_lane *base, struct transport_message *message);

#endif
