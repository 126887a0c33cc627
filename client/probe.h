/*
 * Probe: is somebody there, and if not, why
 *
 * nng tells no reason when a connection fails, and tries on in silence. So a
 * plain socket goes first: it connects, exchanges the eight bytes that open
 * every SP connection, and closes. It closes only once the peer's bytes have
 * come, or after a while: an nng listener before 1.6 may go deaf when a peer
 * leaves while it writes its own.
 *
 * Never blocks. One thread.
 */

#ifndef CLIENT_PROBE_H
#define CLIENT_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "client/target.h"

#define PROBE_TIMEOUT_MS 1000

enum probe_state {
        PROBE_IDLE,
        PROBE_CONNECTING,
        PROBE_WRITING,
        PROBE_READING,
};

struct probe {
        /* private */
        enum probe_state state;
        int fd; /* meaningless when idle */
        int64_t deadline_us;
        uint8_t head[8];
        size_t n_head_bytes; /* of what is written or read in this state */
};

enum probe_result {
        PROBE_PENDING,
        PROBE_REACHED,
        PROBE_FAILED,
};

/* Begins; the first step may follow at once. The probe is idle. */
void probe_start(struct probe *probe, int64_t now_us);

/*
 * Goes on as far as it can without waiting. Not PENDING: the probe is idle
 * again, and when FAILED *ret_errno tells why (EPROTO: no REP socket of SP).
 */
enum probe_result probe_step(struct probe *probe,
                             const struct target_endpoint *endpoint,
                             int64_t now_us,
                             int *ret_errno);

/* What to poll for; false when idle. */
bool probe_poll(const struct probe *probe, int *ret_fd, short *ret_events);

/* Gives up politely: waits a moment for the peer's bytes. */
void probe_stop(struct probe *probe);

#endif
