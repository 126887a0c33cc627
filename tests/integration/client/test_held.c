/*
 * A caller that is held up between writing its frame and getting back to the
 * channel. The linker puts the functions below in the way (--wrap).
 */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "tests/integration/client/fixture.h"

#include "client/channel.h"
#include "core/base/macros.h"

/* The caller stops where it lets go of the transport's mutex after its write. */
static _Thread_local bool is_held_caller;
static _Thread_local bool has_written;
static sem_t caller_is_held;
static sem_t caller_may_go;

/* The thread that frees waits for the channel's users, or has freed. */
static _Thread_local const struct pipit_channel *freeing;
static sem_t free_got_somewhere;
static atomic_bool is_freed;

ssize_t __real_send(int fd, const void *bytes, size_t n_bytes, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t n_bytes, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);
int __real_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __real_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);
int __wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);
static void wait_for(sem_t *event)
{
        while (sem_wait(event) != 0)
                ;
}

ssize_t __wrap_send(int fd, const void *bytes, size_t n_bytes, int flags)
{
        has_written = is_held_caller;

        return __real_send(fd, bytes, n_bytes, flags);
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
        has_written = is_held_caller;

        return __real_sendmsg(fd, message, flags);
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
        int error = __real_pthread_mutex_unlock(mutex);

        if (!has_written)
                return error;

        has_written = is_held_caller = false;
        sem_post(&caller_is_held);
        wait_for(&caller_may_go);

        return error;
}

int __wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
        if (freeing && cond == &freeing->idle)
                sem_post(&free_got_somewhere);

        return __real_pthread_cond_wait(cond, mutex);
}

/* What the fixture's call left to the loops is done then: else they may write the caller's frame, too. */
static int set_up(void **state)
{
        const struct setting *setting;

        sem_init(&caller_is_held, 0, 0);
        sem_init(&caller_may_go, 0, 0);
        sem_init(&free_got_somewhere, 0, 0);
        atomic_store(&is_freed, false);
        if (set_up_manual(state) != 0)
                return -1;
        setting = *state;
        loop_pass(setting->channel->sockets_loop);
        loop_pass(setting->channel->loop);

        return 0;
}

static void *free_channel(void *context)
{
        struct setting *setting = context;

        freeing = setting->channel;
        setting->channel = pipit_channel_free(setting->channel);
        atomic_store(&is_freed, true);
        sem_post(&free_got_somewhere);

        return NULL;
}

/* The caller's call is over, but the caller is not back yet. */
static void assert_free_waits_for(pthread_t caller, struct setting *setting)
{
        pthread_t thread;

        assert_int_equal(pthread_create(&thread, NULL, free_channel, setting), 0);
        wait_for(&free_got_somewhere);
        assert_false(atomic_load(&is_freed));
        sem_post(&caller_may_go);
        assert_int_equal(pthread_join(caller, NULL), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_true(atomic_load(&is_freed));
}

/* Calls that were cancelled before are over then, and nothing counts them any more. */
static void wait_until_the_channel_rests(struct pipit_channel *channel)
{
        struct waited_call waited;

        waited_init(&waited);
        waited_start(&waited, channel, "x");
        pipit_call_cancel(&waited.call);
        assert_true(waited_wait(&waited));
        loop_pass(channel->loop);
        waited_deinit(&waited);
}

struct caller {
        struct setting *setting;
        struct waited_call waited;
};

static void *call_held(void *context)
{
        struct caller *caller = context;
        struct pipit_call *call = &caller->waited.call;

        is_held_caller = true;
        assert_int_equal(blocking_echo(caller->setting->channel, call, "q"), PIPIT_CANCELLED);

        return NULL;
}

static void *start_held(void *context)
{
        struct caller *caller = context;

        is_held_caller = true;
        waited_start(&caller->waited, caller->setting->channel, "q");

        return NULL;
}

static void a_channel_is_not_freed_under_a_caller_whose_call_is_over(void **state)
{
        struct caller caller = {.setting = *state};
        pthread_t thread;

        waited_init(&caller.waited);
        assert_int_equal(pthread_create(&thread, NULL, call_held, &caller), 0);
        wait_for(&caller_is_held);
        pipit_call_cancel(&caller.waited.call);
        wait_until_the_channel_rests(caller.setting->channel);
        assert_free_waits_for(thread, caller.setting);
        waited_deinit(&caller.waited);
}

static void a_channel_is_not_freed_under_a_start_whose_call_is_over(void **state)
{
        struct caller caller = {.setting = *state};
        pthread_t thread;

        waited_init(&caller.waited);
        assert_int_equal(pthread_create(&thread, NULL, start_held, &caller), 0);
        wait_for(&caller_is_held);
        pipit_call_cancel(&caller.waited.call);
        assert_true(waited_wait(&caller.waited));
        wait_until_the_channel_rests(caller.setting->channel);
        assert_free_waits_for(thread, caller.setting);
        waited_deinit(&caller.waited);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(
                        a_channel_is_not_freed_under_a_caller_whose_call_is_over,
                        set_up,
                        tear_down),
                cmocka_unit_test_setup_teardown(
                        a_channel_is_not_freed_under_a_start_whose_call_is_over, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
