#include <stdlib.h>
#include <string.h>

#include "core/access/policy.h"
#include "core/access/policy_private.h"
#include "core/base/hash.h"

/* Why a method is allowed or denied: a rule, or a role that the caller's key has. */
struct reason {
        bool is_deny;
        unsigned int line; /* 0: none */
        const char *text;
        const char *key_role;
};

/* An exact method. */
struct slot {
        const char *method; /* NULL: free */
        struct reason deny, allow;
};

struct prefix {
        const char *text;
        size_t n_text;
        struct reason reason;
};

struct pipit_grants {
        struct pipit_policy *policy; /* a reference; the strings are its own */
        struct slot *slots;
        size_t n_slots, n_used; /* the first a power of two, at most half used */
        struct prefix *prefixes;
        size_t n_prefixes, n_prefixes_max;

        /* Roles that are in already, for allow and deny: by whatever rule comes next they add nothing. */
        bool has_role[2][PIPIT_POLICY_ROLES_MAX];
};

/* --- who fits ---------------------------------------------------------------------------- */

static bool has_group(const struct pipit_access_caller *caller, uint32_t gid)
{
        for (size_t i = 0; i < caller->n_gids; i++) {
                if (caller->gids[i] == gid)
                        return true;
        }

        return false;
}

static bool fits(const struct policy_subject *subject, const struct pipit_access_caller *caller)
{
        switch (subject->kind) {
        case POLICY_SUBJECT_ANY:
                return true;
        case POLICY_SUBJECT_INPROC:
                return caller->kind == PIPIT_ACCESS_INPROC;
        case POLICY_SUBJECT_ANONYMOUS:
                return caller->kind == PIPIT_ACCESS_ANONYMOUS;
        case POLICY_SUBJECT_KEY:
                return caller->kind == PIPIT_ACCESS_KEY && strcmp(subject->name, caller->name) == 0;
        case POLICY_SUBJECT_UID:
                return caller->kind == PIPIT_ACCESS_UID && caller->uid == subject->id;
        case POLICY_SUBJECT_GID:
                return caller->kind == PIPIT_ACCESS_UID && has_group(caller, subject->id);
        }

        return false;
}

static bool rule_fits(const struct policy_rule *rule, const struct pipit_access_caller *caller)
{
        for (size_t i = 0; i < rule->n_subjects; i++) {
                if (fits(&rule->subjects[i], caller))
                        return true;
        }

        return false;
}

/* --- the table --------------------------------------------------------------------------- */

/* Methods are the policy's, not the peer's: what meets in a place is the operator's choice. */
static size_t hash(const char *method, size_t n_slots)
{
        uint64_t x = pipit_hash_string(PIPIT_HASH_BEGIN, method);

        return (size_t)(x ^ (x >> 32)) & (n_slots - 1);
}

/* The slot of @method, or the free one where it would go. */
static struct slot *find(struct slot *slots, size_t n_slots, const char *method)
{
        size_t at = hash(method, n_slots);

        while (slots[at].method && strcmp(slots[at].method, method) != 0)
                at = (at + 1) & (n_slots - 1);

        return &slots[at];
}

static bool grow_slots(struct pipit_grants *grants)
{
        size_t n_slots = grants->n_slots > 0 ? grants->n_slots * 2 : 16;
        struct slot *slots = calloc(n_slots, sizeof(*slots));

        if (!slots)
                return false;
        for (size_t i = 0; i < grants->n_slots; i++) {
                if (grants->slots[i].method)
                        *find(slots, n_slots, grants->slots[i].method) = grants->slots[i];
        }
        free(grants->slots);
        grants->slots = slots;
        grants->n_slots = n_slots;

        return true;
}

static bool add_exact(struct pipit_grants *grants, const char *method, const struct reason *reason)
{
        struct reason *place;
        struct slot *slot;

        if (grants->n_used * 2 >= grants->n_slots && !grow_slots(grants))
                return false;

        slot = find(grants->slots, grants->n_slots, method);
        if (!slot->method) {
                slot->method = method;
                grants->n_used++;
        }
        /* The first that says so stays: that is the one that is told. */
        place = reason->is_deny ? &slot->deny : &slot->allow;
        if (place->line == 0)
                *place = *reason;

        return true;
}

static bool add_prefix(struct pipit_grants *grants,
                       const struct policy_target *target,
                       const struct reason *reason)
{
        if (grants->n_prefixes == grants->n_prefixes_max) {
                size_t n_max = grants->n_prefixes_max > 0 ? grants->n_prefixes_max * 2 : 8;
                struct prefix *prefixes = realloc(grants->prefixes, n_max * sizeof(*prefixes));

                if (!prefixes)
                        return false;
                grants->prefixes = prefixes;
                grants->n_prefixes_max = n_max;
        }

        grants->prefixes[grants->n_prefixes++] = (struct prefix){
                .text = target->method, .n_text = target->n_method, .reason = *reason};
        return true;
}

static bool add_role(struct pipit_grants *grants,
                     const struct policy_role *role,
                     const struct reason *reason);

static bool add_all(struct pipit_grants *grants,
                    const struct policy_targets *targets,
                    const struct reason *reason)
{
        for (size_t i = 0; i < targets->n_items; i++) {
                const struct policy_target *target = &targets->items[i];
                bool ok;

                if (!target->method)
                        ok = add_role(grants, target->role, reason);
                else if (target->is_prefix)
                        ok = add_prefix(grants, target, reason);
                else
                        ok = add_exact(grants, target->method, reason);
                if (!ok)
                        return false;
        }

        return true;
}

/* A role names methods only, so that this ends. */
static bool add_role(struct pipit_grants *grants,
                     const struct policy_role *role,
                     const struct reason *reason)
{
        bool *has = &grants->has_role[reason->is_deny][role - grants->policy->roles];

        if (*has)
                return true;
        *has = true;

        return add_all(grants, &role->methods, reason);
}

/* --- life ----------------------------------------------------------------------------------- */

static bool add_rules(struct pipit_grants *grants, const struct pipit_access_caller *caller)
{
        const struct pipit_policy *policy = grants->policy;

        for (size_t i = 0; i < policy->n_rules; i++) {
                const struct policy_rule *rule = &policy->rules[i];
                const struct reason reason = {
                        .is_deny = rule->is_deny, .line = rule->line, .text = rule->text};

                if (rule_fits(rule, caller) && !add_all(grants, &rule->targets, &reason))
                        return false;
        }

        return true;
}

static bool add_key_roles(struct pipit_grants *grants, const struct pipit_access_caller *caller)
{
        for (size_t i = 0; i < caller->n_roles && caller->kind == PIPIT_ACCESS_KEY; i++) {
                const struct policy_role *role = pipit_policy_find_role(
                        grants->policy, caller->roles[i], strlen(caller->roles[i]));
                struct reason reason;

                if (!role)
                        continue;
                reason = (struct reason){
                        .line = role->line, .text = role->text, .key_role = role->name};
                if (!add_role(grants, role, &reason))
                        return false;
        }

        return true;
}

struct pipit_grants *pipit_grants_new(struct pipit_policy *policy,
                                      const struct pipit_access_caller *caller)
{
        struct pipit_grants *grants = calloc(1, sizeof(*grants));

        if (!grants)
                return NULL;

        grants->policy = pipit_policy_ref(policy);
        if (!add_rules(grants, caller) || !add_key_roles(grants, caller))
                return pipit_grants_free(grants);

        return grants;
}

struct pipit_grants *pipit_grants_free(struct pipit_grants *grants)
{
        if (grants) {
                pipit_policy_unref(grants->policy);
                free(grants->slots);
                free(grants->prefixes);
                free(grants);
        }

        return NULL;
}

/* --- use ------------------------------------------------------------------------------------ */

const char *pipit_grants_role(const struct pipit_grants *grants, size_t i)
{
        const struct pipit_policy *policy = grants->policy;

        for (size_t n = 0; n < policy->n_roles; n++) {
                if (grants->has_role[false][n] && i-- == 0)
                        return policy->roles[n].name;
        }

        return NULL;
}

/* The first of two that says the same. */
static void consider(const struct reason **best, const struct reason *reason)
{
        if (reason->line > 0 && (!*best || reason->line < (*best)->line))
                *best = reason;
}

struct pipit_access_decision pipit_grants_decide(const struct pipit_grants *grants,
                                                 const char *method)
{
        const struct reason *deny = NULL, *allow = NULL, *reason;

        if (grants->n_slots > 0) {
                const struct slot *slot = find(grants->slots, grants->n_slots, method);

                if (slot->method) {
                        consider(&deny, &slot->deny);
                        consider(&allow, &slot->allow);
                }
        }
        for (size_t i = 0; i < grants->n_prefixes; i++) {
                const struct prefix *prefix = &grants->prefixes[i];

                if (strncmp(method, prefix->text, prefix->n_text) == 0)
                        consider(prefix->reason.is_deny ? &deny : &allow, &prefix->reason);
        }

        reason = deny ? deny : allow;
        return (struct pipit_access_decision){
                .is_allowed = allow && !deny,
                .line = reason ? reason->line : 0,
                .rule = reason ? reason->text : NULL,
                .key_role = reason ? reason->key_role : NULL,
        };
}
