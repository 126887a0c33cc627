/*
 * Rules: the policy and the keys that hold at one time, and their generation
 *
 * Both are read together, checked against each other, and swapped together: whoever
 * sees one sees the other that belongs to it. Each swap raises the generation. What
 * was found under an older one (a caller's grants, the key behind a session) is found
 * again before it is used: so a change holds from the next request on, also in
 * sessions that are open.
 *
 * Rules are read-only and counted by references. Any thread.
 */

#ifndef CORE_ACCESS_RULES_H
#define CORE_ACCESS_RULES_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/access/authorized_keys.h"
#include "core/access/policy.h"
#include "core/base/macros.h"

struct pipit_rules {
        /* out */
        struct pipit_policy *policy;
        struct pipit_authorized_keys *keys; /* NULL: no key is known */
        uint64_t generation;                /* set when they come to hold; from 1 */

        /* private */
        atomic_uint refs;
};

/*
 * Takes over @policy and @keys (which may be NULL), also where it fails. @keys_path is
 * for errors. NULL: a key has a role that the policy does not define, or memory is
 * out; it says so.
 */
PIPIT_MUST_CHECK struct pipit_rules *pipit_rules_new(struct pipit_policy *policy,
                                                     struct pipit_authorized_keys *keys,
                                                     const char *keys_path,
                                                     struct pipit_access_problem *ret_problem);

struct pipit_rules *pipit_rules_ref(struct pipit_rules *rules);
void pipit_rules_unref(struct pipit_rules *rules); /* NULL is a no-op */

/*
 * Who a session's peer is under these rules, @caller borrowing from them. False: the
 * key is not listed, or has expired by @wall_us. All that an outsider may learn is
 * that it was refused; *ret_listed (for logs) is the expired line, or NULL.
 */
PIPIT_MUST_CHECK bool pipit_rules_identify(const struct pipit_rules *rules,
                                           const uint8_t key[PIPIT_KEY_BYTES],
                                           int64_t wall_us,
                                           struct pipit_access_caller *ret_caller,
                                           const struct pipit_authorized_key **ret_listed);

/* --- those that hold ----------------------------------------------------------- */

struct pipit_rules_holder {
        /* private */
        pthread_mutex_t mutex;
        struct pipit_rules *rules;
        _Atomic uint64_t generation;
};

/* Takes over the reference. False: out of memory; the reference is the caller's still. */
PIPIT_MUST_CHECK bool pipit_rules_holder_init(struct pipit_rules_holder *holder,
                                              struct pipit_rules *rules);
void pipit_rules_holder_deinit(struct pipit_rules_holder *holder);

/* From here on these hold. Takes over the reference to rules that never held. */
void pipit_rules_holder_swap(struct pipit_rules_holder *holder, struct pipit_rules *rules);

/* A reference to those that hold. */
struct pipit_rules *pipit_rules_holder_get(struct pipit_rules_holder *holder);

/* Their generation, without a lock: to be compared at every request. */
static inline uint64_t pipit_rules_holder_generation(const struct pipit_rules_holder *holder)
{
        return atomic_load_explicit(&holder->generation, memory_order_acquire);
}

#endif
