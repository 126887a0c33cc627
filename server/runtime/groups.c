#include "server/runtime/groups.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/thread.h"

/* Of one uid. The thread's until it is known; then the list's. */
struct entry {
        uint32_t uid;
        int64_t asked_us;
        bool is_known;
        bool is_forgotten; /* out of the list before it was known */
        struct gids *gids; /* once it is known */
        struct entry *next;
        struct entry *next_queued;
};

struct groups {
        groups_find_fn find;
        struct pipit_log *log;

        pthread_mutex_t mutex; /* of all below, and of entries */
        pthread_cond_t asked, told;
        struct entry *entries; /* the latest first */
        size_t n_entries;
        struct entry *queue, **queue_end;
        bool has_thread;
        bool stops;
        pthread_t thread;
};

/* --- gids -------------------------------------------------------------------------- */

/* NULL: they cannot be told, or memory is out. */
static struct gids *gids_find(groups_find_fn find, uint32_t uid)
{
        struct gids *gids = calloc(1, sizeof(*gids));
        uint32_t *ids = NULL;

        if (!gids || !find(uid, &ids, &gids->n_ids)) {
                free(gids);
                return NULL;
        }

        gids->ids = ids;
        atomic_init(&gids->refs, 1);

        return gids;
}

static struct gids *gids_ref(struct gids *gids)
{
        atomic_fetch_add(&gids->refs, 1);

        return gids;
}

void gids_unref(struct gids *gids)
{
        if (!gids || atomic_fetch_sub(&gids->refs, 1) != 1)
                return;

        free((void *)(uintptr_t)gids->ids);
        free(gids);
}

/* --- entries, with the mutex ----------------------------------------------------------- */

static void entry_free(struct entry *entry)
{
        gids_unref(entry->gids);
        free(entry);
}

static void take_out(struct groups *groups, const struct entry *entry)
{
        struct entry **link = &groups->entries;

        while (*link != entry)
                link = &(*link)->next;
        *link = entry->next;
        --groups->n_entries;
}

/* Room for one more. False: so many are being looked up. */
static bool make_room(struct groups *groups)
{
        struct entry *oldest = NULL;

        if (groups->n_entries < GROUPS_UIDS_MAX)
                return true;
        for (struct entry *entry = groups->entries; entry; entry = entry->next) {
                if (entry->is_known)
                        oldest = entry;
        }
        if (!oldest)
                return false;
        take_out(groups, oldest);
        entry_free(oldest);

        return true;
}

static struct entry *find_entry(struct groups *groups, uint32_t uid)
{
        struct entry *entry = groups->entries;

        while (entry && entry->uid != uid)
                entry = entry->next;

        return entry;
}

static void *groups_main(void *argument);

static bool need_thread(struct groups *groups)
{
        if (!groups->has_thread)
                groups->has_thread = pipit_thread_start(&groups->thread, groups_main, groups) == 0;

        return groups->has_thread;
}

/* NULL: out of memory or threads, or too many are asked for. */
static struct entry *ask(struct groups *groups, uint32_t uid)
{
        struct entry *entry;

        if (!need_thread(groups) || !make_room(groups))
                return NULL;
        entry = calloc(1, sizeof(*entry));
        if (!entry)
                return NULL;

        entry->uid = uid;
        entry->asked_us = pipit_clock_now_us();
        entry->next = groups->entries;
        groups->entries = entry;
        ++groups->n_entries;
        *groups->queue_end = entry;
        groups->queue_end = &entry->next_queued;
        pthread_cond_signal(&groups->asked);

        return entry;
}

/* --- the thread -------------------------------------------------------------------------- */

/* With the mutex, which is free meanwhile. */
static void look_up(struct groups *groups, struct entry *entry)
{
        pthread_mutex_unlock(&groups->mutex);
        entry->gids = gids_find(groups->find, entry->uid);
        if (!entry->gids)
                pipit_log_line(groups->log,
                               PIPIT_LOG_ERROR,
                               "groups cannot be looked up; trying again when it calls",
                               PIPIT_LOG_INT("uid", entry->uid));
        pthread_mutex_lock(&groups->mutex);

        pthread_cond_broadcast(&groups->told);
        entry->is_known = true;
        if (entry->gids && !entry->is_forgotten)
                return;
        if (!entry->is_forgotten)
                take_out(groups, entry);
        entry_free(entry);
}

static void *groups_main(void *argument)
{
        struct groups *groups = argument;

        pthread_mutex_lock(&groups->mutex);
        while (!groups->stops) {
                struct entry *entry = groups->queue;

                if (!entry) {
                        pthread_cond_wait(&groups->asked, &groups->mutex);
                        continue;
                }
                groups->queue = entry->next_queued;
                if (!groups->queue)
                        groups->queue_end = &groups->queue;
                look_up(groups, entry);
        }
        pthread_mutex_unlock(&groups->mutex);

        return NULL;
}

/* --- public ------------------------------------------------------------------------------- */

struct groups *groups_new(groups_find_fn find, struct pipit_log *log)
{
        struct groups *groups = calloc(1, sizeof(*groups));

        if (!groups)
                return NULL;

        groups->find = find;
        groups->log = log;
        groups->queue_end = &groups->queue;
        pthread_mutex_init(&groups->mutex, NULL);
        pthread_cond_init(&groups->asked, NULL);
        pipit_cond_init(&groups->told);

        return groups;
}

struct groups *groups_free(struct groups *groups)
{
        struct entry *entry;

        if (!groups)
                return NULL;

        pthread_mutex_lock(&groups->mutex);
        groups->stops = true;
        pthread_cond_signal(&groups->asked);
        pthread_mutex_unlock(&groups->mutex);
        if (groups->has_thread)
                (void)pthread_join(groups->thread, NULL);

        groups_forget(groups);
        while ((entry = groups->queue)) {
                groups->queue = entry->next_queued;
                entry_free(entry);
        }
        pthread_cond_destroy(&groups->told);
        pthread_cond_destroy(&groups->asked);
        pthread_mutex_destroy(&groups->mutex);
        free(groups);

        return NULL;
}

/* With the mutex, which is free meanwhile. All who wait for one uid wait until the same moment. False: it has come. */
static bool wait_for(struct groups *groups, int64_t asked_us)
{
        int64_t until_us = asked_us + GROUPS_WAIT_MS * PIPIT_US_PER_MS;

        return pipit_cond_wait_until(&groups->told, &groups->mutex, until_us);
}

struct gids *groups_get(struct groups *groups, uint32_t uid)
{
        struct gids *gids = NULL;
        struct entry *entry;

        pthread_mutex_lock(&groups->mutex);
        entry = find_entry(groups, uid);
        if (!entry)
                entry = ask(groups, uid);
        /* It may have gone meanwhile: whoever asked is told to come again. */
        while (entry && !entry->is_known)
                entry = wait_for(groups, entry->asked_us) ? find_entry(groups, uid) : NULL;
        if (entry)
                gids = gids_ref(entry->gids);
        pthread_mutex_unlock(&groups->mutex);

        return gids;
}

void groups_forget(struct groups *groups)
{
        struct entry *entry, *next;

        pthread_mutex_lock(&groups->mutex);
        entry = groups->entries;
        groups->entries = NULL;
        groups->n_entries = 0;
        for (; entry; entry = next) {
                next = entry->next;
                entry->is_forgotten = true;
                if (entry->is_known)
                        entry_free(entry);
        }
        pthread_mutex_unlock(&groups->mutex);
}
