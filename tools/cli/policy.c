#include "core/access/policy.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/access/rules.h"
#include "core/access/user_groups.h"
#include "core/base/status.h"
#include "tools/cli/access_file.h"
#include "tools/cli/command.h"
#include "tools/cli/terminal.h"

/* --- reading ------------------------------------------------------------------ */

/* The policy at @path, or what holds without one. */
static struct pipit_policy *read_policy(const char *path, struct pipit_access_problem *ret_problem)
{
        return path ? pipit_policy_load(path, ret_problem)
                    : pipit_policy_new_default(geteuid(), false);
}

/* Policy and keys, checked against each other. NULL: it said what is wrong. */
static struct pipit_rules *read_rules(struct cli_arguments *arguments, const char *policy_path)
{
        const char *keys_path = arguments->options.file;
        struct pipit_access_problem problem = {"out of memory"};
        struct pipit_authorized_keys *keys = NULL;
        struct pipit_policy *policy = read_policy(policy_path, &problem);
        struct pipit_rules *rules = NULL;

        if (policy && keys_path) {
                keys = pipit_authorized_keys_load(keys_path, &problem);
                if (!keys) {
                        pipit_policy_unref(policy);
                        policy = NULL;
                }
        }
        if (policy)
                rules = pipit_rules_new(policy, keys, keys_path ? keys_path : "", &problem);
        if (!rules)
                (void)cli_value_error("%s", problem.text);

        return rules;
}

/* --- check -------------------------------------------------------------------- */

static int run_check(struct cli_arguments *arguments)
{
        const char *path = cli_take(arguments);
        struct pipit_rules *rules;

        if (!path)
                return cli_usage_error(arguments, "the file is missing");
        if (!cli_no_more(arguments))
                return CLI_USAGE;

        rules = read_rules(arguments, path);
        if (!rules)
                return CLI_USAGE;

        pipit_rules_unref(rules);
        (void)printf("%s: ok\n", path);
        return CLI_OK;
}

/* --- explain ------------------------------------------------------------------ */

/* The caller that --as names, and what he borrows. */
struct subject {
        struct pipit_access_caller caller;
        uint32_t *gids; /* freed by explain() */
};

static bool set_uid(struct subject *subject, uint32_t uid)
{
        subject->caller.kind = PIPIT_ACCESS_UID;
        subject->caller.uid = uid;
        if (!pipit_user_groups(uid, &subject->gids, &subject->caller.n_gids)) {
                (void)cli_value_error("the groups of uid %u cannot be looked up", uid);
                return false;
        }
        subject->caller.gids = subject->gids;

        return true;
}

/* One that this machine does not know has a uid all the same, and no group. */
static bool set_uid_number(struct subject *subject, const char *as, const char *number)
{
        char *end;
        unsigned long uid = strtoul(number, &end, 10);

        if (*number < '0' || *number > '9' || *end || uid >= UINT32_MAX) {
                (void)cli_value_error("--as: '%s' is no uid, as uid:1000", as);
                return false;
        }

        return set_uid(subject, (uint32_t)uid);
}

static bool set_user(struct subject *subject, const char *name)
{
        const struct passwd *user = getpwnam(name);

        if (!user) {
                (void)cli_value_error("--as: this machine has no user '%s'", name);
                return false;
        }

        return set_uid(subject, user->pw_uid);
}

static bool set_key(struct subject *subject, const struct pipit_rules *rules, const char *name)
{
        const struct pipit_authorized_key *key =
                rules->keys ? pipit_authorized_keys_find_name(rules->keys, name) : NULL;

        if (rules->keys && !key) {
                (void)cli_value_error(
                        "--as: there is no key of the name '%s': `pipit peers` lists them", name);
                return false;
        }

        subject->caller.kind = PIPIT_ACCESS_KEY;
        subject->caller.name = name;
        if (key) {
                subject->caller.roles = key->roles;
                subject->caller.n_roles = key->n_roles;
        }
        return true;
}

static bool set_subject(struct subject *subject, const struct pipit_rules *rules, const char *as)
{
        if (strncmp(as, "key:", 4) == 0)
                return set_key(subject, rules, as + 4);
        if (strncmp(as, "uid:", 4) == 0)
                return set_uid_number(subject, as, as + 4);
        if (strncmp(as, "user:", 5) == 0)
                return set_user(subject, as + 5);
        if (strcmp(as, "inproc") == 0 || strcmp(as, "anonymous") == 0) {
                subject->caller.kind = as[0] == 'i' ? PIPIT_ACCESS_INPROC : PIPIT_ACCESS_ANONYMOUS;
                return true;
        }

        (void)cli_value_error(
                "--as: '%s' is none of key:NAME, uid:N, user:NAME, inproc and anonymous", as);
        return false;
}

static int print_decision(const struct pipit_rules *rules,
                          const struct pipit_access_decision *decision)
{
        (void)fputs(decision->is_allowed ? "allowed" : "denied", stdout);
        if (decision->line == 0)
                (void)printf(": no rule of %s allows it\n", pipit_policy_path(rules->policy));
        else {
                (void)printf(" by %s:%u: ", pipit_policy_path(rules->policy), decision->line);
                cli_print_safe(stdout, decision->rule);
                if (decision->key_role)
                        (void)printf(" (the key has the role %s)", decision->key_role);
                (void)putchar('\n');
        }

        return decision->is_allowed ? CLI_OK : CLI_RPC_BASE + PIPIT_PERMISSION_DENIED;
}

static int decide(const struct pipit_rules *rules, struct subject *subject, const char *method)
{
        struct pipit_access_decision decision;
        struct pipit_grants *grants = pipit_grants_new(rules->policy, &subject->caller);
        int status;

        if (!grants)
                return cli_value_error("out of memory");

        decision = pipit_grants_decide(grants, method);
        status = print_decision(rules, &decision);
        (void)pipit_grants_free(grants);

        return status;
}

static int explain(const struct pipit_rules *rules, const char *as, const char *method)
{
        struct subject subject = {.caller = {.kind = PIPIT_ACCESS_ANONYMOUS}};
        int status = CLI_USAGE;

        if (set_subject(&subject, rules, as))
                status = decide(rules, &subject, method);
        free(subject.gids);

        return status;
}

static int run_explain(struct cli_arguments *arguments)
{
        const char *method = cli_take(arguments), *as = arguments->options.as;
        struct pipit_rules *rules;
        int status;

        if (!as || !method)
                return cli_usage_error(
                        arguments, "%s is missing", as ? "the method" : "--as PRINCIPAL");
        if (!strchr(method, '/'))
                return cli_value_error("'%s' is no method: one is package.Service/Method", method);
        if (!cli_no_more(arguments))
                return CLI_USAGE;

        rules = read_rules(arguments, arguments->options.policy);
        if (!rules)
                return CLI_USAGE;

        status = explain(rules, as, method);
        pipit_rules_unref(rules);
        return status;
}

/* --- the command -------------------------------------------------------------- */

static int run_policy(struct cli_arguments *arguments)
{
        const char *what = cli_take(arguments);

        if (what && strcmp(what, "check") == 0)
                return run_check(arguments);
        if (what && strcmp(what, "explain") == 0)
                return run_explain(arguments);

        return what ? cli_usage_error(arguments, "'%s' is neither check nor explain", what)
                    : cli_usage_error(arguments, "check or explain is missing");
}

static const struct cli_option options[] = {
        CLI_OPTION("as",
                   '\0',
                   CLI_STRING,
                   as,
                   NULL,
                   "PRINCIPAL",
                   "explain: who calls: key:NAME, uid:N, user:NAME,\n"
                   "inproc or anonymous"),
        CLI_OPTION("policy",
                   'p',
                   CLI_STRING,
                   policy,
                   "PIPIT_POLICY",
                   "FILE",
                   "explain: the policy (default: what holds without a\n"
                   "file)"),
        CLI_OPTION("file",
                   'f',
                   CLI_STRING,
                   file,
                   "PIPIT_AUTHORIZED_KEYS",
                   "FILE",
                   "authorized_keys: roles of keys are looked up there,\n"
                   "and checked"),
        CLI_OPTION_HELP,
        CLI_OPTION_END,
};

const struct cli_command cli_command_policy = {
        .name = "policy",
        .summary = "Checks a policy, or says what it decides and why.",
        .synopsis = "check FILE | explain --as PRINCIPAL METHOD",
        .text = "`check` reads FILE as a server would, and tells the first error with its line "
                "and\n"
                "column. `explain` says whether PRINCIPAL may call METHOD, and by which line; it\n"
                "exits with 71 (PERMISSION_DENIED) if not.\n"
                "\n"
                "A policy is lines of roles and rules; deny goes before allow, and what no rule\n"
                "allows is denied:\n"
                "\n"
                "  role reader = users.v1.UsersService/GetUser users.v1.UsersService/ListUsers\n"
                "  deny  key:old-ci          *\n"
                "  allow group:rpc-readers   reader\n"
                "  allow any                 grpc.health.v1.Health/Check",
        .examples = "  pipit policy check /etc/usersd/policy\n"
                    "  pipit policy explain --as key:alice --policy /etc/usersd/policy \\\n"
                    "          users.v1.UsersService/DeleteUser\n",
        .options = options,
        .run = run_policy,
};
