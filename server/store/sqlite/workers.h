/*
 * Workers: the writer, which commits what waits together, and the reader
 */

#ifndef SERVER_STORE_SQLITE_WORKERS_H
#define SERVER_STORE_SQLITE_WORKERS_H

#include "core/base/log.h"
#include "server/store/sqlite/jobs.h"
#include "server/store/sqlite/statements.h"

/* struct worker - one thread's own; all set by who starts it, before that */
struct worker {
        struct jobs *jobs;
        struct statements statements;
        struct pipit_log *log;
        struct job **batch; /* room for batch_max */
        size_t batch_max;

        /* private */
        int64_t log_after_us;
};

/* Each runs until jobs_stop(). */
void workers_write(struct worker *worker);
void workers_read(struct worker *worker);

#endif
