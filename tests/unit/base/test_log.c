#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/log_text.h"

/* A poll that lies, for the case that somebody else takes the room it promised. */
static atomic_bool poll_lies;
int __real_poll(struct pollfd *fds, nfds_t n_fds, int timeout_ms);
int __wrap_poll(struct pollfd *fds, nfds_t n_fds, int timeout_ms);

int __wrap_poll(struct pollfd *fds, nfds_t n_fds, int timeout_ms)
{
        if (atomic_load(&poll_lies)) {
                fds->revents = fds->events;
                return 1;
        }

        return __real_poll(fds, n_fds, timeout_ms);
}

/* --- the text of a line ----------------------------------------------------------- */

static const char *line_of(struct pipit_log_text *text,
                           enum pipit_log_format format,
                           int64_t wall_us,
                           const char *message,
                           const struct pipit_log_field *fields,
                           size_t n_fields,
                           uint64_t n_dropped)
{
        static char line[PIPIT_LOG_LINE_BYTES_MAX + 1];

        pipit_log_text_begin(text, format, wall_us, PIPIT_LOG_INFO, message, fields, n_fields);
        pipit_log_text_end(text, n_dropped);
        assert_true(text->n_bytes <= PIPIT_LOG_LINE_BYTES_MAX);
        memcpy(line, text->bytes, text->n_bytes);
        line[text->n_bytes] = '\0';

        return line;
}

/* 2026-01-02T03:04:05.678901Z */
#define SAMPLE_US INT64_C(1767323045678901)

static void a_line_has_its_time_level_message_and_fields(void **state)
{
        const struct pipit_log_field fields[] = {
                PIPIT_LOG_STRING("method", "a.B/C"),
                PIPIT_LOG_STRING("absent", NULL),
                PIPIT_LOG_STRING("words", "two words"),
                PIPIT_LOG_STRING("empty", ""),
                PIPIT_LOG_INT("n", 42),
                PIPIT_LOG_INT("least", INT64_MIN),
                PIPIT_LOG_INT("most", INT64_MAX),
                PIPIT_LOG_BOOL("yes", true),
                PIPIT_LOG_BOOL("no", false),
        };
        struct pipit_log_text text;

        (void)state;
        assert_string_equal(
                line_of(&text, PIPIT_LOG_JSON, SAMPLE_US, "done", fields, 9, 0),
                "{\"time\":\"2026-01-02T03:04:05.678901Z\",\"level\":\"info\",\"msg\":\"done\","
                "\"method\":\"a.B/C\",\"words\":\"two words\",\"empty\":\"\",\"n\":42,"
                "\"least\":-9223372036854775808,\"most\":9223372036854775807,\"yes\":true,"
                "\"no\":false}\n");
        assert_string_equal(
                line_of(&text, PIPIT_LOG_READABLE, SAMPLE_US, "done", fields, 9, 0),
                "03:04:05.678 info    done  method=a.B/C words=\"two words\" empty=\"\" n=42 "
                "least=-9223372036854775808 most=9223372036854775807 yes=true no=false\n");
        assert_string_equal(line_of(&text, PIPIT_LOG_READABLE, SAMPLE_US, "done", NULL, 0, 0),
                            "03:04:05.678 info    done\n");
}

static void a_line_says_how_many_were_dropped_before_it(void **state)
{
        struct pipit_log_text text;

        (void)state;
        assert_string_equal(
                line_of(&text, PIPIT_LOG_JSON, SAMPLE_US, "a", NULL, 0, UINT64_MAX),
                "{\"time\":\"2026-01-02T03:04:05.678901Z\",\"level\":\"info\",\"msg\":\"a\","
                "\"dropped\":18446744073709551615}\n");
        assert_string_equal(line_of(&text, PIPIT_LOG_READABLE, SAMPLE_US, "a", NULL, 0, 3),
                            "03:04:05.678 info    a dropped=3\n");
}

static void the_date_is_right_from_1900_to_2200(void **state)
{
        struct pipit_log_text text;

        (void)state;
        for (int64_t day = -25567; day < 84000; day++) {
                time_t seconds = (time_t)(day * 86400 + (day * 7919 % 86400 + 86400) % 86400);
                char expected[64];
                struct tm tm;

                assert_non_null(gmtime_r(&seconds, &tm));
                assert_true(strftime(expected, sizeof(expected), "{\"time\":\"%FT%T.", &tm) > 0);
                assert_memory_equal(line_of(&text,
                                            PIPIT_LOG_JSON,
                                            (int64_t)seconds * PIPIT_US_PER_S,
                                            "",
                                            NULL,
                                            0,
                                            0),
                                    expected,
                                    strlen(expected));
        }
}

static void readable_lines_never_hold_a_control_character(void **state)
{
        struct pipit_log_text text;
        char every_byte[256];
        struct pipit_log_field field = PIPIT_LOG_STRING("k", every_byte);
        const char *line;

        (void)state;
        for (int i = 1; i < 256; i++)
                every_byte[i - 1] = (char)i;
        every_byte[255] = '\0';
        line = line_of(&text, PIPIT_LOG_READABLE, SAMPLE_US, every_byte, &field, 1, 0);
        for (size_t i = 0; line[i] != '\n'; i++)
                assert_true((uint8_t)line[i] >= 0x20 && line[i] != 0x7f);
        assert_string_equal(
                line_of(&text, PIPIT_LOG_READABLE, SAMPLE_US, "a\n\"b\\ \xc2\x9b", NULL, 0, 0),
                "03:04:05.678 info    a\\n\"b\\\\ \\u009b\n");
}

/* The same string with U+FFFD for each byte that is no UTF-8, by way of the slow road. */
static char *replaced(const char *string)
{
        size_t n_bytes = strlen(string);
        char *result = calloc(3 * n_bytes + 1, 1);
        char *to = result;

        while (n_bytes > 0) {
                size_t n = 0;

                for (size_t length = 1; length <= 4 && length <= n_bytes && n == 0; length++) {
                        json_t *one = json_stringn(string, length);

                        if (one && length == 1 + (size_t)((uint8_t)*string >= 0xc0) +
                                                     (size_t)((uint8_t)*string >= 0xe0) +
                                                     (size_t)((uint8_t)*string >= 0xf0))
                                n = length;
                        json_decref(one);
                }
                to = n > 0 ? mempcpy(to, string, n) : stpcpy(to, "\xef\xbf\xbd");
                string += n > 0 ? n : 1;
                n_bytes -= n > 0 ? n : 1;
        }

        return result;
}

static void any_string_comes_back_from_json(void **state)
{
        uint64_t random = 88172645463325252u;
        struct pipit_log_text text;

        (void)state;
        for (size_t i = 0; i < 20000; i++) {
                char string[40];
                size_t length = i % sizeof(string);
                struct pipit_log_field field = PIPIT_LOG_STRING("k", string);
                const char *line;
                char *expected;
                json_t *json;

                for (size_t n = 0; n < length; n++) {
                        random ^= random << 13;
                        random ^= random >> 7;
                        random ^= random << 17;
                        string[n] = (char)(random >> (random & 3 ? 40 : 41));
                        if (string[n] == '\0')
                                string[n] = '"';
                }
                string[length < sizeof(string) ? length : sizeof(string) - 1] = '\0';

                line = line_of(&text, PIPIT_LOG_JSON, SAMPLE_US, string, &field, 1, 0);
                json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
                assert_non_null(json);
                expected = replaced(string);
                assert_string_equal(json_string_value(json_object_get(json, "k")), expected);
                assert_string_equal(json_string_value(json_object_get(json, "msg")), expected);
                free(expected);
                json_decref(json);
        }
}

static void a_long_line_is_cut_at_a_field_and_says_so(void **state)
{
        char *value = malloc(8001);
        struct pipit_log_text text;

        (void)state;
        for (size_t length = 3600; length < 4300; length++) {
                const struct pipit_log_field fields[] = {
                        PIPIT_LOG_INT("first", 1),
                        PIPIT_LOG_STRING("long", value),
                        PIPIT_LOG_INT("last", 2),
                };
                const char *line;
                json_t *json;
                bool is_cut;

                memset(value, length % 2 ? 'x' : '"', length / (length % 2 ? 1 : 2));
                value[length / (length % 2 ? 1 : 2)] = '\0';
                line = line_of(&text, PIPIT_LOG_JSON, SAMPLE_US, "m", fields, 3, INT64_MAX);
                json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
                assert_non_null(json);
                is_cut = json_is_true(json_object_get(json, "cut"));
                assert_int_equal(json_object_get(json, "last") == NULL, is_cut);
                assert_non_null(json_object_get(json, "first"));
                if (json_object_get(json, "long"))
                        assert_string_equal(json_string_value(json_object_get(json, "long")),
                                            value);
                else
                        assert_true(is_cut);
                assert_int_equal(is_cut, length > 3990 ? true : is_cut);
                assert_false(is_cut && length < 3920);
                json_decref(json);
        }
        free(value);
}

static void a_message_too_long_for_a_line_is_cut_between_code_points(void **state)
{
        struct pipit_log_text text;
        char *message = malloc(9001);

        (void)state;
        for (size_t shift = 0; shift < 3; shift++) {
                const char *line;
                json_t *json;

                memset(message, 'x', shift);
                for (size_t i = 0; i < 3000 - 1; i++)
                        memcpy(message + shift + 3 * i, "€", 3);
                message[shift + 3 * 2999] = '\0';
                line = line_of(&text, PIPIT_LOG_JSON, SAMPLE_US, message, NULL, 0, INT64_MAX);
                json = json_loads(line, 0, NULL);
                assert_non_null(json);
                assert_true(json_is_true(json_object_get(json, "cut")));
                assert_true(text.n_bytes > PIPIT_LOG_LINE_BYTES_MAX - 80);
                json_decref(json);
        }
        free(message);
}

/* --- where lines go --------------------------------------------------------------- */

struct reader {
        int fd;
        char *bytes;
        size_t n_bytes;
        pthread_t thread;
};

static void *read_to_the_end(void *context)
{
        struct reader *reader = context;
        size_t n_bytes_max = 0;
        ssize_t n;

        do {
                if (n_bytes_max - reader->n_bytes < 65537) {
                        n_bytes_max = 2 * n_bytes_max + 131072;
                        reader->bytes = realloc(reader->bytes, n_bytes_max);
                }
                n = read(reader->fd, reader->bytes + reader->n_bytes, 65536);
                if (n > 0)
                        reader->n_bytes += (size_t)n;
        } while (n > 0);
        reader->bytes[reader->n_bytes] = '\0';

        return NULL;
}

static void reader_start(struct reader *reader, int fd)
{
        *reader = (struct reader){.fd = fd};
        assert_int_equal(pthread_create(&reader->thread, NULL, read_to_the_end, reader), 0);
}

static void reader_join(struct reader *reader)
{
        assert_int_equal(pthread_join(reader->thread, NULL), 0);
        (void)close(reader->fd);
}

/* How many lines the reader got, and the sum of their fields `dropped`. All must be whole. */
static void count_lines(const struct reader *reader, size_t *ret_n_lines, size_t *ret_n_dropped)
{
        *ret_n_lines = 0;
        *ret_n_dropped = 0;
        for (const char *line = reader->bytes; *line != '\0'; line = strchr(line, '\n') + 1) {
                json_t *json;

                assert_non_null(strchr(line, '\n'));
                json = json_loadb(line, (size_t)(strchr(line, '\n') - line), 0, NULL);
                assert_non_null(json);
                *ret_n_lines += 1;
                *ret_n_dropped += (size_t)json_integer_value(json_object_get(json, "dropped"));
                json_decref(json);
        }
}

static void open_pipe(int fds[2])
{
        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
}

static void nothing_is_written_under_the_level_or_without_a_log(void **state)
{
        struct reader reader;
        struct pipit_log *log;
        int fds[2];

        (void)state;
        pipit_log_line(NULL, PIPIT_LOG_ERROR, "none", PIPIT_LOG_INT("n", 1));
        pipit_log_flush(NULL, 1000);
        assert_false(pipit_log_enabled(NULL, PIPIT_LOG_ERROR));

        open_pipe(fds);
        reader_start(&reader, fds[0]);
        log = pipit_log_new(fds[1], PIPIT_LOG_READABLE, PIPIT_LOG_WARNING);
        assert_false(pipit_log_enabled(log, PIPIT_LOG_INFO));
        assert_true(pipit_log_enabled(log, PIPIT_LOG_WARNING));
        assert_false(pipit_log_enabled(log, PIPIT_LOG_OFF));
        pipit_log_line(log, PIPIT_LOG_INFO, "quiet");
        pipit_log_write(log, PIPIT_LOG_DEBUG, "quiet", NULL, 0);
        pipit_log_write(log, PIPIT_LOG_OFF, "quiet", NULL, 0);
        pipit_log_line(log, PIPIT_LOG_WARNING, "loud");
        assert_null(pipit_log_free(log));
        (void)close(fds[1]);
        reader_join(&reader);
        assert_string_equal(reader.bytes + sizeof("03:04:05.678 ") - 1, "warning loud\n");
        free(reader.bytes);
        assert_null(pipit_log_free(NULL));
}

static void what_was_written_is_there_after_a_flush(void **state)
{
        struct pipit_log *log;
        char bytes[4096];
        int fds[2];

        (void)state;
        open_pipe(fds);
        log = pipit_log_new(fds[1], PIPIT_LOG_READABLE, PIPIT_LOG_DEBUG);
        for (size_t i = 0; i < 3; i++) {
                ssize_t n;

                pipit_log_line(log, PIPIT_LOG_INFO, "one");
                pipit_log_line(log, PIPIT_LOG_INFO, "two");
                pipit_log_flush(log, 60000);
                n = read(fds[0], bytes, sizeof(bytes));
                assert_int_equal(n, 2 * (ssize_t)strlen("03:04:05.678 info    one\n"));
        }
        pipit_log_free(log);
        (void)close(fds[0]);
        (void)close(fds[1]);
}

/* More than the buffer and the pipe hold. */
enum { N_FLOOD = 30000 };

static void flood(struct pipit_log *log)
{
        for (size_t i = 0; i < N_FLOOD; i++)
                pipit_log_line(log,
                               PIPIT_LOG_INFO,
                               "one of very many lines for a reader that does not read",
                               PIPIT_LOG_INT("i", i));
}

static void lines_that_do_not_fit_are_counted_in_the_next_that_does(void **state)
{
        struct reader reader;
        struct pipit_log *log;
        size_t n_lines;
        size_t n_dropped;
        int fds[2];

        (void)state;
        open_pipe(fds);
        log = pipit_log_new(fds[1], PIPIT_LOG_JSON, PIPIT_LOG_DEBUG);
        flood(log);
        reader_start(&reader, fds[0]);
        pipit_log_flush(log, 60000);
        pipit_log_line(log, PIPIT_LOG_INFO, "the next that fits");
        pipit_log_free(log);
        (void)close(fds[1]);
        reader_join(&reader);

        count_lines(&reader, &n_lines, &n_dropped);
        assert_true(n_dropped > 0);
        assert_int_equal(n_lines + n_dropped, N_FLOOD + 1);
        assert_non_null(strstr(reader.bytes, "\"the next that fits\",\"dropped\":"));
        free(reader.bytes);
}

static void lines_lost_at_the_end_are_counted_in_a_line_of_their_own(void **state)
{
        struct reader reader;
        struct pipit_log *log;
        size_t n_lines;
        size_t n_dropped;
        int fds[2];

        (void)state;
        open_pipe(fds);
        log = pipit_log_new(fds[1], PIPIT_LOG_JSON, PIPIT_LOG_DEBUG);
        flood(log);
        reader_start(&reader, fds[0]);
        pipit_log_free(log);
        (void)close(fds[1]);
        reader_join(&reader);

        count_lines(&reader, &n_lines, &n_dropped);
        assert_int_equal(n_lines - 1 + n_dropped, N_FLOOD);
        assert_non_null(strstr(reader.bytes, "\"log lines were lost\",\"dropped\":"));
        free(reader.bytes);
}

static void free_ends_though_the_reader_never_reads(void **state)
{
        struct pipit_log *log;
        int fds[2];

        (void)state;
        open_pipe(fds);
        log = pipit_log_new(fds[1], PIPIT_LOG_JSON, PIPIT_LOG_DEBUG);
        flood(log);
        pipit_log_flush(log, 1);
        pipit_log_free(log);
        (void)close(fds[0]);
        (void)close(fds[1]);
}

static void free_ends_though_a_write_is_stuck(void **state)
{
        struct pipit_log *log;
        int fds[2];

        (void)state;
        open_pipe(fds);
        atomic_store(&poll_lies, true);
        log = pipit_log_new(fds[1], PIPIT_LOG_JSON, PIPIT_LOG_DEBUG);
        flood(log);
        pipit_log_free(log);
        atomic_store(&poll_lies, false);
        (void)close(fds[0]);
        (void)close(fds[1]);
}

static void a_reader_that_left_is_no_signal_and_no_end(void **state)
{
        struct sigaction action;
        struct pipit_log *log;
        int fds[2];

        (void)state;
        assert_int_equal(sigaction(SIGPIPE, NULL, &action), 0);
        assert_true(action.sa_handler == SIG_DFL);
        open_pipe(fds);
        (void)close(fds[0]);
        log = pipit_log_new(fds[1], PIPIT_LOG_JSON, PIPIT_LOG_DEBUG);
        for (size_t i = 0; i < 3; i++) {
                pipit_log_line(log, PIPIT_LOG_INFO, "to nobody");
                pipit_log_flush(log, 60000);
        }
        pipit_log_free(log);
        (void)close(fds[1]);
}

static void the_flags_of_the_descriptor_stay_as_they_are(void **state)
{
        static const int flags[] = {0, O_NONBLOCK};

        (void)state;
        for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
                struct reader reader;
                struct pipit_log *log;
                size_t n_lines;
                size_t n_dropped;
                int fds[2];
                int before;

                open_pipe(fds);
                assert_int_equal(fcntl(fds[1], F_SETFL, flags[i]), 0);
                before = fcntl(fds[1], F_GETFL);
                log = pipit_log_new(fds[1], PIPIT_LOG_JSON, PIPIT_LOG_DEBUG);
                flood(log);
                assert_int_equal(fcntl(fds[1], F_GETFL), before);
                reader_start(&reader, fds[0]);
                pipit_log_free(log);
                assert_int_equal(fcntl(fds[1], F_GETFL), before);
                (void)close(fds[1]);
                reader_join(&reader);
                count_lines(&reader, &n_lines, &n_dropped);
                assert_int_equal(n_lines + n_dropped, N_FLOOD + (n_dropped > 0));
                free(reader.bytes);
        }
}

static void lines_go_to_files_and_sockets_too(void **state)
{
        char path[] = "/tmp/pipit-log-XXXXXX";
        int file = mkstemp(path);
        struct reader reader;
        struct pipit_log *log;
        size_t n_lines;
        size_t n_dropped;
        int sockets[2];

        (void)state;
        assert_true(file >= 0);
        assert_int_equal(unlink(path), 0);
        log = pipit_log_new(file, PIPIT_LOG_JSON, PIPIT_LOG_DEBUG);
        for (size_t i = 0; i < 3000; i++)
                pipit_log_line(log, PIPIT_LOG_INFO, "to a file");
        pipit_log_free(log);
        assert_int_equal(lseek(file, 0, SEEK_SET), 0);
        reader_start(&reader, file);
        reader_join(&reader);
        count_lines(&reader, &n_lines, &n_dropped);
        assert_int_equal(n_lines, 3000);
        free(reader.bytes);

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
        reader_start(&reader, sockets[0]);
        log = pipit_log_new(sockets[1], PIPIT_LOG_JSON, PIPIT_LOG_DEBUG);
        for (size_t i = 0; i < 3000; i++)
                pipit_log_line(log, PIPIT_LOG_INFO, "to a socket");
        pipit_log_free(log);
        (void)close(sockets[1]);
        reader_join(&reader);
        count_lines(&reader, &n_lines, &n_dropped);
        assert_int_equal(n_lines, 3000);
        free(reader.bytes);
}

#define N_THREADS 4
#define N_LINES   2000

struct writer {
        struct pipit_log *log;
        int number;
};

static void *write_lines(void *context)
{
        const struct writer *writer = context;

        for (int i = 0; i < N_LINES; i++)
                pipit_log_line(writer->log,
                               i % 500 == 0 ? PIPIT_LOG_ERROR : PIPIT_LOG_INFO,
                               "line",
                               PIPIT_LOG_INT("thread", writer->number),
                               PIPIT_LOG_INT("i", i));

        return NULL;
}

static void lines_of_many_threads_are_whole_and_in_each_ones_order(void **state)
{
        struct writer writers[N_THREADS];
        pthread_t threads[N_THREADS];
        int next[N_THREADS] = {0};
        struct reader reader;
        struct pipit_log *log;
        int fds[2];

        (void)state;
        open_pipe(fds);
        reader_start(&reader, fds[0]);
        log = pipit_log_new(fds[1], PIPIT_LOG_JSON, PIPIT_LOG_DEBUG);
        for (int i = 0; i < N_THREADS; i++) {
                writers[i] = (struct writer){log, i};
                assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &writers[i]), 0);
        }
        for (size_t i = 0; i < N_THREADS; i++)
                assert_int_equal(pthread_join(threads[i], NULL), 0);
        pipit_log_free(log);
        (void)close(fds[1]);
        reader_join(&reader);

        for (char *line = reader.bytes, *end; *line != '\0'; line = end + 1) {
                json_t *json;
                json_int_t thread;

                end = strchr(line, '\n');
                json = json_loadb(line, (size_t)(end - line), 0, NULL);
                assert_non_null(json);
                thread = json_integer_value(json_object_get(json, "thread"));
                assert_true(thread >= 0 && thread < N_THREADS);
                assert_int_equal(json_integer_value(json_object_get(json, "i")), next[thread]);
                next[thread]++;
                json_decref(json);
        }
        for (size_t i = 0; i < N_THREADS; i++)
                assert_int_equal(next[i], N_LINES);
        free(reader.bytes);
}

/* As after `program <&-`: what reads its standard input must not meet the log there. */
static void the_log_is_none_of_the_standard_streams(void **state)
{
        int input = dup(STDIN_FILENO);
        struct pipit_log *log;
        int flags;

        (void)state;
        assert_true(input >= 0);
        assert_int_equal(close(STDIN_FILENO), 0);
        log = pipit_log_new(STDERR_FILENO, PIPIT_LOG_JSON, PIPIT_LOG_ERROR);
        flags = fcntl(STDIN_FILENO, F_GETFD);
        (void)pipit_log_free(log);
        assert_int_equal(dup2(input, STDIN_FILENO), STDIN_FILENO);
        assert_int_equal(close(input), 0);
        assert_non_null(log);
        assert_int_equal(flags, -1);
}

static void levels_are_parsed_from_their_names(void **state)
{
        static const char *const names[] = {"debug", "info", "warning", "error", "off"};
        enum pipit_log_level level = PIPIT_LOG_INFO;

        (void)state;
        for (int i = 0; i < 5; i++) {
                assert_true(pipit_log_level_parse(names[i], &level));
                assert_int_equal(level, i);
        }
        assert_false(pipit_log_level_parse("INFO", &level));
        assert_false(pipit_log_level_parse("", &level));
        assert_int_equal(level, PIPIT_LOG_OFF);
        assert_string_equal(pipit_log_level_name((enum pipit_log_level)9), "unknown");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_line_has_its_time_level_message_and_fields),
                cmocka_unit_test(a_line_says_how_many_were_dropped_before_it),
                cmocka_unit_test(the_date_is_right_from_1900_to_2200),
                cmocka_unit_test(readable_lines_never_hold_a_control_character),
                cmocka_unit_test(any_string_comes_back_from_json),
                cmocka_unit_test(a_long_line_is_cut_at_a_field_and_says_so),
                cmocka_unit_test(a_message_too_long_for_a_line_is_cut_between_code_points),
                cmocka_unit_test(nothing_is_written_under_the_level_or_without_a_log),
                cmocka_unit_test(what_was_written_is_there_after_a_flush),
                cmocka_unit_test(lines_that_do_not_fit_are_counted_in_the_next_that_does),
                cmocka_unit_test(lines_lost_at_the_end_are_counted_in_a_line_of_their_own),
                cmocka_unit_test(free_ends_though_the_reader_never_reads),
                cmocka_unit_test(free_ends_though_a_write_is_stuck),
                cmocka_unit_test(a_reader_that_left_is_no_signal_and_no_end),
                cmocka_unit_test(the_flags_of_the_descriptor_stay_as_they_are),
                cmocka_unit_test(lines_go_to_files_and_sockets_too),
                cmocka_unit_test(lines_of_many_threads_are_whole_and_in_each_ones_order),
                cmocka_unit_test(the_log_is_none_of_the_standard_streams),
                cmocka_unit_test(levels_are_parsed_from_their_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
