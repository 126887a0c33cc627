#include "server/runtime/principal.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/hash.h"
#include "server/runtime/runtime.h"

/* --- standing ---------------------------------------------------------------- */

static struct standing *standing_ref(struct standing *standing)
{
        atomic_fetch_add_explicit(&standing->refs, 1, memory_order_relaxed);

        return standing;
}

void standing_unref(struct standing *standing)
{
        if (!standing || atomic_fetch_sub(&standing->refs, 1) != 1)
                return;

        standing->grants = pipit_grants_free(standing->grants);
        free(standing);
}

/* Who it is under @rules. False: its key is not listed, or by another name. */
static bool identify(const struct principal *principal,
                     const struct pipit_rules *rules,
                     const struct gids *gids,
                     struct pipit_access_caller *ret_caller,
                     int64_t *ret_expires_us)
{
        const struct pipit_authorized_key *listed;

        *ret_expires_us = INT64_MAX;
        if (principal->kind != PIPIT_ACCESS_KEY) {
                *ret_caller = (struct pipit_access_caller){
                        .kind = principal->kind,
                        .uid = principal->uid,
                        .gids = gids ? gids->ids : NULL,
                        .n_gids = gids ? gids->n_ids : 0,
                };
                return true;
        }

        /* Whether it has expired is asked at each frame. */
        if (!pipit_rules_identify(rules, principal->key, INT64_MIN, ret_caller, &listed) ||
            strcmp(listed->name, principal->name + strlen("key:")) != 0)
                return false;
        *ret_expires_us = listed->expires_us;

        return true;
}

static void decide(const char *method, size_t index, void *context)
{
        struct standing *standing = context;

        standing->may[index] = pipit_grants_decide(standing->grants, method).is_allowed;
}

static struct standing *standing_new(const struct registry *registry,
                                     const struct principal *principal,
                                     const struct pipit_rules *rules,
                                     const struct gids *gids)
{
        struct standing *standing =
                calloc(1, sizeof(*standing) + registry_n_methods(registry) * sizeof(bool));
        struct pipit_access_caller caller;

        if (!standing)
                return NULL;

        standing->generation = rules->generation;
        atomic_init(&standing->refs, 1);
        if (!identify(principal, rules, gids, &caller, &standing->expires_us))
                return standing;

        standing->grants = pipit_grants_new(rules->policy, &caller);
        if (!standing->grants) {
                free(standing);
                return NULL;
        }
        registry_each(registry, decide, standing);

        return standing;
}

/* Puts @standing in place of the old one, which goes when nobody is about to take a reference to it. With the mutex. */
static void replace(struct principal *principal, struct standing *standing)
{
        struct standing *old = atomic_exchange(&principal->standing, standing);

        while (old && atomic_load(&principal->n_readers) > 0)
                (void)sched_yield();
        standing_unref(old);
}

static struct standing *load(struct principal *principal)
{
        struct standing *standing;

        atomic_fetch_add(&principal->n_readers, 1);
        standing = atomic_load(&principal->standing);
        if (standing)
                standing_ref(standing);
        atomic_fetch_sub(&principal->n_readers, 1);

        return standing;
}

static bool is_current(const struct pipit_server *server, const struct standing *standing)
{
        return standing && standing->generation == pipit_rules_holder_generation(&server->rules);
}

/* What is looked up elsewhere is there before the mutex is taken. False: come again. */
static bool gids_of(struct pipit_server *server,
                    const struct principal *principal,
                    const struct pipit_rules *rules,
                    struct gids **ret_gids)
{
        *ret_gids = NULL;
        if (principal->kind != PIPIT_ACCESS_UID || !pipit_policy_names_groups(rules->policy))
                return true;
        *ret_gids = groups_get(server->groups, principal->uid);

        return *ret_gids != NULL;
}

/* A reference, to what holds under @rules or later ones. NULL: out of memory. */
static struct standing *renew_under(const struct registry *registry,
                                    struct principal *principal,
                                    const struct pipit_rules *rules,
                                    const struct gids *gids)
{
        struct standing *standing;

        pthread_mutex_lock(&principal->mutex);
        standing = load(principal);
        if (!standing || standing->generation < rules->generation) {
                standing_unref(standing);
                standing = standing_new(registry, principal, rules, gids);
                if (standing)
                        replace(principal, standing_ref(standing));
        }
        pthread_mutex_unlock(&principal->mutex);

        return standing;
}

/* A reference. NULL: out of memory, or groups that are not known yet. */
static struct standing *renew(struct pipit_server *server, struct principal *principal)
{
        struct pipit_rules *rules = pipit_rules_holder_get(&server->rules);
        struct standing *standing = NULL;
        struct gids *gids;

        if (gids_of(server, principal, rules, &gids))
                standing = renew_under(&server->registry, principal, rules, gids);
        gids_unref(gids);
        pipit_rules_unref(rules);

        return standing;
}

enum principal_state principal_stand(struct pipit_server *server,
                                     struct principal *principal,
                                     struct standing **ret_standing)
{
        struct standing *standing = load(principal);

        if (!is_current(server, standing)) {
                standing_unref(standing);
                standing = renew(server, principal);
        }
        if (!standing)
                return PRINCIPAL_BUSY;
        if (!standing->grants ||
            (standing->expires_us != INT64_MAX && pipit_clock_wall_us() >= standing->expires_us)) {
                standing_unref(standing);
                return PRINCIPAL_REVOKED;
        }
        *ret_standing = standing;

        return PRINCIPAL_HOLDS;
}

/* --- table --------------------------------------------------------------------- */

void principal_table_init(struct principal_table *table)
{
        pthread_mutex_init(&table->mutex, NULL);
}

void principal_table_deinit(struct principal_table *table)
{
        pthread_mutex_destroy(&table->mutex);
}

/* Names are the operator's and the kernel's, not the peers' to choose. */
static struct principal **bucket_of(struct principal_table *table, const char *name)
{
        uint64_t hash = pipit_hash_string(PIPIT_HASH_BEGIN, name);

        return &table->buckets[(hash ^ hash >> 32) % PRINCIPAL_BUCKETS];
}

static bool is_same(const struct principal *a, const struct principal *b)
{
        return a->kind == b->kind && strcmp(a->name, b->name) == 0 &&
               memcmp(a->key, b->key, sizeof(a->key)) == 0;
}

static struct principal *principal_new(const struct principal *like)
{
        struct principal *principal = calloc(1, sizeof(*principal));

        if (!principal)
                return NULL;

        principal->kind = like->kind;
        memcpy(principal->name, like->name, sizeof(principal->name));
        principal->uid = like->uid;
        memcpy(principal->key, like->key, sizeof(principal->key));
        pthread_mutex_init(&principal->mutex, NULL);
        pthread_mutex_init(&principal->left_mutex, NULL);
        list_init(&principal->left);

        return principal;
}

/* The one that is as @like is, made if need be. */
static struct principal *principal_get(struct pipit_server *server, const struct principal *like)
{
        struct principal_table *table = &server->principals;
        struct principal **bucket = bucket_of(table, like->name);
        struct principal *principal;

        pthread_mutex_lock(&table->mutex);
        for (principal = *bucket; principal && !is_same(principal, like);)
                principal = principal->next;
        if (!principal && (principal = principal_new(like))) {
                principal->next = *bucket;
                *bucket = principal;
        }
        if (principal)
                principal_ref(principal);
        pthread_mutex_unlock(&table->mutex);

        return principal;
}

struct principal *principal_of_pipe(struct pipit_server *server,
                                    const struct rep_pipe_identity *identity)
{
        struct principal like = {};

        switch (identity->transport) {
        case REP_TRANSPORT_INPROC:
                like.kind = PIPIT_ACCESS_INPROC;
                (void)snprintf(like.name, sizeof(like.name), "inproc");
                break;
        case REP_TRANSPORT_IPC:
                if (!identity->has_uid)
                        return NULL;
                like.kind = PIPIT_ACCESS_UID;
                like.uid = identity->uid;
                (void)snprintf(like.name, sizeof(like.name), "uid:%lu", (unsigned long)like.uid);
                break;
        case REP_TRANSPORT_TCP:
                like.kind = PIPIT_ACCESS_ANONYMOUS;
                (void)snprintf(like.name, sizeof(like.name), "anonymous");
                break;
        }

        return principal_get(server, &like);
}

enum principal_state principal_of_key(struct pipit_server *server,
                                      const uint8_t key[PIPIT_KEY_BYTES],
                                      int64_t wall_us,
                                      char ret_name[PRINCIPAL_NAME_SIZE],
                                      struct principal **ret_principal)
{
        struct pipit_rules *rules = pipit_rules_holder_get(&server->rules);
        struct principal like = {.kind = PIPIT_ACCESS_KEY};
        const struct pipit_authorized_key *listed;
        struct pipit_access_caller caller;
        struct principal *principal;
        bool holds = pipit_rules_identify(rules, key, wall_us, &caller, &listed);

        if (listed)
                (void)snprintf(like.name, sizeof(like.name), "key:%s", listed->name);
        pipit_rules_unref(rules);
        memcpy(ret_name, like.name, PRINCIPAL_NAME_SIZE);
        if (!holds)
                return PRINCIPAL_REVOKED;

        memcpy(like.key, key, sizeof(like.key));
        principal = principal_get(server, &like);
        if (!principal)
                return PRINCIPAL_BUSY;
        *ret_principal = principal;

        return PRINCIPAL_HOLDS;
}

struct principal *principal_ref(struct principal *principal)
{
        atomic_fetch_add(&principal->refs, 1);

        return principal;
}

/* False: it is the last. */
static bool refs_drop_unless_last(atomic_uint *refs)
{
        unsigned n = atomic_load(refs);

        while (n > 1) {
                if (atomic_compare_exchange_weak(refs, &n, n - 1))
                        return true;
        }

        return false;
}

static void principal_destroy(struct principal *principal)
{
        standing_unref(atomic_load(&principal->standing));
        pthread_mutex_destroy(&principal->left_mutex);
        pthread_mutex_destroy(&principal->mutex);
        free(principal);
}

void principal_unref(struct pipit_server *server, struct principal *principal)
{
        struct principal_table *table = &server->principals;
        struct principal **link;
        bool is_last;

        /* Only the table makes a new reference out of none, under its mutex. */
        if (refs_drop_unless_last(&principal->refs))
                return;

        pthread_mutex_lock(&table->mutex);
        is_last = atomic_fetch_sub(&principal->refs, 1) == 1;
        if (is_last) {
                for (link = bucket_of(table, principal->name); *link != principal;)
                        link = &(*link)->next;
                *link = principal->next;
        }
        pthread_mutex_unlock(&table->mutex);

        if (is_last)
                principal_destroy(principal);
}
