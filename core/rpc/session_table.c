#include "core/rpc/session_table.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/list.h"
#include "core/base/uuid.h"
#include "core/rpc/id_hash.h"
#include "core/rpc/little_endian.h"

/* The mutexes of the buckets of ids: sessions that are in use meet in none but by chance. */
#define ID_MUTEXES 64

struct entry {
        /* fixed */
        struct pipit_session *session; /* a reference */
        uint32_t pipe;
        uint64_t source;

        struct list by_id; /* in its bucket; changes under both its mutex and the table's */

        /* the table's mutex */
        struct list by_pipe;     /* in its bucket, oldest first */
        struct list by_key;      /* in its bucket, oldest first; while unconfirmed */
        struct list by_age;      /* among all, oldest first */
        struct list unconfirmed; /* among all of these, oldest first; else in no list */
};

struct pipit_session_table {
        pthread_mutex_t mutex;
        struct pipit_handshake_limiter *limiter;
        uint64_t seed; /* peers choose keys; they must not choose where they meet */
        size_t n_max, n_sessions, n_unconfirmed;
        struct list ages, unconfirmed;
        struct list gone; /* dropped under this hold of the mutex */
        size_t n_buckets; /* a power of two */
        struct list *ids, *pipes, *keys;
        pthread_mutex_t id_mutexes[ID_MUTEXES]; /* innermost */
};

#define entry_of(node, member) pipit_container_of(node, struct entry, member)

/* --- buckets ---------------------------------------------------------------------- */

static struct list *bucket(const struct pipit_session_table *table,
                           struct list *buckets,
                           uint64_t number)
{
        return &buckets[pipit_id_hash(number, table->seed, table->n_buckets)];
}

static struct list *bucket_of_id(const struct pipit_session_table *table, const uint8_t *id)
{
        return bucket(table, table->ids, pipit_read_u64(id));
}

static pthread_mutex_t *mutex_of_id(struct pipit_session_table *table, const struct list *ids)
{
        return &table->id_mutexes[(size_t)(ids - table->ids) % ID_MUTEXES];
}

static struct list *bucket_of_key(const struct pipit_session_table *table, const uint8_t *key)
{
        return bucket(table, table->keys, pipit_read_u64(key));
}

static struct list *bucket_of_pipe(const struct pipit_session_table *table, uint32_t pipe)
{
        return bucket(table, table->pipes, pipe);
}

static struct list *buckets_new(size_t n_buckets)
{
        struct list *buckets = calloc(n_buckets, sizeof(*buckets));

        for (size_t i = 0; buckets && i < n_buckets; i++)
                list_init(&buckets[i]);

        return buckets;
}

/* --- life --------------------------------------------------------------------------- */

struct pipit_session_table *pipit_session_table_new(size_t n_sessions_max,
                                                    struct pipit_handshake_limiter *limiter)
{
        struct pipit_session_table *table = calloc(1, sizeof(*table));

        if (!table)
                return NULL;

        table->limiter = limiter;
        table->n_max = n_sessions_max > 0 ? n_sessions_max : PIPIT_SESSIONS_MAX;
        table->n_buckets = 1;
        while (table->n_buckets < table->n_max)
                table->n_buckets *= 2;
        list_init(&table->ages);
        list_init(&table->unconfirmed);
        list_init(&table->gone);
        pipit_random_bytes(&table->seed, sizeof(table->seed));
        table->ids = buckets_new(table->n_buckets);
        table->pipes = buckets_new(table->n_buckets);
        table->keys = buckets_new(table->n_buckets);
        if (!table->ids || !table->pipes || !table->keys ||
            pthread_mutex_init(&table->mutex, NULL) != 0) {
                free(table->ids);
                free(table->pipes);
                free(table->keys);
                free(table);
                return NULL;
        }
        for (size_t i = 0; i < ID_MUTEXES; i++)
                (void)pthread_mutex_init(&table->id_mutexes[i], NULL);

        return table;
}

static void set_confirmed(struct pipit_session_table *table, struct entry *entry)
{
        if (list_is_empty(&entry->unconfirmed))
                return;

        list_remove(&entry->unconfirmed);
        list_remove(&entry->by_key);
        table->n_unconfirmed--;
}

/* From here on it is found, or no more. */
static void list_id(struct pipit_session_table *table, struct entry *entry, bool listed)
{
        struct list *ids = bucket_of_id(table, entry->session->id);
        pthread_mutex_t *mutex = mutex_of_id(table, ids);

        (void)pthread_mutex_lock(mutex);
        if (listed)
                list_append(ids, &entry->by_id);
        else
                list_remove(&entry->by_id);
        (void)pthread_mutex_unlock(mutex);
}

/* Ends the session. It is let go of by unlock(). */
static void drop(struct pipit_session_table *table, struct entry *entry, int64_t now_us)
{
        if (!list_is_empty(&entry->unconfirmed) && table->limiter)
                (void)pipit_handshake_limiter_fail(table->limiter, entry->source, now_us);

        set_confirmed(table, entry);
        list_id(table, entry, false);
        list_remove(&entry->by_pipe);
        list_remove(&entry->by_age);
        list_append(&table->gone, &entry->by_age);
        table->n_sessions--;
        pipit_session_end(entry->session);
}

static void lock(struct pipit_session_table *table)
{
        (void)pthread_mutex_lock(&table->mutex);
}

/* What frees a session is not ours: it runs under no lock. */
static void unlock(struct pipit_session_table *table)
{
        struct list gone, *node;

        list_init(&gone);
        list_prepend_all(&gone, &table->gone);
        (void)pthread_mutex_unlock(&table->mutex);

        for (node = list_take(&gone); node; node = list_take(&gone)) {
                struct entry *entry = entry_of(node, by_age);

                pipit_session_unref(entry->session);
                free(entry);
        }
}

struct pipit_session_table *pipit_session_table_free(struct pipit_session_table *table)
{
        struct list *node, *next;

        if (!table)
                return NULL;

        table->limiter = NULL;
        lock(table);
        list_for_each(node, next, &table->ages) drop(table, entry_of(node, by_age), 0);
        unlock(table);
        for (size_t i = 0; i < ID_MUTEXES; i++)
                (void)pthread_mutex_destroy(&table->id_mutexes[i]);
        (void)pthread_mutex_destroy(&table->mutex);
        free(table->ids);
        free(table->pipes);
        free(table->keys);
        free(table);

        return NULL;
}

static size_t expire(struct pipit_session_table *table, int64_t now_us)
{
        size_t n_expired = 0;

        /* All live equally long, so the first that is good ends the search. */
        while (!list_is_empty(&table->ages)) {
                struct entry *oldest = entry_of(table->ages.next, by_age);

                if (pipit_session_age(oldest->session, now_us) != PIPIT_SESSION_TOO_OLD)
                        break;
                drop(table, oldest, now_us);
                n_expired++;
        }

        return n_expired;
}

/* --- bounds ---------------------------------------------------------------------------- */

static void bound_key(struct pipit_session_table *table, const uint8_t *key, int64_t now_us)
{
        struct list *node, *next, *keys = bucket_of_key(table, key);
        struct entry *oldest = NULL;
        size_t n_of_key = 0;

        list_for_each(node, next, keys)
        {
                struct entry *entry = entry_of(node, by_key);

                if (memcmp(entry->session->peer_key, key, PIPIT_NOISE_KEY_BYTES) != 0)
                        continue;
                if (!oldest)
                        oldest = entry;
                n_of_key++;
        }
        if (n_of_key >= PIPIT_UNCONFIRMED_PER_KEY)
                drop(table, oldest, now_us);
}

static void bound_pipe(struct pipit_session_table *table, uint32_t pipe, int64_t now_us)
{
        struct list *node, *next, *pipes = bucket_of_pipe(table, pipe);
        struct entry *oldest = NULL;
        size_t n_of_pipe = 0;

        list_for_each(node, next, pipes)
        {
                struct entry *entry = entry_of(node, by_pipe);

                if (entry->pipe != pipe)
                        continue;
                if (!oldest)
                        oldest = entry;
                n_of_pipe++;
        }
        if (n_of_pipe >= PIPIT_SESSIONS_PER_PIPE)
                drop(table, oldest, now_us);
}

/* False: all that there are have been confirmed. */
static bool bound_all(struct pipit_session_table *table, int64_t now_us)
{
        if (table->n_sessions < table->n_max)
                return true;
        if (list_is_empty(&table->unconfirmed))
                return false;

        drop(table, entry_of(table->unconfirmed.next, unconfirmed), now_us);
        return true;
}

/* --- use ------------------------------------------------------------------------------- */

static void insert(struct pipit_session_table *table, struct entry *entry)
{
        struct pipit_session *session = entry->session;

        list_id(table, entry, true);
        list_append(bucket_of_pipe(table, entry->pipe), &entry->by_pipe);
        list_append(bucket_of_key(table, session->peer_key), &entry->by_key);
        list_append(&table->ages, &entry->by_age);
        list_append(&table->unconfirmed, &entry->unconfirmed);
        table->n_sessions++;
        table->n_unconfirmed++;
}

bool pipit_session_table_add(struct pipit_session_table *table,
                             struct pipit_session *session,
                             uint32_t pipe,
                             uint64_t source,
                             int64_t now_us)
{
        struct entry *entry = calloc(1, sizeof(*entry));
        bool ok;

        if (!entry)
                return false;

        *entry = (struct entry){.session = session, .pipe = pipe, .source = source};
        lock(table);
        (void)expire(table, now_us);
        bound_key(table, session->peer_key, now_us);
        bound_pipe(table, pipe, now_us);
        ok = bound_all(table, now_us);
        if (ok) {
                (void)pipit_session_ref(session);
                insert(table, entry);
        }
        unlock(table);
        if (!ok)
                free(entry);

        return ok;
}

/* With the table's mutex, or that of @ids, the bucket of @id. */
static struct entry *find(struct list *ids, const uint8_t *id)
{
        struct list *node, *next;

        list_for_each(node, next, ids)
        {
                struct entry *entry = entry_of(node, by_id);

                if (memcmp(entry->session->id, id, PIPIT_SESSION_ID_BYTES) == 0)
                        return entry;
        }

        return NULL;
}

struct pipit_session *pipit_session_table_find(struct pipit_session_table *table,
                                               const uint8_t id[PIPIT_SESSION_ID_BYTES],
                                               uint32_t pipe)
{
        struct list *ids = bucket_of_id(table, id);
        pthread_mutex_t *mutex = mutex_of_id(table, ids);
        struct pipit_session *session = NULL;
        const struct entry *entry;

        (void)pthread_mutex_lock(mutex);
        entry = find(ids, id);
        if (entry && entry->pipe == pipe)
                session = pipit_session_ref(entry->session);
        (void)pthread_mutex_unlock(mutex);

        return session;
}

void pipit_session_table_confirm(struct pipit_session_table *table,
                                 const struct pipit_session *session)
{
        struct entry *entry;

        lock(table);
        entry = find(bucket_of_id(table, session->id), session->id);
        if (entry)
                set_confirmed(table, entry);
        unlock(table);
}

void pipit_session_table_remove(struct pipit_session_table *table,
                                const struct pipit_session *session,
                                int64_t now_us)
{
        struct entry *entry;

        lock(table);
        entry = find(bucket_of_id(table, session->id), session->id);
        if (entry)
                drop(table, entry, now_us);
        unlock(table);
}

void pipit_session_table_remove_pipe(struct pipit_session_table *table,
                                     uint32_t pipe,
                                     int64_t now_us)
{
        struct list *node, *next, *pipes;

        lock(table);
        pipes = bucket_of_pipe(table, pipe);
        list_for_each(node, next, pipes)
        {
                if (entry_of(node, by_pipe)->pipe == pipe)
                        drop(table, entry_of(node, by_pipe), now_us);
        }
        unlock(table);
}

size_t pipit_session_table_expire(struct pipit_session_table *table, int64_t now_us)
{
        size_t n_expired;

        lock(table);
        n_expired = expire(table, now_us);
        unlock(table);

        return n_expired;
}

struct pipit_session_table_counts pipit_session_table_count(struct pipit_session_table *table)
{
        struct pipit_session_table_counts counts;

        lock(table);
        counts.n_sessions = table->n_sessions;
        counts.n_unconfirmed = table->n_unconfirmed;
        unlock(table);

        return counts;
}
