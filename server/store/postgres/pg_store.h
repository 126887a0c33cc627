/*
 * The inside of the PostgreSQL store
 *
 *      submit -> inbox -> [I/O thread: waiting, by kind -> batch -> connection] -> done
 *
 * Submitters copy what they submit into an operation and push that to the inbox.
 * All else belongs to the I/O thread, without locks. An operation lives until the
 * database has answered; its request may leave it earlier, at its deadline.
 */

#ifndef SERVER_STORE_POSTGRES_PG_STORE_H
#define SERVER_STORE_POSTGRES_PG_STORE_H

#include <libpq-fe.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/users/errors.h"
#include "core/users/repository.h"
#include "server/store/postgres/pg_binary.h"
#include "server/store/postgres/pg_migrate.h"
#include "server/store/postgres/pg_statement.h"
#include "server/store/postgres/postgres.h"

/* What is sent together: requests of one kind. Reads come first. */
enum pg_kind {
        PG_FIND_BY_ID,
        PG_FIND_BY_EMAIL,
        PG_LIST,
        PG_INSERT,
        PG_UPDATE,
        PG_DELETE,
        PG_LOGGED_INSERT, /* these carry a request_id */
        PG_LOGGED_UPDATE,
        PG_LOGGED_DELETE,
        PG_N_KINDS,
        PG_SETUP = PG_N_KINDS, /* of a connection; these two carry no requests */
        PG_PURGE,
};

static inline bool pg_kind_is_write(enum pg_kind kind)
{
        return kind >= PG_INSERT;
}

static inline bool pg_kind_is_logged(enum pg_kind kind)
{
        return kind >= PG_LOGGED_INSERT && kind < PG_N_KINDS;
}

/*
 * Batches that a connection has under way at once; behind a pooler one: PgBouncer
 * (1.18 seen) gives the server's connection to the next client once every Sync that
 * it has read is answered, though half of the next Bind has gone there already, and
 * the two clients' bytes mix.
 */
#define PG_DEPTH        4
#define PG_DEPTH_POOLED 1

#define PG_CONNECTIONS_MAX 64
#define PG_BATCH_MAX       4096 /* slots hold 16 bits, and are half empty */

/* Rows of the request log that are purged in one bite: a few milliseconds. */
#define PG_PURGE_ROWS_MAX 500

/* Of all the strings that one operation may carry, with their ends. */
#define PG_TEXT_BYTES_MAX                                                                          \
        (2 * (USER_EMAIL_BYTES_MAX + 1) + USER_NAME_BYTES_MAX + 1 + USERS_PRINCIPAL_BYTES_MAX + 1)

/* A string within an operation. */
struct pg_text {
        uint16_t start;
        uint16_t n_bytes;
        bool set;
};

struct pg_op {
        struct pg_op *next; /* in the inbox, in a list that waits, in the pool */
        struct pg_op *twin; /* the next of its batch that reads the same key */

        /* while it has a request */
        struct users_request *request; /* NULL: completed already */
        struct user *ret_users;
        struct pg_op *live_next;
        struct pg_op *live_previous;
        int64_t deadline_us;

        enum pg_kind kind;
        bool sent;          /* in a batch */
        bool alone;         /* not to be batched with others */
        bool has_after;     /* list */
        bool has_age;       /* update */
        uint8_t n_attempts; /* that failed and were rolled back */
        uint8_t outcome;    /* the lowest enum pg_outcome that came, or PG_OUTCOME_NONE */
        int row;            /* of the batch's rows, that says so */

        struct pipit_uuid id; /* of a user; list: after */
        uint32_t age;
        int64_t create_time_us;
        int64_t update_time_us;
        uint64_t version; /* insert: of the user; update, delete: wanted */
        size_t max_users;
        uint8_t request_id[16];
        uint8_t request_hash[32];
        struct pg_text email;
        struct pg_text email_key;
        struct pg_text name;
        struct pg_text principal;
        uint16_t n_text_bytes;
        char text[PG_TEXT_BYTES_MAX];
};

#define PG_OUTCOME_NONE UINT8_MAX

struct pg_op_list {
        struct pg_op *first;
        struct pg_op *last;
        size_t n;
};

/*
 * struct pg_batch - the statements of one implicit transaction
 *
 * ops hold distinct keys; slots find them (open addressing, index + 1).
 */
struct pg_batch {
        struct pg_batch *next;
        enum pg_kind kind;
        int64_t sent_us;
        bool failed;
        char sqlstate[6]; /* of the first error; empty: libpq's own */
        bool email_taken; /* the error names the constraint on emails */
        char cause[160];  /* of the error, for the log */
        PGresult *rows;   /* kept until the commit: then requests get to know them */
        uint64_t n_rows;  /* purge: deleted */
        size_t n;
        struct pg_op **ops;
        uint16_t *slots;         /* by id, or email_key */
        uint16_t *request_slots; /* by principal and request_id */
};

enum pg_connection_state {
        PG_CONNECTION_DOWN,       /* until retry_us */
        PG_CONNECTION_CONNECTING, /* until give_up_us */
        PG_CONNECTION_SETTING_UP, /* PG_SETUP is under way, until give_up_us */
        PG_CONNECTION_READY,
};

struct pg_connection {
        enum pg_connection_state state;
        PGconn *pq;
        PostgresPollingStatusType polling;
        bool wants_write;
        uint32_t n_failures;
        int64_t retry_us;
        int64_t give_up_us;
        struct pg_batch *first; /* under way, in order */
        struct pg_batch *last;
        uint32_t n_batches;
        uint32_t n_writes;
};

struct pg_slab;

struct pg_store {
        struct users_repository repository;

        /* set by new() */
        struct pipit_clock clock;
        struct pipit_log *log;
        struct users_burst burst;
        char *conninfo;
        uint32_t n_connections;
        uint32_t queue_max;
        uint32_t batch_max;
        size_t n_slots;
        uint32_t depth; /* batches a connection */
        bool named;
        uint8_t page_token_key[PG_PAGE_TOKEN_KEY_BYTES];
        int event_fd;
        pthread_t thread;

        /* shared with submitters */
        _Atomic(struct pg_op *) inbox; /* the latest first */
        atomic_bool asleep;            /* the I/O thread: whoever clears it wakes it */
        atomic_bool stopping;
        atomic_uint n_waiting; /* submitted, neither sent nor completed */
        pthread_mutex_t pool_lock;
        struct pg_op *pool;
        struct pg_slab *slabs;

        /* the I/O thread's */
        struct pg_op_list waiting[PG_N_KINDS];
        uint32_t first_kind; /* that is looked at: they take turns */
        struct pg_op live;   /* head of the ring of operations that have a request */
        int64_t expiry_us;   /* no deadline is before */
        struct users_request *done_first;
        struct users_request *done_last;
        struct pg_op *spent; /* on their way back to the pool */
        struct pg_connection *connections;
        struct pg_batch *batches;      /* unused */
        struct pg_batch *batch_memory; /* all of them */
        struct pg_parameters parameters;
        int64_t purge_us; /* when next */
        int64_t down_us;  /* since when nothing is connected; PIPIT_NEVER_US: something is */
        bool told_down;
};

/* --- pg_pool.c ------------------------------------------------------------- */

/* An operation of unset content. NULL: out of memory. Any thread. */
struct pg_op *pg_op_new(struct pg_store *store);

/* The I/O thread gives back what pg_op_retire() collected. */
void pg_op_retire(struct pg_store *store, struct pg_op *op);
void pg_pool_refill(struct pg_store *store);
void pg_pool_deinit(struct pg_store *store);

/* --- pg_io.c --------------------------------------------------------------- */

/* The I/O thread; @context is the store. */
void *pg_io_run(void *context);

/* Queues @op for the I/O thread, and wakes it if need be. Any thread. */
void pg_io_submit(struct pg_store *store, struct pg_op *op);

/* Ends op's request, if it still has one, in the burst to come. */
void pg_complete(struct pg_store *store, struct pg_op *op, struct pipit_error error);

/* Puts an operation whose batch came to nothing back in line, or frees it if nobody waits for it. */
void pg_requeue(struct pg_store *store, struct pg_op *op);

/* A purge took @n_rows: decides when the next is due. */
void pg_purged(struct pg_store *store, uint64_t n_rows);

/* --- pg_batch.c ------------------------------------------------------------ */

/* Takes up to batch_max of what waits. NULL: there was nothing alive. */
struct pg_batch *pg_batch_form(struct pg_store *store, enum pg_kind kind);

/* Of no operations: PG_SETUP, PG_PURGE. NULL: all are in use. */
struct pg_batch *pg_batch_new(struct pg_store *store, enum pg_kind kind);
void pg_batch_free(struct pg_store *store, struct pg_batch *batch);

/* The operation with this id (PG_FIND_BY_EMAIL: email_key), or NULL. */
struct pg_op *pg_batch_find(const struct pg_store *store,
                            const struct pg_batch *batch,
                            const void *key,
                            size_t n_bytes);

/* Sends its statements and the sync. False: out of memory, or the connection is broken. */
PIPIT_MUST_CHECK bool pg_batch_send(struct pg_store *store, struct pg_batch *batch, PGconn *pq);

/* --- pg_result.c ----------------------------------------------------------- */

/* Takes ownership of a result of one of its statements. */
void pg_result_take(struct pg_batch *batch, PGresult *result);

/* The transaction is over: completes the batch, or queues it again. False: the connection is to be replaced. */
PIPIT_MUST_CHECK bool pg_result_finish(struct pg_store *store, struct pg_batch *batch);

/* The connection ended with the batch under way. */
void pg_result_lost(struct pg_store *store, struct pg_batch *batch);

/* --- pg_connection.c ------------------------------------------------------- */

/* Goes on with @pq, which is connected. */
void pg_connection_adopt(struct pg_store *store, struct pg_connection *connection, PGconn *pq);

/* Moves on whatever its socket, or the time, allows. @events of poll(). */
void pg_connection_service(struct pg_store *store,
                           struct pg_connection *connection,
                           short events,
                           int64_t now_us);

/* What to poll for, and until when. -1: no socket now. */
int pg_connection_fd(const struct pg_connection *connection, short *ret_events);
int64_t pg_connection_wake_us(const struct pg_connection *connection);

void pg_connection_send(struct pg_store *store,
                        struct pg_connection *connection,
                        struct pg_batch *batch);
void pg_connection_deinit(struct pg_store *store, struct pg_connection *connection);

#endif
