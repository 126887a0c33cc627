#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/access/policy.h"
#include "core/access/user_groups.h"
#include "tests/unit/access/fixture.h"

#define GET    "users.v1.UsersService/GetUser"
#define LIST   "users.v1.UsersService/ListUsers"
#define DELETE "users.v1.UsersService/DeleteUser"
#define HEALTH "grpc.health.v1.Health/Check"

#define NOBODY_HAS_IT UINT32_C(3999999999) /* a uid */

/* The one of SECURITY in the documents, and what it says of itself. */
static const char example[] =
        "role reader = users.v1.UsersService/GetUser users.v1.UsersService/ListUsers\n"
        "role admin  = users.v1.UsersService/* pipit.v1.Admin/*\n"
        "deny  key:old-ci            *\n"
        "allow key:alice uid:1000    admin\n"
        "allow group:rpc-readers     reader   # who may look\n"
        "allow any                   grpc.health.v1.Health/Check\n";

static bool find_user(const char *name, uint32_t *ret_uid)
{
        *ret_uid = 1001;
        return strcmp(name, "carol") == 0;
}

static bool find_group(const char *name, uint32_t *ret_gid)
{
        *ret_gid = 500;
        return strcmp(name, "rpc-readers") == 0;
}

static const struct pipit_policy_names names = {.find_user = find_user, .find_group = find_group};

static struct pipit_policy *parse(const char *text)
{
        struct pipit_access_problem problem = {""};
        struct pipit_policy *policy =
                pipit_policy_parse("policy", text, strlen(text), &names, &problem);

        if (!policy)
                fail_msg("%s", problem.text);
        return policy;
}

static struct pipit_access_caller key(const char *name)
{
        return (struct pipit_access_caller){.kind = PIPIT_ACCESS_KEY, .name = name};
}

static struct pipit_access_caller uid(uint32_t number)
{
        return (struct pipit_access_caller){.kind = PIPIT_ACCESS_UID, .uid = number};
}

static const struct pipit_access_caller inproc = {.kind = PIPIT_ACCESS_INPROC};
static const struct pipit_access_caller anonymous = {.kind = PIPIT_ACCESS_ANONYMOUS};

/* Whether @caller may, by the rule in line @line. */
static bool may(struct pipit_policy *policy,
                struct pipit_access_caller caller,
                const char *method,
                unsigned int line)
{
        struct pipit_grants *grants = pipit_grants_new(policy, &caller);
        struct pipit_access_decision decision;

        assert_non_null(grants);
        decision = pipit_grants_decide(grants, method);
        assert_int_equal(decision.line, line);
        assert_true((decision.rule != NULL) == (line > 0));
        grants = pipit_grants_free(grants);

        return decision.is_allowed;
}

static void the_example_means_what_it_says(void **state)
{
        const uint32_t readers[] = {7, 500}, others[] = {7, 501};
        struct pipit_access_caller reader = uid(5), other = uid(5);
        struct pipit_policy *policy = parse(example);

        (void)state;
        reader.gids = readers;
        reader.n_gids = 2;
        other.gids = others;
        other.n_gids = 2;
        assert_true(may(policy, key("alice"), DELETE, 4));
        assert_true(may(policy, key("alice"), "pipit.v1.Admin/Drain", 4));
        assert_true(may(policy, uid(1000), DELETE, 4));
        assert_false(may(policy, key("bob"), GET, 0));
        assert_true(may(policy, key("bob"), HEALTH, 6));
        assert_false(may(policy, key("old-ci"), HEALTH, 3));
        assert_true(may(policy, reader, GET, 5));
        assert_true(may(policy, reader, LIST, 5));
        assert_false(may(policy, reader, DELETE, 0));
        assert_false(may(policy, other, GET, 0));
        assert_false(may(policy, inproc, GET, 0));
        assert_true(may(policy, inproc, HEALTH, 6));
        assert_false(may(policy, anonymous, GET, 0));
        assert_true(may(policy, anonymous, HEALTH, 6));
        pipit_policy_unref(policy);
}

static void deny_goes_before_allow_wherever_it_stands(void **state)
{
        static const char *const texts[] = {
                "allow any *\ndeny key:a x.Y/Z\n",
                "deny key:a x.Y/Z\nallow any *\n",
                "allow any x.Y/Z\ndeny key:a *\n",
                "deny key:a x.Y/*\nallow key:a x.Y/Z\n",
                "role r = x.Y/Z\nallow key:a r\ndeny any r\n",
        };
        static const unsigned int lines[] = {2, 1, 2, 1, 3};

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(texts); i++) {
                struct pipit_policy *policy = parse(texts[i]);

                assert_false(may(policy, key("a"), "x.Y/Z", lines[i]));
                pipit_policy_unref(policy);
        }
}

static void what_no_rule_allows_is_denied(void **state)
{
        struct pipit_policy *policy = parse("# nothing\n");

        (void)state;
        assert_false(may(policy, key("a"), HEALTH, 0));
        assert_false(may(policy, uid(0), HEALTH, 0));
        assert_false(may(policy, inproc, HEALTH, 0));
        pipit_policy_unref(policy);
}

static void a_principal_is_of_its_own_kind_only(void **state)
{
        struct pipit_policy *policy = parse("allow key:1000 a.B/C\n"
                                            "allow uid:1000 a.B/D\n"
                                            "allow user:carol a.B/E\n"
                                            "allow inproc a.B/F\n"
                                            "allow anonymous a.B/G\n");

        (void)state;
        assert_true(may(policy, key("1000"), "a.B/C", 1));
        assert_false(may(policy, uid(1000), "a.B/C", 0));
        assert_true(may(policy, uid(1000), "a.B/D", 2));
        assert_false(may(policy, key("1000"), "a.B/D", 0));
        assert_true(may(policy, uid(1001), "a.B/E", 3));
        assert_false(may(policy, key("carol"), "a.B/E", 0));
        assert_true(may(policy, inproc, "a.B/F", 4));
        assert_false(may(policy, anonymous, "a.B/F", 0));
        assert_true(may(policy, anonymous, "a.B/G", 5));
        assert_false(may(policy, uid(0), "a.B/G", 0));
        pipit_policy_unref(policy);
}

static void a_method_is_exact_or_a_beginning(void **state)
{
        struct pipit_policy *policy = parse("allow key:a a.B/C\n"
                                            "allow key:a b.v1.*\n"
                                            "allow key:a c.D/Get*\n");

        (void)state;
        assert_true(may(policy, key("a"), "a.B/C", 1));
        assert_false(may(policy, key("a"), "a.B/CD", 0));
        assert_false(may(policy, key("a"), "a.B/", 0));
        assert_false(may(policy, key("a"), "A.B/C", 0));
        assert_true(may(policy, key("a"), "b.v1.S/M", 2));
        assert_false(may(policy, key("a"), "b.v10.S/M", 0));
        assert_true(may(policy, key("a"), "c.D/GetX", 3));
        assert_true(may(policy, key("a"), "c.D/Get", 3));
        assert_false(may(policy, key("a"), "c.D/Ge", 0));
        assert_false(may(policy, key("a"), "", 0));
        pipit_policy_unref(policy);
}

static void roles_may_stand_below_their_use_and_be_a_keys_own(void **state)
{
        static const char *const roles[] = {"reader", "unknown", "admin"};
        struct pipit_policy *policy = parse("allow key:a reader\n"
                                            "role reader = x.Y/Get\n"
                                            "role admin = x.Y/*\n"
                                            "deny any x.Y/Drop\n");
        struct pipit_access_caller caller = key("b");
        struct pipit_access_decision decision;
        struct pipit_grants *grants;

        (void)state;
        assert_true(may(policy, key("a"), "x.Y/Get", 1));
        assert_false(may(policy, key("b"), "x.Y/Get", 0));
        assert_true(pipit_policy_has_role(policy, "admin"));
        assert_false(pipit_policy_has_role(policy, "adm"));
        caller.roles = roles;
        caller.n_roles = 2;
        grants = pipit_grants_new(policy, &caller);
        decision = pipit_grants_decide(grants, "x.Y/Get");
        assert_true(decision.is_allowed);
        assert_string_equal(decision.key_role, "reader");
        assert_string_equal(decision.rule, "role reader = x.Y/Get");
        assert_false(pipit_grants_decide(grants, "x.Y/Put").is_allowed);
        grants = pipit_grants_free(grants);

        caller.n_roles = 3;
        assert_true(may(policy, caller, "x.Y/Put", 3));
        assert_false(
                may(policy, caller, "x.Y/Drop", 4)); /* deny goes before one's own roles, too */
        caller.kind = PIPIT_ACCESS_UID;
        assert_false(may(policy, caller, "x.Y/Put", 0));
        pipit_policy_unref(policy);
}

static void the_rule_that_decided_is_told_as_it_stands(void **state)
{
        struct pipit_access_caller caller = key("alice");
        struct pipit_policy *policy = parse("\n  allow key:alice   x.Y/Z  # because\n"
                                            "allow any *\n");
        struct pipit_grants *grants = pipit_grants_new(policy, &caller);
        struct pipit_access_decision decision = pipit_grants_decide(grants, "x.Y/Z");

        (void)state;
        pipit_policy_unref(policy);
        assert_true(decision.is_allowed);
        assert_int_equal(decision.line, 2);
        assert_string_equal(decision.rule, "allow key:alice   x.Y/Z");
        assert_null(decision.key_role);
        grants = pipit_grants_free(grants);
}

struct refusal {
        const char *text, *expected;
};

static void every_word_that_is_not_understood_refuses_the_file(void **state)
{
        static const struct refusal refusals[] = {
                {"grant any *",
                 "policy:1:1: 'grant' begins no line: one begins with role, allow or deny"},
                {"allow any x.Y/Z\n\tAllow any *",
                 "policy:2:2: 'Allow' begins no line: one begins with role, allow or deny"},
                {"allow", "policy:1:1: a rule is written: allow PRINCIPAL... ROLE-OR-METHOD..."},
                {"deny any", "policy:1:1: a rule is written: deny PRINCIPAL... ROLE-OR-METHOD..."},
                {"allow any uid:0 # *",
                 "policy:1:1: a rule is written: allow PRINCIPAL... ROLE-OR-METHOD..."},
                {"allow alice *",
                 "policy:1:7: 'alice' is no principal: one is key:NAME, uid:N, user:NAME, "
                 "group:NAME, inproc, anonymous or any"},
                {"allow any host:db1 *",
                 "policy:1:11: 'host:db1' is no principal: one is key:NAME, uid:N, user:NAME, "
                 "group:NAME, inproc, anonymous or any"},
                {"allow Any *",
                 "policy:1:7: 'Any' is no principal: one is key:NAME, uid:N, user:NAME, "
                 "group:NAME, inproc, anonymous or any"},
                {"allow uid:alice *",
                 "policy:1:7: 'uid:alice' is no principal: one is key:NAME, uid:N, user:NAME, "
                 "group:NAME, inproc, anonymous or any"},
                {"allow uid:4294967295 *",
                 "policy:1:7: 'uid:4294967295' is no principal: one is key:NAME, uid:N, user:NAME, "
                 "group:NAME, inproc, anonymous or any"},
                {"allow uid:-1 *",
                 "policy:1:7: 'uid:-1' is no principal: one is key:NAME, uid:N, user:NAME, "
                 "group:NAME, inproc, anonymous or any"},
                {"allow key: *",
                 "policy:1:7: 'key:' is no principal: one is key:NAME, uid:N, user:NAME, "
                 "group:NAME, inproc, anonymous or any"},
                {"allow user:dave *",
                 "policy:1:7: this machine has no user 'dave': `getent passwd` lists them"},
                {"allow group:wheel *",
                 "policy:1:7: this machine has no group 'wheel': `getent group` lists them"},
                {"allow any reader",
                 "policy:1:11: there is no role 'reader': define it with a line `role reader = "
                 "METHOD...`"},
                {"allow any x.Y/Z key:a",
                 "policy:1:17: 'key:a' comes too late: principals stand before what they may call"},
                {"allow any x.Y/*Z",
                 "policy:1:11: 'x.Y/*Z' is no method and no role: one is package.Service/Method, "
                 "or "
                 "its beginning and *"},
                {"allow any x.Y/Z/W",
                 "policy:1:11: 'x.Y/Z/W' is no method and no role: one is package.Service/Method, "
                 "or its beginning and *"},
                {"allow any **",
                 "policy:1:11: '**' is no method and no role: one is package.Service/Method, or "
                 "its "
                 "beginning and *"},
                {"allow any /Z",
                 "policy:1:11: '/Z' is no method and no role: one is package.Service/Method, or "
                 "its "
                 "beginning and *"},
                {"allow any x.Y/",
                 "policy:1:11: 'x.Y/' is no method and no role: one is package.Service/Method, or "
                 "its beginning and *"},
                {"allow any x.Y/Z,x.Y/W",
                 "policy:1:11: 'x.Y/Z,x.Y/W' is no method and no role: one is "
                 "package.Service/Method, or its beginning and *"},
                {"role", "policy:1:1: a role is written: role NAME = METHOD..."},
                {"role reader", "policy:1:1: a role is written: role NAME = METHOD..."},
                {"role reader x.Y/Z", "policy:1:1: a role is written: role NAME = METHOD..."},
                {"role reader =", "policy:1:1: a role is written: role NAME = METHOD..."},
                {"role reader=x.Y/Z", "policy:1:1: a role is written: role NAME = METHOD..."},
                {"role a = x.Y/Z\nrole b = a",
                 "policy:2:10: 'a' is no method: one is package.Service/Method, or its beginning "
                 "and *"},
                {"role a = x.Y/Z\nrole a = x.Y/W",
                 "policy:2:6: the role a is defined in line 1 already"},
                {"role any = x.Y/Z",
                 "policy:1:6: 'any' is no name of a role: one has 1 to 63 letters, digits, and . _ "
                 "- @, begins with a letter or digit, and is no principal"},
                {"role x/y = x.Y/Z",
                 "policy:1:6: 'x/y' is no name of a role: one has 1 to 63 letters, digits, and . _ "
                 "- @, begins with a letter or digit, and is no principal"},
        };

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(refusals); i++) {
                struct pipit_access_problem problem = {""};

                assert_null(pipit_policy_parse(
                        "policy", refusals[i].text, strlen(refusals[i].text), &names, &problem));
                assert_string_equal(problem.text, refusals[i].expected);
        }
}

/* @n lines of @line, in which a number stands for the `%`, parsed. */
static struct pipit_policy *parse_many(const char *line,
                                       size_t n,
                                       struct pipit_access_problem *ret_problem)
{
        struct pipit_policy *policy;
        const size_t n_before = strcspn(line, "%");
        char *text = malloc(n * (strlen(line) + 8) + 1);
        size_t n_text = 0;

        assert_non_null(text);
        for (size_t i = 0; i < n; i++)
                n_text += (size_t)sprintf(
                        text + n_text, "%.*s%zu%s", (int)n_before, line, i, line + n_before + 1);
        policy = pipit_policy_parse("policy", text, n_text, &names, ret_problem);
        free(text);

        return policy;
}

static void a_policy_is_bounded(void **state)
{
        struct pipit_access_problem problem;
        struct pipit_policy *policy;

        (void)state;
        policy = parse_many("allow any x.Y/Z%\n", 1000, &problem);
        assert_non_null(policy);
        assert_true(may(policy, inproc, "x.Y/Z999", 1000));
        pipit_policy_unref(policy);
        assert_null(parse_many("allow any x.Y/Z%\n", 1001, &problem));
        assert_string_equal(problem.text, "policy:1001:1: there are more than 1000 rules");
        policy = parse_many("role r% = a.B/C\n", 256, &problem);
        assert_non_null(policy);
        pipit_policy_unref(policy);
        assert_null(parse_many("role r% = a.B/C\n", 257, &problem));
        assert_string_equal(problem.text, "policy:257:6: there are more than 256 roles");
        assert_null(
                parse_many("allow any a* b* c* d* e* f* g* h* i* j* k* l* x.%*\n", 1000, &problem));
        assert_string_equal(problem.text,
                            "policy:770:20: the policy names more than 10000 methods");
}

static void the_files_of_this_machine_are_asked_for_users_and_groups(void **state)
{
        struct pipit_access_problem problem = {""};
        struct access_folder folder;
        struct pipit_policy *policy;

        (void)state;
        access_folder_make(&folder);
        policy = pipit_policy_load(
                access_folder_write(&folder, "policy", 0644, "allow user:root group:root *\n"),
                &problem);
        assert_string_equal(problem.text, "");
        assert_non_null(policy);
        assert_true(may(policy, uid(0), "x.Y/Z", 1));
        assert_string_equal(pipit_policy_path(policy), folder.file);
        pipit_policy_unref(policy);
        assert_null(pipit_policy_load(
                access_folder_write(&folder, "policy", 0644, "allow user:no-such-user.x *"),
                &problem));
        assert_problem(&folder,
                       &problem,
                       "DIR/policy:1:7: this machine has no user 'no-such-user.x': `getent "
                       "passwd` lists them");
        assert_null(pipit_policy_load(access_folder_write(&folder, "policy", 0666, "allow any *"),
                                      &problem));
        access_folder_remove(&folder);
}

static void without_a_file_only_we_root_and_admins_may_call_all(void **state)
{
        static const char *const roles[] = {"admin"};
        struct pipit_policy *policy = pipit_policy_new_default(1000, false);
        struct pipit_access_caller admin = key("a");

        (void)state;
        assert_non_null(policy);
        admin.roles = roles;
        admin.n_roles = 1;
        assert_true(may(policy, inproc, GET, 2));
        assert_true(may(policy, uid(1000), GET, 2));
        assert_true(may(policy, uid(0), GET, 2));
        assert_true(may(policy, admin, GET, 1));
        assert_false(may(policy, uid(1001), GET, 0));
        assert_false(may(policy, key("a"), GET, 0));
        assert_false(may(policy, anonymous, GET, 0));
        assert_true(may(policy, uid(1001), HEALTH, 3));
        assert_true(may(policy, key("a"), HEALTH, 3));
        pipit_policy_unref(policy);
        policy = pipit_policy_new_default(1000, true);
        assert_true(may(policy, anonymous, GET, 4));
        assert_false(may(policy, key("a"), GET, 0));
        pipit_policy_unref(policy);
}

/* Grants against the plain reading of the rules, over all of a small world. */
static void grants_say_what_the_rules_say(void **state)
{
        static const char *const whom[] = {"any", "key:a", "key:b", "uid:1", "inproc"};
        static const char *const what[] = {"*", "p.*", "p.S/*", "p.S/M", "q.S/M"};
        static const char *const methods[] = {"p.S/M", "p.S/N", "p.T/M", "q.S/M"};
        const struct pipit_access_caller callers[] = {key("a"), key("b"), uid(1), inproc};
        uint32_t random = 1;

        (void)state;
        for (size_t round = 0; round < 3000; round++) {
                size_t rules[4][3];
                char text[512];
                size_t n = 0;
                struct pipit_policy *policy;

                for (size_t i = 0; i < 4; i++) {
                        random = random * 1664525 + 1013904223;
                        rules[i][0] = (random >> 30) == 0;
                        rules[i][1] = (random >> 16) % 5;
                        rules[i][2] = (random >> 8) % 5;
                        n += (size_t)sprintf(text + n,
                                             "%s %s %s\n",
                                             rules[i][0] ? "deny" : "allow",
                                             whom[rules[i][1]],
                                             what[rules[i][2]]);
                }
                policy = parse(text);
                for (size_t c = 0; c < 4; c++) {
                        struct pipit_grants *grants = pipit_grants_new(policy, &callers[c]);

                        for (size_t m = 0; m < 4; m++) {
                                static const bool fits_what[5][4] = {{1, 1, 1, 1},
                                                                     {1, 1, 1, 0},
                                                                     {1, 1, 0, 0},
                                                                     {1, 0, 0, 0},
                                                                     {0, 0, 0, 1}};
                                bool deny = false, allow = false;

                                for (size_t i = 0; i < 4; i++) {
                                        if ((rules[i][1] != 0 && rules[i][1] != c + 1) ||
                                            !fits_what[rules[i][2]][m])
                                                continue;
                                        deny = deny || rules[i][0];
                                        allow = allow || !rules[i][0];
                                }
                                assert_int_equal(pipit_grants_decide(grants, methods[m]).is_allowed,
                                                 allow && !deny);
                        }
                        grants = pipit_grants_free(grants);
                }
                pipit_policy_unref(policy);
        }
}

static void the_system_knows_the_groups_of_root_and_none_of_nobody(void **state)
{
        uint32_t *gids;
        size_t n_gids;
        bool has_root = false;

        (void)state;
        assert_true(pipit_user_groups(0, &gids, &n_gids));
        for (size_t i = 0; i < n_gids; i++)
                has_root |= gids[i] == 0;
        assert_true(has_root);
        free(gids);

        assert_true(pipit_user_groups(NOBODY_HAS_IT, &gids, &n_gids));
        assert_int_equal(n_gids, 0);
        free(gids);
}

static void a_policy_that_names_groups_says_so(void **state)
{
        struct pipit_policy *without = parse("allow uid:1 any *\n");
        struct pipit_policy *with = parse("allow uid:1 group:rpc-readers *\n");

        (void)state;
        assert_false(pipit_policy_names_groups(without));
        assert_true(pipit_policy_names_groups(with));
        pipit_policy_unref(without);
        pipit_policy_unref(with);
}

static void the_roles_of_a_caller_are_told(void **state)
{
        const char *const roles[] = {"third"};
        const struct pipit_access_caller caller = {
                .kind = PIPIT_ACCESS_KEY, .name = "alice", .roles = roles, .n_roles = 1};
        struct pipit_policy *policy = parse("role first = a.B/C\n"
                                            "role second = a.B/D\n"
                                            "role third = a.B/E\n"
                                            "deny any second\n"
                                            "allow key:alice first\n");
        struct pipit_grants *grants = pipit_grants_new(policy, &caller);

        (void)state;
        assert_non_null(grants);
        assert_string_equal(pipit_grants_role(grants, 0), "first");
        assert_string_equal(pipit_grants_role(grants, 1), "third");
        assert_null(pipit_grants_role(grants, 2));
        (void)pipit_grants_free(grants);
        pipit_policy_unref(policy);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_example_means_what_it_says),
                cmocka_unit_test(deny_goes_before_allow_wherever_it_stands),
                cmocka_unit_test(what_no_rule_allows_is_denied),
                cmocka_unit_test(a_principal_is_of_its_own_kind_only),
                cmocka_unit_test(a_method_is_exact_or_a_beginning),
                cmocka_unit_test(roles_may_stand_below_their_use_and_be_a_keys_own),
                cmocka_unit_test(the_rule_that_decided_is_told_as_it_stands),
                cmocka_unit_test(every_word_that_is_not_understood_refuses_the_file),
                cmocka_unit_test(a_policy_is_bounded),
                cmocka_unit_test(the_files_of_this_machine_are_asked_for_users_and_groups),
                cmocka_unit_test(without_a_file_only_we_root_and_admins_may_call_all),
                cmocka_unit_test(grants_say_what_the_rules_say),
                cmocka_unit_test(the_system_knows_the_groups_of_root_and_none_of_nobody),
                cmocka_unit_test(a_policy_that_names_groups_says_so),
                cmocka_unit_test(the_roles_of_a_caller_are_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
