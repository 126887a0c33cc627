/* Which mailboxes a burst flushes, and when. They are numbers here: nothing looks into them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pipit/server.h>

#include "server/runtime/box.h"
#include "server/runtime/burst.h"

#define N_BOXES 200

static struct box boxes[N_BOXES];
static unsigned n_flushes[N_BOXES];
static int n_refs;

void box_flush(struct box *box)
{
        ++n_flushes[box - boxes];
}

struct box *box_ref(struct box *box)
{
        ++n_refs;

        return box;
}

void box_unref(struct box *box)
{
        (void)box;
        --n_refs;
}

static int forget(void **state)
{
        (void)state;
        for (size_t i = 0; i < N_BOXES; ++i)
                n_flushes[i] = 0;
        n_refs = 0;

        return 0;
}

static void without_a_burst_a_mark_flushes_at_once(void **state)
{
        (void)state;
        burst_mark(&boxes[0]);
        burst_mark(&boxes[0]);
        assert_int_equal(2, n_flushes[0]);
        assert_int_equal(0, n_refs);
}

static void a_burst_flushes_each_once_at_its_outermost_end(void **state)
{
        (void)state;
        pipit_server_cork();
        burst_mark(&boxes[0]);
        pipit_server_cork();
        burst_mark(&boxes[1]);
        burst_mark(&boxes[0]);
        pipit_server_uncork();
        assert_int_equal(0, n_flushes[0]);
        assert_int_equal(2, n_refs);
        pipit_server_uncork();
        assert_int_equal(1, n_flushes[0]);
        assert_int_equal(1, n_flushes[1]);
        assert_int_equal(0, n_refs);

        burst_mark(&boxes[0]);
        assert_int_equal(2, n_flushes[0]);
}

static void a_burst_over_many_mailboxes_flushes_all(void **state)
{
        (void)state;
        pipit_server_cork();
        for (size_t i = 0; i < N_BOXES; ++i)
                burst_mark(&boxes[i]);
        pipit_server_uncork();
        for (size_t i = 0; i < N_BOXES; ++i)
                assert_int_equal(1, n_flushes[i]);
        assert_int_equal(0, n_refs);
}

static void an_uncork_too_many_does_nothing(void **state)
{
        (void)state;
        pipit_server_uncork();
        pipit_server_cork();
        burst_mark(&boxes[0]);
        assert_int_equal(0, n_flushes[0]);
        pipit_server_uncork();
        assert_int_equal(1, n_flushes[0]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(without_a_burst_a_mark_flushes_at_once, forget),
                cmocka_unit_test_setup(a_burst_flushes_each_once_at_its_outermost_end, forget),
                cmocka_unit_test_setup(a_burst_over_many_mailboxes_flushes_all, forget),
                cmocka_unit_test_setup(an_uncork_too_many_does_nothing, forget),
        };

        return cmocka_run_group_tests_name("burst", tests, NULL, NULL);
}
