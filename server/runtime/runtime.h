/*
 * The server, as its own files see it
 *
 *      rep       one URL: frames that come, and their answers (rep_*, nng_rep)
 *      inproc    the same for clients of this process, without a socket
 *      peer      one pipe
 *      principal who is at its other end, and what it may call
 *      groups    of its uid
 *      access_files  the key of the server, and the rules that hold
 *      handshakes, sealed: the sessions of tcp pipes; source, where these come from
 *      intake    a received frame: checked, unpacked, taken in by a mailbox
 *      dispatch  its calls, to their handlers
 *      box       a client's mailbox: states, ready replies, held frames
 *      flush     which held frame is answered with which replies
 *      call      the handle that handlers have
 *      reply     an answer, packed; bursts
 *      interceptors (access and call_log among them): hooks around calls
 *      workers   threads for handlers that block
 *      health, admin, reflection (with symbols): the services of every server
 *      housekeeping, watchdog, drain: what happens beside
 */

#ifndef SERVER_RUNTIME_RUNTIME_H
#define SERVER_RUNTIME_RUNTIME_H

#include <pipit/server.h>
#include <pthread.h>
#include <stdatomic.h>

#include "core/access/rules.h"
#include "core/base/arena.h"
#include "core/base/log.h"
#include "core/rpc/wire_check.h"
#include "server/runtime/access.h"
#include "server/runtime/box.h"
#include "server/runtime/call.h"
#include "server/runtime/call_log.h"
#include "server/runtime/groups.h"
#include "server/runtime/handshakes.h"
#include "server/runtime/housekeeping.h"
#include "server/runtime/inproc.h"
#include "server/runtime/interceptors.h"
#include "server/runtime/peer.h"
#include "server/runtime/principal.h"
#include "server/runtime/reflection.h"
#include "server/runtime/registry.h"
#include "server/runtime/rep.h"
#include "server/runtime/rep_loop.h"
#include "server/runtime/sealed.h"
#include "server/runtime/workers.h"

struct pipit_noise_keys;
struct watchdog;

enum server_phase {
        SERVER_NEW,
        SERVER_STARTED,
        SERVER_STOPPED,
};

struct pipit_server {
        /* fixed once started */
        struct pipit_server_options options; /* no zeros */
        struct pipit_log *log;
        uint64_t instance;
        struct registry registry;
        struct interceptors interceptors;
        struct call_log call_log;
        struct pipit_server_interceptor access;
        struct pipit_wire_limits wire_limits;
        struct rep_endpoint **endpoints;
        size_t n_endpoints;
        struct rep_loop *loop; /* from start to stop */
        struct inproc *inproc;
        struct reflection *reflection; /* NULL: turned off */
        struct workers *workers;
        struct housekeeping *housekeeping;
        struct watchdog *watchdog;
        struct sealed *sealed; /* NULL: it makes no sessions */
        struct handshakes *handshakes;

        struct pipit_noise_keys *keys;              /* its own; NULL: it makes no sessions */
        struct pipit_rules_holder rules;            /* who may call what */
        struct pipit_access_problem access_problem; /* of whoever starts or reloads */
        struct groups *groups;
        struct principal_table principals;
        struct peer_table peers;
        struct box_table boxes;
        struct frame_pool frames;

        enum server_phase phase; /* of the thread that starts and stops */
        atomic_bool draining;
        atomic_bool closing; /* what comes from here on is dropped */
        atomic_uint n_contexts;
        atomic_uint n_calls; /* in flight: accepted, not let go of */
        atomic_size_t decoded_bytes;
        atomic_uint n_ending; /* calls that have ended, and whose hooks have not all been told */

        struct pipit_arena texts; /* of errors that start and listen gave; under no lock */
        atomic_uint refs;         /* the owner's and each frame's: late answers find it */
};

void server_unref(struct pipit_server *server);

/* intake.c: a frame came. As rep_handlers.received. */
void intake_received(void *self,
                     struct rep_context *context,
                     struct rep_message *message,
                     uint32_t pipe,
                     bool last);

/* drain.c: all of docs/wire.md, "Drain", up to the closed sockets. Returns how many calls were not finished. */
size_t drain(struct pipit_server *server);

/* Its last part alone: cancels all, drops all, closes the sockets. No callback of an endpoint runs after it. */
void close_all(struct pipit_server *server);

#endif
