#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base/log.h"
#include "server/store/postgres/pg_store.h"

#define PURGE_PAUSE_US      (60 * PIPIT_US_PER_S)
#define PURGE_PAUSE_BUSY_US (100 * PIPIT_US_PER_MS)

/* How long requests wait for a server that was lost, before they are told so. */
#define DOWN_PATIENCE_US (1 * PIPIT_US_PER_S)
#define DOWN_RETRY_MS    500

static void push(struct pg_op_list *list, struct pg_op *op)
{
        op->next = NULL;
        if (list->last)
                list->last->next = op;
        else
                list->first = op;
        list->last = op;
        list->n++;
}

void pg_io_submit(struct pg_store *store, struct pg_op *op)
{
        struct pg_op *first = atomic_load_explicit(&store->inbox, memory_order_relaxed);

        do
                op->next = first;
        while (!atomic_compare_exchange_weak(&store->inbox, &first, op));

        /* Both sides write theirs before they read the other's: one of them sees it. */
        if (atomic_load(&store->asleep) && atomic_exchange(&store->asleep, false))
                (void)eventfd_write(store->event_fd, 1);
}

void pg_complete(struct pg_store *store, struct pg_op *op, struct pipit_error error)
{
        struct users_request *request = op->request;

        if (!op->sent)
                atomic_fetch_sub_explicit(&store->n_waiting, 1, memory_order_relaxed);
        op->live_previous->live_next = op->live_next;
        op->live_next->live_previous = op->live_previous;
        op->request = NULL;

        request->error = error;
        request->next = NULL;
        if (store->done_last)
                store->done_last->next = request;
        else
                store->done_first = request;
        store->done_last = request;
}

void pg_requeue(struct pg_store *store, struct pg_op *op)
{
        if (!op->request) {
                pg_op_retire(store, op);
                return;
        }
        op->sent = false;
        atomic_fetch_add_explicit(&store->n_waiting, 1, memory_order_relaxed);
        push(&store->waiting[op->kind], op);
}

void pg_purged(struct pg_store *store, uint64_t n_rows)
{
        store->purge_us = pipit_clock_now_us() +
                          (n_rows >= PG_PURGE_ROWS_MAX ? PURGE_PAUSE_BUSY_US : PURGE_PAUSE_US);
}

/* --- taking ---------------------------------------------------------------- */

static void take_one(struct pg_store *store, struct pg_op *op)
{
        op->live_next = &store->live;
        op->live_previous = store->live.live_previous;
        op->live_previous->live_next = op;
        store->live.live_previous = op;
        if (op->deadline_us < store->expiry_us)
                store->expiry_us = op->deadline_us;
        push(&store->waiting[op->kind], op);
}

static void take_inbox(struct pg_store *store)
{
        struct pg_op *op = atomic_exchange(&store->inbox, NULL);
        struct pg_op *oldest = NULL;

        while (op) {
                struct pg_op *next = op->next;

                op->next = oldest;
                oldest = op;
                op = next;
        }
        while (oldest) {
                struct pg_op *next = oldest->next;

                take_one(store, oldest);
                oldest = next;
        }
}

/* --- deadlines ------------------------------------------------------------- */

/* What waits without a request would else stay as long as the database is stuck. */
static void sweep(struct pg_store *store)
{
        for (size_t kind = 0; kind < PG_N_KINDS; kind++) {
                struct pg_op *op = store->waiting[kind].first;

                store->waiting[kind] = (struct pg_op_list){0};
                while (op) {
                        struct pg_op *next = op->next;

                        if (op->request)
                                push(&store->waiting[kind], op);
                        else
                                pg_op_retire(store, op);
                        op = next;
                }
        }
}

static void expire(struct pg_store *store)
{
        int64_t now_us = store->clock.now_us(store->clock.context);
        bool expired_unsent = false;

        if (now_us < store->expiry_us)
                return;

        store->expiry_us = PIPIT_NEVER_US;
        for (struct pg_op *op = store->live.live_next, *next; op != &store->live; op = next) {
                bool unknown = op->sent && pg_kind_is_write(op->kind);

                next = op->live_next;
                if (op->deadline_us > now_us) {
                        if (op->deadline_us < store->expiry_us)
                                store->expiry_us = op->deadline_us;
                        continue;
                }
                expired_unsent = expired_unsent || !op->sent;
                pg_complete(store,
                            op,
                            users_error_make(USERS_ERROR_DEADLINE,
                                             unknown ? PIPIT_MAY_HAVE_RUN : PIPIT_NOT_RUN));
        }
        if (expired_unsent)
                sweep(store);
}

/* --- a database that is away ----------------------------------------------- */

static uint32_t count_ready(const struct pg_store *store)
{
        uint32_t n = 0;

        for (uint32_t i = 0; i < store->n_connections; i++)
                n += store->connections[i].state == PG_CONNECTION_READY;
        return n;
}

static void refuse_waiting(struct pg_store *store)
{
        struct pipit_error error = users_error_make(USERS_ERROR_STORE_UNAVAILABLE, PIPIT_NOT_RUN);

        error.retry_after_ms = DOWN_RETRY_MS;
        for (size_t kind = 0; kind < PG_N_KINDS; kind++)
                for (struct pg_op *op = store->waiting[kind].first; op; op = op->next)
                        if (op->request)
                                pg_complete(store, op, error);
        sweep(store);
}

static void watch_connections(struct pg_store *store, int64_t now_us)
{
        if (count_ready(store) > 0) {
                if (store->told_down)
                        pipit_log_line(store->log,
                                       PIPIT_LOG_INFO,
                                       "connected to the database again",
                                       PIPIT_LOG_STRING("store", "postgres"));
                store->told_down = false;
                store->down_us = PIPIT_NEVER_US;
                return;
        }

        if (store->down_us == PIPIT_NEVER_US)
                store->down_us = now_us;
        if (now_us - store->down_us >= DOWN_PATIENCE_US) {
                store->told_down = true;
                refuse_waiting(store);
        }
}

/* --- sending --------------------------------------------------------------- */

/*
 * The connection for the next batch, or NULL: then what waits grows into a larger
 * one. The first is kept for reads, so that they never stand behind a write that
 * stands behind somebody's lock; but not where it is the only one that was had.
 */
static struct pg_connection *pick(struct pg_store *store, enum pg_kind kind)
{
        bool is_write = pg_kind_is_write(kind);
        bool keeps_first = is_write && count_ready(store) > 1;
        struct pg_connection *best = NULL;
        uint32_t best_weight = UINT32_MAX;
        bool first = true;

        for (uint32_t i = 0; i < store->n_connections; i++) {
                struct pg_connection *connection = &store->connections[i];
                uint32_t weight = connection->n_batches + (is_write ? 0 : connection->n_writes * 2);
                bool kept = first && keeps_first;

                if (connection->state != PG_CONNECTION_READY)
                        continue;
                first = false;
                if (kept || connection->n_batches >= store->depth || weight >= best_weight)
                        continue;
                best = connection;
                best_weight = weight;
        }
        return best;
}

/* Whether @n requests are worth a batch that stands behind others. */
static bool worth_queueing(const struct pg_store *store, enum pg_kind kind, size_t n)
{
        return kind == PG_LIST || n >= store->batch_max / 2;
}

static void dispatch_kind(struct pg_store *store, enum pg_kind kind)
{
        struct pg_op_list *waiting = &store->waiting[kind];

        while (waiting->first) {
                struct pg_connection *connection = pick(store, kind);
                struct pg_batch *batch;

                if (!connection ||
                    (connection->n_batches > 0 && !worth_queueing(store, kind, waiting->n)))
                        return;

                batch = pg_batch_form(store, kind);
                if (batch)
                        pg_connection_send(store, connection, batch);
        }
}

static void dispatch(struct pg_store *store)
{
        for (uint32_t i = 0; i < PG_N_KINDS; i++)
                dispatch_kind(store, (enum pg_kind)((store->first_kind + i) % PG_N_KINDS));
        store->first_kind = (store->first_kind + 1) % PG_N_KINDS;
}

static void purge(struct pg_store *store, int64_t now_us)
{
        struct pg_connection *connection;
        struct pg_batch *batch;

        if (now_us < store->purge_us)
                return;

        connection = pick(store, PG_PURGE);
        batch = connection ? pg_batch_new(store, PG_PURGE) : NULL;
        store->purge_us = now_us + (batch ? PURGE_PAUSE_US : PURGE_PAUSE_BUSY_US);
        if (batch)
                pg_connection_send(store, connection, batch);
}

/* --- completing ------------------------------------------------------------ */

static void burst(struct pg_store *store)
{
        struct users_request *request = store->done_first;

        if (!request)
                return;

        store->done_first = NULL;
        store->done_last = NULL;
        if (store->burst.begin)
                store->burst.begin();
        while (request) {
                struct users_request *next = request->next;

                request->done(request);
                request = next;
        }
        if (store->burst.end)
                store->burst.end();
}

/* --- waiting --------------------------------------------------------------- */

static int timeout_ms(struct pg_store *store)
{
        int64_t now_us = pipit_clock_now_us();
        int64_t left_us = store->purge_us - now_us;

        if (store->expiry_us != PIPIT_NEVER_US) {
                int64_t expiry_us = store->expiry_us - store->clock.now_us(store->clock.context);

                left_us = expiry_us < left_us ? expiry_us : left_us;
        }
        for (uint32_t i = 0; i < store->n_connections; i++) {
                int64_t wake_us = pg_connection_wake_us(&store->connections[i]);

                if (wake_us != PIPIT_NEVER_US && wake_us - now_us < left_us)
                        left_us = wake_us - now_us;
        }
        return left_us <= 0 ? 0 : (int)(left_us / PIPIT_US_PER_MS) + 1;
}

/* Whether there is nothing to do until a socket, a submitter or the time says so. */
static bool fall_asleep(struct pg_store *store)
{
        atomic_store(&store->asleep, true);
        if (!atomic_load(&store->inbox) && !atomic_load(&store->stopping))
                return true;
        atomic_store(&store->asleep, false);
        return false;
}

static void wait_and_service(struct pg_store *store)
{
        struct pollfd fds[PG_CONNECTIONS_MAX + 1];
        eventfd_t ignored;
        int64_t now_us;

        for (uint32_t i = 0; i < store->n_connections; i++)
                fds[i].fd = pg_connection_fd(&store->connections[i], &fds[i].events);
        fds[store->n_connections] = (struct pollfd){.fd = store->event_fd, .events = POLLIN};

        if (poll(fds, store->n_connections + 1, fall_asleep(store) ? timeout_ms(store) : 0) < 0)
                for (uint32_t i = 0; i <= store->n_connections; i++)
                        fds[i].revents = 0;
        atomic_store(&store->asleep, false);

        if (fds[store->n_connections].revents)
                (void)eventfd_read(store->event_fd, &ignored);
        now_us = pipit_clock_now_us();
        for (uint32_t i = 0; i < store->n_connections; i++)
                pg_connection_service(store, &store->connections[i], fds[i].revents, now_us);
}

void *pg_io_run(void *context)
{
        struct pg_store *store = context;

        while (!atomic_load(&store->stopping)) {
                int64_t now_us;

                take_inbox(store);
                now_us = pipit_clock_now_us();
                expire(store);
                dispatch(store);
                watch_connections(store, now_us);
                purge(store, now_us);
                pg_pool_refill(store);
                burst(store);
                wait_and_service(store);
        }
        return NULL;
}
