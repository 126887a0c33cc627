#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/runtime/runtime.h"

#define METHOD    "a.B/C"
#define N_THREADS 4
#define N_SWAPS   300
#define GID       77

/* Of a server only what principals are about. */
static struct pipit_server server;

/* --- rules ------------------------------------------------------------------------------- */

static const uint8_t *key_of(uint8_t number)
{
        static uint8_t keys[4][PIPIT_KEY_BYTES];

        memset(keys[number], number + 1, PIPIT_KEY_BYTES);

        return keys[number];
}

static bool find_group(const char *name, uint32_t *ret_gid)
{
        *ret_gid = GID;

        return strcmp(name, "readers") == 0;
}

static struct pipit_rules *rules_new(const char *policy_text, const char *keys_text)
{
        static const struct pipit_policy_names names = {.find_group = find_group};
        struct pipit_access_problem problem = {};
        struct pipit_policy *policy =
                pipit_policy_parse("policy", policy_text, strlen(policy_text), &names, &problem);
        struct pipit_authorized_keys *keys = NULL;
        struct pipit_rules *rules;

        if (!policy)
                fail_msg("%s", problem.text);
        if (keys_text)
                keys = pipit_authorized_keys_parse("keys", keys_text, strlen(keys_text), &problem);
        if (keys_text && !keys)
                fail_msg("%s", problem.text);
        rules = pipit_rules_new(policy, keys, "keys", &problem);
        if (!rules)
                fail_msg("%s", problem.text);

        return rules;
}

/* "KEY REST", of the key with that number. */
static const char *key_line(uint8_t number, const char *rest)
{
        static char line[256];
        char text[PIPIT_KEY_TEXT_SIZE];

        pipit_key_format(PIPIT_KEY_PUBLIC, key_of(number), text);
        (void)snprintf(line, sizeof(line), "%s %s\n", text, rest);

        return line;
}

static void reload(const char *policy_text, const char *keys_text)
{
        pipit_rules_holder_swap(&server.rules, rules_new(policy_text, keys_text));
}

static bool find_no_groups(uint32_t uid, uint32_t **ret_gids, size_t *ret_n_gids)
{
        (void)uid;
        (void)ret_gids;
        (void)ret_n_gids;

        return false;
}

static bool find_readers(uint32_t uid, uint32_t **ret_gids, size_t *ret_n_gids)
{
        *ret_gids = calloc(2, sizeof(**ret_gids));
        *ret_n_gids = 2;
        assert_non_null(*ret_gids);
        (*ret_gids)[1] = uid == 1000 ? GID : GID + 1;

        return true;
}

static int set_up(void **state)
{
        (void)state;
        server = (struct pipit_server){};
        principal_table_init(&server.principals);
        server.groups = groups_new(find_readers, NULL);

        return server.groups && pipit_rules_holder_init(&server.rules, rules_new("", NULL)) ? 0
                                                                                            : -1;
}

static int tear_down(void **state)
{
        (void)state;
        for (size_t i = 0; i < PRINCIPAL_BUCKETS; ++i)
                assert_null(server.principals.buckets[i]);
        principal_table_deinit(&server.principals);
        pipit_rules_holder_deinit(&server.rules);
        server.groups = groups_free(server.groups);

        return 0;
}

/* --- callers --------------------------------------------------------------------------------- */

static struct principal *of_transport(enum rep_transport transport)
{
        const struct rep_pipe_identity identity = {.transport = transport};

        return principal_of_pipe(&server, &identity);
}

static struct principal *of_uid(uid_t uid)
{
        const struct rep_pipe_identity identity = {
                .transport = REP_TRANSPORT_IPC, .has_uid = true, .uid = uid};

        return principal_of_pipe(&server, &identity);
}

static void drop(struct principal *principal)
{
        principal_unref(&server, principal);
}

/* A busy machine may take its time over the groups: as a client does, this comes again. */
static struct standing *stand(struct principal *principal)
{
        struct standing *standing = NULL;
        enum principal_state state;

        do
                state = principal_stand(&server, principal, &standing);
        while (state == PRINCIPAL_BUSY);
        assert_int_equal(PRINCIPAL_HOLDS, state);

        return standing;
}

static bool may(struct principal *principal)
{
        struct standing *standing = stand(principal);
        bool is_allowed = pipit_grants_decide(standing->grants, METHOD).is_allowed;

        standing_unref(standing);

        return is_allowed;
}

static void assert_state(enum principal_state expected, struct principal *principal)
{
        struct standing *standing = NULL;

        assert_int_equal(expected, principal_stand(&server, principal, &standing));
        assert_null(standing);
}

/* --- tests ------------------------------------------------------------------------------------- */

static void a_pipe_is_of_whom_the_kernel_names(void **state)
{
        const struct rep_pipe_identity unknown = {.transport = REP_TRANSPORT_IPC};
        struct principal *inproc = of_transport(REP_TRANSPORT_INPROC);
        struct principal *plain = of_transport(REP_TRANSPORT_TCP);
        struct principal *user = of_uid(4294967294U);

        (void)state;
        assert_string_equal("inproc", inproc->name);
        assert_string_equal("anonymous", plain->name);
        assert_string_equal("uid:4294967294", user->name);
        assert_null(principal_of_pipe(&server, &unknown));
        drop(inproc);
        drop(plain);
        drop(user);
}

static void there_is_one_principal_of_a_caller(void **state)
{
        struct principal *first = of_uid(1000), *other = of_uid(1001), *again = of_uid(1000);

        (void)state;
        assert_ptr_equal(first, again);
        assert_ptr_not_equal(first, other);
        drop(first);
        drop(other);
        drop(again);
}

/* NULL: it may not call. */
static struct principal *by_key(const uint8_t *key, int64_t wall_us, char *name)
{
        char nobodys[PRINCIPAL_NAME_SIZE];
        struct principal *principal = NULL;

        if (principal_of_key(&server, key, wall_us, name ? name : nobodys, &principal) ==
            PRINCIPAL_HOLDS)
                return principal;

        return NULL;
}

static void a_key_is_known_by_its_name_until_its_day(void **state)
{
        const int64_t day = INT64_C(4102444800000000); /* 2100-01-01 */
        char name[PRINCIPAL_NAME_SIZE];
        struct principal *alice;

        (void)state;
        reload("allow key:alice *", key_line(1, "alice expires=2100-01-01"));
        assert_null(by_key(key_of(2), 0, name));
        assert_string_equal("", name);
        assert_null(by_key(key_of(1), day, name));
        assert_string_equal("key:alice", name);
        alice = by_key(key_of(1), day - 1, NULL);
        assert_non_null(alice);
        assert_string_equal("key:alice", alice->name);
        assert_true(may(alice));
        drop(alice);
}

static void the_longest_name_fits(void **state)
{
        char name[PIPIT_ACCESS_NAME_BYTES_MAX + 1] = {};
        struct principal *principal;

        (void)state;
        memset(name, 'n', sizeof(name) - 1);
        reload("", key_line(1, name));
        principal = by_key(key_of(1), 0, NULL);
        assert_non_null(principal);
        assert_string_equal(name, principal->name + strlen("key:"));
        drop(principal);
}

static void a_key_that_expired_in_its_session_is_revoked(void **state)
{
        struct principal *alice;

        (void)state;
        reload("allow key:alice *", key_line(1, "alice expires=2001-01-01"));
        alice = by_key(key_of(1), 0, NULL);
        assert_non_null(alice);
        assert_state(PRINCIPAL_REVOKED, alice);
        drop(alice);
}

static void a_key_that_is_taken_off_the_list_is_revoked(void **state)
{
        struct principal *alice;

        (void)state;
        reload("allow key:alice *", key_line(1, "alice"));
        alice = by_key(key_of(1), 0, NULL);
        assert_true(may(alice));
        reload("allow key:alice *", key_line(2, "bob"));
        assert_state(PRINCIPAL_REVOKED, alice);
        reload("allow key:alice *", NULL);
        assert_state(PRINCIPAL_REVOKED, alice);
        reload("allow key:alice *", key_line(1, "alice"));
        assert_true(may(alice));
        drop(alice);
}

static void another_key_of_the_same_name_is_another_principal(void **state)
{
        struct principal *old, *new;

        (void)state;
        reload("allow key:alice *", key_line(1, "alice"));
        old = by_key(key_of(1), 0, NULL);
        assert_true(may(old));
        reload("allow key:alice *", key_line(2, "alice"));
        new = by_key(key_of(2), 0, NULL);
        assert_ptr_not_equal(old, new);
        assert_state(PRINCIPAL_REVOKED, old);
        assert_true(may(new));
        drop(old);
        drop(new);
}

static void the_same_key_under_another_name_is_another_principal(void **state)
{
        struct principal *alice, *bob;

        (void)state;
        reload("allow key:alice *", key_line(1, "alice"));
        alice = by_key(key_of(1), 0, NULL);
        reload("allow key:alice *", key_line(1, "bob"));
        bob = by_key(key_of(1), 0, NULL);
        assert_string_equal("key:bob", bob->name);
        assert_state(PRINCIPAL_REVOKED, alice);
        assert_false(may(bob));
        drop(alice);
        drop(bob);
}

static void a_standing_is_made_once_a_generation(void **state)
{
        struct principal *user = of_uid(1000);
        struct standing *first, *second, *third;

        (void)state;
        first = stand(user);
        second = stand(user);
        reload("", NULL);
        third = stand(user);
        assert_ptr_equal(first, second);
        assert_ptr_not_equal(first, third);
        assert_true(third->generation > first->generation);
        standing_unref(first);
        standing_unref(second);
        standing_unref(third);
        drop(user);
}

/* A frame that came before keeps what it was let in by. */
static void a_standing_outlives_its_generation(void **state)
{
        struct principal *user;
        struct standing *old;

        (void)state;
        reload("allow uid:1000 *", NULL);
        user = of_uid(1000);
        old = stand(user);
        reload("deny any *", NULL);
        assert_false(may(user));
        assert_true(pipit_grants_decide(old->grants, METHOD).is_allowed);
        standing_unref(old);
        drop(user);
}

static void groups_are_looked_up_for_rules_that_name_them(void **state)
{
        struct principal *member = of_uid(1000), *other = of_uid(1001);

        (void)state;
        reload("allow group:readers *", NULL);
        assert_true(may(member));
        assert_false(may(other));
        drop(member);
        drop(other);
}

static void who_has_groups_that_cannot_be_told_is_to_come_again(void **state)
{
        struct principal *user = of_uid(1000), *inproc = of_transport(REP_TRANSPORT_INPROC);

        (void)state;
        (void)groups_free(server.groups);
        server.groups = groups_new(find_no_groups, NULL);
        assert_non_null(server.groups);
        reload("allow uid:1000 inproc *", NULL);
        assert_true(may(user));
        reload("allow uid:1000 inproc *\ndeny group:readers *", NULL);
        assert_state(PRINCIPAL_BUSY, user);
        assert_true(may(inproc));
        drop(user);
        drop(inproc);
}

static atomic_bool is_member;

/* Of root's group, or of none that has a name. */
static bool find_root(uint32_t uid, uint32_t **ret_gids, size_t *ret_n_gids)
{
        (void)uid;
        *ret_gids = calloc(1, sizeof(**ret_gids));
        *ret_n_gids = 1;
        assert_non_null(*ret_gids);
        (*ret_gids)[0] = atomic_load(&is_member) ? 0 : UINT32_MAX - 1;

        return true;
}

static void groups_are_looked_up_again_after_a_reload(void **state)
{
        static const char policy[] = "allow group:root *\n";
        char path[] = "/tmp/pipit-policy-XXXXXX";
        int fd = mkstemp(path);
        struct principal *user;

        (void)state;
        assert_true(fd >= 0);
        assert_int_equal(strlen(policy), write(fd, policy, strlen(policy)));
        (void)groups_free(server.groups);
        server.groups = groups_new(find_root, NULL);
        server.phase = SERVER_STARTED;
        server.options.policy_path = path;

        atomic_store(&is_member, true);
        assert_int_equal(PIPIT_OK, pipit_server_reload(&server, NULL));
        user = of_uid(1000);
        assert_true(may(user));
        atomic_store(&is_member, false);
        assert_int_equal(PIPIT_OK, pipit_server_reload(&server, NULL));
        assert_false(may(user));

        drop(user);
        (void)close(fd);
        assert_int_equal(0, unlink(path));
}

/* --- under way ----------------------------------------------------------------------------------- */

static atomic_bool is_over;

/* Rules of an even generation allow it, the others do not. */
static void *stand_main(void *argument)
{
        struct principal *principal = argument;

        while (!atomic_load(&is_over)) {
                struct standing *standing = NULL;

                if (principal_stand(&server, principal, &standing) != PRINCIPAL_HOLDS ||
                    pipit_grants_decide(standing->grants, METHOD).is_allowed !=
                            (standing->generation % 2 == 0))
                        return argument;
                standing_unref(standing);
        }

        return NULL;
}

static void rules_change_under_way(void **state)
{
        struct principal *user = of_uid(1000);
        pthread_t threads[N_THREADS];
        void *wrong;

        (void)state;
        atomic_store(&is_over, false);
        for (size_t i = 0; i < N_THREADS; ++i)
                assert_int_equal(0, pthread_create(&threads[i], NULL, stand_main, user));
        for (unsigned int i = 0; i < N_SWAPS; ++i) {
                reload(i % 2 == 0 ? "allow uid:1000 *" : "deny any *", NULL);
                assert_int_equal(i % 2 == 0, may(user));
        }
        atomic_store(&is_over, true);
        for (size_t i = 0; i < N_THREADS; ++i) {
                assert_int_equal(0, pthread_join(threads[i], &wrong));
                assert_null(wrong);
        }
        drop(user);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_pipe_is_of_whom_the_kernel_names),
                TEST(there_is_one_principal_of_a_caller),
                TEST(a_key_is_known_by_its_name_until_its_day),
                TEST(the_longest_name_fits),
                TEST(a_key_that_expired_in_its_session_is_revoked),
                TEST(a_key_that_is_taken_off_the_list_is_revoked),
                TEST(another_key_of_the_same_name_is_another_principal),
                TEST(the_same_key_under_another_name_is_another_principal),
                TEST(a_standing_is_made_once_a_generation),
                TEST(a_standing_outlives_its_generation),
                TEST(groups_are_looked_up_for_rules_that_name_them),
                TEST(who_has_groups_that_cannot_be_told_is_to_come_again),
                TEST(groups_are_looked_up_again_after_a_reload),
                TEST(rules_change_under_way),
        };

        return cmocka_run_group_tests_name("runtime_principal", tests, NULL, NULL);
}
