/*
 * Relay: what its files share
 *
 *      faults.c    the public functions, and the thread
 *      plan.c      which calls a fault befalls
 *      pair.c      two connections, and the messages on them
 *      exchange.c  what becomes of frames
 *      door.c      connections to a server object, without sockets
 *
 * A response need not carry the replies to its request's calls, so the relay may
 * answer a request by itself, with replies that it has. What the server answers
 * to such a request later, goes with the next one. One mutex guards it all.
 */

#ifndef TESTKIT_RELAY_H
#define TESTKIT_RELAY_H

#include <netdb.h>
#include <pipit/test_faults.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "testkit/wire.h"

/* --- plan.c --- */

/* A fault that was added. Stays until the relay is freed: befallen calls refer to it. */
struct rule {
        struct pipit_test_fault fault; /* with strings of its own */
        uint64_t n_met;
        bool is_cleared;
        struct rule *next;
};

/* A call whose reply is not to pass as it is. */
struct mark {
        uint8_t client[WIRE_CLIENT_BYTES];
        uint64_t id;
        struct rule *rule;
        struct mark *next;
};

struct plan {
        struct rule *rules; /* in order */
        struct mark *marks;
        size_t n_befallen;
};

enum pipit_status plan_add(struct plan *plan, const struct pipit_test_fault *fault);
void plan_clear(struct plan *plan);
void plan_deinit(struct plan *plan);

/* A call comes by: the rule that it meets, or NULL. */
struct rule *plan_meet(struct plan *plan, const uint8_t *method, size_t n_method);

/* Remembers the call for its reply. False: out of memory. */
bool plan_mark(struct plan *plan, const uint8_t *client, uint64_t id, struct rule *rule);

/* The rule of a call whose reply has come, which is forgotten; or NULL. */
struct rule *plan_unmark(struct plan *plan, const uint8_t *client, uint64_t id);

/* --- the relay --- */

/* A reply that the relay has. */
struct reply {
        uint8_t client[WIRE_CLIENT_BYTES];
        struct bytes record;            /* field replies of a Response */
        struct pipit_test_clock *clock; /* NULL: held until release */
        int64_t at_us;
        struct reply *next;
};

/* A request that the server has, and the client waits for. */
struct asked {
        uint8_t words[WIRE_WORDS_MAX];
        size_t n_words;
        bool has_client; /* else it passes as it is */
        uint8_t client[WIRE_CLIENT_BYTES];
        bool is_answered; /* by the relay */
        struct asked *next;
};

struct door;
struct door_pipe; /* of door.c */

struct side {
        int fd;
        struct door_pipe *pipe; /* instead of a descriptor; NULL: a socket */
        bool is_ipc;
        bool is_greeted; /* the 8 bytes before all messages have passed */
        bool has_ended;
        struct bytes in;
        struct bytes out;
};

struct pair {
        struct pipit_test_faults *faults;
        struct side client;
        struct side server;
        bool is_broken;
        uint64_t instance; /* of the server; 0: not known yet */
        struct asked *asked;
        struct pair *next;
};

struct target {
        struct sockaddr_storage address;
        socklen_t n_address;
        bool is_ipc;
};

struct watcher; /* of a clock; in faults.c */

struct pipit_test_faults {
        struct door *door; /* NULL: between sockets */
        struct target target;
        char url[sizeof(struct sockaddr_un) + 32];
        struct sockaddr_un address;
        int wake_fd;
        pthread_t thread;

        pthread_mutex_t mutex;
        pthread_cond_t changed;
        int listen_fd; /* -1: down */
        struct pair *pairs;
        struct plan plan;
        struct reply *held;    /* oldest first */
        struct reply *pending; /* to be delivered */
        size_t n_held;
        size_t n_refs; /* its owner's, and its door's */
        struct watcher *watchers;
        bool is_down;
        bool is_stopping;
        uint64_t n_orders; /* breaks, downs and ups asked for, and obeyed */
        uint64_t n_obeyed;
        bool wants_break;
};

/* --- faults.c --- */

/* There is something for the relay's thread to do. */
void faults_wake(struct pipit_test_faults *faults);

/* Channels that hold its door keep what is left of it. Mutex not held. */
void faults_ref(struct pipit_test_faults *faults);
void faults_unref(struct pipit_test_faults *faults);

/* --- exchange.c: mutex held --- */

/* A message from one side, without framing. May break the pair. */
void exchange_request(struct pair *pair, const uint8_t *message, size_t n);
void exchange_response(struct pair *pair, const uint8_t *message, size_t n);

/* The client does not wait for this answer any more: the replies in it go with the next. */
void exchange_forget(struct pair *pair, const uint8_t *words, size_t n_words);

/* Gives pending replies to clients that wait. */
void exchange_deliver(struct pipit_test_faults *faults);

struct reply *reply_free(struct reply *reply);
void replies_append(struct reply **list, struct reply *reply);

/* --- pair.c: mutex held --- */

/* For a client that was accepted; takes @fd. NULL: no memory, or no server. */
struct pair *pair_new(struct pipit_test_faults *faults, int fd);
struct pair *pair_free(struct pair *pair);

/* What to wait for on a side. */
short pair_events(const struct pair *pair, const struct side *side);

/* Reads, and passes on what is complete. */
void pair_read(struct pair *pair, struct side *from);
void pair_write(struct pair *pair, struct side *to);

/* Frames @message for @to and queues it. */
void pair_send(struct side *to, const void *head, size_t n_head, const void *rest, size_t n_rest);

/* There is nothing more to do on it. */
bool pair_is_over(const struct pair *pair);

#endif
