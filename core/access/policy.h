/*
 * Policy: which principals may call which methods
 *
 *      role reader = users.v1.UsersService/GetUser users.v1.UsersService/ListUsers
 *      role admin  = users.v1.* pipit.v1.*
 *      deny  key:old-ci            *
 *      allow key:alice uid:1000    admin
 *      allow group:rpc-readers     reader
 *      allow any                   grpc.health.v1.Health/Check
 *
 * A line is a role, or a rule: principals, then what they may call, by roles and
 * methods. Principals are key:NAME, uid:N, user:NAME, group:NAME, inproc,
 * anonymous (who came by plain tcp) and any. A method is exact, or ends in `*`. If
 * any deny rule fits, the call is denied; else if any allow rule does, or a role that
 * authorized_keys gives the caller's key, it is allowed; else it is denied. The order of
 * the lines plays no part, and a role may stand below its use.
 *
 * A word that is not understood refuses the whole file. Users and groups are looked
 * up once, when it is read.
 *
 * Read-only once made, and counted by references: any thread.
 */

#ifndef CORE_ACCESS_POLICY_H
#define CORE_ACCESS_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/access/words.h"
#include "core/base/macros.h"

#define PIPIT_POLICY_RULES_MAX   1000
#define PIPIT_POLICY_ROLES_MAX   256
#define PIPIT_POLICY_METHODS_MAX 10000 /* and roles named in rules, in all */

struct pipit_policy;

/* Where user: and group: are looked up. True: there is one. */
struct pipit_policy_names {
        bool (*find_user)(const char *name, uint32_t *ret_uid);
        bool (*find_group)(const char *name, uint32_t *ret_gid);
};

/* getpwnam_r() and getgrnam_r(); these may block. */
extern const struct pipit_policy_names pipit_policy_names_system;

/* @path is for errors; @names NULL: the system's. NULL: it says why. */
PIPIT_MUST_CHECK struct pipit_policy *pipit_policy_parse(const char *path,
                                                         const char *text,
                                                         size_t n_bytes,
                                                         const struct pipit_policy_names *names,
                                                         struct pipit_access_problem *ret_problem);

/* The same from the file at @path. */
PIPIT_MUST_CHECK struct pipit_policy *pipit_policy_load(const char *path,
                                                        struct pipit_access_problem *ret_problem);

/*
 * What holds where there is no file: this process and @uid and root may call all,
 * and so may a key with `roles=admin`; everybody may ask for health. With
 * @allow_anonymous (that is --insecure-plaintext) plain tcp may call all, too. NULL: out of
 * memory.
 */
PIPIT_MUST_CHECK struct pipit_policy *pipit_policy_new_default(uint32_t uid, bool allow_anonymous);

struct pipit_policy *pipit_policy_ref(struct pipit_policy *policy);
void pipit_policy_unref(struct pipit_policy *policy); /* NULL is a no-op */

/* As it was given to parse. */
const char *pipit_policy_path(const struct pipit_policy *policy);

bool pipit_policy_has_role(const struct pipit_policy *policy, const char *role);

/* The name of the @i-th role that it defines; NULL past the last. */
const char *pipit_policy_role(const struct pipit_policy *policy, size_t i);

/* Whether a rule of it is about a group: else nobody's groups need be known. */
bool pipit_policy_names_groups(const struct pipit_policy *policy);

/* --- callers ------------------------------------------------------------------- */

enum pipit_access_kind {
        PIPIT_ACCESS_INPROC,
        PIPIT_ACCESS_UID,       /* ipc */
        PIPIT_ACCESS_KEY,       /* tcp, with a session */
        PIPIT_ACCESS_ANONYMOUS, /* plain tcp */
};

/* Who calls. Borrowed. */
struct pipit_access_caller {
        enum pipit_access_kind kind;

        /* PIPIT_ACCESS_UID: all groups, by getgrouplist(), if the policy names any */
        uint32_t uid;
        const uint32_t *gids;
        size_t n_gids;

        /* PIPIT_ACCESS_KEY: as authorized_keys has it */
        const char *name;
        const char *const *roles;
        size_t n_roles;
};

/* --- grants -------------------------------------------------------------------- */

/*
 * What a policy comes to for one caller: made when his pipe or session begins and when
 * the policy changes, so that a call takes one look into a table, and one at each
 * pattern with `*` that is about him. Read-only: any thread.
 */
struct pipit_grants;

/* The rule that decided, for logs and `pipit policy explain`. Lives as the grants do. */
struct pipit_access_decision {
        bool is_allowed;
        unsigned int line;    /* of the policy; 0: no rule fits, which denies */
        const char *rule;     /* the line as it stands in the file; NULL with line 0 */
        const char *key_role; /* the role that the key has by authorized_keys; else NULL */
};

/* Keeps a reference to @policy, nothing of @caller. NULL: out of memory. */
PIPIT_MUST_CHECK struct pipit_grants *pipit_grants_new(struct pipit_policy *policy,
                                                       const struct pipit_access_caller *caller);

/* NULL is a no-op. Returns NULL. */
struct pipit_grants *pipit_grants_free(struct pipit_grants *grants);

/* The @i-th role that rules or its key give the caller, in the order of the policy; NULL past the last. */
const char *pipit_grants_role(const struct pipit_grants *grants, size_t i);

/* @method is "package.Service/Method". */
struct pipit_access_decision pipit_grants_decide(const struct pipit_grants *grants,
                                                 const char *method);

#endif
