#include "server/runtime/access_files.h"

#include <errno.h>
#include <unistd.h>

#include "core/access/key_file.h"
#include "core/access/places.h"
#include "core/base/clock.h"
#include "server/runtime/runtime.h"

#define FILES_INVALID "ACCESS_FILES_INVALID"

bool access_files_keep_paths(struct pipit_server *server)
{
        struct pipit_server_options *options = &server->options;
        const char **const paths[] = {
                &options->key_path, &options->authorized_keys_path, &options->policy_path};

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(paths); ++i) {
                if (*paths[i] && !(*paths[i] = pipit_arena_strdup(&server->texts, *paths[i])))
                        return false;
        }

        return true;
}

/* --- reading --------------------------------------------------------------------- */

/* Where a file is that is to be read; NULL: there is none, and there need not be one. */
static const char *path_of(const char *path, bool is_optional)
{
        if (path && is_optional && access(path, F_OK) < 0 && errno == ENOENT)
                return NULL;

        return path;
}

struct pipit_rules *access_rules_default(const struct pipit_server_options *options)
{
        struct pipit_policy *policy =
                pipit_policy_new_default(geteuid(), options->insecure_plaintext);
        struct pipit_access_problem problem;

        return policy ? pipit_rules_new(policy, NULL, "", &problem) : NULL;
}

static struct pipit_policy *policy_read(const struct pipit_server_options *options,
                                        struct pipit_access_problem *ret_problem)
{
        const char *path = path_of(options->policy_path, options->policy_optional);
        struct pipit_policy *policy;

        if (path)
                return pipit_policy_load(path, ret_problem);

        policy = pipit_policy_new_default(geteuid(), options->insecure_plaintext);
        if (!policy)
                (void)pipit_access_problem_set(ret_problem, "out of memory");

        return policy;
}

static struct pipit_rules *rules_read(const struct pipit_server_options *options,
                                      struct pipit_access_problem *ret_problem)
{
        const char *path =
                path_of(options->authorized_keys_path, options->authorized_keys_optional);
        struct pipit_policy *policy = policy_read(options, ret_problem);
        struct pipit_authorized_keys *keys = NULL;

        if (!policy)
                return NULL;
        if (path) {
                keys = pipit_authorized_keys_load(path, ret_problem);
                if (!keys) {
                        pipit_policy_unref(policy);
                        return NULL;
                }
        }

        return pipit_rules_new(policy, keys, path ? path : "", ret_problem);
}

/* Those that may call at all. */
static size_t n_good_keys(const struct pipit_rules *rules)
{
        size_t n_keys = rules->keys ? pipit_authorized_keys_count(rules->keys) : 0;
        int64_t wall_us = pipit_clock_wall_us();
        size_t n_good = 0;

        for (size_t i = 0; i < n_keys; ++i)
                n_good += !pipit_authorized_key_has_expired(
                        pipit_authorized_keys_get(rules->keys, i), wall_us);

        return n_good;
}

static const char *or_place(const char *path, const char *place)
{
        return path ? path : place;
}

static bool check_keys(const struct pipit_server_options *options,
                       const struct pipit_rules *rules,
                       struct pipit_access_problem *ret_problem)
{
        const char *path = or_place(options->authorized_keys_path, PIPIT_PLACE_AUTHORIZED_KEYS);

        if (n_good_keys(rules) > 0)
                return true;

        return pipit_access_problem_set(
                ret_problem,
                "%s: lists no key that has not expired, and nobody else may call by tcp: `pipit "
                "authorize NAME KEY --file %s` adds one",
                path,
                path);
}

static struct pipit_noise_keys *own_keys_read(const struct pipit_server_options *options,
                                              struct pipit_access_problem *ret_problem)
{
        if (options->key_path)
                return pipit_key_pair_load(options->key_path, ret_problem);

        (void)pipit_access_problem_set(ret_problem,
                                       "tcp needs a key of the server's own: `pipit keygen %s` "
                                       "makes one",
                                       PIPIT_PLACE_SERVER_KEY);
        return NULL;
}

/* --- start and reload -------------------------------------------------------------- */

static enum pipit_status fail(const char *reason, const char *text, struct pipit_error *ret_error)
{
        if (ret_error)
                *ret_error =
                        pipit_error_make(PIPIT_FAILED_PRECONDITION, PIPIT_NOT_RUN, reason, text);

        return PIPIT_FAILED_PRECONDITION;
}

enum pipit_status access_files_load(struct pipit_server *server,
                                    bool by_key,
                                    struct pipit_error *ret_error)
{
        struct pipit_access_problem *problem = &server->access_problem;
        struct pipit_rules *rules = rules_read(&server->options, problem);

        if (!rules)
                return fail(FILES_INVALID, problem->text, ret_error);
        if (by_key) {
                server->keys = own_keys_read(&server->options, problem);
                if (!server->keys || !check_keys(&server->options, rules, problem)) {
                        pipit_rules_unref(rules);
                        return fail(FILES_INVALID, problem->text, ret_error);
                }
        }
        pipit_rules_holder_swap(&server->rules, rules);

        return PIPIT_OK;
}

static void log_reload(const struct pipit_server *server, const struct pipit_rules *rules)
{
        size_t n_keys = rules->keys ? pipit_authorized_keys_count(rules->keys) : 0;

        pipit_log_line(server->log,
                       PIPIT_LOG_INFO,
                       "access rules read again",
                       PIPIT_LOG_STRING("policy", pipit_policy_path(rules->policy)),
                       PIPIT_LOG_INT("keys", n_keys),
                       PIPIT_LOG_INT("generation", rules->generation));
        if (server->keys && n_good_keys(rules) == 0)
                pipit_log_line(server->log,
                               PIPIT_LOG_WARNING,
                               "no key is listed that has not expired: nobody may call by tcp");
}

enum pipit_status pipit_server_reload(struct pipit_server *server, struct pipit_error *ret_error)
{
        struct pipit_access_problem *problem = &server->access_problem;
        struct pipit_rules *rules;

        if (server->phase != SERVER_STARTED)
                return fail("SERVER_NOT_RUNNING",
                            "a server that has not started, or has stopped, reads no files again",
                            ret_error);

        rules = rules_read(&server->options, problem);
        if (!rules) {
                pipit_log_line(server->log,
                               PIPIT_LOG_ERROR,
                               "access rules cannot be read; those from before hold",
                               PIPIT_LOG_STRING("problem", problem->text));
                return fail(FILES_INVALID, problem->text, ret_error);
        }

        groups_forget(server->groups);
        pipit_rules_holder_swap(&server->rules, pipit_rules_ref(rules));
        box_table_drop_revoked(server);
        log_reload(server, rules);
        pipit_rules_unref(rules);

        return PIPIT_OK;
}
