#include <poll.h>
#include <string.h>

#include "core/base/log.h"
#include "core/base/uuid.h"
#include "server/store/postgres/pg_store.h"

/* A lost server is found again within a second. */
#define BACKOFF_FIRST_US (50 * PIPIT_US_PER_MS)
#define BACKOFF_MAX_US   (500 * PIPIT_US_PER_MS)

#define CONNECT_MAX_US (10 * PIPIT_US_PER_S)

/* Longer than any statement_timeout of ours: nothing comes from there any more. */
#define STALLED_US (90 * PIPIT_US_PER_S)

static void log_lost(struct pg_store *store, const struct pg_connection *connection)
{
        char cause[256] = "out of memory";

        if (connection->pq) {
                strncpy(cause, PQerrorMessage(connection->pq), sizeof(cause) - 1);
                cause[strcspn(cause, "\n")] = '\0';
        }
        pipit_log_line(store->log,
                       connection->n_failures == 0 ? PIPIT_LOG_WARNING : PIPIT_LOG_DEBUG,
                       "no connection to the database",
                       PIPIT_LOG_STRING("cause", cause),
                       PIPIT_LOG_INT("batches_lost", connection->n_batches));
}

static int64_t backoff_us(uint32_t n_failures)
{
        int64_t most = BACKOFF_FIRST_US;

        while (n_failures-- > 0 && most < BACKOFF_MAX_US)
                most *= 2;
        if (most > BACKOFF_MAX_US)
                most = BACKOFF_MAX_US;

        /* Not all connections of all servers at the same moment. */
        return most / 2 + (int64_t)(pipit_random_u64() % (uint64_t)(most / 2));
}

static struct pg_batch *shift(struct pg_connection *connection)
{
        struct pg_batch *batch = connection->first;

        connection->first = batch->next;
        if (!connection->first)
                connection->last = NULL;
        connection->n_batches--;
        if (pg_kind_is_write(batch->kind))
                connection->n_writes--;
        return batch;
}

static void lose(struct pg_store *store, struct pg_connection *connection)
{
        log_lost(store, connection);

        while (connection->first) {
                struct pg_batch *batch = shift(connection);

                pg_result_lost(store, batch);
                pg_batch_free(store, batch);
        }
        PQfinish(connection->pq);
        connection->pq = NULL;
        connection->wants_write = false;
        connection->state = PG_CONNECTION_DOWN;
        connection->retry_us = pipit_clock_now_us() + backoff_us(connection->n_failures);
        connection->n_failures++;
}

static void flush(struct pg_store *store, struct pg_connection *connection)
{
        int left = PQflush(connection->pq);

        if (left < 0)
                lose(store, connection);
        else
                connection->wants_write = left > 0;
}

void pg_connection_send(struct pg_store *store,
                        struct pg_connection *connection,
                        struct pg_batch *batch)
{
        batch->sent_us = pipit_clock_now_us();
        if (connection->last)
                connection->last->next = batch;
        else
                connection->first = batch;
        connection->last = batch;
        connection->n_batches++;
        if (pg_kind_is_write(batch->kind))
                connection->n_writes++;

        /* Half a batch is in the stream then: without its sync it never commits. */
        if (!pg_batch_send(store, batch, connection->pq))
                lose(store, connection);
        else
                flush(store, connection);
}

static void be_ready(struct pg_connection *connection)
{
        connection->state = PG_CONNECTION_READY;
        connection->n_failures = 0;
}

static void set_up(struct pg_store *store, struct pg_connection *connection)
{
        struct pg_batch *batch;

        if (PQsetnonblocking(connection->pq, 1) != 0 || !PQenterPipelineMode(connection->pq)) {
                lose(store, connection);
                return;
        }
        if (!store->named) {
                be_ready(connection);
                return;
        }

        batch = pg_batch_new(store, PG_SETUP);
        if (!batch) {
                lose(store, connection);
                return;
        }
        connection->state = PG_CONNECTION_SETTING_UP;
        connection->give_up_us = pipit_clock_now_us() + CONNECT_MAX_US;
        pg_connection_send(store, connection, batch);
}

void pg_connection_adopt(struct pg_store *store, struct pg_connection *connection, PGconn *pq)
{
        connection->pq = pq;
        set_up(store, connection);
}

static void advance(struct pg_store *store, struct pg_connection *connection)
{
        connection->polling = PQconnectPoll(connection->pq);
        if (connection->polling == PGRES_POLLING_FAILED)
                lose(store, connection);
        else if (connection->polling == PGRES_POLLING_OK)
                set_up(store, connection);
}

static void connect_start(struct pg_store *store, struct pg_connection *connection)
{
        connection->pq = pg_connect_start(store->conninfo);
        if (!connection->pq || PQstatus(connection->pq) == CONNECTION_BAD) {
                lose(store, connection);
                return;
        }
        connection->state = PG_CONNECTION_CONNECTING;
        connection->polling = PGRES_POLLING_WRITING;
        connection->give_up_us = pipit_clock_now_us() + CONNECT_MAX_US;
}

/* False: the connection is of no use any more. */
static bool finish_batch(struct pg_store *store, struct pg_connection *connection)
{
        struct pg_batch *batch = shift(connection);
        bool good = pg_result_finish(store, batch);

        if (batch->kind == PG_SETUP && batch->failed)
                good = false;
        else if (batch->kind == PG_SETUP)
                be_ready(connection);
        else if (batch->kind == PG_PURGE)
                pg_purged(store, batch->n_rows);
        pg_batch_free(store, batch);
        return good;
}

/*
 * Takes what has arrived. Between statements libpq says NULL once; twice means
 * that it has nothing more to say, as of a connection that broke.
 */
static bool take_results(struct pg_store *store, struct pg_connection *connection)
{
        bool said_null = false;

        while (connection->first && !PQisBusy(connection->pq)) {
                PGresult *result = PQgetResult(connection->pq);

                if (!result) {
                        if (said_null)
                                return false;
                        said_null = true;
                        continue;
                }
                said_null = false;
                if (PQresultStatus(result) != PGRES_PIPELINE_SYNC) {
                        pg_result_take(connection->first, result);
                        continue;
                }
                PQclear(result);
                if (!finish_batch(store, connection))
                        return false;
        }
        return true;
}

static void receive(struct pg_store *store, struct pg_connection *connection)
{
        bool readable = PQconsumeInput(connection->pq);
        bool good = take_results(store, connection);

        if (!readable || !good || PQstatus(connection->pq) != CONNECTION_OK)
                lose(store, connection);
}

static void service_session(struct pg_store *store,
                            struct pg_connection *connection,
                            short events,
                            int64_t now_us)
{
        if (events & ~POLLOUT)
                receive(store, connection);
        if (connection->pq && (events & POLLOUT))
                flush(store, connection);
        if (connection->pq && now_us >= pg_connection_wake_us(connection))
                lose(store, connection);
}

void pg_connection_service(struct pg_store *store,
                           struct pg_connection *connection,
                           short events,
                           int64_t now_us)
{
        switch (connection->state) {
        case PG_CONNECTION_DOWN:
                if (now_us >= connection->retry_us)
                        connect_start(store, connection);
                break;
        case PG_CONNECTION_CONNECTING:
                if (events)
                        advance(store, connection);
                else if (now_us >= connection->give_up_us)
                        lose(store, connection);
                break;
        case PG_CONNECTION_SETTING_UP:
        case PG_CONNECTION_READY:
                service_session(store, connection, events, now_us);
                break;
        }
}

int pg_connection_fd(const struct pg_connection *connection, short *ret_events)
{
        *ret_events = 0;
        if (!connection->pq)
                return -1;
        if (connection->state == PG_CONNECTION_CONNECTING)
                *ret_events = connection->polling == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        else
                *ret_events = (short)(POLLIN | (connection->wants_write ? POLLOUT : 0));
        return PQsocket(connection->pq);
}

int64_t pg_connection_wake_us(const struct pg_connection *connection)
{
        switch (connection->state) {
        case PG_CONNECTION_DOWN:
                return connection->retry_us;
        case PG_CONNECTION_CONNECTING:
        case PG_CONNECTION_SETTING_UP:
                return connection->give_up_us;
        case PG_CONNECTION_READY:
                break;
        }
        return connection->first ? connection->first->sent_us + STALLED_US : PIPIT_NEVER_US;
}

void pg_connection_deinit(struct pg_store *store, struct pg_connection *connection)
{
        /* Their requests have completed; this frees the operations. */
        while (connection->first) {
                struct pg_batch *batch = shift(connection);

                pg_batch_free(store, batch);
        }
        PQfinish(connection->pq);
        connection->pq = NULL;
}
