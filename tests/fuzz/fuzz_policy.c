/*
 * Policies, and what they decide
 *
 * A file that is refused says where. Of one that is taken: what is decided names a rule
 * of the file, and a deny of everything to everybody, added below, leaves nothing
 * allowed.
 */

#include <string.h>

#include "core/access/policy.h"
#include "core/base/macros.h"
#include "tests/fuzz/fuzz.h"

static const char deny_all[] = "\ndeny any *\n";

static bool find_name(const char *name, uint32_t *ret_id)
{
        *ret_id = (uint32_t)strlen(name);
        return name[0] == 'u';
}

static const struct pipit_policy_names names = {.find_user = find_name, .find_group = find_name};

static const uint32_t gids[] = {1, 2, 3};
static const char *const roles[] = {"r", "admin"};
static const struct pipit_access_caller callers[] = {
        {.kind = PIPIT_ACCESS_INPROC},
        {.kind = PIPIT_ACCESS_ANONYMOUS},
        {.kind = PIPIT_ACCESS_UID, .uid = 1, .gids = gids, .n_gids = 3},
        {.kind = PIPIT_ACCESS_KEY, .name = "a", .roles = roles, .n_roles = 2},
        {.kind = PIPIT_ACCESS_KEY, .name = "b"},
};
static const char *const methods[] = {"a.B/C", "a.B/D", "users.v1.UsersService/GetUser", "", "*"};

static void decide_all(struct pipit_policy *policy, bool may_be_allowed, const char *text, size_t n)
{
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(callers); i++) {
                struct pipit_grants *grants = pipit_grants_new(policy, &callers[i]);

                FUZZ_CHECK(grants);
                for (size_t j = 0; j < PIPIT_N_ELEMENTS(methods); j++) {
                        struct pipit_access_decision decision =
                                pipit_grants_decide(grants, methods[j]);

                        FUZZ_CHECK(may_be_allowed || !decision.is_allowed);
                        FUZZ_CHECK(!decision.is_allowed || decision.line > 0);
                        FUZZ_CHECK((decision.line > 0) == (decision.rule != NULL));
                        FUZZ_CHECK(!decision.rule ||
                                   memmem(text, n, decision.rule, strlen(decision.rule)));
                }
                (void)pipit_grants_free(grants);
        }
}

static struct pipit_policy *parse(const char *text, size_t n_text)
{
        struct pipit_access_problem problem = {""};
        struct pipit_policy *policy = pipit_policy_parse("policy", text, n_text, &names, &problem);

        FUZZ_CHECK(policy || strncmp(problem.text, "policy:", 7) == 0);
        return policy;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
        struct pipit_policy *policy = parse((const char *)bytes, n_bytes);
        const size_t n_denied = n_bytes + sizeof(deny_all) - 1;
        char *denied;

        if (!policy)
                return 0;

        decide_all(policy, true, (const char *)bytes, n_bytes);
        pipit_policy_unref(policy);

        denied = malloc(n_denied);
        FUZZ_CHECK(denied);
        memcpy(denied, bytes, n_bytes);
        memcpy(denied + n_bytes, deny_all, sizeof(deny_all) - 1);
        policy = parse(denied, n_denied);
        if (policy) /* it may have had as many rules as there can be */
                decide_all(policy, false, denied, n_denied);
        pipit_policy_unref(policy);
        free(denied);

        return 0;
}
