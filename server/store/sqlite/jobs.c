#include "server/store/sqlite/jobs.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/thread.h"
#include "core/users/errors.h"

#define SPARE_MAX 1024 /* jobs kept for the next submit: about 3 MB */

static bool is_write(const struct job *job)
{
        return job->kind <= JOB_DELETE;
}

/* --- deadlines ---------------------------------------------------------------- */

static void deadline_set(struct jobs *jobs, struct job *job)
{
        int64_t deadline_us = job->request->deadline_us;

        pipit_alarms_set(&jobs->deadlines, &job->deadline, deadline_us);
        /* The watch is woken only if it would sleep too long: hardly ever, under load. */
        if (deadline_us < jobs->watch_until_us) {
                jobs->watch_until_us = deadline_us;
                pthread_cond_signal(&jobs->deadline_earlier);
        }
}

static void deadline_unset(struct jobs *jobs, struct job *job)
{
        pipit_alarms_set(&jobs->deadlines, &job->deadline, PIPIT_NEVER_US);
}

/* --- life -------------------------------------------------------------------- */

bool jobs_init(struct jobs *jobs,
               const struct pipit_clock *clock,
               struct users_burst burst,
               size_t queue_max,
               size_t batch_max)
{
        *jobs = (struct jobs){
                .clock = clock,
                .burst = burst,
                .queue_max = queue_max,
                .watch_until_us = PIPIT_NEVER_US,
        };
        /* Room for all that can be in flight, so that a submit never has to grow it. */
        if (!pipit_alarms_enter(&jobs->deadlines, JOB_QUEUES * (queue_max + batch_max)))
                return false;

        pipit_cond_init(&jobs->deadline_earlier);
        pthread_mutex_init(&jobs->lock, NULL);
        TAILQ_INIT(&jobs->spare);
        for (size_t i = 0; i < JOB_QUEUES; i++) {
                TAILQ_INIT(&jobs->queues[i].jobs);
                pthread_cond_init(&jobs->queues[i].filled, NULL);
        }
        return true;
}

void jobs_deinit(struct jobs *jobs)
{
        struct job *job;

        while ((job = TAILQ_FIRST(&jobs->spare))) {
                TAILQ_REMOVE(&jobs->spare, job, link);
                free(job);
        }
        for (size_t i = 0; i < JOB_QUEUES; i++)
                pthread_cond_destroy(&jobs->queues[i].filled);
        pthread_cond_destroy(&jobs->deadline_earlier);
        pthread_mutex_destroy(&jobs->lock);
        pipit_alarms_deinit(&jobs->deadlines);
}

static void drop_locked(struct jobs *jobs, struct job *job)
{
        free(job->rows);
        job->rows = NULL;
        if (jobs->n_spare == SPARE_MAX) {
                free(job);
                return;
        }
        TAILQ_INSERT_HEAD(&jobs->spare, job, link);
        jobs->n_spare++;
}

/* --- submit ------------------------------------------------------------------ */

static struct job *take_spare(struct jobs *jobs)
{
        struct job *job;

        pthread_mutex_lock(&jobs->lock);
        job = TAILQ_FIRST(&jobs->spare);
        if (job) {
                TAILQ_REMOVE(&jobs->spare, job, link);
                jobs->n_spare--;
        }
        pthread_mutex_unlock(&jobs->lock);

        return job ? job : malloc(sizeof(*job));
}

struct job *jobs_new(struct jobs *jobs,
                     struct users_request *request,
                     enum job_kind kind,
                     struct user *ret_users)
{
        struct pipit_error error;
        struct job *job;

        if (users_request_is_over(request, jobs->clock->now_us(jobs->clock->context), &error)) {
                users_request_complete(request, error);
                return NULL;
        }
        job = take_spare(jobs);
        if (!job) {
                users_request_complete(request,
                                       users_error_make(USERS_ERROR_STORE_FULL, PIPIT_NOT_RUN));
                return NULL;
        }

        job->kind = kind;
        job->has_request_id = false;
        job->error = (struct pipit_error){0};
        job->rows = NULL;
        job->n_rows = 0;
        job->request = request;
        job->ret_users = ret_users;
        job->state = JOB_QUEUED;
        job->deadline = (struct pipit_alarm){0};
        return job;
}

void jobs_submit(struct jobs *jobs, struct job *job)
{
        struct job_queue *queue = &jobs->queues[is_write(job) ? JOB_QUEUE_WRITES : JOB_QUEUE_READS];
        struct users_request *refused = NULL;

        pthread_mutex_lock(&jobs->lock);
        if (queue->n == jobs->queue_max) {
                refused = job->request;
                drop_locked(jobs, job);
        } else {
                TAILQ_INSERT_TAIL(&queue->jobs, job, link);
                queue->n++;
                deadline_set(jobs, job);
                if (queue->has_waiter)
                        pthread_cond_signal(&queue->filled);
        }
        pthread_mutex_unlock(&jobs->lock);

        if (refused)
                users_request_complete(refused,
                                       users_error_make(USERS_ERROR_STORE_BUSY, PIPIT_NOT_RUN));
}

/* --- run --------------------------------------------------------------------- */

static void begin_burst(struct jobs *jobs)
{
        if (jobs->burst.begin)
                jobs->burst.begin();
}

static void end_burst(struct jobs *jobs)
{
        if (jobs->burst.end)
                jobs->burst.end();
}

static void unqueue(struct jobs *jobs, struct job *job)
{
        struct job_queue *queue = &jobs->queues[is_write(job) ? JOB_QUEUE_WRITES : JOB_QUEUE_READS];

        TAILQ_REMOVE(&queue->jobs, job, link);
        queue->n--;
}

/* Out of a queue, into @ret_jobs or, if it is over, into *over: still to be completed. */
static size_t take_locked(struct jobs *jobs,
                          struct job_queue *queue,
                          size_t max,
                          struct job **ret_jobs,
                          struct job_list *over)
{
        int64_t now_us = jobs->clock->now_us(jobs->clock->context);
        struct job *job;
        size_t n = 0;

        while (n < max && (job = TAILQ_FIRST(&queue->jobs))) {
                unqueue(jobs, job);
                job->state = JOB_TAKEN;
                if (users_request_is_over(job->request, now_us, &job->error)) {
                        deadline_unset(jobs, job);
                        TAILQ_INSERT_TAIL(over, job, link);
                } else {
                        ret_jobs[n++] = job;
                }
        }
        return n;
}

/* Those on *list are nobody else's any more. */
static void complete_list(struct jobs *jobs, struct job_list *list)
{
        struct job_list done = TAILQ_HEAD_INITIALIZER(done);
        struct job *job;

        if (TAILQ_EMPTY(list))
                return;

        begin_burst(jobs);
        TAILQ_FOREACH(job, list, link)
        users_request_complete(job->request, job->error);
        end_burst(jobs);

        TAILQ_CONCAT(&done, list, link);
        pthread_mutex_lock(&jobs->lock);
        while ((job = TAILQ_FIRST(&done))) {
                TAILQ_REMOVE(&done, job, link);
                drop_locked(jobs, job);
        }
        pthread_mutex_unlock(&jobs->lock);
}

size_t jobs_take(struct jobs *jobs, enum job_queue_name name, size_t max, struct job **ret_jobs)
{
        struct job_queue *queue = &jobs->queues[name];
        struct job_list over = TAILQ_HEAD_INITIALIZER(over);
        bool is_last;
        size_t n;

        do {
                pthread_mutex_lock(&jobs->lock);
                while (TAILQ_EMPTY(&queue->jobs) && !jobs->stopping) {
                        queue->has_waiter = true;
                        pthread_cond_wait(&queue->filled, &jobs->lock);
                        queue->has_waiter = false;
                }
                n = take_locked(jobs, queue, max, ret_jobs, &over);
                is_last = jobs->stopping && TAILQ_EMPTY(&queue->jobs);
                pthread_mutex_unlock(&jobs->lock);

                complete_list(jobs, &over);
        } while (n == 0 && !is_last);
        return n;
}

bool jobs_start(struct jobs *jobs, struct job *job)
{
        bool is_wanted;

        pthread_mutex_lock(&jobs->lock);
        is_wanted = job->request;
        if (is_wanted)
                job->state = JOB_STARTED;
        pthread_mutex_unlock(&jobs->lock);
        return is_wanted;
}

bool jobs_are_wanted(struct jobs *jobs, struct job *const *batch, size_t n)
{
        bool is_wanted = false;

        pthread_mutex_lock(&jobs->lock);
        for (size_t i = 0; i < n && !is_wanted; i++)
                is_wanted = batch[i]->request;
        pthread_mutex_unlock(&jobs->lock);
        return is_wanted;
}

static void hand_over(struct job *job)
{
        if (job->error.status == PIPIT_OK) {
                if (job->kind == JOB_LIST) {
                        if (job->n_rows > 0)
                                memcpy(job->ret_users, job->rows, job->n_rows * sizeof(*job->rows));
                        job->request->n_users = job->n_rows;
                } else if (job->ret_users) {
                        *job->ret_users = job->result;
                }
        }
        users_request_complete(job->request, job->error);
}

void jobs_finish(struct jobs *jobs, struct job *const *batch, size_t n)
{
        /* Without a deadline the watch cannot see them: the requests are ours. */
        pthread_mutex_lock(&jobs->lock);
        for (size_t i = 0; i < n; i++)
                deadline_unset(jobs, batch[i]);
        pthread_mutex_unlock(&jobs->lock);

        begin_burst(jobs);
        for (size_t i = 0; i < n; i++) {
                if (batch[i]->request)
                        hand_over(batch[i]);
        }
        end_burst(jobs);

        pthread_mutex_lock(&jobs->lock);
        for (size_t i = 0; i < n; i++)
                drop_locked(jobs, batch[i]);
        pthread_mutex_unlock(&jobs->lock);
}

/* --- watch ------------------------------------------------------------------- */

/* A late job that a worker has stays the worker's; what is completed is a stand-in. */
struct late {
        struct users_request *request;
        struct pipit_error error;
};

#define LATE_MAX 64

static size_t let_go_locked(struct jobs *jobs, int64_t now_us, struct late late[LATE_MAX])
{
        struct pipit_alarm *alarm;
        size_t n = 0;

        while (n < LATE_MAX && (alarm = pipit_alarms_take(&jobs->deadlines, now_us))) {
                struct job *job = pipit_container_of(alarm, struct job, deadline);
                enum pipit_ran ran = job->state == JOB_STARTED && is_write(job) ? PIPIT_MAY_HAVE_RUN
                                                                                : PIPIT_NOT_RUN;

                late[n++] = (struct late){
                        .request = job->request,
                        .error = users_error_make(USERS_ERROR_DEADLINE, ran),
                };
                job->request = NULL;
                if (job->state == JOB_QUEUED) {
                        unqueue(jobs, job);
                        drop_locked(jobs, job);
                }
        }
        return n;
}

static void wait_for_deadline_locked(struct jobs *jobs)
{
        int64_t until_us = pipit_alarms_next_us(&jobs->deadlines);

        jobs->watch_until_us = until_us;
        (void)pipit_cond_wait_until(&jobs->deadline_earlier, &jobs->lock, until_us);
}

void jobs_watch(struct jobs *jobs)
{
        struct late late[LATE_MAX];

        pthread_mutex_lock(&jobs->lock);
        while (!jobs->stopping) {
                size_t n = let_go_locked(jobs, jobs->clock->now_us(jobs->clock->context), late);

                if (n == 0) {
                        wait_for_deadline_locked(jobs);
                        continue;
                }
                pthread_mutex_unlock(&jobs->lock);
                begin_burst(jobs);
                for (size_t i = 0; i < n; i++)
                        users_request_complete(late[i].request, late[i].error);
                end_burst(jobs);
                pthread_mutex_lock(&jobs->lock);
        }
        pthread_mutex_unlock(&jobs->lock);
}

void jobs_stop(struct jobs *jobs)
{
        pthread_mutex_lock(&jobs->lock);
        jobs->stopping = true;
        for (size_t i = 0; i < JOB_QUEUES; i++)
                pthread_cond_broadcast(&jobs->queues[i].filled);
        pthread_cond_broadcast(&jobs->deadline_earlier);
        pthread_mutex_unlock(&jobs->lock);
}
