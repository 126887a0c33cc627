/*
 * Principal: who calls, and what the rules that hold say of it
 *
 *      inproc      this process
 *      uid:N       by ipc, as the kernel says
 *      key:NAME    by a session, as authorized_keys has it
 *      anonymous   by plain tcp
 *
 * One for all pipes and sessions of the same caller, for limits count on it, and
 * mailboxes are its own. Of a key it is the key *and* its name: if a reload gives the name
 * to another key, or the key another name, that is another principal.
 *
 * Its standing is what it may call under one generation of the rules. A frame takes a
 * reference to the one that holds when it comes (frame_set_principal()), and all its
 * calls are decided by that: so a reload holds from the next frame on. It is made
 * anew when the generation has moved; else it is had without a lock.
 *
 * Any thread, but for init and deinit.
 */

#ifndef SERVER_RUNTIME_PRINCIPAL_H
#define SERVER_RUNTIME_PRINCIPAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/access/authorized_keys.h"
#include "core/access/policy.h"
#include "core/base/list.h"
#include "core/base/macros.h"

struct pipit_server;
struct rep_pipe_identity;

#define PRINCIPAL_NAME_SIZE (sizeof("key:") + PIPIT_ACCESS_NAME_BYTES_MAX)

/* Read-only, and counted by references. */
struct standing {
        /* out */
        struct pipit_grants *grants; /* NULL: it may call nothing, for its key is not listed */
        uint64_t generation;
        int64_t expires_us; /* of the wall clock; INT64_MAX: never */

        /* private */
        atomic_uint refs;

        /* out */
        bool may[]; /* by the index of a method's route, as the grants decide */
};

struct principal {
        /* out */
        enum pipit_access_kind kind;
        char name[PRINCIPAL_NAME_SIZE];

        /* limits */
        atomic_uint n_mailboxes;
        atomic_size_t decoded_bytes;

        /* private */
        uint32_t uid;
        uint8_t key[PIPIT_KEY_BYTES];
        pthread_mutex_t mutex; /* of whoever makes its standing */
        _Atomic(struct standing *) standing;
        atomic_uint n_readers; /* between loading it and taking a reference */
        atomic_uint refs;      /* falls to 0 only under the table's mutex */

        /* box.c's: its mailboxes without a pipe, the first that was left first */
        pthread_mutex_t left_mutex;
        struct list left;

        struct principal *next;
};

#define PRINCIPAL_BUCKETS 1024

struct principal_table {
        /* private */
        pthread_mutex_t mutex;
        struct principal *buckets[PRINCIPAL_BUCKETS];
};

void principal_table_init(struct principal_table *table);

/* All references have been given back. */
void principal_table_deinit(struct principal_table *table);

/*
 * A reference. NULL: out of memory, or a pipe whose peer the kernel does
 * not name. Plain tcp is `anonymous`, whatever sessions it may carry.
 */
struct principal *principal_of_pipe(struct pipit_server *server,
                                    const struct rep_pipe_identity *identity);

struct principal *principal_ref(struct principal *principal);
void principal_unref(struct pipit_server *server, struct principal *principal);

enum principal_state {
        PRINCIPAL_HOLDS,
        PRINCIPAL_REVOKED, /* its key is not listed any more under its name, or has expired */
        PRINCIPAL_BUSY,    /* it cannot be told now: come again */
};

/*
 * Of the public key of a handshake. REVOKED: by the rules that hold it is not listed, or has
 * expired. HOLDS: *ret_principal is a reference. ret_name, for logs alone, is the name
 * that it has or had, "" if there is none.
 */
PIPIT_MUST_CHECK enum principal_state principal_of_key(struct pipit_server *server,
                                                       const uint8_t key[PIPIT_KEY_BYTES],
                                                       int64_t wall_us,
                                                       char ret_name[PRINCIPAL_NAME_SIZE],
                                                       struct principal **ret_principal);

/*
 * How it stands under the rules that hold: to be asked at each frame, and of a session
 * before what it says is believed. HOLDS: *ret_standing is a reference.
 */
PIPIT_MUST_CHECK enum principal_state principal_stand(struct pipit_server *server,
                                                      struct principal *principal,
                                                      struct standing **ret_standing);

void standing_unref(struct standing *standing); /* NULL is a no-op */

#endif
