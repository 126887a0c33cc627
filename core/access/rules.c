#include "core/access/rules.h"

#include <stdlib.h>

/* Every role that a key has, the policy must know: else a slip of the pen is a key that can do nothing. */
static bool check_roles(const struct pipit_policy *policy,
                        const struct pipit_authorized_keys *keys,
                        const char *keys_path,
                        struct pipit_access_problem *ret_problem)
{
        for (size_t i = 0; i < pipit_authorized_keys_count(keys); i++) {
                const struct pipit_authorized_key *key = pipit_authorized_keys_get(keys, i);

                for (size_t j = 0; j < key->n_roles; j++) {
                        if (!pipit_policy_has_role(policy, key->roles[j]))
                                return pipit_access_problem_set(
                                        ret_problem,
                                        "%s:%u: %s has the role %s, which %s does not define: add "
                                        "a line `role %s = METHOD...` there",
                                        keys_path,
                                        key->line,
                                        key->name,
                                        key->roles[j],
                                        pipit_policy_path(policy),
                                        key->roles[j]);
                }
        }

        return true;
}

struct pipit_rules *pipit_rules_new(struct pipit_policy *policy,
                                    struct pipit_authorized_keys *keys,
                                    const char *keys_path,
                                    struct pipit_access_problem *ret_problem)
{
        struct pipit_rules *rules = calloc(1, sizeof(*rules));

        if (!rules)
                (void)pipit_access_problem_set(ret_problem, "%s: out of memory", keys_path);
        if (!rules || (keys && !check_roles(policy, keys, keys_path, ret_problem))) {
                pipit_policy_unref(policy);
                (void)pipit_authorized_keys_free(keys);
                free(rules);
                return NULL;
        }

        rules->policy = policy;
        rules->keys = keys;
        atomic_init(&rules->refs, 1);

        return rules;
}

struct pipit_rules *pipit_rules_ref(struct pipit_rules *rules)
{
        atomic_fetch_add_explicit(&rules->refs, 1, memory_order_relaxed);
        return rules;
}

void pipit_rules_unref(struct pipit_rules *rules)
{
        if (!rules || atomic_fetch_sub(&rules->refs, 1) > 1)
                return;

        pipit_policy_unref(rules->policy);
        rules->keys = pipit_authorized_keys_free(rules->keys);
        free(rules);
}

bool pipit_rules_identify(const struct pipit_rules *rules,
                          const uint8_t key[PIPIT_KEY_BYTES],
                          int64_t wall_us,
                          struct pipit_access_caller *ret_caller,
                          const struct pipit_authorized_key **ret_listed)
{
        const struct pipit_authorized_key *listed =
                rules->keys ? pipit_authorized_keys_find(rules->keys, key) : NULL;

        *ret_listed = listed;
        if (!listed || pipit_authorized_key_has_expired(listed, wall_us))
                return false;

        *ret_caller = (struct pipit_access_caller){
                .kind = PIPIT_ACCESS_KEY,
                .name = listed->name,
                .roles = listed->roles,
                .n_roles = listed->n_roles,
        };
        return true;
}

/* --- those that hold ------------------------------------------------------------------------ */

bool pipit_rules_holder_init(struct pipit_rules_holder *holder, struct pipit_rules *rules)
{
        if (pthread_mutex_init(&holder->mutex, NULL) != 0)
                return false;

        rules->generation = 1;
        holder->rules = rules;
        atomic_init(&holder->generation, 1);

        return true;
}

void pipit_rules_holder_deinit(struct pipit_rules_holder *holder)
{
        pipit_rules_unref(holder->rules);
        holder->rules = NULL;
        (void)pthread_mutex_destroy(&holder->mutex);
}

void pipit_rules_holder_swap(struct pipit_rules_holder *holder, struct pipit_rules *rules)
{
        struct pipit_rules *old;

        (void)pthread_mutex_lock(&holder->mutex);
        old = holder->rules;
        rules->generation = old->generation + 1;
        holder->rules = rules;
        atomic_store_explicit(&holder->generation, rules->generation, memory_order_release);
        (void)pthread_mutex_unlock(&holder->mutex);

        pipit_rules_unref(old);
}

struct pipit_rules *pipit_rules_holder_get(struct pipit_rules_holder *holder)
{
        struct pipit_rules *rules;

        (void)pthread_mutex_lock(&holder->mutex);
        rules = pipit_rules_ref(holder->rules);
        (void)pthread_mutex_unlock(&holder->mutex);

        return rules;
}
