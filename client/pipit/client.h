/*
 * Pipit: the client
 *
 * A channel reaches one service at one or more addresses; any number of threads
 * share it. A call is one method invocation; typed functions that
 * protoc-gen-pipit writes start it. This header is what they stand on, and what
 * callers use beside them.
 *
 * The contract of calls:
 *
 *   1. done() runs exactly once, never inside start() or cancel(), never under
 *      a lock of this library. Resetting, freeing or starting the call anew
 *      inside its done() is legal, as the last act there. It should be brief: the
 *      channels of a process share few threads, and one that blocks holds up other
 *      answers and deadlines of its channel and, in a process with more channels than
 *      processors, of others; after four seconds a connection may be taken for dead.
 *      What takes longer belongs to a thread of the program's, or to a queue (4a).
 *   2. A blocking call made inside a done() returns FAILED_PRECONDITION at
 *      once: it would eat the few threads that run callbacks.
 *   3. pipit_call_cancel() works from any thread, from start until done()
 *      returns; the caller keeps the call alive that long.
 *   4. pipit_channel_free() cancels what is outstanding, waits for every done(),
 *      and must not be called inside one (it then does nothing), nor under a lock
 *      that a done() takes, be it of another channel: it waits for what the threads
 *      are at that they share. Calls that are started after it began end as
 *      CANCELLED, done() and all.
 *   4a. A call with a queue has its done() run by whoever runs the queue, and
 *      rules 2 and 4 do not bind it (<pipit/queue.h>).
 *   5. A channel does not survive fork(): in the child every call fails with
 *      FAILED_PRECONDITION, and the channel must not be freed there.
 *
 * Every call ends by its deadline. A failure says where it arose
 * (pipit_error.origin), and whether the call ran (pipit_error.ran).
 *
 * Public: installed, compiles alone, in C and C++. Knows nothing of any service.
 */

#ifndef PIPIT_CLIENT_H
#define PIPIT_CLIENT_H

#include <pipit/clock.h>
#include <pipit/macros.h>
#include <pipit/service.h>
#include <pipit/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

PIPIT_BEGIN_DECLS

struct pipit_channel;
struct pipit_call;
struct pipit_call_state;
struct pipit_queue;

typedef void (*pipit_call_done_fn)(struct pipit_call *call);

/* --- channel ------------------------------------------------------------- */

/* All zero: the defaults. */
struct pipit_channel_options {
        uint32_t timeout_ms;      /* of calls that give none; 0: 5000, at most 60000 */
        uint32_t n_lanes;         /* frames under way to one address; 0: 16, 2 to 256 */
        uint32_t frame_bytes_max; /* of one message, either way; 0: 1 MiB, at most 64 MiB */
        uint32_t redial_min_ms;   /* wait between two dials; 0: 10 */
        uint32_t redial_max_ms;   /* the same, after many failures; 0: 500 */
        bool insecure_plaintext;  /* tcp:// without keys, and to loopback addresses only */

        /*
         * tcp:// with keys. The folder is $PIPIT_CONFIG_DIR, else $XDG_CONFIG_HOME/pipit,
         * else $HOME/.config/pipit. Both are read when the channel is made, and only then.
         */
        const char *key_file;            /* `pipit keygen` makes it; NULL: id.key in the folder */
        const char *known_servers_file;  /* `pipit trust` keeps it; NULL: known_servers, there */
        const struct pipit_clock *clock; /* by which sessions age; NULL: the system's */

        /* ipc://: whose processes may listen there; none: anybody's */
        const uint32_t *server_uids;
        size_t n_server_uids;
};

/*
 * A channel to @target: a URL ("ipc:///run/x.sock", "tcp://127.0.0.1:7000",
 * "inproc://name") or a comma list of them. Dialling goes on in the background;
 * nobody needs to be there yet. Schemes other than inproc, ipc and tcp are
 * refused by name.
 *
 * @options may be NULL; nothing of it is needed afterwards, but its clock. NULL:
 * *ret_error (may be NULL) tells why; its message is static or belongs to the
 * calling thread until its next use of this function:
 *
 * PIPIT_INVALID_ARGUMENT     INVALID_TARGET
 * PIPIT_FAILED_PRECONDITION  KEY_UNUSABLE: no key file, or one that others may read;
 *                            SERVER_UNKNOWN: its key is not in known_servers
 * PIPIT_RESOURCE_EXHAUSTED   OUT_OF_MEMORY
 */
PIPIT_PUBLIC PIPIT_MUST_CHECK struct pipit_channel *pipit_channel_new(
        const char *target,
        const struct pipit_channel_options *options,
        struct pipit_error *ret_error);

/* Cancels, waits for every done(), frees. NULL is a no-op. Always returns NULL. */
PIPIT_PUBLIC struct pipit_channel *pipit_channel_free(struct pipit_channel *channel);

/* --- call ---------------------------------------------------------------- */

/*
 * struct pipit_call - one method invocation
 *
 * The caller's, zero-initialised; embed it next to what done() needs. Reusable
 * after pipit_call_reset(); memory of the last use is kept for the next. Between
 * start and done() only cancel may be called.
 */
struct pipit_call {
        /* in: set by the caller before start */
        uint32_t timeout_ms; /* 0: the channel's; at most 60000 */
        bool wait_for_ready; /* wait for a server until the deadline, rather than fail at once */
        pipit_call_done_fn done;   /* asynchronous calls only */
        struct pipit_queue *queue; /* the same: who runs done(); NULL: the library's threads */

        /* private */
        struct pipit_call_state *state;
        struct pipit_call *next;
        bool out_of_memory;
};

/*
 * Adds metadata to the next start; @key and @value are copied.
 *
 * PIPIT_INVALID_ARGUMENT     a bad key, or too many or too large
 * PIPIT_FAILED_PRECONDITION  the call is in flight
 * PIPIT_RESOURCE_EXHAUSTED   out of memory
 */
PIPIT_PUBLIC PIPIT_MUST_CHECK enum pipit_status pipit_call_add_metadata(struct pipit_call *call,
                                                                        const char *key,
                                                                        const void *value,
                                                                        size_t n_value_bytes);

/* Asks for the end of the call; done() still runs, with CANCELLED unless a reply was first. No-op when not started. */
PIPIT_PUBLIC void pipit_call_cancel(struct pipit_call *call);

/* How a finished call ended; status PIPIT_OK for success. Lives until reset. */
PIPIT_PUBLIC const struct pipit_error *pipit_call_error(const struct pipit_call *call);

/* Metadata of the reply, in order; lives until reset. */
PIPIT_PUBLIC size_t pipit_call_n_response_metadata(const struct pipit_call *call);
PIPIT_PUBLIC const struct pipit_metadata *pipit_call_response_metadata(
        const struct pipit_call *call, size_t index);

/* The address that answered, or that was tried last; NULL if none was. Lives until reset. */
PIPIT_PUBLIC const char *pipit_call_peer(const struct pipit_call *call);

/* Forgets outcome and metadata; "in" members stay. Not while in flight (then it does nothing). */
PIPIT_PUBLIC void pipit_call_reset(struct pipit_call *call);

/* Frees what the call holds; it is then zero-initialised again but for "in". Not while in flight. */
PIPIT_PUBLIC void pipit_call_deinit(struct pipit_call *call);

/* --- for generated code, and for those who have descriptors only ------------ */

/*
 * Invokes @method and waits. @request may be reused once this returns. OK:
 * *ret_response (may be NULL) lives in @call until reset. Else it is untouched.
 */
PIPIT_PUBLIC PIPIT_MUST_CHECK enum pipit_status pipit_channel_call(
        struct pipit_channel *channel,
        struct pipit_call *call,
        const struct pipit_method *method,
        const ProtobufCMessage *request,
        const ProtobufCMessage **ret_response);

/*
 * Invokes @method; call->done() tells the end. @request may be reused once this
 * returns; @method outlives the call. On a call in flight this does nothing.
 */
PIPIT_PUBLIC void pipit_channel_start(struct pipit_channel *channel,
                                      struct pipit_call *call,
                                      const struct pipit_method *method,
                                      const ProtobufCMessage *request);

/* The response of a finished call of @method, or NULL: it failed, or was another method's. */
PIPIT_PUBLIC const ProtobufCMessage *pipit_call_response(const struct pipit_call *call,
                                                         const struct pipit_method *method);

PIPIT_END_DECLS

#endif
