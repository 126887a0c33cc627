/*
 * Drain: docs/wire.md, section 11, up to the closed sockets
 */

#include <time.h>

#include "core/base/clock.h"
#include "core/rpc/wire_limits.h"
#include "server/runtime/runtime.h"

/* How often a drain looks again. It is the end of a process: nobody waits on a condition for it. */
#define LOOK_AGAIN_MS 2

static void look_again(void)
{
        struct timespec pause = {.tv_nsec = LOOK_AGAIN_MS * 1000000L};

        (void)nanosleep(&pause, NULL);
}

static void answer_all(struct box *box, void *context)
{
        (void)context;
        box_answer_all(box);
        box_flush(box);
        box_unref(box);
}

static void kill_one(struct box *box, void *context)
{
        (void)context;
        box_kill(box);
        box_unref(box);
}

/* Replies of a mailbox without a pipe wait for nobody. */
static void count_waiting(struct box *box, void *context)
{
        size_t *n_waiting = context;

        pthread_mutex_lock(&box->mutex);
        if (box->n_pipes > 0)
                *n_waiting += pipit_mailbox_n_calls(box->states);
        pthread_mutex_unlock(&box->mutex);
        box_unref(box);
}

static size_t n_unfinished(struct pipit_server *server)
{
        size_t n_waiting = 0;
        size_t n_calls = atomic_load(&server->n_calls);

        box_table_each(&server->boxes, count_waiting, &n_waiting);

        return n_calls > n_waiting ? n_calls : n_waiting;
}

static unsigned n_sending(const struct pipit_server *server)
{
        unsigned n = 0;

        for (size_t i = 0; i < server->n_endpoints; ++i)
                n += rep_endpoint_n_sending(server->endpoints[i]);

        return n;
}

static unsigned n_taken(const struct pipit_server *server)
{
        unsigned n = inproc_n_busy(server->inproc);

        for (size_t i = 0; i < server->n_endpoints; ++i)
                n += rep_endpoint_n_taken(server->endpoints[i]);

        return n;
}

/* What was given to a client of this process is there: nobody of these is waited for. */
static bool has_left(struct pipit_server *server)
{
        return peer_table_n_pipes(&server->peers) <= inproc_n_pipes(server->inproc);
}

/* Whoever may still bring a call is looked for before the calls are. */
static bool is_at_work(struct pipit_server *server, size_t *ret_n_left)
{
        bool may_come = inproc_n_older(server->inproc) > 0;

        *ret_n_left = n_unfinished(server);

        return may_come || *ret_n_left > 0;
}

static size_t finish(struct pipit_server *server, int64_t until_us)
{
        size_t n_left;

        while (is_at_work(server, &n_left) && pipit_clock_now_us() < until_us)
                look_again();

        return n_left;
}

/* What was sent may be in the kernel's hands still: closing now would lose it. */
static void let_leave(struct pipit_server *server)
{
        int64_t quiet_us = pipit_clock_now_us();
        int64_t until_us = quiet_us + PIPIT_SEND_TIMEOUT_MS * PIPIT_US_PER_MS;

        for (;;) {
                int64_t now_us = pipit_clock_now_us();

                if (n_sending(server) > 0)
                        quiet_us = now_us;
                if (has_left(server) || now_us >= until_us ||
                    now_us - quiet_us >= PIPIT_DRAIN_LINGER_MS * PIPIT_US_PER_MS)
                        return;
                look_again();
        }
}

void close_all(struct pipit_server *server)
{
        bool busy;

        atomic_store(&server->closing, true);
        for (size_t i = 0; i < server->n_endpoints; ++i)
                rep_endpoint_shut(server->endpoints[i]);
        inproc_shut(server->inproc);

        do {
                box_table_each(&server->boxes, kill_one, NULL);
                peer_table_kill(server);
                busy = n_taken(server) > 0 || atomic_load(&server->n_ending) > 0;
                if (busy)
                        look_again();
        } while (busy);

        for (size_t i = 0; i < server->n_endpoints; ++i)
                rep_endpoint_close(server->endpoints[i]);
}

size_t drain(struct pipit_server *server)
{
        int64_t until_us = pipit_clock_now_us() + server->options.drain_ms * PIPIT_US_PER_MS;
        size_t n_left;

        atomic_store(&server->draining, true);
        inproc_drain(server->inproc);
        box_table_each(&server->boxes, answer_all, NULL);
        /* A call that was let in just before may be counted only now. */
        do {
                n_left = finish(server, until_us);
                let_leave(server);
        } while (n_unfinished(server) > 0 && pipit_clock_now_us() < until_us);
        close_all(server);

        return n_left;
}
