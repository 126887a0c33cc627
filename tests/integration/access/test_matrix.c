/*
 * Who may call what, as a table: each caller by each way in, under each policy, calls
 * users, health, reflection and admin. What is denied runs nothing.
 *
 *      test_matrix                                   the table
 *      test_matrix --client URL UID KEY SERVERS      one caller by a socket, a process of its own
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pipit/client.h>
#include <pipit/server.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/access/key_file.h"
#include "core/base/macros.h"
#include "grpc/health/v1/health.pipit.h"
#include "pipit/reflection/v1/reflection.pipit.h"
#include "pipit/v1/admin.pipit.h"
#include "tests/unit/access/fixture.h"
#include "users/v1/users.pipit.h"

#define N_METHODS 4 /* users, health, reflection, admin: in this order everywhere */
#define NOBODY    65534

#define ALLOW_HEALTH "allow any grpc.health.v1.Health/Check\n"
#define ROLES                                                                                      \
        "role reader = users.v1.UsersService/GetUser users.v1.UsersService/ListUsers\n"            \
        "role admin = *\n"                                                                         \
        "role operator = pipit.reflection.v1.* pipit.v1.Admin/*\n"

enum way {
        WAY_INPROC,
        WAY_IPC,
        WAY_TCP, /* where the server has keys */
};

enum who {
        WHO_OWN,   /* this process's uid */
        WHO_OTHER, /* nobody's */
        WHO_KEYED, /* a key */
        WHO_PLAIN, /* without a key, on tcp */
};

/* What the server's files say. */
struct rules {
        const char *policy; /* NULL: no file */
        const char *
                key; /* what stands behind the caller's key in authorized_keys; NULL: it is not listed */
};

/* Outcomes are a character a method: + runs, - is denied, x: the session is. */
struct row {
        const char *name;
        enum way way;
        enum who who;
        struct rules rules;
        const char *outcome;
        struct rules then;        /* after a reload, for the same channel */
        const char *outcome_then; /* NULL: no reload */
};

#define ROW(name_, way_, who_, policy_, outcome_)                                                  \
        {                                                                                          \
                .name = (name_), .way = WAY_##way_, .who = WHO_##who_,                             \
                .rules = {.policy = (policy_)}, .outcome = (outcome_)                              \
        }
#define ROW_THEN(name_, way_, who_, policy_, outcome_, then_, outcome_then_)                       \
        {                                                                                          \
                .name = (name_), .way = WAY_##way_, .who = WHO_##who_,                             \
                .rules = {.policy = (policy_)}, .outcome = (outcome_),                             \
                .then = {.policy = (then_)}, .outcome_then = (outcome_then_)                       \
        }
#define KEY_ROW(name_, who_, key_, policy_, outcome_)                                              \
        {                                                                                          \
                .name = (name_), .way = WAY_TCP, .who = WHO_##who_,                                \
                .rules = {.policy = (policy_), .key = (key_)}, .outcome = (outcome_)               \
        }
#define KEY_ROW_THEN(name_, key_, policy_, outcome_, key_then_, then_, outcome_then_)              \
        {                                                                                          \
                .name = (name_), .way = WAY_TCP, .who = WHO_KEYED,                                 \
                .rules = {.policy = (policy_), .key = (key_)}, .outcome = (outcome_),              \
                .then = {.policy = (then_), .key = (key_then_)}, .outcome_then = (outcome_then_)   \
        }

/* clang-format off */
static const struct row rows[] = {
        ROW("inproc, no policy", INPROC, OWN, NULL, "++++"),
        ROW("inproc, not named", INPROC, OWN, ROLES ALLOW_HEALTH, "-+--"),
        ROW("inproc, its uid is named, not it", INPROC, OWN, "allow uid:0 *", "----"),
        ROW("inproc, wrong role", INPROC, OWN, ROLES "allow inproc operator", "--++"),
        ROW("inproc, right role", INPROC, OWN, ROLES "allow inproc reader", "+---"),
        ROW("inproc, denied", INPROC, OWN, ROLES "allow any *\ndeny inproc reader", "-+++"),
        ROW_THEN("inproc, revoked while connected", INPROC, OWN,
                 ROLES "allow inproc admin", "++++", ROLES ALLOW_HEALTH, "-+--"),

        ROW("ipc, own uid, no policy", IPC, OWN, NULL, "++++"),
        ROW("ipc, own uid, not named", IPC, OWN, ROLES ALLOW_HEALTH, "-+--"),
        ROW("ipc, own uid, everything denied", IPC, OWN, "allow any *\ndeny any *", "----"),
        ROW("ipc, own uid, inproc is named", IPC, OWN, "allow inproc *", "----"),

        ROW("ipc, wrong uid, no policy", IPC, OTHER, NULL, "-+--"),
        ROW("ipc, wrong uid", IPC, OTHER, ROLES "allow uid:0 uid:65533 admin", "----"),
        ROW("ipc, wrong role", IPC, OTHER, ROLES "allow uid:65534 operator", "--++"),
        ROW("ipc, right role", IPC, OTHER, ROLES "allow uid:65534 reader", "+---"),
        ROW("ipc, right role by a user's name", IPC, OTHER, ROLES "allow user:nobody admin", "++++"),
        ROW("ipc, right role by a group", IPC, OTHER,
            ROLES ALLOW_HEALTH "allow group:nogroup reader operator", "++++"),
        ROW("ipc, another group", IPC, OTHER, ROLES "allow group:root admin", "----"),
        ROW("ipc, right role, its group is denied", IPC, OTHER,
            ROLES "deny group:nogroup reader\nallow uid:65534 admin", "-+++"),
        ROW_THEN("ipc, revoked while connected", IPC, OTHER,
                 ROLES ALLOW_HEALTH "allow uid:65534 admin", "++++",
                 ROLES ALLOW_HEALTH "allow uid:65533 admin", "-+--"),
        ROW_THEN("ipc, its group is denied while connected", IPC, OTHER,
                 ROLES "allow uid:65534 admin", "++++",
                 ROLES "allow uid:65534 admin\ndeny group:nogroup pipit.v1.Admin/WhoAmI", "+++-"),
        ROW_THEN("ipc, allowed while connected", IPC, OTHER,
                 ROLES ALLOW_HEALTH, "-+--",
                 ROLES ALLOW_HEALTH "allow uid:65534 admin", "++++"),

        KEY_ROW("tcp, no key", PLAIN, NULL, "allow any *", "----"),
        KEY_ROW("tcp, unlisted", KEYED, NULL, "allow any *", "xxxx"),
        KEY_ROW("tcp, expired", KEYED, "alice roles=admin expires=2001-01-01", ROLES "allow any *", "xxxx"),
        KEY_ROW("tcp, listed, no policy", KEYED, "alice", NULL, "-+--"),
        KEY_ROW("tcp, admin, no policy", KEYED, "alice roles=admin", NULL, "++++"),
        KEY_ROW("tcp, not named", KEYED, "alice", ROLES ALLOW_HEALTH "allow key:bob uid:0 inproc anonymous admin", "-+--"),
        KEY_ROW("tcp, wrong role", KEYED, "alice roles=operator", ROLES, "--++"),
        KEY_ROW("tcp, right role", KEYED, "alice roles=reader expires=2999-01-01", ROLES, "+---"),
        KEY_ROW("tcp, right role by its name", KEYED, "alice", ROLES "allow key:alice reader", "+---"),
        KEY_ROW("tcp, right role, its name is denied", KEYED, "alice roles=admin", ROLES "deny key:alice operator", "++--"),
        KEY_ROW_THEN("tcp, revoked while connected", "alice roles=admin", ROLES, "++++", NULL, ROLES, "xxxx"),
        KEY_ROW_THEN("tcp, expired while connected", "alice roles=admin", ROLES, "++++",
                     "alice roles=admin expires=2001-01-01", ROLES, "xxxx"),
        KEY_ROW_THEN("tcp, its role is taken while connected", "alice roles=admin", ROLES, "++++",
                     "alice roles=reader", ROLES, "+---"),
        KEY_ROW_THEN("tcp, denied while connected", "alice roles=admin", ROLES, "++++",
                     "alice roles=admin", ROLES "deny key:alice admin", "----"),
        KEY_ROW_THEN("tcp, its name is another's rights while connected", "alice", ROLES "allow key:alice admin", "++++",
                     "bob", ROLES "allow key:alice admin\n" ALLOW_HEALTH, "-+--"),
};
/* clang-format on */

static struct access_folder folder;

static struct {
        struct pipit_noise_keys *server, *caller;
} keys;

/* --- calling ------------------------------------------------------------------------------- */

/* '+', '-', 'x', or '?': none of these. */
static char outcome_of(enum pipit_status status, const struct pipit_call *call)
{
        const struct pipit_error *error = pipit_call_error(call);

        if (status == PIPIT_OK)
                return '+';
        if (status == PIPIT_PERMISSION_DENIED && error->ran == PIPIT_NOT_RUN &&
            strcmp(error->reason, "ACCESS_DENIED") == 0)
                return '-';
        if (status == PIPIT_UNAUTHENTICATED && strcmp(error->reason, "SESSION_DENIED") == 0)
                return 'x';
        (void)fprintf(stderr, "%s: %s\n", pipit_status_name(status), error ? error->message : "?");

        return '?';
}

static void call_all(struct pipit_channel *channel, char ret_outcome[N_METHODS])
{
        Users__V1__GetUserRequest user = USERS__V1__GET_USER_REQUEST__INIT;
        Grpc__Health__V1__HealthCheckRequest health = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
        Pipit__Reflection__V1__ListServicesRequest list =
                PIPIT__REFLECTION__V1__LIST_SERVICES_REQUEST__INIT;
        Pipit__V1__WhoAmIRequest who = PIPIT__V1__WHO_AM_IREQUEST__INIT;
        const struct {
                const struct pipit_method *method;
                const ProtobufCMessage *request;
        } table[N_METHODS] = {
                {&users_v1_users_service_descriptor.methods[1], &user.base},
                {&grpc_health_v1_health_descriptor.methods[0], &health.base},
                {&pipit_reflection_v1_reflection_service_descriptor.methods[0], &list.base},
                {&pipit_v1_admin_descriptor.methods[0], &who.base},
        };

        for (size_t i = 0; i < N_METHODS; ++i) {
                struct pipit_call call = {.timeout_ms = 20000};
                const ProtobufCMessage *response;
                enum pipit_status status = pipit_channel_call(
                        channel, &call, table[i].method, table[i].request, &response);

                ret_outcome[i] = outcome_of(status, &call);
                pipit_call_deinit(&call);
        }
}

/* --- a caller that is a process ---------------------------------------------------------------- */

static int become(uid_t uid)
{
        if (uid == geteuid())
                return 0;
        /* The groups of the process are not what counts, but those that its uid has. */
        if (setresuid(uid, uid, uid) < 0)
                return -1;

        /* What setresuid() takes away, LeakSanitizer needs. */
        return prctl(PR_SET_DUMPABLE, 1);
}

/* Calls for each byte that comes, and answers with the outcomes. */
static int client_main(const char *url, uid_t uid, const char *key_file, const char *servers_file)
{
        const struct pipit_channel_options options = {
                .key_file = key_file,
                .known_servers_file = servers_file,
                .insecure_plaintext = key_file[0] == '\0',
        };
        struct pipit_channel *channel;
        char outcome[N_METHODS];
        char byte;

        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || become(uid) < 0)
                return 1;
        channel = pipit_channel_new(url, &options, NULL);
        if (!channel)
                return 1;
        while (read(STDIN_FILENO, &byte, 1) == 1) {
                call_all(channel, outcome);
                if (write(STDOUT_FILENO, outcome, N_METHODS) != N_METHODS)
                        return 1;
        }
        channel = pipit_channel_free(channel);

        return 0;
}

struct caller {
        struct pipit_channel *channel; /* NULL: a process */
        pid_t pid;
        int to, from;
};

static void exec_client(const struct row *row, const char *url)
{
        char number[16], key[128] = "", servers[128];

        (void)snprintf(number, sizeof(number), "%u", row->who == WHO_OTHER ? NOBODY : geteuid());
        if (row->who == WHO_KEYED)
                (void)snprintf(key, sizeof(key), "%s/id.key", folder.path);
        (void)snprintf(servers, sizeof(servers), "%s/known_servers", folder.path);
        (void)execl(
                "/proc/self/exe", "client", "--client", url, number, key, servers, (char *)NULL);
}

static void caller_start_process(struct caller *caller, const struct row *row, const char *url)
{
        int in[2], out[2];

        assert_int_equal(0, pipe(in));
        assert_int_equal(0, pipe(out));
        caller->pid = fork();
        assert_true(caller->pid >= 0);
        if (caller->pid == 0) {
                (void)dup2(in[0], STDIN_FILENO);
                (void)dup2(out[1], STDOUT_FILENO);
                (void)close(in[1]);
                (void)close(out[0]);
                exec_client(row, url);
                _exit(127);
        }
        (void)close(in[0]);
        (void)close(out[1]);
        caller->to = in[1];
        caller->from = out[0];
}

static void caller_start(struct caller *caller, const struct row *row, const char *url)
{
        *caller = (struct caller){};
        if (row->way == WAY_INPROC) {
                caller->channel = pipit_channel_new(url, NULL, NULL);
                assert_non_null(caller->channel);
        } else {
                caller_start_process(caller, row, url);
        }
}

static void caller_call(struct caller *caller, char ret_outcome[N_METHODS + 1])
{
        ret_outcome[N_METHODS] = '\0';
        if (caller->channel) {
                call_all(caller->channel, ret_outcome);
                return;
        }
        assert_int_equal(1, write(caller->to, "!", 1));
        for (size_t n = 0; n < N_METHODS;) {
                ssize_t n_read = read(caller->from, ret_outcome + n, N_METHODS - n);

                assert_true(n_read > 0);
                n += (size_t)n_read;
        }
}

static void caller_stop(struct caller *caller)
{
        int status;

        caller->channel = pipit_channel_free(caller->channel);
        if (caller->pid == 0)
                return;
        (void)close(caller->to);
        assert_int_equal(caller->pid, waitpid(caller->pid, &status, 0));
        assert_int_equal(0, status);
        (void)close(caller->from);
}

/* --- the server ------------------------------------------------------------------------------- */

/* Counts the handlers that ran, whichever service has them. */
static struct {
        struct pipit_server_interceptor interceptor;
        atomic_size_t n_handled;
} counter;

static void count(struct pipit_server_interceptor *interceptor,
                  const struct pipit_server_call_end *end)
{
        (void)interceptor;
        if (end->handled)
                atomic_fetch_add(&counter.n_handled, 1);
}

static const struct pipit_server_interceptor_operations counting = {.after = count};

static void get_user(void *self,
                     struct pipit_server_call *call,
                     const Users__V1__GetUserRequest *request)
{
        const Users__V1__User user = USERS__V1__USER__INIT;

        (void)self;
        (void)request;
        users_v1_get_user_reply(call, &user);
}

static const struct users_v1_users_service users = {.get_user = get_user};

static void write_keys(const char *behind)
{
        char caller[PIPIT_KEY_TEXT_SIZE], text[512];

        pipit_key_format(PIPIT_KEY_PUBLIC, keys.caller->public, caller);
        (void)snprintf(text,
                       sizeof(text),
                       "%s%s %s\n%s spare\n",
                       behind ? "" : "# ",
                       caller,
                       behind ? behind : "",
                       key_text(1));
        (void)access_folder_write(&folder, "authorized_keys", 0600, text);
}

static void write_rules(const struct rules *rules)
{
        if (rules->policy)
                (void)access_folder_write(&folder, "policy", 0600, rules->policy);
        write_keys(rules->key);
}

/* The server's key is known to the caller once its URL is. */
static void write_known_servers(const char *url)
{
        char server[PIPIT_KEY_TEXT_SIZE], text[256];

        pipit_key_format(PIPIT_KEY_PUBLIC, keys.server->public, server);
        (void)snprintf(text, sizeof(text), "%s %s\n", url, server);
        (void)access_folder_write(&folder, "known_servers", 0600, text);
}

static void format_url(const struct row *row, char ret_url[128])
{
        if (row->way == WAY_IPC)
                (void)snprintf(ret_url, 128, "ipc://%s/socket", folder.path);
        else
                (void)strcpy(ret_url,
                             row->way == WAY_TCP ? "tcp://127.0.0.1:0" : "inproc://matrix");
}

static struct pipit_server *server_new(const struct row *row)
{
        char policy[128], key[128], authorized_keys[128];
        const struct pipit_server_options options = {
                .policy_path = row->rules.policy ? policy : NULL,
                .key_path = row->way == WAY_TCP ? key : NULL,
                .authorized_keys_path = row->way == WAY_TCP ? authorized_keys : NULL,
        };

        (void)snprintf(policy, sizeof(policy), "%s/policy", folder.path);
        (void)snprintf(key, sizeof(key), "%s/server.key", folder.path);
        (void)snprintf(authorized_keys, sizeof(authorized_keys), "%s/authorized_keys", folder.path);
        write_rules(&row->rules);

        return pipit_server_new(&options, NULL);
}

static struct pipit_server *server_start(const struct row *row)
{
        struct pipit_server *server = server_new(row);
        struct pipit_error error = {};
        char url[128];

        assert_non_null(server);
        format_url(row, url);
        assert_int_equal(PIPIT_OK, users_v1_users_service_register(server, &users, NULL));
        assert_int_equal(PIPIT_OK, pipit_server_add_interceptor(server, &counter.interceptor));
        assert_int_equal(PIPIT_OK, pipit_server_listen(server, url, &error));
        if (pipit_server_start(server, &error) != PIPIT_OK)
                fail_msg("%s: %s", row->name, error.message);
        write_known_servers(pipit_server_url(server, 0));
        if (row->way == WAY_IPC)
                assert_int_equal(0, chmod(url + strlen("ipc://"), 0666));

        return server;
}

/* --- the table --------------------------------------------------------------------------------- */

static size_t n_runs(const char *outcome)
{
        size_t n = 0;

        for (; *outcome; ++outcome)
                n += *outcome == '+';

        return n;
}

static void assert_cells(struct caller *caller, const char *name, const char *expected)
{
        char outcome[N_METHODS + 1];

        caller_call(caller, outcome);
        if (strcmp(outcome, expected) != 0)
                fail_msg("%s: users, health, reflection, admin are %s, expected %s",
                         name,
                         outcome,
                         expected);
}

static void run_row(const struct row *row)
{
        struct pipit_server *server = server_start(row);
        struct pipit_error error = {};
        struct caller caller;
        size_t n_expected = n_runs(row->outcome);

        atomic_store(&counter.n_handled, 0);
        caller_start(&caller, row, pipit_server_url(server, 0));
        assert_cells(&caller, row->name, row->outcome);
        if (row->outcome_then) {
                write_rules(&row->then);
                if (pipit_server_reload(server, &error) != PIPIT_OK)
                        fail_msg("%s: %s", row->name, error.message);
                assert_cells(&caller, row->name, row->outcome_then);
                n_expected += n_runs(row->outcome_then);
        }
        caller_stop(&caller);

        /* All hooks have been told when it has stopped. */
        assert_int_equal(0, pipit_server_stop(server));
        assert_int_equal(n_expected, atomic_load(&counter.n_handled));
        server = pipit_server_free(server);
}

static void test_row(void **state)
{
        const struct row *row = *state;

        if (row->who == WHO_OTHER && geteuid() != 0) {
                print_message("%s: SKIPPED, only root can become another user\n", row->name);
                skip();
        }
        run_row(row);
}

static struct pipit_noise_keys *make_key(const char *name)
{
        struct pipit_noise_keys *made = pipit_key_pair_new();
        struct pipit_access_problem problem;

        if (!made || !pipit_key_pair_save(made, access_folder_path(&folder, name), &problem))
                return pipit_key_pair_free(made);

        return made;
}

static int folder_make(void **state)
{
        (void)state;
        counter.interceptor.operations = &counting;
        access_folder_make(&folder);
        keys.server = make_key("server.key");
        keys.caller = make_key("id.key");

        return keys.server && keys.caller ? chmod(folder.path, 0755) : -1;
}

static int folder_remove(void **state)
{
        (void)state;
        keys.server = pipit_key_pair_free(keys.server);
        keys.caller = pipit_key_pair_free(keys.caller);
        access_folder_remove(&folder);

        return 0;
}

int main(int argc, char **argv)
{
        struct CMUnitTest tests[PIPIT_N_ELEMENTS(rows)];

        if (argc == 6 && strcmp(argv[1], "--client") == 0)
                return client_main(argv[2], (uid_t)strtoul(argv[3], NULL, 10), argv[4], argv[5]);

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(rows); ++i)
                tests[i] = (struct CMUnitTest){
                        .name = rows[i].name,
                        .test_func = test_row,
                        .initial_state = (void *)(uintptr_t)&rows[i],
                };

        return cmocka_run_group_tests_name("access_matrix", tests, folder_make, folder_remove);
}
