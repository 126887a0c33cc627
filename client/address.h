/*
 * Address: one server address, its connection and what waits for it
 *
 *      RESTING -> DIALING -> (SHAKING ->) UP -> LOST -> RESTING
 *         ^----------+-----------+
 *
 * The channel's thread makes all moves, but for UP -> LOST, which any thread may
 * make that sees the connection fail. LOST ends when every lane has come back,
 * so that no frame outlives its connection. All under the channel's mutex, but
 * endpoint, which only the channel's thread uses, and socket, which stays.
 */

#ifndef CLIENT_ADDRESS_H
#define CLIENT_ADDRESS_H

#include <stdint.h>

#include "client/errors.h"
#include "client/lane.h"
#include "client/target.h"
#include "client/transport.h"
#include "core/base/list.h"

struct pipit_channel;

enum address_state {
        ADDRESS_RESTING, /* until attempt_us */
        ADDRESS_DIALING, /* until attempt_us */
        ADDRESS_SHAKING, /* hands, for a session, until attempt_us */
        ADDRESS_UP,
        ADDRESS_LOST,
};

#define ADDRESS_PROBLEM_BYTES   600
#define ADDRESS_CLIENT_ID_BYTES 16

struct address {
        /* most of what each call looks at comes first, close together (docs/performance.md) */
        struct pipit_channel *channel;
        struct transport_socket *socket; /* NULL: not open */
        enum address_state state;
        bool is_sending;   /* somebody is flushing, and goes on as long as there is something */
        bool hello_is_due; /* before anything else */

        /* the server there */
        bool is_proven; /* it has answered on this connection */
        bool is_draining;
        size_t frame_bytes_max;  /* what it takes, as far as we know */
        uint64_t epoch;          /* counts connections; 0: none yet */
        uint64_t instance;       /* of the last response on any connection; 0: unknown */
        uint64_t instance_epoch; /* the connection that told it */
        int64_t busy_until_us;   /* send nothing before */
        int64_t poll_us;         /* no poll before */

        /* lanes */
        struct lane *idle;
        struct lane *idle_callers; /* where the transport has exchange(): as many again */
        size_t n_flying;
        uint64_t read_id; /* the server has read all frames up to the one with this call */
        struct lane *lanes;
        size_t n_lanes;

        /* calls */
        struct list queue; /* CALL_QUEUED */
        struct list sent;  /* CALL_SENT */
        size_t n_queued;
        size_t n_sent;   /* in sent and limbo */
        size_t n_hellos; /* under way */
        size_t n_cancels;
        uint64_t *cancels; /* ids to be told to the server */
        size_t cancels_capacity;
        struct list limbo; /* CALL_SENT on a connection that is gone, not yet asked for */
        int64_t limbo_us;  /* when those in limbo are given up */

        /*
         * Names a mailbox at the server. One an address: two of them may be the same
         * server, which answers by any connection of a mailbox.
         */
        uint8_t client_id[ADDRESS_CLIENT_ID_BYTES];

        /* connection */
        int64_t attempt_us;
        uint32_t redial_ms;         /* the next pause */
        bool has_failed;            /* the last attempt did, and nothing is up since */
        enum client_reason failure; /* why, of calls that do not wait for a server */
        size_t endpoint;            /* of target.endpoints, the one that is tried or connected */
        char problem[ADDRESS_PROBLEM_BYTES]; /* of has_failed, for people */
        struct target_address target;
};

/* Opens socket and lanes. False: out of something, and *ret_problem says what. */
bool address_init(struct address *address,
                  struct pipit_channel *channel,
                  const struct target_address *target,
                  const char **ret_problem);

/*
 * Cancels all under way in the transport, and closes it. No calls are left; no
 * mutex held. A zeroed one is fine.
 */
void address_deinit(struct address *address);

/*
 * The channel's thread, without the mutex: does what is due, and returns when
 * there will be more to do (PIPIT_NEVER_US: on an event).
 */
int64_t address_step(struct address *address, int64_t now_us);

/* How its connection is; LOST: *ret_problem tells why. Any thread. */
enum transport_pipe address_pipe(struct address *address, const char **ret_problem);

/* The connection has failed, says anyone who sees it. Mutex held; only the first of many counts. */
void address_lose(struct address *address, const char *problem);

#endif
