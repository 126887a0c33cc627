/*
 * Lane: one frame at a time to one address
 *
 *      IDLE -> FLYING (sent, then received) -> LANDED (its replies are read) -> IDLE
 *
 * All under the channel's mutex.
 */

#ifndef CLIENT_LANE_H
#define CLIENT_LANE_H

#include "client/transport.h"
#include "core/rpc/wire_limits.h"

struct address;

enum lane_state {
        LANE_IDLE,
        LANE_FLYING,
        LANE_LANDED,
};

enum lane_frame {
        LANE_FRAME_HELLO, /* the first on a new connection: what became of earlier calls */
        LANE_FRAME_CALLS, /* calls and cancels, or cancels alone */
        LANE_FRAME_POLL,  /* nothing: so that the server can answer */
};

struct lane {
        struct transport_lane *wire; /* NULL: not open */
        struct address *address;
        struct lane *next_idle;
        bool is_callers; /* for a call whose caller brings it to the server itself */
        enum lane_state state;
        enum lane_frame frame;
        uint64_t epoch;    /* the connection that took the frame */
        int64_t sent_us;   /* when it was handed to the transport */
        uint64_t first_id; /* of the calls in the frame, or that the next call was to have */
        size_t n_ids;
        uint64_t ids[PIPIT_CALLS_PER_FRAME_MAX]; /* the calls in the frame */
};

/* FLYING -> LANDED, LANDED -> IDLE. Mutex held. */
void lane_land(struct lane *lane);
void lane_rest(struct lane *lane);

#endif
