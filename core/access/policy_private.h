/*
 * What a policy is made of
 *
 * For policy.c, which reads it, and grants.c, which applies it.
 */

#ifndef CORE_ACCESS_POLICY_PRIVATE_H
#define CORE_ACCESS_POLICY_PRIVATE_H

#include <stdatomic.h>

#include "core/access/policy.h"
#include "core/base/arena.h"

enum policy_subject_kind {
        POLICY_SUBJECT_ANY,
        POLICY_SUBJECT_INPROC,
        POLICY_SUBJECT_ANONYMOUS,
        POLICY_SUBJECT_KEY,
        POLICY_SUBJECT_UID,
        POLICY_SUBJECT_GID,
};

struct policy_subject {
        enum policy_subject_kind kind;
        uint32_t id;      /* UID, GID */
        const char *name; /* KEY */
};

/* A method, or a role that is looked up when the whole file has been read. */
struct policy_target {
        const char *method; /* without the `*`; NULL: a role */
        size_t n_method;
        bool is_prefix;
        const struct policy_role *role;
        struct pipit_word word; /* of the role, while parsing */
};

struct policy_targets {
        struct policy_target *items;
        size_t n_items;
};

struct policy_role {
        const char *name;
        struct policy_targets methods;
        unsigned int line;
        const char *text;
};

struct policy_rule {
        bool is_deny;
        struct policy_subject *subjects;
        size_t n_subjects;
        struct policy_targets targets;
        unsigned int line;
        const char *text;
};

struct pipit_policy {
        atomic_uint refs;
        struct pipit_arena arena; /* of all below */
        const char *path;
        struct policy_role *roles; /* room for PIPIT_POLICY_ROLES_MAX */
        size_t n_roles;
        struct policy_rule *rules; /* room for PIPIT_POLICY_RULES_MAX */
        size_t n_rules;
};

const struct policy_role *pipit_policy_find_role(const struct pipit_policy *policy,
                                                 const char *name,
                                                 size_t n_name);

#endif
