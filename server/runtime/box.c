#include "server/runtime/box.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/hash.h"
#include "core/base/uuid.h"
#include "server/runtime/call.h"
#include "server/runtime/reply.h"
#include "server/runtime/runtime.h"

/* --- table --------------------------------------------------------------- */

void box_table_init(struct box_table *table)
{
        table->seed = pipit_random_u64();
        for (size_t i = 0; i < BOX_SHARDS; ++i)
                pthread_mutex_init(&table->shards[i].mutex, NULL);
}

void box_table_deinit(struct box_table *table)
{
        for (size_t i = 0; i < BOX_SHARDS; ++i)
                pthread_mutex_destroy(&table->shards[i].mutex);
}

void box_table_empty(struct box_table *table)
{
        for (size_t i = 0; i < BOX_SHARDS; ++i) {
                struct box *box;

                while ((box = table->shards[i].first)) {
                        table->shards[i].first = box->next;
                        list_remove(&box->left);
                        box_unref(box);
                }
        }
}

/* Client ids are chosen by peers: the seed keeps them from choosing shards. */
static uint64_t name_of(const struct box_table *table,
                        const struct principal *principal,
                        const uint8_t *client_id)
{
        uint64_t halves[2];
        /* By name: the same principal may come again as another object. */
        uint64_t hash = pipit_hash_string(table->seed, principal->name);

        memcpy(halves, client_id, sizeof(halves));
        for (size_t i = 0; i < 2; ++i) {
                hash = (hash ^ halves[i]) * UINT64_C(0x9e3779b97f4a7c15);
                hash ^= hash >> 29;
                hash = (hash ^ table->seed) * UINT64_C(0xbf58476d1ce4e5b9);
                hash ^= hash >> 32;
        }

        return hash;
}

static struct box_shard *shard_of(struct box_table *table, uint64_t name)
{
        return &table->shards[name % BOX_SHARDS];
}

void box_table_each(struct box_table *table, box_visit_fn visit, void *context)
{
        for (size_t i = 0; i < BOX_SHARDS; ++i) {
                struct box_shard *shard = &table->shards[i];
                struct box **boxes = NULL;
                size_t n_boxes = 0;

                pthread_mutex_lock(&shard->mutex);
                for (struct box *box = shard->first; box; box = box->next)
                        ++n_boxes;
                boxes = n_boxes > 0 ? calloc(n_boxes, sizeof(struct box *)) : NULL;
                n_boxes = 0;
                for (struct box *box = shard->first; boxes && box; box = box->next)
                        boxes[n_boxes++] = box_ref(box);
                pthread_mutex_unlock(&shard->mutex);

                for (size_t k = 0; k < n_boxes; ++k)
                        visit(boxes[k], context);
                free(boxes);
        }
}

/* --- death --------------------------------------------------------------- */

/* Calls that have not ended are alive: their frame waits for them. */
static bool kill_call(void *context, uint64_t id, enum pipit_mailbox_state state, void *value)
{
        struct pipit_server_call **ended = context;
        struct pipit_server_call *call = value;

        (void)id;
        if (state == PIPIT_CALL_QUEUED || state == PIPIT_CALL_RUNNING) {
                call->finished = true;
                atomic_store(&call->cancelled, true);
                call_ending_without_answer(call, CALL_ENDING_CANCELLED, ended);
        }

        return true;
}

/* With the mutex. Returns the frames that were held, and the calls that had not ended. */
static struct rep_context *end(struct box *box, struct pipit_server_call **ret_ended)
{
        struct rep_context *held = NULL;

        if (box->dead)
                return NULL;

        box->dead = true;
        pipit_mailbox_each(box->states, kill_call, ret_ended);
        ready_deinit(&box->ready);
        while (box->oldest) {
                struct rep_context *context = box->oldest;

                box_unhold(box, context);
                context->next = held;
                held = context;
        }

        return held;
}

static void drop_all(struct rep_context *held)
{
        while (held) {
                struct rep_context *next = held->next;

                held_drop(held);
                held = next;
        }
}

void box_kill(struct box *box)
{
        struct pipit_server_call *ended = NULL;
        struct rep_context *held;

        pthread_mutex_lock(&box->mutex);
        held = end(box, &ended);
        pthread_mutex_unlock(&box->mutex);

        drop_all(held);
        interceptors_after_all(ended);
}

static bool lingered(const struct box *box, int64_t now_us)
{
        return box->is_revoked ||
               (box->n_pipes <= 0 && box->linger_until_us > 0 && now_us >= box->linger_until_us);
}

static void shard_unlink(struct box_shard *shard, struct box *box)
{
        struct box **link = &shard->first;

        while (*link != box)
                link = &(*link)->next;
        *link = box->next;
}

/* Its client sends on by them, and would wait for what nobody answers. */
static void close_all_pipes(struct rep_context *held)
{
        while (held) {
                struct rep_context *next = held->next;

                held_answer(held, NULL);
                held = next;
        }
}

/* What n_pipes and the place in the principal's list are changed under. */
static void lock_pipes(struct box *box)
{
        pthread_mutex_lock(&box->principal->left_mutex);
        pthread_mutex_lock(&box->mutex);
}

static void unlock_pipes(struct box *box)
{
        pthread_mutex_unlock(&box->mutex);
        pthread_mutex_unlock(&box->principal->left_mutex);
}

/* Whether it was to go, as @is_over says, and is gone from the table. The table's reference is the caller's then. */
static bool box_drop_if(struct box *box,
                        bool (*is_over)(const struct box *box, int64_t now_us),
                        int64_t now_us)
{
        struct pipit_server *server = box->server;
        uint64_t name = name_of(&server->boxes, box->principal, box->client_id);
        struct box_shard *shard = shard_of(&server->boxes, name);
        int64_t until_us = now_us + server->options.timeout_ms_max * PIPIT_US_PER_MS;
        struct pipit_server_call *ended = NULL;
        struct rep_context *held = NULL;
        bool is_dropped, is_revoked;

        pthread_mutex_lock(&shard->mutex);
        lock_pipes(box);
        is_dropped = !box->dead && is_over(box, now_us);
        is_revoked = box->is_revoked;
        if (is_dropped) {
                held = end(box, &ended);
                list_remove(&box->left);
                shard_unlink(shard, box);
                graves_bury(&shard->graves, name, now_us, until_us);
        }
        unlock_pipes(box);
        pthread_mutex_unlock(&shard->mutex);

        if (is_revoked)
                close_all_pipes(held);
        else
                drop_all(held);
        interceptors_after_all(ended);
        if (is_dropped)
                atomic_fetch_sub(&box->principal->n_mailboxes, 1);

        return is_dropped;
}

/* --- life ---------------------------------------------------------------- */

static void box_unref_n(struct box *box, unsigned int n_refs)
{
        struct pipit_server *server = box->server;

        if (atomic_fetch_sub(&box->refs, n_refs) != n_refs)
                return;

        if (!box->simple)
                housekeeping_remove(server->housekeeping, &box->timer);
        principal_unref(server, box->principal);
        pipit_mailbox_free(box->states);
        ready_deinit(&box->ready);
        pthread_mutex_destroy(&box->mutex);
        free(box);
}

static void box_fire(struct timer *timer, int64_t now_us)
{
        struct box *box = pipit_container_of(timer, struct box, timer);
        unsigned int n_refs = 1; /* the timer's */

        if (box_drop_if(box, lingered, now_us))
                n_refs++;
        else
                housekeeping_arm(box->server->housekeeping, timer, box_tick(box, now_us));
        box_unref_n(box, n_refs);
}

void box_arm(struct box *box, struct peer *peer, int64_t due_us)
{
        housekeeping_arm(
                box->server->housekeeping, box->simple ? &peer->timer : &box->timer, due_us);
}

static void drop_revoked(struct box *box, void *context)
{
        struct pipit_server *server = context;
        struct standing *standing = NULL;

        if (principal_stand(server, box->principal, &standing) == PRINCIPAL_REVOKED) {
                pthread_mutex_lock(&box->mutex);
                box->is_revoked = true;
                pthread_mutex_unlock(&box->mutex);
                housekeeping_arm(server->housekeeping, &box->timer, pipit_clock_now_us());
        }
        standing_unref(standing);
        box_unref(box);
}

void box_table_drop_revoked(struct pipit_server *server)
{
        box_table_each(&server->boxes, drop_revoked, server);
}

static struct box *box_new(struct pipit_server *server, struct principal *principal, bool simple)
{
        struct box *box = calloc(1, sizeof(*box));

        if (!box)
                return NULL;

        box->states = pipit_mailbox_new();
        if (!box->states ||
            (!simple &&
             !housekeeping_add(server->housekeeping, &box->timer, box_fire, &box->refs))) {
                pipit_mailbox_free(box->states);
                free(box);
                return NULL;
        }
        box->server = server;
        box->principal = principal_ref(principal);
        box->simple = simple;
        list_init(&box->left);
        atomic_init(&box->refs, 1);
        pthread_mutex_init(&box->mutex, NULL);

        return box;
}

bool box_is(const struct box *box, const struct principal *principal, const uint8_t *client_id)
{
        return box->principal == principal &&
               memcmp(box->client_id, client_id, BOX_CLIENT_ID_BYTES) == 0;
}

struct box *box_ref(struct box *box)
{
        atomic_fetch_add(&box->refs, 1);

        return box;
}

void box_unref(struct box *box)
{
        box_unref_n(box, 1);
}

/* --- full clients ---------------------------------------------------------- */

/* With the shard's mutex. A reference, or NULL. */
static struct box *shard_find(struct box_shard *shard,
                              const struct principal *principal,
                              const uint8_t *client_id)
{
        for (struct box *box = shard->first; box; box = box->next) {
                if (box_is(box, principal, client_id))
                        return box_ref(box);
        }

        return NULL;
}

/* Its client has left, nothing of it is under way, and no late copy of a call has to be held back. */
static bool is_idle(const struct box *box, int64_t now_us)
{
        (void)now_us;

        return box->n_pipes <= 0 && !box->dead && pipit_mailbox_n_calls(box->states) == 0 &&
               pipit_mailbox_n_tombstones(box->states) == 0;
}

/* The one of @principal that is idle for longest, with a reference; NULL: none is. */
static struct box *idlest_of(struct principal *principal, int64_t now_us)
{
        struct box *idlest = NULL;
        struct list *node, *after;

        pthread_mutex_lock(&principal->left_mutex);
        list_for_each(node, after, &principal->left)
        {
                struct box *box = pipit_container_of(node, struct box, left);

                pthread_mutex_lock(&box->mutex);
                if (is_idle(box, now_us))
                        idlest = box_ref(box);
                pthread_mutex_unlock(&box->mutex);
                if (idlest)
                        break;
        }
        pthread_mutex_unlock(&principal->left_mutex);

        return idlest;
}

/* Frees an idle one of @principal, before its time. False: there is none. */
static bool evict(struct principal *principal)
{
        int64_t now_us = pipit_clock_now_us();
        bool is_evicted = false;
        struct box *box;

        while (!is_evicted && (box = idlest_of(principal, now_us))) {
                is_evicted = box_drop_if(box, is_idle, now_us);
                box_unref_n(box, is_evicted ? 2 : 1);
        }

        return is_evicted;
}

/* With the shard's mutex. A reference; the table has another. */
static struct box *shard_make(struct pipit_server *server,
                              struct box_shard *shard,
                              struct principal *principal,
                              const uint8_t *client_id,
                              uint64_t name)
{
        struct box *box = box_new(server, principal, false);

        if (!box)
                return NULL;

        memcpy(box->client_id, client_id, BOX_CLIENT_ID_BYTES);
        box->amnesia_until_us = graves_until(&shard->graves, name);
        box->next = shard->first;
        shard->first = box;

        return box_ref(box);
}

static struct box *table_try(struct pipit_server *server,
                             struct principal *principal,
                             const uint8_t *client_id,
                             uint64_t name,
                             enum box_failure *ret_failure)
{
        struct box_shard *shard = shard_of(&server->boxes, name);
        struct box *box;

        *ret_failure = BOX_FAILURE_NONE;

        pthread_mutex_lock(&shard->mutex);
        box = shard_find(shard, principal, client_id);
        if (!box && atomic_fetch_add(&principal->n_mailboxes, 1) >=
                            server->options.mailboxes_per_principal_max)
                *ret_failure = BOX_FAILURE_TOO_MANY;
        else if (!box && !(box = shard_make(server, shard, principal, client_id, name)))
                *ret_failure = BOX_FAILURE_MEMORY;
        if (*ret_failure != BOX_FAILURE_NONE)
                atomic_fetch_sub(&principal->n_mailboxes, 1);
        pthread_mutex_unlock(&shard->mutex);

        return box;
}

/* Where there are too many, those that are idle make room. */
static struct box *table_get(struct pipit_server *server,
                             struct principal *principal,
                             const uint8_t *client_id,
                             enum box_failure *ret_failure)
{
        uint64_t name = name_of(&server->boxes, principal, client_id);
        struct box *box;

        do
                box = table_try(server, principal, client_id, name, ret_failure);
        while (*ret_failure == BOX_FAILURE_TOO_MANY && evict(principal));

        return box;
}

/* Pipes come and go: without one the box lingers. In lock_pipes(). */
static void count_pipe(struct box *box, int change, int64_t now_us)
{
        box->n_pipes += change;
        list_remove(&box->left);
        if (box->n_pipes <= 0 && !box->dead)
                list_append(&box->principal->left, &box->left);
        box->linger_until_us = box->n_pipes > 0 ? 0
                                                : now_us + box->server->options.mailbox_linger_ms *
                                                                   PIPIT_US_PER_MS;
}

/* False: it died meanwhile, or *ret_failure says what else. */
static bool box_attach(struct box *box, struct peer *peer, enum box_failure *ret_failure)
{
        bool is_new;
        bool attached = peer_attach(peer, box, &is_new);
        int64_t due_us;
        bool alive;

        if (attached && !is_new)
                return true;

        lock_pipes(box);
        alive = !box->dead;
        count_pipe(box, attached ? 1 : 0, pipit_clock_now_us());
        due_us = box->linger_until_us > 0 ? box->linger_until_us : PIPIT_NEVER_US;
        unlock_pipes(box);

        housekeeping_arm(box->server->housekeeping, &box->timer, due_us);
        if (!attached)
                *ret_failure = BOX_FAILURE_MEMORY;

        return attached && alive;
}

struct box *box_of_client(struct peer *peer,
                          struct principal *principal,
                          const uint8_t client_id[BOX_CLIENT_ID_BYTES],
                          enum box_failure *ret_failure)
{
        struct box *known = peer_attached(peer, principal, client_id);

        if (known)
                return known;

        while (!atomic_load(&peer->server->closing)) {
                struct box *box = table_get(peer->server, principal, client_id, ret_failure);

                if (!box || box_attach(box, peer, ret_failure))
                        return box;
                box_unref(box);
                if (*ret_failure != BOX_FAILURE_NONE)
                        return NULL;
        }
        *ret_failure = BOX_FAILURE_MEMORY;

        return NULL;
}

void box_detach(struct box *box, struct peer *peer)
{
        struct rep_context *dropped = NULL;
        int64_t due_us;

        lock_pipes(box);
        for (struct rep_context *held = box->oldest, *next; held; held = next) {
                next = held->next;
                if (held->peer == peer) {
                        box_unhold(box, held);
                        held->next = dropped;
                        dropped = held;
                }
        }
        count_pipe(box, -1, pipit_clock_now_us());
        due_us = box->linger_until_us > 0 ? box->linger_until_us : PIPIT_NEVER_US;
        unlock_pipes(box);

        drop_all(dropped);
        housekeeping_arm(box->server->housekeeping, &box->timer, due_us);
        box_unref(box);
}

/* --- simple clients -------------------------------------------------------- */

struct box *box_of_frame(struct peer *peer, struct principal *principal)
{
        struct box *box = box_new(peer->server, principal, true);
        bool gone;

        if (!box)
                return NULL;

        pthread_mutex_lock(&peer->mutex);
        gone = atomic_load(&peer->gone);
        if (!gone) {
                box->listed = true;
                box->next = peer->simple;
                if (peer->simple)
                        peer->simple->prev = box;
                peer->simple = box_ref(box);
        }
        pthread_mutex_unlock(&peer->mutex);

        if (gone) {
                box_unref(box);
                return NULL;
        }

        return box;
}

void box_leave(struct box *box, struct peer *peer)
{
        bool listed;

        pthread_mutex_lock(&peer->mutex);
        listed = box->listed;
        if (listed) {
                box->listed = false;
                if (box->prev)
                        box->prev->next = box->next;
                else
                        peer->simple = box->next;
                if (box->next)
                        box->next->prev = box->prev;
        }
        pthread_mutex_unlock(&peer->mutex);

        if (listed)
                box_unref(box);
}
