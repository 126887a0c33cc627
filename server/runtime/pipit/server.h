/*
 * Pipit: the server
 *
 * A server listens on one or more URLs, turns frames into calls and hands each
 * to the handler of its method. Typed registration and reply functions that
 * protoc-gen-pipit writes stand on this header.
 *
 * The contract of handlers:
 *
 *   1. A call handle is valid until its reply or fail, which is owed exactly
 *      once, even after the deadline or a cancel (late answers are dropped).
 *      It may be given later and from any thread.
 *   2. Handlers run on the few threads that receive, and must not block, unless
 *      they were registered as blocking: those run on the worker pool.
 *   3. The request is borrowed until the answer.
 *   4. Registering after start: FAILED_PRECONDITION.
 *
 * Every server also answers grpc.health.v1.Health and
 * pipit.reflection.v1.ReflectionService. Who may call what is up to the policy; without
 * one health is for everybody, and all else for this process, its uid and root.
 *
 * Public: installed, compiles alone, in C and C++. Knows nothing of any service.
 */

#ifndef PIPIT_SERVER_H
#define PIPIT_SERVER_H

#include <pipit/macros.h>
#include <pipit/service.h>
#include <pipit/status.h>
#ifndef __cplusplus
#include <stdatomic.h>
#endif
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

PIPIT_BEGIN_DECLS

struct pipit_inprocess;
struct pipit_log;
struct pipit_server;
struct pipit_server_call;

/* --- server -------------------------------------------------------------- */

/* All zero: the defaults, which docs/wire.md lists under "Limits". */
struct pipit_server_options {
        struct pipit_log *log;   /* of <pipit/log.h>; borrowed; NULL: silent */
        bool log_calls;          /* one line a call, at level info */
        bool no_reflection;      /* without pipit.reflection.v1.ReflectionService */
        bool insecure_plaintext; /* tcp:// is without keys, and on loopback addresses only */

        /*
         * Who may call: docs/security.md. Paths are copied. Files are read by start, and policy and
         * keys again by reload.
         */
        const char *key_path;             /* the server's secret key: tcp:// needs it */
        const char *authorized_keys_path; /* NULL: no key may call */
        const char *policy_path;          /* NULL: the default policy */
        bool authorized_keys_optional;    /* if the file does not exist, it is as if not named */
        bool policy_optional;

        uint32_t n_workers; /* threads for blocking handlers; 0: twice the processors, at least 4 */
        uint32_t worker_queue_max;            /* calls that wait for one; 0: 10,000 */
        uint32_t drain_ms;                    /* 0: 10,000 */
        uint32_t watchdog_ms;                 /* how often all are looked after; 0: 5,000 */
        uint32_t timeout_ms_default;          /* 0: 5,000 */
        uint32_t timeout_ms_max;              /* 0: 60,000 */
        uint32_t frame_bytes_max;             /* 0: 1 MiB; at least 1 MiB, at most 64 MiB */
        uint32_t hold_ms_max;                 /* 0: 10,000 */
        uint32_t calls_per_mailbox_max;       /* 0: 10,000 */
        uint32_t calls_max;                   /* 0: 100,000 */
        uint32_t decoded_bytes_peer_max;      /* 0: 64 MiB */
        uint32_t decoded_bytes_all_max;       /* 0: 512 MiB */
        uint32_t held_frames_per_pipe_max;    /* 0: 64 */
        uint32_t mailboxes_per_principal_max; /* 0: 1,024 */
        uint32_t pipes_max;                   /* 0: 10,000 */
        uint32_t contexts_max;                /* 0: 65,536 */
        uint32_t send_timeout_ms;             /* 0: 5,000 */
        uint32_t receive_timeout_ms;          /* 0: 30,000, and up to watchdog_ms more */
        uint32_t mailbox_linger_ms;           /* 0: 10,000 */
};

/* NULL: *ret_error (may be NULL) tells why. */
PIPIT_PUBLIC PIPIT_MUST_CHECK struct pipit_server *pipit_server_new(
        const struct pipit_server_options *options, struct pipit_error *ret_error);

/* Stops first, if it is running. NULL is a no-op. Always returns NULL. Not inside a handler. */
PIPIT_PUBLIC struct pipit_server *pipit_server_free(struct pipit_server *server);

/*
 * Adds an address, before start: ipc:///path, tcp://address:port (port 0: any
 * free one) or inproc://name. INVALID_ARGUMENT: another scheme, or an address
 * that is not allowed; *ret_error's message (may be NULL) says what would be
 * and lives until the server is freed.
 */
PIPIT_PUBLIC PIPIT_MUST_CHECK enum pipit_status pipit_server_listen(struct pipit_server *server,
                                                                    const char *url,
                                                                    struct pipit_error *ret_error);

/*
 * The way in for <pipit/inprocess.h>: channels of this process that need no
 * address. Borrowed, valid until the server is freed. A server that is called
 * this way only need not listen anywhere.
 */
PIPIT_PUBLIC struct pipit_inprocess *pipit_server_inprocess(struct pipit_server *server);

/*
 * Binds every address and serves; returns when all listen. A left-over ipc
 * socket file that nobody listens on is replaced; one that is in use fails
 * with UNAVAILABLE (ADDRESS_IN_USE). FAILED_PRECONDITION (ACCESS_FILES_INVALID): a
 * file that says who may call is not as it has to be, or tcp is listened on and there
 * is no key of the server's own, or none that may call; the message, which lives until
 * the server is freed, names the file and what mends it.
 */
PIPIT_PUBLIC PIPIT_MUST_CHECK enum pipit_status pipit_server_start(struct pipit_server *server,
                                                                   struct pipit_error *ret_error);

/*
 * Reads policy and authorized_keys again, checks all of both, and puts them in place of
 * those that hold, at once: what comes from then on is decided by them, on
 * connections that are open as well. FAILED_PRECONDITION (ACCESS_FILES_INVALID):
 * something is wrong with them, and those from before go on to hold; *ret_error's
 * message (may be NULL) names the file and what mends it, and lives until the next
 * reload. Either is logged. By one thread at a time, between start and stop; may block.
 */
PIPIT_PUBLIC PIPIT_MUST_CHECK enum pipit_status pipit_server_reload(struct pipit_server *server,
                                                                    struct pipit_error *ret_error);

/* The @index-th URL that it listens on, with the real port; NULL past the last. */
PIPIT_PUBLIC const char *pipit_server_url(const struct pipit_server *server, size_t index);

/*
 * Drains and closes (docs/wire.md, "Drain"): new calls get UNAVAILABLE
 * (DRAINING), what was accepted is finished, up to drain_ms. Blocks; not inside
 * a handler. Returns how many accepted calls were not finished.
 */
PIPIT_PUBLIC size_t pipit_server_stop(struct pipit_server *server);

/* --- handlers -------------------------------------------------------------- */

/* Generated: finds the typed handler in @handlers and calls it; false: it is NULL. Without a @call it only tells. */
typedef bool (*pipit_server_dispatch_fn)(const void *handlers,
                                         void *self,
                                         struct pipit_server_call *call,
                                         const ProtobufCMessage *request);

/*
 * Adds a service. @dispatch has an entry for each of service->methods; @blocks
 * too, telling which run on the worker pool (NULL: none). All are borrowed until
 * the server is freed. ALREADY_EXISTS: the service is there. FAILED_PRECONDITION:
 * the server has started.
 */
PIPIT_PUBLIC PIPIT_MUST_CHECK enum pipit_status pipit_server_register(
        struct pipit_server *server,
        const struct pipit_service *service,
        const pipit_server_dispatch_fn *dispatch,
        const bool *blocks,
        const void *handlers,
        void *self);

/* --- call ------------------------------------------------------------------ */

/* Answers with success. @response must be of the method's type and may be reused once this returns. */
PIPIT_PUBLIC void pipit_server_call_reply(struct pipit_server_call *call,
                                          const ProtobufCMessage *response);

/*
 * Answers with a failure, whose origin is set to server. A status that is none of enum
 * pipit_status goes out as UNKNOWN, and is logged.
 */
PIPIT_PUBLIC void pipit_server_call_fail(struct pipit_server_call *call,
                                         const struct pipit_error *error);

/* Whether nobody waits for the answer any more: cancelled, past its deadline, or the caller has left. */
PIPIT_PUBLIC bool pipit_server_call_cancelled(const struct pipit_server_call *call);

/* The flag behind it, for those who poll from elsewhere; valid as the handle is. */
#ifndef __cplusplus
PIPIT_PUBLIC const atomic_bool *pipit_server_call_cancelled_flag(
        const struct pipit_server_call *call);
#endif

/* When the caller stops waiting: CLOCK_MONOTONIC, microseconds. */
PIPIT_PUBLIC int64_t pipit_server_call_deadline_us(const struct pipit_server_call *call);

/* Who calls: "uid:1000", "key:alice", "inproc", "anonymous". Valid as the handle is. */
PIPIT_PUBLIC const char *pipit_server_call_principal(const struct pipit_server_call *call);

/* NULL, to after() only: there is no such method. */
PIPIT_PUBLIC const struct pipit_method *pipit_server_call_method(
        const struct pipit_server_call *call);

/* Metadata of the call; valid as the handle is. */
PIPIT_PUBLIC size_t pipit_server_call_n_metadata(const struct pipit_server_call *call);
PIPIT_PUBLIC const struct pipit_metadata *pipit_server_call_metadata(
        const struct pipit_server_call *call, size_t index);

/* Adds metadata to the answer to come; copies. Dropped without notice if memory is out or limits are passed. */
PIPIT_PUBLIC void pipit_server_call_add_metadata(struct pipit_server_call *call,
                                                 const char *key,
                                                 const void *value,
                                                 size_t n_value_bytes);

/* Zeroed memory that lives as the handle does. NULL: none left. */
PIPIT_PUBLIC void *pipit_server_call_alloc(struct pipit_server_call *call, size_t n_bytes);

/* --- interceptors ------------------------------------------------------------ */

/*
 * Hooks around every call of a server: access checks, metadata, counts, logs.
 * Embed struct pipit_server_interceptor in what your hooks need. The contract:
 *
 *   1. before() runs in the order of registration, after() in reverse.
 *   2. before() runs in the thread that received the call, before its payload is
 *      unpacked; for blocking handlers, too. What the handler may ask of the call
 *      and add to it, before() may as well. It must not answer the call.
 *   3. A before() that returns another status than PIPIT_OK ends the call with
 *      it: neither its handler nor a later before() runs.
 *   4. after() runs exactly once for each call that the server took in, however
 *      it ends: answer, failure, refusal by any before(), deadline, cancel, a
 *      caller that left, drain. Also for those that its before() has not seen, as
 *      calls of unknown methods: `began` tells.
 *   5. after() runs in the thread that decides how the call ends: the one that
 *      answers, or one of the server's. The caller may have its answer by then; a
 *      handler that was overtaken by a deadline may still run. It sees the call,
 *      and changes nothing.
 *   6. before() and after() of one call never overlap; those of several calls do.
 *      Neither may block, or stop the server. All have returned when
 *      pipit_server_stop() does.
 *   7. A server without interceptors pays nothing for them, and one with them
 *      allocates nothing a call.
 *
 * The call log (log_calls) and the check of who may call are such interceptors,
 * and come before all others.
 */

#define PIPIT_SERVER_INTERCEPTORS_MAX 8

/* A call that is about to start, to before(). Lives until before() returns. */
struct pipit_server_call_start {
        struct pipit_server_call *call;
        const struct pipit_method *method;

        /* may be set */
        void *data; /* comes back in after() of the same interceptor; NULL at first */

        /*
         * When the call is refused, more about it: reason, domain, message,
         * retry_after_ms, violations; borrowed, until the call's end. The status is
         * the one returned, and it did not run.
         */
        struct pipit_error error;
};

/* A call that has ended, to after(). Lives until after() returns, as what it points to. */
struct pipit_server_call_end {
        const struct pipit_server_call *call;
        const char *method_name;         /* as the caller gave it: there may be no such method */
        const struct pipit_error *error; /* status PIPIT_OK: success */
        int64_t duration_us;             /* since its frame was read */
        bool handled;                    /* its handler was called */
        /*
         * What this interceptor's before() does was done: it ran and let the call go on.
         * Without a before() there is nothing to do, and this is true, whatever the call.
         */
        bool began;
        void *data; /* as before() left it */
};

struct pipit_server_interceptor;

/* Either may be NULL. */
struct pipit_server_interceptor_operations {
        enum pipit_status (*before)(struct pipit_server_interceptor *interceptor,
                                    struct pipit_server_call_start *start);
        void (*after)(struct pipit_server_interceptor *interceptor,
                      const struct pipit_server_call_end *end);
};

/* The caller's; may serve several servers. */
struct pipit_server_interceptor {
        const struct pipit_server_interceptor_operations *operations;
};

/*
 * Adds @interceptor, borrowed until the server is freed. FAILED_PRECONDITION: the
 * server has started. RESOURCE_EXHAUSTED: there are PIPIT_SERVER_INTERCEPTORS_MAX.
 */
PIPIT_PUBLIC PIPIT_MUST_CHECK enum pipit_status pipit_server_add_interceptor(
        struct pipit_server *server, struct pipit_server_interceptor *interceptor);

/* --- bursts ---------------------------------------------------------------- */

/*
 * Between cork and uncork on one thread, answers that this thread gives are
 * collected; the outermost uncork sends them, together. Nests.
 */
PIPIT_PUBLIC void pipit_server_cork(void);
PIPIT_PUBLIC void pipit_server_uncork(void);

PIPIT_END_DECLS

#endif
