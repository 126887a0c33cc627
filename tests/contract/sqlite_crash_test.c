#include "tests/contract/harness.h"

#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/store/sqlite/sqlite.h"
#include "tests/contract/sqlite_place.h"

/*
 * A writer that is killed in the middle of its writes: what it was told is done
 * it writes to a pipe, and all of that must be there afterwards.
 */

#define N_ROUNDS       8
#define N_OUTSTANDING  64
#define KILL_AFTER     500 /* acknowledgements */
#define IDS_AT_ONCE    (PIPE_BUF_BYTES / (int)sizeof(struct pipit_uuid))
#define PIPE_BUF_BYTES 4096

static struct users_repository *open_store(const char *path)
{
        struct users_sqlite_options options = {.path = path, .clock = &pipit_clock_system};
        struct pipit_error error;

        return users_sqlite_new(&options, &error);
}

/* --- the child: inserts for ever ---------------------------------------------- */

struct writer {
        struct call call;
        struct users_repository *repository;
        int fd;
};

static void write_next(struct writer *writer)
{
        struct pipit_uuid id = pipit_uuid_v7(pipit_clock_wall_us());
        char text[PIPIT_UUID_TEXT_SIZE];

        pipit_uuid_format(&id, text);
        writer->call.in = sample_user(text);
        writer->call.in.id = id;
        writer->call.write.has_request_id = true;
        memcpy(writer->call.write.request_id, id.bytes, sizeof(id.bytes));
        call_insert(writer->repository, &writer->call);
}

static void writer_done(struct users_request *request)
{
        struct writer *writer = pipit_container_of(request, struct writer, call.request);

        if (request->error.status != PIPIT_OK ||
            write(writer->fd, &writer->call.out.id, sizeof(struct pipit_uuid)) !=
                    (ssize_t)sizeof(struct pipit_uuid))
                _exit(3);
        write_next(writer);
}

static int child_main(const char *path, int fd)
{
        static struct writer writers[N_OUTSTANDING];
        struct users_repository *repository = open_store(path);

        if (!repository)
                return 2;
        for (size_t i = 0; i < N_OUTSTANDING; i++) {
                call_init(&writers[i].call, NULL);
                writers[i].call.request.done = writer_done;
                writers[i].repository = repository;
                writers[i].fd = fd;
                write_next(&writers[i]);
        }
        for (;;)
                (void)pause();
}

static pid_t start_child(const char *path, int *ret_fd)
{
        char number[16];
        int fds[2];
        pid_t pid;

        assert_int_equal(pipe(fds), 0);
        (void)snprintf(number, sizeof(number), "%d", fds[1]);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                (void)close(fds[0]);
                (void)execl("/proc/self/exe", "sqlite_crash_test", path, number, (char *)NULL);
                _exit(4);
        }
        (void)close(fds[1]);
        *ret_fd = fds[0];
        return pid;
}

/* --- the parent --------------------------------------------------------------- */

struct acknowledged {
        struct pipit_uuid *ids;
        size_t n;
        size_t room;
};

/* Whatever is in the pipe; 0 at its end. */
static ssize_t read_some(int fd, struct acknowledged *acknowledged)
{
        ssize_t n;

        if (acknowledged->n + (size_t)IDS_AT_ONCE > acknowledged->room) {
                acknowledged->room = acknowledged->room * 2 + (size_t)IDS_AT_ONCE;
                acknowledged->ids = reallocarray(
                        acknowledged->ids, acknowledged->room, sizeof(*acknowledged->ids));
                assert_non_null(acknowledged->ids);
        }
        do
                n = read(fd, &acknowledged->ids[acknowledged->n], PIPE_BUF_BYTES);
        while (n < 0 && errno == EINTR);
        assert_true(n >= 0);
        assert_int_equal((size_t)n % sizeof(struct pipit_uuid), 0);
        acknowledged->n += (size_t)n / sizeof(struct pipit_uuid);
        return n;
}

static void kill_in_the_middle(const char *path, struct acknowledged *acknowledged)
{
        size_t until = acknowledged->n + KILL_AFTER;
        int status, fd;
        pid_t pid = start_child(path, &fd);

        while (acknowledged->n < until)
                assert_true(read_some(fd, acknowledged) > 0);
        assert_int_equal(kill(pid, SIGKILL), 0);
        while (read_some(fd, acknowledged) > 0)
                ;
        (void)close(fd);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
}

static void assert_all_are_there(const char *path, const struct acknowledged *acknowledged)
{
        struct users_repository *repository = open_store(path);

        assert_non_null(repository);
        for (size_t i = 0; i < acknowledged->n; i++) {
                struct call find = {.in.id = acknowledged->ids[i]}, again = {0};

                call_init(&find, NULL);
                call_wait(repository, call_find_by_id, &find);
                assert_ok(find.request.error);

                /* Its request_id is known, too: in one transaction with the user. */
                if (i % 16 != 0)
                        continue;
                call_init(&again, NULL);
                again.in = sample_user("again@example.com");
                again.write.has_request_id = true;
                memcpy(again.write.request_id, acknowledged->ids[i].bytes, 16);
                call_wait(repository, call_insert, &again);
                assert_ok(again.request.error);
                assert_users_equal(&again.out, &find.out);
        }
        users_repository_free(repository);
}

/* Each user has his request log row, and each row its user. */
static void assert_sound(const char *path)
{
        sqlite3_stmt *statement = NULL;
        sqlite3 *db = NULL;

        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_prepare_v2(db, "pragma integrity_check", -1, &statement, NULL),
                         SQLITE_OK);
        assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
        assert_string_equal(sqlite3_column_text(statement, 0), "ok");
        (void)sqlite3_finalize(statement);
        assert_int_equal(sqlite3_prepare_v2(db,
                                            "select (select count(*) from users),"
                                            " (select count(*) from request_log),"
                                            " (select count(*) from users join request_log"
                                            " on request_id = id and user_id = id"
                                            " and principal = 'uid:1000')",
                                            -1,
                                            &statement,
                                            NULL),
                         SQLITE_OK);
        assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
        assert_int_equal(sqlite3_column_int(statement, 1), sqlite3_column_int(statement, 0));
        assert_int_equal(sqlite3_column_int(statement, 2), sqlite3_column_int(statement, 0));
        (void)sqlite3_finalize(statement);
        assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void what_was_acknowledged_is_there_after_kill_9(void **state)
{
        struct acknowledged acknowledged = {0};
        struct sqlite_place place;

        (void)state;
        assert_true(sqlite_place_init(&place));
        for (int round = 0; round < N_ROUNDS; round++) {
                kill_in_the_middle(place.path, &acknowledged);
                assert_all_are_there(place.path, &acknowledged);
                assert_sound(place.path);
        }
        free(acknowledged.ids);
        sqlite_place_deinit(&place);
}

int main(int argc, char **argv)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_was_acknowledged_is_there_after_kill_9),
        };

        if (argc == 3)
                return child_main(argv[1], atoi(argv[2]));
        return cmocka_run_group_tests_name("sqlite crash", tests, NULL, NULL);
}
