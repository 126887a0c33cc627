#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "client/loop.h"
#include "core/base/clock.h"
#include "core/base/macros.h"

struct counter {
        struct loop_source source;
        struct loop *loop;
        sem_t told;
        sem_t may_end;
        unsigned int n_told;
        unsigned int n_again; /* asks for itself as often */
        bool is_held;
        int64_t at_us;
};

static void count(struct loop_source *source)
{
        struct counter *counter = pipit_container_of(source, struct counter, source);

        counter->n_told++;
        counter->at_us = pipit_clock_now_us();
        sem_post(&counter->told);
        if (counter->is_held)
                sem_wait(&counter->may_end);
        if (counter->n_again > 0) {
                counter->n_again--;
                loop_ask(counter->loop, source);
        }
}

static void counter_init(struct counter *counter, struct loop *loop)
{
        *counter = (struct counter){.source.on_asked = count, .loop = loop};
        sem_init(&counter->told, 0, 0);
        sem_init(&counter->may_end, 0, 0);
}

/* The loop runs this one until it is let go. */
static void hold(struct counter *holder, struct loop *loop)
{
        counter_init(holder, loop);
        holder->is_held = true;
        loop_ask(loop, &holder->source);
        sem_wait(&holder->told);
}

static int set_up(void **state)
{
        const char *problem;

        *state = loop_new(&problem);
        assert_non_null(*state);

        return 0;
}

static int tear_down(void **state)
{
        loop_free(*state);

        return 0;
}

static void who_is_asked_for_often_is_told_once(void **state)
{
        struct loop *loop = *state;
        struct counter holder, counter;

        hold(&holder, loop);
        counter_init(&counter, loop);
        for (int i = 0; i < 10; i++)
                loop_ask(loop, &counter.source);
        sem_post(&holder.may_end);
        loop_pass(loop);
        assert_int_equal(counter.n_told, 1);
}

static void who_is_forgotten_is_not_told(void **state)
{
        struct loop *loop = *state;
        struct counter holder, first, last;

        assert_true(loop_alarm_open(loop));
        hold(&holder, loop);
        counter_init(&first, loop);
        counter_init(&last, loop);
        loop_ask(loop, &first.source);
        loop_ask(loop, &last.source);
        loop_alarm(loop, &last.source, 0);
        loop_forget(loop, &last.source);
        loop_forget(loop, &last.source);
        sem_post(&holder.may_end);
        loop_pass(loop);
        assert_int_equal(first.n_told, 1);
        assert_int_equal(last.n_told, 0);
        loop_ask(loop, &last.source);
        loop_pass(loop);
        assert_int_equal(last.n_told, 1);
        loop_alarm_close(loop);
}

static void who_asks_for_itself_lets_others_have_their_turn(void **state)
{
        struct loop *loop = *state;
        struct counter holder, greedy, other;

        hold(&holder, loop);
        counter_init(&greedy, loop);
        counter_init(&other, loop);
        greedy.n_again = 1000;
        loop_ask(loop, &greedy.source);
        loop_ask(loop, &other.source);
        other.is_held = true;
        sem_post(&holder.may_end);
        sem_wait(&other.told);
        assert_int_equal(greedy.n_told, 1);
        sem_post(&other.may_end);
        for (int i = 0; i <= 1000; i++)
                sem_wait(&greedy.told);
        loop_pass(loop);
}

static void a_pass_waits_for_what_is_running(void **state)
{
        struct loop *loop = *state;
        struct counter counter;

        for (int i = 0; i < 1000; i++) {
                counter_init(&counter, loop);
                loop_ask(loop, &counter.source);
                loop_pass(loop);
                assert_int_equal(counter.n_told, 1);
        }
}

static void an_alarm_goes_off_at_its_time_and_not_before(void **state)
{
        struct loop *loop = *state;
        int64_t at_us = pipit_clock_now_us() + 3 * PIPIT_US_PER_MS / 2;
        struct counter soon, late;

        assert_true(loop_alarm_open(loop) && loop_alarm_open(loop));
        counter_init(&soon, loop);
        counter_init(&late, loop);
        loop_alarm(loop, &late.source, at_us + 60 * PIPIT_US_PER_S);
        loop_alarm(loop, &soon.source, at_us);
        sem_wait(&soon.told);
        assert_true(soon.at_us >= at_us);
        loop_alarm(loop, &late.source, at_us);
        sem_wait(&late.told);
        loop_pass(loop);
        assert_int_equal(soon.n_told, 1);
        assert_int_equal(late.n_told, 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
                T(who_is_asked_for_often_is_told_once),
                T(who_is_forgotten_is_not_told),
                T(who_asks_for_itself_lets_others_have_their_turn),
                T(a_pass_waits_for_what_is_running),
                T(an_alarm_goes_off_at_its_time_and_not_before),
#undef T
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
