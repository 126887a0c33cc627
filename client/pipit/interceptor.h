/*
 * Interceptors: hooks around every call of a channel
 *
 * For what all calls have in common: credentials, trace context, time limits,
 * logs, counts. Embed struct pipit_interceptor in what your hooks need, and get
 * back to it from the pointer that they are given:
 *
 *      struct tally {
 *              struct pipit_interceptor interceptor;
 *              atomic_ulong n_failed;
 *      };
 *
 *      static void count(struct pipit_interceptor *interceptor, const struct pipit_call_end *end)
 *      {
 *              struct tally *tally = (struct tally *)interceptor; // the first member
 *
 *              if (end->error->status)
 *                      atomic_fetch_add(&tally->n_failed, 1);
 *      }
 *
 *      static const struct pipit_interceptor_operations counting = {.after = count};
 *
 *      struct tally tally = {.interceptor.operations = &counting};
 *      status = pipit_channel_add_interceptor(channel, &tally.interceptor);
 *
 * The contract:
 *
 *   1. before() runs in the order of registration, after() in reverse.
 *   2. An after() runs exactly once for each before() that let the call go on
 *      (a missing before() does), however the call ends: reply, failure, cancel,
 *      deadline, channel freed, a later before() that refused.
 *   3. All after() of a call have returned before its done() runs, or its
 *      blocking caller goes on.
 *   4. before() runs in the thread that starts the call; after() in the one that
 *      ends it, mostly one of the library's few callback threads, also for calls
 *      with a queue: it must not block, and blocking calls inside it fail as in
 *      a done(). No lock of the library is held in either; both may run for
 *      several calls at once.
 *   5. A call that is refused because it is misused (in flight already, blocking
 *      inside a done(), a forked process), or for which there is no memory at
 *      all, is not seen.
 *   6. A channel without interceptors pays nothing for them, and one with them
 *      allocates nothing a call.
 *
 * Public: installed, compiles alone, in C and C++.
 */

#ifndef PIPIT_INTERCEPTOR_H
#define PIPIT_INTERCEPTOR_H

#include <pipit/client.h>
#include <pipit/macros.h>
#include <pipit/service.h>
#include <pipit/status.h>
#include <stdbool.h>
#include <stdint.h>

PIPIT_BEGIN_DECLS

#define PIPIT_INTERCEPTORS_MAX 8 /* a channel's; each call has a slot of data for every one */

/* A call that is about to start, to before(). Lives until before() returns. */
struct pipit_call_start {
        struct pipit_call *call; /* only to add metadata, and to find what embeds it */
        const struct pipit_method *method;
        const ProtobufCMessage *request;

        /* may be changed, for this start only */
        uint32_t timeout_ms; /* 0: the channel's */
        bool wait_for_ready;
        void *data; /* comes back in after() of the same interceptor; NULL at first */

        /*
         * When the call is refused, more about it: reason, domain, message and
         * retry_after_ms, which are copied. The rest is given: the status is the
         * one returned, it did not run, and it arose locally.
         */
        struct pipit_error error;
};

/* A call that has ended, to after(). Lives until after() returns, as what it points to. */
struct pipit_call_end {
        const struct pipit_call *call; /* for its response metadata, and what embeds it */
        const struct pipit_method *method;
        const struct pipit_error *error;  /* status PIPIT_OK: success */
        const ProtobufCMessage *response; /* NULL unless it succeeded */
        const char *peer;                 /* NULL: no address was tried */
        int64_t duration_us;              /* since the first before() */
        void *data;                       /* as before() left it */
};

struct pipit_interceptor;

/* Either may be NULL. */
struct pipit_interceptor_operations {
        /* PIPIT_OK: go on. Else the call ends with that status, and no later before() runs. */
        enum pipit_status (*before)(struct pipit_interceptor *interceptor,
                                    struct pipit_call_start *start);
        void (*after)(struct pipit_interceptor *interceptor, const struct pipit_call_end *end);
};

/* The caller's; may serve several channels. */
struct pipit_interceptor {
        const struct pipit_interceptor_operations *operations;
};

/*
 * Adds @interceptor, borrowed until the channel is freed. From one thread, before
 * the channel's first call.
 *
 * PIPIT_FAILED_PRECONDITION  a call has been started
 * PIPIT_RESOURCE_EXHAUSTED   there are PIPIT_INTERCEPTORS_MAX
 */
PIPIT_PUBLIC PIPIT_MUST_CHECK enum pipit_status pipit_channel_add_interceptor(
        struct pipit_channel *channel, struct pipit_interceptor *interceptor);

PIPIT_END_DECLS

#endif
