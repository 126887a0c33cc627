/*
 * Who may call what, as a table: each caller by each way in, under each policy, calls
 * users, health, reflection and admin. What is denied runs nothing.
 *
 *      test_matrix                     the table
 *      test_matrix --client URL UID    one caller by a socket, a process of its own
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
};

enum who {
        WHO_OWN,   /* this process's uid */
        WHO_OTHER, /* nobody's */
};

/* Outcomes are a character a method: + runs, - is denied. */
struct row {
        const char *name;
        enum way way;
        enum who who;
        const char *policy; /* NULL: no file */
        const char *outcome;
        const char *then; /* the policy after a reload, for the same connection; NULL: none */
        const char *outcome_then;
};

#define ROW(name_, way_, who_, policy_, outcome_)                                                  \
        {                                                                                          \
                .name = (name_), .way = WAY_##way_, .who = WHO_##who_, .policy = (policy_),        \
                .outcome = (outcome_)                                                              \
        }
#define ROW_THEN(name_, way_, who_, policy_, outcome_, then_, outcome_then_)                       \
        {                                                                                          \
                .name = (name_), .way = WAY_##way_, .who = WHO_##who_, .policy = (policy_),        \
                .outcome = (outcome_), .then = (then_), .outcome_then = (outcome_then_)            \
        }

/* clang-format off: a line a caller */
static const struct row rows[] = {
        ROW("inproc, no policy", INPROC, OWN, NULL, "++++"),
        ROW("inproc, not named", INPROC, OWN, ROLES ALLOW_HEALTH, "-+--"),
        ROW("inproc, its uid is named, not it", INPROC, OWN, "allow uid:0 *", "----"),
        ROW("inproc, wrong role", INPROC, OWN, ROLES "allow inproc operator", "--++"),
        ROW("inproc, right role", INPROC, OWN, ROLES "allow inproc reader", "+---"),
        ROW("inproc, denied", INPROC, OWN, ROLES "allow any *\ndeny inproc reader", "-+++"),
        ROW_THEN("inproc, revoked while connected",
                 INPROC,
                 OWN,
                 ROLES "allow inproc admin",
                 "++++",
                 ROLES ALLOW_HEALTH,
                 "-+--"),

        ROW("ipc, own uid, no policy", IPC, OWN, NULL, "++++"),
        ROW("ipc, own uid, not named", IPC, OWN, ROLES ALLOW_HEALTH, "-+--"),
        ROW("ipc, own uid, everything denied", IPC, OWN, "allow any *\ndeny any *", "----"),
        ROW("ipc, own uid, inproc is named", IPC, OWN, "allow inproc *", "----"),

        ROW("ipc, wrong uid, no policy", IPC, OTHER, NULL, "-+--"),
        ROW("ipc, wrong uid", IPC, OTHER, ROLES "allow uid:0 uid:65533 admin", "----"),
        ROW("ipc, wrong role", IPC, OTHER, ROLES "allow uid:65534 operator", "--++"),
        ROW("ipc, right role", IPC, OTHER, ROLES "allow uid:65534 reader", "+---"),
        ROW("ipc, right role by a user's name",
            IPC,
            OTHER,
            ROLES "allow user:nobody admin",
            "++++"),
        ROW("ipc, right role by a group",
            IPC,
            OTHER,
            ROLES ALLOW_HEALTH "allow group:nogroup reader operator",
            "++++"),
        ROW("ipc, another group", IPC, OTHER, ROLES "allow group:root admin", "----"),
        ROW("ipc, right role, its group is denied",
            IPC,
            OTHER,
            ROLES "deny group:nogroup reader\nallow uid:65534 admin",
            "-+++"),
        ROW_THEN("ipc, revoked while connected",
                 IPC,
                 OTHER,
                 ROLES ALLOW_HEALTH "allow uid:65534 admin",
                 "++++",
                 ROLES ALLOW_HEALTH "allow uid:65533 admin",
                 "-+--"),
        ROW_THEN("ipc, its group is denied while connected",
                 IPC,
                 OTHER,
                 ROLES "allow uid:65534 admin",
                 "++++",
                 ROLES "allow uid:65534 admin\ndeny group:nogroup pipit.v1.Admin/WhoAmI",
                 "+++-"),
        ROW_THEN("ipc, allowed while connected",
                 IPC,
                 OTHER,
                 ROLES ALLOW_HEALTH,
                 "-+--",
                 ROLES ALLOW_HEALTH "allow uid:65534 admin",
                 "++++"),
};
/* clang-format on */

/* --- calling ------------------------------------------------------------------------------- */

/* '+', '-', or '?': neither. */
static char outcome_of(enum pipit_status status, const struct pipit_call *call)
{
        const struct pipit_error *error = pipit_call_error(call);

        if (status == PIPIT_OK)
                return '+';
        if (status == PIPIT_PERMISSION_DENIED && error->ran == PIPIT_NOT_RUN &&
            strcmp(error->reason, "ACCESS_DENIED") == 0)
                return '-';
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
                struct pipit_call call = {.wait_for_ready = true, .timeout_ms = 20000};
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
static int client_main(const char *url, uid_t uid)
{
        struct pipit_channel *channel;
        char outcome[N_METHODS];
        char byte;

        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || become(uid) < 0)
                return 1;
        channel = pipit_channel_new(url, NULL, NULL);
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

static void caller_start_process(struct caller *caller, const char *url, uid_t uid)
{
        int in[2], out[2];
        char number[16];

        (void)snprintf(number, sizeof(number), "%u", uid);
        assert_int_equal(0, pipe(in));
        assert_int_equal(0, pipe(out));
        caller->pid = fork();
        assert_true(caller->pid >= 0);
        if (caller->pid == 0) {
                (void)dup2(in[0], STDIN_FILENO);
                (void)dup2(out[1], STDOUT_FILENO);
                (void)close(in[1]);
                (void)close(out[0]);
                (void)execl("/proc/self/exe", "client", "--client", url, number, (char *)NULL);
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
                caller_start_process(caller, url, row->who == WHO_OWN ? geteuid() : NOBODY);
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

static struct access_folder folder;

static struct pipit_server *server_start(const struct row *row)
{
        char url[128];
        const struct pipit_server_options options = {
                .policy_path = row->policy
                                       ? access_folder_write(&folder, "policy", 0600, row->policy)
                                       : NULL,
        };
        struct pipit_error error = {};
        struct pipit_server *server = pipit_server_new(&options, &error);

        assert_non_null(server);
        (void)snprintf(url,
                       sizeof(url),
                       row->way == WAY_INPROC ? "inproc://matrix" : "ipc://%s/socket",
                       folder.path);
        assert_int_equal(PIPIT_OK, users_v1_users_service_register(server, &users, NULL));
        assert_int_equal(PIPIT_OK, pipit_server_add_interceptor(server, &counter.interceptor));
        assert_int_equal(PIPIT_OK, pipit_server_listen(server, url, &error));
        if (pipit_server_start(server, &error) != PIPIT_OK)
                fail_msg("%s: %s", row->name, error.message);
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
        if (row->then) {
                (void)access_folder_write(&folder, "policy", 0600, row->then);
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

static int folder_make(void **state)
{
        (void)state;
        counter.interceptor.operations = &counting;
        access_folder_make(&folder);

        return chmod(folder.path, 0755);
}

static int folder_remove(void **state)
{
        (void)state;
        access_folder_remove(&folder);

        return 0;
}

int main(int argc, char **argv)
{
        struct CMUnitTest tests[PIPIT_N_ELEMENTS(rows)];

        if (argc == 4 && strcmp(argv[1], "--client") == 0)
                return client_main(argv[2], (uid_t)strtoul(argv[3], NULL, 10));

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(rows); ++i)
                tests[i] = (struct CMUnitTest){
                        .name = rows[i].name,
                        .test_func = test_row,
                        .initial_state = (void *)(uintptr_t)&rows[i],
                };

        return cmocka_run_group_tests_name("access_matrix", tests, folder_make, folder_remove);
}
