#include "client/loops.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "client/loop.h"
#include "core/base/thread.h"

#define N_LOOPS_MAX 64

struct shared {
        struct loop *loop;
        size_t n_users;
};

static struct {
        pthread_mutex_t mutex;
        pthread_once_t once;

        /* mutex */
        struct shared shared[LOOPS_N_KINDS][N_LOOPS_MAX];
        size_t n_shared[LOOPS_N_KINDS];
} all = {
        .mutex = PTHREAD_MUTEX_INITIALIZER,
        .once = PTHREAD_ONCE_INIT,
};

/* --- fork() ---------------------------------------------------------------- */

static void before_fork(void)
{
        pthread_mutex_lock(&all.mutex);
}

static void after_fork(void)
{
        pthread_mutex_unlock(&all.mutex);
}

/* Their threads are the parent's; so are the channels that use them. */
static void in_child(void)
{
        for (size_t kind = 0; kind < LOOPS_N_KINDS; kind++)
                all.n_shared[kind] = 0;
        pthread_mutex_unlock(&all.mutex);
}

static void watch_fork(void)
{
        (void)pthread_atfork(before_fork, after_fork, in_child);
}

/* --- taking and giving back: mutex held ------------------------------------ */

static size_t n_loops_max(void)
{
        size_t n = pipit_n_processors();

        return n < N_LOOPS_MAX ? n : N_LOOPS_MAX;
}

/* NULL: there is none. */
static struct shared *least_used(enum loops_kind kind)
{
        struct shared *least = NULL;

        for (size_t i = 0; i < all.n_shared[kind]; i++)
                if (!least || all.shared[kind][i].n_users < least->n_users)
                        least = &all.shared[kind][i];

        return least;
}

static struct shared *add(enum loops_kind kind, const char **ret_problem)
{
        struct loop *loop = loop_new(ret_problem);
        struct shared *shared = &all.shared[kind][all.n_shared[kind]];

        if (!loop)
                return NULL;
        *shared = (struct shared){.loop = loop};
        all.n_shared[kind]++;

        return shared;
}

/* Where no more threads are to be had, those that are there serve. */
static struct shared *choose(enum loops_kind kind, const char **ret_problem)
{
        struct shared *chosen = NULL;

        if (all.n_shared[kind] < n_loops_max())
                chosen = add(kind, ret_problem);

        return chosen ? chosen : least_used(kind);
}

/* Nobody has it any more. */
static void drop(enum loops_kind kind, struct shared *shared)
{
        *shared = all.shared[kind][--all.n_shared[kind]];
}

struct loop *loops_take(enum loops_kind kind, const char **ret_problem)
{
        struct shared *chosen;
        struct loop *loop = NULL;

        (void)pthread_once(&all.once, watch_fork);
        pthread_mutex_lock(&all.mutex);
        chosen = choose(kind, ret_problem);
        if (chosen) {
                chosen->n_users++;
                loop = chosen->loop;
        }
        pthread_mutex_unlock(&all.mutex);

        return loop;
}

void loops_give_back(enum loops_kind kind, struct loop *loop)
{
        bool is_last = false;

        pthread_mutex_lock(&all.mutex);
        for (size_t i = 0; i < all.n_shared[kind]; i++) {
                struct shared *shared = &all.shared[kind][i];

                if (shared->loop != loop)
                        continue;
                is_last = --shared->n_users == 0;
                if (is_last)
                        drop(kind, shared);
                break;
        }
        pthread_mutex_unlock(&all.mutex);

        if (is_last)
                loop_free(loop);
}
