/*
 * Jobs: the requests that a store has in flight, between the threads that
 * submit them, the two that run them, and the one that watches their deadlines
 *
 * A job is a copy of what was submitted, so that the request can be let go at
 * its deadline whatever SQLite is doing; whoever takes job->request away under
 * the lock, the worker or the watch, completes it.
 */

#ifndef SERVER_STORE_SQLITE_JOBS_H
#define SERVER_STORE_SQLITE_JOBS_H

#include <pthread.h>
#include <sys/queue.h>

#include "core/base/alarms.h"
#include "core/base/clock.h"
#include "core/users/repository.h"

/* Writes first; the number of a write is kept in the request log, so it never changes. */
enum job_kind {
        JOB_INSERT = 0,
        JOB_UPDATE = 1,
        JOB_DELETE = 2,
        JOB_FIND_BY_ID,
        JOB_FIND_BY_EMAIL,
        JOB_LIST,
};

enum job_state {
        JOB_QUEUED,
        JOB_TAKEN,   /* a worker has it, and has not touched the database for it */
        JOB_STARTED, /* it may have had its effect */
};

enum job_queue_name {
        JOB_QUEUE_WRITES,
        JOB_QUEUE_READS,
        JOB_QUEUES,
};

struct job {
        /* in: copies */
        enum job_kind kind;
        struct user user; /* what to store; of reads and deletes the id or email_key to find */
        struct users_changes changes;
        uint64_t want_version;
        bool has_request_id;
        uint8_t request_id[16];
        uint8_t request_hash[32];
        char principal[USERS_PRINCIPAL_BYTES_MAX + 1];
        bool has_after; /* a list starts after user.id */
        size_t max_users;

        /* out: set by the worker before jobs_finish() */
        struct pipit_error error;
        struct user result;
        struct user *rows; /* of a list; heap */
        size_t n_rows;
        bool depends_on_commit; /* had an effect, or repeats one of the same transaction */

        /* private; by the lock */
        struct users_request *request; /* NULL: let go */
        struct user *ret_users;
        enum job_state state;
        struct pipit_alarm deadline;
        TAILQ_ENTRY(job) link;
};

TAILQ_HEAD(job_list, job);

struct job_queue {
        struct job_list jobs;
        size_t n;
        pthread_cond_t filled;
        bool has_waiter;
};

struct jobs {
        const struct pipit_clock *clock;
        struct users_burst burst;
        size_t queue_max;

        pthread_mutex_t lock; /* guards the rest; never held over done() */
        struct job_queue queues[JOB_QUEUES];
        struct job_list spare;
        size_t n_spare;
        struct pipit_alarms deadlines; /* of jobs */
        pthread_cond_t deadline_earlier;
        int64_t watch_until_us; /* what the watch sleeps for */
        bool stopping;
};

/* False: out of memory, and nothing is left to deinit. Workers take at most @batch_max at once. */
bool jobs_init(struct jobs *jobs,
               const struct pipit_clock *clock,
               struct users_burst burst,
               size_t queue_max,
               size_t batch_max);
/* When all threads have returned. */
void jobs_deinit(struct jobs *jobs);

/*
 * A job for @request, to be filled in and submitted. NULL: the request is over
 * already, or there is no memory, and it has been completed so.
 */
struct job *jobs_new(struct jobs *jobs,
                     struct users_request *request,
                     enum job_kind kind,
                     struct user *ret_users);

/* The job is the queue's; it may be done before this returns. */
void jobs_submit(struct jobs *jobs, struct job *job);

/*
 * For a worker: waits for jobs and takes up to @max of those that are not over.
 * 0: there are none and never will be.
 */
size_t jobs_take(struct jobs *jobs, enum job_queue_name name, size_t max, struct job **ret_jobs);

/* To be called before a job touches the database. False: it was let go, skip it. */
bool jobs_start(struct jobs *jobs, struct job *job);

/* Whether somebody still waits for one of these. */
bool jobs_are_wanted(struct jobs *jobs, struct job *const *batch, size_t n);

/* Completes, in one burst, those that were not let go; frees all. */
void jobs_finish(struct jobs *jobs, struct job *const *batch, size_t n);

/* Lets jobs go at their deadlines, until jobs_stop(): a thread of its own. */
void jobs_watch(struct jobs *jobs);

/* When all requests have completed: makes jobs_take() and jobs_watch() return. */
void jobs_stop(struct jobs *jobs);

#endif
