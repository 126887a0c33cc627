#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "server/runtime/groups.h"

static struct {
        pthread_mutex_t mutex;
        pthread_cond_t changed;
        bool is_shut;
        bool fails;
        unsigned int n_begun;
        struct groups *groups;
} names = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* uid N has the groups N, and how many look-ups there were before. */
static bool find(uint32_t uid, uint32_t **ret_gids, size_t *ret_n_gids)
{
        uint32_t *gids = calloc(2, sizeof(*gids));
        bool fails;

        assert_non_null(gids);
        pthread_mutex_lock(&names.mutex);
        gids[0] = uid;
        gids[1] = names.n_begun++;
        pthread_cond_broadcast(&names.changed);
        while (names.is_shut)
                pthread_cond_wait(&names.changed, &names.mutex);
        fails = names.fails;
        pthread_mutex_unlock(&names.mutex);

        if (fails) {
                free(gids);
                return false;
        }
        *ret_gids = gids;
        *ret_n_gids = 2;

        return true;
}

static void set(bool *flag, bool value)
{
        pthread_mutex_lock(&names.mutex);
        *flag = value;
        pthread_cond_broadcast(&names.changed);
        pthread_mutex_unlock(&names.mutex);
}

static void wait_begun(unsigned int n)
{
        pthread_mutex_lock(&names.mutex);
        while (names.n_begun < n)
                pthread_cond_wait(&names.changed, &names.mutex);
        pthread_mutex_unlock(&names.mutex);
}

static unsigned int n_begun(void)
{
        unsigned int n;

        pthread_mutex_lock(&names.mutex);
        n = names.n_begun;
        pthread_mutex_unlock(&names.mutex);

        return n;
}

static int set_up(void **state)
{
        (void)state;
        names.is_shut = false;
        names.fails = false;
        names.n_begun = 0;
        names.groups = groups_new(find, NULL);

        return names.groups ? 0 : -1;
}

static int tear_down(void **state)
{
        (void)state;
        set(&names.is_shut, false);
        names.groups = groups_free(names.groups);

        return 0;
}

/* As a caller does that was told to come again. */
static struct gids *get(uint32_t uid)
{
        struct gids *gids;

        while (!(gids = groups_get(names.groups, uid)))
                (void)sched_yield();

        return gids;
}

static void assert_gids(uint32_t uid, uint32_t nth)
{
        struct gids *gids = get(uid);

        assert_int_equal(2, gids->n_ids);
        assert_int_equal(uid, gids->ids[0]);
        assert_int_equal(nth, gids->ids[1]);
        gids_unref(gids);
}

/* --- tests ------------------------------------------------------------------------------ */

static void a_uid_is_looked_up_once(void **state)
{
        (void)state;
        assert_gids(7, 0);
        assert_gids(8, 1);
        assert_gids(7, 0);
        assert_gids(8, 1);
        assert_int_equal(2, n_begun());
}

static void a_slow_look_up_holds_nobody_up(void **state)
{
        (void)state;
        set(&names.is_shut, true);
        assert_null(groups_get(names.groups, 7));
        wait_begun(1);
        assert_null(groups_get(names.groups, 7));
        assert_null(groups_get(names.groups, 8));
        set(&names.is_shut, false);
        assert_gids(7, 0);
        assert_gids(8, 1);
        assert_int_equal(2, n_begun());
}

static void what_is_forgotten_is_looked_up_again(void **state)
{
        (void)state;
        assert_gids(7, 0);
        groups_forget(names.groups);
        assert_gids(7, 1);
}

static void a_look_up_that_began_before_it_was_forgotten_counts_for_nothing(void **state)
{
        (void)state;
        set(&names.is_shut, true);
        assert_null(groups_get(names.groups, 7));
        wait_begun(1);
        groups_forget(names.groups);
        assert_null(groups_get(names.groups, 7));
        set(&names.is_shut, false);
        assert_gids(7, 1);
}

static void what_could_not_be_told_is_tried_again(void **state)
{
        (void)state;
        set(&names.fails, true);
        while (n_begun() < 3)
                assert_null(groups_get(names.groups, 7));
        set(&names.fails, false);
        gids_unref(get(7));
}

static void of_too_many_uids_the_oldest_goes(void **state)
{
        (void)state;
        for (uint32_t uid = 0; uid < GROUPS_UIDS_MAX; ++uid)
                assert_gids(uid, uid);
        assert_gids(5000, GROUPS_UIDS_MAX);
        assert_gids(1, 1);
        assert_gids(0, GROUPS_UIDS_MAX + 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_uid_is_looked_up_once),
                TEST(a_slow_look_up_holds_nobody_up),
                TEST(what_is_forgotten_is_looked_up_again),
                TEST(a_look_up_that_began_before_it_was_forgotten_counts_for_nothing),
                TEST(what_could_not_be_told_is_tried_again),
                TEST(of_too_many_uids_the_oldest_goes),
        };

        return cmocka_run_group_tests_name("runtime_groups", tests, NULL, NULL);
}
