/*
 * Groups: which groups a uid has, by getgrouplist()
 *
 * The names may be kept in another machine, which takes its time. So they are looked up
 * on a thread of its own, once a uid, and kept until they are to be forgotten (a reload)
 * or too many others were asked for. Who asks waits a moment, for files are
 * fast, and then is told to come again.
 *
 * Any thread, but for new and free.
 */

#ifndef SERVER_RUNTIME_GROUPS_H
#define SERVER_RUNTIME_GROUPS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/log.h"
#include "core/base/macros.h"

#define GROUPS_UIDS_MAX 1024 /* far more than people who work on one machine */
#define GROUPS_WAIT_MS  20   /* on a thread of nng's; /etc/group takes well under 1 */

/* Read-only, and counted by references. */
struct gids {
        /* out */
        const uint32_t *ids;
        size_t n_ids;

        /* private */
        atomic_uint refs;
};

void gids_unref(struct gids *gids); /* NULL is a no-op */

/* As pipit_user_groups(). */
typedef bool (*groups_find_fn)(uint32_t uid, uint32_t **ret_gids, size_t *ret_n_gids);

struct groups;

/* NULL: out of memory. The thread is made when it is needed. */
struct groups *groups_new(groups_find_fn find, struct pipit_log *log);

/* Waits for what is being looked up. NULL is a no-op. Returns NULL. */
struct groups *groups_free(struct groups *groups);

/* A reference. NULL: not known yet, or not to be had. */
PIPIT_MUST_CHECK struct gids *groups_get(struct groups *groups, uint32_t uid);

/* All that is asked from here on is looked up anew. */
void groups_forget(struct groups *groups);

#endif
