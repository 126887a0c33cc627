/*
 * Faults: a way to a server on which things go wrong as a test wants
 *
 * A relay stands between clients and a real server. Give the program under test
 * the relay's URL instead of the server's: what it meets is real, from a lost
 * connection to a reply that never comes, and nothing in it knows of the test.
 *
 *      struct pipit_test_faults *faults = pipit_test_faults_new(server_url, NULL);
 *      struct pipit_channel *channel =
 *              pipit_channel_new(pipit_test_faults_url(faults), NULL, NULL);
 *      struct pipit_test_fault third = {
 *              .kind = PIPIT_TEST_FAIL_BEFORE,
 *              .method = "users.v1.UsersService/GetUser",
 *              .first = 3,
 *              .count = 1,
 *              .error = {.status = PIPIT_UNAVAILABLE, .reason = "DISK_ON_FIRE"},
 *      };
 *
 *      status = pipit_test_faults_add(faults, &third);
 *      // the first two calls succeed, the third fails, the fourth succeeds
 *
 * And without sleeping, a reply that comes late:
 *
 *      struct pipit_test_fault late = {.kind = PIPIT_TEST_HOLD_REPLY};
 *
 *      status = pipit_test_faults_add(faults, &late);
 *      users_v1_get_user_start(channel, &call, &request);
 *      assert_true(pipit_test_faults_wait_held(faults, 1, 5000));
 *      // the server has answered, and the program does not know yet
 *      pipit_test_faults_release(faults, 0);
 *
 * Faults befall the calls of Pipit's client library; the frames of a client without
 * a mailbox (docs/wire.md, "Simple client") pass as they are. A call that the client
 * sends anew by itself is another call here. The target is ipc:// or tcp://, or a server
 * object of this process; the relay's own URL is ipc://, in a fresh directory that only
 * this user can enter.
 * The server sees this process as its peer.
 *
 * All functions may be called from any thread, free once and last. Public: installed,
 * compiles alone, in C and C++.
 */

#ifndef PIPIT_TEST_FAULTS_H
#define PIPIT_TEST_FAULTS_H

#include <pipit/macros.h>
#include <pipit/status.h>
#include <pipit/test_clock.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

PIPIT_BEGIN_DECLS

struct pipit_test_faults;

enum pipit_test_fault_kind {
        PIPIT_TEST_FAIL_BEFORE,  /* the server never sees the call; it ends with the error */
        PIPIT_TEST_FAIL_AFTER,   /* the server runs it; it ends with the error all the same */
        PIPIT_TEST_LOSE_REQUEST, /* the server never sees it, and nothing comes back */
        PIPIT_TEST_LOSE_REPLY,   /* the server runs it, and nothing comes back */
        PIPIT_TEST_HOLD_REPLY,   /* the server runs it; its reply waits for release, or a clock */
        PIPIT_TEST_DISCONNECT_BEFORE, /* the connection breaks before the server sees it */
        PIPIT_TEST_DISCONNECT_AFTER,  /* the server runs it; the connection breaks with its reply */
};

/* One thing to go wrong. */
struct pipit_test_fault {
        enum pipit_test_fault_kind kind;

        /* which calls: of this method ("package.Service/Method"; NULL: of any), ... */
        const char *method;
        uint32_t first; /* ... from the n-th on since the fault was added; 0: 1 */
        uint32_t count; /* ... so many; 0: all that follow */

        /* FAIL_*: status (not OK), ran, reason, domain, message and retry_after_ms are told */
        struct pipit_error error;

        /* HOLD_REPLY: released when @clock (borrowed) has moved on so far; NULL: by release only */
        struct pipit_test_clock *clock;
        int64_t delay_us;
};

/*
 * A relay to @target, which need not be there yet. NULL: *ret_error (may be NULL)
 * tells why, in static strings.
 *
 * PIPIT_INVALID_ARGUMENT    @target is neither ipc:// nor tcp://HOST:PORT
 * PIPIT_RESOURCE_EXHAUSTED  memory, descriptors, no folder to write to
 */
PIPIT_PUBLIC PIPIT_MUST_CHECK struct pipit_test_faults *pipit_test_faults_new(
        const char *target, struct pipit_error *ret_error);

/* Of pipit_server_inprocess() in <pipit/server.h>. */
struct pipit_inprocess;

/*
 * The same between a server object of this process and channels to it, without a socket:
 *
 *      faults = pipit_test_faults_new_inprocess(pipit_server_inprocess(server), NULL);
 *      channel = pipit_channel_new_inprocess(pipit_test_faults_inprocess(faults), NULL, NULL);
 *
 * Server, relay and channels may be freed in any order. Handlers run in the threads that <pipit/inprocess.h> tells of. PIPIT_RESOURCE_EXHAUSTED:
 * memory, descriptors.
 */
PIPIT_PUBLIC PIPIT_MUST_CHECK struct pipit_test_faults *pipit_test_faults_new_inprocess(
        struct pipit_inprocess *server, struct pipit_error *ret_error);

/* What channels take instead of the server's. Lives until free. NULL: the relay is one between sockets. */
PIPIT_PUBLIC struct pipit_inprocess *pipit_test_faults_inprocess(struct pipit_test_faults *faults);

/* Closes every connection; what is held is lost. NULL is a no-op. Always returns NULL. */
PIPIT_PUBLIC struct pipit_test_faults *pipit_test_faults_free(struct pipit_test_faults *faults);

/* Where clients go instead. Lives until free. Empty: the relay is one without sockets. */
PIPIT_PUBLIC const char *pipit_test_faults_url(const struct pipit_test_faults *faults);

/*
 * Adds a fault, copied. Each counts the calls of its method; when several meet a
 * call, the one added first has it.
 *
 * PIPIT_INVALID_ARGUMENT    FAIL_* without an error status
 * PIPIT_RESOURCE_EXHAUSTED  out of memory
 */
PIPIT_PUBLIC PIPIT_MUST_CHECK enum pipit_status pipit_test_faults_add(
        struct pipit_test_faults *faults, const struct pipit_test_fault *fault);

/* Forgets every fault, for calls to come: those that one has befallen are not spared. */
PIPIT_PUBLIC void pipit_test_faults_clear(struct pipit_test_faults *faults);

/* Lets the @n replies go that were held first; 0: all. How many went. */
PIPIT_PUBLIC size_t pipit_test_faults_release(struct pipit_test_faults *faults, size_t n);

/* Breaks every connection now; clients may connect anew. */
PIPIT_PUBLIC void pipit_test_faults_disconnect(struct pipit_test_faults *faults);

/* Nobody listens any more, and every connection is broken; or again. Has happened when it returns. */
PIPIT_PUBLIC void pipit_test_faults_set_down(struct pipit_test_faults *faults, bool is_down);

/* Waits until so many replies are held, or so many calls were befallen in all. False: not within the time. */
PIPIT_PUBLIC bool pipit_test_faults_wait_held(struct pipit_test_faults *faults,
                                              size_t n,
                                              int timeout_ms);
PIPIT_PUBLIC bool pipit_test_faults_wait_befallen(struct pipit_test_faults *faults,
                                                  size_t n,
                                                  int timeout_ms);

PIPIT_END_DECLS

#endif
