#include "core/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log_text.h"
#include "core/base/thread.h"

/* What free gives a reader that is stuck. */
#define STOP_TIMEOUT_US PIPIT_US_PER_S

/* How long the writer gathers lines after a write, so that a busy program does not wake it for each. */
#define GATHER_US (10 * PIPIT_US_PER_MS)

/* How often a writer whose reader is stuck looks whether to go on. */
#define STUCK_POLL_MS 50

/* A regular file takes more at once than a pipe does. */
#define FILE_WRITE_BYTES (64 * 1024)

_Static_assert(PIPIT_LOG_LINE_BYTES_MAX <= PIPE_BUF, "a line goes into a pipe whole or not at all");

struct pipit_log {
        int fd;
        enum pipit_log_format format;
        enum pipit_log_level level;
        size_t write_bytes_max;
        pthread_t writer;

        pthread_mutex_t mutex;
        pthread_cond_t writer_wakes;
        pthread_cond_t writer_moved;
        /* Bytes since the start, written to the buffer and taken from it. */
        uint64_t n_in;
        uint64_t n_out;
        uint64_t n_dropped;
        int64_t stop_deadline_us;
        bool writer_idle;
        bool urgent; /* somebody waits: do not gather */
        bool stopping;
        bool writer_done;
        bool abandoned; /* the writer frees it all, when its write returns */
        char buffer[PIPIT_LOG_BUFFER_BYTES];
};

/* @bytes go in whole; the caller has checked that there is room, and holds the lock. */
static void buffer_put(struct pipit_log *log, const char *bytes, size_t n_bytes)
{
        size_t at = log->n_in % PIPIT_LOG_BUFFER_BYTES;
        size_t n_first = PIPIT_LOG_BUFFER_BYTES - at;

        if (n_first > n_bytes)
                n_first = n_bytes;
        memcpy(log->buffer + at, bytes, n_first);
        memcpy(log->buffer, bytes + n_first, n_bytes - n_first);
        log->n_in += n_bytes;
}

static void put_line(struct pipit_log *log, struct pipit_log_text *text)
{
        pipit_log_text_end(text, log->n_dropped);
        if (text->n_bytes > PIPIT_LOG_BUFFER_BYTES - (log->n_in - log->n_out)) {
                log->n_dropped++;
                return;
        }

        buffer_put(log, text->bytes, text->n_bytes);
        log->n_dropped = 0;
}

/* What the buffer holds from @from on, in the two pieces of a ring. */
static int buffer_pieces(struct pipit_log *log,
                         uint64_t from,
                         size_t n_bytes,
                         struct iovec ret_pieces[2])
{
        size_t at = from % PIPIT_LOG_BUFFER_BYTES;
        size_t n_first = PIPIT_LOG_BUFFER_BYTES - at;

        if (n_first > n_bytes)
                n_first = n_bytes;
        ret_pieces[0] = (struct iovec){log->buffer + at, n_first};
        ret_pieces[1] = (struct iovec){log->buffer, n_bytes - n_first};

        return n_first < n_bytes ? 2 : 1;
}

/*
 * How many bytes to write at once: whole lines, as many as fit. A line begun by
 * a short write may be the only one, and then it is written to its end.
 */
static size_t batch_bytes(const struct pipit_log *log, uint64_t from, uint64_t to)
{
        size_t n_bytes =
                to - from < log->write_bytes_max ? (size_t)(to - from) : log->write_bytes_max;

        for (size_t n = n_bytes; n > 0; n--) {
                if (log->buffer[(from + n - 1) % PIPIT_LOG_BUFFER_BYTES] == '\n')
                        return n;
        }

        return n_bytes;
}

static uint64_t count_lines(const struct pipit_log *log, uint64_t from, size_t n_bytes)
{
        uint64_t n_lines = 0;

        for (size_t i = 0; i < n_bytes; i++)
                n_lines += log->buffer[(from + i) % PIPIT_LOG_BUFFER_BYTES] == '\n';

        return n_lines;
}

/* Whether the writer is to give up on a reader that is stuck. */
static bool stop_is_over(struct pipit_log *log)
{
        bool over;

        (void)pthread_mutex_lock(&log->mutex);
        over = log->stopping && pipit_clock_now_us() >= log->stop_deadline_us;
        (void)pthread_mutex_unlock(&log->mutex);

        return over;
}

/*
 * The descriptor may be shared, so its flags stay as they are: poll says that
 * PIPE_BUF bytes will go without blocking. Where another process takes that room
 * first, write blocks all the same, and free goes on without this thread.
 * False: the reader is stuck and time is up.
 */
static bool write_some(struct pipit_log *log,
                       const struct iovec *pieces,
                       int n_pieces,
                       ssize_t *ret_n_written)
{
        struct pollfd poll_fd = {.fd = log->fd, .events = POLLOUT};

        while (poll(&poll_fd, 1, STUCK_POLL_MS) <= 0) {
                if (stop_is_over(log))
                        return false;
        }

        *ret_n_written = writev(log->fd, pieces, n_pieces);

        return true;
}

/* Called, and returns, without the lock. False: give up. */
static bool write_batch(struct pipit_log *log, uint64_t from, uint64_t to, size_t *ret_n_done)
{
        size_t n_bytes = batch_bytes(log, from, to);
        struct iovec pieces[2];
        int n_pieces = buffer_pieces(log, from, n_bytes, pieces);
        uint64_t n_lost = 0;
        ssize_t n_written = 0;
        bool abandoned;

        if (!write_some(log, pieces, n_pieces, &n_written))
                return false;
        if (n_written < 0 && (errno == EINTR || errno == EAGAIN))
                n_written = 0;
        /* A reader that has gone, a full disk: these lines are lost, later ones may not be. */
        if (n_written < 0) {
                n_lost = count_lines(log, from, n_bytes);
                n_written = (ssize_t)n_bytes;
        }

        (void)pthread_mutex_lock(&log->mutex);
        log->n_out += (uint64_t)n_written;
        log->n_dropped += n_lost;
        abandoned = log->abandoned;
        (void)pthread_cond_broadcast(&log->writer_moved);
        (void)pthread_mutex_unlock(&log->mutex);
        *ret_n_done = (size_t)n_written;

        return !abandoned;
}

/* Writes what waits. False: give up. */
static bool write_all(struct pipit_log *log)
{
        uint64_t from;
        uint64_t to;

        (void)pthread_mutex_lock(&log->mutex);
        from = log->n_out;
        to = log->n_in;
        (void)pthread_mutex_unlock(&log->mutex);

        while (from < to) {
                size_t n_done;

                if (!write_batch(log, from, to, &n_done))
                        return false;
                from += n_done;
        }

        return true;
}

/* Waits for lines, gathering some where nobody waits. False: stopping, and all is written. */
static bool wait_for_lines(struct pipit_log *log)
{
        int64_t until_us = pipit_clock_now_us() + GATHER_US;
        bool is_time = true;
        bool more;

        (void)pthread_mutex_lock(&log->mutex);
        while (!log->urgent && !log->stopping && is_time &&
               log->n_in - log->n_out < PIPIT_LOG_BUFFER_BYTES / 2)
                is_time = pipit_cond_wait_until(&log->writer_wakes, &log->mutex, until_us);

        while (log->n_in == log->n_out && !log->stopping) {
                log->urgent = false;
                log->writer_idle = true;
                (void)pthread_cond_wait(&log->writer_wakes, &log->mutex);
        }
        log->writer_idle = false;
        more = log->n_in > log->n_out;
        (void)pthread_mutex_unlock(&log->mutex);

        return more;
}

/* No line came after the lost ones to tell of them. */
static void report_dropped(struct pipit_log *log)
{
        struct pipit_log_text text;

        pipit_log_text_begin(&text,
                             log->format,
                             pipit_clock_wall_us(),
                             PIPIT_LOG_WARNING,
                             "log lines were lost",
                             NULL,
                             0);
        (void)pthread_mutex_lock(&log->mutex);
        if (log->n_dropped > 0)
                put_line(log, &text);
        (void)pthread_mutex_unlock(&log->mutex);
}

static void destroy(struct pipit_log *log)
{
        (void)pthread_cond_destroy(&log->writer_moved);
        (void)pthread_cond_destroy(&log->writer_wakes);
        (void)pthread_mutex_destroy(&log->mutex);
        (void)close(log->fd);
        free(log);
}

static void *writer_main(void *context)
{
        struct pipit_log *log = context;
        bool alive = true;
        bool abandoned;

        while (alive && wait_for_lines(log))
                alive = write_all(log);
        if (alive) {
                report_dropped(log);
                (void)write_all(log);
        }

        (void)pthread_mutex_lock(&log->mutex);
        log->writer_done = true;
        abandoned = log->abandoned;
        (void)pthread_cond_broadcast(&log->writer_moved);
        (void)pthread_mutex_unlock(&log->mutex);
        if (abandoned)
                destroy(log);

        return NULL;
}

static void init_locks(struct pipit_log *log)
{
        (void)pthread_mutex_init(&log->mutex, NULL);
        pipit_cond_init(&log->writer_wakes);
        pipit_cond_init(&log->writer_moved);
}

struct pipit_log *pipit_log_new(int fd, enum pipit_log_format format, enum pipit_log_level level)
{
        struct pipit_log *log = malloc(sizeof(*log));
        struct stat about;

        if (!log)
                return NULL;

        /* Not the buffer: its pages come with use. */
        memset(log, 0, offsetof(struct pipit_log, buffer));
        /*
         * Our own: a writer that free has left behind must not meet another file under the number.
         * None of the first three, which may be closed: the log would be the standard output then.
         */
        log->fd = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        if (log->fd < 0) {
                free(log);
                return NULL;
        }
        log->format = format;
        log->level = level;
        log->write_bytes_max =
                fstat(fd, &about) == 0 && S_ISREG(about.st_mode) ? FILE_WRITE_BYTES : PIPE_BUF;
        init_locks(log);
        /* It takes no signal: a reader that left is an error to write to, no SIGPIPE. */
        if (pipit_thread_start(&log->writer, writer_main, log) != 0) {
                destroy(log);
                return NULL;
        }

        return log;
}

struct pipit_log *pipit_log_free(struct pipit_log *log)
{
        int64_t until_us;
        pthread_t writer;
        bool abandoned;
        bool is_time = true;

        if (!log)
                return NULL;

        (void)pthread_mutex_lock(&log->mutex);
        log->stopping = true;
        log->stop_deadline_us = pipit_clock_now_us() + STOP_TIMEOUT_US;
        until_us = log->stop_deadline_us + INT64_C(2) * STUCK_POLL_MS * PIPIT_US_PER_MS;
        (void)pthread_cond_signal(&log->writer_wakes);
        while (!log->writer_done && is_time)
                is_time = pipit_cond_wait_until(&log->writer_moved, &log->mutex, until_us);
        abandoned = log->abandoned = !log->writer_done;
        writer = log->writer;
        (void)pthread_mutex_unlock(&log->mutex);

        if (abandoned) {
                (void)pthread_detach(writer);
                return NULL;
        }
        (void)pthread_join(writer, NULL);
        destroy(log);

        return NULL;
}

void pipit_log_flush(struct pipit_log *log, uint32_t timeout_ms)
{
        int64_t until_us = pipit_clock_now_us() + (int64_t)timeout_ms * PIPIT_US_PER_MS;
        bool is_time = true;
        uint64_t target;

        if (!log)
                return;

        (void)pthread_mutex_lock(&log->mutex);
        target = log->n_in;
        if (log->n_out < target) {
                log->urgent = true;
                (void)pthread_cond_signal(&log->writer_wakes);
        }
        while (log->n_out < target && is_time)
                is_time = pipit_cond_wait_until(&log->writer_moved, &log->mutex, until_us);
        (void)pthread_mutex_unlock(&log->mutex);
}

bool pipit_log_enabled(const struct pipit_log *log, enum pipit_log_level level)
{
        return log && level >= log->level && level < PIPIT_LOG_OFF;
}

void pipit_log_write(struct pipit_log *log,
                     enum pipit_log_level level,
                     const char *message,
                     const struct pipit_log_field *fields,
                     size_t n_fields)
{
        struct pipit_log_text text;
        bool wake;

        if (!pipit_log_enabled(log, level))
                return;

        pipit_log_text_begin(
                &text, log->format, pipit_clock_wall_us(), level, message, fields, n_fields);

        (void)pthread_mutex_lock(&log->mutex);
        put_line(log, &text);
        if (level == PIPIT_LOG_ERROR)
                log->urgent = true;
        wake = log->writer_idle || log->urgent ||
               log->n_in - log->n_out >= PIPIT_LOG_BUFFER_BYTES / 2;
        log->writer_idle = false;
        (void)pthread_mutex_unlock(&log->mutex);

        if (wake)
                (void)pthread_cond_signal(&log->writer_wakes);
}

bool pipit_log_level_parse(const char *name, enum pipit_log_level *ret_level)
{
        for (int number = PIPIT_LOG_DEBUG; number <= PIPIT_LOG_OFF; number++) {
                enum pipit_log_level level = (enum pipit_log_level)number;

                if (strcmp(name, pipit_log_level_name(level)) == 0) {
                        *ret_level = level;
                        return true;
                }
        }

        return false;
}
